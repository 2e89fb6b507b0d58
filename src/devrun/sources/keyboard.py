"""The terminal's keys, one by one instead of line by line."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator

import trio

STDIN = 0


class Keyboard:
    r"""devrun's terminal, for a process that reads keys from a terminal of its own.

    Keys come as they are pressed and are not echoed: that is the other terminal's business. Ctrl+C,
    Ctrl+Z and Ctrl+\ remain signals (ISIG in termios(3)).
    """

    def __init__(self, descriptor: int = STDIN) -> None:
        self._descriptor = descriptor
        self._former: list[int | list[bytes | int]] | None = None

    if sys.platform == "win32":

        def enter(self) -> None:
            """Do nothing: consoles have no termios."""

        def leave(self) -> None:
            """Do nothing."""

    else:

        def enter(self) -> None:
            """Have keys from now on; does nothing if the terminal has hung up."""
            import termios

            try:
                attributes = termios.tcgetattr(self._descriptor)
                self._former = list(attributes)
                attributes[0] &= ~(termios.ICRNL | termios.IXON)
                attributes[3] &= ~(termios.ICANON | termios.ECHO)
                termios.tcsetattr(self._descriptor, termios.TCSADRAIN, attributes)
            except termios.error:
                self._former = None

        def leave(self) -> None:
            """Put the terminal back as it was."""
            import termios

            former, self._former = self._former, None
            if former is not None:
                try:
                    termios.tcsetattr(self._descriptor, termios.TCSADRAIN, former)
                except termios.error:
                    return  # It has hung up.

    async def keys(self) -> AsyncIterator[bytes]:
        """Yield what is typed, until the terminal hangs up."""
        while chunk := await self._read():
            yield chunk

    async def _read(self) -> bytes:
        await trio.lowlevel.wait_readable(self._descriptor)
        try:
            return os.read(self._descriptor, 4096)
        except OSError:
            return b""
