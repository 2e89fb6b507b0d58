"""Ask whether a file is there that the service has made."""

from __future__ import annotations

import os
from functools import partial

from devrun.policies import FileProbe
from devrun.supervise.probes.answers import Answer, Failed, Passed, Subject, error_text, one_line
from devrun.supervise.probes.threads import in_thread

CLOCK_STEP = 0.02
"""Seconds by which a file's time may lag behind the clock: the kernel stamps files with the time of
its last tick, of which there are at least 100 a second."""

_SECOND = 1_000_000_000


async def ask_file(probe: FileProbe, subject: Subject) -> Answer:
    """Pass if the path exists, of whatever kind it is, and is not from before the start."""
    path = one_line(probe.path)
    try:
        found = await in_thread(partial(os.stat, probe.path))
    except FileNotFoundError:
        return Failed(f"there is no {path}")
    except (OSError, ValueError) as error:
        return Failed(f"cannot look at {path}: {error_text(error)}")
    if is_fresh(found.st_mtime_ns, subject.started_at):
        return Passed()
    return Failed(f"{path} is from before the start")


def is_fresh(modified: int, started_at: float) -> bool:
    """Whether a file was modified after the start.

    Args:
        modified: Nanoseconds since the epoch. Some file systems keep whole seconds only; such a
            time counts from the second in which the service was started.
        started_at: Seconds since the epoch.
    """
    since = int(started_at) if modified % _SECOND == 0 else started_at - CLOCK_STEP
    return modified >= int(since * _SECOND)
