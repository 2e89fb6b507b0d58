"""``--timings``: how long each command took, as concurrently's table shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from devrun.events import Event, Exited, SpawnFailed
from devrun.model import ExitStatus, Service
from devrun.output.columns import display_width, pad
from devrun.output.prefix import printable

_HEADINGS = ("name", "duration", "exit code", "killed", "command")


@dataclass(frozen=True, slots=True)
class _Row:
    seconds: float
    status: ExitStatus
    killed: bool


class Timings:
    """A subscriber that remembers the last attempt of every service."""

    def __init__(self) -> None:
        self._rows: dict[int, _Row] = {}

    def __call__(self, event: Event) -> None:
        """Take an event into account."""
        if isinstance(event, Exited):
            self._rows[event.instance] = _Row(event.uptime, event.status, event.stopped)
        elif isinstance(event, SpawnFailed):
            self._rows[event.instance] = _Row(0.0, event.status, killed=False)

    def render(self, services: Sequence[Service]) -> list[str]:
        """Return the table's lines, the longest duration first; none if nothing has run."""
        if not self._rows:
            return []
        ended = sorted(self._rows.items(), key=lambda item: -item[1].seconds)
        cells = [_HEADINGS, *(_cells(services[index], row) for index, row in ended)]
        widths = [max(map(display_width, column)) for column in zip(*cells, strict=True)]
        rows = [_line(row, widths) for row in cells]
        rules = ["─" * (width + 2) for width in widths]
        return [
            "Timings:",
            f"┌{'┬'.join(rules)}┐",
            rows[0],
            f"├{'┼'.join(rules)}┤",
            *rows[1:],
            f"└{'┴'.join(rules)}┘",
        ]


def milliseconds(seconds: float) -> str:
    """Return whole milliseconds, thousands set off by commas: ``1,205``."""
    return f"{round(seconds * 1000):,}"


def _cells(service: Service, row: _Row) -> tuple[str, ...]:
    return (
        printable(service.name or ""),
        milliseconds(row.seconds),
        str(row.status),
        str(row.killed).lower(),
        printable(service.command),
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (pad(cell, width) for cell, width in zip(cells, widths, strict=True))
    return f"│ {' │ '.join(padded)} │"
