"""Keys of a run in the foreground, and the table that one of them shows."""

from __future__ import annotations

import os
from collections.abc import Sequence

from devrun.appearance import LogFormat
from devrun.model import Project

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from devrun.parts import Companion, Inside


def companions_of(project: Project) -> tuple[Companion, ...]:
    """Return what takes keys, where the terminal is devrun's alone.

    It is not if stdin is somebody's input, or a service has it too. That there are keys is said at
    the beginning of a run of what a file defines; what concurrently could run as well looks as it
    does there, and it is said when a key is pressed.
    """
    output = project.output
    is_wanted = output.keys and not output.quiet and output.log_format is LogFormat.TEXT
    is_free = project.input_target is None and project.focus is None
    inherited = any(service.raw and not service.hidden for service in project.services)
    if is_wanted and is_free and not inherited and os.isatty(0) and os.isatty(1):
        from_file = any(service.process for service in project.services)
        announces = from_file and not any(service.hidden for service in project.services)
        return (lambda inside: _take_keys(inside, announces=announces),)
    return ()


async def _take_keys(inside: Inside, *, announces: bool) -> None:
    """Take keys until no service runs any more."""
    import trio

    from devrun.sources.keyboard import Keyboard
    from devrun.supervise.keys import Keys
    from devrun.supervise.messages import Level

    supervisor = inside.supervisor
    keyboard = Keyboard(guardian=supervisor.guardian, for_program=False)
    supervisor.lend_terminal(keyboard)
    keys = Keys(
        keyboard,
        supervisor.members.services,
        supervisor.orders,
        publish=inside.bus.publish,
        status=lambda: _status(inside),
        kill=lambda: supervisor.shutdown.by_user(Level.KILL),
        announces=announces,
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(keys.run)
        await supervisor.over.wait()
        nursery.cancel_scope.cancel()


async def _status(inside: Inside) -> Sequence[str]:
    """Return the lines of ``devrun ps``."""
    import msgspec

    from devrun.cli.control.ps_table import table

    if inside.subject is None:
        return ["nothing can be told of the services: there is no place for the run's socket"]
    from devrun.control.metering import Meter
    from devrun.control.reading import Reading

    subject = inside.subject()
    found = await Reading(subject, Meter(subject)).instances()
    rows = [msgspec.to_builtins(each) for each in found.instances]
    width = os.get_terminal_size(1).columns or 80
    return table(rows, width - len("--> "), colored=False)
