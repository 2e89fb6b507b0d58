"""``npm:watch-*`` and its kin."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.config.scripts import expand
from devrun.config.words import Word
from devrun.errors import UsageError

SCRIPTS = ["dev", "w-a", "w-b", "w-b:c", "W-x", "it's $x", "w-a-z"]


@pytest.fixture
def expanded(tmp_path):
    (tmp_path / "package.json").write_text(json.dumps({"scripts": dict.fromkeys(SCRIPTS, "x")}))

    def expand_words(*commands, allow_empty=False):
        words = [c if isinstance(c, Word) else Word(None, c) for c in commands]
        found = expand(words, cwd=str(tmp_path), allow_empty=allow_empty)
        return [(word.name, word.command) for word in found]

    return expand_words


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("npm:dev", [("dev", "npm run dev")]),
        ("pnpm:dev", [("dev", "pnpm run dev")]),
        ("yarn:dev", [("dev", "yarn run dev")]),
        ("bun:dev", [("dev", "bun run dev")]),
        ("node:dev", [("dev", "node --run dev")]),
        ("deno:dev", [("dev", "deno task dev")]),
        ("npm:dev -- --x 'a b'", [("dev", "npm run dev -- --x 'a b'")]),
        ("npm: dev", [(None, "npm: dev")]),
        ("npmx:dev", [(None, "npmx:dev")]),
        (" npm:dev", [(None, " npm:dev")]),
        ("npm run dev", [(None, "npm run dev")]),
        ("npm:w-*-z", [("a", "npm run w-a-z")]),
        ("npm:dev*", [(None, "npm run dev")]),
        (
            "npm run w-b*",
            [(None, "npm run w-b"), (":c", "npm run w-b:c")],
        ),
        ("npm:w-*(!a)", [("b", "npm run w-b"), ("b:c", "npm run w-b:c")]),
        ("npm:w-*(!a|c$)", [("b", "npm run w-b")]),
        ("npm run 'w-b'* && x", [(None, "npm run w-b && x"), (":c", "npm run w-b:c && x")]),
        ("a; npm run 'dev*'; b", [(None, "a; npm run dev; b")]),
        ('cd x && npm run "dev*"&& b', [(None, "cd x && npm run dev&& b")]),
        ("npm run dev && npm run dev*", [(None, "npm run dev && npm run dev")]),
        ("A=1 npm run dev*", [(None, "A=1 npm run dev")]),
        ("npm:it*", [("'s $x", "npm run 'it'\"'\"'s $x'")]),
        ("echo 'npm run w-*'", [(None, "echo 'npm run w-*'")]),
        ('echo "npm run w-*"', [(None, 'echo "npm run w-*"')]),
        ("echo *", [(None, "echo *")]),
        ("xnpm run w-*", [(None, "xnpm run w-*")]),
        ("npm run-script w-*", [(None, "npm run-script w-*")]),
    ],
)
def test_what_a_command_becomes(expanded, command, expected):
    assert expanded(command) == expected


def test_a_name_is_kept_and_is_the_beginning_of_the_matches_names(expanded):
    assert expanded(Word("x", "npm:dev")) == [("x", "npm run dev")]
    assert expanded(Word("w:", "npm:w-b*")) == [("w:", "npm run w-b"), ("w::c", "npm run w-b:c")]


def test_names_that_nobody_chose_are_made_distinct(expanded):
    assert [name for name, _ in expanded("npm:dev", "npm:dev -- 1", "npm:dev -- 2")] == [
        "dev",
        "dev:2",
        "dev:3",
    ]
    assert [name for name, _ in expanded(Word("dev", "x"), "npm:dev")] == ["dev", "dev:2"]
    assert [name for name, _ in expanded("npm:dev", Word("dev", "x"))] == ["dev:2", "dev"]


def test_no_match_is_an_error_that_names_what_there_is(expanded):
    with pytest.raises(UsageError) as refused:
        expanded("npm:v-*")
    assert str(refused.value) == (
        'no script in package.json matches "v-*"; there are '
        + ", ".join(SCRIPTS)
        + " (--allow-empty lets that pass)"
    )
    assert expanded("npm:v-*", allow_empty=True) == []


@pytest.mark.parametrize("command", ["npm:w-*(!a", "npm:w-*()", "npm:w-*(!)"])
def test_an_omission_that_is_none_is_an_error(expanded, command):
    with pytest.raises(UsageError, match="regular expression in it"):
        expanded(command)


def test_an_omission_that_is_no_regular_expression_is_an_error(expanded):
    with pytest.raises(UsageError, match=r"\(!\[\) is no regular expression"):
        expanded("npm:w-*(![)")


@pytest.mark.parametrize(
    ("files", "runner", "expected"),
    [
        ({"package.json5": "{scripts: {'x-a': 'y',}} // five"}, "npm", ["x-a"]),
        ({"package.json": '{"scripts": {"x-a": "y", /* c */}}'}, "npm", ["x-a"]),
        ({"package.json": "\ufeff{}", "package.json5": '{"scripts": {"x-a": ""}}'}, "npm", []),
        ({"deno.json": '{"tasks": {"x-a": ""}}'}, "deno", ["x-a"]),
        (
            {"deno.jsonc": '{"tasks": {"x-a": "",}}', "package.json": '{"scripts":{"x-b":""}}'},
            "deno",
            ["x-a", "x-b"],
        ),
        ({"package.json": '{"scripts": []}'}, "npm", []),
        ({"package.json": "[]"}, "npm", []),
    ],
)
def test_where_scripts_are_found(tmp_path, files, runner, expected):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    words = expand([Word(None, f"{runner}:x-*")], cwd=str(tmp_path), allow_empty=True)
    assert [word.command.split()[-1] for word in words] == expected


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "no package.json in this folder"),
        ({"package.json": "{"}, "package.json:1: "),
        ({"package.json": b"\xff"}, "package.json: cannot be read: it is not UTF-8"),
    ],
)
def test_a_file_that_is_missing_or_broken_is_an_error(tmp_path, files, reason):
    for name, text in files.items():
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageError) as refused:
        expand([Word(None, "npm:x-*")], cwd=str(tmp_path), allow_empty=False)
    assert str(refused.value).startswith(reason)
    assert "\n" not in str(refused.value)


@given(st.text())
def test_any_command_is_expanded_or_left_alone(command):
    try:
        words = expand([Word(None, command)], cwd="/nonexistent", allow_empty=True)
    except UsageError:
        return
    assert len(words) <= 1
