"""The part of a run that lives in the event loop; what must end last is outermost.

output     the writer, and the clock on a reader that has stopped reading
  pumps      one a generation, ended by the end of its output
    services   the supervisor, until no process is left
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

import trio

from devrun.beside import begin_beside
from devrun.events import Event, StopReason
from devrun.output.complaint import complain
from devrun.output.direct import Direct, OwnLines
from devrun.output.journal import Journal
from devrun.output.log_outlet import LogOutlet
from devrun.output.renderer import Renderer
from devrun.output.screen import STDOUT, Size
from devrun.output.summary import Summary
from devrun.output.timings import Timings
from devrun.parts import Inside, Parts
from devrun.process.exits import ChildExits
from devrun.supervise.outcome import Verdict
from devrun.supervise.supervisor import Supervisor
from devrun.supervise.surroundings import Surroundings

TYPE_CHECKING = False  # output.focus is not for every run
if TYPE_CHECKING:
    from devrun.output.focus import Focused


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


LAST_LINES = 20
"""Lines that are shown of a service that has been given up."""

STALLED = 1.0
"""Seconds after which, once the user has said stop, a reader that takes nothing is given up."""

STALLED_DISK = 5.0
"""Seconds after which, in the same case, a disk is given up."""

_READER_GONE = (errno.EPIPE, errno.EIO, errno.ECONNRESET)
"""What writing to a closed pipe, a terminal that hung up, and a closed socket answers."""


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
    logs = LogOutlet(this.bus)
    logs.follow(this.services)

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
            door = begin_beside(this, Inside(supervisor, this.bus, last_lines), exits, output)
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


def _renamed(this: Parts, presenter: Renderer, logs: LogOutlet) -> Callable[[int], None]:
    """Return what hears of services that were added, or are others now."""

    def renamed(index: int) -> None:
        presenter.renamed(index)
        logs.follow((this.services[index],))

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
        supervisor.shutdown.stop(StopReason.READER_GONE)
        return
    complain(f"cannot write the output: {error.strerror}; stopping")
    supervisor.shutdown.stop(StopReason.OUTPUT_FAILED)


async def _give_up_when_stalled(
    supervisor: Supervisor, journal: Journal, logs: LogOutlet, output: trio.CancelScope
) -> None:
    """Once the user has said stop and nothing runs, do not wait for a reader that has stopped."""
    await supervisor.shutdown.signalled.wait()
    await supervisor.over.wait()
    while True:
        if journal.stalled_for >= STALLED:
            lost = f"{journal.unwritten} bytes are lost"
            complain(f"the reader of the output has stopped reading: {lost}")
            break
        if logs.files is not None and logs.files.stalled_for >= STALLED_DISK:
            complain(f"log files cannot be written: {logs.files.unwritten} bytes are lost")
            break
        await trio.sleep(0.1)
    output.cancel()
