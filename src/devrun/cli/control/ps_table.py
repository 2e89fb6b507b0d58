"""The table of ``devrun ps``, as wide as the terminal.

In a pipe it has always the same columns, and none is cut. On a terminal a column is left out if it
has nothing to say; if there is no room, texts are cut, and then columns left out, from the least
to the most telling.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from devrun.cli.control.quantities import share, size, span
from devrun.control.runs import Running
from devrun.output.columns import cut, display_width, pad
from devrun.output.complaint import escaped

Instance = Mapping[str, object]

_NONE = "-"
_GAP = "  "
_RIGHT = frozenset(("PID", "UPTIME", "RESTARTS", "RETRY", "CPU", "MEMORY"))
_ALWAYS = frozenset(("NAME", "STATE"))
_LEAST_TELLING = (
    *("PORTS", "CPU", "MEMORY", "UPTIME", "RESTARTS"),
    *("PID", "RETRY", "READY", "LAST EXIT", "REASON"),
)
"""Columns that are left out, in this order."""
_TEXTS = ("LAST EXIT", "REASON")
"""Columns that are cut, and which get room first."""
_SHORTEST_TEXT = 12

_GREEN, _YELLOW, _RED, _DIM = "32", "33", "31", "2"
_COLORS = {
    **dict.fromkeys(("ready", "running", "healthy", "yes"), _GREEN),
    **dict.fromkeys(("failed", "killing", "unhealthy", "degraded"), _RED),
    **dict.fromkeys(("stopped", "completed", "skipped", "idle", "exited"), _DIM),
    **dict.fromkeys(
        ("blocked", "delayed", "starting", "reloading", "stopping", "backoff", "no"), _YELLOW
    ),
}


def table(
    instances: Sequence[Instance],
    width: int | None,
    *,
    colored: bool,
    now: float | None = None,
) -> list[str]:
    """Return the lines of a table.

    Args:
        width: Columns of the terminal; None if it is none.
        now: The present time, in seconds since the epoch.
    """
    moment = time.time() if now is None else now
    rows = [
        {title: escaped(cell) for title, cell in _row(each, moment).items()} for each in instances
    ]
    columns = {title: [row[title] for row in rows] for title in rows[0]} if rows else {}
    if width is not None:
        columns = {
            title: cells
            for title, cells in columns.items()
            if title in _ALWAYS or any(cell != _NONE for cell in cells)
        }
        columns = _fitted(columns, width)
    return _rendered(columns, width, colored=colored)


def heading(run: Running, now: float | None = None) -> str:
    """Return a line that says which run it is."""
    called = f"{run.name}: " if run.name else ""
    how = ", detached" if run.detached else ""
    since = since_text(run.since, time.time() if now is None else now)
    what = f"{called}{run.source or 'devrun'} in {run.root} (pid {run.pid}, since {since}{how})"
    return escaped(what)


def since_text(moment: float, now: float) -> str:
    """Return a moment: the time of day, with the date if it is another day's."""
    local, today = time.localtime(moment), time.localtime(now)
    form = "%H:%M:%S" if local[:3] == today[:3] else "%Y-%m-%d %H:%M"
    return time.strftime(form, local)


def _row(instance: Instance, now: float) -> dict[str, str]:
    uptime, restarts = instance.get("uptime"), instance.get("restarts")
    lives = instance.get("pid") is not None
    memory, cpu = instance.get("memory"), instance.get("cpu_percent")
    ports = instance.get("ports")
    return {
        "NAME": str(instance.get("name", "")),
        "STATE": str(instance.get("state", "")),
        "READY": _ready(instance),
        "PID": str(instance.get("pid") or _NONE),
        "UPTIME": span(uptime) if lives and isinstance(uptime, int | float) else _NONE,
        "RESTARTS": str(restarts) if restarts else _NONE,
        "CPU": share(cpu) if lives and isinstance(cpu, int | float) else _NONE,
        "MEMORY": size(memory) if lives and isinstance(memory, int | float) else _NONE,
        "PORTS": ",".join(map(str, ports)) if isinstance(ports, list) and ports else _NONE,
        "LAST EXIT": _last_exit(instance.get("last_exit"), now),
        "RETRY": _retry(instance.get("next_retry_at"), now),
        "REASON": str(instance.get("reason") or _NONE),
    }


