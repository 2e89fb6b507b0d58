"""A running service's configuration, and where each value is from."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from devrun.appearance import ColorLevel
from devrun.cli.control.describing import SINCE, describer
from devrun.config.resolve import resolve
from devrun.config.settings import RunSettings

PROJECT = """
[services.web]
command = "node server.js"
env = { TOKEN = "hush" }
instances = 2
ready = { http = "http://api.invalid/${KEY}" }
[services.web.stop]
timeout = "20s"
"""


@pytest.fixture
def described(tmp_path):
    """Describe services of a devrun.toml, as they are at the start or as ``change`` makes them."""
    (tmp_path / "devrun.toml").write_text(PROJECT)
    environ = {"PATH": os.defpath, "KEY": "secret-key"}

    def describe(name="web", change=lambda services: services, **said):
        settings = RunSettings(files=("devrun.toml",), **said)
        level = ColorLevel.NONE
        found = resolve(settings, cwd=str(tmp_path), environ=environ, color_level=level)
        describe_it = describer(settings, found, environ, cwd=str(tmp_path))
        return describe_it(name, change(found.project.services))

    return describe


def test_every_value_says_where_it_is_from(described):
    found = described()
    assert found.config["command"] == "node server.js"
    assert found.origins["command"] == "devrun.toml:3"
    assert found.origins["stop.timeout"] == "devrun.toml:8"
    assert found.origins["stop.signal"] == "default"
    assert found.config["instances"] == 2


def test_nothing_secret_is_in_it(described):
    assert "hush" not in str(described())
    assert "secret-key" not in str(described())


def test_what_the_command_line_says_is_the_command_lines(described):
    found = described(stop_timeout="3s")
    assert found.config["stop"]["timeout"] == "3s"
    assert found.origins["stop.timeout"] == "command line"
    assert found.origins["command"] == "devrun.toml:3"


def test_what_has_changed_since_is_said_to_have(described):
    found = described(change=lambda services: (*services, replace(services[1], number=3)))
    assert found.config["instances"] == 3
    assert found.origins["instances"] == SINCE
    assert found.origins["command"] == "devrun.toml:3"


def test_a_service_that_is_new_has_changed_as_a_whole(described):
    new = described("new", lambda services: [replace(services[0], name="new", process="new")])
    assert {*new.origins.values()} == {SINCE}


def test_a_command_has_its_origin_too():
    settings = RunSettings(commands=("web=true",))
    found = resolve(settings, cwd="/", environ={}, color_level=ColorLevel.NONE)
    described = describer(settings, found, {}, cwd="/")("web", found.project.services)
    assert described.origins["command"] == "command line"
