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
from cases import Case
from running import marked

PATIENCE = 30.0
HANGS = 9.0
"""Seconds after which a peer that is known to hang is no longer waited for; it kills after 5."""
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
        code: The exit code, or minus the signal; None: it did not end.
        output: All of it.
        left: How many processes were left.
    """

    said: Mapping[str, tuple[str, ...]]
    code: int | None
    output: str
    left: int = 0


def program(name: str) -> list[str]:
    """Return the words that start one of the three."""
    if name == "devrun":
        return [sys.executable, "-m", "devrun", "start", "--instance-names"]
    found = shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if not found:
        pytest.skip(f"the comparison needs {name}")
    return [found, "start"]


def run(command: Sequence[str], case: Case, *, folder: Path, mark: str) -> Result:
    """Run to the end, or until processes have said so many lines.

    Then it gets the case's signal; or devrun is stopped as a user would do it, and the peers, which
    may hang or leave processes, are killed with all they have started.
    """
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={"HOME": str(folder), "RUN_MARK": mark, **kept, **case.env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    is_peer = "devrun" not in command
    left = 0
    try:
        output = _listen(process, case, is_peer=is_peer)
        may_hang = is_peer and (case.until or "hangs" in case.differs)
        code = _code_of(process) if may_hang else process.wait(PATIENCE)
        left = len(marked(mark)) if is_peer else 0
    finally:
        process.stdout.close()
        if is_peer:
            _kill_all(mark)
            process.wait(PATIENCE)
    return Result(_said(output), code, output.decode(errors="replace"), left)


def _listen(process: subprocess.Popen, case: Case, *, is_peer: bool) -> bytes:
    """Return all output; send the case's signal when the processes have said enough."""
    patience = HANGS if is_peer and (case.sends or "hangs" in case.differs) else PATIENCE
    output, asked = b"", False
    limit = time.monotonic() + patience
    while process.poll() is None or not is_peer:
        # What a peer has left may hold the output open: its end is looked for besides.
        if not select.select([process.stdout], [], [], 0.05 if is_peer else patience)[0]:
            if time.monotonic() > limit:
                return output
            continue
        chunk = os.read(process.stdout.fileno(), 65536)
        output += chunk
        if not chunk:
            return output
        if case.until and not asked and sum(map(len, _said(output).values())) >= case.until:
            asked = True
            if is_peer and not case.sends:
                return output
            process.send_signal(signal.Signals[case.sends or "SIGTERM"])
    while select.select([process.stdout], [], [], 0)[0]:
        chunk = os.read(process.stdout.fileno(), 65536)
        if not chunk:
            break
        output += chunk
    return output


def _code_of(process: subprocess.Popen) -> int | None:
    """Return the exit code of one that is about to end, if it is."""
    try:
        return process.wait(1)
    except subprocess.TimeoutExpired:
        return None


def _kill_all(mark: str) -> None:
    """Kill a peer and all that it has started."""
    while left := marked(mark):
        for pid in left:
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
