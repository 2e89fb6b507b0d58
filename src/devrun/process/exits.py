"""Learn that processes have ended, without asking again and again."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf

import trio

from devrun.model import ExitStatus
from devrun.process.spawn import Child
from devrun.process.tree import look_up, reap_orphans

LOOK_AGAIN = 0.25
"""Seconds between two looks at a process that is not devrun's child yet."""


class ChildExits:
    """Waits for children, and reaps what was handed to devrun as subreaper.

    A child is waited for on its pidfd where there is one (Linux 5.3), else SIGCHLD says that one
    of them may have ended. ``notify`` is to be called whenever SIGCHLD has arrived.
    """

    def __init__(self) -> None:
        self._changed = trio.Event()
        self._managed: set[int] = set()
        self._left_to_others = 0

    def notify(self) -> None:
        """Say that some child has ended: reap those nobody waits for, wake those who wait."""
        if not self._left_to_others:
            reap_orphans(self._managed)
        self._changed.set()
        self._changed = trio.Event()

    @contextmanager
    def left_to_others(self) -> Iterator[None]:
        """Reap nothing but what is waited for here: a thread waits for children of its own."""
        self._left_to_others += 1
        try:
            yield
        finally:
            self._left_to_others -= 1
            self.notify()

    def manage(self, child: Child) -> None:
        """Leave this child to ``wait``; to be called before the loop gets to run."""
        self._managed.add(child.pid)

    async def changed(self, *, at_most: float = inf) -> None:
        """Wait until some child has ended, or ``at_most`` seconds."""
        event = self._changed
        with trio.move_on_after(at_most):
            await event.wait()

    async def wait(self, child: Child) -> ExitStatus:
        """Wait until a child has ended, reap it and return how it ended.

        It is the process that is waited for, never the end of its output: a descendant may hold
        that open for ever.
        """
        self._managed.add(child.pid)
        try:
            await self._wait_on_pidfd(child)
            while (code := child.popen.poll()) is None:
                await self.changed()
        finally:
            self._managed.discard(child.pid)
        return ExitStatus(code=code) if code >= 0 else ExitStatus(signal=-code)

    async def _wait_on_pidfd(self, child: Child) -> None:
        if sys.platform != "linux":
            return
        try:
            pidfd = os.pidfd_open(child.pid)
        except OSError:
            return
        try:
            await trio.lowlevel.wait_readable(pidfd)
        finally:
            os.close(pidfd)

    async def wait_adopted(self, pid: int) -> ExitStatus:
        """Wait for a descendant that is to become a child, because its parent has ended.

        Its status is lost where devrun is no subreaper: it then counts as having ended well.
        """
        self._managed.add(pid)
        try:
            while True:
                status = _reaped(pid)
                if status is not None:
                    return status
                await self.changed(at_most=LOOK_AGAIN)
        finally:
            self._managed.discard(pid)


def _reaped(pid: int) -> ExitStatus | None:
    """Reap a child if it has ended; None while it, or a process of that number, lives."""
    if sys.platform == "win32":
        return ExitStatus(code=0)
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        process = look_up(pid)
        return ExitStatus(code=0) if process is None or process.is_zombie else None
    if not found:
        return None
    code = os.waitstatus_to_exitcode(status)
    return ExitStatus(signal=-code) if code < 0 else ExitStatus(code=code)
