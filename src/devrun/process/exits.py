"""Learn that processes have ended, without asking again and again."""

from __future__ import annotations

import os
import sys
from math import inf

import trio

from devrun.model import ExitStatus
from devrun.process.spawn import Child
from devrun.process.tree import reap_orphans


class ChildExits:
    """Waits for children, and reaps what was handed to devrun as subreaper.

    A child is waited for on its pidfd where there is one (Linux 5.3), else SIGCHLD says that one
    of them may have ended. ``notify`` is to be called whenever SIGCHLD has arrived.
    """

    def __init__(self) -> None:
        self._changed = trio.Event()
        self._managed: set[int] = set()

    def notify(self) -> None:
        """Say that some child has ended: reap those nobody waits for, wake those who wait."""
        reap_orphans(self._managed)
        self._changed.set()
        self._changed = trio.Event()

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
