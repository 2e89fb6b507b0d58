"""``/v1/events``: what happens to services, as server-sent events, as it happens."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import trio

from devrun.control.json_text import encoded
from devrun.control.reading import signal_name
from devrun.events import Event, Output
from devrun.model import ExitStatus, Service
from devrun.supervise.dependencies import name_of

MOST = 1000
"""Events that are kept for those who are slow, or come again."""

QUIET = 15.0
"""Seconds without an event after which a comment shows that the connection lives."""

_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


class EventLog:
    """The latest events of a run, numbered from 1.

    Args:
        services: The run's services, by index.
    """

    def __init__(self, services: Sequence[Service]) -> None:
        self._services = services
        self._frames: deque[bytes] = deque(maxlen=MOST)
        self._last = 0
        self._news = trio.Event()
        self._is_over = False

    def take(self, event: Event) -> None:
        """Take an event."""
        if isinstance(event, Output):
            return
        self._last += 1
        self._frames.append(self._frame(event))
        self._wake()

    def finish(self) -> None:
        """Say that there will be no more."""
        self._is_over = True
        self._wake()

    async def follow(self, after: int | None, put: Callable[[bytes], Awaitable[bool]]) -> None:
        """Send events until there are no more.

        Args:
            after: Number of the last one that the client has, or None for those to come.
            put: Sends a block; False if the client is to get no more.
        """
        seen = self._last if after is None else min(after, self._last)
        goes_on = await put(b": devrun\n\n")
        while goes_on:
            first = self._last - len(self._frames) + 1
            if seen + 1 < first:
                gap = b'event: gap\ndata: {"gap":%d}\n\n' % (first - seen - 1)
                seen, goes_on = first - 1, await put(gap)
            elif seen < self._last:
                frames = [*self._frames][seen - self._last :]
                seen, goes_on = self._last, await put(b"".join(frames))
            elif self._is_over:
                return
            else:
                with trio.move_on_after(QUIET) as quiet:
                    await self._news.wait()
                if quiet.cancelled_caught:
                    goes_on = await put(b":\n\n")

    def _wake(self) -> None:
        self._news.set()
        self._news = trio.Event()

    def _frame(self, event: Event) -> bytes:
        kind = _CAPITAL.sub("_", type(event).__name__).lower()
        data = encoded(self._data(kind, event))
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (self._last, kind.encode(), data)

    def _data(self, kind: str, event: Event) -> dict[str, object]:
        said = msgspec.to_builtins(event)
        status = getattr(event, "status", None)
        if isinstance(status, ExitStatus):
            said["status"] = _named(status)
        index = said.pop("instance", None)
        said.pop("at", None)
        service = None if index is None else self._services[index]
        name = None if service is None else name_of(service)
        label = None if service is None else service.label
        return {"type": kind, "at": time.time(), "service": name, "instance": label, **said}


def _named(status: ExitStatus) -> dict[str, object]:
    """Return how a process ended, with the name of the signal."""
    number = status.signal
    return {"code": status.code, "signal": None if number is None else signal_name(number)}
