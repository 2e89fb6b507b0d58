"""What devrun has to say to whoever started it, beside the output: one line on stderr."""

from __future__ import annotations

import re
import select
import sys

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def escaped(text: str) -> str:
    """Return a text in which control characters are shown as escapes: it stays one line."""
    return _CONTROL.sub(lambda match: repr(match[0])[1:-1], text)


def complain(line: str) -> None:
    """Write a line of devrun's own to stderr; control characters in it are shown as escapes.

    It is left out if stderr is a pipe that nobody reads, because nothing may wait for that, and if
    it cannot be written to: there is no other place to say so.
    """
    if takes_a_line(2):
        try:
            sys.stderr.write(f"devrun: {escaped(line)}\n")
            sys.stderr.flush()
        except BrokenPipeError:
            raise
        except OSError:
            return


def takes_a_line(descriptor: int) -> bool:
    """Whether a short write would not block (poll(2): a pipe then has room for PIPE_BUF)."""
    poll = getattr(select, "poll", None)
    if poll is None:
        return True  # Windows, where nothing can be asked of a pipe.
    asked = poll()
    asked.register(descriptor, getattr(select, "POLLOUT"))  # noqa: B009 - not on Windows.
    return bool(asked.poll(0))
