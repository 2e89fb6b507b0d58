"""One comparison: words for both, and where they may differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Order(Enum):
    """How much of the order of lines is determined."""

    EXACT = "exact"
    PER_COMMAND = "per command"
    """That of the lines with the same prefix."""
    NONE = "none"


@dataclass(frozen=True)
class Vector:
    """Words, and what is expected of the two.

    Attributes:
        signal: Both get it as soon as a file called ``ready`` is in the folder.
        terminal: Whether both write to a terminal.
        clock: Whether the lines tell the time, so that both have to run within one minute.
        varying: Regular expressions of what is never the same twice, and therefore left out.
        code: devrun's exit code, minus a signal if it died of one.
        their_code: concurrently's, if it is another one for a reason that is not about codes.
        differs: Names of the deliberate differences that show.
        lines: devrun's lines where they are not concurrently's.
        error: What devrun's stderr begins with; concurrently's is the same if there is no
            difference.
    """

    name: str
    words: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    signal: str = ""
    terminal: bool = False
    clock: bool = False
    varying: tuple[str, ...] = ()
    order: Order = Order.EXACT
    code: int = 0
    their_code: int | None = None
    differs: tuple[str, ...] = ()
    lines: tuple[str, ...] | None = None
    error: str = ""


EACH, ANY = Order.PER_COMMAND, Order.NONE


def vector(name: str, *words: str, differs: str = "", **more) -> Vector:
    """Return a vector; ``lines`` may be one text."""
    if isinstance(more.get("lines"), str):
        more["lines"] = tuple(more["lines"].split("\n"))
    return Vector(name, words, differs=tuple(differs.split()), **more)


def refused(name: str, *words: str, error: str, differs: str = "usage-error", **more) -> Vector:
    """Return a vector that devrun refuses."""
    expected = f"devrun: {error}"
    return vector(name, *words, differs=differs, code=2, lines=(), error=expected, **more)


def failing(name: str, *words: str, code: int, differs: str = "", **more) -> Vector:
    """Return a vector whose failure both report; devrun with the command's own code."""
    known = "summary" if code == 1 else "exit-code summary"
    return vector(name, *words, differs=f"{known} {differs}", code=code, **more)
