"""``--group``: one service's output after another, instead of everything as it comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from tempfile import SpooledTemporaryFile

import trio

from devrun.events import Event, Output, Piece, Stopping
from devrun.output.journal import Journal
from devrun.output.presenter import Buffer
from devrun.output.renderer import Renderer

IN_MEMORY = 1024 * 1024
"""Bytes of one service that wait in memory; what goes beyond them waits in a temporary file."""

_CHUNK = 64 * 1024


class Grouped:
    """Shows one service's output at a time, in the order of the services.

    That of the first which has not come to its end is shown as it comes; that of those behind it
    waits. Every service has a presenter of its own, so that what waits was rendered when it came,
    with that moment's time.

    Args:
        presenters: One a service, by index.
        failed: Called if what waits cannot be kept; it is lost then.
    """

    def __init__(
        self,
        presenters: Sequence[Renderer],
        journal: Journal,
        *,
        failed: Callable[[OSError], None],
    ) -> None:
        self._presenters = presenters
        self._journal = journal
        self._failed = failed
        self._waiting = [SpooledTemporaryFile(IN_MEMORY) for _ in presenters]  # noqa: SIM115
        self._live = 0
        self._catching_up = False
        self._shown = 0
        self._over: set[int] = set()
        self._changed = trio.Event()
        self._turn = trio.Lock()

    def __call__(self, event: Event) -> None:
        """Show an event, or keep it until it is its service's turn."""
        owner = event.cause if isinstance(event, Stopping) else event.instance
        place = self._live if owner is None else max(owner, self._live)
        is_live = place == self._live and not self._catching_up
        if is_live or not (isinstance(event, Output) and event.piece is Piece.PROGRESS):
            self._show(place, self._presenters[place].render(event))

    def over(self, instance: int) -> None:
        """Say that no event of a service will come any more."""
        self._over.add(instance)
        self._changed.set()

    async def run(self) -> None:
        """Let services follow one another; to be cancelled at the end of the run."""
        while True:
            await self._changed.wait()
            self._changed = trio.Event()
            async with self._turn:
                while self._live in self._over and self._live + 1 < len(self._presenters):
                    await self._next()

    async def finish(self) -> None:
        """Show all that still waits: no more will come."""
        async with self._turn:
            while self._live + 1 < len(self._presenters):
                await self._next()
        self._journal.put(self._presenters[self._live].finish(()))

    async def _next(self) -> None:
        self._journal.put(self._presenters[self._live].finish(()))
        self._live += 1
        self._catching_up = True
        await self._catch_up()

    async def _catch_up(self) -> None:
        """Show what has waited, and what joins it meanwhile, no faster than it is read."""
        file = self._waiting[self._live]
        while True:
            file.seek(self._shown)
            chunk = file.read(_CHUNK)
            if not chunk:
                break
            self._shown += len(chunk)
            self._journal.put((chunk,))
            await self._journal.room(self)
        self._shown = 0
        self._catching_up = False
        file.close()

    def _show(self, place: int, buffers: Sequence[Buffer]) -> None:
        if place == self._live and not self._catching_up:
            self._journal.put(buffers)
            return
        file = self._waiting[place]
        try:
            file.seek(0, 2)
            for buffer in buffers:
                file.write(buffer)
        except OSError as error:
            self._failed(error)
