"""One run of a project: the only place that puts the parts together.

The first generation starts before trio is imported, so that the services' own start-up and devrun's
go on at the same time; the supervisor adopts it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from devrun.errors import SpawnError
from devrun.model import Project
from devrun.output.bus import Bus
from devrun.output.screen import STDOUT, Screen
from devrun.sources.signals import SignalInbox
from devrun.supervise.launch import Launcher

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from devrun.process.spawn import Child
    from devrun.supervise.outcome import Verdict


@dataclass(frozen=True, slots=True)
class Run:
    """What one run is made of before the event loop exists.

    Attributes:
        guardian: Pid of the guardian, if there is one.
        hint: The flag that keeps other services running, where ending them is a default.
    """

    project: Project
    environ: Mapping[str, str]
    signals: SignalInbox
    guardian: int | None
    hint: str | None = None


def run(this: Run) -> Verdict:
    """Run the project to its end, and return how devrun is to end."""
    terminal = os.isatty(STDOUT)
    bus = Bus()
    screen = Screen(this.project, terminal=terminal)
    tty = terminal if this.project.output.tty is None else this.project.output.tty
    launcher = Launcher(
        this.project,
        environ=this.environ,
        tty=tty,
        size_for=screen.size_for,
        notice=lambda text, index: _publish_notice(bus, text, index),
    )
    adopted = _start_first(this, launcher)

    # From here on the services run; whatever is imported costs them nothing.
    import trio

    from devrun.loop import Parts, live

    parts = Parts(
        project=this.project,
        signals=this.signals,
        guardian=this.guardian,
        hint=this.hint,
        bus=bus,
        screen=screen,
        launcher=launcher,
        adopted=adopted,
    )
    return trio.run(live, parts)


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
