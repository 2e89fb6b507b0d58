"""Ecosystem files that are data: JSON as JavaScript reads it, YAML as js-yaml reads it."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.config.ecosystem.file import looks_like_ecosystem, read_file
from devrun.errors import UsageError


@pytest.fixture
def read(tmp_path):
    def read(name, text):
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_file(name, cwd=str(tmp_path), environ={})[0].value

    return read


@pytest.fixture
def refusal(read):
    def refusal(name, text):
        with pytest.raises(UsageError) as caught:
            read(name, text)
        return str(caught.value)

    return refusal


@pytest.mark.parametrize(
    "text",
    [
        '{"apps": [{"script": "a.js"}]}',
        '\ufeff{"apps": [{"script": "a.js"}]}',
        "// PM2\n{apps: [{script: 'a.js',}],}",
        '/* PM2 */ {"apps": [{"script": "a.js"},]}',
    ],
)
def test_json_may_have_what_javascript_may(read, text):
    assert read("eco.json", text) == {"apps": [{"script": "a.js"}]}


def test_half_of_a_pair_is_what_node_writes_for_it(read):
    assert read("eco.json", r'{"\ud800": "a\udc00", "b": "\ud83d\ude00"}') == {
        "\ufffd": "a\ufffd",
        "b": "\U0001f600",
    }


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("3000", 3000),
        ("012", 12),
        ("0x1F", 31),
        ("0o17", 15),
        ("-1_000", -1000),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("yes", "yes"),
        ("on", "on"),
        ("22:22", "22:22"),
        ("2024-01-31", "2024-01-31"),
        ("1.2.3", "1.2.3"),
        ("'3000'", "3000"),
    ],
)
def test_yaml_has_the_types_of_js_yaml(read, word, value):
    found = read("eco.yaml", f"apps:\n  - script: a.js\n    env:\n      X: {word}\n")
    assert found == {"apps": [{"script": "a.js", "env": {"X": value}}]}
    assert type(found["apps"][0]["env"]["X"]) is type(value)


def test_yaml_merges_and_numbers_as_keys_are_texts(read):
    text = "base: &base {script: a.js}\napps:\n  - <<: *base\n    stop_exit_codes: [0, 1]\n1: x\n"
    found = read("eco.yml", text)
    assert found["apps"] == [{"script": "a.js", "stop_exit_codes": [0, 1]}]
    assert found["1"] == "x"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("eco.json", '{\n"apps": [}', "eco.json:2: no JSON: "),
        ("eco.json", "{apps: [{script: process.env.X}]}", "is named .config.js"),
        ("eco.json", "[" * 100_000, "eco.json:1: not an ecosystem file: nested too deeply"),
        ("eco.yaml", "apps:\n  - script: [a\n", "eco.yaml:3: no YAML: "),
        ("eco.yaml", "a: &a [*a]", "eco.yaml:1: not an ecosystem file: nested too deeply"),
        ("eco.yaml", "a: !!python/object:os.system x", "eco.yaml:1: no YAML: "),
        ("eco.json", b'{\n"\xff": 1}', "eco.json:2: not UTF-8"),
        ("eco.toml", "", "eco.toml: not the name of an ecosystem file; it ends in .js"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(refusal, name, text, message):
    assert message in refusal(name, text)
    assert "\n" not in refusal(name, text)


@given(st.text(max_size=40), st.sampled_from(["eco.json", "eco.yaml"]))
def test_any_text_is_read_or_refused_in_one_line(tmp_path_factory, text, name):
    folder = tmp_path_factory.getbasetemp()
    (folder / name).write_text(text, encoding="utf-8")
    said = ""
    try:
        read_file(name, cwd=str(folder), environ={})
    except UsageError as error:
        said = str(error)
    assert "\n" not in said


def test_a_missing_file_and_a_folder_are_said_to_be(tmp_path):
    for name, message in (("no.json", "no.json: no such file"), (".", ".: is a folder")):
        with pytest.raises(UsageError, match=message):
            read_file(name, cwd=str(tmp_path), environ={})


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("ecosystem.config.js", True),
        ("sub/ecosystem.config.cjs", True),
        ("pm2.mjs", True),
        ("ecosystem.ts", True),
        ("ecosystem.json", True),
        ("processes.yaml", True),
        ("app.config.json", True),
        ("package.json", False),
        ("apps.json", True),
        ("services.yml", True),
        ("Procfile", False),
        ("devrun.toml", False),
        (os.path.join("ecosystem", "Procfile"), False),
    ],
)
def test_an_ecosystem_file_is_known_by_its_name(path, expected):
    assert looks_like_ecosystem(path) is expected
