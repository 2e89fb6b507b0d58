"""``--watch`` and ``--watch-ignore``: text in, rules out."""

from __future__ import annotations

import os
import re
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devrun.config.watching import alternatives, parse_ignore, parse_watch
from devrun.errors import UsageError


@pytest.fixture
def project(tmp_path):
    for folder in ("src/app", "lib", "app/[id]"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("src/main.ts", "package.json", "app/[id]/page.tsx", "a=b.txt"):
        (tmp_path / file).write_text("")
    return tmp_path


def rules_of(project, value):
    """The rules of a value, with roots relative to the project."""
    ((*rules,),) = parse_watch([value], ["web"], str(project))
    return [(os.path.relpath(rule.root, project), rule.pattern) for rule in rules]


@pytest.mark.parametrize(
    ("value", "rules"),
    [
        (".", [(".", None)]),
        ("src", [("src", None)]),
        ("src/", [("src", None)]),
        ("./src//app/../main.ts", [("src/main.ts", None)]),
        ("package.json", [("package.json", None)]),
        ("src/not-yet", [("src/not-yet", None)]),
        ("not-yet", [("not-yet", None)]),
        ("*.py", [(".", "*.py")]),
        ("./*.py", [(".", "/*.py")]),
        ("src/*.py", [("src", "/*.py")]),
        ("src/*", [("src", "/*")]),
        ("src/**", [("src", "**")]),
        ("src/**/*.ts", [("src", "**/*.ts")]),
        ("**/*.ts", [(".", "**/*.ts")]),
        ("src/*/x.ts", [("src", "*/x.ts")]),
        ("src/conf*/", [("src", "/conf*/")]),
        ("src/a?/./[a-c]*//x", [("src", "a?/[a-c]*/x")]),
        ("missing/**/*.ts", [("missing", "**/*.ts")]),
        ("src/*.{ts,tsx}", [("src", "/*.ts"), ("src", "/*.tsx")]),
        ("{src,lib}/**/*.js", [("src", "**/*.js"), ("lib", "**/*.js")]),
        ("{src/main,lib/other}.ts", [("src/main.ts", None), ("lib/other.ts", None)]),
        ("src/#*#", [("src", "/#*#")]),
        ("#*/x", [(".", "\\#*/x")]),
        ("*x ", [(".", "*x\\ ")]),
        ("app/[id]/page.tsx", [("app/[id]/page.tsx", None)]),
        ("a=b.txt", [("a=b.txt", None)]),
        ("*=b.txt", [(".", "*=b.txt")]),
        ("web=src/*.ts", [("src", "/*.ts")]),
        ("0=src", [("src", None)]),
    ],
)
def test_a_value_is_split_into_a_root_and_a_pattern(project, value, rules):
    assert rules_of(project, value) == rules


def test_absolute_paths_and_the_home_folder(project, monkeypatch):
    monkeypatch.setenv("HOME", str(project / "lib"))
    assert rules_of(project, f"{project}/src/*.ts") == [("src", "/*.ts")]
    assert rules_of(project, "~/*.ts") == [("lib", "/*.ts")]
    assert rules_of(project, "web=~") == [("lib", None)]


def test_a_rule_says_what_the_user_wrote(project):
    ((rule,),) = parse_watch(["web=src/**/*.ts"], ["web"], str(project))
    assert rule.source == "src/**/*.ts"


def test_rules_reach_the_services_that_they_name(project):
    values = ["package.json", "web=src", "1=lib", "web=src"]
    found = parse_watch(values, ["web", None, "web"], str(project))
    roots = [[os.path.relpath(rule.root, project) for rule in rules] for rules in found]
    assert roots == [["package.json", "src"], ["package.json", "lib"], ["package.json", "src"]]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", '--watch "": a path is missing'),
        ("web=", '--watch "web=": a path is missing'),
        ("wob=src", '--watch "wob=src": no service "wob"; did you mean "web"?'),
        ("7=src", '--watch "7=src": no service "7"'),
        ("scr/main.ts", '--watch "scr/main.ts": there is no folder {}/scr; did you mean "src"?'),
        ("no/such/x", '--watch "no/such/x": there is no folder {}/no'),
        ("package.json/x", '--watch "package.json/x": {}/package.json is not a folder'),
        ("package.json/x/y", '--watch "package.json/x/y": {}/package.json is not a folder'),
        ("src/**/../x", '--watch "src/**/../x": ".." cannot follow a wildcard'),
        ("src/[a.ts", '--watch "src/[a.ts": "[" without "]"'),
        ("src/[a/b]", '--watch "src/[a/b]": "[" without "]"'),
        ("src/[]x", '--watch "src/[]x": "[" without "]"'),
        ("src/[z-a]x", '--watch "src/[z-a]x": [z-a] is no range of characters'),
        ("!src/*.ts", '--watch "!src/*.ts": what is not to be watched goes after --watch-ignore'),
    ],
)
def test_a_wrong_value_is_said(project, value, message):
    with pytest.raises(UsageError) as error:
        parse_watch([value], ["web"], str(project))
    assert str(error.value).startswith(message.format(project))


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a", ["a"]),
        ("{a}", ["{a}"]),
        ("{a,b", ["{a,b"]),
        ("x{a,b}y", ["xay", "xby"]),
        ("{a,}b", ["ab", "b"]),
        ("{a,b}{c,d}", ["ac", "ad", "bc", "bd"]),
        ("{a,{b,c}d}", ["a", "bd", "a", "cd"]),
    ],
)
def test_braces_are_alternatives(path, found):
    assert alternatives(path) == found


