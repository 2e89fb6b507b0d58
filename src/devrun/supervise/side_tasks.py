"""What goes on beside the services, for those runs that want it: watching, limits, keys."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import trio

from devrun.model import Project
from devrun.output.screen import Size
from devrun.supervise.interrupts import Interrupts
from devrun.supervise.service import ServiceTask
from devrun.supervise.surroundings import Surroundings

TYPE_CHECKING = False  # these are not for every run
if TYPE_CHECKING:
    from devrun.output.focus import Focused
    from devrun.supervise.reload import Reloads
    from devrun.supervise.watching import Watching


class SideTasks:
    """Begins what a run needs beside its services; all of it is cancelled when they have ended.

    Args:
        tasks: The present task of each service, by index.
        size_for: Rows and columns for a service's pseudo-terminal, as they are now.
        reloads: Returns what reloads services.
        is_reloading: Whether a service is being reloaded.
    """

    def __init__(
        self,
        project: Project,
        tasks: Sequence[ServiceTask],
        around: Surroundings,
        *,
        interrupts: Interrupts,
        size_for: Callable[[int], Size],
        reloads: Callable[[], Reloads],
        is_reloading: Callable[[int], bool],
    ) -> None:
        self._project = project
        self._tasks = tasks
        self._around = around
        self._interrupts = interrupts
        self._size_for = size_for
        self._reloads = reloads
        self._is_reloading = is_reloading
        self._sources: trio.Nursery | None = None
        self._watching: Watching | None = None
        self._guards_memory = False

    async def begin(self, sources: trio.Nursery) -> None:
        """Begin all that the project needs; watching has begun when this returns."""
        self._sources = sources
        if self._project.input_target is not None:
            sources.start_soon(self._pass_input_on)
        if self._around.focused is not None:
            sources.start_soon(self._pass_keys_on, self._around.focused)
        self._guard_memory()
        await self._watch(since=self._around.launcher.began_at)

    async def services_changed(self) -> None:
        """Begin what services need that were added, or are others now."""
        self._guard_memory()
        if self._watching is not None:
            self._watching.end()
            self._watching = None
        await self._watch(since=time.time())

    def settled(self, index: int) -> None:
        """Hear that a reload of a service is over."""
        if self._watching is not None:
            self._watching.settled(index)

    def _guard_memory(self) -> None:
        sources = self._sources
        if sources is None or self._guards_memory:
            return
        if any(service.max_memory for service in self._project.services):
            from devrun.supervise.memory_guard import guard_memory

            self._guards_memory = True
            sources.start_soon(
                guard_memory,
                self._tasks,
                self._around.launcher,
                lambda index: sources.start_soon(self._reloads().reload, [index]),
            )

    async def _watch(self, *, since: float) -> None:
        if self._sources is None:
            return
        if any(service.watch for service in self._project.services):
            from devrun.supervise.watching import Watching

            self._watching = Watching(
                self._project, self._tasks, self._around, is_reloading=self._is_reloading
            )
            await self._watching.begin(self._sources, since)

    async def _pass_input_on(self) -> None:
        from devrun.sources.standard_input import lines
        from devrun.supervise.input import InputRouter

        router = InputRouter(
            self._project,
            launcher=self._around.launcher,
            child=lambda index: self._tasks[index].child,
            publish=self._around.publish,
        )
        await router.run(lines())

    async def _pass_keys_on(self, focused: Focused) -> None:
        from devrun.sources.keyboard import Keyboard
        from devrun.supervise.focus import pass_keys_on

        keyboard = Keyboard(guardian=self._interrupts.guardian)
        self._interrupts.keyboard = keyboard
        await pass_keys_on(
            focused,
            self._tasks[focused.service].spec,
            keyboard=keyboard,
            child=lambda: self._tasks[focused.service].child,
            publish=self._around.publish,
            size=lambda: self._size_for(focused.service),
        )
