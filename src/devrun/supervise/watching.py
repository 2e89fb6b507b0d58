"""Changes of files, and the services that they restart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import trio

from devrun.events import Changed, Notice
from devrun.model import Project, WatchSettings
from devrun.sources.loop_guard import Answer, LoopGuard
from devrun.sources.watch import watch
from devrun.supervise.messages import FilesChanged
from devrun.supervise.service import ServiceTask, Surroundings


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
        self._missed: dict[int, FilesChanged] = {}

    async def begin(self, nursery: trio.Nursery) -> None:
        """Watch from now on."""
        rules = [(s.index, rule) for s in self._project.services for rule in s.watch]
        await nursery.start(
            partial(
                watch,
                rules,
                self._settings(),
                root=self._project.root,
                since=self._around.launcher.began_at,
                publish=self._files_changed,
                notice=lambda text: self._around.publish(Notice(text)),
            )
        )

    def settled(self, index: int) -> None:
        """Say that a reload of a service is over."""
        if (missed := self._missed.pop(index, None)) is not None:
            self._tasks[index].send(missed)

    def _settings(self) -> WatchSettings:
        """Return what holds for watching; devrun's own log files never count."""
        settings = self._project.watch
        if self._around.logs is None:
            return settings
        own = self._around.logs.own.patterns(self._project.root)
        return replace(settings, ignore=(*settings.ignore, *own))

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
