"""No setting of a service is forgotten: each is expressed, noted, or said to mean nothing."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from devrun import policies
from devrun.export import settings
from devrun.export.formats import FORMATS
from devrun.model import RestartPolicy, Service, StopPolicy

PAGE = Path(__file__).parents[2] / "docs/deploy.md"
TYPES = (
    *(Service, StopPolicy, RestartPolicy),
    *(policies.Readiness, policies.HealthCheck, policies.Dependency, policies.MemoryLimit),
    *(policies.ProcessLimits, policies.HeldSocket, policies.LogFile),
)
FIELDS = {f"{kind.__name__}.{field.name}" for kind in TYPES for field in dataclasses.fields(kind)}
COLUMNS = ("systemd", "launchd", "supervisord", "runit", "compose", "kubernetes", "app-platform")


def test_every_field_of_the_model_is_of_a_setting_or_has_a_reason():
    of_settings = {field for setting in settings.SETTINGS for field in setting.fields}
    assert of_settings | settings.EVERYWHERE | set(settings.NOWHERE) == FIELDS
    assert not of_settings & (settings.EVERYWHERE | set(settings.NOWHERE))


def test_every_gate_has_a_setting():
    gates = [
        *(policies.PortProbe(1), policies.ExecProbe("x"), policies.FileProbe("/x")),
        *(policies.HttpProbe(f"{scheme}://x") for scheme in ("http", "https", "unix")),
        policies.HttpProbe("http://a:b@x", ((200, 200),), "x"),
        *(policies.LogGate("x"), policies.DelayGate(1), policies.NotifyGate(1), policies.IpcGate()),
    ]
    keys = {f"ready.{key}" for gate in gates for key in settings.gate_keys(gate)}
    known = {key for key in settings.KEYS if key.startswith("ready.")}
    assert keys == known - {"ready.on_timeout"}


@pytest.mark.parametrize("style", FORMATS)
def test_formats_express_settings_that_there_are(style):
    expressed = FORMATS[style].expressed
    unknown = expressed - settings.KEYS
    assert {key.partition(".")[2] for key in unknown} <= {"status", "port", "http", "https"}


def table():
    """Yield the keys of each row of the page's table, and its cells by format."""
    section = PAGE.read_text().partition("## What becomes of a devrun.toml")[2]
    for row in re.findall(r"^\| (`.*) \|$", section.partition("\n## ")[0], re.MULTILINE):
        first, *cells = row.split(" | ")
        keys = re.findall(r"`([^`]+)`", first)
        yield pytest.param(keys, dict(zip(COLUMNS, cells, strict=True)), id=keys[0])


def test_the_page_has_every_setting_once():
    keys = [key for row in table() for key in row.values[0]]
    assert sorted(keys) == sorted(settings.KEYS)


@pytest.mark.parametrize(("keys", "cells"), [*table()])
def test_the_page_says_what_the_formats_express(keys, cells):
    for style, cell in cells.items():
        expressed = FORMATS[style].expressed
        if style == "runit":
            expressed |= FORMATS["s6"].expressed
        if cell.startswith("of a Job"):
            continue  # The tests of Kubernetes look at these.
        assert (cell != "-") == bool(expressed & set(keys)), (style, cell)
