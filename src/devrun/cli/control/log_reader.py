"""Reads log files from their ends: the newest lines first, rotated files after the present one."""

from __future__ import annotations

import json
import os
import re
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from devrun.cli.control.log_printer import Entry
from devrun.output.complaint import complain
from devrun.output.log_archive import archive_of
from devrun.policies import LogFile

_AT_ONCE = 64 * 1024
_PACKED_AT_ONCE = 1024
"""Bytes of a compressed file: if one of them is wrong, no more is lost than what these hold."""
_GZIP = 16 + zlib.MAX_WBITS
"""The format, as zlib is told it (``inflateInit2``)."""
_SURROGATE = re.compile("[\ud800-\udfff]")
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

    What cannot be read of them is told on stderr, and passed over.

    Args:
        since: Nothing that was written before; seconds since the epoch, or None.
    """
    for path in _files(source.path):
        try:
            found = os.stat(path)
            if not stat.S_ISREG(found.st_mode):
                complain(f"{path} is passed over: it is no file")
                continue
            if since is not None and found.st_mtime < since:
                return
            at = found.st_mtime
            for line in _lines_backwards(path):
                entry = _entry(source, line, at)
                at = min(at, entry.at)  # A clock that was put back does not reorder a file.
                if since is not None and entry.at < since:
                    return
                yield Entry(at, entry.said)
        except FileNotFoundError:
            continue  # It has just been rotated, or there is only what was rotated.
        except OSError as error:
            complain(f"{path} cannot be read: {_reason(error)}")


def _files(path: str) -> Iterator[str]:
    yield path
    try:
        rotated = archive_of(path).files
    except OSError as error:
        complain(f"rotated files of {path} cannot be found: {_reason(error)}")
        return
    for file in reversed(rotated):
        yield file.path


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _entry(source: LogSource, line: bytes, at: float) -> Entry:
    stream, label, text = source.stream or "out", source.instance, line
    try:
        if source.log.json and line.startswith(b'{"time":'):
            said = json.loads(line)
            moment = datetime.fromisoformat(said["time"]).timestamp()
            number = said.get("instance")
            label = f"{said['service']}.{number}" if isinstance(number, int) else label
            return _said(source, label, str(said["stream"]), str(said["text"]), moment)
        stamp = _STAMP.match(line) if source.log.timestamps else None
        if stamp is not None:
            at = datetime.fromisoformat(stamp[0].decode().strip()).timestamp()
            text = line[stamp.end() :]
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        label = source.instance  # A line of the service's own.
    return _said(source, label, stream, text.decode("utf-8", "replace"), at)


def _said(source: LogSource, label: str, stream: str, text: str, at: float) -> Entry:
    return Entry(
        at,
        {
            "at": at,
            "service": source.service,
            "instance": label,
            "generation": None,
            "stream": stream,
            "line": _SURROGATE.sub("\ufffd", text.removesuffix("\r")),
        },
    )


def _lines_backwards(path: str) -> Iterator[bytes]:
    if path.endswith(".gz"):
        if data := _unpacked(path):
            yield from reversed(data.removesuffix(b"\n").split(b"\n"))
        return
    with open(path, "rb") as file:
        place = file.seek(0, os.SEEK_END)
        rest: list[bytes] = []  # Of the line whose beginning has not been found, the end first.
        is_last = True
        while place:
            size = min(_AT_ONCE, place)
            place -= size
            file.seek(place)
            begun, *whole = file.read(size).split(b"\n")
            while whole:
                line = b"".join((whole.pop(), *reversed(rest)))
                rest.clear()
                if line or not is_last:
                    yield line
                is_last = False
            rest.append(begun)
        if any(rest) or not is_last:
            yield b"".join(reversed(rest))


def _unpacked(path: str) -> bytes:
    """Return what a compressed file holds, as far as that can be read."""
    found: list[bytes] = []
    unpacker = zlib.decompressobj(_GZIP)
    wrong: str | None = None
    with open(path, "rb") as file:
        while data := file.read(_PACKED_AT_ONCE):
            try:
                while data:
                    if unpacker.eof:
                        unpacker = zlib.decompressobj(_GZIP)  # RFC 1952 2.2: one behind another.
                    found.append(unpacker.decompress(data))
                    data = unpacker.unused_data
            except zlib.error:
                wrong = "what it holds is damaged" if found else "it is no gzip file"
                break
    if wrong is None and not unpacker.eof:
        wrong = "it is cut off"
    if wrong is not None:
        complain(f"{path} cannot be read to its end: {wrong}")
    return b"".join(found)
