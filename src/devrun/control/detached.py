"""A run without a terminal: where its output goes, and what it tells whoever waits for it.

Its services write to files of their own and devrun's own lines go to ``devrun.log``, both in the
project's state folder. Whoever started it waits at the other end of a pipe until all services are
there or have failed, and is told on it, in lines of JSON.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING

import trio

from devrun.control.rising import Picture, Rise, Risen, picture_of
from devrun.events import Event, Exited, SpawnFailed
from devrun.process.detaching import pipe_stream
from devrun.supervise.standing import Word

if TYPE_CHECKING:
    from devrun.output.bus import Bus
    from devrun.supervise.supervisor import Supervisor

DRAINED_WITHIN = 1.0
"""Seconds in which the last output of what has failed is awaited."""

SETTLED_AFTER = 0.3
"""Seconds in which nothing may happen any more: a program that is not there, or does not know its
options, ends at once, and counts as running until then."""


class Report:
    """Tells one reader of a pipe how a run comes up; one that has gone is told nothing more.

    Args:
        descriptor: The pipe's writing end, which is closed when all has been said.
    """

    def __init__(
        self,
        descriptor: int,
        supervisor: Supervisor,
        bus: Bus,
        last_lines: Callable[[int], Sequence[str]],
    ) -> None:
        self._pipe = pipe_stream(descriptor)
        self._supervisor = supervisor
        self._last_lines = last_lines
        self._told: dict[int, tuple[Rise, int, bool]] = {}
        self._shown: dict[int, int] = {}
        self._news = trio.Event()
        bus.subscribe(self._take)

    async def run(self) -> None:
        """Tell, until there is nothing to wait for any more."""
        async with self._pipe:
            try:
                picture = await self._tell_all()
                if not self._supervisor.is_stopping:
                    waiting = picture.labels(Rise.HELD_UP)
                    await self._say({"over": True, "pid": os.getpid(), "waiting": waiting})
            except trio.BrokenResourceError:
                return  # It does not want to know.

    async def _tell_all(self) -> Picture:
        """Tell until everything is decided, and stays so; return how that is."""
        while True:
            picture = picture_of(self._supervisor)
            if await self._tell(picture):
                continue
            if self._supervisor.is_stopping:
                return picture
            limit = SETTLED_AFTER if picture.is_decided else inf
            with trio.move_on_after(limit) as waiting:
                await self._supervisor.news.changed()
            if waiting.cancelled_caught:
                return picture

    async def _tell(self, picture: Picture) -> bool:
        """Tell what is new; return whether anything is."""
        found = False
        for index, each in picture.instances.items():
            now = (each.rise, each.generation, each.standing.word is Word.COMPLETED)
            if self._told.get(index) == now or each.rise not in (Rise.UP, Rise.FAILED):
                continue
            self._told[index] = now
            found = True
            await self._say(await self._said(index, each))
        return found

    async def _said(self, index: int, risen: Risen) -> Mapping[str, object]:
        lines: Sequence[str] = ()
        if risen.rise is Rise.FAILED:
            await self._drained(index, risen.generation)
            lines = self._last_lines(index)
        return {
            "service": risen.label,
            "failed": risen.rise is Rise.FAILED,
            "state": risen.standing.word.value,
            "reason": risen.standing.reason,
            "lines": list(lines),
        }

    async def _drained(self, index: int, generation: int) -> None:
        """Wait until the output of a generation that has ended has been read."""
        with trio.move_on_after(DRAINED_WITHIN):
            while self._shown.get(index, 0) < generation:
                await self._news.wait()

    async def _say(self, what: Mapping[str, object]) -> None:
        await self._pipe.send_all(json.dumps(what).encode("ascii") + b"\n")

    def _take(self, event: Event) -> None:
        if isinstance(event, Exited | SpawnFailed):  # Comes behind all that it wrote.
            self._shown[event.instance] = event.generation
            self._news.set()
            self._news = trio.Event()
