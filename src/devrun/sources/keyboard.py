"""The terminal's keys, one by one instead of line by line."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator

import trio

STDIN = 0

LOOK_AGAIN = 0.5
"""Seconds after which a terminal that is another job's is looked at again: nobody tells a job in
the background that it is in the foreground now (``fg`` of one that was not stopped)."""


class Keyboard:
    r"""devrun's terminal, one key after another, while devrun is in its foreground.

    Keys come as they are pressed and are not echoed. Ctrl+C, Ctrl+Z and Ctrl+\ remain signals (ISIG
    in termios(3)). While another job has the terminal, its keys and its settings are left alone.

    Args:
        guardian: Pid of the guardian, whose job counts; devrun itself has left the session then.
        for_program: Keys are for a program with a terminal of its own, as its terminal has them:
            Enter is CR, and Ctrl+S and Ctrl+Q are keys.
    """

    def __init__(
        self,
        descriptor: int = STDIN,
        *,
        guardian: int | None = None,
        for_program: bool = True,
    ) -> None:
        self._descriptor = descriptor
        self._guardian = guardian
        self._for_program = for_program
        self._former: list[int | list[bytes | int]] | None = None

    if sys.platform == "win32":

        def enter(self) -> None:
            """Do nothing: consoles have no termios."""

        def leave(self) -> None:
            """Do nothing."""

        def is_ours(self) -> bool:
            """There are no jobs."""
            return True

    else:

        def enter(self) -> None:
            """Have keys from now on; nothing if the terminal has hung up, or is another's."""
            import termios

            if self._former is not None or not self.is_ours():
                return
            try:
                attributes = termios.tcgetattr(self._descriptor)
                former = list(attributes)
                if self._for_program:
                    attributes[0] &= ~(termios.ICRNL | termios.IXON)
                attributes[3] &= ~(termios.ICANON | termios.ECHO)
                termios.tcsetattr(self._descriptor, termios.TCSADRAIN, attributes)
            except termios.error:
                return
            self._former = former

        def leave(self) -> None:
            """Put the terminal back as it was, unless it is another's by now."""
            import termios

            former, self._former = self._former, None
            if former is not None and self.is_ours():
                try:
                    termios.tcsetattr(self._descriptor, termios.TCSADRAIN, former)
                except termios.error:
                    return  # It has hung up.

        def is_ours(self) -> bool:
            """Whether devrun's job is the one in the terminal's foreground."""
            if self._guardian is not None:
                return _is_in_foreground(self._guardian, self._descriptor)
            try:
                return os.tcgetpgrp(self._descriptor) == os.getpgrp()
            except OSError:
                return False

    async def keys(self) -> AsyncIterator[bytes]:
        """Yield what is typed, until the terminal hangs up."""
        while True:
            if not self.is_ours():
                self._former = None
                await trio.sleep(LOOK_AGAIN)  # Nobody tells.
                continue
            self.enter()
            await trio.lowlevel.wait_readable(self._descriptor)
            if not self.is_ours():
                continue
            chunk = self._read()
            if not chunk:
                return
            yield chunk

    def _read(self) -> bytes:
        try:
            return os.read(self._descriptor, 4096)
        except OSError:
            return b""


if sys.platform != "win32":

    def _is_in_foreground(pid: int, descriptor: int) -> bool:
        """Whether a process's group is in the foreground of the terminal that controls it.

        As proc(5) has it in ``stat``; ``tcgetpgrp(3)`` tells nobody of another session.
        """
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
            device = os.fstat(descriptor).st_rdev
        except OSError:
            return False
        group, number, foreground = int(fields[2]), int(fields[4]), int(fields[5])
        major, minor = os.major(device), os.minor(device)
        encoded = (minor & 0xFF) | (major << 8) | ((minor & ~0xFF) << 12)
        return number == encoded and group == foreground
