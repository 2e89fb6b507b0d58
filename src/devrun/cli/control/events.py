"""``devrun events``: what happens to the services, as it happens."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping

from devrun.cli.control.choice import answers
from devrun.cli.control.event_words import event_line
from devrun.cli.control.line import Line
from devrun.cli.control.multiplex import multiplex
from devrun.cli.control.ps import has_color
from devrun.cli.control.saying import flush, put, put_json_line
from devrun.control.client import Stream
from devrun.errors import ExitCode


class EventReader:
    """Reads server-sent events (WHATWG HTML 9.2.6), line by line.

    Args:
        take: Called with each event: its data, and ``id`` and ``type``.
    """

    def __init__(self, take: Callable[[Mapping[str, object]], None]) -> None:
        self._take = take
        self._kind = ""
        self._id = ""
        self._data: list[str] = []

    def feed(self, line: bytes) -> None:
        """Take a line, without its end."""
        if not line:
            self._end()
            return
        field, _, value = line.decode("utf-8", "replace").partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            self._kind = value
        elif field == "data":
            self._data.append(value)
        elif field == "id":
            self._id = value

    def _end(self) -> None:
        kind, data = self._kind, "\n".join(self._data)
        self._kind, self._data = "", []
        if data:
            said = json.loads(data)
            number = int(self._id) if self._id.isdigit() else None
            said = said if isinstance(said, dict) else {"data": said}
            self._take({"id": number, "type": kind or "message", **said})


def events(line: Line) -> int:
    """Show events until the run ends; those of named services alone, if there are any.

    Raises:
        NotRunning: Nothing runs here.
    """
    from devrun.cli.control.choice import runs_with, services_of

    wanted = frozenset(line.words)
    if wanted:
        runs = [*dict.fromkeys(each.run for each, _ in runs_with(line.place, line.words))]
    else:
        runs = [run for run, _ in answers(line.place, services_of)]
    colored = has_color(line, is_terminal=sys.stdout.isatty())

    def show(event: Mapping[str, object]) -> None:
        about = (event.get("service"), event.get("instance"))
        if wanted and about != (None, None) and wanted.isdisjoint(about):
            return
        if line.as_json:
            put_json_line(event)
        else:
            put(event_line(event, colored=colored))

    streams: dict[Stream, Callable[[bytes], None]] = {}
    try:
        for run in runs:
            streams[Stream(run, "GET", ("events",))] = EventReader(show).feed
        multiplex(streams, flush)
    finally:
        for stream in streams:
            stream.close()
    return ExitCode.OK
