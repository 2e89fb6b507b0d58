"""What of a process's control sequences may reach a terminal that others write to as well.

Colours, other attributes (SGR) and hyperlinks (OSC 8) pass. Whatever moves the cursor, clears,
scrolls, switches screens or modes, or sets the title is dropped, because it would disturb the
lines of the others. An attribute left open at the end of a line is closed there and opened again
on the process's next line. Sequences are ECMA-48's; the rest is xterm's (ctlseqs.txt).
"""

from __future__ import annotations

import re
from collections.abc import Callable

LONGEST_SEQUENCE = 4096
"""Bytes of an unfinished sequence that are waited for; what is longer is no sequence."""

_RESET = b"\x1b[0m"
_NO_LINK = b"\x1b]8;;\x1b\\"

_SEQUENCE = re.compile(
    rb"\x1b\[(?P<csi>[0-?]*)(?P<between>[ -/]*)(?P<final>[@-~])"  # CSI … final byte
    rb"|\x1b\](?P<osc>[^\x07\x1b\n]*)(?:\x07|\x1b\\)"  # OSC … BEL or ST
    rb"|\x1b[PX^_][^\x1b\n]*\x1b\\"  # DCS, SOS, PM, APC … ST
    rb"|\x1b[ -/]+[0-~]"  # nF: character sets
    rb"|\x1b[0-OQ-WYZ\\`-~]"  # two bytes: RIS, keypad modes, save cursor…
    rb"|[\x07\x08\x0b\x0c\x0e\x0f]"  # BEL, BS, VT, FF, SO, SI
    rb"|\x1b|\n"  # no sequence at all: what follows is text
)
_UNFINISHED = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b\n]*\x1b?|[PX^_][^\x1b\n]*\x1b?|[ -/]*)\Z"
)
_CONTROLS = re.compile(rb"[\x07\x08\x0b\x0c\x0e\x0f\x1b]")

_ENDS = {
    b"22": (b"1", b"2"),
    b"23": (b"3",),
    b"24": (b"4",),
    b"25": (b"5", b"6"),
    b"27": (b"7",),
    b"28": (b"8",),
    b"29": (b"9",),
    b"39": (b"fg",),
    b"49": (b"bg",),
    b"54": (b"51", b"52"),
    b"55": (b"53",),
    b"59": (b"ul",),
}
"""Which attributes an SGR parameter ends (ECMA-48 8.3.117, and xterm's 53, 55, 58, 59)."""


class Attributes:
    """The attributes that are in force: what each was set by, under the name of what ends it."""

    def __init__(self) -> None:
        self._set: dict[bytes, bytes] = {}

    def apply(self, parameters: bytes) -> None:
        """Take the parameters of one SGR sequence into account."""
        numbers = parameters.split(b";")
        while numbers:
            number = numbers.pop(0)
            kind = number.split(b":")[0].lstrip(b"0")
            if not kind:
                self._set.clear()
            elif kind in (b"38", b"48", b"58"):
                self._set[{b"38": b"fg", b"48": b"bg", b"58": b"ul"}[kind]] = _color(
                    number, numbers
                )
            elif kind in _ENDS:
                for name in _ENDS[kind]:
                    self._set.pop(name, None)
            elif kind == b"4" and number.endswith(b":0"):
                self._set.pop(b"4", None)
            else:
                self._set[_name(kind)] = number

    def opening(self) -> bytes:
        """Return the sequence that sets them; nothing if none is in force."""
        return b"\x1b[" + b";".join(self._set.values()) + b"m" if self._set else b""


def _color(number: bytes, rest: list[bytes]) -> bytes:
    """Return an extended colour with its arguments, taken off ``rest``."""
    if b":" in number or not rest:
        return number
    count = {b"5": 2, b"2": 4}.get(rest[0], 1)
    taken, rest[:count] = rest[:count], []
    return b";".join((number, *taken))


def _name(kind: bytes) -> bytes:
    """Return the name under which an attribute is kept: two of a kind replace each other."""
    value = int(kind) if kind.isdigit() and len(kind) < 4 else 0
    if 30 <= value <= 37 or 90 <= value <= 97:
        return b"fg"
    if 40 <= value <= 47 or 100 <= value <= 107:
        return b"bg"
    return b"4" if value == 21 else kind


class Hygiene:
    """Cleans one process's output for a terminal; not to be shared."""

    def __init__(self) -> None:
        self._attributes = Attributes()
        self._link = b""
        self._rest = b""
        self._at_start = True

    def clean(self, data: bytes) -> bytes:
        """Return what of the data may reach the terminal.

        An unfinished sequence at the end is kept for the next call.
        """
        if not self._rest and not self._is_open() and not _CONTROLS.search(data):
            if data:
                self._at_start = data.endswith(b"\n")
            return data
        data, self._rest = self._rest + data, b""
        unfinished = _UNFINISHED.search(data, max(0, len(data) - LONGEST_SEQUENCE))
        if unfinished is not None:
            self._rest = unfinished[0]
            data = data[: unfinished.start()]
        return self._cleaned(data)

    def suspend(self) -> bytes:
        """Return what closes everything open, because another process's line comes now."""
        self._at_start = True
        return self._closing()

    def _cleaned(self, data: bytes) -> bytes:
        out: list[bytes] = []
        place = 0
        for match in _SEQUENCE.finditer(data):
            self._add(out, data[place : match.start()])
            place = match.end()
            if match[0] == b"\n":
                out += (b"" if self._at_start else self._closing(), b"\n")
                self._at_start = True
            else:
                self._take(match, out.append)
        self._add(out, data[place:])
        return b"".join(out)

    def _add(self, out: list[bytes], text: bytes) -> None:
        """Add text; at the start of a line, what was open before it comes first."""
        if not text:
            return
        if self._at_start:
            out.append(self._attributes.opening() + self._link)
            self._at_start = False
        out.append(text)

    def _take(self, match: re.Match[bytes], emit: Callable[[bytes], object]) -> None:
        """Pass a sequence on or drop it, and remember what it opens or closes."""
        if match["final"] == b"m" and not match["between"] and match["csi"][:1] not in (b">", b"?"):
            self._attributes.apply(match["csi"])
            if not self._at_start:
                emit(match[0])
        elif match["osc"] is not None and match["osc"].startswith(b"8;"):
            is_end = match["osc"].split(b";", 2)[-1] == b""
            self._link = b"" if is_end else match[0]
            if not self._at_start:
                emit(match[0])
        elif match["final"] == b"K" and match["csi"] in (b"", b"0") and not self._at_start:
            emit(match[0])  # To the end of the line: nobody else's.

    def _is_open(self) -> bool:
        return bool(self._link or self._attributes.opening())

    def _closing(self) -> bytes:
        closing = _RESET if self._attributes.opening() else b""
        return closing + (_NO_LINK if self._link else b"")
