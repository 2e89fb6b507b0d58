"""Services that have a limit of memory, and what becomes of those that are over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from devrun.events import Notice, OverMemory
from devrun.policies import OnLimit
from devrun.supervise.launch import Launcher
from devrun.supervise.memory import HeldBack, OverLimit, Watched, watch_memory
from devrun.supervise.messages import Exceeded
from devrun.supervise.service import ServiceTask
from devrun.supervise.state import Phase


async def guard_memory(
    tasks: Sequence[ServiceTask], launcher: Launcher, reload: Callable[[int], None]
) -> None:
    """Restart or reload services that use too much memory, until cancelled.

    Args:
        tasks: All services, by index; the present one of each.
        reload: Begins to reload one.
    """

    def watched() -> list[Watched]:
        return [
            Watched(
                task.spec.index,
                task.state.generation,
                launcher.ownership(task.spec, task.state.generation),
                task.spec.max_memory.size,
            )
            for task in tasks
            if task.spec.max_memory is not None and task.state.phase is Phase.RUNNING
        ]

    def tell(index: int, generation: int, news: OverLimit | HeldBack) -> None:
        task = tasks[index]
        limit = task.spec.max_memory
        if isinstance(news, OverLimit) and limit and limit.action is OnLimit.RELOAD:
            task.telling.tell(OverMemory(index, generation, news.used, news.limit))
            reload(index)
        elif isinstance(news, OverLimit):
            task.send(Exceeded(generation, news.used, news.limit))
        else:
            wait = f"restarting in {news.seconds:.0f} s if that stays so"
            task.telling.tell(Notice(f"uses too much memory again: {wait}", index))

    await watch_memory(watched, tell)
