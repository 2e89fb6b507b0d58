"""Ask whose a port of this machine is that accepts connections."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial

from devrun.process import ports, tree
from devrun.supervise.probes.answers import HeldByOther, Subject, one_line
from devrun.supervise.probes.threads import in_thread

LONGEST_COMMAND = 120
"""Characters of a command line that are shown."""


async def other_holder(address: str, port: int, subject: Subject) -> HeldByOther | None:
    """Return who has a port, unless it is a process of the service, or may stand for one.

    Those below devrun are looked at first, because that is much less to look at. Where nothing is
    seen to listen the kernel itself forwards, as it does for containers.
    """
    near = await in_thread(partial(_holders_below_devrun, address, port))
    if any(subject.is_ours(each.pid) for each in near if each.pid is not None):
        return None
    holders = await in_thread(partial(ports.holders, address, port))
    if not holders or any(subject.is_ours(each.pid) for each in holders if each.pid is not None):
        return None
    if subject.shares_ports and all(each.pid == os.getpid() for each in holders):
        return None
    if any(map(ports.hides_its_owner, holders)):
        possible = await in_thread(ports.possible_owners)
        if any(map(subject.is_ours, possible)):
            return None
    return HeldByOther(port, await in_thread(partial(_describe, holders[0])), subject.label)


def _holders_below_devrun(address: str, port: int) -> list[ports.Listener]:
    below = [process.pid for process in tree.descendants(os.getpid())]
    return ports.holders(address, port, below)


def _describe(listener: ports.Listener) -> str:
    who = str(replace(listener, command=one_line(listener.command, LONGEST_COMMAND)))
    origin = ports.left_by(listener)
    return f"{who}, {origin}" if origin else who
