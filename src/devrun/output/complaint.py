"""What devrun has to say to whoever started it, beside the output: one line on stderr."""

from __future__ import annotations

import re
import sys

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def complain(line: str) -> None:
    """Write a line of devrun's own to stderr; control characters in it are shown as escapes."""
    shown = _CONTROL.sub(lambda match: repr(match[0])[1:-1], line)
    sys.stderr.write(f"devrun: {shown}\n")
    sys.stderr.flush()
