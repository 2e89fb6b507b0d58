"""``--timestamp-format``: Unicode's date tokens and strftime's."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.appearance import TimeFormat
from devrun.config.time_format import _LENGTHS, parse_time_format
from devrun.errors import UsageError
from devrun.output.timestamp import Timestamp

TOKENS = [letter * length for letter, lengths in _LENGTHS.items() for length in lengths]


def parse(text):
    return parse_time_format(text, "--timestamp-format")


@pytest.fixture
def written(monkeypatch):
    def write(text, moment, zone="UTC", language="en_US.UTF-8"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        return Timestamp(parse(text), {"LANG": language}).render(moment / 1000)

    yield write
    monkeypatch.undo()
    time.tzset()


# -- what is understood -------------------------------------------------------------------------


@pytest.mark.parametrize("token", TOKENS)
def test_every_token_is_taken_and_written(token, written):
    assert parse(token) == TimeFormat(pieces=((token, True),))
    assert written(token, 1795269909087) or token == "l"


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("HH:mm", [("HH", True), (":", False), ("mm", True)]),
        ("yyyy'T'HH", [("yyyy", True), ("T", False), ("HH", True)]),
        ("HH''mm", [("HH", True), ("'", False), ("mm", True)]),
        ("HH'o''clock'", [("HH", True), ("o'clock", False)]),
        ("hmm", [("h", True), ("mm", True)]),
        ("HH é", [("HH", True), (" é", False)]),
    ],
)
def test_what_is_no_token_stays_as_it_is(text, pieces):
    assert parse(text).pieces == tuple(pieces)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("tt", "\"t\" is no date token; write 't' if the letter is meant"),
        ("HH:MM:SSSS", 'there is no "SSSS"; there is S, SS, SSS'),
        ("yyyyyy", 'there is no "yyyyyy"'),
        ("HH:n", '"n" is no date token'),
        ("V", "write 'V' if the letter is meant or \"v\""),
        ("X", '"X" is no date token'),
        ("HH'x", "the quote at 3 has no end; write '' for a quote"),
        ("::", "no part of a time in it; write for example HH:mm:ss or %H:%M:%S"),
        ("'HH'", "no part of a time in it"),
        ("HH\n", "a line end in it"),
        ("%H\n", "a line end in it"),
        ("%H%n", "a line end in it"),
        ("%H\ud800", "surrogates not allowed"),
    ],
)
def test_what_is_neither_is_refused(text, reason):
    with pytest.raises(UsageError, match=re.escape(reason)) as refused:
        parse(text)
    assert str(refused.value).startswith(f'--timestamp-format "{text}": ')


@given(st.text() | st.lists(st.sampled_from([*TOKENS, "'", "''", ":", "t", "x", " "])).map("".join))
def test_any_text_is_taken_or_refused(text):
    try:
        found = parse(text)
    except UsageError:
        return
    assert found.strftime or any(is_token for _, is_token in found.pieces)
    assert "".join(piece for piece, _ in found.pieces).replace("'", "") == text.replace(
        "'", ""
    ) or (found.strftime == text)


@given(st.lists(st.sampled_from(TOKENS), min_size=1), st.text(min_size=1))
def test_quoted_text_is_itself(tokens, text):
    if "%" in text or set(text) & set("\r\n"):
        return
    quoted = "'" + text.replace("'", "''") + "'"
    pieces = parse(quoted.join([*tokens, "H"])).pieces
    assert [piece for piece, is_token in pieces if not is_token] == [text] * len(tokens)


# -- what is written: the figures are those of Node 20 (ICU 78) -----------------------------------

NOVEMBER, DECEMBER, JANUARY = 1795269909087, 1735560000999, 1609698600000


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (NOVEMBER, "2026-11-21 15:05:09.087 26 3 15 0 08 02026 325 325"),
        (DECEMBER, "2024-12-30 13:00:00.999 24 1 13 9 99 02024 365 365"),
        (JANUARY, "2021-01-03 19:30:00.000 21 7 19 0 00 02021 3 003"),
    ],
)
def test_numbers(written, moment, expected):
    text = "yyyy-MM-dd HH:mm:ss.SSS yy K k S SS yyyyy D DDD"
    assert written(text, moment, "Europe/Berlin") == expected


@pytest.mark.parametrize(
    ("language", "moment", "expected"),
    [
        ("en_US.UTF-8", NOVEMBER, "2026|47|3|F3|4|04"),
        ("en_US.UTF-8", DECEMBER, "2025|01|5|F5|4|04"),
        ("en_US.UTF-8", JANUARY, "2021|02|2|F1|1|01"),
        ("de_DE.UTF-8", NOVEMBER, "2026|47|4|F3|4|04"),
        ("de_DE.UTF-8", DECEMBER, "2025|01|6|F5|4|04"),
        ("de_DE.UTF-8", JANUARY, "2020|53|1|F1|1|01"),
    ],
)
def test_weeks_are_those_of_the_locale(written, language, moment, expected):
    assert written("YYYY|ww|W|'F'F|Q|QQ", moment, "Europe/Berlin", language) == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en_US.UTF-8", "Saturday 21 November 2026 AD, 3:05 PM, in the afternoon"),
        ("de_DE.UTF-8", "Samstag 21 November 2026 n. Chr., 3:05 PM, nachmittags"),
        ("fr_FR.UTF-8", "samedi 21 novembre 2026 ap. J.-C., 3:05 PM, de l’après-midi"),
        ("C.UTF-8", "Saturday 21 November 2026 AD, 3:05 PM, in the afternoon"),
        ("nonsense", "Saturday 21 November 2026 AD, 3:05 PM, in the afternoon"),
        ("", "Saturday 21 November 2026 AD, 3:05 PM, in the afternoon"),
    ],
)
def test_names_are_those_of_the_locale(written, language, expected):
    text = "EEEE d MMMM y G, h:mm a, BBBB"
    assert written(text, NOVEMBER, "Europe/Berlin", language) == expected


@pytest.mark.parametrize(
    ("zone", "language", "expected"),
    [
        ("UTC", "en_US", "GMT+0|GMT+00:00|GMT+00:00|GMT+0"),
        ("Europe/Berlin", "en_US", "GMT+1|GMT+01:00|Central European Time|Germany Time"),
        ("America/St_Johns", "fr_FR", "UTC−3:30|UTC−03:30|heure de Terre-Neuve|"),
    ],
)
def test_zones(written, zone, language, expected):
    assert written("O|ZZZZ|vvvv|v", NOVEMBER, zone, language)[: len(expected)] == expected


def test_the_first_variable_that_is_set_has_the_locale():
    environ = {"LC_ALL": "", "LC_MESSAGES": "fr_FR", "LANG": "de_DE"}
    assert Timestamp(parse("MMMM"), environ).render(JANUARY / 1000) == "janvier"


def test_years_are_never_shortened_by_a_longer_token(written):
    assert written("y yyy", 253370764800000) == "9999 9999"
