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
class Stop:
    """The run is ending, or this service is.

    Attributes:
        signal: The signal to send.
    """

    level: Level
    signal: int


@dataclass(frozen=True, slots=True)
class Deadline:
    """The state's deadline has passed."""


Input = Start | Spawned | NotSpawned | Ended | Gone | FilesChanged | Stop | Deadline


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
class Emit:
    """Publish an event."""

    event: Event


Action = Spawn | Ask | Clear | Kill | Emit
