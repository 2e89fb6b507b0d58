"""Keys of devrun's own terminal that are commands to it, in a run that shows its output there."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import trio

from devrun.errors import DevrunError
from devrun.events import Event, Notice
from devrun.model import Service
from devrun.sources.keyboard import Keyboard
from devrun.supervise.choosing import Choice, Rest
from devrun.supervise.dependencies import name_of

HELP = "keys: r restart, s status, Enter an empty line, q quit, ? these"
HINT = "keys: ? shows them"

_ENTER = "\r\n"


class Asked(Protocol):
    """What carries out what is asked for."""

    def all(self) -> list[int]:
        """Return the indices of all that is part of the run."""

    async def restart(self, indices: Sequence[int], /) -> object:
        """Start services anew, and wait until they are ready."""


class Keys:
    """Does what keys say; keys that say nothing do nothing.

    That there are keys is said at the beginning, or when Enter or a key is pressed that is no
    command; once, and not to somebody who knows. Several that come at once are no command, but what
    somebody has pasted, or an arrow; but there may be Enter before a key.

    Args:
        services: By index; there may be more later.
        publish: Shows a line.
        status: Returns the lines of a table.
        kill: Ends the run at once, when it is ending already.
        announces: It is said at the beginning that there are keys.
    """

    def __init__(
        self,
        keyboard: Keyboard,
        services: Sequence[Service],
        orders: Asked,
        *,
        publish: Callable[[Event], None],
        status: Callable[[], Awaitable[Sequence[str]]],
        kill: Callable[[], None],
        announces: bool,
    ) -> None:
        self._keyboard = keyboard
        self._services = services
        self._orders = orders
        self._publish = publish
        self._status = status
        self._kill = kill
        self._announces = announces
        self._is_known = False
        self._choice: Choice | None = None
        self._rest: Rest | None = None
        self._quits = False

    async def run(self) -> None:
        """Take keys until the terminal hangs up; to be cancelled at the end of the run."""
        async with trio.open_nursery() as nursery:
            if self._announces and self._keyboard.is_ours():
                self._hint()
            try:
                async for typed in self._keyboard.keys():
                    self._take(typed.decode("utf-8", "replace"), nursery)
            finally:
                self._keyboard.leave()

    def _take(self, typed: str, nursery: trio.Nursery) -> None:
        if self._choice is not None:
            self._choose(self._choice, typed, nursery)
            return
        typed = self._behind_name(typed)
        if typed[:1] and typed[0] in _ENTER:
            typed = self._make_room(typed)
        if typed in ("r", "R"):
            self._choice = Choice(self._names())
            self._say(f"restart which? {self._choice.prompt}")
        elif typed in ("s", "S"):
            nursery.start_soon(self._show_status)
        elif typed in ("q", "Q"):
            self._quit()
        elif typed in ("?", "h"):
            self._is_known = True
            self._say(HELP)
        elif len(typed) == 1:
            self._hint()

    def _make_room(self, typed: str) -> str:
        """Make an empty line for each Enter, and return what is behind them."""
        behind = typed.lstrip(_ENTER)
        for _ in range(len(typed) - len(behind)):
            self._say("")
        if not behind:
            self._hint()
        return behind

    def _behind_name(self, typed: str) -> str:
        """Return what was typed without the rest of the name that was chosen by its beginning."""
        if self._rest is None:
            return typed
        behind = self._rest.behind(typed, trio.current_time())
        if behind is None:
            return ""
        self._rest = None
        of_name = typed.removesuffix(behind).strip(_ENTER)
        return "" if of_name else behind  # What came at once with letters was pasted.

    def _hint(self) -> None:
        if not self._is_known:
            self._is_known = True
            self._say(HINT)

    def _say(self, text: str) -> None:
        self._publish(Notice(text))

    def _names(self) -> dict[str, list[int]]:
        """Return the indices of each service's instances."""
        found: dict[str, list[int]] = {}
        for index in self._orders.all():
            found.setdefault(name_of(self._services[index]), []).append(index)
        return found

    def _choose(self, choice: Choice, typed: str, nursery: trio.Nursery) -> None:
        for place, key in enumerate(typed):
            answer = choice.take(key)
            if answer is None:
                continue
            if answer.text:
                self._say(answer.text)
            if answer.is_open:
                continue
            self._choice = None
            if answer.rest is not None:
                self._rest = Rest(answer.rest, trio.current_time())
                self._behind_name(typed[place + 1 :])
            if answer.indices:
                nursery.start_soon(self._restart, answer.indices)
            return

    async def _restart(self, indices: Sequence[int]) -> None:
        try:
            await self._orders.restart(indices)
        except DevrunError as error:
            self._say(str(error))

    async def _show_status(self) -> None:
        for line in await self._status():
            self._say(line)

    def _quit(self) -> None:
        if self._quits:
            self._kill()
            return
        self._quits = True
        os.kill(os.getpid(), signal.SIGTERM)
