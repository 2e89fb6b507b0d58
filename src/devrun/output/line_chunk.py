"""Lines of output as they are kept: in the chunks that they came in."""

from __future__ import annotations

from dataclasses import dataclass

from devrun.events import Output


class Chunk:
    """Whole lines of one instance that came together.

    Attributes:
        number: Its place among all chunks of the run.
        at: When it came, in seconds since the epoch.
        data: The lines, each with its line feed; empty as soon as the chunk has been dropped, so
            that a reader who is slow has to keep it for himself.
        first: Number of its first line within the instance, or -1 while nobody reads.
        following: Number of the line that follows.
        count: How many lines there are, or -1 while nobody has counted them.
    """

    __slots__ = (
        "at",
        "count",
        "data",
        "first",
        "following",
        "generation",
        "instance",
        "is_error",
        "number",
    )

    def __init__(self, number: int, at: float, event: Output, data: bytes) -> None:
        self.number = number
        self.at = at
        self.instance = event.instance
        self.generation = event.generation
        self.is_error = event.is_error
        self.data = data
        self.first = -1
        self.following = -1
        self.count = -1

    @property
    def lines(self) -> list[bytes]:
        """The lines, without their line feeds."""
        return self.data[:-1].split(b"\n")


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Attributes:
        number: Its place among the lines of its instance, from 0, for as long as anybody reads.
        at: When its end came, in seconds since the epoch.
        data: The line without its line feed.
    """

    number: int
    at: float
    instance: int
    generation: int
    is_error: bool
    data: bytes


def counted(chunk: Chunk) -> int:
    """Return how many lines a chunk has, counting them if nobody has."""
    if chunk.count < 0:
        chunk.count = chunk.data.count(b"\n")
    return chunk.count


def lines_of(chunk: Chunk) -> list[Line]:
    """Return the lines of a chunk that has been numbered."""
    return [
        Line(chunk.first + place, chunk.at, chunk.instance, chunk.generation, chunk.is_error, data)
        for place, data in enumerate(chunk.lines)
    ]
