"""Names and offsets of the local zone, for the tokens ``z``, ``Z``, ``O`` and ``v``."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import get_global
from babel.dates import get_timezone_location, get_timezone_name
from babel.localtime import get_localzone

_NO_NAME = re.compile(r"[+-]\d\d:?\d\d")
"""What babel gives where a zone has no name. Below zero it is off by one for half hours."""

_HALF_A_YEAR = timedelta(days=184)
_CHIEF_ZONES = frozenset(
    {
        "America/Guayaquil",
        "America/Santiago",
        "Asia/Kuala_Lumpur",
        "Asia/Shanghai",
        "Asia/Tashkent",
        "Europe/Berlin",
        "Europe/Kyiv",
        "Europe/Lisbon",
        "Europe/Madrid",
        "Pacific/Auckland",
    }
)
"""Zones that go by their country's name although it has others (CLDR's ``primaryZones``)."""


def zone_text(token: str, moment: datetime, locale: Locale) -> str:
    """Return what a zone token stands for; the offset where the zone has no name."""
    is_long = len(token) == 4
    local = _in_named_zone(moment)
    if token[0] in "OZ" or local is None:
        return _offset(moment, locale, is_long=is_long)
    if token[0] == "z":
        return _name(local, locale, is_long=is_long)
    return _generic_name(local, locale, is_long=is_long)


def _in_named_zone(moment: datetime) -> datetime | None:
    """Return the moment in the local zone by its name, or None.

    There is none where ``TZ`` is a rule (``CET-1CEST``), a file, or unknown, and where there are
    no zone files.
    """
    try:
        zone = get_localzone()
    except (LookupError, ValueError, OSError):
        return None
    if not isinstance(zone, ZoneInfo) or not zone.key:
        return None
    local = moment.astimezone(zone)
    return local if local.utcoffset() == moment.utcoffset() else None


def _name(local: datetime, locale: Locale, *, is_long: bool) -> str:
    name = get_timezone_name(local, "long" if is_long else "short", locale=locale)
    return _offset(local, locale, is_long=is_long) if _NO_NAME.search(name) else name


def _generic_name(local: datetime, locale: Locale, *, is_long: bool) -> str:
    """Return the name that is the same in summer and winter: else that of the place."""
    zone = _canonical_zone(local)
    if zone.startswith("Etc/"):
        return _offset(local, locale, is_long=is_long)
    if _keeps_its_offset(local):
        name = get_timezone_name(local, "long" if is_long else "short", locale=locale)
        if not _NO_NAME.search(name):
            return name
    place = get_timezone_location(local.tzinfo, locale=locale)
    name = get_timezone_name(local.tzinfo, "long" if is_long else "short", locale=locale)
    if name != place:
        return name
    territory = get_global("zone_territories").get(zone, "ZZ")
    if zone in _CHIEF_ZONES:
        place_name = locale.territories.get(territory, "")
    elif len(get_global("territory_zones").get(territory, ())) == 1:
        return place
    else:
        place_name = get_timezone_location(local.tzinfo, locale=locale, return_city=True)
    text: str = locale.zone_formats["region"] % place_name
    return text


def _canonical_zone(local: datetime) -> str:
    key = str(local.tzinfo)
    return str(get_global("zone_aliases").get(key, key))


def _keeps_its_offset(local: datetime) -> bool:
    """Return whether it has neither summer nor winter time half a year before and after."""
    others = (local - _HALF_A_YEAR, local + _HALF_A_YEAR)
    return not any(other.dst() or other.utcoffset() != local.utcoffset() for other in others)


def _offset(moment: datetime, locale: Locale, *, is_long: bool) -> str:
    """Return the distance from Greenwich: ``GMT+1``, or ``GMT+01:00``."""
    offset = moment.utcoffset()
    minutes = 0 if offset is None else round(offset.total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    minus = "\N{MINUS SIGN}" if locale.language == "fr" else "-"
    sign = minus if minutes < 0 else "+"
    if is_long:
        text = f"{sign}{hours:02}:{rest:02}"
    else:
        text = f"{sign}{hours}" + (f":{rest:02}" if rest else "")
    written: str = locale.zone_formats["gmt"] % text
    return written
