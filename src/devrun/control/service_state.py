"""Tells whatever runs devrun, as a rule systemd, how the run is doing (sd_notify(3)).

It is told by a task of the event loop and never by a thread: when the loop hangs, the signs of life
end, and the watchdog does what it is for.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import trio

from devrun.control.detached import SETTLED_AFTER
from devrun.control.rising import Picture, Rise, picture_of
from devrun.process.service_notify import ServiceManager

if TYPE_CHECKING:
    from devrun.supervise.supervisor import Supervisor

STOPPING_TAKES = 15.0
"""Seconds that stopping may take from each time on that this is said; services have times of their
own, and devrun holds them to these."""

MOST_NAMED = 5


async def tell_manager(
    manager: ServiceManager, supervisor: Supervisor, *, guardian: int | None
) -> None:
    """Tell what happens, until cancelled.

    Args:
        guardian: Pid of the process that ends last, if it is not this one.
    """
    news = _News(manager, supervisor, guardian)
    try:
        async with trio.open_nursery() as nursery:
            if manager.watchdog is not None:
                nursery.start_soon(_live, manager, manager.watchdog / 2)
            await news.tell_all()
            await _take_time(manager)
    finally:
        with trio.CancelScope(shield=True):
            await news.tell()  # A run of programs that end by themselves is over at once.
        manager.close()


async def _live(manager: ServiceManager, interval: float) -> None:
    while True:
        await manager.tell("WATCHDOG=1")
        await trio.sleep(interval)


async def _take_time(manager: ServiceManager) -> None:
    """Say that the run ends, and ask for time as long as it does."""
    fields = ["STOPPING=1", "STATUS=stopping the services"]
    while True:
        await manager.tell(*fields, f"EXTEND_TIMEOUT_USEC={round(STOPPING_TAKES * 1_000_000)}")
        await trio.sleep(STOPPING_TAKES / 3)
        fields = []


class _News:
    """Tells how far a run has come."""

    def __init__(
        self, manager: ServiceManager, supervisor: Supervisor, guardian: int | None
    ) -> None:
        self._manager = manager
        self._supervisor = supervisor
        self._ready = ["READY=1", *(() if guardian is None else (f"MAINPID={guardian}",))]
        self._status = ""

    async def tell_all(self) -> None:
        """Tell, until the run begins to end."""
        is_settled = False
        while not self._supervisor.is_stopping:
            # What happens while something is told is seen at another look, before any waiting.
            if await self.tell(is_settled=is_settled):
                continue
            is_decided = bool(self._ready) and picture_of(self._supervisor).is_decided
            with trio.move_on_after(SETTLED_AFTER if is_decided else inf) as waiting:
                await self._supervisor.news.changed()
            is_settled = waiting.cancelled_caught

    async def tell(self, *, is_settled: bool = False) -> bool:
        """Tell what is new; return whether there was anything.

        Whoever waits for READY=1 waits no longer than ``up -d`` does: what has failed, and what
        that holds up, is not awaited, and is told in the status.

        Args:
            is_settled: Nothing has happened for a while.
        """
        picture = picture_of(self._supervisor)
        fields: list[str] = []
        if picture.is_up or (is_settled and picture.is_decided):
            fields, self._ready = self._ready, []
        if (status := status_of(picture)) != self._status and not self._supervisor.is_stopping:
            self._status = status
            fields = [*fields, f"STATUS={status}"]
        if fields:
            await self._manager.tell(*fields)
        return bool(fields)


def status_of(picture: Picture) -> str:
    """Return in a line how far a run has come."""
    count = len(picture.instances)
    some = "1 service" if count == 1 else f"{count} services"
    if picture.is_up:
        return f"{some} up"
    words = [f"{picture.count(Rise.UP)} of {some} up"]
    for rises, what in (
        ((Rise.FAILED,), "failed"),
        ((Rise.AWAITED, Rise.HELD_UP), "waiting for"),
    ):
        labels = picture.labels(*rises)
        if labels:
            more = f" and {len(labels) - MOST_NAMED} more" if len(labels) > MOST_NAMED else ""
            words.append(f"{what}: {', '.join(labels[:MOST_NAMED])}{more}")
    return "; ".join(words)
