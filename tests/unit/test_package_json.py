"""Finding and editing the scripts of a package.json."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.config.package_json import read_package, with_commands
from devrun.errors import UsageError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
SCRIPTS = st.dictionaries(st.text(), st.text(), max_size=4)


@given(
    st.dictionaries(st.text(), JSON, max_size=4),
    SCRIPTS,
    st.sampled_from([None, 2, "\t"]),
    st.booleans(),
    st.sampled_from(["", "\n", "\r\n", " "]),
    st.booleans(),
)
def test_scripts_are_found_where_they_stand(others, scripts, indent, ascii_only, end, has_mark):
    content = {**others, "scripts": scripts, "z": {"scripts": {"no": "x"}}}
    text = json.dumps(content, indent=indent, ensure_ascii=ascii_only) + end
    text = "\ufeff" + text if has_mark else text
    found = read_package(text, "package.json").scripts
    assert {script.name: script.command for script in found} == scripts
    assert all(json.loads(text[s.start : s.end]) == s.command for s in found)
    assert with_commands(text, found, scripts) == text


def without_scripts(text):
    """Return the text with a mark in place of each script's literal."""
    for script in reversed(read_package(text, "package.json").scripts):
        text = text[: script.start] + "<script>" + text[script.end :]
    return text


@given(SCRIPTS, SCRIPTS, st.sampled_from([None, 3, "\t"]), st.sampled_from(["\n", "\r\n"]))
def test_an_edit_changes_that_script_and_nothing_else(scripts, commands, indent, line_end):
    content = {"a": "é\u00e9", "scripts": scripts, "b": [1.50, "\u2028"]}
    text = json.dumps(content, indent=indent).replace("\n", line_end)
    changed = with_commands(text, read_package(text, "package.json").scripts, commands)
    expected = {name: commands.get(name, command) for name, command in scripts.items()}
    assert json.loads(changed)["scripts"] == expected
    assert without_scripts(changed) == without_scripts(text)


def test_formatting_stays_to_the_byte():
    text = '{ "scripts" :{"a":"\\u0078 1" ,\r\n\t"b" : "y"}, "n": 1.0e1 }'
    found = read_package(text, "package.json").scripts
    changed = with_commands(text, found, {"b": 'z "q"'})
    assert changed == text.replace('"y"', '"z \\"q\\""')


def test_the_last_of_two_sections_counts_and_what_is_no_string_is_left_out():
    text = '{"scripts": {"a": "1"}, "scripts": {"b": "2", "c": 3, "d": {"e": "4"}}}'
    assert [script.name for script in read_package(text, "p").scripts] == ["b"]
    assert read_package('{"scripts": {"a": "1"}, "scripts": 1}', "p").scripts == ()


def test_the_last_of_two_scripts_counts_and_alone_is_edited():
    text = '{"scripts": {"a": "1", "b": "2", "a": "3", "b": 4}}'
    scripts = read_package(text, "p").scripts
    assert [(script.name, script.command) for script in scripts] == [("a", "3")]
    assert with_commands(text, scripts, {"a": "5"}) == text.replace('"3"', '"5"')


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"conc \\u00fc"', '"devrun \\u00fc"'),
        ('"conc ü"', '"devrun ü"'),
        ('"conc ü \\ud800"', '"devrun ü \\ud800"'),
        ('"conc \\ud83d\\ude00"', '"devrun \\ud83d\\ude00"'),
        ('"conc \\"a\\" \\\\"', '"devrun \\"a\\" \\\\"'),
    ],
)
def test_an_edited_script_is_written_as_it_was(old, new):
    text = f'{{"scripts": {{"a": {old}}}}}'
    scripts = read_package(text, "p").scripts
    command = scripts[0].command.replace("conc", "devrun")
    assert with_commands(text, scripts, {"a": command}) == text.replace(old, new)


def test_numbers_of_any_size_are_read_over():
    text = f'{{"n": {"1" * 5000}, "scripts": {{"a": "1"}}, "x": 1e999999}}'
    assert [script.name for script in read_package(text, "p").scripts] == ["a"]


def test_the_package_manager_and_the_dependencies_are_known():
    package = read_package(
        '{"packageManager": "pnpm@9.1.0+sha512.x", "devDependencies": {"a": "1"},'
        ' "dependencies": {"b": "*", "c": "*"}, "optionalDependencies": 1}',
        "p",
    )
    assert package.package_manager == "pnpm"
    assert package.dependencies == {"dependencies": ("b", "c"), "devDependencies": ("a",)}
    assert read_package('{"packageManager": 1}', "p").package_manager is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"scripts": {\n"a": "x",\n}}', "package.json:3: no JSON: "),
        ("", "package.json:1: no JSON: "),
        ("{}\n\n{}", "package.json:3: no JSON: there is more behind its end"),
        ("[]", "package.json:1: not a package.json: no object"),
        ("[" * 100_000, "package.json:1: not a package.json: it is nested too deeply"),
    ],
)
def test_what_is_no_package_is_refused_with_its_line(text, reason):
    with pytest.raises(UsageError) as refused:
        read_package(text, "package.json")
    assert str(refused.value).startswith(reason)


@pytest.mark.parametrize("text", ["{}", '{"scripts": {}}', '{"scripts": 1}', '{"scripts": null}'])
def test_there_may_be_no_scripts(text):
    assert read_package(text, "p").scripts == ()
