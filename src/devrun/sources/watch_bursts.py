"""When a burst of changes is over: each service waits for its own quiet, though one watcher looks.

A burst is over after a quiet period that every change starts anew, up to a limit. What is told here
is the time; the changes themselves are looked up by others once a burst is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

Change = tuple[int, str]
"""Number of a watched root, and the path of a file that counts for it."""

MANY_EVENTS = 1000
"""The kernel drops events when 16,384 wait to be read (``fs.inotify.max_queued_events``), five or
so a file, and the backend does not tell: after this many paths everything is compared."""


@dataclass(frozen=True, slots=True)
class Hints:
    """Where to look.

    Attributes:
        files: What may have changed.
        everywhere: Anything may have changed: folders have come or gone, or events were lost.
        events: How many paths the kernel has named.
    """

    files: frozenset[Change] = frozenset()
    everywhere: bool = False
    events: int = 0

    def __bool__(self) -> bool:
        return bool(self.files) or self.everywhere

    def __or__(self, other: Hints) -> Hints:
        events = self.events + other.events
        everywhere = self.everywhere or other.everywhere or events >= MANY_EVENTS
        return Hints(self.files | other.files, everywhere, events)


EVERYWHERE = Hints(everywhere=True)


class Pace(NamedTuple):
    """How long is waited, in seconds.

    Attributes:
        quiet: Without a change.
        longest: From the first change on, even if there are more and more.
    """

    quiet: float
    longest: float


@dataclass(slots=True)
class Burst:
    """What has happened to the roots of one pace since they were last quiet.

    Attributes:
        first: When it began.
        last: When the last of it happened.
        hints: Where is still to be looked.
        changes: What is known to have changed.
    """

    pace: Pace
    first: float
    last: float
    hints: Hints = Hints()
    changes: set[Change] = field(default_factory=set)

    @property
    def end(self) -> float:
        """When it is over, if nothing more happens."""
        return min(self.last + self.pace.quiet, self.first + self.pace.longest)


class Bursts:
    """The bursts that are going on, at most one for each pace.

    Args:
        paces: Of each watched root, by its number.
    """

    def __init__(self, paces: Sequence[Pace]) -> None:
        self._paces = tuple(paces)
        self._going_on: dict[Pace, Burst] = {}

    @property
    def next_end(self) -> float | None:
        """When the first of them is over, if nothing more happens; None if there is none."""
        return min((burst.end for burst in self._going_on.values()), default=None)

    def hinted(self, hints: Hints, now: float) -> None:
        """Take note of where is to be looked; what may be anywhere concerns all."""
        for pace in dict.fromkeys(self._paces):
            files = frozenset(self._of([pace], hints.files))
            if files or hints.everywhere:
                burst = self._at(pace, now)
                burst.hints |= Hints(files, hints.everywhere, hints.events)

    def compared(self, changes: Iterable[Change], now: float) -> None:
        """Take note of what has changed, where everything has been looked at."""
        found = set(changes)
        for burst in self._going_on.values():
            burst.hints = Hints()
        for pace in dict.fromkeys(self._paces):
            if own := self._of([pace], found):
                self._at(pace, now).changes |= own
        going_on = self._going_on.items()
        self._going_on = {pace: burst for pace, burst in going_on if burst.changes}

    def over(self, now: float) -> list[Burst]:
        """Return the bursts that are over, and forget them."""
        ended = [burst for burst in self._going_on.values() if burst.end <= now]
        return [self._going_on.pop(burst.pace) for burst in ended]

    def all(self) -> list[Burst]:
        """Return all bursts as if they were over, and forget them."""
        ended, self._going_on = list(self._going_on.values()), {}
        return ended

    def of(self, bursts: Iterable[Burst], changes: Iterable[Change]) -> set[Change]:
        """Return those of the changes that belong to bursts of these paces."""
        return self._of([burst.pace for burst in bursts], changes)

    def _of(self, paces: Sequence[Pace], changes: Iterable[Change]) -> set[Change]:
        return {change for change in changes if self._paces[change[0]] in paces}

    def _at(self, pace: Pace, now: float) -> Burst:
        burst = self._going_on.setdefault(pace, Burst(pace, now, now))
        burst.last = now
        return burst
