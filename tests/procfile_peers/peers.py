"""foreman, honcho and devrun with the same Procfile: what each process says, and how each ends."""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from running import marked

PATIENCE = 30.0
_THEIRS = re.compile(r"\d\d:\d\d:\d\d (\S+) +\| (.*)")
_OURS = re.compile(r"\[(\S+) *\] (.*)")
_NEWS = re.compile(
    r"started with pid \d+|exited with code \d+|terminated by SIG\w+|sending SIG\w+ to .*"
    r"|\S+ (started|stopped) \(.*\)|.* exited with code \w+"
)


@dataclass(frozen=True)
class Result:
    """What one of them did.

    Attributes:
        said: What each process said, by the instance's name.
        code: The exit code, or minus the signal.
        output: All of it.
    """

    said: Mapping[str, tuple[str, ...]]
    code: int
    output: str


def program(name: str) -> list[str]:
    """Return the words that start one of the three."""
    if name == "devrun":
        return [sys.executable, "-m", "devrun", "start", "--instance-names"]
    found = shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if not found:
        pytest.skip(f"the comparison needs {name}")
    return [found, "start"]


def run(
    command: Sequence[str], *, folder: Path, env: Mapping[str, str], until: int, mark: str
) -> Result:
    """Run to the end, or until processes have said so many lines.

    devrun is stopped then as a user would do it; the peers, which may hang or leave processes, are
    killed with all they have started.
    """
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    own = {"HOME": str(folder), "RUN_MARK": mark, **kept, **env}
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=own,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    output = b""
    limit = time.monotonic() + PATIENCE
    asked = False
    while select.select([process.stdout], [], [], max(0.0, limit - time.monotonic()))[0]:
        chunk = os.read(process.stdout.fileno(), 65536)
        output += chunk
        if not chunk:
            break
        if until and not asked and sum(map(len, _said(output).values())) >= until:
            asked = True
            if "devrun" not in command:
                break
            process.send_signal(signal.SIGTERM)
    process.stdout.close()
    if "devrun" not in command:
        _kill_all(mark, until=bool(until))
    code = process.wait(PATIENCE)
    return Result(_said(output), code, output.decode(errors="replace"))


def _kill_all(mark: str, *, until: bool) -> None:
    """Kill a peer and all that it has started, if it is not to end by itself."""
    for pid in marked(mark) if until else ():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _said(output: bytes) -> dict[str, tuple[str, ...]]:
    """Return what processes said; what the runners say of them is left out."""
    found: dict[str, list[str]] = {}
    for line in output.decode(errors="replace").split("\n")[:-1]:
        plain = re.sub(r"\x1b\[[0-9;]*m", "", line)
        match = _THEIRS.fullmatch(plain) or _OURS.fullmatch(plain)
        if match and match[1] != "system" and not _NEWS.fullmatch(match[2]):
            found.setdefault(match[1], []).append(match[2])
    return {name: tuple(lines) for name, lines in found.items()}
