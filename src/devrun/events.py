"""What happened: the closed union that every reporter reads.

Events are published once, in order, by the supervisor. Whoever needs to know something subscribes;
nothing reaches into a service's state. ``instance`` is the index of the service within its project,
``generation`` counts its starts from 1, ``at`` is seconds on the event loop's own clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from devrun.model import ExitStatus


@dataclass(frozen=True, slots=True)
class Started:
    """A process runs."""

    instance: int
    generation: int
    pid: int
    at: float


class Piece(Enum):
    """What an ``Output`` holds."""

    LINES = "lines"
    """Whole lines, the last byte is a line feed."""
    PART = "part"
    """The beginning of a line, or more of it; the rest will follow and continues it."""
    PROGRESS = "progress"
    """The present state of a line that is being redrawn with carriage returns. It will come
    again, in full, so a sink that keeps only final states passes it over."""


@dataclass(frozen=True, slots=True)
class Output:
    """Bytes that a process wrote, as they were.

    Attributes:
        is_error: They are of its stderr, where that comes apart.
    """

    instance: int
    generation: int
    piece: Piece
    data: bytes
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Exited:
    """A main process has ended and all it wrote has been published.

    Attributes:
        final: No restart follows.
        stopped: devrun ended it on purpose, so that its status is no failure.
        fault: Why devrun ended it, if that was because it did not work.
    """

    instance: int
    generation: int
    status: ExitStatus
    at: float
    uptime: float
    final: bool
    stopped: bool
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class SpawnFailed:
    """A process could not be started; ``reason`` is one line that says why."""

    instance: int
    generation: int
    status: ExitStatus
    reason: str
    at: float
    final: bool


@dataclass(frozen=True, slots=True)
class Restarted:
    """A new generation replaces an ended one."""

    instance: int
    generation: int
    at: float


@dataclass(frozen=True, slots=True)
class Ready:
    """A service with a gate may be depended on.

    Attributes:
        after: Seconds since the generation was started.
    """

    instance: int
    generation: int
    at: float
    after: float


@dataclass(frozen=True, slots=True)
class Unhealthy:
    """A service's probe fails, or it did not become ready in time.

    Attributes:
        reason: What is wrong, in one line.
        stops: Its processes are stopped because of it.
    """

    instance: int
    generation: int
    reason: str
    stops: bool


@dataclass(frozen=True, slots=True)
class Healthy:
    """A service's probe succeeds, for the first time or again."""

    instance: int
    generation: int
    again: bool


@dataclass(frozen=True, slots=True)
class Retrying:
    """A service that ended will be started again after a while.

    Attributes:
        delay: Seconds from now.
        retry: Number of this restart, from 1, among those that follow fast ends in a row.
        most: How many of these there may be; -1 is no limit.
    """

    instance: int
    generation: int
    delay: float
    retry: int
    most: int


@dataclass(frozen=True, slots=True)
class Failed:
    """A service has been given up, after restarts; ``reason`` says why."""

    instance: int
    generation: int
    reason: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A service is not started; ``reason`` is the chain of what it depends on."""

    instance: int
    reason: str


@dataclass(frozen=True, slots=True)
class OverMemory:
    """A service's processes use more memory than they may, and are restarted.

    Attributes:
        used: Bytes.
        limit: Bytes.
    """

    instance: int
    generation: int
    used: int
    limit: int


@dataclass(frozen=True, slots=True)
class Changed:
    """Watched files changed.

    Attributes:
        path: The first of them, relative to the project where it is inside.
        more: How many others changed in the same burst.
        suspended: The loop guard has taken this service's watching out of service.
    """

    instance: int
    path: str
    more: int
    suspended: bool = False


class StopReason(Enum):
    """Why the run is being stopped."""

    OTHER_EXITED = "other exited"
    SIGNAL = "signal"
    READER_GONE = "reader gone"
    GUARDIAN_GONE = "guardian gone"
    OUTPUT_FAILED = "output failed"


@dataclass(frozen=True, slots=True)
class Stopping:
    """The run is being stopped.

    Attributes:
        reason: Why.
        signals: The signals that are being sent to the processes.
        cause: Index of the service whose end caused it, if one did.
        received: The signal devrun itself received, if one did.
        running: How many processes are still to be stopped.
        hint: The flag that would have prevented it, where the stop is a default of devrun's.
        in_order: Some get their signal only when those have ended that depend on them.
    """

    reason: StopReason
    signals: tuple[int, ...]
    running: int
    cause: int | None = None
    received: int | None = None
    hint: str | None = None
    in_order: bool = False


@dataclass(frozen=True, slots=True)
class Killed:
    """A process tree got SIGKILL because it did not end in time.

    Attributes:
        after: Seconds between the stop signal and SIGKILL.
        processes: How many processes were killed.
    """

    instance: int
    generation: int
    after: float
    processes: int


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """Processes that outlived the main process which started them, and were stopped.

    Attributes:
        instance: The service they belong to, or None where that cannot be told.
        processes: Pid and command line of each.
    """

    instance: int | None
    processes: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something devrun has to say that is no step in a service's life."""

    text: str
    instance: int | None = None


Event = (
    Started
    | Output
    | Exited
    | SpawnFailed
    | Restarted
    | Ready
    | Unhealthy
    | Healthy
    | Retrying
    | Failed
    | Skipped
    | OverMemory
    | Changed
    | Stopping
    | Killed
    | LeftBehind
    | Notice
)