def _ready(instance: Instance) -> str:
    health, ready = instance.get("health"), instance.get("ready")
    if isinstance(health, str):
        return health
    if not isinstance(ready, bool):
        return _NONE
    return "yes" if ready else "no"


def _last_exit(last: object, now: float) -> str:
    if not isinstance(last, dict):
        return _NONE
    at = seconds_of(last.get("at"))
    ago = "" if at is None else f", {span(now - at)} ago"
    why = "stopped" if last.get("stopped") else last.get("reason")
    return f"{how_it_ended(last)}{ago}{f' ({why})' if why else ''}"


def how_it_ended(last: Mapping[str, object]) -> str:
    """Return ``SIGKILL`` or ``exit code 3`` for an exit of the API."""
    by_signal = last.get("signal")
    return str(by_signal) if by_signal is not None else f"exit code {last.get('code')}"


def _retry(at: object, now: float) -> str:
    seconds = seconds_of(at)
    return _NONE if seconds is None else f"in {span(seconds - now + 0.999)}"


def seconds_of(moment: object) -> float | None:
    """Return seconds since the epoch for a moment of the API: that, or ISO 8601."""
    if isinstance(moment, int | float):
        return float(moment)
    if not isinstance(moment, str):
        return None
    from datetime import datetime

    return datetime.fromisoformat(moment).timestamp()


# -- as wide as the terminal ----------------------------------------------------------------


def _fitted(columns: Mapping[str, list[str]], width: int) -> dict[str, list[str]]:
    """Return the columns that there is room for, with their texts cut to the room that is left."""
    widths = {title: _widest(title, cells) for title, cells in columns.items()}
    least = {**widths}
    for title in _TEXTS:
        if title in widths:
            least[title] = min(widths[title], max(_SHORTEST_TEXT, len(title)))
    for title in _LEAST_TELLING:
        if _total(least) > width:
            least.pop(title, None)
    room = max(0, width - _total(least))
    for title in _TEXTS:
        if title in least:
            more = min(room, widths[title] - least[title])
            least[title] += more
            room -= more
    return {title: [cut(cell, least[title]) for cell in columns[title]] for title in least}


def _total(widths: Mapping[str, int]) -> int:
    return sum(widths.values()) + len(_GAP) * (len(widths) - 1)


def _widest(title: str, cells: Sequence[str]) -> int:
    return max(len(title), *map(display_width, cells))


def _rendered(
    columns: Mapping[str, Sequence[str]], width: int | None, *, colored: bool
) -> list[str]:
    widths = {title: _widest(title, cells) for title, cells in columns.items()}
    count = max((len(cells) for cells in columns.values()), default=-1)
    lines: list[str] = []
    for place in range(-1, count):
        cells = [(title, title if place < 0 else cells[place]) for title, cells in columns.items()]
        plain = _GAP.join(_aligned(title, text, widths[title]) for title, text in cells).rstrip()
        if width is not None and display_width(plain) > width:
            lines.append(cut(plain, width))
        elif colored:
            lines.append(_colored(cells, widths, is_head=place < 0))
        else:
            lines.append(plain)
    return lines


def _aligned(title: str, text: str, width: int) -> str:
    if title in _RIGHT:
        return " " * (width - display_width(text)) + text
    return pad(text, width)


def _colored(cells: Sequence[tuple[str, str]], widths: Mapping[str, int], *, is_head: bool) -> str:
    parts: list[str] = []
    for title, text in cells:
        aligned = _aligned(title, text, widths[title])
        if title == cells[-1][0]:
            aligned = aligned.rstrip()
        color = _COLORS.get(text) if title in ("STATE", "READY") else None
        if is_head:
            color = _DIM
        parts.append(aligned if color is None else f"\x1b[{color}m{aligned}\x1b[0m")
    return _GAP.join(parts)
