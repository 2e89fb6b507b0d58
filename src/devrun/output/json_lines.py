r"""``--log-format json``: an object on a line for every line of a service, and for every event.

Lines: ``time``, ``service``, ``instance``, ``stream`` (``out`` or ``err``), ``line``. Events:
``time``, ``event``, for a service's ``service``, ``instance`` and ``generation``, what the event
holds, and ``message``. Times are ISO 8601 in UTC.

* A line is written when it has ended, however long it waited for that, so that an object is a
  line. One above ``LONGEST`` comes in several objects, all but the last with ``"partial": true``.
* ``line`` is the line without its line feed. If it is not UTF-8, ``\xNN`` stands for each byte
  that is not, and ``base64`` has the line as it was.
* Strings are escaped a chunk at a time: every encoder wants a call a line.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from devrun.events import Changed, Event, Exited, Output, Piece, SpawnFailed
from devrun.model import Project, Service
from devrun.output.json_events import Fields, at_of, fields_of, instance_of, message_of, name_of
from devrun.output.presenter import Buffer
from devrun.output.timestamp import iso_utc

LONGEST = 16 * 1024 * 1024
"""Bytes of one line that are held until it ends."""

_NO_CONTROLS = bytes((0x0A, *range(0x20, 0x100)))
_ESCAPES = {
    code: {8: b"\\b", 9: b"\\t", 12: b"\\f", 13: b"\\r"}.get(code, b"\\u%04x" % code)
    for code in range(0x20)
}
_BEGUN_CHARACTER = re.compile(
    rb"(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})\Z"
)
"""The first bytes of a character in UTF-8, at the end; of the others none may follow."""

_Source = tuple[int, int, bool]
"""Instance, generation, and whether it is its stderr."""


@dataclass(slots=True)
class _Held:
    """The beginning of a line, or more of one whose beginning has been written."""

    pieces: list[bytes] = field(default_factory=list)
    size: int = 0
    continues: bool = False

    def add(self, data: bytes) -> None:
        self.pieces.append(data)
        self.size += len(data)


class JsonLines:
    """Renders one run's events as objects.

    Args:
        wall_clock: Seconds since the epoch.
        clock: Seconds on the clock of the events.
    """

    def __init__(
        self,
        project: Project,
        *,
        wall_clock: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._project = project
        self._wall_clock = wall_clock
        self._clock = clock
        self._heads: dict[tuple[int, bool], tuple[Service, bytes]] = {}
        self._held: dict[_Source, _Held] = {}

    def render(self, event: Event) -> Sequence[Buffer]:
        """Return the objects that an event is worth; none for the beginning of a line."""
        if isinstance(event, Output):
            return self._output(event)
        unended: Sequence[Buffer] = ()
        if isinstance(event, Exited):
            unended = self._end(event.instance, event.generation)
        return [*unended, self._event(event)] if self._is_shown(event) else unended

    def renamed(self, instance: int) -> None:
        """Nothing is to be done: names are looked up in the project."""

    def finish(self, lines: Sequence[str]) -> Sequence[Buffer]:
        """Return the lines that have not ended, then ``lines`` of devrun's own as one event."""
        unended = [buffer for source in sorted(self._held) for buffer in self._end(*source[:2])]
        if not lines:
            return unended
        now = iso_utc(self._wall_clock())
        summary: Fields = {"time": now, "event": "summary", "message": "\n".join(lines)}
        return [*unended, _encoded(summary)]

    # -- what processes wrote ---------------------------------------------------------------

    def _output(self, event: Output) -> Sequence[Buffer]:
        if event.piece is Piece.PROGRESS or self._project.services[event.instance].hidden:
            return ()
        source = (event.instance, event.generation, event.is_error)
        data = event.data
        if event.piece is Piece.LINES and not self._held:
            return _objects(self._head(source), data)
        held = self._held.pop(source, None) or _Held()
        cut = data.rfind(b"\n") + 1
        if not cut:
            held.add(data)
            self._held[source] = held
            return self._part(source, held) if held.size > LONGEST else ()
        held.add(data[:cut])
        if cut < len(data):
            self._held[source] = _Held([data[cut:]], len(data) - cut)
        return _objects(self._head(source), b"".join(held.pieces))

    def _part(self, source: _Source, held: _Held) -> Sequence[Buffer]:
        """Return an object for the beginning of a line that is too long to be held."""
        data = b"".join(held.pieces)
        begun = _BEGUN_CHARACTER.search(data, len(data) - 3)
        cut = len(data) if begun is None else begun.start()
        self._held[source] = _Held([data[cut:]], len(data) - cut, continues=True)
        return [self._head(source), *_rest_of_object(data[:cut], b',"partial":true')]

    def _end(self, instance: int, generation: int) -> list[Buffer]:
        """Return the lines that a generation, or one before it, has not ended and will not."""
        found: list[Buffer] = []
        for source in sorted(self._held):
            if source[0] == instance and source[1] <= generation:
                held = self._held.pop(source)
                if held.size or held.continues:
                    found += _objects(self._head(source), b"".join((*held.pieces, b"\n")))
        return found

    def _head(self, source: _Source) -> bytes:
        """Return how the objects of a source begin now, up to the line."""
        instance, _, is_error = source
        service = self._project.services[instance]
        known = self._heads.get((instance, is_error))
        if known is None or known[0] is not service:
            stream = "err" if is_error else "out"
            whole = _encoded({**_names(service), "stream": stream, "line": ""})
            known = service, b'","' + whole[2:-3]
            self._heads[instance, is_error] = known
        return b'{"time":"' + iso_utc(self._wall_clock()).encode() + known[1]

    # -- devrun's own -----------------------------------------------------------------------

    def _is_shown(self, event: Event) -> bool:
        if self._project.output.quiet and not isinstance(event, SpawnFailed | Changed):
            return False
        instance = instance_of(event)
        return instance is None or not self._project.services[instance].hidden

    def _event(self, event: Event) -> bytes:
        services = self._project.services
        now, at, instance = self._wall_clock(), at_of(event), instance_of(event)
        told = now if at is None else now - (self._clock() - at)
        found: Fields = {"time": iso_utc(told), "event": name_of(event)}
        if instance is not None:
            found |= _names(services[instance])
        generation: object = getattr(event, "generation", None)
        if isinstance(generation, int):
            found["generation"] = generation
        found |= fields_of(event, services)
        return _encoded({**found, "message": message_of(event, services)})


