"""What a program has switched at its terminal: how another terminal gets to the same, and back.

Pure. Followed are the modes that outlive a program's lines: the alternate screen, the cursor, mouse
and focus reports, bracketed paste, and how keys are reported (xterm's ctlseqs.txt, and kitty's
keyboard protocol).
"""

from __future__ import annotations

import re

_SCREENS = (47, 1047, 1049)
_USUALLY_ON = (7, 25)
"""DECAWM and DECTCEM: lines wrap, and the cursor is seen."""

_FOLLOWED = frozenset(
    (1, *_USUALLY_ON, 9, 66, *range(1000, 1008), 1015, 1016, 1034, 1036, 2004, 2031, *_SCREENS)
)
"""Private modes of DECSET and DECRST."""

_MOST_PUSHED = 16
"""Entries that kitty's stack of keyboard modes has to have room for; others keep no more."""

_SEQUENCE = re.compile(
    rb"\x1b(?:"
    rb"\[\?(?P<modes>[0-9;]{1,64}+)(?P<switch>[hl])"
    rb"|(?P<keypad>[=>])"
    rb"|\[>(?P<push>[0-9]{0,4}+)u"
    rb"|\[<(?P<pop>[0-9]{0,4}+)u"
    rb"|\[>4(?:;(?P<keys>[0-9]?))?m"  # modifyOtherKeys
    rb"|\[(?P<shape>[0-9]?) q"
    rb"|(?P<reset>c|\[!p)"
    rb")"
)
_BEGUN = re.compile(rb"\x1b(?:\[(?:[?<>!]?[0-9;]{0,64}+ ?)?)?\Z")


class TerminalModes:
    """Follows the output of one program.

    Attributes:
        is_full_screen: The alternate screen is shown.
    """

    def __init__(self) -> None:
        self._begun = b""
        self._reset()

    def _reset(self) -> None:
        self._is_touched = False
        self._on = set(_USUALLY_ON)
        self._keypad = False
        self._pushed: list[bytes] = []
        self._other_keys = b""
        self._shape = b""

    @property
    def is_full_screen(self) -> bool:
        """Whether the alternate screen is shown."""
        return not self._on.isdisjoint(_SCREENS)

    def feed(self, data: bytes) -> None:
        """Take what the program wrote."""
        if not self._begun and b"\x1b" not in data:
            return
        self._is_touched = True
        data = self._begun + data
        for found in _SEQUENCE.finditer(data):
            self._take(found)
        begun = _BEGUN.search(data)
        self._begun = begun[0] if begun else b""

    def _take(self, found: re.Match[bytes]) -> None:
        match found.lastgroup:
            case "switch":
                modes = {int(each) for each in found["modes"].split(b";") if each}
                if found["switch"] == b"h":
                    self._on |= modes & _FOLLOWED
                else:
                    self._on -= modes
            case "keypad":
                self._keypad = found["keypad"] == b"="
            case "push":
                self._pushed = [*self._pushed, found["push"]][-_MOST_PUSHED:]
            case "pop":
                count = int(found["pop"] or b"1")
                self._pushed = self._pushed[: max(0, len(self._pushed) - count)]
            case "keys":
                self._other_keys = found["keys"].strip(b"0")
            case "shape":
                self._shape = found["shape"].strip(b"0")
            case "reset":
                self._reset()
                self._is_touched = True
            case _:  # CSI > 4 m
                self._other_keys = b""

    def setting(self) -> bytes:
        """Return what brings another terminal, in its usual modes, to these."""
        # The screen comes first: kitty has a stack of keyboard modes for each.
        ours = sorted(self._on.difference(_USUALLY_ON), key=lambda mode: mode not in _SCREENS)
        modes = [_switched(mode, on=True) for mode in ours]
        modes += [_switched(mode, on=False) for mode in _USUALLY_ON if mode not in self._on]
        keys = [b"\x1b[>%bu" % each for each in self._pushed]
        if self._other_keys:
            keys.append(b"\x1b[>4;%bm" % self._other_keys)
        if self._shape:
            keys.append(b"\x1b[%b q" % self._shape)
        return b"".join((*modes, *keys, b"\x1b=" if self._keypad else b""))

    def undoing(self) -> bytes:
        """Return what brings the terminal back to its usual modes, with the cursor in its place.

        Attributes, the scrolling region and character sets are put back whatever they were, if
        there was any sequence at all.
        """
        if not self._is_touched:
            return b""
        parts = [b"\x1b[<%du" % len(self._pushed)] if self._pushed else []
        if self._other_keys:
            parts.append(b"\x1b[>4m")
        if self._shape:
            parts.append(b"\x1b[0 q")
        if self._keypad:
            parts.append(b"\x1b>")
        ended = sorted(self._on.difference(_USUALLY_ON), key=lambda mode: mode in _SCREENS)
        parts += [_switched(mode, on=False) for mode in ended]
        parts += [_switched(mode, on=True) for mode in _USUALLY_ON if mode not in self._on]
        # DECSTBM moves the cursor, so that it is saved before and restored afterwards; not on the
        # alternate screen, which may have the same place for that.
        return b"".join((*parts, b"\x0f\x1b(B\x1b[m\x1b7\x1b[r\x1b8"))


def _switched(mode: int, *, on: bool) -> bytes:
    return b"\x1b[?%d%b" % (mode, b"h" if on else b"l")
