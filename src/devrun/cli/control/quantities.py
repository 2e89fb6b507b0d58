"""Times, sizes and shares, as short as a column of a table."""

from __future__ import annotations

_UNITS = ("B", "K", "M", "G", "T")


def span(seconds: float) -> str:
    """Return a length of time: ``12s``, ``4m05s``, ``2h03m``, ``3d4h``."""
    whole = max(0, int(seconds))
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d{hours}h"
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{seconds:02}s" if minutes else f"{seconds}s"


def size(count: float) -> str:
    """Return an amount of memory: ``812K``, ``45.3M``, ``1.2G``."""
    unit = 0
    while count >= 1000 and unit < len(_UNITS) - 1:
        count /= 1024
        unit += 1
    return (
        f"{count:.0f}{_UNITS[unit]}" if unit < 2 or count >= 100 else f"{count:.1f}{_UNITS[unit]}"
    )


def share(percent: float) -> str:
    """Return a share of one processor: ``0.3%``, ``12%``."""
    return f"{percent:.0f}%" if percent >= 10 else f"{percent:.1f}%"
