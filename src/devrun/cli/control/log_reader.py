"""Reads log files from their ends: the newest lines first, rotated files after the present one."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from devrun.cli.control.log_printer import Entry
from devrun.output.log_archive import archive_of
from devrun.policies import LogFile

_AT_ONCE = 64 * 1024
_STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d) ")


@dataclass(frozen=True, slots=True)
class LogSource:
    """A log file, and whose it is.

    Attributes:
        path: Absolute, without links.
        service: Name of the service.
        instance: Label of the instance; that of the service where they share the file.
        log: How it is written.
        stream: ``err`` if only that is in it; None if that is not known.
    """

    path: str
    service: str
    instance: str
    log: LogFile
    stream: str | None = None


def newest_first(source: LogSource, since: float | None) -> Iterator[Entry]:
    """Yield the lines of a log file and of its rotated ones, the last one first.

    Args:
        since: Nothing that was written before; seconds since the epoch, or None.
    """
    for path in (source.path, *(file.path for file in reversed(archive_of(source.path).files))):
        try:
            modified = os.stat(path).st_mtime
        except FileNotFoundError:
            continue  # It has just been rotated, or there is only what was rotated.
        if since is not None and modified < since:
            return
        at = modified
        for line in _lines_backwards(path):
            entry = _entry(source, line, at)
            at = min(at, entry.at)  # A clock that was put back does not reorder a file.
            if since is not None and entry.at < since:
                return
            yield Entry(at, entry.said)


def _entry(source: LogSource, line: bytes, at: float) -> Entry:
    stream, label, text = source.stream or "out", source.instance, line
    if source.log.json and line.startswith(b'{"time":'):
        try:
            said = json.loads(line)
            moment = datetime.fromisoformat(said["time"]).timestamp()
            number = said.get("instance")
            label = f"{said['service']}.{number}" if isinstance(number, int) else label
            return _said(source, label, str(said["stream"]), str(said["text"]), moment)
        except (ValueError, KeyError, TypeError):
            pass  # A line of the service's own.
    stamp = _STAMP.match(line) if source.log.timestamps else None
    if stamp is not None:
        at = datetime.fromisoformat(stamp[0].decode().strip()).timestamp()
        text = line[stamp.end() :]
    return _said(source, label, stream, text.decode("utf-8", "surrogateescape"), at)


def _said(source: LogSource, label: str, stream: str, text: str, at: float) -> Entry:
    return Entry(
        at,
        {
            "at": at,
            "service": source.service,
            "instance": label,
            "generation": None,
            "stream": stream,
            "line": text.removesuffix("\r"),
        },
    )


def _lines_backwards(path: str) -> Iterator[bytes]:
    if path.endswith(".gz"):
        import gzip

        with gzip.open(path) as packed:
            yield from reversed(packed.read().removesuffix(b"\n").split(b"\n"))
        return
    with open(path, "rb") as file:
        place = file.seek(0, os.SEEK_END)
        rest = b""
        is_last = True
        while place:
            size = min(_AT_ONCE, place)
            place -= size
            file.seek(place)
            rest, *whole = (file.read(size) + rest).split(b"\n")
            for line in reversed(whole):
                if not (is_last and not line):
                    yield line
                is_last = False
        if rest or not is_last:
            yield rest
