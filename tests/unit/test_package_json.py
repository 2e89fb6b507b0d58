"""Finding and editing the scripts of a package.json."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.config.package_json import read_scripts, with_commands
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
    found = read_scripts(text, "package.json")
    assert {script.name: script.command for script in found} == scripts
    assert all(json.loads(text[s.start : s.end]) == s.command for s in found)
    assert with_commands(text, found, scripts) == text


@given(SCRIPTS, st.dictionaries(st.text(), st.text(), max_size=4))
def test_an_edit_changes_that_script_and_nothing_else(scripts, commands):
    text = json.dumps({"a": "é\u00e9", "scripts": scripts, "b": [1.50, "\u2028"]}, indent=3)
    found = read_scripts(text, "package.json")
    changed = with_commands(text, found, commands)
    expected = {name: commands.get(name, command) for name, command in scripts.items()}
    assert json.loads(changed)["scripts"] == expected
    ends = [0, *(place for script in found for place in (script.start, script.end)), len(text)]
    kept = [text[ends[n] : ends[n + 1]] for n in range(0, len(ends), 2)]
    place = 0
    for piece in kept:
        assert changed.find(piece, place) >= place
        place = changed.find(piece, place) + len(piece)


def test_formatting_stays_to_the_byte():
    text = '{ "scripts" :{"a":"\\u0078 1" ,\r\n\t"b" : "y"}, "n": 1.0e1 }'
    found = read_scripts(text, "package.json")
    changed = with_commands(text, found, {"b": 'z "q"'})
    assert changed == text.replace('"y"', '"z \\"q\\""')


def test_the_last_of_two_sections_counts_and_what_is_no_string_is_left_out():
    text = '{"scripts": {"a": "1"}, "scripts": {"b": "2", "c": 3, "d": {"e": "4"}}}'
    assert [script.name for script in read_scripts(text, "p")] == ["b"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"scripts": {\n"a": "x",\n}}', "package.json:3: no JSON: "),
        ("", "package.json:1: no JSON: "),
        ("[]", "package.json:1: not a package.json: no object"),
    ],
)
def test_what_is_no_package_is_refused_with_its_line(text, reason):
    with pytest.raises(UsageError) as refused:
        read_scripts(text, "package.json")
    assert str(refused.value).startswith(reason)


@pytest.mark.parametrize("text", ["{}", '{"scripts": {}}', '{"scripts": 1}', '{"scripts": null}'])
def test_there_may_be_no_scripts(text):
    assert read_scripts(text, "p") == ()
