"""What a service's machine is told, and what it wants done: two closed unions.

Every message that concerns a process carries its generation.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from devrun.events import Event
from devrun.model import ExitStatus


class Level(IntEnum):
    """How urgently something is to stop; only ever raised."""

    ASK = 1
    KILL = 2


@dataclass(frozen=True, slots=True)
class Start:
    """It may run."""


@dataclass(frozen=True, slots=True)
class Spawned:
    """The process of a generation runs.

    Attributes:
        since: When it was started, which may be before the event loop was.
    """

    generation: int
    pid: int
    since: float


@dataclass(frozen=True, slots=True)
class NotSpawned:
    """The process of a generation could not be started."""

    generation: int
    status: ExitStatus
    reason: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The main process of a generation has ended.

    Attributes:
        before: Seconds before now at which it did, where that was noticed and not waited for.
    """

    generation: int
    status: ExitStatus
    before: float = 0.0


@dataclass(frozen=True, slots=True)
class Gone:
    """Nothing is left of a generation's tree; the answer to ``Clear`` and ``Kill``.

    Attributes:
        read: All that it wrote has been taken; until then nothing follows.
    """

    generation: int
    read: bool = True


@dataclass(frozen=True, slots=True)
class FilesChanged:
    """Watched files changed; the fields are those of ``events.Changed``."""

    path: str
    more: int = 0


@dataclass(frozen=True, slots=True)
class BecameReady:
    """The gate of a generation has opened."""

    generation: int


@dataclass(frozen=True, slots=True)
class Probed:
    """The health check of a generation succeeds, for the first time or again."""

    generation: int


@dataclass(frozen=True, slots=True)
class StillClosed:
    """The gate of a generation did not open when it was tried; ``reason`` is one line."""

    generation: int
    reason: str


@dataclass(frozen=True, slots=True)
class Failing:
    """A health check failed, and may fail more often before that means anything.

    Attributes:
        failures: How many times in a row it has.
        most: How many times it may, at which it is unhealthy.
    """

    generation: int
    reason: str
    failures: int
    most: int


@dataclass(frozen=True, slots=True)
class Faulty:
    """A generation runs and does not work: what it would be restarted for if it had ended so."""

    generation: int
    reason: str


@dataclass(frozen=True, slots=True)
class Exceeded:
    """A generation's tree uses more memory, in bytes, than it may."""

    generation: int
    used: int
    limit: int


@dataclass(frozen=True, slots=True)
class Extend:
    """A generation needs so many seconds more, from now, to become ready or to stop."""

    generation: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Restart:
    """Start anew, whatever it does; that is no failure.

    Attributes:
        reason: Why, in one line; empty if whoever asks for it says so.
        at_once: Do not wait for the end of a pause.
    """

    reason: str = ""
    at_once: bool = True


@dataclass(frozen=True, slots=True)
class Hold:
    """It is to start again, and only when it is told to: others go down with it first."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It went down and was to start again; it does not, and has failed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Skip:
    """It cannot be started, because of what it depends on.

    Attributes:
        cause: Index of the service that is missing, if there is one.
    """

    reason: str
    cause: int | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """The run is ending, or this service is.

    Attributes:
        signal: The signal to send.
        reason: Why, in one line; empty if whoever asks for it says so.
    """

    level: Level
    signal: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Deadline:
    """The state's deadline has passed."""


Input = (
    Start
    | Spawned
    | NotSpawned
    | Ended
    | Gone
    | FilesChanged
    | BecameReady
    | Probed
    | StillClosed
    | Failing
    | Faulty
    | Exceeded
    | Extend
    | Restart
    | Hold
    | GiveUp
    | Skip
    | Stop
    | Deadline
)


@dataclass(frozen=True, slots=True)
class Spawn:
    """Start a generation; answered by ``Spawned`` or ``NotSpawned``, later by ``Ended``."""

    generation: int


@dataclass(frozen=True, slots=True)
class Ask:
    """Send a signal, once, to a generation's process group."""

    generation: int
    signal: int


@dataclass(frozen=True, slots=True)
class Clear:
    """The main process has ended: ask what is left of its tree, once, and say when it is gone."""

    generation: int
    signal: int


@dataclass(frozen=True, slots=True)
class Kill:
    """Kill a generation's tree until it is gone, and say so.

    Attributes:
        after: Seconds it was given since it was asked.
    """

    generation: int
    after: float


@dataclass(frozen=True, slots=True)
class Abandon:
    """A generation's tree cannot be killed: say what is left of it."""

    generation: int


@dataclass(frozen=True, slots=True)
class AwaitReady:
    """Find out when a generation is ready; answered by ``BecameReady``."""

    generation: int


@dataclass(frozen=True, slots=True)
class CheckHealth:
    """Ask a generation again and again; answered by ``Probed`` and ``Faulty``."""

    generation: int


@dataclass(frozen=True, slots=True)
class Emit:
    """Publish an event."""

    event: Event


Action = Spawn | Ask | Clear | Kill | Abandon | AwaitReady | CheckHealth | Emit
