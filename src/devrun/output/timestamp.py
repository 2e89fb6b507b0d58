"""Moments as text, as ``--timestamp-format`` has them.

Numbers are written here; names, weeks and zones are babel's, which takes 20 ms to be imported and
so is asked for only when a format has one of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from devrun.appearance import TimeFormat

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from babel import Locale

_MICROSECONDS_LAST = re.compile(r"(?<!%)(?:%%)*%f\Z")


def iso_utc(now: float) -> str:
    """Return a moment, in seconds since the epoch, as ``2026-11-20T22:35:01.123Z``."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


class Timestamp:
    """Writes moments in one format, in the local zone if the format names no other.

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
        if self._form.iso_utc:
            return iso_utc(now)
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

        from devrun.output.timestamp_zone import zone_text

        if self._locale is None:
            self._locale = _locale(self._environ)
        if token[0] in "OZvz":
            return zone_text(token, moment, self._locale)
        if token[0] == "W":
            return str(_week_of_month(moment, self._locale))
        if token[0] in "Ee":  # Node has the names that stand alone: "Sa", not "Sa."
            token = "c" * max(3, len(token))
        elif token[0] == "B":  # Node goes by the hour: all of 12:00 to 12:59 is noon
            moment = moment.replace(minute=0, second=0 if moment.hour else 1, microsecond=0)
        # The clock as it is shown counts, whatever zone it is in.
        return str(DateTimeFormat(moment.replace(tzinfo=None), self._locale)[token])


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


def _week_of_month(moment: datetime, locale: Locale) -> int:
    """Return the week, counted from the one that the month begins in."""
    first = moment.replace(day=1)
    before = (first.weekday() - locale.first_week_day) % 7
    return (moment.day - 1 + before) // 7 + 1


def _locale(environ: Mapping[str, str]) -> Locale:
    """Return the locale that Node would take: the first of these variables that is set.

    What babel does not know is tried again without its territory, and then is American English.
    """
    from babel import Locale, UnknownLocaleError
    from babel.core import get_global

    said = next((environ[n] for n in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(n)), "")
    name = said.partition(".")[0].partition("@")[0].replace("-", "_")
    if name == "no" or name.startswith("no_"):  # babel knows Norwegian as nb and nn only
        name = "nb" + name[2:]
    for candidate in (name, name.partition("_")[0]):
        # The week is the territory's, so that "de" has to be "de_Latn_DE".
        likely = get_global("likely_subtags").get(candidate, candidate)
        try:
            return Locale.parse(likely, sep="_")
        except (ValueError, UnknownLocaleError):
            continue
    return Locale("en", "US")
