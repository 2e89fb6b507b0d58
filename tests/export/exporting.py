"""``devrun export`` as a user calls it, and the programs that read what it writes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from running import MARK


def export(project: Path, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "devrun", "export", *words],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done


def run(*command: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Run a program that has to succeed, and return all that it says."""
    done = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def environment(mark: str) -> dict[str, str]:
    """Return what a daemon gets of the environment, and the mark that shows its children."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return {**kept, MARK: mark, "LC_ALL": "C.UTF-8"}


def supervisord(folder: Path) -> list[str]:
    main = folder / "main.ini"
    paths = f"logfile={folder}/log\npidfile={folder}/pid\nchildlogdir={folder}\n"
    main.write_text(f"[supervisord]\n{paths}[include]\nfiles=*.conf\n")
    return [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(main)]


DAEMONS = {
    "supervisord": (supervisord, signal.SIGTERM),
    "runit": (lambda folder: ["runsvdir", str(folder)], signal.SIGHUP),
    "s6": (lambda folder: ["s6-svscan", str(folder)], signal.SIGTERM),
}


@contextlib.contextmanager
def daemon(style: str, folder: Path, mark: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run what a format is for, with a folder that was exported; what it says goes to a file."""
    command, end = DAEMONS[style]
    with open(f"{folder}.daemon.log", "wb") as log:
        process = subprocess.Popen(
            command(folder), env=environment(mark), stdout=log, stderr=log, start_new_session=True
        )
        try:
            yield process
        finally:
            process.send_signal(end)
            process.wait(30)
