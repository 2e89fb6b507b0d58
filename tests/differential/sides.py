"""The same words for concurrently and for devrun: what each prints, and how it ends."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from running import until
from vector import Vector

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
        lines: Its stdout, line by line, without what varies.
        error: Its stderr; on a terminal that is part of the lines.
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
        if not (entry.exists() and (HERE / "node_modules/dotenv").exists()):
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


def run(command: Sequence[str], vector: Vector, *, folder: Path, env: Mapping[str, str]) -> Result:
    """Run one side in its folder."""
    kept = ("LANG", "HOME", "TMPDIR", "PYTHONPATH", "COVERAGE_PROCESS_START")
    own = {name: os.environ[name] for name in kept if name in os.environ}
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    everything = {**own, "PATH": path, "TZ": "UTC", **env}
    start = _in_terminal if vector.terminal else _in_pipes
    output, error, code = start(command, vector, folder, everything)
    lines = output.removesuffix("\n").split("\n") if output else []
    varying = *_VARYING, *((re.compile(pattern), "<varying>") for pattern in vector.varying)
    return Result(tuple(_settled(line, varying) for line in lines), error, code)


def devrun(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "devrun", *arguments]


def _in_pipes(
    command: Sequence[str], vector: Vector, folder: Path, env: Mapping[str, str]
) -> tuple[str, str, int]:
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL if vector.stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="surrogateescape",
    )
    with process:
        try:
            _send(vector.signal, process, folder)
            output, error = process.communicate(vector.stdin, timeout=PATIENCE)
        except BaseException:
            process.kill()
            raise
    return output, error, process.returncode


def _in_terminal(
    command: Sequence[str], vector: Vector, folder: Path, env: Mapping[str, str]
) -> tuple[str, str, int]:
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    with open(leader, "rb", buffering=0) as terminal:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={"TERM": "xterm-256color", **env},
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
        )
        os.close(follower)
        with process:
            _send(vector.signal, process, folder)
            output = b"".join(iter(lambda: _read(terminal.fileno()), b""))
    return output.decode().replace("\r\n", "\n"), "", process.returncode


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Nobody has it open any more.
        return b""


def _send(name: str, process: subprocess.Popen, folder: Path) -> None:
    if name:
        until((folder / "ready").exists, "a command is ready")
        process.send_signal(signal.Signals[name])


def _settled(line: str, varying: Sequence[tuple[re.Pattern[str], str]]) -> str:
    for pattern, text in varying:
        line = pattern.sub(text, line)
    return line
