"""From chunks to log files, in the thread that writes them: whose lines go where, and how."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import nan
from typing import Literal

from devrun.appearance import TimeFormat
from devrun.output.log_archive import Archivist, Keeping
from devrun.output.log_file import AppendedFile
from devrun.output.log_lines import Json, Plain, SourceLines, Stamped, Style
from devrun.output.timestamp import Timestamp
from devrun.policies import LogFile

Stream = Literal["out", "err"]


@dataclass(frozen=True, slots=True)
class LoggedService:
    """A service, or an instance of one, whose output goes to files.

    Attributes:
        label: What the service is called, without the number of the instance.
        number: Number of the instance, or None where it is not called by one.
        separate_streams: What it writes to stderr is handed over as such.
        keeps_sequences: Escape sequences, such as those of colours, stay.
    """

    label: str
    log: LogFile
    number: int | None = None
    separate_streams: bool = False
    keeps_sequences: bool = False

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The streams that it is known to have."""
        both = self.separate_streams or self.log.error_path is not None
        return ("out", "err") if both else ("out",)

    def spelled(self, stream: Stream) -> str:
        """Return the path of the file that a stream goes to."""
        path = self.log.path
        if stream == "err" and self.log.error_path is not None:
            path = self.log.error_path
        label = self.label if self.number is None else f"{self.label}.{self.number}"
        path = path.replace("{label}", file_name_of(label))
        return path.replace("{instance}", str(self.number or 1))

    def path(self, stream: Stream) -> str:
        """Return the same path without links, so that one file has one path."""
        return os.path.realpath(self.spelled(stream))


def file_name_of(label: str) -> str:
    """Return a name for a file that is no other label's."""
    return label.replace("%", "%25").replace(os.sep, "%2F")


def label_of(file_name: str) -> str:
    """Return the label that a file is called after."""
    return file_name.replace("%2F", os.sep).replace("%25", "%")


@dataclass(frozen=True, slots=True)
class Chunk:
    """What a process wrote.

    Attributes:
        time: When, in seconds since the epoch.
    """

    instance: int
    generation: int
    stream: Stream
    data: bytes
    time: float


@dataclass(frozen=True, slots=True)
class End:
    """A generation's main process has ended."""

    instance: int
    generation: int


_Source = tuple[int, int, Stream]
"""Instance, generation, stream."""


class Desk:
    """Sorts chunks into files.

    Args:
        say: Called with a line about what does not work, or works again.
        wall_clock: Seconds since the epoch.
    """

    def __init__(
        self,
        services: Mapping[int, LoggedService],
        say: Callable[[str], None],
        archivist: Archivist,
        wall_clock: Callable[[], float],
    ) -> None:
        self._services = services
        self._say = say
        self._archivist = archivist
        self._wall_clock = wall_clock
        self._targets: dict[str, _Target] = {}
        self._sources: dict[_Source, tuple[SourceLines, _Target]] = {}
        self._late: set[_Source] = set()
        self._ended: dict[int, int] = {}
        self._touched: set[_Target] = set()
        for service in services.values():
            for stream in service.streams:
                self._target(service, stream).declared += 1

    def write(self, chunk: Chunk) -> None:
        """Add a chunk to its file."""
        source = (chunk.instance, chunk.generation, chunk.stream)
        lines, target = self._sources.get(source) or self._begin(source)
        target.write(lines, chunk.data, chunk.time)
        self._touched.add(target)

    def end(self, end: End) -> None:
        """Add what was held back of a generation: no more will come.

        Unless a process that it left behind goes on writing, which is forgotten with the next end.
        """
        self._ended[end.instance] = max(end.generation, self._ended.get(end.instance, 0))
        for source in list(self._sources):
            instance, generation, _ = source
            if instance == end.instance and (generation == end.generation or source in self._late):
                self._finish(source)

    def flush(self) -> None:
        """Write what has been added."""
        for target in self._touched:
            target.file.flush()
        self._touched.clear()

    def close(self) -> None:
        """Write everything and close the files."""
        for source in list(self._sources):
            self._finish(source)
        for target in self._targets.values():
            target.file.close()

    def _begin(self, source: _Source) -> tuple[SourceLines, _Target]:
        instance, generation, stream = source
        service = self._services[instance]
        lines = SourceLines(_style(service, stream), keeps_sequences=service.keeps_sequences)
        target = self._target(service, stream)
        target.declared = max(target.declared, 1)
        target.live += 1
        self._sources[source] = lines, target
        if generation <= self._ended.get(instance, 0):
            self._late.add(source)
        return lines, target

    def _target(self, service: LoggedService, stream: Stream) -> _Target:
        """Return a service's file; one that was added or renamed may have a new one."""
        path = service.path(stream)
        if path not in self._targets:
            self._targets[path] = _Target(self._file(path, service.log))
        return self._targets[path]

    def _finish(self, source: _Source) -> None:
        lines, target = self._sources.pop(source)
        self._late.discard(source)
        target.finish(lines)
        target.live -= 1
        self._touched.add(target)

    def _file(self, path: str, log: LogFile) -> AppendedFile:
        keeping = Keeping(path, log.keep_files, log.keep_seconds, log.compress)
        if log.max_size is not None:
            self._archivist.request(keeping)  # There may be work from an earlier run.
        return AppendedFile(
            path,
            max_size=log.max_size,
            say=self._say,
            rotated=lambda: self._archivist.request(keeping),
            wall_clock=self._wall_clock,
        )


class _Target:
    """A file, and whose line in it is unfinished."""

    def __init__(self, file: AppendedFile) -> None:
        self.file = file
        self.declared = 0
        self.live = 0
        self._owner: SourceLines | None = None

    def write(self, lines: SourceLines, data: bytes, time: float) -> None:
        """Add what a chunk of one source adds."""
        self._add(lines, lines.feed(data, time, hold=self.declared > 1 or self.live > 1))

    def finish(self, lines: SourceLines) -> None:
        """Add the last of one source."""
        self._add(lines, lines.finish())

    def _add(self, lines: SourceLines, rendered: bytes) -> None:
        if not rendered:
            return
        if self._owner is not lines:
            if self._owner is not None and not self.file.at_start:
                self.file.add(self._owner.interrupt())
            self._owner = lines
        self.file.add(rendered)


def _style(service: LoggedService, stream: Stream) -> Style:
    log = service.log
    if log.json:
        return Json(service.label, service.number, stream, _TimeText(log.time_format))
    return Stamped(_TimeText(log.time_format)) if log.timestamps else Plain()


class _TimeText:
    """Moments as text: ISO 8601 with milliseconds and offset, or as ``strftime`` has it."""

    def __init__(self, form: str | None) -> None:
        self._form = None if form is None else Timestamp(TimeFormat(strftime=form))
        self._last = (nan, "")

    def __call__(self, time: float) -> str:
        if self._last[0] != time:
            self._last = (time, self._render(time))
        return self._last[1]

    def _render(self, time: float) -> str:
        if self._form is not None:
            return self._form.render(time)
        return datetime.fromtimestamp(time).astimezone().isoformat(timespec="milliseconds")
