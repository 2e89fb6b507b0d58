"""What is promised of services that stay up: when they are ready, who needs whom, their limits.

Frozen types like those of ``devrun.model``; apart from them, because a run of plain commands needs
none and defining each takes time before the first process starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

# -- probes -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PortProbe:
    """A TCP port that the service's own processes listen on.

    Attributes:
        host: Where to connect; a loopback name means that the listener has to be ours.
    """

    port: int
    host: str = "localhost"


@dataclass(frozen=True, slots=True)
class HttpProbe:
    """A URL that answers.

    Attributes:
        statuses: First and last of each accepted range of status codes.
        body: Regular expression that is to be found in the body, or None.
    """

    url: str
    statuses: tuple[tuple[int, int], ...] = ((200, 399),)
    body: str | None = None


@dataclass(frozen=True, slots=True)
class ExecProbe:
    """A command that exits with 0, in the service's folder and environment.

    Attributes:
        command: A shell command line, or a program and its arguments.
    """

    command: str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileProbe:
    """A path that exists; absolute. One from before the start does not count."""

    path: str


Probe = PortProbe | HttpProbe | ExecProbe | FileProbe
"""What devrun asks for from outside."""


@dataclass(frozen=True, slots=True)
class LogGate:
    """A regular expression that is to be found in a line of the output, ANSI sequences ignored."""

    pattern: str


@dataclass(frozen=True, slots=True)
class DelayGate:
    """Being alive for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class NotifyGate:
    """``READY=1`` of sd_notify(3), from a process of the service, or ``devrun notify ready``.

    Attributes:
        watchdog: Seconds within which ``WATCHDOG=1`` is to come again and again, or None.
    """

    watchdog: float | None = None


@dataclass(frozen=True, slots=True)
class IpcGate:
    """``process.send('ready')`` of Node, as PM2's ``wait_ready`` has it."""


@dataclass(frozen=True, slots=True)
class ListenGate:
    """A Node program whose ports are shared listens on one of them."""


Gate = Probe | LogGate | DelayGate | NotifyGate | IpcGate | ListenGate
"""What tells that a service is ready."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """When a service may be depended on.

    Attributes:
        timeout: Seconds from the start; later is a failure.
        continues: At the timeout the service counts as ready, with a warning, instead.
    """

    gate: Gate
    timeout: float = 60.0
    continues: bool = False


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A probe that is repeated once the service is ready.

    Attributes:
        interval: Seconds from the end of a probe to the beginning of the next.
        timeout: Seconds that a probe may take.
        retries: Failures in a row after which the service is unhealthy and is restarted.
        start_period: Seconds from the start in which failures do not count.
    """

    probe: Probe
    interval: float = 10.0
    timeout: float = 1.0
    retries: int = 3
    start_period: float = 0.0


# -- dependencies -------------------------------------------------------------------------------


class Condition(Enum):
    """What a dependant waits for."""

    STARTED = "started"
    READY = "ready"
    HEALTHY = "healthy"
    COMPLETED = "completed"
    """Ended with exit code 0, for good."""


class OnRestart(Enum):
    """What a dependant does when what it depends on starts anew."""

    IGNORE = "ignore"
    RESTART = "restart"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Dependency:
    """A service that another waits for before each of its starts.

    Attributes:
        service: Name of what is depended on; all instances of it are.
        required: Where it fails for good or is not run, the dependant is skipped; otherwise it
            starts without.
    """

    service: str
    condition: Condition = Condition.STARTED
    on_restart: OnRestart = OnRestart.IGNORE
    required: bool = True


class Strategy(Enum):
    """Who is restarted with a member of a group that failed (the terms are those of OTP)."""

    ONE_FOR_ONE = "one_for_one"
    REST_FOR_ONE = "rest_for_one"
    """Its dependants within the group, too."""
    ONE_FOR_ALL = "one_for_all"


@dataclass(frozen=True, slots=True)
class Group:
    """Services that are restarted together.

    Attributes:
        members: Names of services.
    """

    name: str
    members: tuple[str, ...]
    strategy: Strategy = Strategy.ONE_FOR_ONE


# -- resources ----------------------------------------------------------------------------------


class OnLimit(Enum):
    """What becomes of a service that uses too much memory."""

    RESTART = "restart"
    RELOAD = "reload"


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """How much memory the whole process tree of an instance may use, in bytes."""

    size: int
    action: OnLimit = OnLimit.RESTART


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """What the kernel holds the service's processes to.

    Attributes:
        nice: Added to devrun's own niceness, from -20 to 19.
        resources: Name as of setrlimit(2) in lower case without ``RLIMIT_`` ("nofile"), and soft
            and hard limit, -1 for none.
    """

    nice: int = 0
    resources: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class HeldSocket:
    """A listening socket that devrun holds and hands to each generation (LISTEN_FDS protocol).

    Attributes:
        name: Its name in ``LISTEN_FDNAMES``.
        host: Address to bind; empty for all. For a Unix socket its absolute path.
        port: TCP port; None for a Unix socket.
    """

    name: str
    host: str
    port: int | None


# -- log files ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LogFile:
    """Where a service's output goes besides the terminal.

    Attributes:
        path: Absolute path; with instances, each has the file for itself if the path holds
            ``{instance}``, else they share it.
        error_path: Where stderr goes, if not to the same file.
        max_size: Bytes after which the file is rotated, or None.
        keep_seconds: Age at which a rotated file is removed, or None.
        keep_files: How many rotated files are kept, or None.
        compress: Rotated files are compressed with gzip.
        timestamps: Every line begins with the time, in ISO 8601 with milliseconds and offset.
        time_format: Another format of the time, as ``strftime`` has it, or None.
        json: Every line is a JSON object: time, service, stream, text.
    """

    path: str
    error_path: str | None = None
    max_size: int | None = None
    keep_seconds: float | None = None
    keep_files: int | None = None
    compress: bool = False
    timestamps: bool = False
    time_format: str | None = None
    json: bool = False
