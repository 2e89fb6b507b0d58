"""What has become of each instance so far: its ends, its restarts, what its probes said.

Remembered for those who ask a running project; bounded, and taken from the events that the
supervisor hears at once, however slow the reader of the output is.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from devrun.events import (
    Event,
    Exited,
    Failed,
    Healthy,
    Ready,
    Retrying,
    Skipped,
    SpawnFailed,
    Started,
    Unhealthy,
)
from devrun.model import ExitStatus

MOST_EXITS = 10
MOST_PROBES = 20


@dataclass(frozen=True, slots=True)
class Exit:
    """How a generation ended.

    Attributes:
        at: Seconds since the epoch.
        uptime: Seconds that it ran.
        reason: Why devrun ended it, if it did not work, or why there was no process.
        stopped: devrun ended it on purpose.
    """

    generation: int
    status: ExitStatus
    at: float
    uptime: float
    reason: str | None
    stopped: bool


@dataclass(frozen=True, slots=True)
class ProbeRecord:
    """A change of what is known of a generation from outside.

    Attributes:
        at: Seconds since the epoch.
    """

    generation: int
    at: float
    healthy: bool
    reason: str = ""


@dataclass(slots=True)
class Life:
    """What has become of an instance.

    Attributes:
        started_at: When the present generation was started, in seconds since the epoch.
        restarts: Generations that followed another one.
        retry_at: When the next one starts, in seconds since the epoch, while that is put off.
        given_up: Why nothing follows any more, if it has been given up.
        unhealthy: What is wrong now, as far as its probes tell.
        skipped: Why it was not started.
    """

    started_at: float | None = None
    restarts: int = 0
    exits: deque[Exit] = field(default_factory=lambda: deque(maxlen=MOST_EXITS))
    retry_at: float | None = None
    given_up: str | None = None
    unhealthy: str | None = None
    skipped: str | None = None
    probes: deque[ProbeRecord] = field(default_factory=lambda: deque(maxlen=MOST_PROBES))

    @property
    def last_exit(self) -> Exit | None:
        """How the latest generation that ended did so."""
        return self.exits[-1] if self.exits else None


class Lives:
    """The lives of a run's instances, by index.

    Args:
        clock: Returns the present time on the clock of the events.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lives: dict[int, Life] = {}

    def __getitem__(self, index: int) -> Life:
        """Return an instance's life; that of one which has not been heard of is empty."""
        life = self._lives.get(index)
        if life is None:
            life = self._lives[index] = Life()
        return life

    def forget(self, index: int) -> None:
        """Begin anew: another service has this index now."""
        self._lives.pop(index, None)

    def take(self, event: Event) -> None:
        """Take an event into account."""
        match event:
            case Started():
                self._started(self[event.instance], event)
            case Exited():
                self._ended(event, event.uptime, event.fault, stopped=event.stopped)
            case SpawnFailed():
                self._ended(event, 0.0, event.reason, stopped=False)
            case Retrying():
                self[event.instance].retry_at = time.time() + event.delay
            case Failed():
                self[event.instance].given_up = event.reason
            case Skipped():
                self[event.instance].skipped = event.reason
            case Ready() | Healthy():
                life = self[event.instance]
                life.unhealthy = None
                life.probes.append(ProbeRecord(event.generation, time.time(), healthy=True))
            case Unhealthy():
                life = self[event.instance]
                life.unhealthy = event.reason
                record = ProbeRecord(event.generation, time.time(), False, event.reason)  # noqa: FBT003
                life.probes.append(record)
            case _:
                return

    def _ended(
        self, event: Exited | SpawnFailed, uptime: float, reason: str | None, *, stopped: bool
    ) -> None:
        at = self._at(event.at)
        one = Exit(event.generation, event.status, at, uptime, reason, stopped)
        self[event.instance].exits.append(one)

    def _started(self, life: Life, event: Started) -> None:
        life.restarts += event.generation > 1
        life.started_at = self._at(event.at)
        life.retry_at = life.given_up = life.unhealthy = life.skipped = None

    def _at(self, moment: float) -> float:
        """Return a moment of the events' clock in seconds since the epoch."""
        return time.time() - (self._clock() - moment)
