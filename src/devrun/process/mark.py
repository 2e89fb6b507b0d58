"""The variable by which processes are told apart that have left everything else behind."""

from __future__ import annotations

import os

MARK = "DEVRUN_INSTANCE"
"""Variable that tells which instances a process descends from, outermost first, by ``/``."""

LASTING_MARK = "LC_DEVRUN_INSTANCE"
"""The same for programs that pass on nothing of their environment but the locale: podman starts
conmon, below which a container lives, with ``LC_*`` alone."""


def mark_for(index: int, generation: int, inherited: str | None) -> tuple[str, str]:
    """Return a generation's mark, and the variable's value with the outer runs' marks before it."""
    mark = f"{os.getpid()}:{index}:{generation}"
    return mark, f"{inherited}/{mark}" if inherited else mark
