"""The variable by which processes are told apart that have left everything else behind."""

from __future__ import annotations

import os

MARK = "DEVRUN_INSTANCE"
"""Variable that tells which instances a process descends from, outermost first, by ``/``."""

LASTING_MARK = "LC_DEVRUN_INSTANCE"
"""The same for programs that pass on nothing of their environment but the locale: podman starts
conmon, below which a container lives, with ``LC_*`` alone."""


def marks(pid: int) -> list[bytes]:
    """Return the marks of the instances that a process descends from, outermost first."""
    from devrun.process import tree  # Whoever only writes marks has no need of it.

    return tree.variable(pid, MARK.encode(), LASTING_MARK.encode()).split(b"/")


def is_from(worker: int, pid: int) -> bool:
    """Whether a process descends from what the devrun with the pid ``worker`` has started."""
    return any(mark.startswith(b"%d:" % worker) for mark in marks(pid))


def mark_for(index: int, generation: int, inherited: str | None) -> tuple[str, str]:
    """Return a generation's mark, and the variable's value with the outer runs' marks before it."""
    mark = f"{os.getpid()}:{index}:{generation}"
    return mark, f"{inherited}/{mark}" if inherited else mark
