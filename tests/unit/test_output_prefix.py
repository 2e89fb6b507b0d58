"""Prefixes: styles, templates, widths, colours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.model import ColorLevel, PrefixSettings, PrefixStyle, Service, Style
from devrun.output.columns import display_width, pad
from devrun.output.prefix import Prefixes, event_text, global_line, printable, shortened

RED = Style("\x1b[31m", "\x1b[39m")
SERVICES = (
    Service(0, "web", "node server.js", "/"),
    Service(1, None, "echo hi there", "/"),
    Service(2, "日本", "true", "/"),
)


def render(index, level=ColorLevel.NONE, **settings):
    prefixes = Prefixes(PrefixSettings(**settings), SERVICES, level)
    return prefixes.render(index, pid=4711, now=0.0).decode()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ["[web] ", "[1] ", "[日本] "]),
        ({"style": PrefixStyle.INDEX}, ["[0] ", "[1] ", "[2] "]),
        ({"style": PrefixStyle.NAME}, ["[web] ", "[] ", "[日本] "]),
        ({"style": PrefixStyle.PID}, ["[4711] "] * 3),
        ({"style": PrefixStyle.NONE}, ["", "", ""]),
        ({"style": PrefixStyle.COMMAND}, ["[node..r.js] ", "[echo..here] ", "[true] "]),
        ({"style": PrefixStyle.TIME, "time_format": "%Y"}, ["[1970] "] * 3),
        ({"style": "{index}:{name}|"}, ["0:web| ", "1:| ", "2:日本| "]),
        ({"style": "{nope}{pid}"}, ["{nope}4711 "] * 3),
        ({"pad": True}, ["[web ] ", "[1   ] ", "[日本] "]),
        ({"style": "{name}>", "pad": True}, ["web>  ", ">     ", "日本> "]),
        ({"timestamps": True, "time_format": "%Y"}, ["1970 [web] ", "1970 [1] ", "1970 [日本] "]),
    ],
)
def test_styles(settings, expected):
    assert [render(index, **settings) for index in range(3)] == expected


def test_times_are_cut_to_milliseconds():
    text = render(0, style=PrefixStyle.TIME)
    assert len(text) == len("[2026-11-20 22:35:01.123] ")


def test_colours_enclose_the_prefix_or_what_the_template_says():
    basic = {"level": ColorLevel.BASIC, "styles": (RED, RED, RED)}
    assert render(0, **basic) == "\x1b[31m[web]\x1b[39m "
    assert render(0, style="{index} {color}{name}{/color}:", **basic) == "0 \x1b[31mweb\x1b[39m: "
    assert render(0, styles=(RED,)) == "[web] ", "none at level none"


@pytest.mark.parametrize("pad_", [True, False])
@pytest.mark.parametrize("style", [None, "{name}>", PrefixStyle.NONE, PrefixStyle.COMMAND])
def test_the_width_is_that_of_what_is_rendered(style, pad_):
    prefixes = Prefixes(PrefixSettings(style=style, pad=pad_), SERVICES, ColorLevel.NONE)
    for index in range(3):
        shown = prefixes.render(index, pid=1, now=0.0).decode()
        assert prefixes.width(index) == display_width(shown)


@pytest.mark.parametrize(
    ("settings", "static"),
    [
        ({}, True),
        ({"style": PrefixStyle.PID}, False),
        ({"style": PrefixStyle.TIME}, False),
        ({"style": "{time}"}, False),
        ({"style": "{pid}"}, False),
        ({"style": "{name}"}, True),
        ({"timestamps": True}, False),
    ],
)
def test_what_changes_is_known(settings, static):
    assert Prefixes(PrefixSettings(**settings), SERVICES, ColorLevel.NONE).is_static is static


@pytest.mark.parametrize(
    ("length", "expected"),
    [(1, ".."), (2, ".."), (5, "ab..j"), (6, "ab..ij"), (10, "abcdefghij")],
)
def test_shortening(length, expected):
    assert shortened("abcdefghij", length) == expected


@given(st.text(), st.integers(2, 50))
def test_shortened_text_fits(text, length):
    assert len(shortened(text, length)) <= max(length, 2)


def test_control_characters_are_shown():
    assert printable("a\nb\x1b[31m") == "a\\nb\\x1b[31m"


@pytest.mark.parametrize(
    ("text", "columns"), [("", 0), ("abc", 3), ("日本", 4), ("é", 1), ("e\u0301", 1), ("👩‍💻", 2)]
)
def test_display_width(text, columns):
    assert display_width(text) == columns
    assert display_width(pad(text, 6)) == 6


def test_devruns_own_words_are_reset_around():
    assert event_text("x", ColorLevel.NONE) == b"x"
    assert event_text("x", ColorLevel.BASIC) == b"\x1b[0mx\x1b[0m"
    assert global_line("x", ColorLevel.NONE) == b"--> x"
