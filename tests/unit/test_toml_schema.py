"""The JSON Schema is that of the reader: up to date, and of the same opinion."""

from __future__ import annotations

import ast
import json
import tomllib
from pathlib import Path

import jsonschema
import msgspec
import pytest

from devrun.config.toml.schema import ProjectTable
from devrun.config.toml.schema_json import SCHEMA_FILE, schema, schema_text

VALIDATOR = jsonschema.Draft202012Validator(schema())

GOOD = [
    "",
    "[services]\nweb = 'x'",
    "[services.web]\ncommand = ['x', 'y']\nready = false\nwatch = true\nlog = 'x'",
    "[services.web]\nready = { port = '${PORT}', timeout = '${T}' }\nport = '${PORT}'",
    "[services.web]\nready = { http = 'http://x', status = [200, '300-399'] }",
    "[services.web]\ndepends_on = 'db'",
    "[services.web]\ndepends_on = { a = 'ready', b = { condition = 'healthy' } }",
    "[services.web]\nbackoff = { factor = 2, jitter = 0.1, initial = '1.5 S' }",
    "[services.web]\nmin_uptime = 'inf'\nmax_memory = '1.5GiB'\nmax_restarts = -1",
    "[services.web]\nlog = { keep = ['14d', 3] }\nlimits = { nofile = [1, 'unlimited'] }",
    "[services.web]\ntty = 'auto'\nenv = { A = 1, B = 1.5, C = true, D = 'x' }",
    "[services.web]\nsockets = { http = 'tcp:1' }\ninstances = 'max'",
    "[defaults]\nrestart = 'always'",
    "teardown = { commands = 'x' }\ntimestamps = true\nmax_processes = '50%'",
    "[groups.x]\nstrategy = 'one_for_all'",
]
WITH_VARIABLES = [
    "[services.web]\nbackoff = { factor = '${F:-2}', jitter = '${J}' }",
    "[services.web]\nraw = '${RAW:-false}'\nrestart = '${R:-always}'\ntty = '${T}'",
    "[services.web]\nready = '${READY:-false}'\ninstances = '${N}'\nnice = '${N}'",
    "[services.web]\nready = { notify = '${N}', on_timeout = '${T}' }",
    "[services.web]\nlog = { file = 'x', keep = '${K}', json = '${J}' }\nrestart_on = ['${C}']",
    "[services.web]\ndepends_on = { db = '${C}', x = { required = '${R}' } }",
    "env_override = '${O}'\nmax_processes = '${M}'\non_exit = '${E}'",
    "[groups.x]\nstrategy = '${S}'",
]
WRONG_AS_A_WHOLE = {
    "[services.web]\ninstances = 0": "0 is less than the minimum",
    "[services.web]\ninstances = '0'": "'0' does not match",
    "[services.web]\nport = 70000": "70000 is greater",
    "[services.web]\nready = { port = 70000 }": "70000 is greater",
    "[services.web]\nready = { port = 1, http = 'http://x' }": "'http' should not be valid",
    "[services.web]\nready = { log = 'x', notify = true }": "True should not be valid",
    "[services.web]\nready = { ipc = true, notify = true }": "True should not be valid",
    "[services.web]\nhealth = { exec = 'x', file = 'y' }": "'file' should not be valid",
    "[services.web]\nbackoff = { factor = 0.5 }": "0.5 is less",
    "[services.web]\nnice = 20": "20 is greater",
}
BAD = {
    "[services.web]\ncomand = 'x'": "comand",
    "[servces]\nweb = 'x'": "servces",
    "[services]\nweb = 1": "1",
    "[services.web]\nready = { prot = 1 }": "prot",
    "[services.web]\nrestart = 'alway'": "alway",
    "[services.web]\nenv = { A = [1] }": "[1]",
    "[services.web]\ntty = 'aut'": "aut",
    "[services.web]\ndepends_on = { a = 'redy' }": "redy",
    "[services.web]\ndepends_on = { a = { conditions = 'ready' } }": "conditions",
    "[services.web]\nready = { on_timeout = 'stop' }": "stop",
    "[services.web]\nstart_delay = 10": "10",
    "[services.web]\nhealth = { log = 'x' }": "log",
    "[services.web]\nprofiles = ['x', 1]": "1",
    "[services.web]\nbackoff = { factor = '2' }": "2",
    "[defaults]\nrestart = 1": "1",
    "defaults = 'x'": "x",
    "[groups.x]\nservices = 'web'": "web",
}
WRONG_TEXTS = [
    "[services.web]\nstart_delay = '10'",
    "[services.web]\nstart_delay = '10y'",
    "[services.web]\nmax_memory = '500'",
    "[services.web]\nmax_memory = 'much'",
    "[services.web]\nport = 'x'",
]
"""What the schema refuses and msgspec lets through, for a better message later."""


def accepted(text: str) -> bool:
    try:
        msgspec.convert(tomllib.loads(text), ProjectTable)
    except msgspec.ValidationError:
        return False
    return True


def test_the_shipped_file_is_up_to_date():
    """To make it anew, write ``schema_text()`` to ``SCHEMA_FILE``."""
    assert Path(SCHEMA_FILE).read_text(encoding="utf-8") == schema_text()


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("text", GOOD)
def test_both_take_what_is_right(text):
    assert accepted(text)
    assert complaints(text) == []


@pytest.mark.parametrize("text", WITH_VARIABLES)
def test_what_is_no_text_may_be_a_variable(text):
    assert complaints(text) == []


@pytest.mark.parametrize("text", WRONG_AS_A_WHOLE)
def test_the_schema_knows_what_the_reader_says_later(text):
    assert WRONG_AS_A_WHOLE[text] in " ".join(complaints(text))


def complaints(text):
    return [error.message for error in VALIDATOR.iter_errors(tomllib.loads(text))]


@pytest.mark.parametrize("text", BAD)
def test_both_refuse_what_is_wrong_and_the_schema_says_what(text):
    assert not accepted(text)
    (error,) = VALIDATOR.iter_errors(tomllib.loads(text))
    assert BAD[text] in error.message


@pytest.mark.parametrize("text", WRONG_TEXTS)
def test_the_schema_knows_the_forms_of_texts(text):
    assert not VALIDATOR.is_valid(tomllib.loads(text))


def properties(node):
    if isinstance(node, dict):
        named = node.get("properties")
        if isinstance(named, dict):
            yield from named.items()
        for key, inside in node.items():
            if key != "dependentSchemas":  # Conditions on keys that are described above them.
                yield from properties(inside)


def test_every_key_is_described():
    found = list(properties(schema()))
    assert len(found) > 80
    assert [name for name, node in found if not node.get("description")] == []


def test_every_example_is_right():
    for name, node in properties(schema()):
        validator = jsonschema.Draft202012Validator({**node, "$defs": schema()["$defs"]})
        for example in node.get("examples", ()):
            assert validator.is_valid(example), (name, example)


def test_the_schema_has_no_alternatives_that_blur_messages():
    assert "anyOf" not in json.dumps(schema())


def test_only_what_reads_toml_loads_msgspec():
    """It takes twenty milliseconds, which a run without a TOML file is not to wait for."""
    source = Path(SCHEMA_FILE).parents[1]
    loading = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Import | ast.ImportFrom)
        if "msgspec" in ast.unparse(node) or "devrun.config.toml" in ast.unparse(node)
    }
    assert loading
    # So may what "devrun check" and "devrun export" alone load, and what answers requests.
    later = ("config/toml/", "cli/check/", "cli/describe", "control/", "export/")
    others = {name for name in loading if not name.startswith(later)}
    assert others == set()
