"""Prefixes: styles, templates, widths, colours."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.appearance import ColorLevel, PrefixSettings, PrefixStyle, Style, TimeFormat
from devrun.model import Service
from devrun.output.columns import display_width, pad
from devrun.output.prefix import Prefixes, event_text, global_line, printable, shortened

RED = Style("\x1b[31m", "\x1b[39m")
SERVICES = (
    Service(0, "web", "node server.js", "/"),
    Service(1, None, "echo hi there", "/"),
    Service(2, "日本", "true", "/"),
)


def render(index, level=ColorLevel.NONE, now=0.0, **settings):
    prefixes = Prefixes(PrefixSettings(**settings), SERVICES, level)
    return prefixes.render(index, pid=4711, now=now).decode()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ["[web] ", "[1] ", "[日本] "]),
        ({"style": PrefixStyle.INDEX}, ["[0] ", "[1] ", "[2] "]),
        ({"style": PrefixStyle.NAME}, ["[web] ", "[] ", "[日本] "]),
        ({"style": PrefixStyle.PID}, ["[4711] "] * 3),
        ({"style": PrefixStyle.NONE}, ["", "", ""]),
        ({"style": PrefixStyle.COMMAND}, ["[node..r.js] ", "[echo..here] ", "[true] "]),
        ({"style": PrefixStyle.TIME, "time_format": TimeFormat("%Y")}, ["[1970] "] * 3),
        ({"style": "{index}:{name}|"}, ["0:web| ", "1:| ", "2:日本| "]),
        ({"style": "{nope}{pid}"}, ["{nope}4711 "] * 3),
        ({"pad": True}, ["[web ] ", "[1   ] ", "[日本] "]),
        ({"style": "{name}>", "pad": True}, ["web>  ", ">     ", "日本> "]),
        (
            {"timestamps": True, "time_format": TimeFormat("%Y")},
            ["1970 [web] ", "1970 [1] ", "1970 [日本] "],
        ),
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


BASIC = {"level": ColorLevel.BASIC, "styles": (RED, RED, RED)}


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        (None, ["R[web ]P ", "R[1   ]P ", "R[日本]P "]),
        ("{name}>", ["Rweb> P ", "R>    P ", "R日本>P "]),
        ("{color}{name}{/color}>", ["RwebP>  ", ">     ", "R日本P> "]),
        ("<{color}{name}", ["<Rweb P ", "<R    P ", "<R日本P "]),
        ("{name}{/color}>", ["RwebP>  ", ">     ", "R日本P> "]),
        ("{color}{index}{/color}-{color}{index}", ["R0P-R0P ", "R1P-R1P ", "R2P-R2P "]),
    ],
)
def test_padding_is_inside_the_brackets_or_behind_the_template(style, expected):
    shown = [render(index, style=style, pad=True, **BASIC) for index in range(3)]
    assert [text.replace(RED.open, "R").replace(RED.close, "P") for text in shown] == expected


def test_what_stands_in_a_name_is_no_placeholder():
    services = (Service(0, "{pid}{color}", "{name} {time}", "/"),)
    settings = PrefixSettings(style="{name} {command}", styles=(RED,), length=20)
    shown = Prefixes(settings, services, ColorLevel.BASIC).render(0, pid=1, now=0.0)
    assert shown == b"\x1b[31m{pid}{color} {name} {time}\x1b[39m "


@pytest.mark.parametrize("style", [None, PrefixStyle.COMMAND, "{command}: {name}{pid}"])
@given(
    name=st.none() | st.text(min_size=1), command=st.text(), pid=st.none() | st.integers(1, 2**22)
)
def test_any_name_makes_one_line_that_fits(style, name, command, pid):
    prefixes = Prefixes(
        PrefixSettings(style=style), (Service(0, name, command, "/"),), BASIC["level"]
    )
    shown = prefixes.render(0, pid=pid, now=0.0).decode()
    assert len(shown.splitlines()) == 1
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", shown)
    assert shown.endswith(" ")
    assert display_width(shown) <= prefixes.width(0)


def test_a_prefix_without_anything_in_it_is_none():
    assert render(1, style="{name}", **BASIC) == ""
    assert (
        render(1, style=PrefixStyle.NONE, timestamps=True, time_format=TimeFormat("%Y")) == "1970 "
    )


def test_a_pid_is_empty_before_there_is_one_and_has_its_room():
    prefixes = Prefixes(PrefixSettings(style=PrefixStyle.PID, pad=True), SERVICES, ColorLevel.NONE)
    assert prefixes.render(0, pid=None, now=0.0) == b"[       ] "
    assert prefixes.render(0, pid=4194304, now=0.0) == b"[4194304] "
    assert prefixes.width(0) == 10
    twice = Prefixes(PrefixSettings(style="{pid}{pid}"), SERVICES, ColorLevel.NONE)
    assert twice.width(0) == 15


@pytest.mark.parametrize(
    ("time_format", "expected"),
    [
        (PrefixSettings().time_format, r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.567"),
        (TimeFormat("%S.%f"), r"\d\d\.567"),
        (TimeFormat("%f%%"), r"567891%"),
        (TimeFormat("%S %%f"), r"\d\d %f"),
        (TimeFormat("%%%f"), r"%567"),
    ],
)
def test_microseconds_at_the_end_are_milliseconds(time_format, expected):
    shown = render(0, style=PrefixStyle.TIME, time_format=time_format, now=1234.567891)
    assert re.fullmatch(rf"\[{expected}\] ", shown)


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
    assert printable("caf\udce9 \x9b") == "caf\\xe9 \\x9b"
    assert event_text("a\nb", ColorLevel.NONE) == b"a\\nb"


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
