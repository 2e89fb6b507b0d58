"""Services that have a limit of memory, and what becomes of those that are over it."""

from __future__ import annotations

from collections.abc import Sequence

from devrun.events import Notice
from devrun.supervise.launch import Launcher
from devrun.supervise.memory import HeldBack, OverLimit, Watched, watch_memory
from devrun.supervise.messages import Exceeded
from devrun.supervise.service import ServiceTask
from devrun.supervise.state import Phase


async def guard_memory(tasks: Sequence[ServiceTask], launcher: Launcher) -> None:
    """Restart services that use too much memory, until cancelled.

    Args:
        tasks: All services, by index; the present one of each.
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
        if isinstance(news, OverLimit):
            task.send(Exceeded(generation, news.used, news.limit))
        else:
            wait = f"restarting in {news.seconds:.0f} s if that stays so"
            task.tell(Notice(f"uses too much memory again: {wait}", index))

    await watch_memory(watched, tell)
