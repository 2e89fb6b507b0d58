"""At the end of a failed run: who failed, how, after how long, and what it said last."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from devrun.events import Event, Exited, Failed, Output, Piece, Restarted, Skipped, SpawnFailed
from devrun.model import ExitStatus, Service
from devrun.output.ansi import without_sequences
from devrun.output.columns import cut, display_width, pad
from devrun.output.prefix import printable
from devrun.output.spans import humanized

REMEMBERED = 32 * 1024
"""Bytes of each service's last output that are kept at least; at most one chunk more. Twenty lines
of JSON or of a traceback have 600 bytes each and more."""

MOST_SHOWN = 10
"""Failed services that are shown in full."""

WIDEST = 200
"""Columns of a line that are shown."""

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(slots=True)
class _Record:
    """What is known of one service; ``chunks`` are of its latest generation that wrote any."""

    chunks: deque[bytes] = field(default_factory=deque)
    size: int = 0
    generation: int = 0
    restarts: int = 0
    failure: ExitStatus | None = None
    reason: str | None = None
    fault: str | None = None
    uptime: float = 0.0


class Summary:
    """A subscriber that remembers what the summary needs; its memory is bounded."""

    def __init__(self) -> None:
        self._records: dict[int, _Record] = {}

    def __call__(self, event: Event) -> None:
        """Take an event into account; for output that is one append."""
        if isinstance(event, Output):
            if event.piece is not Piece.PROGRESS:
                _remember(self._record(event.instance), event)
        elif isinstance(event, Restarted):
            record = self._record(event.instance)
            record.restarts += 1
            record.failure = record.reason = record.fault = None
        elif isinstance(event, Exited) and event.final and not event.stopped:
            record = self._record(event.instance)
            is_well = event.status.ok and event.fault is None
            record.failure = None if is_well else event.status
            record.fault, record.uptime = event.fault, event.uptime
        elif isinstance(event, Failed):
            _give_up(self._record(event.instance), event)
        elif isinstance(event, Skipped):
            record = self._record(event.instance)
            record.failure, record.reason = ExitStatus(code=1), f"not started: {event.reason}"
        elif isinstance(event, SpawnFailed) and event.final:
            record = self._record(event.instance)
            record.failure, record.reason = event.status, event.reason

    def last_lines(self, instance: int, count: int) -> list[str]:
        """Return what a service has said last, without control sequences."""
        record = self._records.get(instance)
        return [] if record is None else _last_lines(record, count)

    def render(self, services: Sequence[Service], *, tail: int = 10) -> list[str]:
        """Return the summary's lines; none if nothing failed.

        Args:
            tail: How many of the last lines of each are shown.
        """
        failed = [
            (service, record)
            for service in services
            if (record := self._records.get(service.index)) and record.failure
        ]
        if not failed:
            return []
        shown = failed[:MOST_SHOWN]
        labels = [printable(service.label) for service, _ in shown]
        width = max(map(display_width, labels))
        ways = _ways([record for _, record in shown])
        lines = ["Failed:"]
        for label, way, (_, record) in zip(labels, ways, shown, strict=True):
            lines.append(f"  {pad(label, width)}  {way}")
            lines += [f"    | {line}".rstrip() for line in _last_lines(record, tail)]
        if len(failed) > MOST_SHOWN:
            lines.append(f"  and {len(failed) - MOST_SHOWN} more")
        return lines

    def _record(self, instance: int) -> _Record:
        record = self._records.get(instance)
        if record is None:
            record = self._records[instance] = _Record()
        return record


def _give_up(record: _Record, event: Failed) -> None:
    """Remember why a service has been given up whose last end would not have been a failure."""
    if record.failure is None or record.failure.ok:
        record.failure, record.reason = ExitStatus(code=1), event.reason


def _remember(record: _Record, event: Output) -> None:
    if event.generation != record.generation:
        record.generation = event.generation
        record.chunks.clear()
        record.size = 0
    if event.data:
        record.chunks.append(event.data)
        record.size += len(event.data)
    while record.chunks and record.size - len(record.chunks[0]) >= REMEMBERED:
        record.size -= len(record.chunks.popleft())


def _ways(records: Sequence[_Record]) -> list[str]:
    """Return how each failed - in what way, after how long and how many restarts - in columns."""
    ends = [_end(record) for record in records]
    end_width = max(len(end) for end, _ in ends)
    span_width = max(len(span) for _, span in ends)
    ways = []
    for record, (end, span) in zip(records, ends, strict=True):
        restarts = f"{record.restarts} restart{'' if record.restarts == 1 else 's'}"
        comma, restarts = (", ", restarts) if record.restarts else ("", "")
        if record.reason is None:
            way = pad(f"{end}, ", end_width + 2) + pad(span + comma, span_width + 2)
        else:
            way = printable(record.reason) + comma
        ways.append((way + restarts).rstrip())
    return ways


def _end(record: _Record) -> tuple[str, str]:
    """Return how a process ended and after how long; nothing if it never began."""
    status = record.failure
    if status is None or record.reason is not None:
        return "", ""
    end = f"exit code {status}" if status.signal is None else f"ended by {status}"
    if record.fault is not None:
        end = printable(record.fault)
    return end, f"after {humanized(record.uptime)}"


def _last_lines(record: _Record, count: int) -> list[str]:
    data = b"".join(record.chunks)
    if len(data) > REMEMBERED:
        data = data[-REMEMBERED:]
        _, end, whole_lines = data.partition(b"\n")
        data = whole_lines if end and whole_lines else data
    text = without_sequences(data).decode("utf-8", "backslashreplace")
    lines = [_CONTROL.sub("", line).expandtabs().rstrip() for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return [cut(line, WIDEST) for line in lines[-count:]] if count else []
