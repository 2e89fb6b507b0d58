"""devrun's stdin, line by line."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import trio

STDIN = 0

_CHUNK = 64 * 1024

LONGEST = 1024 * 1024
"""Bytes after which what has come of a line is passed on as it is."""


async def lines(descriptor: int = STDIN) -> AsyncIterator[bytes]:
    """Yield lines as they come, each with its line feed; the last may have none.

    The reading is done in a thread, because stdin may be a file, which cannot be waited for, and
    is shared with others, so that it must not be made non-blocking.
    """
    held = b""
    while chunk := await _read(descriptor):
        *whole, held = (held + chunk).split(b"\n")
        for line in whole:
            yield line + b"\n"
        if len(held) > LONGEST:
            yield held
            held = b""
    if held:
        yield held


async def _read(descriptor: int) -> bytes:
    """Return what is there, waiting for it; nothing at the end, or if there is no stdin."""
    try:
        return await trio.to_thread.run_sync(os.read, descriptor, _CHUNK, abandon_on_cancel=True)
    except OSError:
        return b""  # EIO: the terminal has gone; EBADF: there was none.
