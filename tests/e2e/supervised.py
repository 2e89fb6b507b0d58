"""Projects of services for end-to-end tests: their files, their ports, and what was said when."""

from __future__ import annotations

import json
import signal
import socket
import sys
import textwrap
from pathlib import Path

FAST = 'backoff = { initial = "20ms", factor = 1, jitter = 0 }'
"""For services that are to be restarted often within a test."""

STAYS = "signal.alarm(120); signal.pause()"
"""The end of a program that is to be stopped."""


def toml(folder: Path, text: str, name: str = "devrun.toml") -> Path:
    """Write a project's file; return the folder."""
    (folder / name).write_text(textwrap.dedent(text))
    return folder


def python(code: str, *arguments: object) -> str:
    """Return a ``command`` for a TOML file that runs some Python."""
    head = "import os, signal, socket, sys, threading, time\n"
    body = head + textwrap.dedent(code)
    return json.dumps([sys.executable, "-c", body, *map(str, arguments)])


def stop(run, number: int = signal.SIGTERM) -> None:
    """Stop devrun by a signal, which is what it has to end with."""
    run.signal(number)
    assert run.wait() == -number


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def is_served(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def in_order(text: str, *parts: str) -> None:
    """Fail unless the parts follow one another in the text."""
    at = 0
    for part in parts:
        found = text.find(part, at)
        if found < 0:
            where = "is out of order" if part in text else "is missing"
            raise AssertionError(f"{part!r} {where} in:\n{text}")
        at = found + len(part)


def said_by(run, name: str) -> list[str]:
    """Return the lines behind a service's prefix, devrun's own among them."""
    marks = (f"[{name}] ", f"[{name} ")
    return [
        line.partition("]")[2].removeprefix(" ") for line in run.lines if line.startswith(marks)
    ]
