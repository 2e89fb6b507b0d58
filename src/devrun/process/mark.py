"""The variable by which processes are told apart that have left everything else behind."""

from __future__ import annotations

import os

MARK = "DEVRUN_INSTANCE"
"""Variable that tells which instances a process descends from, outermost first, by ``/``."""


def mark_for(index: int, generation: int, inherited: str | None) -> tuple[str, str]:
    """Return a generation's mark, and the variable's value with the outer runs' marks before it."""
    mark = f"{os.getpid()}:{index}:{generation}"
    return mark, f"{inherited}/{mark}" if inherited else mark
