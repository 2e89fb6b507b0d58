"""What a service has to say, in the order of its output: behind what was written before it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from math import inf

import trio

from devrun.events import Event
from devrun.output.pump import Pump


@dataclass(frozen=True, slots=True)
class _Behind:
    """Where a service waits until another has said everything."""

    other: trio.Event


@dataclass(frozen=True, slots=True)
class _Then:
    """What is done when all has been said before."""

    do: Callable[[], None]


class Telling:
    """Publishes a service's events, each behind the output before it and ahead of that after it.

    Args:
        publish: Hands an event to all who show or record it.
        room: Waits until one more may be shown.
        drained: Called when the output of a process that ended has been published.
    """

    def __init__(
        self,
        *,
        publish: Callable[[Event], None],
        room: Callable[[], Awaitable[None]],
        drained: Callable[[], None],
    ) -> None:
        self._publish = publish
        self._room = room
        self._drained = drained
        self._send, self._items = trio.open_memory_channel[
            Event | Pump | _Behind | _Then | trio.Event
        ](inf)
        self.told_all = trio.Event()
        """Set once everything has been published."""

    def tell(self, event: Event) -> None:
        """Publish an event behind all that was said so far; at once, where that was everything."""
        try:
            self._send.send_nowait(event)
        except trio.ClosedResourceError:
            self._publish(event)

    def then(self, do: Callable[[], None]) -> None:
        """Do something when all has been published that was said so far."""
        try:
            self._send.send_nowait(_Then(do))
        except trio.ClosedResourceError:
            do()

    def after(self, pump: Pump) -> None:
        """Go on when the output of a process that has ended has been published."""
        self._send.send_nowait(pump)

    def mark(self, event: trio.Event) -> None:
        """Set an event when all has been published that was said so far."""
        self._send.send_nowait(event)

    def behind(self, other: Telling) -> None:
        """Go on when another service has said everything, which is over."""
        with suppress(trio.ClosedResourceError):  # Over too: nothing comes.
            self._send.send_nowait(_Behind(other.told_all))

    def close(self) -> None:
        """Say that nothing more comes."""
        self._send.close()

    async def run(self) -> None:
        """Publish to the end."""
        async for item in self._items:
            if isinstance(item, Pump):
                await item.drained.wait()
                self._drained()
            elif isinstance(item, _Behind):
                await item.other.wait()
            elif isinstance(item, _Then):
                item.do()
            elif isinstance(item, trio.Event):
                item.set()
            else:
                await self._room()
                self._publish(item)
        self.told_all.set()
