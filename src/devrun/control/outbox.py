"""What is to be sent to one attached client: bounded, whatever the client does not take."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import trio

MOST = 256 * 1024
"""Bytes of output that wait for a client; what it is too slow for is left out, and it is told."""

MOST_NEWS = 200
"""What else waits for it; the oldest of it is left out first."""

News = Mapping[str, object]
Message = bytes | News


class Outbox:
    """Messages to one client, in order.

    Attributes:
        is_closed: Nothing more will come.
    """

    def __init__(self, most: int = MOST) -> None:
        self.is_closed = False
        self._most = most
        self._waiting: deque[Message] = deque()
        self._size = 0
        self._missed = 0
        self._told = 0
        self._untold = 0
        self._news = trio.Event()

    def put(self, data: bytes) -> None:
        """Add output; if there is too much, what waits is dropped for it."""
        if not data:
            return
        if self._size + len(data) > self._most:
            self._missed += self._size
            self._size = 0
            self._waiting = deque(each for each in self._waiting if not isinstance(each, bytes))
        self._waiting.append(data)
        self._size += len(data)
        self._news.set()

    def tell(self, news: News) -> None:
        """Add what is no output."""
        if self._told == MOST_NEWS:
            oldest = next(each for each in self._waiting if not isinstance(each, bytes))
            self._waiting.remove(oldest)
            self._untold += 1
        else:
            self._told += 1
        self._waiting.append(news)
        self._news.set()

    def close(self) -> None:
        """Say that nothing more will come."""
        self.is_closed = True
        self._news.set()

    async def take(self) -> list[Message]:
        """Return what waits, once there is something; nothing at the end."""
        while not self._waiting and not self.is_closed:
            self._news = trio.Event()
            await self._news.wait()
        taken: list[Message] = []
        if self._untold:
            taken.append({"gap": self._missed, "news": self._untold})
        elif self._missed:
            taken.append({"gap": self._missed})
        self._missed = self._untold = self._told = 0
        output: list[bytes] = []
        for each in self._waiting:
            if isinstance(each, bytes):
                output.append(each)
                continue
            if output:
                taken.append(b"".join(output))
                output = []
            taken.append(each)
        if output:
            taken.append(b"".join(output))
        self._waiting.clear()
        self._size = 0
        return taken
