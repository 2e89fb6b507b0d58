"""Who hears at once what happens to services, however slow the reader of the output is."""

from __future__ import annotations

from collections.abc import Callable

import trio

from devrun.events import Event


class News:
    """Hands on what happens; ``changed`` is for those who look at the services themselves."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Event], None]] = []
        self._next = trio.Event()

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Have every event handed on, but for output; return how to end that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def publish(self, event: Event) -> None:
        """Hand an event on."""
        for listener in [*self._listeners]:
            listener(event)

    async def changed(self) -> None:
        """Wait until a service's state is another, or the run begins to end."""
        await self._next.wait()

    def wake(self) -> None:
        """Say that something is otherwise now."""
        self._next.set()
        self._next = trio.Event()
