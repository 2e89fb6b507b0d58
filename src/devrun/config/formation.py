"""``--formation``: how many instances of each process of a file run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from devrun.config import values
from devrun.errors import UsageError

EVERYTHING = "all"
"""Stands for every process that a formation does not name."""

MOST = 1000
"""Instances of one process; more are taken for a mistake."""


def parse_formation(
    text: str | None, names: Sequence[str], usual: Mapping[str, int], *, option: str
) -> dict[str, int]:
    """Return how many instances of each process there are, for ``web=2,worker=1,all=1``.

    What is not named has as many as ``all`` says, else as usual; the order of the pairs does not
    matter.

    Args:
        usual: How many there are of a process if nothing is said; one, as with honcho and overmind,
            of what is not in it.

    Raises:
        UsageError: A pair is none, a number is wrong, or a name is unknown or stands twice.
    """
    counts: dict[str, int] = {}
    for pair in (text or "").split(","):
        if not pair.strip():
            if text is None or not text.strip():
                continue
            raise UsageError(f'{option} "{text}": a pair is missing; write web=2,worker=1')
        name, equals, number = (part.strip() for part in pair.partition("="))
        if not equals:
            raise UsageError(f'{option} "{pair}": write {name}=N')
        if name in counts:
            raise UsageError(f'{option} "{text}": "{name}" stands twice')
        if name != EVERYTHING and name not in names:
            from devrun.config.nearest import choices

            raise UsageError(f'{option} "{pair}": no such process{choices(name, names)}')
        counts[name] = values.whole_number(number, f"{option} {name}", least=0, most=MOST)
    every = counts.get(EVERYTHING)
    return {
        name: counts.get(name, usual.get(name, 1) if every is None else every) for name in names
    }
