"""When an instance uses too much memory, and what keeps that from becoming a storm.

An instance is restarted for its memory once two samples in a row are over the limit: one alone may
be a spike that is over before a restart would have begun. If the memory is merely more than the
limit allows for, it is over again soon after each restart. So the first restart is made at once,
and one whose need shows again within ``SOON`` seconds of the start is held back:

    pause = min(max(10 s, 2 * the last pause), 600 s)    from the restart before
    pause = 0                                            once an instance has held out longer

What leaks, and is over the limit after a minute or a day, is therefore restarted each time at once;
what needs too much from the beginning is restarted after 10, 20, 40 … 600 seconds, which makes
eleven restarts in the first hour, and is left alone in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

import trio

from devrun.process.group import Ownership
from devrun.process.usage import Sampler, with_shared_once

INTERVAL = 2.0
"""Seconds between two samples."""

IN_A_ROW = 2
"""As many samples over the limit, one after the other, are no spike."""

SOON = 30.0
"""Seconds after its start within which an instance that is over the limit again was not helped."""

SHORTEST_PAUSE = 10.0
LONGEST_PAUSE = 600.0


@dataclass(frozen=True, slots=True)
class OverLimit:
    """An instance is to be restarted or reloaded, as its policy says.

    Attributes:
        used: Bytes, shared pages counted once where that can be known.
        limit: Bytes.
    """

    used: int
    limit: int


@dataclass(frozen=True, slots=True)
class HeldBack:
    """An instance is over its limit again so soon that a restart has to wait; said once.

    Attributes:
        used: Bytes.
        limit: Bytes.
        seconds: Time until the restart, if it still uses too much then. The next waits twice as
            long after this one, up to ``LONGEST_PAUSE``.
    """

    used: int
    limit: int
    seconds: float


class MemoryWatch:
    """Decides about one instance; it takes samples and times, and reads neither itself.

    Args:
        limit: Bytes that all processes of the instance may use together.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._generation: int | None = None
        self._born = -inf
        self._over = 0
        self._judged = False
        self._acted_at = -inf
        self._pause = 0.0
        self._said = False

    def feed(self, used: int, generation: int, now: float) -> OverLimit | HeldBack | None:
        """Take a sample, and return what follows from it.

        Args:
            used: Bytes in use.
            generation: Which start of the instance it is a sample of.
            now: Seconds of a monotonic clock.
        """
        if generation != self._generation:
            self._generation = generation
            self._begin(now)
        self._over = self._over + 1 if used > self.limit else 0
        if self._over < IN_A_ROW:
            return None
        if not self._judged:
            self._judge(now)
        wait = self._acted_at + self._pause - now
        if wait > 0:
            return self._hold_back(used, wait)
        self._acted_at = now
        self._begin(now)  # The same generation, if it serves on because a reload has failed.
        return OverLimit(used, self.limit)

    def _begin(self, now: float) -> None:
        self._born = now
        self._over = 0
        self._judged = False

    def _judge(self, now: float) -> None:
        """See whether the last restart has helped; once for each generation."""
        self._judged = True
        if self._acted_at > -inf and now - self._born < SOON:
            self._pause = min(max(SHORTEST_PAUSE, 2 * self._pause), LONGEST_PAUSE)
        else:
            self._pause = 0.0
            self._said = False

    def _hold_back(self, used: int, wait: float) -> HeldBack | None:
        if self._said:
            return None
        self._said = True
        return HeldBack(used, self.limit, wait)


@dataclass(frozen=True, slots=True)
class Watched:
    """An instance that runs and has a limit.

    Attributes:
        index: Its place among the services.
        limit: Bytes.
    """

    index: int
    generation: int
    owner: Ownership
    limit: int


async def watch_memory(
    watched: Callable[[], Sequence[Watched]],
    tell: Callable[[int, int, OverLimit | HeldBack], None],
    *,
    interval: float = INTERVAL,
) -> None:
    """Look at the memory of instances every ``interval`` seconds, until cancelled.

    Args:
        watched: Says what to look at, each time anew: what runs, has a limit and is not just being
            reloaded, because two generations together may use twice as much.
        tell: Called with index, generation and news of an instance. It may have gone on to another
            generation meanwhile.
    """
    sampler = Sampler()
    watches: dict[int, MemoryWatch] = {}
    while True:
        await trio.sleep(interval)
        instances = watched()
        usages = sampler.sample([instance.owner for instance in instances]) if instances else ()
        for instance, usage in zip(instances, usages, strict=True):
            used = usage.rss
            if used > instance.limit:
                # In a thread, because the time grows with the memory; the sample takes 1 ms.
                exact = await trio.to_thread.run_sync(
                    with_shared_once, usage, abandon_on_cancel=True
                )
                used = exact.memory
            watch = watches.get(instance.index)
            if watch is None or watch.limit != instance.limit:
                watch = watches[instance.index] = MemoryWatch(instance.limit)
            news = watch.feed(used, instance.generation, trio.current_time())
            if news is not None:
                tell(instance.index, instance.generation, news)
