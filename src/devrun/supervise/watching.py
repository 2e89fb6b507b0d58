"""Changes of files, and the services that they restart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import trio

from devrun.events import Changed, Notice
from devrun.model import Project
from devrun.sources.loop_guard import Answer, LoopGuard
from devrun.sources.watch import watch
from devrun.sources.watch_tree import Watched
from devrun.supervise.messages import FilesChanged
from devrun.supervise.service import ServiceTask
from devrun.supervise.surroundings import Surroundings


class Watching:
    """Watches for a run.

    Args:
        tasks: The present task of each service, by index.
        is_reloading: Whether a service is being reloaded; what changes meanwhile counts afterwards.
    """

    def __init__(
        self,
        project: Project,
        tasks: Sequence[ServiceTask],
        around: Surroundings,
        *,
        is_reloading: Callable[[int], bool],
    ) -> None:
        self._project = project
        self._tasks = tasks
        self._around = around
        self._is_reloading = is_reloading
        self._guard = LoopGuard()
        self._scope = trio.CancelScope()
        self._missed: dict[int, FilesChanged] = {}

    async def begin(self, nursery: trio.Nursery, since: float) -> None:
        """Watch from now on.

        Args:
            since: Wall-clock time; what changed after it and before now has changed, too.
        """

        async def run(*, task_status: trio.TaskStatus[None]) -> None:
            with self._scope:
                await watch(
                    self._rules(),
                    root=self._project.root,
                    since=since,
                    publish=self._files_changed,
                    notice=lambda text: self._around.publish(Notice(text)),
                    task_status=task_status,
                )

        await nursery.start(run)

    def end(self) -> None:
        """Watch no more."""
        self._scope.cancel()

    def settled(self, index: int) -> None:
        """Say that a reload of a service is over."""
        if (missed := self._missed.pop(index, None)) is not None:
            self._tasks[index].send(missed)

    def _rules(self) -> list[Watched]:
        """Return what is watched; devrun's own log files never count."""
        logs, project = self._around.logs.files, self._project
        own = () if logs is None else logs.own.patterns(project.root)
        rules: list[Watched] = []
        for service in project.services:
            settings = project.watch.of(service.process)
            settings = replace(settings, ignore=(*settings.ignore, *own), poll=project.watch.poll)
            rules += [Watched(service.index, rule, settings) for rule in service.watch]
        return rules

    def _files_changed(self, burst: Mapping[int, Sequence[str]]) -> None:
        for index, paths in burst.items():
            more = len(paths) - 1
            started_at = self._tasks[index].state.since
            match self._guard.changed(index, trio.current_time(), started_at):
                case Answer.RESTART if self._is_reloading(index):
                    self._missed[index] = FilesChanged(paths[0], more)
                case Answer.RESTART:
                    self._tasks[index].send(FilesChanged(paths[0], more))
                case Answer.SUSPEND:
                    self._around.publish(Changed(index, paths[0], more, suspended=True))
                case Answer.PASS_OVER:
                    continue
