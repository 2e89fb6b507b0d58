"""Where a service is in its life."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import inf

from devrun.events import Event
from devrun.model import ExitStatus
from devrun.supervise.restarting import NONE_YET, Tally


class Phase(Enum):
    """Where a service is; ``supervise.machine`` has a drawing of the ways between them."""

    WAITING = "waiting"
    RUNNING = "running"
    STOPPING = "stopping"
    KILLING = "killing"
    PAUSING = "pausing"
    IDLE = "idle"
    ENDED = "ended"


class Then(Enum):
    """What follows when the present generation's tree is gone."""

    END = "end"
    RESTART = "restart"
    PAUSE = "pause"
    IDLE = "idle"
    """Nothing, unless a watched file changes."""


@dataclass(frozen=True, slots=True)
class State:
    """A service now.

    Attributes:
        generation: How many times it was started.
        deadline: When (monotonic seconds) something happens by itself.
        since: When the present generation was started.
        asked_at: When the present generation was asked to stop.
        tally: Its restarts so far, as far as they count.
        then: What follows stopping.
        status: How the present generation's main process ended, once it has.
        stopped: devrun ended it on purpose.
        has_started: There is, or was, a process of the present generation.
        ready: It may be depended on, now.
        ready_at: When the present generation became ready, once it has.
        healthy: What its health check says, once it has said anything.
        fault: Why devrun stops or stopped the present generation, if it did not work.
        follows: What is to be said once the present generation has ended.
        skipped: It was never started, because of what it depends on.
        delayed: The delay before its first start is over.
        held: It starts again when it is told to, and not by itself.
        closed: Why its gate is still closed, as far as its probes tell.
        failing: Its health check fails, not often enough to act.
        given_up: Why nothing follows any more, where restarts were tried.
        taken: The highest number that another task of the service has given a generation.
    """

    phase: Phase = Phase.WAITING
    generation: int = 0
    deadline: float = inf
    since: float = 0.0
    asked_at: float = 0.0
    tally: Tally = NONE_YET
    then: Then = Then.END
    status: ExitStatus | None = None
    stopped: bool = False
    has_started: bool = False
    ready: bool = False
    ready_at: float | None = None
    healthy: bool | None = None
    fault: str | None = None
    follows: tuple[Event, ...] = ()
    skipped: bool = False
    delayed: bool = False
    held: bool = False
    closed: str | None = None
    failing: bool = False
    given_up: str | None = None
    taken: int = 0

    @property
    def over(self) -> bool:
        """Whether nothing can follow."""
        return self.phase is Phase.ENDED

    @property
    def latest(self) -> int:
        """The highest number that a generation of the service has had."""
        return max(self.generation, self.taken)

    @property
    def alive(self) -> bool:
        """Whether there may be a process."""
        return self.phase in (Phase.RUNNING, Phase.STOPPING, Phase.KILLING)
