"""Whatever a devrun.toml holds: it is read, or one line says what is wrong with it."""

from __future__ import annotations

import datetime as dt
import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devrun.config.toml.project import read_project
from devrun.config.toml.schema import GroupTable, ProjectTable, ServiceTable
from devrun.config.toml.tables import (
    BackoffTable,
    DependencyTable,
    HealthTable,
    LogTable,
    MemoryTable,
    ReadyTable,
    StopTable,
    TeardownTable,
    WatchTable,
)
from devrun.errors import UsageError

TABLES = (
    BackoffTable,
    DependencyTable,
    GroupTable,
    HealthTable,
    LogTable,
    MemoryTable,
    ReadyTable,
    StopTable,
    TeardownTable,
    WatchTable,
)
INNER = sorted({field for table in TABLES for field in table.__struct_fields__})
SERVICE = sorted(ServiceTable.__struct_fields__)
PROJECT = sorted(ProjectTable.__struct_fields__)
MEANT = [
    "10s",
    "500M",
    "max",
    "inf",
    "ready",
    "always",
    "SIGINT",
    "tcp:1",
    "unix:x",
    "http://x",
    "~\0/x",
    "${A}",
    "${A:-b}",
    "$$",
    "src/**",
    "5/60s",
    "web",
    "stop",
    "{name}",
    "%H",
    "a\nb",
    "all",
    "command-web",
    "",
    "~nosuch",
    "50%",
]
TEXTS = st.sampled_from(MEANT) | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
SINGLE = st.one_of(
    TEXTS,
    st.booleans(),
    st.integers(-2, 3),
    st.sampled_from([2**63, 2**63 - 1, -(2**70), 65536]),
    st.floats(),
    st.sampled_from([dt.date(2024, 1, 1), dt.time(1, 2)]),
)
NAMES = st.sampled_from([*INNER, "web", "nofile", "A"]) | TEXTS
VALUES = st.recursive(
    SINGLE,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(NAMES, inside, max_size=4),
    max_leaves=6,
)
SERVICES = st.dictionaries(st.sampled_from([*SERVICE, "comand"]), VALUES, max_size=6)


def toml(value: object) -> str:
    match value:
        case dict():
            pairs = (f"{toml(str(key))} = {toml(each)}" for key, each in value.items())
            return f"{{ {', '.join(pairs)} }}"
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case _:
            return str(value).lower()


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return str(tmp_path_factory.mktemp("fuzz"))


def outcome(text: str, root: str) -> str:
    """Return what is said of a text, or nothing if it is right."""
    with open(os.path.join(root, "devrun.toml"), "w", encoding="utf-8", newline="") as file:
        file.write(text)
    try:
        read_project(["devrun.toml"], cwd=root, environ={"PATH": "/bin"}).origins()
    except UsageError as error:
        return str(error)
    return ""


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    service=SERVICES,
    defaults=SERVICES,
    run=st.dictionaries(st.sampled_from(PROJECT), VALUES, max_size=3),
)
def test_any_value_of_any_key_is_right_or_an_error(service, defaults, run, root):
    document = {**run, "defaults": defaults, "services": {"web": {"command": "x", **service}}}
    said = outcome("".join(f"{key} = {toml(value)}\n" for key, value in document.items()), root)
    assert said.isprintable()


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_is_right_or_an_error(root, text):
    said = outcome(text, root)
    assert said
    assert said.isprintable()


@given(key=st.sampled_from(SERVICE), value=SINGLE)
@settings(deadline=None)
def test_any_single_value_is_right_or_an_error(root, key, value):
    said = outcome(f"[services.web]\ncommand = 'x'\n[defaults]\n{key} = {toml(value)}", root)
    assert said.isprintable()
