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

_REDRAWN = re.compile(rb"[^\r\n]*\r(?!\r*(?:\n|\Z))")
"""A state of a line that a later one replaces: up to a CR that no line end follows."""


class LineCutter:
    """Cuts one process's output; not to be shared.

    The bytes handed out are those fed, in order; only redrawn states are missing.
    """

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._length = 0
        self._redrawn = False

    def feed(self, chunk: bytes) -> bytes:
        """Take a chunk; return the whole lines that it completes, or nothing."""
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
            lines = _REDRAWN.sub(b"", lines)
        self._redrawn = False
        if cut < len(chunk):
            self._hold(chunk[cut:])
        return lines

    @property
    def pending(self) -> bool:
        """Whether the beginning of a line is being held."""
        return self._length > 0

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
        held = b"".join(self._held)
        self._held.clear()
        self._length = 0
        self._redrawn = False
        return held

    def peek(self) -> bytes:
        """Return the visible state of what is held, and keep it."""
        return b"".join(self._held).rstrip(b"\r")

    def _hold(self, data: bytes) -> None:
        if b"\r" in data or self._redrawn or (self._held and self._held[-1].endswith(b"\r")):
            data = _REDRAWN.sub(b"", b"".join((*self._held, data)))
            self._held = [data]
            self._length = len(data)
            self._redrawn = True
            return
        self._held.append(data)
        self._length += len(data)
