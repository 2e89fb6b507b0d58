"""Which service is meant, told by the first letters of its name; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_ENTER = "\r\n"
_ESCAPE = "\x1b"
_ERASE = "\x7f\b"

_MOST_NAMED = 12
"""Names in a line."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was chosen: indices of services, and what is to be said; neither if nothing was."""

    indices: tuple[int, ...] = ()
    text: str = ""


class Choice:
    """Takes letters until only one service is left; all of them if there is only that.

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
            return Answer(text="nothing is restarted")
        if key in _ENTER:
            return self._entered()
        if key in _ERASE:
            self._typed = self._typed[:-1]
            return None
        self._typed += key
        found = self._beginning()
        if not found:
            known = self._listed([*self._names])
            return Answer(text=f'no service begins with "{self._typed}"; there are {known}')
        return self._chosen(found[0]) if len(found) == 1 else None

    def _entered(self) -> Answer:
        if not self._typed:
            every = tuple(index for indices in self._names.values() for index in indices)
            return Answer(every, "restarting all")
        if self._typed in self._names:
            return self._chosen(self._typed)
        found = self._beginning()
        return Answer(text=f'"{self._typed}" is the beginning of {self._listed(found)}')

    def _beginning(self) -> list[str]:
        return [name for name in self._names if name.startswith(self._typed)]

    def _chosen(self, name: str) -> Answer:
        return Answer(tuple(self._names[name]), f"restarting {name}")

    def _listed(self, names: Sequence[str]) -> str:
        more = len(names) - _MOST_NAMED
        return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
