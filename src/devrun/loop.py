"""The part of a run that lives in the event loop; what must end last is outermost.

output     the writer, and the clock on a reader that has stopped reading
  pumps      one a generation, ended by the end of its output
    services   the supervisor, until no process is left
"""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Protocol

import trio

from devrun.errors import SpawnError
from devrun.events import Event, Notice, StopReason
from devrun.model import Project, Roster, Service
from devrun.output.bus import Bus
from devrun.output.complaint import complain
from devrun.output.direct import Direct, OwnLines
from devrun.output.journal import Journal
from devrun.output.renderer import Renderer
from devrun.output.screen import STDOUT, Screen, Size
from devrun.output.summary import Summary
from devrun.output.timings import Timings
from devrun.process.exits import ChildExits
from devrun.process.spawn import Child
from devrun.sources.signals import SignalInbox
from devrun.supervise.launch import Launcher
from devrun.supervise.outcome import Verdict
from devrun.supervise.supervisor import Supervisor
from devrun.supervise.surroundings import Surroundings

TYPE_CHECKING = False  # output.focus is not for every run
if TYPE_CHECKING:
    from devrun.control.address import Identity
    from devrun.control.applying import Applying, Load
    from devrun.control.description import Describe
    from devrun.control.door import Door
    from devrun.control.subject import Prefix, Subject
    from devrun.output.focus import Focused
    from devrun.output.log_desk import LoggedService
    from devrun.output.log_files import LogFiles
    from devrun.policies import LogFile
    from devrun.process.service_notify import ServiceManager


class Sink(Protocol):
    """What shows events."""

    def __call__(self, event: Event) -> None:
        """Show an event, now or later."""

    def over(self, instance: int) -> None:
        """Say that no event of a service will come any more."""

    async def run(self) -> None:
        """Do what is to be done between events."""

    async def finish(self) -> None:
        """Show all that has not been shown: no more will come."""


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

LAST_LINES = 20
"""Lines that are shown of a service that has been given up."""

STALLED_DISK = 5.0
"""Seconds after which, in the same case, a disk is given up."""

STALLED = 1.0
"""Seconds after which, once the user has said stop, a reader that takes nothing is given up."""

_READER_GONE = (errno.EPIPE, errno.EIO, errno.ECONNRESET)
"""What writing to a closed pipe, a terminal that hung up, and a closed socket answers."""


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


async def live(this: Parts) -> Verdict:
    """Run the services and carry their output, to the end of both."""
    supervisor: Supervisor
    this.signals.on_child(None)  # From here on they are waited for.
    failed = lambda error: _output_failed(supervisor, error)  # noqa: E731 - made below
    journal = Journal(STDOUT, gone=failed)
    summary, timings = Summary(), Timings()
    last_lines = partial(summary.last_lines, count=LAST_LINES)
    presenter = this.screen.new_presenter(trio.current_time, last_lines=last_lines)
    focused = _focused(this, presenter, journal, failed)
    sink = focused or _sink(this, presenter, journal, failed)
    this.bus.subscribe(sink, summary, timings)
    logs = _log_files(this)
    exits = ChildExits()
    around = Surroundings(
        launcher=this.launcher,
        journal=journal,
        exits=exits,
        publish=this.bus.publish,
        over=sink.over,
        observe=lambda index, news: supervisor.observe(index, news),  # noqa: PLW0108 - made below
        renamed=_renamed(this, presenter, logs),
        adopted=this.adopted,
        focused=focused,
        logs=logs,
    )
    supervisor = Supervisor(
        this.project,
        this.services,
        around,
        signals=this.signals,
        guardian=this.guardian,
        size_for=_size_for(this, focused),
        policy_hint=this.hint,
    )
    try:
        async with trio.open_nursery() as output:
            output.start_soon(_give_up_when_stalled, supervisor, journal, logs, output.cancel_scope)
            output.start_soon(sink.run)
            door = _begin_beside(this, Inside(supervisor, this.bus, last_lines), exits, output)
            async with trio.open_nursery() as pumps:
                await supervisor.run(pumps)
            for event in supervisor.left_behind:
                this.bus.publish(event)
            if door is not None:
                await door.finish()
            await sink.finish()
            if this.project.output.timings:
                journal.put(presenter.finish(timings.render(this.project.services)))
            if supervisor.orderly and this.project.teardown.commands:
                await _tear_down(this, journal, exits)
            if supervisor.verdict().failed:
                journal.put(presenter.finish(_failures(this, summary)))
            if logs is not None:
                await logs.close()
            await journal.close()
            output.cancel_scope.cancel()
    finally:
        this.signals.subscribe(None)
        this.launcher.close()
    return supervisor.verdict()


def _failures(this: Parts, summary: Summary) -> Sequence[str]:
    settings = this.project.output
    return () if settings.quiet else summary.render(this.project.services, tail=settings.tail)


def _begin_beside(
    this: Parts, inside: Inside, exits: ChildExits, output: trio.Nursery
) -> Door | None:
    """Begin what goes on beside the services; return where clients come in."""
    subject = _subject(this, inside.supervisor, exits)
    for companion in this.companions:
        output.start_soon(companion, replace(inside, subject=subject))
    if this.manager is not None:
        from devrun.control.service_state import tell_manager

        told = partial(tell_manager, this.manager, inside.supervisor, guardian=this.guardian)
        output.start_soon(told)
    door = _open_door(this, subject)
    if door is not None:
        output.start_soon(door.run)
    return door


