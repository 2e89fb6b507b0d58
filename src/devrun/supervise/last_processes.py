"""What is left when all services are over: asked, waited for, killed."""

from __future__ import annotations

import os
from collections.abc import Callable

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

    Args:
        number: The signal to ask with.
        deadline: When what is left is killed, on trio's clock.
        kills: Whether it is to be killed at once, now.
    """
    asking = Asking()
    found: list[LeftBehind] = []
    while left := tree.descendants(os.getpid()):
        if kills() or trio.current_time() >= deadline:
            kill_everything()
            await exits.changed(at_most=RECHECK)
            if trio.current_time() >= deadline + UNKILLABLE_AFTER:
                break
            continue
        if asked := asking.ask(left, number):
            found.append(LeftBehind(None, asked))
        await exits.changed(at_most=LOOK_AGAIN)
    return found


def kill_everything() -> None:
    """Kill every process below devrun; also the last resort where devrun has a defect."""
    for process in tree.descendants(os.getpid()):
        tree.send(process, KILL)
