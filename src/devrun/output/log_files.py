"""Services' output to their log files: a sink of its own beside the terminal.

The event loop hands every chunk to one thread and goes on; the thread makes lines of it and writes
them. Whoever reads more from a process asks for ``room`` first: so a slow disk slows the services
that write to it, no other service and nothing else, and memory is bounded. All that was handed
over is in the files when ``close`` returns.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from queue import SimpleQueue

import trio

from devrun.events import Event, Exited, Output, Piece
from devrun.output.log_archive import Archivist
from devrun.output.log_desk import Chunk, Desk, End, LoggedService, Stream
from devrun.output.log_paths import LogPaths

CAPACITY = 1024 * 1024
"""Bytes in the queue above which those wait who would add more."""

BATCH = 256 * 1024
"""Bytes after which what has been gathered is written."""


class LogFiles:
    """Writes what services say to their files; to be handed every event.

    Services that name the same file share it; the first one's settings decide on its rotation.

    Args:
        services: By index; those without log files are left out.
        notice: Called in the event loop with a line about what does not work, or works again.
        wall_clock: Seconds since the epoch.
    """

    def __init__(
        self,
        services: Mapping[int, LoggedService],
        *,
        notice: Callable[[str], None],
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._services = dict(services)
        self._left_out: set[int] = set()
        self._notice = notice
        self._wall_clock = wall_clock
        self._token = trio.lowlevel.current_trio_token()
        self._queue: SimpleQueue[Chunk | End | None] = SimpleQueue()
        self._queued = 0
        self._written = 0
        self._wake_at = -1
        self._over = False
        self._room = trio.Event()
        self._closed = trio.Event()
        self._last_progress = time.monotonic()
        self._archivist = Archivist(self._say, wall_clock)
        self._desk = Desk(self._services, self._say, self._archivist, wall_clock)
        self._thread = threading.Thread(target=self._write_all, name="devrun-logs", daemon=True)
        self._thread.start()

    def follow(self, index: int, service: LoggedService | None) -> None:
        """Write what a service says from its next generation on to other files, or to none."""
        if service is None:
            self._left_out.add(index)  # What has been put already has still to be written.
        else:
            self._left_out.discard(index)
            self._services[index] = service

    def __call__(self, event: Event) -> None:
        """Take an event into account."""
        if isinstance(event, Output):
            self.put(event, "err" if event.is_error else "out")
        elif isinstance(event, Exited) and event.instance in self._services:
            self._queue.put(End(event.instance, event.generation))

    def put(self, event: Output, stream: Stream = "out") -> None:
        """Append output to the file of its service, if it has one."""
        if event.piece is Piece.PROGRESS or not self._is_logged(event.instance):
            return
        if not self.unwritten:
            self._last_progress = time.monotonic()
        self._queued += len(event.data)
        at = self._wall_clock()
        self._queue.put(Chunk(event.instance, event.generation, stream, event.data, at))

    async def room(self, instance: int) -> None:
        """Wait until a service may add more; one without a log file always may."""
        if not self._is_logged(instance):
            return
        while self.unwritten > CAPACITY:
            await self._wait(enough=CAPACITY, wake_at=CAPACITY // 2)

    async def flush(self) -> None:
        """Wait until all that was put so far has been written; nobody may be adding more."""
        while self.unwritten:
            await self._wait(enough=0, wake_at=0)

    async def archived(self) -> None:
        """Wait until rotated files have been compressed and removed as far as they are to be."""
        done = trio.Event()
        self._archivist.when_done(lambda: self._in_loop(done.set))
        await done.wait()

    async def close(self) -> None:
        """Wait until all that was put has been written, and close the files.

        What has not been compressed by then is, when the file is used again.
        """
        self._queue.put(None)
        await self._closed.wait()

    @property
    def unwritten(self) -> int:
        """Bytes put and not yet written."""
        return 0 if self._over else self._queued - self._written

    @property
    def stalled_for(self) -> float:
        """Seconds for which nothing has been written, though there is something."""
        return time.monotonic() - self._last_progress if self.unwritten else 0.0

    @property
    def own(self) -> LogPaths:
        """The files that are written, so that watching can leave them out."""
        services = self._services.values()
        spelled = [service.spelled(stream) for service in services for stream in service.streams]
        real = [service.path(stream) for service in services for stream in service.streams]
        return LogPaths(tuple(dict.fromkeys((*spelled, *real))))

    def _is_logged(self, index: int) -> bool:
        return index in self._services and index not in self._left_out

    async def _wait(self, *, enough: int, wake_at: int) -> None:
        room = self._room
        self._wake_at = max(self._wake_at, wake_at)
        # The thread may have caught up between the caller's look and the mark.
        if self.unwritten > enough:
            await room.wait()

    def _make_room(self) -> None:
        self._room.set()
        self._room = trio.Event()

    # -- in the thread ----------------------------------------------------------------------

    def _write_all(self) -> None:
        try:
            while self._write_batch():
                pass
            self._desk.close()
            self._archivist.close()
        finally:  # Nobody is to wait for ever for what will not come.
            self._over = True
            self._in_loop(self._make_room)
            self._in_loop(self._closed.set)

    def _write_batch(self) -> bool:
        """Wait for something, write it and what else is there; return False at the end."""
        size, item = 0, self._queue.get()
        while item is not None:
            if isinstance(item, Chunk):
                size += len(item.data)
                self._desk.write(item)
            else:
                self._desk.end(item)
            if size >= BATCH or self._queue.empty():
                break
            item = self._queue.get()
        self._desk.flush()
        self._written += size
        self._last_progress = time.monotonic()
        if self.unwritten <= self._wake_at:
            self._wake_at = -1
            self._in_loop(self._make_room)
        return item is not None

    def _say(self, text: str) -> None:
        self._in_loop(self._notice, text)

    def _in_loop(self, function: Callable[..., object], *args: object) -> None:
        try:
            self._token.run_sync_soon(function, *args)
        except trio.RunFinishedError:
            return  # Nobody is left to be told.
