"""Moments as text, as ``--timestamp-format`` has them.

Numbers are written here; names, weeks and zones are babel's, which takes 20 ms to be imported and
so is asked for only when a format has one of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import datetime

from devrun.model import TimeFormat

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from babel import Locale

_MICROSECONDS_LAST = re.compile(r"(?<!%)(?:%%)*%f\Z")


class Timestamp:
    """Writes moments in one format, in the local zone.

    Args:
        environ: Where the locale of names is taken from.
    """

    def __init__(self, form: TimeFormat, environ: Mapping[str, str] = os.environ) -> None:
        self._form = form
        self._environ = environ
        self._cuts_microseconds = bool(_MICROSECONDS_LAST.search(form.strftime))
        self._locale: Locale | None = None

    def render(self, now: float) -> str:
        """Return a moment, in seconds since the epoch, as text."""
        moment = datetime.fromtimestamp(now).astimezone()
        if self._form.strftime:
            text = moment.strftime(self._form.strftime)
            return text[:-3] if self._cuts_microseconds else text
        return "".join(
            self._token(piece, moment) if is_token else piece
            for piece, is_token in self._form.pieces
        )

    def _token(self, token: str, moment: datetime) -> str:
        letter, length = token[0], len(token)
        number = _number(letter, moment)
        if letter == "S":
            return f"{moment.microsecond:06}"[:length]
        if letter == "y" and length == 2:
            return f"{moment.year % 100:02}"
        if letter in ("U", "r"):
            return str(moment.year)
        if letter == "l":
            return ""
        if number is not None and (letter not in "ML" or length < 3):
            return f"{number:0{length}}"
        return self._named(token, moment)

    def _named(self, token: str, moment: datetime) -> str:
        from babel.dates import DateTimeFormat
        from babel.localtime import get_localzone

        if self._locale is None:
            self._locale = _locale(self._environ)
        local = moment.astimezone(get_localzone())
        if token[0] in "OZ" or (token[0] == "v" and str(local.tzinfo) == "UTC"):
            return _offset(local, self._locale, is_long=len(token) == 4)
        if token[0] == "W":
            return str(_week_of_month(moment, self._locale))
        return str(DateTimeFormat(local, self._locale)[token])


def _number(letter: str, moment: datetime) -> int | None:
    """Return what a token of digits stands for, or None for all others."""
    match letter:
        case "y":
            return moment.year
        case "M" | "L":
            return moment.month
        case "d":
            return moment.day
        case "D":
            return moment.timetuple().tm_yday
        case "F":
            return (moment.day + 6) // 7
        case "H":
            return moment.hour
        case "h":
            return moment.hour % 12 or 12
        case "K":
            return moment.hour % 12
        case "k":
            return moment.hour or 24
        case "m":
            return moment.minute
        case "s":
            return moment.second
        case _:
            return None


def _offset(moment: datetime, locale: Locale, *, is_long: bool) -> str:
    """Return the distance from Greenwich: ``GMT+1``, or ``GMT+01:00``."""
    offset = moment.utcoffset()
    minutes = 0 if offset is None else round(offset.total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    if is_long:
        text = f"{sign}{hours:02}:{rest:02}"
    else:
        text = f"{sign}{hours}" + (f":{rest:02}" if rest else "")
    pattern = str(locale.zone_formats["gmt"])
    return pattern % text


def _week_of_month(moment: datetime, locale: Locale) -> int:
    """Return the week, counted from the one that the month begins in."""
    first = moment.replace(day=1)
    before = (first.weekday() - locale.first_week_day) % 7
    return (moment.day - 1 + before) // 7 + 1


def _locale(environ: Mapping[str, str]) -> Locale:
    """Return the locale that Node would take: the first of these variables that is set."""
    from babel import Locale, UnknownLocaleError

    said = next((environ[n] for n in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(n)), "")
    try:
        return Locale.parse(said.partition(".")[0].partition("@")[0] or "en_US", sep="_")
    except (ValueError, UnknownLocaleError):
        return Locale("en", "US")
