"""The guardian's heir: it clears up where the guardian is killed and the worker does not notice.

The worker hears of the guardian's death by a signal, and a signal is answered when the interpreter
gets to it. Where it does not - it is busy in C, or waits for a disk that is gone - nobody would end
what it has started: killing it alone would leave that to PID 1. So there is a third process, which
waits for the guardian's end at a pipe. It gives the worker some time; then it stops it, so that
it starts nothing more, kills what is below it, and then the worker itself.

Where both were killed at once, what they had started is a child of whoever takes in orphans now,
as the heir is. It is told by its mark; a process with an environment of its own is not found then.

PID 1 needs none: with it the kernel kills all the others (``pid_namespaces(7)``).
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from contextlib import suppress

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from typing import NoReturn

    from devrun.process.tree import Process

assert sys.platform == "linux"

GRACE = 3.0
"""Seconds in which the worker may end by itself, with all that it has started."""

UNKILLABLE_AFTER = 5.0
"""Seconds after which processes that survive SIGKILL (state D) are no longer waited for."""

LOOK_AGAIN = 0.01

SETTLED = 0.05
"""Seconds without a marked orphan after which there is none: one that had just been forked has its
environment by then (``execve(2)``)."""


def appoint(worker: int) -> int | None:
    """Fork; return the heir's pid in the guardian, and never return in the heir.

    Returns:
        The pid; None where there is none, or can be none.
    """
    if os.getpid() == 1:
        return None
    try:
        end, guardians_end = os.pipe()
        heir = os.fork()
    except OSError:  # There are too many processes or descriptors already.
        return None
    if heir:
        os.close(end)  # The other end is open for as long as the guardian lives.
        return heir
    try:
        os.close(guardians_end)
        _wait(end, worker)
    finally:
        os._exit(0)


def dismiss(heir: int) -> None:
    """End the heir: there is nothing to be inherited. It may have ended, and been reaped."""
    try:
        os.waitid(os.P_PID, heir, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        os.kill(heir, signal.SIGKILL)
        os.waitpid(heir, 0)
    except ChildProcessError:
        return


def _wait(end: int, worker: int) -> NoReturn:
    """Wait for the guardian's end, and see to it that the worker's follows."""
    os.setsid()  # A signal to the guardian's group is not to reach it.
    _close_others(end)
    worker_end: int | None = None
    with suppress(OSError):  # Before Linux 5.3, or in some sandboxes.
        worker_end = os.pidfd_open(worker)
    os.read(end, 1)
    if not _has_ended(worker, worker_end):
        _clear_up(worker)
    _clear_up_orphans(worker)
    os._exit(0)


def _close_others(kept: int) -> None:
    """Close everything else that was open, so that nobody waits for its end in vain."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    for name in os.listdir("/proc/self/fd"):
        number = int(name)
        if number > 2 and number != kept:
            with suppress(OSError):  # The one that the listing was read from has gone already.
                os.close(number)


def _has_ended(worker: int, worker_end: int | None) -> bool:
    """Wait until the worker has ended; False if it does not in time."""
    if worker_end is not None:
        poll = select.poll()
        poll.register(worker_end, select.POLLIN)
        return bool(poll.poll(GRACE * 1000))
    from devrun.process import tree

    until = time.monotonic() + GRACE
    while (process := tree.look_up(worker)) is not None and not process.is_zombie:
        if time.monotonic() > until:
            return False
        time.sleep(LOOK_AGAIN)
    return True


def _clear_up(worker: int) -> None:
    from devrun.process import tree

    process = tree.look_up(worker)
    if process is None:
        return
    tree.send(process, signal.SIGSTOP)
    until = time.monotonic() + UNKILLABLE_AFTER
    while (left := tree.descendants(worker)) and time.monotonic() < until:
        for each in left:
            tree.send(each, signal.SIGKILL)
        time.sleep(LOOK_AGAIN)
    tree.send(process, signal.SIGKILL)


def _clear_up_orphans(worker: int) -> None:
    """Kill what the worker has started and has not ended, as neither has the guardian."""
    from devrun.process import tree

    began = seen = time.monotonic()
    while (now := time.monotonic()) - seen < SETTLED and now - began < UNKILLABLE_AFTER:
        for orphan in _orphans(worker):
            seen = now
            for each in (*tree.descendants(orphan.pid), orphan):
                tree.send(each, signal.SIGKILL)
        time.sleep(LOOK_AGAIN)


def _orphans(worker: int) -> list[Process]:
    """Return the worker's processes among those that have been taken in beside this one."""
    from devrun.process import mark, tree

    found = map(tree.look_up, tree.children(os.getppid()))
    return [
        process
        for process in found
        if process is not None and not process.is_zombie and mark.is_from(worker, process.pid)
    ]
