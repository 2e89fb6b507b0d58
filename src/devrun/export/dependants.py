"""The order in which processes start that depend on each other."""

from __future__ import annotations

from collections.abc import Sequence

from devrun.export.process_type import ProcessType


def levels(processes: Sequence[ProcessType]) -> dict[str, int]:
    """Return how many others stand before each process, in the longest chain.

    There is no circle: a project that has one is refused when it is read.
    """
    found: dict[str, int] = {}
    by_name = {kind.name: kind for kind in processes}

    def level(kind: ProcessType) -> int:
        if kind.name not in found:
            below = [level(by_name[need.on.name]) + 1 for need in kind.needs]
            found[kind.name] = max(below, default=0)
        return found[kind.name]

    for kind in processes:
        level(kind)
    return found
