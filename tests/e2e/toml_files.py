"""What the files of several tests have in common: a web that waits for a db, and a db that dies."""

from __future__ import annotations

from pathlib import Path

from supervised import FAST, toml

WAITS = "exec sleep 100"

_WEB = f"""
[services.web]
command = "echo web runs; {WAITS}"
depends_on = ["db"]
"""


def web_after_db(folder: Path, db: str) -> Path:
    """Write a project in which web waits until db, whose keys are given, is ready."""
    return toml(folder, f"{_WEB}\n[services.db]\n{db}")


def dying_db(command: str, ready: str = 'log = "run"') -> str:
    """Return a db that is started again when it fails."""
    return f"""
        [services.db]
        command = {command}
        ready = {{ {ready} }}
        restart = "on-failure"
        {FAST}
    """
