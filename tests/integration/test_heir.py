"""A worker that does not notice the guardian's death ends all the same, with all below it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="there is a guardian on Linux alone"
)

BUSY = """
import os, re, signal, subprocess, sys
from devrun.process import guardian
guardian.start(before_guarding=lambda: None)
below = "import os, time; os.fork() or os.setsid(); os.fork(); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", below])
signal.alarm(120)  # Where this test has failed.
if sys.argv[1] == "busy":
    print("begins", flush=True)
    re.search("(a+)+$", "a" * 64 + "!")  # For years, and the interpreter answers nothing.
print("ends", flush=True)
"""


@pytest.fixture
def writing_end():
    """A pipe that everything a test starts holds open: its end is the end of all of them."""
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    yield reading, writing
    os.close(reading)


def start(writing: int, how: str, mark: str = "") -> subprocess.Popen[str]:
    guardian = subprocess.Popen(
        [sys.executable, "-c", BUSY, how, mark],
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=(writing,),
        close_fds=True,
    )
    os.close(writing)
    return guardian


def worker_and_heir(guardian: subprocess.Popen[str]) -> list[int]:
    """Return the two, as soon as there are two."""
    children = Path(f"/proc/{guardian.pid}/task/{guardian.pid}/children")
    limit = time.monotonic() + 30
    while len(found := children.read_text().split()) < 2:
        assert time.monotonic() < limit
        select.select([], [], [], 0.01)
    return [int(each) for each in found]


def test_what_a_busy_worker_had_started_ends_with_it_when_the_guardian_is_killed(writing_end):
    """The heir closes what it inherits, so the pipe's end is that of worker and children alone."""
    reading, writing = writing_end
    with start(writing, "busy") as guardian:
        assert guardian.stdout.readline() == "begins\n"
        worker, heir = worker_and_heir(guardian)
        guardian.kill()
        assert os.read(reading, 1) == b"", "all have ended"
    for pid in (worker, heir):
        assert has_ended(pid)


def has_ended(pid: int) -> bool:
    """Wait until a process that is not ours has ended."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([pidfd], [], [], 30)[0])
    finally:
        os.close(pidfd)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_without_an_heir_all_goes_on(writing_end, number):
    """It is one process of devrun's: whoever ends it ends nothing else."""
    reading, writing = writing_end
    with start(writing, "busy") as guardian:
        assert guardian.stdout.readline() == "begins\n"
        worker, heir = worker_and_heir(guardian)
        os.kill(heir, number)
        os.kill(worker, signal.SIGKILL)
        assert os.read(reading, 1) == b"", "all have ended"
        assert guardian.wait(30) == -signal.SIGKILL


def test_the_heir_ends_before_the_guardian(writing_end):
    _, writing = writing_end
    mark = uuid.uuid4().hex
    with start(writing, "quick", mark) as guardian:
        assert guardian.stdout.read() == "ends\n"
        assert guardian.wait(30) == 0
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{name}/cmdline").read_bytes()
        except OSError:
            continue
        assert mark.encode() not in words
