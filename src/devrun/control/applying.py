"""Another configuration for a run that goes on: what differs, and that alone, is put into effect.

The configuration is read anew by the run itself, in a thread, because ecosystem files are programs
that take their time. Nothing is touched before all of it has been understood.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import trio

from devrun.config.selection import COMMAND_LINE
from devrun.control.changes import Difference, differences, renamed
from devrun.control.detached import has_settled
from devrun.control.rising import Rise, Risen, picture_of
from devrun.control.service_state import status_of
from devrun.errors import UsageError
from devrun.model import Project, Service
from devrun.process.service_notify import ServiceManager, reloading
from devrun.supervise.dependencies import name_of
from devrun.supervise.results import Done, Refused, Result
from devrun.supervise.standing import Word

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
        self,
        words: Sequence[str],
        folder: str | None,
        *,
        dry_run: bool = False,
        others_stay: bool = False,
        wait: bool = True,
    ) -> Applied:
        """Make the run what a command line says; or only say how it would differ.

        Args:
            words: Those of ``devrun`` itself; none mean the file of the folder.
            folder: Where they were said; None is the folder of the run.
            others_stay: Services of which the line says nothing stay as they are.
            wait: Return when what has been begun is there or has failed, and not before.

        Raises:
            UsageError: They, or a file, are wrong; nothing was touched.
            Refused: The run is ending.
        """
        async with self._turn:
            self._refuse_if_stopping()
            wanted, environments = await self._read(words, folder)
            self._refuse_if_stopping()
            if others_stay:
                wanted, environments = self._with_others(wanted, environments)
            present, labels = self._present(wanted.services)
            difference = self._compared(present, wanted.services, environments)
            _check_folders(wanted.services, difference)
            later = tuple(name for name in _OF_THE_RUN if self._is_other(wanted, name))
            results: tuple[Result, ...] = ()
            if not dry_run:
                # Whoever asked may go away; what has been begun is not left half done.
                with trio.CancelScope(shield=True):
                    results = await self._carry_out(wanted, labels, difference)
        if wait:
            results = await self._risen(results)
        return Applied(difference, later, results)

    async def _read(
        self, words: Sequence[str], folder: str | None
    ) -> tuple[Project, Mapping[str, Mapping[str, str]]]:
        def read() -> tuple[Project, Mapping[str, Mapping[str, str]]]:
            project = self._named(self._load(words, folder))
            return project, {
                service.label: self._launcher.environment_in(project, service)
                for service in project.services
            }

        with self._exits.left_to_others():
            return await trio.to_thread.run_sync(read)

    def _named(self, wanted: Project) -> Project:
        """Return a project that this run can become, whose services all have names.

        Raises:
            UsageError: It is another's, or nothing.
        """
        if wanted.root != self._begun_with.root:
            raise UsageError(f"that is the project of {wanted.root}, not of this run")
        if not wanted.services:
            raise UsageError("nothing would be left to run; devrun down ends the run")
        sources = self._begun_with.source, wanted.source
        if sources[0] != sources[1] and COMMAND_LINE in sources:
            are = "is of {}, and a command is none of it"
            if sources[0] == COMMAND_LINE:
                are = "are commands, and {} is none of them"
            file = next(source for source in sources if source != COMMAND_LINE)
            message = f"what runs here {are.format(file)}"
            raise UsageError(f"{message}; --name gives it a run of its own")
        # A place among the services says nothing: there, too, others have gone or been added.
        services = (replace(service, name=service.label) for service in wanted.services)
        return replace(wanted, services=tuple(services))

    def _with_others(
        self, wanted: Project, environments: Mapping[str, Mapping[str, str]]
    ) -> tuple[Project, Mapping[str, Mapping[str, str]]]:
        """Return a project that has what is there besides, as it is."""
        names = {name_of(service) for service in wanted.services}
        members = self._supervisor.members
        others = [each for each in members.present() if name_of(each) not in names]
        theirs = {each.label: self._launcher.environment_of(each) for each in others}
        services = (*wanted.services, *others)
        return replace(wanted, services=services), {**environments, **theirs}

    def _present(self, wanted: Sequence[Service]) -> tuple[list[Service], Mapping[int, str]]:
        """Return what is there, by the names that it is to have, and those that are other ones."""
        members = self._supervisor.members
        present = members.present()
        labels = renamed(present, wanted)
        return [replace(each, name=labels.get(each.index, each.name)) for each in present], labels

    def _compared(
        self,
        present: Sequence[Service],
        wanted: Sequence[Service],
        environments: Mapping[str, Mapping[str, str]],
    ) -> Difference:
        tasks = self._supervisor.members.tasks
        started = {
            service.label: self._launcher.environment_of(service)
            for service in present
            if tasks[service.index].state.generation
        }
        return differences(present, wanted, started, environments)

    def _is_other(self, wanted: Project, name: str) -> bool:
        return bool(getattr(wanted, name) != getattr(self._begun_with, name))

    async def _carry_out(
        self, wanted: Project, labels: Mapping[int, str], difference: Difference
    ) -> tuple[Result, ...]:
        """Begin what is new; return what it was."""
        self._launcher.environment_settings = wanted.environment
        for index, label in labels.items():
            self._supervisor.members.rename(index, label)
        if difference.is_empty:
            return ()
        # Whoever waits for the first READY=1 would take that of a reload for it.
        told = self._manager if self._manager is not None and self._manager.is_ready else None
        if told is not None:
            await told.tell(*reloading(), "STATUS=applying another configuration")
        try:
            changed = {label for label, _ in difference.changed}
            changes = await self._supervisor.orders.apply(wanted.services, changed)
        finally:
            if told is not None:
                await told.tell("READY=1", f"STATUS={status_of(picture_of(self._supervisor))}")
        return changes.results

    async def _risen(self, begun: Sequence[Result]) -> tuple[Result, ...]:
        """Wait until what has been begun is there or has failed; return what became of it."""
        indices = {each.index for each in begun if each.done is not Done.REMOVED}
        while True:
            picture = picture_of(self._supervisor)
            if await has_settled(self._supervisor, picture, indices):
                break
        return tuple(
            _as_risen(each, picture.instances.get(each.index)) if each.index in indices else each
            for each in begun
        )

    def _refuse_if_stopping(self) -> None:
        if self._supervisor.is_stopping:
            raise Refused("the run is ending")


def _check_folders(wanted: Sequence[Service], difference: Difference) -> None:
    """See that what is to be started has a folder, before anything has been stopped for it.

    Raises:
        UsageError: It has none.
    """
    labels = {*difference.added, *(label for label, _ in difference.changed)}
    for service in wanted:
        if service.label in labels and not os.path.isdir(service.cwd):
            raise UsageError(f"{service.label}: no such folder: {service.cwd}")


def _as_risen(begun: Result, risen: Risen | None) -> Result:
    """Return what became of an instance that was begun."""
    if risen is None:
        return replace(begun, done=Done.FAILED, reason="it was removed")
    if risen.rise is Rise.UP and risen.standing.word is not Word.STOPPED:
        return begun
    done = Done.SKIPPED if risen.standing.word is Word.SKIPPED else Done.FAILED
    return replace(begun, done=done, reason=risen.standing.reason or risen.standing.word.value)
