"""An event of the API as a line for people to read."""

from __future__ import annotations

import time
from collections.abc import Mapping

from devrun.cli.control.ps_table import seconds_of
from devrun.cli.control.quantities import size, span
from devrun.output.complaint import escaped

_ASIDE = frozenset(("id", "type", "at", "service", "instance", "generation", "final"))

_RED, _GREEN, _YELLOW, _DIM = "31", "32", "33", "2"
_COLORS = {
    "ready": _GREEN,
    "healthy": _GREEN,
    "unhealthy": _RED,
    "failed": _RED,
    "spawn_failed": _RED,
    "retrying": _YELLOW,
    "stopping": _YELLOW,
}


def event_line(event: Mapping[str, object], *, colored: bool) -> str:
    """Return a line: when, who, what."""
    at = seconds_of(event.get("at"))
    moment = time.time() if at is None else at
    stamp = f"{time.strftime('%H:%M:%S', time.localtime(moment))}.{int(moment * 1000 % 1000):03}"
    who = escaped(str(event.get("instance") or event.get("service") or "devrun"))
    what = escaped(_words(event))
    color = _COLORS.get(str(event["type"]))
    if colored:
        stamp = f"\x1b[{_DIM}m{stamp}\x1b[0m"
        what = what if color is None else f"\x1b[{color}m{what}\x1b[0m"
    return f"{stamp} {who} {what}"


def _words(event: Mapping[str, object]) -> str:
    if "gap" in event:
        return f"{event['gap']} events are missing here: they came faster than they were read"
    if "cut_off" in event:
        return f"cut off: {event['cut_off']}"
    match event["type"]:
        case "started":
            return f"started (pid {event.get('pid')})"
        case "exited":
            return f"{_exit(event)}{_after(event, 'uptime')}{_why(event)}"
        case "ready" | "killed" as kind:
            return f"{kind}{_after(event, 'after')}"
        case "healthy" if event.get("again") is True:
            return "healthy again"
        case "retrying":
            return f"starts again{_in(event)}{_of(event)}"
        case "over_memory":
            return f"uses {_size(event, 'used')} of memory; {_size(event, 'limit')} is allowed"
        case "changed":
            more = f" and {event['more']} more" if event.get("more") else ""
            return f"{event.get('path')}{more} changed"
        case "notice":
            return str(event.get("text"))
        case kind:
            return f"{str(kind).replace('_', ' ')}{_why(event) or _rest(event)}"


def _exit(event: Mapping[str, object]) -> str:
    status = event.get("status")
    name = status.get("signal") if isinstance(status, dict) else None
    if name is not None:
        return f"ended by {'signal ' if str(name).isdecimal() else ''}{name}"
    return f"exited with code {status.get('code') if isinstance(status, dict) else None}"


def _after(event: Mapping[str, object], key: str) -> str:
    seconds = event.get(key)
    if not isinstance(seconds, int | float):
        return ""
    return f" after {span(seconds) if seconds >= 10 else f'{seconds:.1f}s'}"


def _why(event: Mapping[str, object]) -> str:
    if event.get("stopped") is True:
        return ", stopped"
    reason = event.get("reason") or event.get("fault")
    return f": {reason}" if reason else ""


def _in(event: Mapping[str, object]) -> str:
    delay = event.get("delay")
    return f" in {delay:.1f}s" if isinstance(delay, int | float) else ""


def _of(event: Mapping[str, object]) -> str:
    retry, most = event.get("retry"), event.get("most")
    if not isinstance(retry, int):
        return ""
    return f" ({retry} of {most})" if isinstance(most, int) and most > 0 else f" ({retry})"


def _size(event: Mapping[str, object], key: str) -> str:
    count = event.get(key)
    return size(count) if isinstance(count, int) else "?"


def _rest(event: Mapping[str, object]) -> str:
    more = {name: said for name, said in event.items() if name not in _ASIDE and said is not None}
    return "".join(f" {name}={said}" for name, said in more.items())
