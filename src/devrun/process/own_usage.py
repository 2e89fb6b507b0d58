"""What devrun itself uses."""

from __future__ import annotations

import os
import sys


def own_usage() -> tuple[int, float]:
    """Return devrun's own memory in bytes, and processor time in seconds."""
    times = os.times()
    used = times.user + times.system
    if sys.platform == "linux":
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE"), used
    else:
        import psutil

        return int(psutil.Process().memory_info().rss), used
