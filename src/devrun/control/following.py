"""``/v1/logs``: lines as they were, and as they come."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import trio

from devrun.control.log_lines import LineEncoder, LineStream, Wanted, next_lines
from devrun.control.pace import SEND, SHARE, SHARE_ONCE, Pace
from devrun.output.line_chunk import Chunk
from devrun.output.line_history import LineHistory

LOOK = 16
"""Chunks that are looked through for a pattern before others get their turn."""

Put = Callable[[bytes], Awaitable[bool]]
"""Sends a block; False if the client is to get no more."""


class Followers:
    """All who read the lines of a run.

    Args:
        history: Where they are.
        encoder: What makes JSON of them.
    """

    def __init__(self, history: LineHistory, encoder: LineEncoder, pace: Pace) -> None:
        self._history = history
        self._encoder = encoder
        self._pace = pace
        self._following = 0
        self._stop_listening: Callable[[], None] | None = None

    async def read(self, wanted: Wanted, tail: int | None, put: Put) -> None:
        """Send what is there now.

        Args:
            tail: How many lines, or None for all.
        """
        unfinished = [
            part for c in self._history.unfinished(wanted) if (part := self._part(c, wanted))
        ]
        if tail is not None:
            unfinished = unfinished[len(unfinished) - min(tail, len(unfinished)) :]
            tail -= len(unfinished)
        end = self._history.end
        start, skip = await self._start(wanted, tail)
        stream = self._stream(wanted, start, skip, end)
        try:
            while not stream.is_done:
                if (block := stream.block()) and not await put(block):
                    return
                self._pace.spend(SEND + stream.took, SHARE_ONCE)
                if not stream.is_done:
                    await self._pace.turn()
        finally:
            stream.close()
        if unfinished:
            await put(b"".join(unfinished))

    async def follow(
        self, wanted: Wanted, tail: int | None, put: Put, *, mark: bool = False
    ) -> None:
        """Send what is there, and what is to come, until the run is over.

        Args:
            mark: A mark is to stand between the two.
        """
        start, skip = await self._start(wanted, tail)
        caught_up = self._history.end
        stream = self._stream(wanted, start, skip, caught_up if mark else None)
        self._listen()
        try:
            while True:
                if (block := stream.block()) and not await put(block):
                    return
                share = SHARE_ONCE if stream.place < caught_up else SHARE
                self._pace.spend(stream.took + (SEND if block else 0), share)
                if stream.is_done and stream.has_end:
                    stream.go_on()
                    if not await put(b'{"mark":%.6f}\n' % time.time()):
                        return
                elif stream.is_done and stream.place >= self._history.end:
                    if self._pace.is_over:
                        return
                    await self._pace.news()
                await self._pace.turn()
        finally:
            self._leave()
            stream.close()

    def _listen(self) -> None:
        """Hear of new lines, once for all who follow."""
        self._following += 1
        if self._stop_listening is None:
            self._stop_listening = self._history.listen(self._pace.tell)

    def _leave(self) -> None:
        self._following -= 1
        if not self._following and self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None

    def _stream(self, wanted: Wanted, start: int, skip: int, end: int | None) -> LineStream:
        return LineStream(self._history, self._encoder, wanted, start=start, end=end, skip=skip)

    async def _start(self, wanted: Wanted, tail: int | None) -> tuple[int, int]:
        """Return where in the history to begin, and how many wanted lines to pass over there."""
        if tail is None:
            return 0, 0
        if wanted.takes_everything:
            return self._history.start_of_tail(tail, wanted)
        start, left, oldest = self._history.end, tail, None
        for place, chunk in enumerate([*self._history.chunks(wanted)]):
            if left <= 0:
                break
            if place % LOOK == LOOK - 1:
                await trio.lowlevel.checkpoint()
            if wanted.has(chunk) and chunk.data:
                left -= len(wanted.matching(_lines(chunk)))
                start, oldest = chunk.number, chunk
        is_there = oldest is not None and oldest.data
        return start, max(0, -left) if is_there else 0

    def _part(self, chunk: Chunk, wanted: Wanted) -> bytes:
        lines = wanted.matching(_lines(chunk)) if wanted.has(chunk) else []
        return self._encoder.encode_lines(chunk, lines)


def _lines(chunk: Chunk) -> list[str]:
    """Return all lines of a chunk as text."""
    found: list[str] = []
    data, place = chunk.data, 0
    while place < len(data):
        lines, place = next_lines(data, place)
        found += lines
    return found
