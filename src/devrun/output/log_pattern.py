r"""Find a pattern in a process's output, however it is cut.

The output is searched line by line; a line feed, a carriage return and the two together end a line.
Terminal sequences are no part of it, and nor are the 8-bit controls. Whether the pattern is found
depends on what was written, never on how it came in chunks:

- A match in a line that goes on counts at once if nothing that follows could undo it. A pattern
  that looks at what is behind its match (``$``, ``\b``, ``(?=``…) is looked for in whole lines
  only; or when the caller says that the line is left unfinished (``search_unfinished``).
- A line longer than ``LONGEST`` is searched in windows at fixed places, each of which overlaps the
  next by half. So a match of up to ``OVERLAP - CONTEXT`` characters is found anywhere.

A line on which the search takes too long is passed over; a pattern for which that happens again and
again is given up, and is not found.
"""

from __future__ import annotations

import codecs
import re

from devrun.output.ansi import Hygiene
from devrun.output.bounded_search import BoundedSearch, TookTooLong

LONGEST = 64 * 1024
"""Characters of a line that are searched, and kept, at a time."""

OVERLAP = LONGEST // 2

CONTEXT = 256
"""Characters at the beginning of a further window that only say what is before a match."""

_PASSED = re.compile(rb"\x1b(?:\[[0-9;:]*m|\[0?K|\]8;[^\x00-\x1f]*(?:\x07|\x1b\\))")
"""The sequences that Hygiene lets through, or adds; it hands out whole ones alone."""

_LINE_END = re.compile(r"\r\n|\r|\n")

_ESCAPED = re.compile(r"\\[^bBZ]", re.DOTALL)
_LOOKS_AHEAD = re.compile(r"\$|\\[bBZ]|\(\?[=!>]|[*+?}]\+")
"""What makes a match depend on what follows it; the last two because they take all they can."""


class LogPattern:
    """Looks for a regular expression in one process's output.

    Args:
        pattern: As of ``re``.

    Raises:
        re.error: It is none.
    """

    def __init__(self, pattern: str) -> None:
        self._pattern = BoundedSearch(pattern)
        self._needs_end = bool(_LOOKS_AHEAD.search(_ESCAPED.sub("x", pattern)))
        self._hygiene = Hygiene()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._window = ""
        self._is_further = False
        self._after_return = False
        self._found = False
        self.took_too_long = False
        """Whether a line has been passed over because searching it took too long."""

    def feed(self, chunk: bytes) -> bool:
        """Take the next bytes of the output; return whether the pattern has been found by now."""
        if not self._found:
            text = self._decoder.decode(_PASSED.sub(b"", self._hygiene.clean(chunk)))
            self._found = bool(text) and self._search(text)
        return self._found

    def search_unfinished(self) -> bool:
        """Take the line that has begun as if it ended here; return what ``feed`` does.

        For a line that nothing is added to for a while, as a prompt.
        """
        if not self._found and self._window:
            self._found = self._matches(self._window, is_end=True)
        return self._found

    def _search(self, text: str) -> bool:
        if self._after_return and text.startswith("\n"):
            text = text[1:]
        self._after_return = text.endswith("\r")
        *lines, begun = _LINE_END.split(text)
        for line in lines:
            if self._extend(line) or self._matches(self._window, is_end=True):
                return True
            self._window = ""
            self._is_further = False
        if self._extend(begun):
            return True
        return bool(begun) and not self._needs_end and self._matches(self._window, is_end=False)

    def _extend(self, text: str) -> bool:
        """Add to the present line; return whether a window that is full has the pattern."""
        line = self._window + text
        start = 0
        while len(line) - start > LONGEST:
            if self._matches(line[start : start + LONGEST], is_end=False):
                return True
            self._is_further = True
            start += OVERLAP
        self._window = line[start:]
        return False

    def _matches(self, window: str, *, is_end: bool) -> bool:
        """Search a window of a line.

        Args:
            is_end: The line ends with it.
        """
        try:
            match = self._pattern.search(window, CONTEXT if self._is_further else 0)
        except TookTooLong:
            self.took_too_long = True
            return False
        if match is None:
            return False
        return is_end or not self._needs_end or match.end() < len(window)
