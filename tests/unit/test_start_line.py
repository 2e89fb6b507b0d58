"""The words of ``devrun start``."""

from __future__ import annotations

from dataclasses import fields

import pytest

from devrun.cli.options import START_MEANINGS
from devrun.config.option_reader import Request
from devrun.config.settings import RunSettings
from devrun.config.start_line import _ONLY_HERE, START_FLAGS, read_start_line
from devrun.errors import UsageError


def read(*words, **environ):
    reading = read_start_line(words, environ, cwd="/nowhere")
    assert not isinstance(reading, Request)
    return reading.settings


def said(*words, **environ):
    """Return what is other than with no words at all."""
    plain, settings = read(), read(*words, **environ)
    return {
        field.name: getattr(settings, field.name)
        for field in fields(RunSettings)
        if getattr(settings, field.name) != getattr(plain, field.name)
    }


def test_the_table_is_whole():
    names = [name for flag in START_FLAGS for name in flag.names]
    assert len(names) == len(set(names))
    own = {flag.field for flag in _ONLY_HERE}
    assert {f.field for f in START_FLAGS} <= {f.name for f in fields(RunSettings)} | own
    assert {f.field for f in START_FLAGS} <= set(START_MEANINGS)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["web", "worker"], {"commands": ("web", "worker")}),
        (["-f", "Procfile.dev"], {"files": ("Procfile.dev",)}),
        (["--procfile=x"], {"files": ("x",)}),
        (["-e", ".env,.env.local"], {"env_files": (".env", ".env.local"), "no_env": True}),
        (["--env=a", "-e", "b"], {"env_files": ("a", "b"), "no_env": True}),
        (["-m", "web=2,all=1"], {"formation": "web=2,all=1"}),
        (["-c", "web=2"], {"formation": "web=2"}),
        (["--concurrency=web=2"], {"formation": "web=2"}),
        (["web=2,worker=1"], {"commands": ("web", "worker"), "formation": "web=2,worker=1"}),
        (["-p", "3000"], {"port": "3000"}),
        (["-P", "10", "-N"], {"port_step": "10", "no_port": True}),
        (["-d", "x"], {"root": "x"}),
        (["--app-root", "x"], {"root": "x"}),
        (["-t", "30"], {"stop_timeout": "30s"}),
        (["--timeout", "500ms"], {"stop_timeout": "500ms"}),
        (["-q", "web,worker"], {"hide": "web,worker"}),
        (["--no-prefix"], {"prefix": "none"}),
        (["--no-colour"], {"color": False}),
        (["--color"], {"color": True}),
        (["--no-timestamp"], {"timestamps": False}),
        (["-T"], {"timestamps": True}),
        (["-l", "web,worker"], {"commands": ("web", "worker")}),
        (["-x", "web"], {"excepted": "web"}),
        (["--can-die", "web"], {"can_die": "web"}),
        (["--any-can-die"], {"kill_others": False}),
        (["-r", "all"], {"auto_restart": "all"}),
        (["-i", "web=TERM"], {"stop_signals": "web=TERM"}),
        (["-b", "2,3"], {"prefix_colors": "ansi256(2),ansi256(3)"}),
        (["-H", "bash"], {"shell": "bash"}),
        (["-w", "title"], {}),
        (["--instance-names"], {"instance_names": True}),
        (["--watch", "src"], {"watch": ("src",)}),
    ],
)
def test_letters_and_names(words, expected):
    assert said(*words) == expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"OVERMIND_FORMATION": "web=2"}, {"formation": "web=2"}),
        ({"OVERMIND_PROCFILE": "x"}, {"files": ("x",)}),
        ({"OVERMIND_ANY_CAN_DIE": "1"}, {"kill_others": False}),
        ({"OVERMIND_TIMEOUT": "7"}, {"stop_timeout": "7s"}),
        ({"HIVEMIND_PORT_STEP": "10"}, {"port_step": "10"}),
        ({"HIVEMIND_PRINT_TIMESTAMPS": "true"}, {"timestamps": True}),
        ({"DEVRUN_PORT": "1", "OVERMIND_PORT": "2"}, {"port": "1"}),
        ({"PROCFILE": "x"}, {"files": ("x",)}),
        ({"OVERMIND_PORT": ""}, {}),
    ],
)
def test_the_peers_variables(environ, expected):
    assert said(**environ) == expected


def test_without_a_file_it_is_the_procfile():
    assert read().files == ("Procfile",)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--foo"], "no such option: --foo"),
        (["-z"], r"no such option: -z \(devrun start --help lists all\)"),
        (["-m", "a=1", "web=2"], "mean the same"),
        (["-p"], "-p needs a value"),
        (["-p", "1", "-p", "2"], "--port stands twice"),
        (["-b", "red"], '--colors "red": write numbers'),
    ],
)
def test_what_is_wrong_is_refused(words, reason):
    with pytest.raises(UsageError, match=reason):
        read(*words)


def test_help_and_version():
    assert read_start_line(["web", "-h"], {}, cwd="/") is Request.HELP
    assert read_start_line(["--version"], {}, cwd="/") is Request.VERSION
