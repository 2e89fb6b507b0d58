"""Chunks of one process's output to what a log file gets; pure.

A file gets lines whole. The beginning of a line is held back where others write to the same file,
so that lines never mix; where a process has the file for itself it is passed on, so that a prompt
or "migrating …" can be read while it is all there is. A line too long to be held is passed on in
pieces anyway; if somebody else writes meanwhile it is ended there, as on the terminal.

Bytes pass as they are: invalid UTF-8, NULs, carriage returns, anything. Only escape sequences are
taken out, unless they are asked for: the services of a terminal have one, and so write colours that
no reader of a file wants. What merely begins like a sequence stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

LONGEST_HELD = 256 * 1024
"""Bytes of an unfinished line that are held back; a longer one is passed on in pieces."""

_SEQUENCE = re.compile(
    rb"\x1b(?:"
    rb"\[[0-?]{0,256}+[ -/]{0,4}+[@-~]"  # CSI (ECMA-48 5.4)
    rb"|\][^\x00-\x1f]{0,4080}+(?:\x07|\x1b\\)"  # OSC, as xterm ends it
    rb"|[PX^_k][^\x00-\x1f]{0,4080}+\x1b\\"  # DCS, SOS, PM, APC, and screen's title
    rb"|[ -/]{1,4}+[0-~]"  # nF: character sets
    rb"|[0-OQ-WYZ\\`-jl-~]"  # two bytes
    rb")"
)
_BEGUN = re.compile(
    rb"\x1b(?:\[[0-?]{0,256}+[ -/]{0,4}+|[]PX^_k][^\x00-\x1f]{0,4080}+\x1b?|[ -/]{0,4}+)\Z"
)
_LONGEST_SEQUENCE = 4096

_UNCERTAIN = re.compile(
    rb"(?:\r|[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})\Z"
)
"""What the next byte decides about: a character that has begun, and a CR that may end the line."""

_CONTROLS = bytes({*range(0x20)} - {0x0A})
_CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f]")
_ESCAPES = {
    bytes((code,)): {8: b"\\b", 9: b"\\t", 12: b"\\f", 13: b"\\r"}.get(code, b"\\u%04x" % code)
    for code in _CONTROLS
}


class SequenceRemover:
    """Takes escape sequences out of one stream, wherever it is cut; not to be shared."""

    def __init__(self) -> None:
        self._begun = b""

    def feed(self, data: bytes) -> bytes:
        """Return the data without sequences; one that has only begun is kept for the next call."""
        if not self._begun and b"\x1b" not in data:
            return data
        data, self._begun = self._begun + data, b""
        begun = _BEGUN.search(data, max(0, len(data) - _LONGEST_SEQUENCE))
        if begun is not None:
            self._begun = begun[0]
            data = data[: begun.start()]
        return _SEQUENCE.sub(b"", data)

    def finish(self) -> bytes:
        """Return what has been kept: it is no sequence."""
        begun, self._begun = self._begun, b""
        return begun


class Style(Protocol):
    """How lines look in a file.

    Attributes:
        holds: The beginning of a line is held back even where nobody else writes to the file.
    """

    holds: bool

    def lines(self, data: bytes, time: float) -> bytes:
        """Return whole lines."""

    def begin(self, data: bytes, time: float) -> bytes:
        """Return the beginning of a line."""

    def more(self, data: bytes) -> bytes:
        """Return more of the line that has begun; its end if the data ends with a line feed."""

    def passable(self, data: bytes) -> int:
        """Return how many bytes of an unfinished line can be rendered without what follows."""

    def ending(self) -> bytes:
        """Return what ends a line that has begun, because something else is written."""

    def rest(self, data: bytes, time: float | None) -> bytes:
        """Return the last of the output, which has no line end.

        Args:
            time: When the line began, or None if its beginning is in the file.
        """


class Plain:
    """Bytes as they are."""

    holds = False

    def lines(self, data: bytes, time: float) -> bytes:
        """Return whole lines."""
        del time
        return data

    def begin(self, data: bytes, time: float) -> bytes:
        """Return the beginning of a line."""
        del time
        return data

    def more(self, data: bytes) -> bytes:
        """Return more of the line."""
        return data

    def passable(self, data: bytes) -> int:
        """Return how many bytes can be rendered: all."""
        return len(data)

    def ending(self) -> bytes:
        """Return a line feed."""
        return b"\n"

    def rest(self, data: bytes, time: float | None) -> bytes:
        """Return the last of the output; the line stays unfinished."""
        return self.more(data) if time is None else self.begin(data, time)


class Stamped(Plain):
    """Every line begins with the time of its first byte.

    Args:
        time_text: A moment, in seconds since the epoch, as text.
    """

    def __init__(self, time_text: Callable[[float], str]) -> None:
        self._time_text = time_text

    def lines(self, data: bytes, time: float) -> bytes:
        """Return whole lines, each with the time."""
        stamp = self._stamp(time)
        return stamp + data[:-1].replace(b"\n", b"\n" + stamp) + data[-1:]

    def begin(self, data: bytes, time: float) -> bytes:
        """Return the beginning of a line, with the time."""
        return self._stamp(time) + data

    def _stamp(self, time: float) -> bytes:
        return self._time_text(time).encode() + b" "


class Json:
    """Every line is an object: time, service, instance, stream, text; the text comes last.

    The text is the line without its end, in UTF-8; U+FFFD stands for what is none. Strings are
    written here, a chunk at a time, because every encoder wants a call a line.

    Args:
        service: Name of the service.
        instance: Number of the instance, or None where there is one only.
        stream: ``out`` or ``err``.
        time_text: A moment, in seconds since the epoch, as text.
    """

    holds = True

    def __init__(
        self, service: str, instance: int | None, stream: str, time_text: Callable[[float], str]
    ) -> None:
        number = b"" if instance is None else b'"instance":%d,' % instance
        self._time_text = time_text
        self._between = b'","service":"%s",%s"stream":"%s","text":"' % (
            _text(service.encode(errors="surrogateescape")),
            number,
            _text(stream.encode()),
        )

    def lines(self, data: bytes, time: float) -> bytes:
        """Return an object a line."""
        start = self._start(time)
        return start + _text(data)[:-1].replace(b"\n", b'"}\n' + start) + b'"}\n'

    def begin(self, data: bytes, time: float) -> bytes:
        """Return the beginning of an object."""
        return self._start(time) + _text(data)

    def more(self, data: bytes) -> bytes:
        """Return more of the text, or its end."""
        if not data.endswith(b"\n"):
            return _text(data)
        return _text(data).removesuffix(b"\n") + b'"}\n'

    def passable(self, data: bytes) -> int:
        """Return how many bytes are whole characters, and no CR that may end the line."""
        uncertain = _UNCERTAIN.search(data, max(0, len(data) - 4))
        return len(data) if uncertain is None else uncertain.start()

    def ending(self) -> bytes:
        """Return the end of the object."""
        return b'"}\n'

    def rest(self, data: bytes, time: float | None) -> bytes:
        """Return the last of the output; its object is complete."""
        return (_text(data) if time is None else self.begin(data, time)) + b'"}\n'

    def _start(self, time: float) -> bytes:
        return b'{"time":"' + _text(self._time_text(time).encode()) + self._between


def _text(data: bytes) -> bytes:
    """Return data as the inside of a JSON string; line feeds stay, CR LF becomes one."""
    if not data.isascii():
        data = data.decode(errors="replace").encode()
    data = data.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    if len(data.translate(None, _CONTROLS)) == len(data):
        return data
    return _CONTROL.sub(lambda match: _ESCAPES[match[0]], data.replace(b"\r\n", b"\n"))


class SourceLines:
    """What one stream of one generation adds to its file; not to be shared.

    Args:
        keeps_sequences: Escape sequences stay.
    """

    def __init__(self, style: Style, *, keeps_sequences: bool = False) -> None:
        self._style = style
        self._remover = None if keeps_sequences else SequenceRemover()
        self._held: list[bytes] = []
        self._held_size = 0
        self._began = 0.0
        self._open = False

    def feed(self, data: bytes, time: float, *, hold: bool) -> bytes:
        """Return what a chunk adds to the file.

        Args:
            time: When it was written, in seconds since the epoch.
            hold: Others write to the file, so that it gets lines only when they are whole.
        """
        if self._remover is not None:
            data = self._remover.feed(data)
        cut = data.rfind(b"\n") + 1
        if not cut:
            return self._begin(data, time, hold=hold)
        lines = data if cut == len(data) else data[:cut]
        begun = self._open or self._held
        lines = self._end(lines, time) if begun else self._style.lines(lines, time)
        return lines + self._begin(data[cut:], time, hold=hold) if cut < len(data) else lines

    def interrupt(self) -> bytes:
        """Return what ends the line that is open in the file; its rest begins another."""
        self._open = False
        return self._style.ending()

    def finish(self) -> bytes:
        """Return the last of the output; a line without its end stays so."""
        kept = b"" if self._remover is None else self._remover.finish()
        if kept and not self._held:
            self._held.append(kept)
        elif kept:
            self._held[-1] += kept
        if not self._open and not self._held:
            return b""
        rest = self._style.rest(self._take(), None if self._open else self._began)
        self._open = False
        return rest

    def _end(self, lines: bytes, time: float) -> bytes:
        """Return lines of which the first has begun before."""
        first = lines.find(b"\n") + 1
        whole = self._take() + lines[:first]
        ended = self._style.more(whole) if self._open else self._style.lines(whole, self._began)
        self._open = False
        return ended + self._style.lines(lines[first:], time) if first < len(lines) else ended

    def _begin(self, data: bytes, time: float, *, hold: bool) -> bytes:
        """Return what of an unfinished line the file gets now."""
        if not data:
            return b""
        if not self._open and not self._held:
            self._began = time
        self._held.append(data)
        self._held_size += len(data)
        holds = hold or self._style.holds
        if holds and not self._open and self._held_size <= LONGEST_HELD:
            return b""
        held = self._take()
        passable = self._style.passable(held)
        if passable < len(held):
            self._held, self._held_size = [held[passable:]], len(held) - passable
        if not passable:
            return b""
        passed, was_open, self._open = held[:passable], self._open, True
        return self._style.more(passed) if was_open else self._style.begin(passed, self._began)

    def _take(self) -> bytes:
        held = b"".join(self._held)
        self._held, self._held_size = [], 0
        return held
