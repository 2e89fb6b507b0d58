"""Which service is meant, told by the first letters of its name; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

_ENTER = "\r\n"
_ESCAPE = "\x1b"
_ERASE = "\x7f\b"

_NOTHING = "nothing is restarted"

_MOST_NAMED = 12
"""Names in a line."""

IN_SUCCESSION = 1.5
"""Seconds between two letters of a name, for somebody who looks for them on the keyboard. What
comes later is meant as a command: a letter of "worker" restarts as well."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was chosen: indices of services, and what is to be said; neither if nothing was.

    Attributes:
        rest: What follows in the name that was meant, where its first letters were enough.
        is_open: Nothing is decided yet.
    """

    indices: tuple[int, ...] = ()
    text: str = ""
    rest: str | None = None
    is_open: bool = False


class Rest:
    """The rest of a name whose first letters were enough: who types all of it gives no commands.

    One Enter belongs to it, wherever the typing ends.

    Args:
        letters: What may follow.
        now: In seconds, as for the others.
    """

    def __init__(self, letters: str, now: float) -> None:
        self._letters = letters
        self._last = now

    def behind(self, typed: str, now: float) -> str | None:
        """Return what of the keys is not of the name, or None while more of it may come."""
        if now - self._last > IN_SUCCESSION:
            return typed
        self._last = now
        for place, key in enumerate(typed):
            if key in _ENTER:
                return typed[place + 1 :]
            if not self._letters.startswith(key):
                return typed[place:]
            self._letters = self._letters[1:]
        return None


class Choice:
    """Takes letters until only one service is left; all of them if there is only that.

    Letters that no service begins with are no end of it: what follows would be taken for commands.

    Args:
        names: The indices of the instances of each service.
    """

    def __init__(self, names: Mapping[str, Sequence[int]]) -> None:
        self._names = names
        self._typed = ""

    @property
    def prompt(self) -> str:
        """What can be typed."""
        return f"Enter all; or the first letters of {self._listed([*self._names])}; Esc none"

    def take(self, key: str) -> Answer | None:
        """Take a key; return what it decides, or None while that is open."""
        if key == _ESCAPE:
            return Answer(text=_NOTHING)
        if key in _ENTER:
            return self._entered()
        if key in _ERASE:
            self._typed = self._typed[:-1]
            return None
        was_wrong = not self._beginning()
        self._typed += key
        found = self._beginning()
        if len(found) == 1:
            rest = found[0].removeprefix(self._typed)
            return replace(self._chosen(found[0]), rest=rest)
        return None if found or was_wrong else self._wrong()

    def _entered(self) -> Answer:
        if not self._typed:
            every = tuple(index for indices in self._names.values() for index in indices)
            return Answer(every, "restarting all")
        if self._typed in self._names:
            return self._chosen(self._typed)
        found = self._beginning()
        if not found:
            return Answer(text=_NOTHING)
        return Answer(text=f'"{self._typed}" is the beginning of {self._listed(found)}')

    def _wrong(self) -> Answer:
        known = self._listed([*self._names])
        text = f'no service begins with "{self._typed}"; there are {known}: erase, or Esc none'
        return Answer(text=text, is_open=True)

    def _beginning(self) -> list[str]:
        return [name for name in self._names if name.startswith(self._typed)]

    def _chosen(self, name: str) -> Answer:
        return Answer(tuple(self._names[name]), f"restarting {name}")

    def _listed(self, names: Sequence[str]) -> str:
        more = len(names) - _MOST_NAMED
        return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
