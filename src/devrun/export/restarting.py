"""When a process is started again, in the terms that others have: a wait, and a limit."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf
from signal import Signals

from devrun.model import ExitStatus, RestartPolicy, RestartWhen

_USUAL_WAIT = 1.0
"""Seconds; what a growing wait becomes where there is one only, if that is within its bounds."""


@dataclass(frozen=True, slots=True)
class Restarts:
    """When a process is started again.

    Attributes:
        wait: Seconds before each restart, for those that know one wait only.
        tries: Restarts after fast ends in a row, or -1: for ever.
        starts: How many starts within ``within`` seconds are allowed, or None: all.
        again: Ends that are followed by a restart besides what ``when`` says.
        never: Ends that never are.
    """

    when: RestartWhen
    wait: float
    tries: int = -1
    starts: int | None = None
    within: float = 0.0
    again: tuple[ExitStatus, ...] = ()
    never: tuple[ExitStatus, ...] = ()

    @property
    def at_all(self) -> bool:
        """Whether any end is followed by a restart."""
        return self.when is not RestartWhen.NO or bool(self.again)

    @property
    def seconds(self) -> int:
        """The wait in whole seconds, at least 1."""
        return max(1, ceil(self.wait))

    @property
    def interval(self) -> str:
        """The time within which starts are counted, in whole seconds or without end."""
        return "infinity" if self.within == inf else str(max(1, ceil(self.within)))


def restarts_of(policy: RestartPolicy | None) -> Restarts:
    """Return what becomes of a policy; None: it is restarted for ever, as a Procfile's process."""
    if policy is None:
        return Restarts(RestartWhen.ALWAYS, _USUAL_WAIT)
    least = max(policy.delay, policy.calm_delay)
    wait = least
    if policy.factor > 1:
        wait = max(least, min(_USUAL_WAIT, policy.cap))
    starts, within = _limit(policy, wait)
    return Restarts(
        policy.when,
        wait,
        policy.tries,
        starts,
        within,
        tuple(sorted(policy.restart_on, key=_order)),
        tuple(sorted(policy.no_restart_on, key=_order)),
    )


def _limit(policy: RestartPolicy, wait: float) -> tuple[int | None, float]:
    """Return how many starts there may be within how many seconds.

    The first start counts, too. So many fast ends in a row are within that time, at the latest.
    """
    if policy.window is not None:
        count, seconds = policy.window
        return count + 1, seconds
    if policy.tries < 0:
        return None, 0.0
    return policy.tries + 1, (policy.tries + 1) * (policy.min_uptime + wait)


def _order(end: ExitStatus) -> tuple[bool, int]:
    return end.code is None, end.code if end.code is not None else end.signal or 0


def signal_name(end: ExitStatus) -> str:
    """Return the name of the signal of an end by one."""
    return Signals(end.signal or 0).name