@given(st.text(alphabet="ab{},/*", max_size=12))
def test_no_alternative_has_alternatives(path):
    assert not any(re.search(r"\{[^{}]*,[^{}]*\}", each) for each in alternatives(path))


@given(st.text(max_size=30).filter(lambda text: "\0" not in text))
@example("[")
@example("{,}")
@example("\ud800*")
def test_any_text_is_rules_or_a_usage_error(text):
    try:
        (rules,) = parse_watch([text], ["web"], "/nowhere/at/all")
    except UsageError:
        return
    assert rules
    assert all(os.path.isabs(rule.root) for rule in rules)


PART = st.text(alphabet=string.ascii_letters + "*?.-", min_size=1, max_size=5).filter(
    lambda part: part not in {".", ".."}
)


@given(st.lists(PART, min_size=1, max_size=5))
def test_root_and_pattern_put_together_are_the_path(parts):
    (rules,) = parse_watch(["/nowhere/" + "/".join(parts) + "*"], ["web"], "/")
    (rule,) = rules
    assert not set("*?[") & set(rule.root)
    whole = f"{rule.root}/{rule.pattern.removeprefix('/')}"
    assert whole == "/nowhere/" + "/".join(parts) + "*"


@pytest.mark.parametrize(
    ("value", "pattern"),
    [
        ("*.log", "*.log"),
        ("src/tests/", "src/tests/"),
        ("./src/tests", "/src/tests"),
        ("!dist", "!dist"),
        ("!./dist", "!/dist"),
        ("/srv/project/gen/*.ts", "/gen/*.ts"),
        ("/gen", "/gen"),
        ("\\#x", "\\#x"),
    ],
)
def test_ignore_patterns_are_relative_to_the_project(value, pattern):
    assert parse_ignore([value], "/srv/project") == (pattern,)


@pytest.mark.parametrize("value", ["", " ", "!", "#x", "x\\", "[a", "[z-a]"])
def test_a_wrong_ignore_pattern_is_said(value):
    with pytest.raises(UsageError) as error:
        parse_ignore([value], "/srv/project")
    assert str(error.value).startswith(f'--watch-ignore "{value}": ')
