"""How fast those who follow the output are served: together they get a fixed share of the time.

Following must not slow down what is followed. So every block that is sent is paid for: its cost
divided by the share is the time until the next round, in which each follower may have another
block. The pause grows with the number of followers, and whoever is too slow for the output then is
told how many lines were left out.
"""

from __future__ import annotations

import trio

SHARE = 0.07
"""Of one processor, for all who follow."""

SHARE_ONCE = 0.5
"""Of one processor, for what is asked for once and ends."""

SEND = 0.00025
"""Seconds of the event loop's time that a block takes on its way through Starlette, Hypercorn, h11
and the kernel, its making aside (measured with 100 followers and blocks of 40 to 64 KiB)."""


class Pace:
    """The rounds of a run's followers; ``run`` has to run."""

    def __init__(self) -> None:
        self._gate = trio.Event()
        self._asked = trio.Event()
        self._news = trio.Event()
        self._waits_for_news = False
        self._until = 0.0
        self.is_over = False
        """Whether no more output will come."""

    async def run(self) -> None:
        """Open one round after another, until cancelled."""
        while True:
            await self._asked.wait()
            while (rest := self._until - trio.current_time()) > 0:  # noqa: ASYNC110 - no event
                await trio.sleep(rest)  # Meanwhile the present round may become dearer.
            self._asked = trio.Event()
            gate, self._gate = self._gate, trio.Event()
            gate.set()

    def spend(self, seconds: float, share: float = SHARE) -> None:
        """Pay for something that took the event loop's time."""
        self._until = max(self._until, trio.current_time()) + seconds / share

    async def turn(self) -> None:
        """Wait for the next round; at the end of the run there is no time for that."""
        if self.is_over:
            await trio.lowlevel.checkpoint()
            return
        self._asked.set()
        await self._gate.wait()

    def tell(self) -> None:
        """Say that there is something new."""
        if self._waits_for_news:
            self._waits_for_news = False
            self._news.set()
            self._news = trio.Event()

    async def news(self) -> None:
        """Wait until there is something new, or the output is over."""
        if not self.is_over:
            self._waits_for_news = True
            await self._news.wait()

    def finish(self) -> None:
        """Say that no more output will come."""
        self.is_over = True
        self._waits_for_news = True
        self.tell()
        self._gate.set()
