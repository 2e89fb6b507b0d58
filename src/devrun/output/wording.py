"""devrun's own words for what happens; concurrently's where it has any, as scripts read them."""

from __future__ import annotations

from collections.abc import Sequence
from signal import Signals
from typing import assert_never

from devrun.events import (
    Changed,
    Healthy,
    Killed,
    LeftBehind,
    Notice,
    OverMemory,
    Ready,
    Restarted,
    Retrying,
    Skipped,
    Stopping,
    StopReason,
    Unhealthy,
)
from devrun.model import Service
from devrun.output.spans import humanized

OfService = (
    Restarted | Ready | Unhealthy | Healthy | Retrying | Skipped | OverMemory | Changed | Notice
)
"""What is said of one service, behind its prefix."""

_MEBIBYTE = 1024 * 1024


def of_service(event: OfService, services: Sequence[Service]) -> str:
    """Return the line for what happens to one service."""
    match event:
        case Restarted():
            return f"{services[event.instance].command} restarted"
        case Ready():
            return f"ready after {humanized(event.after)}"
        case Unhealthy():
            return f"{event.reason}: stopping it" if event.stops else f"unhealthy: {event.reason}"
        case Healthy():
            return "healthy again" if event.again else "healthy"
        case Retrying():
            return _retrying(event)
        case Skipped():
            return f"not started: {event.reason}"
        case OverMemory():
            used, limit = (size / _MEBIBYTE for size in (event.used, event.limit))
            return f"uses {used:.0f} MiB, more than its {limit:.0f} MiB"
        case Changed():
            return _changed(event)
        case Notice():
            return event.text
        case _:
            assert_never(event)


def of_run(event: Stopping | Killed | LeftBehind, services: Sequence[Service]) -> list[str]:
    """Return the lines for what happens to the run as a whole."""
    match event:
        case Stopping():
            return _stopping(event, services)
        case Killed():
            return _killed(event, services)
        case LeftBehind():
            return [_left_behind(event, services)]
        case _:
            assert_never(event)


def _retrying(event: Retrying) -> str:
    when = f" in {humanized(event.delay)}" if event.delay >= 0.001 else ""
    count = f" ({event.retry} of {event.most})" if event.most >= 0 and event.retry else ""
    return f"restarting{when}{count}"


def _changed(event: Changed) -> str:
    more = f" (+{event.more})" if event.more else ""
    if event.suspended:
        return (
            f"{event.path} changed{more} again and again: not restarting until it is quiet for 10 s"
        )
    return f"{event.path} changed{more}, restarting"


def _stopping(event: Stopping, services: Sequence[Service]) -> list[str]:
    name = " and ".join(Signals(number).name for number in event.signals)
    match event.reason:
        case StopReason.OTHER_EXITED:
            lines = [f"Sending {name} to other processes.."] if event.running else []
            if event.hint and event.cause is not None:
                label = services[event.cause].label
                lines.insert(0, f"{label} ended, so all end ({event.hint} keeps the others)")
            return lines
        case StopReason.SIGNAL:
            if not event.running:
                return []
            some = "1 process" if event.running == 1 else f"{event.running} processes"
            order = ", dependants first" if event.in_order else ""
            return [f"Sending {name} to {some}{order}.."]
        case StopReason.READER_GONE | StopReason.GUARDIAN_GONE | StopReason.OUTPUT_FAILED:
            return []
        case _:
            assert_never(event.reason)


def _killed(event: Killed, services: Sequence[Service]) -> list[str]:
    killing = f"Sending SIGKILL to {event.processes} processes.."
    label = services[event.instance].label
    if event.after <= 0:
        some = "1 process" if event.processes == 1 else f"{event.processes} processes"
        return [f"Sending SIGKILL to {some} of {label}.."]
    return [f"{label} did not end within {event.after:.1f} s", killing]


def _left_behind(event: LeftBehind, services: Sequence[Service]) -> str:
    who = "" if event.instance is None else f" by {services[event.instance].label}"
    some = ", ".join(f"{pid} {line[:60]}" for pid, line in event.processes[:3])
    more = f" and {len(event.processes) - 3} more" if len(event.processes) > 3 else ""
    return f"Stopped what was left running{who}: {some}{more}"
