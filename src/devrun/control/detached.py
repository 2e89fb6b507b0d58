"""How a run comes up, for whoever waits until all services are there or have failed.

It is told in objects: one for each service that is there, or has failed, and one at the end. Who
has started a run without a terminal reads them from a pipe, in lines of JSON; whoever comes later
gets them from the API.
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
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

LAST_WORD = 1.0
"""Seconds in which the reader of a pipe may take the last that there is to say."""

Say = Callable[[Mapping[str, object]], Awaitable[bool]]
"""Tells a reader something; False if he wants to hear no more."""

LastLines = Callable[[int], Sequence[str]]
"""Returns what a service has said last, by its index."""


class Shown:
    """Knows whose output has been read to its end; to be handed every event."""

    def __init__(self) -> None:
        self._ended: dict[int, int] = {}
        self._news = trio.Event()

    def __call__(self, event: Event) -> None:
        """Take an event into account."""
        if isinstance(event, Exited | SpawnFailed):  # Comes behind all that it wrote.
            self._ended[event.instance] = event.generation
            self._news.set()
            self._news = trio.Event()

    async def drained(self, index: int, generation: int) -> None:
        """Wait until the output of a generation that has ended has been read; not for ever."""
        with trio.move_on_after(DRAINED_WITHIN):
            while self._ended.get(index, 0) < generation:
                await self._news.wait()


class Report:
    """Tells one reader how a run comes up."""

    def __init__(
        self, supervisor: Supervisor, shown: Shown, last_lines: LastLines, say: Say
    ) -> None:
        self._supervisor = supervisor
        self._shown = shown
        self._last_lines = last_lines
        self._say = say
        self._told: dict[int, tuple[Rise, int, bool]] = {}
        self._were_up: set[int] = set()
        self._is_first_look = True

    async def run(self) -> None:
        """Tell, until there is nothing to wait for any more, or nobody listens."""
        while True:
            picture = picture_of(self._supervisor)
            found = self._new(picture)
            for index, each in found.items():
                if not await self._say(await self._said(index, each)):
                    return
            self._is_first_look = False
            if not found and await has_settled(self._supervisor, picture, picture.instances):
                break
        await self.say_over()

    async def say_over(self) -> None:
        """Say that this is all, and whether the run ends before everything was there."""
        picture = picture_of(self._supervisor)
        is_stopping = self._supervisor.is_stopping
        waiting = picture.labels(Rise.HELD_UP)
        if is_stopping:
            instances = picture.instances.items()
            waiting = [each.label for index, each in instances if self._is_late(index, each)]
        what = {"over": True, "pid": os.getpid(), "stopping": is_stopping, "waiting": waiting}
        await self._say(what)

    def _is_late(self, index: int, risen: Risen) -> bool:
        """Whether an instance was not there before the run began to end."""
        is_over = risen.rise is Rise.FAILED or risen.standing.word is Word.COMPLETED
        return not is_over and index not in self._were_up

    def _new(self, picture: Picture) -> Mapping[int, Risen]:
        """Return those of which something is to be told."""
        found: dict[int, Risen] = {}
        for index, each in picture.instances.items():
            now = (each.rise, each.generation, each.standing.word is Word.COMPLETED)
            if self._told.get(index) == now or each.rise not in (Rise.UP, Rise.FAILED):
                continue
            if each.standing.word is Word.STOPPED and self._supervisor.is_stopping:
                continue  # With all the others.
            self._told[index] = now
            if each.rise is Rise.UP and each.standing.word is not Word.STOPPED:
                self._were_up.add(index)
            found[index] = each
        return found

    async def _said(self, index: int, risen: Risen) -> Mapping[str, object]:
        lines: Sequence[str] = ()
        if risen.rise is Rise.FAILED:
            await self._shown.drained(index, risen.generation)
            lines = self._last_lines(index)
        return {
            "service": risen.label,
            "failed": risen.rise is Rise.FAILED,
            "state": risen.standing.word.value,
            "reason": risen.standing.reason,
            "lines": list(lines),
            "before": self._is_first_look,
        }


async def has_settled(supervisor: Supervisor, picture: Picture, indices: Collection[int]) -> bool:
    """Wait until something happens; return True if nothing is to be waited for any more.

    Args:
        picture: How far the run has come by now.
        indices: Of those that are waited for.
    """
    if supervisor.is_stopping:
        return True
    limit = SETTLED_AFTER if picture.is_decided_for(indices) else inf
    with trio.move_on_after(limit) as waiting:
        await supervisor.news.changed()
    return waiting.cancelled_caught


async def report_by_pipe(
    descriptor: int, supervisor: Supervisor, bus: Bus, last_lines: LastLines
) -> None:
    """Tell the reader of a pipe how a run comes up; one that has gone is told nothing more.

    Args:
        descriptor: The pipe's writing end, which is closed when all has been said.
    """
    pipe = pipe_stream(descriptor)

    async def say(what: Mapping[str, object]) -> bool:
        try:
            await pipe.send_all(json.dumps(what).encode("ascii") + b"\n")
        except trio.BrokenResourceError:
            return False
        return True

    shown = Shown()
    bus.subscribe(shown)
    report = Report(supervisor, shown, last_lines, say)
    async with pipe:
        try:
            await report.run()
        except trio.Cancelled:
            # A run of programs that end by themselves is over at once.
            with trio.move_on_after(LAST_WORD, shield=True):
                await report.say_over()
            raise
