"""Calls that may block, out of the way of everything else: name services, dead file systems."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import trio

T = TypeVar("T")

MOST_THREADS = 20
"""Blocked calls at a time. A call that is given up goes on in its thread until the system answers;
the threads are not taken from those that the rest of devrun uses."""

_LIMITER: trio.lowlevel.RunVar[trio.CapacityLimiter] = trio.lowlevel.RunVar("probe_threads")


async def in_thread(call: Callable[[], T]) -> T:
    """Return what a call returns, or raise what it raises; given up at once when cancelled."""
    try:
        limiter = _LIMITER.get()
    except LookupError:
        limiter = trio.CapacityLimiter(MOST_THREADS)
        _LIMITER.set(limiter)
    return await trio.to_thread.run_sync(call, abandon_on_cancel=True, limiter=limiter)
