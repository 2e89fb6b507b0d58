"""Which comparisons with other programs are made in this run.

Each starts two programs and waits for both, and there are hundreds. ``PEER_PART=3/6`` is the fourth
sixth of them; without it, all are made.
"""

from __future__ import annotations

import os
import zlib


def is_of_this_run(name: str) -> bool:
    """Return whether the comparison of that name is to be made."""
    part, _, parts = (os.environ.get("PEER_PART") or "0/1").partition("/")
    return zlib.crc32(name.encode()) % int(parts) == int(part)
