"""``--focus``: the terminal's keys go to one service."""

from __future__ import annotations

from collections.abc import Callable

import trio

from devrun.events import Event, Notice
from devrun.model import Service
from devrun.output.focus import Focused
from devrun.process.spawn import Child, resize
from devrun.sources.keyboard import Keyboard
from devrun.supervise.input import write_all

TOGGLE = b"\x1d"
"""Ctrl+], which telnet has for the same purpose: programs hardly use it."""


class KeyRouter:
    """Passes keys on to the service's present process.

    Args:
        child: Returns that process, or None between two.
        toggle: Gives the terminal to the service alone, or to all again.
        size: Returns the rows and columns that the service then has.
    """

    def __init__(
        self,
        keyboard: Keyboard,
        *,
        child: Callable[[], Child | None],
        toggle: Callable[[], None],
        size: Callable[[], tuple[int, int]],
    ) -> None:
        self._keyboard = keyboard
        self._child = child
        self._toggle = toggle
        self._size = size

    async def run(self) -> None:
        """Pass keys on until the terminal hangs up; to be cancelled at the end of the run."""
        async for keys in self._keyboard.keys():
            first, *more = keys.split(TOGGLE)
            await self._pass_on(first)
            for behind in more:
                self._toggle()
                if (child := self._child()) is not None:
                    resize(child, self._size())
                await self._pass_on(behind)

    async def _pass_on(self, keys: bytes) -> None:
        child = self._child()
        if not keys or child is None or child.input is None:
            return  # What is typed between two processes is for neither.
        try:
            await write_all(child.input, keys)
        except (OSError, trio.ClosedResourceError):
            return  # It has just ended.


async def pass_keys_on(
    focused: Focused,
    service: Service,
    *,
    keyboard: Keyboard,
    child: Callable[[], Child | None],
    publish: Callable[[Event], None],
    size: Callable[[], tuple[int, int]],
) -> None:
    """Pass keys on to a service, with the terminal as programs want it; see ``KeyRouter``.

    Args:
        focused: What shows the service's output while it has the terminal.
        publish: Shows what the user has to know.
    """
    text = f"keys go to {service.label}; Ctrl+] holds the others' output back, and shows it"
    publish(Notice(text))
    router = KeyRouter(keyboard, child=child, toggle=focused.toggle, size=size)
    keyboard.enter()
    try:
        await router.run()
    finally:
        keyboard.leave()
