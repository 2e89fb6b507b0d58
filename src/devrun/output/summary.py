"""At the end of a failed run: who failed, how, after how long, and what it said last."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from devrun.events import Event, Exited, Output, Piece, Restarted, SpawnFailed
from devrun.model import ExitStatus, Service

REMEMBERED = 8 * 1024
"""Bytes of each service's last output that are kept at least; at most one chunk more."""

MOST_SHOWN = 10
"""Failed services that are shown in full."""

WIDEST = 200
"""Characters of a line that are shown."""

_CONTROL = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.|[\x00-\x08\x0b-\x1f\x7f]"
)


@dataclass(slots=True)
class _Record:
    chunks: deque[bytes] = field(default_factory=deque)
    size: int = 0
    restarts: int = 0
    failure: ExitStatus | None = None
    reason: str | None = None
    uptime: float | None = None


class Summary:
    """A subscriber that remembers what the summary needs; its memory is bounded."""

    def __init__(self) -> None:
        self._records: dict[int, _Record] = {}

    def __call__(self, event: Event) -> None:
        """Take an event into account; for output that is one append."""
        if isinstance(event, Output):
            if event.piece is not Piece.PROGRESS:
                self._remember(self._record(event.instance), event.data)
        elif isinstance(event, Restarted):
            self._record(event.instance).restarts += 1
        elif isinstance(event, Exited) and event.final and not event.stopped:
            record = self._record(event.instance)
            record.failure = None if event.status.ok else event.status
            record.uptime = event.uptime
        elif isinstance(event, SpawnFailed) and event.final:
            record = self._record(event.instance)
            record.failure, record.reason = event.status, event.reason

    def render(self, services: Sequence[Service], *, tail: int = 10) -> list[str]:
        """Return the summary's lines; none if nothing failed.

        Args:
            tail: How many of the last lines of each are shown.
        """
        failed = [s for s in services if self._record(s.index).failure is not None]
        if not failed:
            return []
        width = max(len(service.label) for service in failed[:MOST_SHOWN])
        lines = ["Failed:"]
        for service in failed[:MOST_SHOWN]:
            record = self._record(service.index)
            lines.append(f"  {service.label:<{width}}  {_how(record)}")
            lines += [f"    | {line}" for line in _last_lines(record, tail)]
        if len(failed) > MOST_SHOWN:
            lines.append(f"  and {len(failed) - MOST_SHOWN} more")
        return lines

    def _record(self, instance: int) -> _Record:
        return self._records.setdefault(instance, _Record())

    @staticmethod
    def _remember(record: _Record, data: bytes) -> None:
        record.chunks.append(data)
        record.size += len(data)
        while record.size - len(record.chunks[0]) >= REMEMBERED:
            record.size -= len(record.chunks.popleft())


def _how(record: _Record) -> str:
    """Return how a service failed, in words."""
    if record.reason is not None:
        return record.reason
    status = record.failure or ExitStatus(code=0)
    words = [f"ended by {status}" if status.signal is not None else f"exit code {status}"]
    if record.uptime is not None:
        words.append(f"after {humanized(record.uptime)}")
    if record.restarts:
        words.append(f"{record.restarts} restart{'s' if record.restarts > 1 else ''}")
    return ", ".join(words)


def humanized(seconds: float) -> str:
    """Return a span as people say it: ``850 ms``, ``12.4 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _last_lines(record: _Record, count: int) -> list[str]:
    text = _CONTROL.sub(b"", b"".join(record.chunks)[-REMEMBERED:])
    lines = [line.rstrip() for line in text.decode("utf-8", "backslashreplace").split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return [line if len(line) <= WIDEST else line[: WIDEST - 1] + "…" for line in lines[-count:]]
