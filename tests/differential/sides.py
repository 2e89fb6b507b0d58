"""The same words for concurrently and for devrun: what each prints, and how it ends."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PATIENCE = 60

_VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"), "<time>"),
    (re.compile(r"after [\d,]+ms"), "after <duration>ms"),
    (re.compile(r"after \d+(\.\d+)? m?s"), "after <duration>"),
    (re.compile(r"│ [\d,]+ +│ (?=\d+ |SIG)"), "│ <duration> │ "),
    (re.compile(r"left running: \d+"), "left running: <pid>"),
    (re.compile(r"─+"), "─"),
    (re.compile(r" +│"), " │"),
)
_STUB = '#!/bin/sh\necho "{name} $*"\n'
RUNNERS = ("npm", "pnpm", "yarn", "bun", "node", "deno")


@dataclass(frozen=True)
class Result:
    """What one of the two did.

    Attributes:
        lines: Its stdout, line by line, with times and durations taken out.
        error: Its stderr.
        code: Its exit code, or minus the signal that it died of.
    """

    lines: tuple[str, ...]
    error: str
    code: int


def install_concurrently() -> Path:
    """Install the peer beside this file, unless it is there; return its entry point."""
    entry = HERE / "node_modules/concurrently/dist/bin/index.js"
    with (HERE / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not entry.exists():
            npm = shutil.which("npm")
            assert npm, "the comparison with concurrently needs npm and node"
            command = [npm, "ci", "--no-audit", "--no-fund"]
            subprocess.run(command, cwd=HERE, check=True, capture_output=True, timeout=600)
    return entry


def make_folder(folder: Path, files: Mapping[str, str]) -> None:
    """Put a vector's files into its folder, and programs that only say how they were called."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    programs = folder / "bin"
    programs.mkdir()
    for name in RUNNERS:
        program = programs / name
        program.write_text(_STUB.format(name=name))
        program.chmod(0o755)


def run(
    command: Sequence[str], *, folder: Path, env: Mapping[str, str], stdin: str | None
) -> Result:
    """Run one side in its folder."""
    kept = ("LANG", "HOME", "TMPDIR", "PYTHONPATH", "COVERAGE_PROCESS_START")
    own = {name: os.environ[name] for name in kept if name in os.environ}
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=folder,
        env={**own, "PATH": path, "TZ": "UTC", **env},
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=PATIENCE,
        check=False,
    )
    lines = done.stdout.removesuffix("\n").split("\n") if done.stdout else []
    return Result(tuple(map(_settled, lines)), done.stderr, done.returncode)


def devrun(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "devrun", *arguments]


def _settled(line: str) -> str:
    for pattern, text in _VARYING:
        line = pattern.sub(text, line)
    return line
