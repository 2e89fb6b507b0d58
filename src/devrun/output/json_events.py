"""What happens in a run as fields for programs: the name of an event, and what it holds.

Names and keys are an interface: what is here keeps its name and meaning, more may be added.
Durations are seconds, sizes bytes, signals their names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from signal import Signals
from typing import assert_never

from devrun.events import (
    Changed,
    Event,
    Exited,
    Failed,
    Healthy,
    Killed,
    LeftBehind,
    Notice,
    Output,
    OverMemory,
    Ready,
    Restarted,
    Retrying,
    Skipped,
    SpawnFailed,
    Started,
    Stopping,
    Unhealthy,
)
from devrun.model import ExitStatus, Service
from devrun.output.wording import of_run, of_service

Field = str | int | float | bool | None | Sequence[str] | Sequence[Mapping[str, str | int]]
Fields = dict[str, Field]

_NAMES: Mapping[type, str] = {
    Output: "output",
    Started: "started",
    Exited: "exited",
    SpawnFailed: "spawn_failed",
    Restarted: "restarted",
    Ready: "ready",
    Unhealthy: "unhealthy",
    Healthy: "healthy",
    Retrying: "retrying",
    Failed: "failed",
    Skipped: "skipped",
    OverMemory: "over_memory",
    Changed: "changed",
    Stopping: "stopping",
    Killed: "killed",
    LeftBehind: "left_behind",
    Notice: "notice",
}


def name_of(event: Event) -> str:
    """Return an event's name."""
    return _NAMES[type(event)]


def instance_of(event: Event) -> int | None:
    """Return the index of the service that an event is about, or None for the run."""
    return None if isinstance(event, Stopping) else event.instance


def at_of(event: Event) -> float | None:
    """Return when it happened, on the clock of the events, where that is known."""
    match event:
        case Started() | Exited() | SpawnFailed() | Restarted() | Ready():
            return event.at
        case _:
            return None


_OfLife = Started | Exited | SpawnFailed | Restarted | Ready | Retrying | Failed | Skipped
"""What begins and ends generations of a service."""


def fields_of(event: Event, services: Sequence[Service]) -> Fields:
    """Return what an event holds besides its name, its time and whom it is about."""
    match event:
        case Output() | Notice():
            return {}
        case Unhealthy():
            return {"stops": event.stops, "reason": event.reason}
        case Healthy():
            return {"again": event.again}
        case OverMemory():
            return {"used": event.used, "limit": event.limit}
        case Changed():
            return {"path": event.path, "more": event.more, "suspended": event.suspended}
        case Stopping():
            return _stopping(event, services)
        case Killed():
            return {"after": round(event.after, 3), "processes": event.processes}
        case LeftBehind():
            return {"processes": [_process(pid, line) for pid, line in event.processes]}
        case _:
            return _of_life(event)


def _of_life(event: _OfLife) -> Fields:
    match event:
        case Started():
            return {"pid": event.pid}
        case Exited():
            uptime, reason = round(event.uptime, 3), event.fault
            flags = {"final": event.final, "stopped": event.stopped}
            return {**_status(event.status), "uptime": uptime, **flags, "reason": reason}
        case SpawnFailed():
            return {**_status(event.status), "final": event.final, "reason": event.reason}
        case Restarted():
            return {}
        case Ready():
            return {"after": round(event.after, 3)}
        case Retrying():
            most = event.most if event.most >= 0 else None
            return {"delay": round(event.delay, 3), "retry": event.retry, "most": most}
        case Failed() | Skipped():
            return {"reason": event.reason}
        case _:
            assert_never(event)


def message_of(event: Event, services: Sequence[Service]) -> str:
    """Return an event in words: those of the output for people, where it has any."""
    match event:
        case Output():
            return ""
        case Started():
            return f"started with pid {event.pid}"
        case Exited():
            return f"{services[event.instance].command} exited with code {event.status}"
        case SpawnFailed():
            return event.reason
        case Failed():
            return f"{services[event.instance].label} failed: {event.reason}"
        case Stopping() | Killed() | LeftBehind():
            return "; ".join(of_run(event, services)) or "stopping"
        case _:
            return of_service(event, services)


def _process(pid: int, command: str) -> Mapping[str, str | int]:
    return {"pid": pid, "command": command}


def _status(status: ExitStatus) -> Fields:
    return {"code": status.code, "signal": None if status.signal is None else str(status)}


def _stopping(event: Stopping, services: Sequence[Service]) -> Fields:
    return {
        "reason": event.reason.value,
        "signals": [_signal(number) for number in event.signals],
        "received": None if event.received is None else _signal(event.received),
        "running": event.running,
        "cause": None if event.cause is None else services[event.cause].label,
    }


def _signal(number: int) -> str:
    try:
        return Signals(number).name
    except ValueError:
        return f"signal {number}"