def _subject(
    this: Parts, supervisor: Supervisor, exits: ChildExits
) -> Callable[[], Subject] | None:
    """Return what returns the run as it can be asked, where it has a place for that.

    Its output is remembered from the beginning; the rest is made when somebody asks.
    """
    identity = this.identity
    if identity is None:
        return None
    from devrun.output.line_history import LineHistory

    history = LineHistory()
    this.bus.subscribe(history)

    @cache
    def subject() -> Subject:
        from devrun.control.subject import Subject

        return Subject(
            identity,
            supervisor,
            this.services,
            this.launcher,
            history,
            _applying(this, supervisor, exits),
            this.describe,
            lambda: _names(this),
        )

    return subject


def _names(this: Parts) -> dict[int, Prefix]:
    """Return what stands before the lines of each service."""
    from devrun.control.subject import Prefix

    named = {service.index: this.screen.prefixes.name(service.index) for service in this.services}
    return {index: Prefix(text, color.open, color.close) for index, (text, color) in named.items()}


def _open_door(this: Parts, subject: Callable[[], Subject] | None) -> Door | None:
    """Listen for requests."""
    if subject is None:
        return None
    from devrun.control.door import Door

    try:
        return Door.open(this.launcher.private_folder().path, subject)
    except (SpawnError, OSError) as error:
        complain(f"cannot be asked for anything while it runs: {error}")
        return None


def _applying(this: Parts, supervisor: Supervisor, exits: ChildExits) -> Applying | None:
    if this.load is None:
        return None
    from devrun.control.applying import Applying

    return Applying(
        this.project,
        supervisor,
        this.launcher,
        load=this.load,
        exits=exits,
        manager=this.manager,
    )


async def _tear_down(this: Parts, journal: Journal, exits: ChildExits) -> None:
    from devrun.supervise.teardown import TeardownSequence

    sequence = TeardownSequence(
        this.project,
        launcher=this.launcher,
        journal=journal,
        exits=exits,
        signals=this.signals,
        publish=this.bus.publish,
    )
    await sequence.run()


def _sink(
    this: Parts, presenter: Renderer, journal: Journal, failed: Callable[[OSError], None]
) -> Sink:
    """Return what shows events."""
    if this.identity is not None and this.identity.detached:
        return OwnLines(presenter, journal)
    if not this.project.output.group:
        return Direct(presenter, journal)
    from devrun.output.grouping import Grouped

    presenters = [this.screen.new_presenter(trio.current_time) for _ in this.project.services]
    return Grouped(presenters, journal, failed=failed)


def _log_files(this: Parts) -> LogFiles | None:
    """Return what writes the log files, if any service has one."""
    logged = [service for service in this.project.services if service.log is not None]
    if not logged:
        return None
    from devrun.output.log_files import LogFiles

    counts = Counter(service.process for service in logged)
    found = {
        service.index: _logged(service, service.log, is_one_of_many=counts[service.process] > 1)
        for service in logged
        if service.log is not None
    }
    logs = LogFiles(found, notice=lambda text: this.bus.publish(Notice(text)))
    this.bus.subscribe(logs)
    return logs


def _logged(service: Service, log: LogFile, *, is_one_of_many: bool) -> LoggedService:
    from devrun.output.log_desk import LoggedService

    return LoggedService(
        service.process or service.label,
        log,
        number=service.number if is_one_of_many else None,
        separate_streams=log.json or log.error_path is not None,
    )


def _renamed(this: Parts, presenter: Renderer, logs: LogFiles | None) -> Callable[[int], None]:
    """Return what hears of services that were added, or are others now."""

    def renamed(index: int) -> None:
        presenter.renamed(index)
        service = this.services[index]
        if service.log is not None and logs is not None:
            logs.add(index, _logged(service, service.log, is_one_of_many=True))

    return renamed


def _focused(
    this: Parts, presenter: Renderer, journal: Journal, failed: Callable[[OSError], None]
) -> Focused | None:
    """Return what shows events where one service is to have the terminal for itself."""
    if this.project.focus is None:
        return None
    from devrun.output.focus import Focused

    return Focused(presenter, journal, service=this.project.focus, failed=failed)


def _size_for(this: Parts, focused: Focused | None) -> Callable[[int], Size]:
    """Return what tells a service's rows and columns; all of them while it is alone."""

    def size(index: int) -> Size:
        alone = focused is not None and focused.holding and focused.service == index
        return this.screen.size_for(None if alone else index)

    return size


def _output_failed(supervisor: Supervisor, error: OSError) -> None:
    if error.errno in _READER_GONE:
        supervisor.stop(StopReason.READER_GONE)
        return
    complain(f"cannot write the output: {error.strerror}; stopping")
    supervisor.stop(StopReason.OUTPUT_FAILED)


async def _give_up_when_stalled(
    supervisor: Supervisor, journal: Journal, logs: LogFiles | None, output: trio.CancelScope
) -> None:
    """Once the user has said stop and nothing runs, do not wait for a reader that has stopped."""
    await supervisor.signalled.wait()
    await supervisor.over.wait()
    while True:
        if journal.stalled_for >= STALLED:
            lost = f"{journal.unwritten} bytes are lost"
            complain(f"the reader of the output has stopped reading: {lost}")
            break
        if logs is not None and logs.stalled_for >= STALLED_DISK:
            complain(f"log files cannot be written: {logs.unwritten} bytes are lost")
            break
        await trio.sleep(0.1)
    output.cancel()
