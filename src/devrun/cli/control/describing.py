"""Describes the services of a run, for those who ask it: ``devrun show``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from devrun.appearance import ColorLevel
from devrun.cli.control.dotted import leaves
from devrun.config.settings import RunSettings
from devrun.control.description import Describe, Description
from devrun.errors import UsageError
from devrun.model import Project, Service

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from devrun.cli.check.source import Source
    from devrun.config.resolve import Resolution

SINCE = "changed while it runs"
"""Where a value is from that is another than at the start: ``devrun scale``, ``devrun up``."""


def describer(
    settings: RunSettings, resolution: Resolution, environ: Mapping[str, str], *, cwd: str
) -> Describe:
    """Return what describes the services of a run; nothing is done before it is asked.

    Args:
        settings: What the user said.
        resolution: What that meant.
        cwd: The folder that devrun was started in.
    """

    def describe(
        name: str, instances: Sequence[Service], variables: Mapping[str, str] = environ
    ) -> Description:
        from devrun.cli.check.secrets import source_unread
        from devrun.cli.check.source import source_of
        from devrun.cli.describe import by_process

        unread: str | None = None
        try:
            source = source_of(settings, resolution, environ, cwd=cwd)
        except UsageError as error:
            unread = str(error)
            source = source_unread(resolution, {*environ.values(), *variables.values()})
        now = _table(resolution.project, name, instances, source)
        at_start = by_process(resolution.project).get(name)
        if at_start is None:
            return Description(now, dict.fromkeys(dict(leaves(now)), SINCE), unread)
        before = dict(leaves(_table(resolution.project, name, at_start, source)))
        base = _of_files(settings, resolution, environ, cwd=cwd)
        if base is None and resolution.defined is not None:
            return Description(now, {}, unread)  # Nothing says what is from the command line.
        places = _places(resolution.project, base, source, name)
        origins = {
            key: places.get(key, SINCE) if key in before and before[key] == value else SINCE
            for key, value in leaves(now)
        }
        return Description(now, origins, unread)

    return describe


def _table(
    project: Project, name: str, instances: Sequence[Service], source: Source
) -> dict[str, object]:
    """Return the table of a service, without what is secret."""
    from devrun.cli.check.secrets import masked
    from devrun.cli.check.tables import whole_table

    shown = masked(replace(project, services=tuple(instances)), source)
    return whole_table(shown, name, shown.services, show_values=False)


def _of_files(
    settings: RunSettings, resolution: Resolution, environ: Mapping[str, str], *, cwd: str
) -> Project | None:
    """Return the project as its files alone have it; None if there are none."""
    from devrun.cli.check.source import bare
    from devrun.config.resolve import resolve

    if resolution.defined is None:
        return None
    if settings == bare(settings):
        return resolution.project
    try:
        return resolve(
            bare(settings), cwd=cwd, environ=environ, color_level=ColorLevel.NONE
        ).project
    except (UsageError, OSError):
        return None  # They have changed meanwhile, and are wrong now.


def _places(project: Project, base: Project | None, source: Source, name: str) -> Mapping[str, str]:
    from devrun.cli.check.origins import COMMAND_LINE, Stage, origins_of

    services = origins_of([Stage(COMMAND_LINE, project)], base, source)["services"]
    own = services[name] if isinstance(services, dict) else {}
    return {key: str(place) for key, place in leaves(own)}
