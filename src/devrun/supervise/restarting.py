"""Whether a service that ended starts again, and when: the arithmetic of restarts.

Fast ends in a row are counted for ever, whatever the time between the runs; a run that lasted long
enough ends the row. The delay grows with each of them. Apart from that, restarts of any kind within
a window of time may be too many.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from devrun.errors import ExitCode
from devrun.model import ExitStatus, RestartPolicy, RestartWhen

LONG_ENOUGH = 10.0
"""Seconds of uptime, at least, that end a row of fast ends."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What is remembered of a service's restarts.

    Attributes:
        fast: Fast ends in a row.
        delay: Seconds that the last restart was put off.
        recent: When the restarts within the policy's window were decided.
    """

    fast: int = 0
    delay: float = 0.0
    recent: tuple[float, ...] = ()


NONE_YET = Tally()


@dataclass(frozen=True, slots=True)
class End:
    """How a generation ended.

    Attributes:
        status: How its main process did.
        uptime: Seconds since it became ready, or was started if it has no gate.
        never_ready: It has a gate that did not open.
        fault: Why devrun stopped it, if that was because it did not work; or why an end with exit
            code 0 is a failure.
        unspawned: There was no process at all.
    """

    status: ExitStatus
    uptime: float
    never_ready: bool = False
    fault: str | None = None
    unspawned: bool = False


@dataclass(frozen=True, slots=True)
class Again:
    """It is restarted, after ``delay`` seconds."""

    delay: float
    tally: Tally


@dataclass(frozen=True, slots=True)
class Over:
    """It is not restarted.

    Attributes:
        gave_up: Why, if restarts were tried; None where the policy asks for none.
    """

    gave_up: str | None = None


def decide(
    policy: RestartPolicy, end: End, tally: Tally, *, now: float, chance: float
) -> Again | Over:
    """Return what follows an end.

    Args:
        now: Monotonic seconds.
        chance: A random number from -1 to 1, for the jitter.
    """
    if not _wanted(policy, end):
        return Over()
    fast = end.never_ready or end.uptime < policy.min_uptime
    long_enough = max(LONG_ENOUGH, policy.min_uptime, tally.delay)
    count = tally.fast + 1 if fast else 0 if end.uptime >= long_enough else tally.fast
    if 0 <= policy.tries < count:
        return Over(_too_often(policy, end, count))
    recent = _recent(policy, tally, now)
    if policy.window is not None and len(recent) > policy.window[0]:
        most, seconds = policy.window
        return Over(f"more than {most} restarts within {seconds:g} s")
    delay = delay_before(policy, count) * (1.0 + policy.jitter * chance)
    delay = max(policy.calm_delay, min(policy.cap, delay))  # The limits hold for what is waited.
    return Again(delay, Tally(count, delay, recent))


def delay_before(policy: RestartPolicy, retry: int) -> float:
    """Return the seconds before a restart, without jitter.

    Args:
        retry: Fast ends in a row, this one included; 0 if it was none.
    """
    if retry == 0:
        return policy.calm_delay
    grown = policy.delay * policy.factor ** min(retry - 1, 60)
    return max(policy.calm_delay, min(policy.cap, grown))


def after_calm_restart(tally: Tally) -> Tally:
    """Return the tally after a restart that was wanted: by the user, or because files changed."""
    return replace(tally, fast=0, delay=0.0)


def _wanted(policy: RestartPolicy, end: End) -> bool:
    if policy.when is RestartWhen.NO and end.status not in policy.restart_on:
        return False
    if end.status in policy.no_restart_on and (end.fault is None or end.status.ok):
        return False
    if end.unspawned and policy.min_uptime < inf and end.status.code == ExitCode.NOT_FOUND:
        return False  # It will not be there the next time either.
    if policy.when is RestartWhen.ALWAYS or end.fault is not None:
        return True
    return not end.status.ok or end.status in policy.restart_on


def _too_often(policy: RestartPolicy, end: End, count: int) -> str:
    times = "once" if count == 1 else f"{count} times in a row"
    if end.fault is not None:
        return f"failed {times}, the last time: {end.fault}"
    if policy.min_uptime == inf:
        return f"ended {times}"
    return f"ended {times} within {policy.min_uptime:g} s of starting"


def _recent(policy: RestartPolicy, tally: Tally, now: float) -> tuple[float, ...]:
    if policy.window is None:
        return ()
    most, seconds = policy.window
    return tuple(at for at in (*tally.recent, now) if at > now - seconds)[-most - 1 :]
