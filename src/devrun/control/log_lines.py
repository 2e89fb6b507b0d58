"""Lines as JSON, made once and shared by all who read them."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence

from devrun.control.json_text import encoded_lines
from devrun.control.shapes import LogLine
from devrun.model import Service
from devrun.output.ansi import without_sequences
from devrun.output.bounded_search import BoundedSearch
from devrun.output.line_chunk import Chunk
from devrun.output.line_history import LineHistory
from devrun.supervise.dependencies import name_of

LINES_AT_A_TIME = 256
"""Lines that are made into JSON at a time: few enough for what a client who stops reading holds."""

MOST_SHARED = 4 * 1024 * 1024
"""Bytes of JSON that are kept for others who want the same."""

BLOCK = 32 * 1024
"""Bytes after which a block is sent: what is made at a time, so that it is shared as it is."""

LONGEST = 0.005
"""Seconds after which it is sent however small it is, or another turn is waited for."""


class LineEncoder:
    """Makes JSON of chunks, a few lines at a time; remembers what it has made last.

    Args:
        services: The run's services, by index.
    """

    def __init__(self, services: Sequence[Service]) -> None:
        self._services = services
        self._made: OrderedDict[tuple[int, int], tuple[bytes, int]] = OrderedDict()
        self._size = 0

    def encode(self, chunk: Chunk, data: bytes, place: int) -> tuple[bytes, int]:
        """Return lines of a chunk as JSON, and where the next ones begin.

        Args:
            data: The chunk's data, which the chunk itself may have lost.
            place: Where in the data to begin.
        """
        key = chunk.number, place
        made = self._made.get(key)
        if made is not None:
            self._made.move_to_end(key)
            return made
        lines, end = next_lines(data, place)
        made = self.encode_lines(chunk, lines), end
        self._made[key] = made
        self._size += len(made[0])
        while self._size > MOST_SHARED and len(self._made) > 1:
            _, (oldest, _) = self._made.popitem(last=False)
            self._size -= len(oldest)
        return made

    def encode_lines(self, chunk: Chunk, lines: Sequence[str]) -> bytes:
        """Return lines of a chunk as JSON."""
        service = self._services[chunk.instance]
        name, label, at, generation = name_of(service), service.label, chunk.at, chunk.generation
        stream = "err" if chunk.is_error else "out"
        return encoded_lines([LogLine(at, name, label, generation, stream, line) for line in lines])


def next_lines(data: bytes, place: int) -> tuple[list[str], int]:
    """Return a few lines from a place on as text, without line ends, and where the next begin."""
    parts = (
        data[place:].split(b"\n", LINES_AT_A_TIME) if place else data.split(b"\n", LINES_AT_A_TIME)
    )
    end = len(data) - len(parts[-1])
    block = data[place : end - 1].decode("utf-8", "replace")
    lines = block.split("\n")
    if "\r" in block:
        lines = [line.removesuffix("\r") for line in lines]
    return lines, end


class Wanted:
    """Which lines a client wants; as a container, which instances.

    Args:
        services: The run's services, by index.
        names: Of services or of instances; none: all.
        pattern: What a line has to hold, colours aside.
        is_error: Whether it has to be stderr's, or must not.
        since: Seconds since the epoch.
    """

    def __init__(
        self,
        services: Sequence[Service],
        names: Sequence[str] = (),
        *,
        pattern: BoundedSearch | None = None,
        is_error: bool | None = None,
        since: float = 0.0,
    ) -> None:
        self._services = services
        self._names = frozenset(names)
        self._pattern = pattern
        self._is_error = is_error
        self._since = since

    def __contains__(self, index: object) -> bool:
        """Whether an instance is wanted; one that has come to be meanwhile may be too."""
        if not self._names:
            return True
        assert isinstance(index, int)  # noqa: S101 - as its readers have it
        service = self._services[index]
        return name_of(service) in self._names or service.label in self._names

    @property
    def takes_all(self) -> bool:
        """Whether every line of a chunk is wanted that is wanted at all."""
        return self._pattern is None

    @property
    def takes_everything(self) -> bool:
        """Whether every line of the instances is wanted."""
        return self._pattern is None and self._is_error is None and not self._since

    def has(self, chunk: Chunk) -> bool:
        """Whether lines of a chunk may be wanted."""
        if self._is_error is not None and chunk.is_error is not self._is_error:
            return False
        return chunk.at >= self._since

    def matching(self, lines: Sequence[str]) -> list[str]:
        """Return those lines that are wanted.

        Raises:
            TookTooLong: The pattern needs more time than there is for it.
        """
        if self._pattern is None:
            return [*lines]
        search = self._pattern.search
        return [line for line in lines if search(_plain(line))]


def _plain(line: str) -> str:
    if "\x1b" not in line:
        return line
    return without_sequences(line.encode("utf-8", "replace")).decode("utf-8", "replace")


class LineStream:
    """What one client reads, as blocks of JSON; close it.

    Args:
        start: Place in the history.
        end: Place in the history, or None for all that is to come.
        skip: How many of the wanted lines to pass over first.
    """

    def __init__(
        self,
        history: LineHistory,
        encoder: LineEncoder,
        wanted: Wanted,
        *,
        start: int,
        end: int | None,
        skip: int,
    ) -> None:
        self._reader = history.reader(wanted, start=start)
        self._encoder = encoder
        self._wanted = wanted
        self._end = end
        self._skip = skip
        self._chunk: Chunk | None = None
        self._data = b""
        self._at = 0
        self._beyond: tuple[Chunk, bytes] | None = None
        self._is_done = False
        self.took = 0.0
        """Seconds that the last block took to make."""

    def close(self) -> None:
        """Give up the place in the history."""
        self._reader.close()

    @property
    def place(self) -> int:
        """Where in the history it is; what is there has been begun."""
        return self._reader.place

    def block(self) -> bytes:
        """Return more, about ``BLOCK`` bytes if there is so much; empty where nothing is found."""
        began = time.perf_counter()
        self._is_done = False
        found: list[bytes] = []
        size = 0
        while size < BLOCK and time.perf_counter() - began < LONGEST:
            if self._chunk is None and not self._advance():
                self._is_done = True
                break
            if lost := self._reader.take_lost():
                found.append(b'{"gap":%d}\n' % lost)
            part = self._part()
            found.append(part)
            size += len(part)
        self.took = time.perf_counter() - began
        return found[0] if len(found) == 1 else b"".join(found)

    @property
    def has_end(self) -> bool:
        """Whether it ends somewhere."""
        return self._end is not None

    def go_on(self) -> None:
        """Have no end any more."""
        self._end = None

    def _advance(self) -> bool:
        while (found := self._next()) is not None:
            chunk, data = found
            if self._end is not None and chunk.number >= self._end:
                self._beyond = found
                return False
            if self._wanted.has(chunk):
                self._chunk, self._data, self._at = chunk, data, 0
                return True
        return False

    def _next(self) -> tuple[Chunk, bytes] | None:
        """Return the next chunk with its data, which the chunk itself may lose."""
        if self._beyond is not None:
            found, self._beyond = self._beyond, None
            return found
        chunk = self._reader.next()
        return None if chunk is None else (chunk, chunk.data)

    def _part(self) -> bytes:
        chunk = self._chunk
        assert chunk is not None  # noqa: S101 - as its caller has seen
        if self._wanted.takes_all and not self._skip:
            part, self._at = self._encoder.encode(chunk, self._data, self._at)
        else:
            lines, self._at = next_lines(self._data, self._at)
            lines = self._wanted.matching(lines)
            passed = min(self._skip, len(lines))
            self._skip -= passed
            part = self._encoder.encode_lines(chunk, lines[passed:])
        if self._at >= len(self._data):
            self._chunk, self._data = None, b""
        return part

    @property
    def is_done(self) -> bool:
        """Whether all there was when the last block was made is in it."""
        return self._is_done
