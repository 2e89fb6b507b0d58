"""The attributes of ecosystem files: names, aliases, and that the docs say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from devrun.config.ecosystem.attributes import ATTRIBUTES, Treatment, attribute_names, sort_out

DOCS = Path(__file__).parents[2] / "docs/from-pm2.md"


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("maxRestarts", "max_restarts"),
        ("interpreter", "exec_interpreter"),
        ("interpreterArgs", "node_args"),
        ("cmd", "script"),
        ("err_log", "error_file"),
        ("combine_logs", "merge_logs"),
        ("expBackoffRestartDelay", "exp_backoff_restart_delay"),
        ("user", "uid"),
    ],
)
def test_an_alias_stands_for_its_attribute(alias, name):
    assert sort_out({alias: 1}).values == {name: 1}


def test_the_chief_name_wins_over_an_alias_wherever_it_stands():
    assert sort_out({"exec": "a", "script": "b"}).values == {"script": "b"}
    assert sort_out({"script": "b", "exec": "a"}).values == {"script": "b"}


def test_no_name_belongs_to_two_attributes():
    names = [name for attribute in ATTRIBUTES for name in attribute.names]
    assert sorted(names) == sorted(attribute_names())


def test_env_with_a_name_is_an_environment_and_env_alone_is_not():
    found = sort_out({"env": {"A": "1"}, "env_production": {"A": "2"}, "env_": {}})
    assert found.values == {"env": {"A": "1"}}
    assert found.environments == {"production": {"A": "2"}, "": {}}


def test_what_is_null_was_not_given():
    assert sort_out({"cwd": None, "nonsense": None, "env_x": None}).values == {}
    assert sort_out({"nonsense": None}).unknown == ()


def test_what_has_no_effect_is_named_once_and_what_nobody_knows_is_unknown():
    found = sort_out({"vizion": False, "windowsHide": True, "kil_timeout": 3})
    assert found.ignored == ("vizion", "windowsHide")
    assert found.unknown == ("kil_timeout",)
    assert found.values == {}


def documented():
    """Attribute, aliases and treatment of each row of the table in the docs."""
    text = DOCS.read_text().partition("## Attribute by attribute")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]*) \| ([a-z ]+) \|", text, re.MULTILINE)
    return {tuple(re.findall(r"`([^`]+)`", names)): treatment for names, treatment in rows}


def test_the_docs_have_every_attribute_with_its_aliases_and_what_becomes_of_it():
    said = documented()
    single = {names: treatment for names, treatment in said.items() if "env_NAME" not in names}
    ignored = {a.name for a in ATTRIBUTES if a.treatment is Treatment.IGNORED}
    rows = {(a.name, *a.aliases): a.treatment.value for a in ATTRIBUTES if a.name not in ignored}
    together = [names for names, treatment in single.items() if treatment == "ignored"]
    assert {n: t for n, t in single.items() if t != "ignored"} == rows
    assert {name for names in together for name in names} == ignored
    assert said["env_NAME",] == "honoured"
