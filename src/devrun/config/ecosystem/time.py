"""``log_date_format``: the tokens of dayjs as ``strftime`` has them.

The tokens are those of dayjs without plugins, as PM2 uses it: a letter that is none is itself.
"""

from __future__ import annotations

import re

_TOKENS = {
    "YYYY": "%Y",
    "YY": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "M": "%-m",
    "DD": "%d",
    "D": "%-d",
    "dddd": "%A",
    "ddd": "%a",
    "dd": "%a",
    "d": "%w",
    "HH": "%H",
    "H": "%-H",
    "hh": "%I",
    "h": "%-I",
    "mm": "%M",
    "m": "%-M",
    "ss": "%S",
    "s": "%-S",
    "SSS": "%f",
    "ZZ": "%z",
    "Z": "%z",
    "A": "%p",
    "a": "%p",
}
_PIECE = re.compile(
    r"\[([^\]]+)\]|(Y{1,4}|M{1,4}|DD?|d{1,4}|HH?|hh?|a|A|mm?|ss?|SSS|ZZ?)|(.)", re.DOTALL
)
"""dayjs' own expression (``src/constant.js``), with every other character one by one."""

_APPROXIMATE = {
    "dd": "the short name of the day",
    "Z": "an offset without colon (+0200)",
    "a": "AM and PM in capitals",
}


def strftime_of(text: str) -> tuple[str, str]:
    """Return a format of dayjs as ``strftime`` has it, and what is different, or nothing."""
    pieces: list[str] = []
    different: dict[str, str] = {}
    for literal, token, other in _PIECE.findall(text):
        pieces.append(_TOKENS.get(token, token) if token else (literal or other).replace("%", "%%"))
        if token in _APPROXIMATE:
            different[token] = f"{token} gives {_APPROXIMATE[token]}"
    if "%f" in pieces[:-1]:
        # At the end it is cut to milliseconds where times are written.
        different["SSS"] = "SSS gives microseconds"
    return "".join(pieces), ", ".join(different.values())
