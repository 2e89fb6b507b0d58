"""One run of a project: the only place that puts the parts together.

The first generation starts before trio is imported, so that the services' own start-up and devrun's
go on at the same time; the supervisor adopts it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from devrun.errors import SpawnError
from devrun.model import Project, Roster
from devrun.output.bus import Bus
from devrun.output.complaint import complain
from devrun.output.screen import STDOUT, Screen
from devrun.sources.signals import SignalInbox
from devrun.supervise.launch import Launcher

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from devrun.control.address import Identity
    from devrun.control.applying import Load
    from devrun.control.description import Describe
    from devrun.parts import Companion
    from devrun.process.service_notify import ServiceManager
    from devrun.process.spawn import Child
    from devrun.supervise.outcome import Verdict


@dataclass(frozen=True, slots=True)
class Run:
    """What one run is made of before the event loop exists.

    Attributes:
        guardian: Pid of the guardian, if there is one.
        hint: The flag that keeps other services running, where ending them is a default.
        managed: There can be no second run of this folder and name.
        detached: It runs without a terminal, and its services write to files.
        load: Reads the configuration anew for a running project, of a command line's words.
        describe: Says what holds for a service, and where that is from.
        companions: What goes on beside the services.
        manager: Who runs devrun and wants to be told how it is doing.
    """

    project: Project
    environ: Mapping[str, str]
    signals: SignalInbox
    guardian: int | None
    hint: str | None = None
    managed: bool = False
    detached: bool = False
    load: Load | None = None
    describe: Describe | None = None
    companions: Sequence[Companion] = ()
    manager: ServiceManager | None = None


def run(this: Run) -> Verdict:
    """Run the project to its end, and return how devrun is to end.

    Raises:
        AlreadyRuns: It is managed, and runs already; nothing was started.
    """
    terminal = os.isatty(STDOUT)
    bus = Bus()
    services = Roster(this.project.services)
    project = replace(this.project, services=services)
    screen = Screen(project, terminal=terminal)
    tty = terminal if project.output.tty is None else project.output.tty
    launcher = Launcher(
        project,
        environ=this.environ,
        tty=tty,
        size_for=screen.size_for,
        notice=lambda text, index: _publish_notice(bus, text, index),
        detached=this.detached,
    )
    identity = _identity(this, launcher) if this.managed else None
    adopted = _start_first(this, launcher)

    # From here on the services run; whatever is imported costs them nothing.
    import trio

    from devrun.loop import live
    from devrun.parts import Parts

    parts = Parts(
        project=project,
        services=services,
        signals=this.signals,
        guardian=this.guardian,
        hint=this.hint,
        bus=bus,
        screen=screen,
        launcher=launcher,
        adopted=adopted,
        identity=identity if this.managed else _identity(this, launcher),
        load=this.load,
        describe=this.describe,
        companions=this.companions,
        manager=this.manager,
    )
    return trio.run(live, parts)


def _identity(this: Run, launcher: Launcher) -> Identity | None:
    """Say which run this is, where others look for it; without a place for that, nobody can ask.

    Raises:
        AlreadyRuns: It is managed, and runs already.
    """
    import time

    from devrun.control.address import AlreadyRuns, Identity, claim

    identity = Identity(
        this.project.root,
        this.project.name,
        this.project.source,
        time.time(),
        managed=this.managed,
        detached=this.detached,
    )
    try:
        claim(launcher.private_folder().path, identity, this.environ)
    except AlreadyRuns:
        launcher.close()
        raise
    except (SpawnError, OSError) as error:
        if this.managed:
            complain(f"cannot be asked for anything while it runs: {error}")
        return None
    return identity


def _publish_notice(bus: Bus, text: str, index: int) -> None:
    from devrun.events import Notice

    bus.publish(Notice(text, index))


def _start_first(this: Run, launcher: Launcher) -> dict[int, Child | SpawnError]:
    """Start the first generation, unless a signal says to stop."""
    from devrun.process.spawn import note_ends

    adopted: dict[int, Child | SpawnError] = {}
    running: list[Child] = []
    this.signals.on_child(lambda: note_ends(running))
    services = this.project.services
    for service in services[: this.project.max_processes or len(services)]:
        if this.signals.stop_requested:
            break
        if service.depends_on or service.start_delay:
            continue
        try:
            adopted[service.index] = child = launcher.launch(service, generation=1)
            running.append(child)
            note_ends(running)  # The signal may have come before this.
        except SpawnError as error:
            adopted[service.index] = error
    return adopted
