"""Cut a process's output into lines, a chunk at a time.

The cutter works on whole chunks: it looks for the last line feed and hands out everything before
it, so the cost per line is nearly none. It holds back at most one unfinished line, up to a limit.

A carriage return that is not part of a line end redraws the line, as progress bars do: of such a
line only the last state is handed out. CR LF stays as it is.
"""

from __future__ import annotations

import re

LONGEST_HELD = 256 * 1024
"""Bytes of an unfinished line that are held back; a longer line is handed out in parts."""

_COLUMN_ONE = re.compile(rb"\x1b\[[01]?G")
"""The cursor to the first column (ECMA-48 CHA), which is how Node's spinners go back."""

_BEGUN = re.compile(rb"\x1b(?:\[[01]?)?\Z")
"""What may become that."""


def final_states(lines: bytes) -> bytes:
    """Return whole lines without the states that later ones replace; CR LF stays as it is."""
    if lines.count(b"\r") == lines.count(b"\r\n"):
        return lines
    return b"\n".join(map(_final_state, lines.split(b"\n")))


def _final_state(line: bytes) -> bytes:
    """Return what follows the last CR that is not at the end."""
    return line[line.rstrip(b"\r").rfind(b"\r") + 1 :]


class LineCutter:
    """Cuts one process's output; not to be shared.

    The bytes handed out are those fed, in order; only redrawn states are missing.

    Args:
        terminal: The output is a terminal's, where other sequences redraw a line as well.
    """

    def __init__(self, *, terminal: bool = False) -> None:
        self._terminal = terminal
        self._begun = b""
        self._held: list[bytes] = []
        self._length = 0
        self._redrawn = False

    def feed(self, chunk: bytes) -> bytes:
        """Take a chunk; return the whole lines that it completes, or nothing."""
        if self._terminal and (self._begun or b"\x1b" in chunk):
            chunk = self._with_returns(chunk)
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            self._hold(chunk)
            return b""
        if self._held:
            self._held.append(chunk[:cut])
            lines = b"".join(self._held)
            self._held.clear()
            self._length = 0
        else:
            lines = chunk[:cut] if cut < len(chunk) else chunk
        if b"\r" in lines:
            lines = final_states(lines)
        self._redrawn = False
        if cut < len(chunk):
            self._hold(chunk[cut:])
        return lines

    @property
    def pending(self) -> bool:
        """Whether the beginning of a line is being held."""
        return self._length > 0 or bool(self._begun)

    @property
    def redrawn(self) -> bool:
        """Whether what is held is a line that is being redrawn: a progress bar."""
        return self._redrawn

    @property
    def overlong(self) -> bool:
        """Whether so much is held that it must be taken now."""
        return self._length > LONGEST_HELD

    def take(self) -> bytes:
        """Return what is held and forget it."""
        held = b"".join(self._held) + self._begun
        self._held.clear()
        self._begun = b""
        self._length = 0
        self._redrawn = False
        return held

    def peek(self) -> bytes:
        """Return the visible state of what is held, and keep it."""
        return b"".join(self._held).rstrip(b"\r")

    def _with_returns(self, chunk: bytes) -> bytes:
        """Return the chunk with CR in place of what moves to the first column.

        A sequence that may be in the middle is kept for the next chunk.
        """
        chunk = _COLUMN_ONE.sub(b"\r", self._begun + chunk)
        begun = _BEGUN.search(chunk)
        self._begun = begun[0] if begun else b""
        return chunk[: begun.start()] if begun else chunk

    def _hold(self, data: bytes) -> None:
        if b"\r" in data or (self._held and self._held[-1].endswith(b"\r")):
            joined = b"".join((*self._held, data))
            data = joined[joined.rstrip(b"\r").rfind(b"\r") + 1 :]
            self._held = [data]
            self._length = len(data)
            self._redrawn = True
            return
        self._held.append(data)
        self._length += len(data)
