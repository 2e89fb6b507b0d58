"""What devrun has to say to whoever started it, beside the output: one line on stderr."""

from __future__ import annotations

import sys


def complain(line: str) -> None:
    """Write a line of devrun's own to stderr."""
    sys.stderr.write(f"devrun: {line}\n")
    sys.stderr.flush()
