"""What became of an order, and how one is refused."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from devrun.errors import DevrunError, ExitCode


class Done(Enum):
    """What became of an order, for one instance."""

    STARTED = "started"
    STOPPED = "stopped"
    RESTARTED = "restarted"
    RELOADED = "reloaded"
    REMOVED = "removed"
    UNCHANGED = "unchanged"
    """It was as it was to be."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """What it depends on is not there."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an order, for one instance; ``reason`` says why it failed."""

    index: int
    done: Done
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """How a configuration differs from what runs.

    Attributes:
        added: Labels.
        removed: Labels.
        changed: Labels, each with the names of what is not the same.
        results: What became of it.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[tuple[str, tuple[str, ...]], ...] = ()
    results: tuple[Result, ...] = ()


class NoSuchService(DevrunError):  # noqa: N818 - a state, not a defect
    """Nothing of that name is part of the run; ``str`` says so, with the nearest names."""

    exit_code = ExitCode.USAGE


class Refused(DevrunError):  # noqa: N818 - a state, not a defect
    """It cannot be done; ``str`` says why in one line."""

    exit_code = ExitCode.FAILURE
