"""Read what one process writes, and publish it as pieces of output."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from math import inf

import trio

from devrun.events import Output, Piece
from devrun.output.journal import Journal
from devrun.output.lines import LineCutter

READ_SIZE = 64 * 1024
"""Bytes per read; larger reads measured slower, because they leave the processor's cache."""

QUIET = 0.1
"""Seconds after which the beginning of a line is shown although its end has not come; also the
shortest time between two states of a line that is being redrawn."""


DRAIN = 0.5
"""Seconds for which the last output is waited for, where something unkillable holds it open."""

LONGEST_TURN = 32 * 1024 * 1024
"""Bytes of one line for which the others wait."""

LONGEST_WAIT = 5.0
"""Seconds that they wait for it."""

BREATH = 0.001

MOST_IN_FLIGHT = 1024 * 1024
"""Bytes that a pipe or pty can hold at most when its writer ends (pipe(7): pipe-max-size)."""


def _never() -> bool:
    return False


class Pump:
    """Carries one generation's output from its descriptor to ``publish``.

    ``drained`` is set once everything has been published that the process wrote before it ended.
    The pump goes on afterwards, as long as some descendant holds the descriptor open.

    Args:
        after: Set once what comes before this output has been published.
        terminal: The descriptor is a terminal's.
    """

    def __init__(
        self,
        descriptor: int,
        *,
        instance: int,
        generation: int,
        journal: Journal,
        publish: Callable[[Output], None],
        after: trio.Event,
        terminal: bool = False,
    ) -> None:
        self.drained = trio.Event()
        self._descriptor = descriptor
        self._instance = instance
        self._generation = generation
        self._journal = journal
        self._publish = publish
        self._after = after
        self._cutter = LineCutter(terminal=terminal)
        self.at_once: Callable[[], bool] = _never
        """Whether chunks are to be published as they come, lines or not."""
        self.is_error = False
        """Whether the descriptor is a pipe for stderr alone."""
        self.drops_returns = False
        """Whether the terminal has made CR LF of line feeds, which lines are not to have."""
        self.taps: Sequence[Callable[[bytes], None]] = ()
        """Hear every chunk as it was read; there may be more or fewer later."""
        self.room_elsewhere: Callable[[int], Awaitable[None]] | None = None
        """Waits until others than the journal, who get the output too, may be given more."""
        self._process_ended = False
        self._last_wait = False
        self._over = False
        self._read_since_end = 0
        self._unshown = False
        self._in_turn = False
        self._turn_began = 0.0
        self._turn_size = 0
        self._shown_at = -inf
        self._waiting: trio.CancelScope | None = None

    @property
    def unpublished(self) -> bytes:
        """What is held back until the end of its line comes."""
        return self._cutter.peek()

    def process_ended(self) -> None:
        """Say that the process has ended: what is in the pipe now is all that it wrote."""
        self._process_ended = True
        if self._waiting is not None:
            self._waiting.cancel()

    def end_soon(self) -> None:
        """Say that no process is left: end once nothing more comes."""
        self._last_wait = True
        if self._waiting is not None:
            self._waiting.cancel()

    async def run(self) -> None:
        """Pump until the descriptor's last writer has closed it, then close it."""
        try:
            await self._after.wait()
            while await self._step():
                pass
            self._flush(Piece.PART)
        finally:
            self._journal.end_turn(self)
            self.drained.set()
            os.close(self._descriptor)

    async def _step(self) -> bool:
        """Publish one read, or wait for one to be possible; False at the end of the output."""
        await self._journal.room(self)
        if self.room_elsewhere is not None:
            await self.room_elsewhere(self._instance)
        try:
            chunk = os.read(self._descriptor, READ_SIZE)
        except BlockingIOError:
            await self._wait()
            return not self._over
        except OSError:
            return False  # EIO: the last process has closed its side of the pty (pty(7)).
        if not chunk:
            return False
        for tap in self.taps:
            tap(chunk)
        self._take(chunk)
        if self._in_turn and self._has_had_its_turn(len(chunk)):
            self._end_turn()
            await trio.sleep(BREATH)  # The others have waited; the rest gets a prefix of its own.
        if self._process_ended and not self.drained.is_set():
            self._read_since_end += len(chunk)
            if self._read_since_end > MOST_IN_FLIGHT:
                self.drained.set()  # The rest is a descendant's.
        await trio.lowlevel.checkpoint()  # Others write too.
        return True

    def _has_had_its_turn(self, size: int) -> bool:
        self._turn_size += size
        now = trio.current_time()
        return self._turn_size > LONGEST_TURN or now - self._turn_began > LONGEST_WAIT

    def _take(self, chunk: bytes) -> None:
        if self.at_once():
            self._flush(Piece.PART)
            self._emit(Piece.PART, self._without_returns(chunk))
            return
        lines = self._without_returns(self._cutter.feed(chunk))
        if lines:
            self._emit(Piece.LINES, lines)
            if self._in_turn:
                self._end_turn()
        self._unshown = self._cutter.pending
        if self._cutter.overlong:
            if not self._in_turn:
                self._turn_began, self._turn_size = trio.current_time(), 0
            self._in_turn = True
            self._journal.begin_turn(self)
            self._emit(Piece.PART, self._cutter.take())
        elif self._cutter.redrawn:
            self._show_state()

    def _without_returns(self, data: bytes) -> bytes:
        return data.replace(b"\r\n", b"\n") if self.drops_returns else data

    def _show_state(self) -> None:
        """Show a progress bar's present state, ten times a second at most."""
        now = trio.current_time()
        if now - self._shown_at >= QUIET:
            self._shown_at = now
            self._unshown = False
            self._emit(Piece.PROGRESS, self._cutter.peek())

    async def _wait(self) -> None:
        """Wait for more; meanwhile show what has been waiting for its line's end for long."""
        if self._process_ended and not self.drained.is_set():
            self._flush(Piece.PART)
            self.drained.set()
        unfinished = self._unshown or self._in_turn
        ends = self._last_wait
        longest = DRAIN if ends else QUIET if unfinished else inf
        with trio.move_on_after(longest) as self._waiting:
            await trio.lowlevel.wait_readable(self._descriptor)
        silent, self._waiting = self._waiting.cancelled_caught, None
        self._over = silent and ends
        if silent and unfinished and not self._process_ended:
            self._show_unfinished()

    def _show_unfinished(self) -> None:
        self._end_turn()
        if self._cutter.redrawn:
            # Kept, because the state that ends the line is yet to come.
            self._show_state()
        else:
            self._flush(Piece.PART)

    def _flush(self, piece: Piece) -> None:
        if self._cutter.pending:
            self._emit(piece, self._cutter.take())
        self._unshown = False
        self._end_turn()

    def _end_turn(self) -> None:
        self._in_turn = False
        self._journal.end_turn(self)

    def _emit(self, piece: Piece, data: bytes) -> None:
        self._publish(Output(self._instance, self._generation, piece, data, self.is_error))
