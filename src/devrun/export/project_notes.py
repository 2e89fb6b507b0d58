"""What no target can be told, of the project and of its services."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from devrun.export.process_type import ProcessType
from devrun.model import KillOthers, Project
from devrun.policies import OnRestart, Strategy


def project_notes(project: Project, types: Sequence[ProcessType]) -> Iterator[str]:
    """Yield what is different from a run with devrun, whatever the target."""
    yield from _endings(project, types)
    counted = [
        s.label
        for s in project.services
        if s.restart.tries > 0 and (s.process is None or project.procfile)
    ]
    if counted:
        yield f"restarts are not counted: {', '.join(counted)}"
    watched = sorted({s.process or s.label for s in project.services if s.watch})
    if watched:
        yield f"no files are watched: {', '.join(watched)}"
    if project.teardown.commands:
        yield "no teardown command is run"
    if project.max_processes is not None:
        yield "all processes run at the same time, whatever --max-processes says"
    if project.shutdown_timeout is not None:
        yield "shutdown_timeout has no meaning: each has its own time to end"
    for group in project.groups:
        if group.strategy is not Strategy.ONE_FOR_ONE:
            yield f"group {group.name}: its members are not restarted together"
    if project.environment.override:
        yield "--env-override has no meaning: there is no environment to be overridden"
    yield from _secrets(types)


def _endings(project: Project, types: Sequence[ProcessType]) -> Iterator[str]:
    declared = all(kind.declared for kind in types)
    if project.kill_others is not KillOthers.NEVER:
        rest = "" if declared else ": each is started again"
        yield f"the end of one process does not stop the others{rest}"
    ending = [
        kind.name
        for kind in types
        if kind.service.kill_others not in (None, KillOthers.NEVER, project.kill_others)
    ]
    if ending:
        yield f"on_exit: their end does not stop the others: {', '.join(ending)}"


def _secrets(types: Sequence[ProcessType]) -> Iterator[str]:
    for kind in types:
        if kind.withheld:
            names = ", ".join(kind.withheld)
            message = f"{kind.name}: left out, for variables are put into it: {names}"
            yield f"{message}; --include-secrets writes it, and --public NAME says what is none"


def missing_needs(kind: ProcessType) -> list[str]:
    """Return the names of what a process depends on that is not exported."""
    there = {need.on.name for need in kind.needs}
    return [each.service for each in kind.service.depends_on if each.service not in there]


def restarted_along(kind: ProcessType) -> bool:
    """Whether a process that would go on is restarted with what it requires."""
    return any(
        need.dependency.required
        and need.dependency.on_restart is OnRestart.IGNORE
        and not need.on.once
        for need in kind.needs
    )
