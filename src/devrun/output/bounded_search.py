r"""Regular expressions that users write, searched in text that others write, for a bounded time.

``re`` backtracks: there are patterns (``(a+)+$``) and lines for which one search takes years, and
it does not let go of the interpreter meanwhile. But it runs signal handlers, so a timer that counts
the processor time that devrun uses ends it. Measured, that costs 1 µs for each search, 4 on a busy
machine. An engine without backtracking (google-re2) would have no need of it; it knows no ``(?=``
and no ``\1``, which users have written, and is another compiled package. A process of its own for
searching costs 30 ms and 10 MB.
"""

from __future__ import annotations

import re
import signal
import sys
import time
import warnings
from types import FrameType

MOST = 0.25
"""Seconds of processor time for one search."""

MOST_IN_ALL = 1.0
"""Seconds of processor time for all searches of a pattern, as far as they were slow ones."""

SLOW = 1e-6
"""Seconds for one character; a search that backtracks little takes a tenth of it at most."""


SHORT = 1000
"""Characters as which a shorter text counts: that a search took a moment is no sign."""

AGAIN = 0.05
"""Seconds of processor time between two signals, where the first did not end the search."""


class TookTooLong(Exception):  # noqa: N818 - a state, not a defect
    """The search was broken off; whether there is a match is not known."""


class BoundedSearch:
    """A pattern, and the time that is left for searching it.

    Made and used in the main thread alone, because that is where signal handlers run.

    Args:
        pattern: As of ``re``.

    Raises:
        re.error: It is none.
    """

    def __init__(self, pattern: str) -> None:
        self._pattern = compiled(pattern)
        self._left = MOST_IN_ALL
        if sys.platform != "win32":
            signal.signal(signal.SIGVTALRM, _break_off)

    def search(self, text: str, start: int = 0) -> re.Match[str] | None:
        """Return the first match from a place on.

        Raises:
            TookTooLong: This search did, or all of them together.
        """
        if self._left <= 0:
            raise TookTooLong
        began = time.thread_time()
        try:
            return _search(self._pattern, text, start, min(MOST, self._left))
        finally:
            took = time.thread_time() - began
            self._left -= max(0.0, took - SLOW * (SHORT + len(text)))


def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern that a user has written; without a word of Python's own about it.

    Raises:
        re.error: It is none, or one that ``re`` is not made for: nested too deep, too often.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # What may mean something else in a later Python.
        try:
            return re.compile(pattern)
        except OverflowError:
            raise re.error("a number of repetitions is too large") from None
        except RecursionError:
            raise re.error("it is nested too deep") from None


def _search(pattern: re.Pattern[str], text: str, start: int, most: float) -> re.Match[str] | None:
    if sys.platform == "win32":  # It has no such timer.
        return pattern.search(text, start)
    # Again and again, because the first time may find some other handler at work.
    signal.setitimer(signal.ITIMER_VIRTUAL, most, AGAIN)
    try:
        return pattern.search(text, start)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _break_off(_number: int, frame: FrameType | None) -> None:
    """Handle the timer's signal, which may come a moment after the search is over."""
    if frame is not None and frame.f_code is _search.__code__:
        raise TookTooLong