def _names(service: Service) -> Fields:
    return {"service": service.process or service.label, "instance": service.label}


def _encoded(fields: Fields) -> bytes:
    """Return an object of devrun's own, with U+FFFD for what is no character."""
    import json

    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="surrogateescape").decode(errors="replace").encode() + b"\n"


def _objects(head: bytes, lines: bytes) -> list[Buffer]:
    """Return an object for each of some whole lines."""
    text = _text(lines)
    if text is None:
        return [b"".join((head, *_rest_of_object(line))) for line in lines[:-1].split(b"\n")]
    body = text.replace(b"\n", b'"}\n' + head)
    # A view leaves the head behind the last line out; that is cheaper than a copy.
    return [head, memoryview(body)[: -len(head)]]


def _rest_of_object(line: bytes, more: bytes = b"") -> Iterator[bytes]:
    """Yield what follows the head: the line, and more fields."""
    text = _text(line)
    if text is not None:
        yield text
        yield b'"' + more + b"}\n"
        return
    from binascii import b2a_base64

    yield _escaped(line.decode(errors="backslashreplace").encode())
    yield b'","base64":"' + b2a_base64(line, newline=False) + b'"' + more + b"}\n"


def _text(data: bytes) -> bytes | None:
    """Return data as the inside of JSON strings, line feeds aside; None if it is not UTF-8."""
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            return None
    return _escaped(data)


def _escaped(data: bytes) -> bytes:
    data = data.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    for code in set(data.translate(None, _NO_CONTROLS)):
        data = data.replace(bytes((code,)), _ESCAPES[code])
    return data
