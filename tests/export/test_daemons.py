"""What is exported really serves: under supervisord, runit and s6, with values of every kind."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from exporting import DAEMONS, daemon, export
from running import until

SERVER = f"{sys.executable} {Path(__file__).parent / 'server.py'}"
VALUES = {
    "PLAIN": "x",
    "NASTY": "a $b ${c} `d` \"e\" 'f' \\g %h %(ENV_i)s ; j # k é",
    "LINES": "one\ntwo",
    "PORT": "1",
}
PROCFILE = f"""\
web: {SERVER} $PORT "a  b" ; # 100%
direct: {SERVER} "$NASTY"
shell: cd . && {SERVER} 'x ; y' '50% # z'
"""
DOTENV = """\
PLAIN=x
NASTY='a $b ${_c} `d` "e" \\'f\\' \\\\g %h %(ENV_i)s ; j # k é'
LINES="one
two"
PORT=1
"""


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "a project"
    folder.mkdir()
    (folder / "Procfile").write_text(PROCFILE)
    (folder / ".env").write_text(DOTENV.replace("${_c}", "${c:-}${c}"))
    return folder


def free_port() -> int:
    """Return a port from which on a few are free."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
        if port < 65000 and all(map(is_free, (port, port + 1, port + 100, port + 200))):
            return port


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def ask(port: int) -> dict[str, str] | None:
    """Return what the server of a port answers; None if there is none."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
            return json.load(answer)
    except (urllib.error.URLError, ConnectionError):
        return None


def exported(project: Path, style: str, port: int, *more: str) -> Path:
    export(project, style, "deploy", "-p", str(port), "-m", "direct=2", *more)
    return project / "deploy"


@pytest.mark.parametrize("secrets", [(), ("--include-secrets",)], ids=["by devrun", "written"])
@pytest.mark.parametrize("style", DAEMONS)
def test_an_export_serves(style, secrets, project, mark):
    port = free_port()
    folder = exported(project, style, port, *secrets)
    with daemon(style, folder, mark):
        check_answers(project, port)
        check_restart(port)
    for name in ("web.1", "direct.1", "direct.2", "shell.1"):
        told = project / f"ended-{name}"
        until(lambda told=told: told.exists() and told.read_text(), f"the end of {name}")
        assert told.read_text() == "SIGTERM"


def check_answers(project: Path, port: int) -> None:
    expected = {
        port: ("web.1", [str(port), "a  b"]),
        port + 100: ("direct.1", [VALUES["NASTY"].replace("${c}", "")]),
        port + 101: ("direct.2", [VALUES["NASTY"].replace("${c}", "")]),
        port + 200: ("shell.1", ["x ; y", "50% # z"]),
    }
    for each, (name, arguments) in expected.items():
        until(lambda each=each: ask(each), f"an answer of {name}")
        answer = ask(each)
        assert (answer["PS"], answer["PORT"], answer["arguments"]) == (name, str(each), arguments)
        assert answer["LINES"] == VALUES["LINES"]
        assert answer["PLAIN"] == "x"


def check_restart(port: int) -> None:
    """A process that was killed comes back."""
    before = process_at(port + 100)
    os.kill(before, signal.SIGKILL)
    until(lambda: process_at(port + 100) not in (before, None), "the next one")


def process_at(port: int) -> int | None:
    answer = ask(port)
    return None if answer is None else int(answer["pid"])
