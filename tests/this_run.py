"""Which of the tests that drive other programs are made in this run.

There are hundreds, and each starts two programs or more and waits for them: comparisons with other
runners, and what takes in devrun's exports or runs its containers. ``PEER_PART=3/12`` is the fourth
twelfth of the former, ``CONSUMER_PART=0/5`` the first fifth of the latter; without these, all.
"""

from __future__ import annotations

import os
import zlib


def is_of_this_run(name: str, which: str = "PEER_PART") -> bool:
    """Return whether the test of that name is to be made."""
    part, _, parts = (os.environ.get(which) or "0/1").partition("/")
    return zlib.crc32(name.encode()) % int(parts) == int(part)
