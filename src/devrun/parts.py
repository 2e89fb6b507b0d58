"""What a run is made of, and what of it is to be seen by what goes on beside the services."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from devrun.errors import SpawnError
from devrun.model import Project, Roster
from devrun.output.bus import Bus
from devrun.output.screen import Screen
from devrun.process.spawn import Child
from devrun.sources.signals import SignalInbox
from devrun.supervise.launch import Launcher
from devrun.supervise.supervisor import Supervisor

TYPE_CHECKING = False  # devrun.control is not for every run
if TYPE_CHECKING:
    from devrun.control.address import Identity
    from devrun.control.applying import Load
    from devrun.control.description import Describe
    from devrun.control.subject import Subject
    from devrun.process.service_notify import ServiceManager

LastLines = Callable[[int], Sequence[str]]
"""Returns what a service has said last, by its index."""


@dataclass(frozen=True, slots=True)
class Inside:
    """What there is to be seen by something that goes on beside the services.

    Attributes:
        subject: Returns the run as it can be asked, if there is a place for that.
    """

    supervisor: Supervisor
    bus: Bus
    last_lines: LastLines
    subject: Callable[[], Subject] | None = None


Companion = Callable[[Inside], Awaitable[None]]
"""Something that goes on beside the services, up to the end of the output."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a run is made of when the event loop begins.

    Attributes:
        services: The project's, which may become more.
        guardian: Pid of the guardian, if there is one.
        hint: The flag that keeps other services running, where ending them is a default.
        adopted: First generations that run already, or could not be started, by index.
        identity: What the run has said of itself, if there was a place for that.
        load: Reads the configuration anew, of a command line's words.
        describe: Says what holds for a service, and where that is from.
        companions: What goes on beside the services.
        manager: Who runs devrun and wants to be told how it is doing.
    """

    project: Project
    services: Roster
    signals: SignalInbox
    guardian: int | None
    hint: str | None
    bus: Bus
    screen: Screen
    launcher: Launcher
    adopted: dict[int, Child | SpawnError]
    identity: Identity | None = None
    load: Load | None = None
    describe: Describe | None = None
    companions: Sequence[Companion] = ()
    manager: ServiceManager | None = None
