"""Waits for processes that are nobody's children here (pidfd_open(2))."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from math import inf

LOOK_AGAIN = 0.05
"""Seconds between two looks where nothing tells of an end."""


def wait_until_ended(pids: Iterable[int], *, at_most: float = inf) -> bool:
    """Wait until none of the processes is left; return False if some are after so many seconds."""
    until = time.monotonic() + at_most
    return all([_wait(pid, until) for pid in pids])  # noqa: C419 - each is waited for


def _wait(pid: int, until: float) -> bool:
    with ExitStack() as opened:
        try:
            telling = _pidfd(pid)
            if telling is not None:
                opened.callback(os.close, telling)
        except ProcessLookupError:
            return True
        while _is_there(pid):
            left = until - time.monotonic()
            if left <= 0:
                return False
            if telling is None:
                time.sleep(min(LOOK_AGAIN, left))
            elif select.select([telling], [], [], None if left == inf else left)[0]:
                return True
    return True


def _is_there(pid: int) -> bool:
    with suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True


if sys.platform == "linux":

    def _pidfd(pid: int) -> int | None:
        """Return a descriptor that can be read once a process has ended; None without such."""
        try:
            return os.pidfd_open(pid)
        except ProcessLookupError:
            raise
        except OSError:
            return None  # Before Linux 5.3.

else:

    def _pidfd(_pid: int) -> int | None:
        """There is none."""
        return None
