"""What of a process's control sequences may reach a terminal that others write to as well.

Colours and other attributes (SGR), hyperlinks (OSC 8) and erasing to the end of the line pass.
Whatever moves the cursor, clears, scrolls, switches screens, modes or character sets, sets the
title, rings the bell or makes the terminal answer is dropped, because it would disturb the lines of
others, or say nothing of whose it is.
An attribute left open at the end of a line is closed there and opened again on the process's next
line. Sequences are ECMA-48's, as xterm has them (ctlseqs.txt).

What begins like a sequence and is none - broken off by another control character, or too long -
loses its ESC and nothing else: what follows it is text. So no text is swallowed, here or by the
terminal. Of the 8-bit controls too (U+0080 to U+009F, and the same bytes where they cannot be part
of a UTF-8 character) only the control itself is dropped: in what is no UTF-8 they may be letters.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice

LONGEST_SEQUENCE = 4096
"""Bytes of an unfinished sequence that are waited for; what is longer is no sequence."""

_ESCAPE = 0x1B
_BELL = 0x07
_DROPPED = b"\x05\x08\x0b\x0c\x0e\x0f"
"""ENQ asks for an answer, BS, VT and FF move the cursor, SO and SI switch character sets."""

_ENCODED_C1 = re.compile(rb"\xc2[\x80-\x9f]")
_C1 = re.compile(
    rb"\xc2[\x80-\x9f]"
    rb"|[\x80-\x9f](?<![\xc2-\xf4].)(?<![\xe0-\xf4][\x80-\xbf].)(?<![\xf0-\xf4][\x80-\xbf]{2}.)",
    re.DOTALL,
)
_CHARACTER_BEGUN = re.compile(
    rb"(?:[\xc3-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})\Z"
)

_SEQUENCE = re.compile(
    rb"\x1b(?:"
    rb"\[(?P<sgr>[0-9;:]{0,256}+)m"
    rb"|\[(?P<erase>0?)K"  # EL: to the end of the line
    rb"|\]8;(?P<link>[^\x00-\x1f;]{0,512}+;[^\x00-\x1f]{0,3500}+)(?:\x07|\x1b\\)"
    rb"|\[[0-?]{0,256}+[ -/]{0,4}+[@-~]"  # every other CSI
    rb"|\][^\x00-\x1f]{0,4080}+(?:\x07|\x1b\\)"  # every other OSC
    rb"|[PX^_k][^\x00-\x1f]{0,4080}+\x1b\\"  # DCS, SOS, PM, APC, and screen's title
    rb"|[ -/]{1,4}+[0-~]"  # nF: character sets and alignment
    rb"|[0-OQ-WYZ\\`-jl-~]"  # two bytes: RIS, keypad modes, saved cursor, a stray ST
    rb"|(?P<begun>(?:\[[0-?]{0,256}+[ -/]{0,4}+|[]PX^_k][^\x00-\x1f]{0,4080}+\x1b?|[ -/]{0,4}+)\Z)"
    rb"|)"  # no sequence: the ESC alone
)

_RESET = b"\x1b[0m"
_NO_LINK = b"\x1b]8;;\x1b\\"

_ALL = "all"
_FOREIGN = "foreign"
"""The slot of all that is not understood: closed with the rest at the line end, not reopened."""

_ATTRIBUTES: tuple[tuple[str, tuple[int, ...], int], ...] = (
    ("font", tuple(range(11, 20)), 10),
    ("bold", (1,), 22),
    ("dim", (2,), 22),
    ("italic", (3, 20), 23),
    ("underline", (4, 21), 24),
    ("blink", (5, 6), 25),
    ("inverse", (7,), 27),
    ("hidden", (8,), 28),
    ("strike", (9,), 29),
    ("foreground", (*range(30, 39), *range(90, 98)), 39),
    ("background", (*range(40, 49), *range(100, 108)), 49),
    ("frame", (51, 52), 54),
    ("overline", (53,), 55),
    ("line color", (58,), 59),
    ("script", (73, 74), 75),
)
"""Slots, the SGR parameters that set each - one replaces the other - and the one that ends it
(ECMA-48 8.3.117; 58, 59 and 73 to 75 are terminals' own)."""

_SLOTS = {number: slot for slot, numbers, _ in _ATTRIBUTES for number in numbers}
_ENDS = {
    end: tuple(slot for slot, _, number in _ATTRIBUTES if number == end)
    for _, _, end in _ATTRIBUTES
}

_COLOR = re.compile(rb"([345]8)(?:;5;\d{0,3}|;2(?:;\d{0,3}){3}|(?::\d{0,3}){2,7})")
_UNDERLINE = re.compile(rb"4:[0-5]")

_Change = tuple[str, bytes | None]
"""A slot, and the parameter that it is set by; None ends it."""


class Attributes:
    """The attributes in force: by what each was set, the last one alone."""

    __slots__ = ("_set",)

    def __init__(self) -> None:
        self._set: dict[str, bytes] = {}

    def __bool__(self) -> bool:
        """Whether any is in force."""
        return bool(self._set)

    def apply(self, parameters: bytes) -> None:
        """Take the parameters of one SGR sequence into account."""
        for slot, value in _changes(parameters):
            if value is not None:
                self._set[slot] = value
            elif slot == _ALL:
                self._set.clear()
            else:
                self._set.pop(slot, None)

    def opening(self) -> bytes:
        """Return the sequence that sets them; nothing if none is in force."""
        parameters = b";".join(filter(None, self._set.values()))
        return b"\x1b[" + parameters + b"m" if parameters else b""


@lru_cache(maxsize=256)
def _changes(parameters: bytes) -> tuple[_Change, ...]:
    changes: list[_Change] = []
    numbers = iter(parameters.split(b";"))
    for number in numbers:
        whole = number
        if number in (b"38", b"48", b"58"):
            kind = next(numbers, b"")
            arguments = islice(numbers, {b"5": 1, b"2": 3}.get(kind, 0))
            whole = b";".join((number, kind, *arguments))
        changes += _changes_of(whole)
    return tuple(changes)


def _changes_of(parameter: bytes) -> list[_Change]:
    """Return what one parameter, with its arguments, sets or ends."""
    color = _COLOR.fullmatch(parameter)
    if color is not None:
        return [(_SLOTS[int(color[1])], parameter)]
    if _UNDERLINE.fullmatch(parameter):
        return [("underline", None if parameter == b"4:0" else parameter)]
    number = parameter.lstrip(b"0") or b"0"
    value = int(number) if number.isdigit() and len(number) <= 3 else -1
    if value == 0:
        return [(_ALL, None)]
    if value in _ENDS:
        return [(slot, None) for slot in _ENDS[value]]
    if value in _SLOTS and value not in (38, 48, 58):
        return [(_SLOTS[value], number)]
    return [(_FOREIGN, b"")]


class Hygiene:
    """Cleans one process's output for a terminal; not to be shared.

    The caller puts prefixes in front of lines; it may do so behind every line feed of what is
    returned, because nothing is open there.
    """

    def __init__(self) -> None:
        self._attributes = Attributes()
        self._link = b""
        self._begun = b""
        self._character = b""
        self._at_start = True

    def clean(self, data: bytes) -> bytes:
        """Return what of the data may reach the terminal; often the data itself.

        A sequence that only begins at the end of the data is kept for the next call.
        """
        if not data:
            return data
        if not (self._begun or self._is_open()) and _is_calm(data):
            self._character = b""
            self._at_start = data.endswith(b"\n")
            return data
        # A character that was begun before tells whether the data begins with the rest of it.
        before = self._character
        data = _without_controls(before + self._begun + data)
        half = data[-1:] if data.endswith(b"\xc2") else b""  # It may be half of a C1.
        self._begun = b""
        cleaned = self._cleaned(data[len(before) :].removesuffix(half))
        self._begun += half
        begun = None if self._begun else _CHARACTER_BEGUN.search(data, max(0, len(data) - 3))
        self._character = b"" if begun is None else begun[0]
        return cleaned

    def suspend(self) -> bytes:
        """Return what closes everything open, because something else is written now.

        What was open is opened again by ``resume``, or with the process's next text.
        """
        closing = b"" if self._at_start else self._closing()
        self._at_start = True
        return closing

    def resume(self) -> bytes:
        """Return what opens again what ``suspend`` or a line end has closed."""
        if not (self._at_start and self._is_open()):
            return b""
        self._at_start = False
        return self._opening()

    def redraw(self) -> bytes:
        """Return what closes everything open, because the line is written once more, in full."""
        self._begun = b""
        return self.suspend()

    def finish(self) -> bytes:
        """Return the end of the process's output: what was kept, as text, and all closed.

        Afterwards everything is as at the beginning, for the process's next generation.
        """
        out: list[bytes] = []
        self._add(out, without_sequences(self._begun))
        out.append(self.suspend())
        self._attributes = Attributes()
        self._link = self._begun = self._character = b""
        return b"".join(out)

    def _cleaned(self, data: bytes) -> bytes:
        out: list[bytes] = []
        place = 0
        for match in _SEQUENCE.finditer(data):
            self._add(out, data[place : match.start()])
            place = match.end()
            self._take(match, out)
        self._add(out, data[place:])
        return b"".join(out)

    def _add(self, out: list[bytes], text: bytes) -> None:
        """Add text; what is open is closed before each line feed, and opened after it."""
        if _BELL in text:
            text = text.replace(b"\x07", b"")
        if not text:
            return
        if not self._is_open():
            out.append(text)
            self._at_start = text.endswith(b"\n")
            return
        opening, closing = self._opening(), self._closing()
        *lines, last = text.split(b"\n")
        for line in lines:
            if line:
                out += (opening if self._at_start else b"", line, closing)
            elif not self._at_start:
                out.append(closing)
            out.append(b"\n")
            self._at_start = True
        if last:
            out += (opening if self._at_start else b"", last)
            self._at_start = False

    def _take(self, match: re.Match[bytes], out: list[bytes]) -> None:
        """Pass a sequence on or drop it, and remember what it opens or closes.

        At the start of a line nothing is passed on: there, what is in force by then is opened
        together with the first text. So a line of sequences alone leaves nothing.
        """
        match match.lastgroup:
            case "sgr":
                self._attributes.apply(match["sgr"])
            case "link":
                self._link = b"" if match["link"].endswith(b";") else match[0]
            case "erase":
                pass  # Right of the process's own text there is nobody else's.
            case "begun":
                self._begun = match[0]
                return
            case _:
                return
        if not self._at_start:
            out.append(match[0])

    def _is_open(self) -> bool:
        return bool(self._link or self._attributes)

    def _opening(self) -> bytes:
        return self._attributes.opening() + self._link

    def _closing(self) -> bytes:
        return (_RESET if self._attributes else b"") + (_NO_LINK if self._link else b"")


def without_sequences(data: bytes) -> bytes:
    """Return the data as text: no sequence is left, not even one for colours."""
    text = _SEQUENCE.sub(
        lambda match: (match["begun"] or b"").replace(b"\x1b", b""), _without_controls(data)
    )
    return text.replace(b"\x07", b"")


def _is_calm(data: bytes) -> bool:
    """Whether nothing in the data needs a closer look.

    Looking for single bytes and decoding are many times as fast as a regular expression.
    """
    if _ESCAPE in data or _BELL in data or any(byte in data for byte in _DROPPED):
        return False
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return not _ENCODED_C1.search(data)


def _without_controls(data: bytes) -> bytes:
    """Return the data without what _DROPPED has, and without 8-bit controls."""
    if any(byte in data for byte in _DROPPED):
        data = data.translate(None, _DROPPED)
    return data if data.isascii() else _C1.sub(b"", data)
