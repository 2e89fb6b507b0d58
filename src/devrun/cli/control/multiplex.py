"""Several streams at once."""

from __future__ import annotations

import select
from collections.abc import Callable, Mapping

from devrun.control.client import Stream


def multiplex(
    streams: Mapping[Stream, Callable[[bytes], None]], after_each: Callable[[], None]
) -> None:
    """Hand over lines as they arrive, until all streams have ended.

    Args:
        streams: What takes the lines of each.
        after_each: Called when all that has arrived has been handed over.
    """
    left = dict(streams)
    while left:
        ready = [stream for stream in left if stream.has_more]
        if not ready:
            ready, _, _ = select.select([*left], [], [])
        for stream in ready:
            lines = stream.more_lines()
            if lines is None:
                del left[stream]
            for line in lines or ():
                left[stream](line)
        after_each()
