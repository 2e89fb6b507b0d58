"""``--focus``: everything as it comes, or one service alone while the others wait."""

from __future__ import annotations

from collections.abc import Callable
from tempfile import SpooledTemporaryFile

import trio

from devrun.events import Event, Exited, Output, Piece, Stopping
from devrun.output.journal import Journal
from devrun.output.renderer import Renderer

IN_MEMORY = 1024 * 1024
"""Bytes that wait in memory; what goes beyond them waits in a temporary file."""

_CHUNK = 64 * 1024


class Focused:
    """Shows events as they come, until one service is to have the terminal for itself.

    Its output is shown byte for byte then, prompts, cursor moves and all; everything else is
    rendered when it comes and waits. The end of that service, or of the run, ends the waiting.

    Args:
        service: Index of the service.
        failed: Called if what waits cannot be kept; it is lost then.
    """

    def __init__(
        self,
        presenter: Renderer,
        journal: Journal,
        *,
        service: int,
        failed: Callable[[OSError], None],
    ) -> None:
        self.holding = False
        """Whether the service has the terminal for itself."""
        self._presenter = presenter
        self._journal = journal
        self.service = service
        self._failed = failed
        self._waiting = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - for as long as the run
        self._shown = 0
        self._catching_up = False
        self._line_is_open = False
        self._released = trio.Event()
        self._turn = trio.Lock()

    def __call__(self, event: Event) -> None:
        """Show an event, or keep it."""
        if self.holding and isinstance(event, Output):
            if event.instance == self.service:
                self._journal.put((event.data,))
                self._line_is_open = not event.data.endswith(b"\n")
                return
            if event.piece is Piece.PROGRESS:
                return
        if self.holding and self._ends(event):
            self.toggle()
        buffers = self._presenter.render(event)
        if not (self.holding or self._catching_up):
            self._journal.put(buffers)
            return
        try:
            self._waiting.seek(0, 2)
            for buffer in buffers:
                self._waiting.write(buffer)
        except OSError as error:
            self._failed(error)

    def _ends(self, event: Event) -> bool:
        if isinstance(event, Exited):
            return event.instance == self.service
        return isinstance(event, Stopping)

    def toggle(self) -> None:
        """Give the terminal to the service, or to all again."""
        if not self.holding:
            line = "the others' output waits; Ctrl+] shows it"
            self._journal.put(self._presenter.finish((line,)))
            self.holding, self._line_is_open = True, False
            return
        if self._line_is_open:
            self._journal.put((b"\r\n",))
        self.holding, self._catching_up = False, True
        self._released.set()

    def over(self, instance: int) -> None:
        """Nobody waits for that: an exit has been told already."""

    async def run(self) -> None:
        """Show what has waited, each time it may be; to be cancelled at the end of the run."""
        while True:
            await self._released.wait()
            self._released = trio.Event()
            await self._catch_up()

    async def finish(self) -> None:
        """Show all that still waits: no more will come."""
        if self.holding:
            self.toggle()
        await self._catch_up()
        self._waiting.close()
        self._journal.put(self._presenter.finish(()))

    async def _catch_up(self) -> None:
        """Show what has waited, and what joins it meanwhile, no faster than it is read."""
        async with self._turn:
            while self._catching_up:
                self._waiting.seek(self._shown)
                chunk = self._waiting.read(_CHUNK)
                if not chunk:
                    self._waiting.seek(0)
                    self._waiting.truncate()
                    self._shown, self._catching_up = 0, False
                    return
                self._shown += len(chunk)
                self._journal.put((chunk,))
                await self._journal.room(self)
