"""The ordered queue between those who produce output and the one thread that writes it.

Producers run in the event loop and never block: ``put`` only appends. They ask for ``room`` before
they read more from a process, so that a slow reader of stdout slows the processes down and nothing
else, and memory stays bounded whatever happens. The writer is a thread, because writing to a
terminal or a pipe that is shared with others cannot be made non-blocking without harming them.
"""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue

import trio

from devrun.output.presenter import Buffer

CAPACITY = 512 * 1024
"""Bytes in the queue above which producers wait. Small, because each of them is latency."""

AT_ONCE = 16 * 1024
"""Bytes up to which the thread is spared where possible; more is its work, beside the reading."""

BATCH = 256 * 1024
"""Bytes that the writer gathers for one ``writev``."""

_MOST_BUFFERS = 512
"""Buffers per ``writev``; POSIX lets a system refuse more than IOV_MAX, 1024 on Linux."""


class Journal:
    """Writes buffers to a descriptor, in order, from a thread of its own.

    Args:
        descriptor: Where to write; left open.
        gone: Called in the event loop, once, when the reader has gone away (EPIPE) or the
            descriptor cannot be written any more; what is put afterwards is dropped.
    """

    def __init__(self, descriptor: int, *, gone: Callable[[OSError], None]) -> None:
        self._descriptor = descriptor
        self._gone = gone
        self._queue: SimpleQueue[tuple[Sequence[Buffer], int] | None] = SimpleQueue()
        self._queued = 0
        self._written = 0
        self._token = trio.lowlevel.current_trio_token()
        self._room = trio.Event()
        self._wake_at = -1
        self._turn: object | None = None
        self._turn_over = trio.Event()
        self._closed = trio.Event()
        self._broken = False
        self._can_write_at_once = True
        self._last_progress = time.monotonic()
        self._thread = threading.Thread(target=self._write_all, name="devrun-writer", daemon=True)
        self._thread.start()

    def put(self, buffers: Sequence[Buffer]) -> None:
        """Append buffers to the output."""
        size = sum(map(len, buffers))
        if not size or self._broken:
            return
        if self._queued == self._written:
            self._last_progress = time.monotonic()
            if size <= AT_ONCE and self._write_at_once(buffers, size):
                return
        self._queued += size
        self._queue.put((buffers, size))

    def _write_at_once(self, buffers: Sequence[Buffer], size: int) -> bool:
        """Write a little without the thread, if nothing is queued and it cannot block.

        Waking the thread takes longer than the rest of a line's way. Whatever does not go in at
        once, an error included, is the thread's.
        """
        if not self._can_write_at_once:
            return False
        try:
            written = write_without_blocking(self._descriptor, buffers)
        except BlockingIOError:
            return False
        except OSError:
            self._can_write_at_once = False
            return False
        self._queued += written
        self._written += written
        if written < size:
            rest = b"".join(buffers)[written:]
            self._queued += len(rest)
            self._queue.put(((rest,), len(rest)))
        return True

    async def room(self, producer: object) -> None:
        """Wait until ``producer`` may add more: there is room, and nobody is in mid-line."""
        while not self._broken:
            if self._turn is not None and self._turn is not producer:
                await self._turn_over.wait()
            elif self._queued - self._written > CAPACITY:
                await self._wait_for_writer(enough=CAPACITY, wake_at=CAPACITY // 2)
            else:
                return

    def begin_turn(self, producer: object) -> None:
        """Have everybody else wait until ``producer`` has finished a line too long to be held."""
        if self._turn is None:
            self._turn = producer

    def end_turn(self, producer: object) -> None:
        """Let the others go on, if it was ``producer``'s turn."""
        if self._turn is producer:
            self._turn = None
            self._turn_over.set()
            self._turn_over = trio.Event()

    async def close(self) -> None:
        """Wait until everything put so far has been written."""
        self._queue.put(None)
        await self._closed.wait()

    @property
    def stalled_for(self) -> float:
        """Seconds for which the reader has not taken anything, though there is something."""
        if not self.unwritten:
            return 0.0
        return time.monotonic() - self._last_progress

    @property
    def unwritten(self) -> int:
        """Bytes put and not yet written."""
        return 0 if self._broken else self._queued - self._written

    async def flush(self) -> None:
        """Wait until everything put so far has been written; nobody may be adding more."""
        while self.unwritten:
            await self._wait_for_writer(enough=0, wake_at=0)

    async def _wait_for_writer(self, *, enough: int, wake_at: int) -> None:
        event = self._room
        self._wake_at = wake_at
        # The writer may have caught up between the caller's look and the flag.
        if self._queued - self._written <= enough:
            return
        await event.wait()

    def _make_room(self) -> None:
        self._room.set()
        self._room = trio.Event()

    # -- in the writer's thread -------------------------------------------------------------

    def _write_all(self) -> None:
        try:
            while batch := self._next_batch():
                self._write(batch)
        except OSError as error:
            self._broken = True
            self._in_loop(self._make_room)
            self._in_loop(self._gone, error)
        self._in_loop(self._closed.set)

    def _next_batch(self) -> deque[Buffer]:
        """Wait for something to write, and gather what else is there; empty at the end."""
        batch: deque[Buffer] = deque()
        size = 0
        while size < BATCH and len(batch) < _MOST_BUFFERS:
            if batch and self._queue.empty():
                break
            item = self._queue.get()
            if item is None:
                if batch:
                    self._queue.put(None)
                break
            batch.extend(item[0])
            size += item[1]
        return batch

    def _write(self, batch: deque[Buffer]) -> None:
        while batch:
            written = _write_some(self._descriptor, batch)
            self._written += written
            self._last_progress = time.monotonic()
            while batch and written >= len(batch[0]):
                written -= len(batch.popleft())
            if written:
                batch[0] = memoryview(batch[0])[written:]
            if self._queued - self._written <= self._wake_at:
                self._wake_at = -1
                self._in_loop(self._make_room)

    def _in_loop(self, function: Callable[..., object], *args: object) -> None:
        try:
            self._token.run_sync_soon(function, *args)
        except trio.RunFinishedError:
            return  # Nobody is left to be told.


if sys.platform == "win32":

    def _write_some(descriptor: int, batch: deque[Buffer]) -> int:
        return os.write(descriptor, batch[0])

else:

    def _write_some(descriptor: int, batch: deque[Buffer]) -> int:
        """Write as much as goes in one call, waiting if the descriptor is full.

        Whoever shares the descriptor may have made it non-blocking (Node does that to pipes).
        """
        while True:
            try:
                return os.writev(descriptor, tuple(batch))
            except BlockingIOError:
                poll = select.poll()
                poll.register(descriptor, select.POLLOUT)
                poll.poll()


if sys.platform == "linux":

    def write_without_blocking(descriptor: int, buffers: Sequence[Buffer]) -> int:
        """Write what goes in now, to a pipe, and leave the descriptor's flags alone.

        ``pwritev2(2)`` with RWF_NOWAIT; offset -1 is the present place. Pipes know it since Linux
        6.5; terminals and files refuse.

        Raises:
            OSError: BlockingIOError if nothing goes in; another if it is not to be had here.
        """
        return os.pwritev(descriptor, buffers, -1, os.RWF_NOWAIT)

else:

    def write_without_blocking(descriptor: int, buffers: Sequence[Buffer]) -> int:
        """There is no such call: the descriptor's flags are shared with other processes."""
        raise OSError(f"no write to {descriptor} without blocking, of {len(buffers)} buffers")
