"""The terminal that ``devrun attach`` runs in: given to a program, and always taken back."""

from __future__ import annotations

import os

from devrun.output.terminal_modes import TerminalModes
from devrun.process.terminal import Attributes, attributes_of, make_raw, restore

STDIN, STDOUT = 0, 1


class OwnTerminal:
    """stdin and stdout, as far as they are a terminal.

    Attributes:
        shows: stdout is a terminal.
        is_gone: It was one, and has hung up.
    """

    def __init__(self) -> None:
        self.shows = os.isatty(STDOUT)
        self.is_gone = False
        self._modes = TerminalModes()
        self._former: Attributes | None = None
        self._column_is_one = True

    @property
    def size(self) -> tuple[int, int] | None:
        """Rows and columns, or None without a terminal."""
        if not self.shows:
            return None
        try:
            found = os.get_terminal_size(STDOUT)
        except OSError:
            return None
        return found.lines or 24, found.columns or 80

    def hold(self, *, keys: bool) -> None:
        """Have what is typed at once, and unseen.

        Args:
            keys: All of them are for a program; otherwise Ctrl+C and Ctrl+Z remain ours.
        """
        if not os.isatty(STDIN):
            return
        if self._former is None:
            self._former = attributes_of(STDIN)
        if self._former is not None:
            make_raw(STDIN, self._former, signals=not keys, translates=not self.shows)

    def release(self) -> None:
        """Put everything back as it was."""
        if self.shows:
            self.write(self._undoing())
        former, self._former = self._former, None
        if former is not None:
            restore(STDIN, former)

    @property
    def is_full_screen(self) -> bool:
        """Whether the program has the whole screen just now."""
        return self._modes.is_full_screen

    def show(self, data: bytes) -> None:
        """Write what the program wrote."""
        self._modes.feed(data)
        self._column_is_one = data.endswith((b"\n", b"\r"))
        self.write(data)

    def say(self, text: str) -> None:
        """Write a line of devrun's own, dim, behind what the program has left of its screen."""
        if not self.shows:
            from devrun.output.complaint import complain

            complain(text)
            return
        start = self._undoing() + (b"" if self._column_is_one else b"\r\n")
        self._column_is_one = True
        dim, usual = (b"", b"") if "NO_COLOR" in os.environ else (b"\x1b[2m", b"\x1b[m")
        line = b"--> " + text.encode("utf-8", "replace")
        self.write(start + dim + line + usual + b"\r\n")

    def write(self, data: bytes) -> None:
        """Write all of it; a terminal that has hung up gets nothing more."""
        rest = memoryview(data)
        while rest and not self.is_gone:
            try:
                rest = rest[os.write(STDOUT, rest) :]
            except OSError:
                if not self.shows:
                    raise
                self.is_gone = True

    def _undoing(self) -> bytes:
        modes, self._modes = self._modes, TerminalModes()
        if modes.is_full_screen:
            self._column_is_one = True
        return modes.undoing()
