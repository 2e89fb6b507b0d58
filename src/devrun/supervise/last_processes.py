"""What is left when all services are over: asked, waited for, killed."""

from __future__ import annotations

import os
from collections.abc import Callable
from math import inf

import trio

from devrun.events import LeftBehind
from devrun.process import tree
from devrun.process.exits import ChildExits
from devrun.process.group import Asking
from devrun.process.signals import KILL

LOOK_AGAIN = 0.25
"""Seconds between two looks at what was asked to end."""

RECHECK = 0.02
"""Seconds between two looks at what is being killed; it may be forking against us."""

UNKILLABLE_AFTER = 5.0
"""Seconds after which what survives SIGKILL is given up."""


async def clear_up(
    exits: ChildExits, *, number: int, deadline: float, kills: Callable[[], bool]
) -> list[LeftBehind]:
    """Stop every process below devrun; return who was asked.

    What could not be killed before this has its time to end by itself, and is not waited for a
    second time after that. The guardian, which ends last, names what cannot be stopped.

    Args:
        number: The signal to ask with.
        deadline: When what is left is killed, on trio's clock.
        kills: Whether it is to be killed at once, now.
    """
    asking = Asking()
    found: list[LeftBehind] = []
    give_up_at = inf
    given_up = {_key(each) for each in _descendants() if tree.is_out_of_reach(each)}
    while left := _descendants():
        reachable = [each for each in left if _key(each) not in given_up]
        now = trio.current_time()
        if kills() or now >= deadline:
            give_up_at = min(give_up_at, now + UNKILLABLE_AFTER)
            if not reachable or now >= give_up_at:
                break
            kill_everything()
            await exits.changed(at_most=RECHECK)
            continue
        if asked := asking.ask(reachable, number):
            found.append(LeftBehind(None, asked))
        await exits.changed(at_most=LOOK_AGAIN)
    return found


def kill_everything() -> None:
    """Kill every process below devrun; also the last resort where devrun has a defect."""
    for process in _descendants():
        tree.send(process, KILL)


def _descendants() -> list[tree.Process]:
    return tree.descendants(os.getpid())


def _key(process: tree.Process) -> tuple[int, float]:
    """Return what stays the same of a process."""
    return process.pid, process.start
