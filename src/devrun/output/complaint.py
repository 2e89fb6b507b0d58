"""What devrun has to say to whoever started it, beside the output: one line on stderr."""

from __future__ import annotations

import re
import select
import sys

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def complain(line: str) -> None:
    """Write a line of devrun's own to stderr; control characters in it are shown as escapes.

    It is left out if stderr is a pipe that nobody reads: nothing may wait for that.
    """
    shown = _CONTROL.sub(lambda match: repr(match[0])[1:-1], line)
    if takes_a_line(2):
        sys.stderr.write(f"devrun: {shown}\n")
        sys.stderr.flush()


if sys.platform == "win32":

    def takes_a_line(descriptor: int) -> bool:
        """Nothing can be asked of a pipe there."""
        return descriptor >= 0

else:

    def takes_a_line(descriptor: int) -> bool:
        """Whether a short write would not block (poll(2): a pipe then has room for PIPE_BUF)."""
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        return bool(poll.poll(0))
