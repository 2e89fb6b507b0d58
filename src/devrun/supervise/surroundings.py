"""What every service of a run shares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from devrun.errors import SpawnError
from devrun.events import Event
from devrun.output.journal import Journal
from devrun.output.log_outlet import LogOutlet
from devrun.process.exits import ChildExits
from devrun.process.spawn import Child
from devrun.supervise.launch import Launcher
from devrun.supervise.state import State

TYPE_CHECKING = False  # output.focus is not for every run
if TYPE_CHECKING:
    from devrun.output.focus import Focused


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every service of a run shares.

    Attributes:
        publish: Hands an event to all who show or record it, in the order of the output.
        over: Hears of a service all of whose events have been published.
        observe: Hands an event or a change of state to the supervisor, at once.
        focused: What shows one service's output at once while it has the terminal, if there is one.
        logs: What writes output to files.
        taps: By index, who hears a service's output as it is read, whatever its generation.
        renamed: Hears that a service is called otherwise, or is another one.
        adopted: First generations that were started before the event loop, by index.
    """

    launcher: Launcher
    journal: Journal
    exits: ChildExits
    publish: Callable[[Event], None]
    over: Callable[[int], None]
    observe: Callable[[int, Event | State], None]
    renamed: Callable[[int], None]
    adopted: dict[int, Child | SpawnError]
    logs: LogOutlet
    focused: Focused | None = None
    taps: defaultdict[int, list[Callable[[bytes], None]]] = field(
        default_factory=lambda: defaultdict(list)
    )
