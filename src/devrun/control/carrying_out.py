"""What becomes of a request when the client that made it goes away.

Who only wanted to know is forgotten at once. An order is carried out all the same: half of it would
be worse than all or nothing. In both cases the client's connection is given back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import trio

from devrun.control.connection import Connection
from devrun.control.problems import Problem

MOST_ORDERS = 100
"""Orders that are carried out at a time."""

T = TypeVar("T")


async def while_awaited(connection: Connection | None, do: Callable[[], Awaitable[T]]) -> T | None:
    """Return what something comes to, or None if the client has gone before.

    Args:
        connection: The client's; None: it stays.
        do: Raises nothing.
    """
    if connection is None:
        return await do()
    client, found = connection, None

    async def watch() -> None:
        await client.gone()
        nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        found = await do()
        nursery.cancel_scope.cancel()
    return found


class Orders(Generic[T]):
    """Those that are being carried out, whoever waits for them.

    Args:
        nursery: In which they are.
    """

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._present = 0

    def begin(self, do: Callable[[], Awaitable[T]]) -> Callable[[], Awaitable[T]]:
        """Begin an order; return what waits for what it comes to, and need not be called.

        Args:
            do: Raises nothing.

        Raises:
            Problem: There are too many.
        """
        if self._present >= MOST_ORDERS:
            raise Problem(503, f"{MOST_ORDERS} orders are being carried out already")
        found: list[T] = []
        over = trio.Event()

        async def carry() -> None:
            try:
                found.append(await do())
                over.set()
            finally:
                self._present -= 1

        async def outcome() -> T:
            await over.wait()
            return found[0]

        self._present += 1
        self._nursery.start_soon(carry)
        return outcome
