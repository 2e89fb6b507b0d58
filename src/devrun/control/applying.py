"""Another configuration for a run that goes on: what differs, and that alone, is put into effect.

The configuration is read anew by the run itself, in a thread, because ecosystem files are programs
that take their time. Nothing is touched before all of it has been understood.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import trio

from devrun.control.changes import Difference, differences
from devrun.errors import UsageError
from devrun.model import Project
from devrun.process.service_notify import ServiceManager, reloading
from devrun.supervise.results import Done, Result

if TYPE_CHECKING:
    from devrun.process.exits import ChildExits
    from devrun.supervise.launch import Launcher
    from devrun.supervise.supervisor import Supervisor

Load = Callable[[Sequence[str], str | None], Project]
"""Makes a project of a command line's words, as said in a folder; raises UsageError."""

_OF_THE_RUN = (
    "kill_others",
    "success",
    "max_processes",
    "teardown",
    "exit_zero_on_interrupt",
    "groups",
    "shutdown_timeout",
)
"""Fields of a project that hold for the whole run, from its beginning to its end."""


@dataclass(frozen=True, slots=True)
class Applied:
    """How a configuration differs from what runs, and what became of it.

    Attributes:
        later: Settings of the whole run that differ, and come into effect when it is begun anew.
        results: What became of the instances that differ; nothing if it was only asked.
    """

    difference: Difference
    later: tuple[str, ...]
    results: tuple[Result, ...] = ()


class Applying:
    """Puts configurations into effect, one at a time.

    Args:
        project: What the run was begun with.
        load: Reads a configuration anew.
        manager: Is told that the configuration is being read.
    """

    def __init__(
        self,
        project: Project,
        supervisor: Supervisor,
        launcher: Launcher,
        *,
        load: Load,
        exits: ChildExits,
        manager: ServiceManager | None = None,
    ) -> None:
        self._begun_with = project
        self._supervisor = supervisor
        self._launcher = launcher
        self._load = load
        self._exits = exits
        self._manager = manager
        self._turn = trio.Lock()

    async def apply(
        self, words: Sequence[str], folder: str | None, *, dry_run: bool = False
    ) -> Applied:
        """Make the run what a command line says; or only say how it would differ.

        Args:
            words: Those of ``devrun`` itself; none mean the file of the folder.
            folder: Where they were said; None is the folder of the run.

        Raises:
            UsageError: They, or a file, are wrong; nothing was touched.
            Refused: The run is ending.
        """
        async with self._turn:
            wanted, environments = await self._read(words, folder)
            difference = self._compared(wanted, environments)
            later = tuple(name for name in _OF_THE_RUN if self._is_other(wanted, name))
            results: tuple[Result, ...] = ()
            if not dry_run and not difference.is_empty:
                # Whoever asked may go away; what has been begun is not left half done.
                with trio.CancelScope(shield=True):
                    results = await self._carry_out(wanted, difference)
            elif not dry_run:
                self._launcher.environment_settings = wanted.environment
        return Applied(difference, later, results)

    async def _read(
        self, words: Sequence[str], folder: str | None
    ) -> tuple[Project, Mapping[str, Mapping[str, str]]]:
        def read() -> tuple[Project, Mapping[str, Mapping[str, str]]]:
            project = self._load(words, folder)
            if project.root != self._begun_with.root:
                raise UsageError(f"that is the project of {project.root}, not of this run")
            if not project.services:
                raise UsageError("nothing would be left to run; devrun down ends the run")
            return project, {
                service.label: self._launcher.environment_in(project, service)
                for service in project.services
            }

        with self._exits.left_to_others():
            return await trio.to_thread.run_sync(read)

    def _compared(
        self, wanted: Project, environments: Mapping[str, Mapping[str, str]]
    ) -> Difference:
        members = self._supervisor.members
        present = [s for s in members.services if s.index not in members.removed]
        started = {
            service.label: self._launcher.environment_of(service)
            for service in present
            if members.tasks[service.index].state.generation
        }
        return differences(present, wanted.services, started, environments)

    def _is_other(self, wanted: Project, name: str) -> bool:
        return bool(getattr(wanted, name) != getattr(self._begun_with, name))

    async def _carry_out(self, wanted: Project, difference: Difference) -> tuple[Result, ...]:
        if self._manager is not None:
            await self._manager.tell(*reloading(), "STATUS=applying another configuration")
        try:
            orders = self._supervisor.orders
            self._launcher.environment_settings = wanted.environment
            changes = await orders.apply(wanted.services)
            done = {label for label, _ in changes.changed} | {*changes.added, *changes.removed}
            # Nothing but the variables of files is other in these.
            labels = [label for label, _ in difference.changed if label not in done]
            indices = [index for label in labels for index in orders.resolve(label)]
            results = await orders.restart(indices) if indices else []
        finally:
            if self._manager is not None:
                await self._manager.tell("READY=1")
        anew = {label for label, _ in changes.changed}
        return (*(self._as_change(each, anew) for each in changes.results), *results)

    def _as_change(self, result: Result, changed: Container[str]) -> Result:
        """Return what became of an instance, as who has changed its configuration sees it."""
        label = self._supervisor.members.services[result.index].label
        if result.done is Done.STARTED and label in changed:
            return replace(result, done=Done.RESTARTED)
        return result
