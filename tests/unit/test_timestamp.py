"""Moments as text: the figures are those of concurrently on Node 20, with ICU 78.

Only zones that are rules, locales that nobody knows, and weeks of the month on the day after a
change of clocks are devrun's own.
"""

from __future__ import annotations

import time

import pytest

from devrun.config.time_format import parse_time_format
from devrun.output.timestamp import Timestamp

NOVEMBER = 1795269909.087  # 2026-11-21 14:05:09 UTC
JULY = 1783144800.005  # 2026-07-04 06:00:00 UTC


@pytest.fixture
def written(monkeypatch):
    def write(text, moment, zone="UTC", language="en_US.UTF-8"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        form = parse_time_format(text, "--timestamp-format")
        return Timestamp(form, {"LANG": language}).render(moment)

    yield write
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("CET-1CEST", "Sat 15:05 GMT+1 GMT+01:00 GMT+1 GMT+01:00"),
        ("<-0330>3:30", "Sat 10:35 GMT-3:30 GMT-03:30 GMT-3:30 GMT-03:30"),
        ("nonsense", "Sat 14:05 GMT+0 GMT+00:00 GMT+0 GMT+00:00"),
        ("../etc/passwd", "Sat 14:05 GMT+0 GMT+00:00 GMT+0 GMT+00:00"),
        ("/", "Sat 14:05 GMT+0 GMT+00:00 GMT+0 GMT+00:00"),
    ],
)
def test_a_zone_without_a_name_is_written_as_its_offset(written, zone, expected):
    assert written("EEE HH:mm z zzzz v vvvv", NOVEMBER, zone) == expected


@pytest.mark.parametrize(
    ("zone", "language", "moment", "expected"),
    [
        ("UTC", "en_US", NOVEMBER, "UTC|Coordinated Universal Time|GMT+0"),
        ("Etc/GMT+5", "en_US", NOVEMBER, "GMT-5|GMT-05:00|GMT-5"),
        ("Europe/Berlin", "en_US", NOVEMBER, "GMT+1|Central European Standard Time|GMT+1"),
        ("Europe/Berlin", "en_US", JULY, "GMT+2|Central European Summer Time|GMT+2"),
        ("Europe/Berlin", "de_DE", JULY, "MESZ|Mitteleuropäische Sommerzeit|GMT+2"),
        ("America/New_York", "en_US", JULY, "EDT|Eastern Daylight Time|GMT-4"),
        ("America/St_Johns", "en_US", NOVEMBER, "GMT-3:30|Newfoundland Standard Time|GMT-3:30"),
        ("America/St_Johns", "de_DE", JULY, "GMT-2:30|Neufundland-Sommerzeit|GMT-2:30"),
    ],
)
def test_zones_have_names_or_else_their_true_offset(written, zone, language, moment, expected):
    assert written("z|zzzz|O", moment, zone, language) == expected


@pytest.mark.parametrize(
    ("zone", "language", "expected"),
    [
        ("Europe/Berlin", "en_US", "Germany Time|Central European Time"),
        ("Europe/Berlin", "fr_FR", "heure : Allemagne|heure d’Europe centrale"),
        ("America/St_Johns", "en_US", "St. John’s Time|Newfoundland Time"),
        ("America/St_Johns", "de_DE", "St. John’s (Ortszeit)|Neufundland-Zeit"),
        ("America/New_York", "en_US", "ET|Eastern Time"),
        ("America/Phoenix", "en_US", "MST|Mountain Standard Time"),
        ("Asia/Tokyo", "en_US", "Japan Time|Japan Standard Time"),
        ("Etc/UTC", "en_US", "GMT+0|GMT+00:00"),
    ],
)
def test_generic_zones_go_by_their_name_or_their_place(written, zone, language, expected):
    assert written("v|vvvv", NOVEMBER, zone, language) == expected


def test_french_has_a_minus_sign_of_its_own(written):
    assert written("O|OOOO", NOVEMBER, "America/St_Johns", "fr_FR") == "UTC−3:30|UTC−03:30"


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en_US", "in the morning|noon|in the afternoon"),
        ("de_DE", "nachts|mittags|nachmittags"),
        ("fr_FR", "du matin|midi|de l’après-midi"),
    ],
)
def test_parts_of_the_day_go_by_the_hour(written, language, expected):
    midnight = 1767225600.0
    moments = [midnight, midnight + 12.5 * 3600, midnight + 13 * 3600]
    assert "|".join(written("BBBB", at, "UTC", language) for at in moments) == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("de_DE.UTF-8", "Sa Samstag"),
        ("de-DE", "Sa Samstag"),
        ("de_123", "Sa Samstag"),
        ("de_DE@euro", "Sa Samstag"),
        ("no_NO.UTF-8", "lør. lørdag"),
        ("sr_RS@latin", "суб субота"),
        ("xx_YY", "Sat Saturday"),
        ("../x", "Sat Saturday"),
        ("_", "Sat Saturday"),
    ],
)
def test_days_are_named_as_they_stand_alone_in_the_nearest_known_locale(
    written, language, expected
):
    assert written("E EEEE", NOVEMBER, "UTC", language) == expected


@pytest.mark.parametrize(("language", "expected"), [("de", "2020 53 1"), ("en", "2021 02 2")])
def test_a_language_alone_has_the_week_of_its_chief_territory(written, language, expected):
    assert written("Y ww W", 1609698600.0, "UTC", language) == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (1792886400.0 + 1800, "02:30 GMT+2"),  # 2026-10-25, an hour that comes twice
        (1792886400.0 + 5400, "02:30 GMT+1"),
        (1774745999.999, "01:59 GMT+1"),
        (1774746000.0, "03:00 GMT+2"),
    ],
)
def test_the_hour_around_a_change_of_clocks_is_told_apart(written, moment, expected):
    assert written("HH:mm z", moment, "Europe/Berlin") == expected


def test_the_week_of_the_month_is_right_on_the_day_after_a_change_of_clocks(written):
    assert written("W", 1774823400.0, "Europe/Berlin", "de_DE") == "6"
