"""What the answers of a health check mean, one after another: pure."""

from __future__ import annotations

from dataclasses import dataclass

from devrun.policies import HealthCheck
from devrun.supervise.probes.answers import Answer, Passed

START_INTERVAL = 5.0
"""Seconds between probes, at most, until the first has succeeded or the start period is over (as
Docker has it: a long interval is no reason for dependants to wait as long)."""


@dataclass(frozen=True, slots=True)
class Healthy:
    """The probe succeeds.

    Attributes:
        again: It failed before.
    """

    again: bool


@dataclass(frozen=True, slots=True)
class Degraded:
    """The probe failed, not often enough to act.

    Attributes:
        reason: Why, in one line.
        failures: How many times in a row.
    """

    reason: str
    failures: int


@dataclass(frozen=True, slots=True)
class Unhealthy:
    """The probe failed as often in a row as it may; ``reason`` is that of the last time."""

    reason: str


Health = Healthy | Degraded | Unhealthy
"""A change of a service's health."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is remembered of the answers so far.

    Attributes:
        failures: Failures in a row that count.
        known: Some answer has been a success.
    """

    failures: int = 0
    known: bool = False


def judge(
    check: HealthCheck, record: Record, answer: Answer, *, counts: bool
) -> tuple[Record, Health | None]:
    """Take an answer into account.

    Args:
        counts: Whether a failure does: the start period is over.

    Returns:
        What is to be remembered, and what is to be reported, if anything.
    """
    if isinstance(answer, Passed):
        is_news = record.failures > 0 or not record.known
        return Record(known=True), Healthy(again=record.failures > 0) if is_news else None
    if not counts:
        return record, None
    failures = record.failures + 1
    known = Record(failures, record.known)
    if failures >= check.retries:
        return known, Unhealthy(answer.reason)
    return known, Degraded(answer.reason, failures)


def pause_after(check: HealthCheck, record: Record, *, starting: bool) -> float:
    """Return the seconds until the next probe.

    Args:
        starting: The start period is not over.
    """
    if starting and not record.known:
        return min(check.interval, START_INTERVAL)
    return check.interval
