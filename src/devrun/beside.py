"""What goes on beside the services of a run: who asks it, steers it, or is told how it is doing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial

import trio

from devrun.errors import SpawnError
from devrun.output.complaint import complain
from devrun.parts import Inside, Parts
from devrun.process.exits import ChildExits
from devrun.supervise.supervisor import Supervisor

TYPE_CHECKING = False  # devrun.control is not for every run
if TYPE_CHECKING:
    from devrun.control.applying import Applying
    from devrun.control.door import Door
    from devrun.control.subject import Prefix, Subject


def begin_beside(
    this: Parts, inside: Inside, exits: ChildExits, output: trio.Nursery
) -> Door | None:
    """Begin what goes on beside the services; return where clients come in."""
    subject = _subject(this, inside, exits)
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


def _subject(this: Parts, inside: Inside, exits: ChildExits) -> Callable[[], Subject] | None:
    """Return what returns the run as it can be asked, where it has a place for that.

    Its output is remembered from the beginning; the rest is made when somebody asks.
    """
    identity = this.identity
    if identity is None:
        return None
    from devrun.control.detached import Report, Shown
    from devrun.output.line_history import LineHistory

    history, shown = LineHistory(), Shown()
    this.bus.subscribe(history, shown)
    supervisor = inside.supervisor

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
            lambda say: Report(supervisor, shown, inside.last_lines, say),
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
