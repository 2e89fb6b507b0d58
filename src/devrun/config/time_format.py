"""``--timestamp-format``: Unicode's date tokens, as concurrently has them, strftime's, or iso."""

from __future__ import annotations

import re

from devrun.appearance import TimeFormat
from devrun.errors import UsageError

_LENGTHS: dict[str, tuple[int, ...]] = {
    "G": (1, 2, 3, 4, 5),
    "y": (1, 2, 3, 4, 5),
    "Y": (1, 2, 3, 4, 5),
    "U": (1,),
    "r": (1,),
    "Q": (1, 2, 5),
    "q": (1, 2, 5),
    "M": (1, 2, 3, 4, 5),
    "L": (1, 2, 3, 4, 5),
    "w": (1, 2),
    "W": (1,),
    "l": (1,),
    "d": (1, 2),
    "D": (1, 2, 3),
    "F": (1,),
    "E": (1, 2, 3, 4),
    "e": (3, 4),
    "a": (1, 2, 3),
    "B": (1, 2, 3, 4),
    "h": (1, 2),
    "H": (1, 2),
    "K": (1, 2),
    "k": (1, 2),
    "m": (1, 2),
    "s": (1, 2),
    "S": (1, 2, 3),
    "z": (1, 2, 3, 4),
    "Z": (4,),
    "O": (1, 4),
    "v": (1, 4),
}
"""How often each letter may stand in a row: concurrently's part of Unicode TR35's date fields."""

ISO = "iso"
"""The one format with a name: ISO 8601 in UTC, as logs have it."""

_PIECE = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+", re.ASCII)
_DIRECTIVE = re.compile(r"%[-A-Za-z%]")
_LINE_END = re.compile(r"[\n\r]")


def parse_time_format(text: str, option: str) -> TimeFormat:
    """Return the format that a text is: strftime's if it has a directive such as ``%H``.

    Raises:
        UsageError: It is neither.
    """
    place = f'{option} "{text}"'
    if text == ISO:
        return TimeFormat(iso_utc=True)
    if _LINE_END.search(text):
        raise UsageError(f"{place}: a line end in it")
    return (
        _strftime(text, place)
        if _DIRECTIVE.search(text)
        else TimeFormat(pieces=_pieces(text, place))
    )


def _strftime(text: str, place: str) -> TimeFormat:
    from datetime import UTC, datetime

    try:
        example = datetime(2000, 1, 1, tzinfo=UTC).strftime(text)
    except ValueError as error:
        raise UsageError(f"{place}: {str(error).lower()}") from None
    if _LINE_END.search(example):
        raise UsageError(f"{place}: a line end in it")
    return TimeFormat(strftime=text)


def _pieces(text: str, place: str) -> tuple[tuple[str, bool], ...]:
    pieces: list[tuple[str, bool]] = []
    at = 0
    while at < len(text):
        found = _PIECE.match(text, at)
        if found is None:
            raise UsageError(f"{place}: the quote at {at + 1} has no end; write '' for a quote")
        at = found.end()
        if found[2]:
            _check_token(found[0], place)
            pieces.append((found[0], True))
        elif found[1] is None:
            pieces.append((found[0], False))
        else:
            pieces.append((found[1].replace("''", "'") or "'", False))
    if not any(is_token for _, is_token in pieces):
        message = f"{place}: no part of a time in it"
        raise UsageError(f"{message}; write for example HH:mm:ss or %H:%M:%S")
    return tuple(pieces)


def _check_token(token: str, place: str) -> None:
    letter = token[0]
    lengths = _LENGTHS.get(letter)
    if lengths is None:
        other = letter.swapcase()
        hint = f' or "{other}"' if other in _LENGTHS else ""
        message = f'{place}: "{letter}" is no date token'
        raise UsageError(f"{message}; write '{letter}' if the letter is meant{hint}")
    if len(token) not in lengths:
        there = ", ".join(letter * length for length in lengths)
        raise UsageError(f'{place}: there is no "{token}"; there is {there}')
