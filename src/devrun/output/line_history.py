"""The last lines of every instance, for those who ask a running project.

A subscriber that costs next to nothing: it keeps the chunks of whole lines as they come, and drops
the oldest of an instance that has too many. Lines are counted and cut only where somebody reads.

All chunks stand in one row, in the order in which they came, so that lines of several instances are
in the right order without being sorted. What an instance gives up leaves a hole in the row; the row
is closed up once it has more holes than chunks.

A reader has a place in the row of its own and never holds anything up. One that is too slow is
overtaken: it goes on with the newest chunk, and is told how many lines it has missed. Readers that
are overtaken together go on with the same chunk, so that what was made of it for one serves all.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from typing import Self

from devrun.events import Event, Exited, Output, Piece
from devrun.output.line_chunk import Chunk, Line, counted, lines_of

MOST_OF_ONE = 1024 * 1024
"""Bytes that are kept of an instance, what keeping them takes included."""

MOST_OF_ALL = 16 * 1024 * 1024
"""Bytes that are kept of all instances together."""

OVERHEAD = 208
"""Bytes that a chunk takes besides its data (CPython 3.11: 96 for the object, 24 for the time, 33
for the bytes object, 8 in each of two rows, 32 for its two numbers)."""

COUNTED = 64 * 1024 * 1024
"""Bytes per second whose lines are counted for readers, which takes 2 % of a processor: CPython
3.11 counts 3 GB/s. How many lines there are in what is written beyond that is estimated."""

LONGEST_LINE = 512 * 1024
"""Bytes of a line, the note aside that what is longer ends with. A line within it may come in parts
of ``lines.LONGEST_HELD`` and is whole nevertheless."""

_ROOM = 64
"""Bytes that are enough for the note."""


@dataclass(slots=True)
class _Begun:
    """A line whose end has not come yet."""

    event: Output
    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    left_out: int = 0

    def add(self, data: bytes, most: int) -> None:
        """Take more of the line, up to so many bytes of it in all."""
        kept = data[: max(0, most - self.size)] if not self.left_out else b""
        if kept:
            self.parts.append(kept)
        self.size += len(kept)
        self.left_out += len(data) - len(kept)

    def line(self) -> bytes:
        """Return what there is of the line, without its end, and how much is not."""
        data = b"".join(self.parts)
        return _noted(data, self.left_out) if self.left_out else data


@dataclass(slots=True)
class _Ring:
    """What is kept of one instance.

    Attributes:
        size: Bytes, overhead included.
        next_line: Number of the line that comes next.
        length: Bytes of a line, as it was when lines were counted last.
        meeting: The chunk at which the last reader that was overtaken went on.
    """

    chunks: deque[Chunk] = field(default_factory=deque)
    size: int = 0
    next_line: int = 0
    length: float = 100.0
    meeting: Chunk | None = None


class LineHistory:
    """Remembers the last lines of every instance; subscribe it to the bus.

    Args:
        of_one: Bytes that are kept of one instance.
        of_all: Bytes that are kept of all.
        clock: Returns the seconds since the epoch.
    """

    def __init__(
        self,
        *,
        of_one: int = MOST_OF_ONE,
        of_all: int = MOST_OF_ALL,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._of_one = of_one
        self._of_all = of_all
        self._clock = clock
        self._limit = of_one
        self._row: deque[Chunk] = deque()
        self._holes = 0
        self._next = 0
        self._rings: dict[int, _Ring] = {}
        self._begun: dict[tuple[int, int, bool], _Begun] = {}
        self._readers = 0
        self._credit = float(COUNTED)
        self._counted_at = 0.0
        self._listeners: list[Callable[[], None]] = []

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if isinstance(event, Output):
            self._take(event)
        elif isinstance(event, Exited):
            for is_error in (False, True):
                self._end_line((event.instance, event.generation, is_error))

    def listen(self, heard: Callable[[], None]) -> Callable[[], None]:
        """Have something called whenever lines have come; return how to end that."""
        self._listeners.append(heard)
        return lambda: self._listeners.remove(heard)

    def chunks(self, instances: Container[int] | None = None) -> Iterator[Chunk]:
        """Yield what is kept, the newest first; not to be held across new events."""
        for chunk in reversed(self._row):
            if chunk.data and (instances is None or chunk.instance in instances):
                yield chunk

    def tail(self, most: int, instances: Container[int] | None = None) -> list[Line]:
        """Return the last lines of instances, or of all, in the order in which they came."""
        start, skip = self.start_of_tail(most, instances)
        with self.reader(instances, start=start) as reader:
            found: list[Line] = []
            while (chunk := reader.next()) is not None:
                found += lines_of(chunk)
        return found[skip:]

    def start_of_tail(self, most: int, instances: Container[int] | None = None) -> tuple[int, int]:
        """Return where the last so many lines begin: a place, and lines to pass over there."""
        start, left = self._next, most
        for chunk in self.chunks(instances):
            if left <= 0:
                break
            left -= counted(chunk)
            start = chunk.number
        return start, max(0, -left)

    def unfinished(self, instances: Container[int] | None = None) -> list[Chunk]:
        """Return the beginnings of lines whose end has not come yet, as if it had."""
        now = self._clock()
        return [
            Chunk(-1, now, begun.event, begun.line() + b"\n")
            for begun in self._begun.values()
            if begun.size and (instances is None or begun.event.instance in instances)
        ]

    def reader(self, instances: Container[int] | None = None, *, start: int = 0) -> Reader:
        """Return a reader from a place in the row on; close it.

        Args:
            instances: Which ones, or None for all; more may come to be in it meanwhile.
        """
        if not self._readers:
            for ring in self._rings.values():
                for chunk in ring.chunks:
                    self._number(chunk, ring)
        self._readers += 1
        return Reader(self, instances, start)

    @property
    def end(self) -> int:
        """The place behind all that has come so far."""
        return self._next

    # -- for readers -------------------------------------------------------------------------

    def from_place(self, place: int) -> Iterator[Chunk]:
        """Yield what is kept from a place on; not to be held across new events."""
        row = self._row
        index = bisect_left(row, place, key=lambda chunk: chunk.number)
        while index < len(row):
            yield row[index]
            index += 1

    def lines_from(self, place: int, instances: Container[int] | None) -> dict[int, int]:
        """Return the number of each instance's first line from a place on."""
        found: dict[int, int] = {}
        for instance, ring in self._rings.items():
            if instances is None or instance in instances:
                index = bisect_left(ring.chunks, place, key=lambda chunk: chunk.number)
                is_there = index < len(ring.chunks)
                found[instance] = ring.chunks[index].first if is_there else ring.next_line
        return found

    def meeting_point(self, instance: int, line: int) -> Chunk:
        """Return where a reader goes on that has missed a line: where others do, or the newest."""
        ring = self._rings[instance]
        meeting = ring.meeting
        if meeting is None or not meeting.data or meeting.first < line:
            meeting = ring.meeting = ring.chunks[-1]
        return meeting

    def forget_reader(self) -> None:
        """Stop counting for a reader."""
        self._readers -= 1

    # -- keeping -----------------------------------------------------------------------------

    def _take(self, event: Output) -> None:
        if event.piece is Piece.PROGRESS:
            return
        if event.piece is Piece.PART:
            self._begin_line(event)
            return
        data = event.data
        if self._begun:
            begun = self._begun.pop((event.instance, event.generation, event.is_error), None)
            if begun is not None:
                end = data.index(b"\n")
                begun.add(data[:end], self._longest)
                data = begun.line() + data[end:]
        self._append(event, data)

    def _begin_line(self, event: Output) -> None:
        key = event.instance, event.generation, event.is_error
        begun = self._begun.get(key)
        if begun is None:
            begun = self._begun[key] = _Begun(event)
        begun.add(event.data, self._longest)

    @property
    def _longest(self) -> int:
        """Bytes of a line that are kept."""
        return max(0, min(LONGEST_LINE, self._limit - _ROOM))

    def _end_line(self, key: tuple[int, int, bool]) -> None:
        begun = self._begun.pop(key, None)
        if begun is not None:
            self._append(begun.event, begun.line() + b"\n")

    def _append(self, event: Output, data: bytes) -> None:
        ring = self._rings.get(event.instance)
        if ring is None:
            ring = self._new_ring(event.instance)
        if len(data) > self._limit:
            data = self._end_of(data, ring)
        chunk = Chunk(self._next, self._clock(), event, data)
        self._next += 1
        self._row.append(chunk)
        ring.chunks.append(chunk)
        ring.size += len(data) + OVERHEAD
        if self._readers:
            self._number(chunk, ring)
        if ring.size > self._limit:
            self._cut(ring)
        for heard in self._listeners:
            heard()

    def _end_of(self, data: bytes, ring: _Ring) -> bytes:
        """Return the last lines of what is too much; of a single line its beginning."""
        cut = data.find(b"\n", len(data) - self._limit - 1) + 1
        last = data[cut:]
        if not last:
            cut = data.rfind(b"\n", 0, -1) + 1
            kept = min(self._longest, len(data) - cut - 1)
            last = _noted(data[cut : cut + kept], len(data) - 1 - cut - kept) + b"\n"
        if self._readers:
            ring.next_line += data.count(b"\n", 0, cut)
        return last

    def _cut(self, ring: _Ring) -> None:
        chunks = ring.chunks
        while ring.size > self._limit and len(chunks) > 1:
            oldest = chunks.popleft()
            ring.size -= len(oldest.data) + OVERHEAD
            oldest.data = b""
            self._holes += 1
        row = self._row
        while row and not row[0].data:
            row.popleft()
            self._holes -= 1
        if self._holes > len(row) // 2 + 64:
            self._row = deque(chunk for chunk in row if chunk.data)
            self._holes = 0

    def _number(self, chunk: Chunk, ring: _Ring) -> None:
        if chunk.first >= 0:
            return
        size = len(chunk.data)
        credit = self._credit + COUNTED * max(0.0, chunk.at - self._counted_at)
        self._credit = min(credit, COUNTED)
        self._counted_at = chunk.at
        if self._credit >= size or chunk.count >= 0:
            self._credit -= size
            lines = counted(chunk)
            ring.length = size / lines
        else:
            lines = max(1, round(size / ring.length))
        chunk.first = ring.next_line
        chunk.following = ring.next_line = chunk.first + lines

    def _new_ring(self, instance: int) -> _Ring:
        ring = self._rings[instance] = _Ring()
        self._limit = min(self._of_one, self._of_all // len(self._rings))
        for other in self._rings.values():
            self._cut(other)
        return ring


def _noted(beginning: bytes, left_out: int) -> bytes:
    """Return the beginning of a line with a note of how many bytes follow; characters are whole."""
    whole = len(beginning)
    while whole > max(0, len(beginning) - 4) and beginning[whole - 1] & 0xC0 == 0x80:
        whole -= 1  # Within a character (RFC 3629 3).
    if whole and beginning[whole - 1] >= 0xC0:
        whole -= 1
    else:
        whole = len(beginning)
    left_out += len(beginning) - whole
    return beginning[:whole] + f" [… {left_out:,} bytes more]".encode()


class Reader:
    """A place in a history; a context manager."""

    def __init__(self, history: LineHistory, instances: Container[int] | None, start: int) -> None:
        self._history = history
        self._instances = instances
        self._place = start
        self._expected = history.lines_from(start, instances)
        self._lost = 0
        self._is_open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def place(self) -> int:
        """Where in the row it is: all before that has been read, or passed over."""
        return self._place

    def close(self) -> None:
        """Give up the place; again is nothing."""
        if self._is_open:
            self._is_open = False
            self._history.forget_reader()

    def next(self) -> Chunk | None:
        """Return the next chunk, or None where there is none yet."""
        for chunk in self._history.from_place(self._place):
            self._place = chunk.number + 1
            if not chunk.data:
                continue
            if self._instances is not None and chunk.instance not in self._instances:
                continue
            if self._is_wanted(chunk):
                return chunk
        return None

    def take_lost(self) -> int:
        """Return how many lines were missed since the last call."""
        lost, self._lost = self._lost, 0
        return lost

    def _is_wanted(self, chunk: Chunk) -> bool:
        """Whether a chunk is the next of its instance that this reader gets."""
        expected = self._expected.get(chunk.instance, 0)
        if chunk.first > expected:
            meeting = self._history.meeting_point(chunk.instance, expected)
            if meeting.number > chunk.number:
                return False  # What lies between counts as lost when the meeting point is reached.
            self._lost += chunk.first - expected
        self._expected[chunk.instance] = chunk.following
        return True
