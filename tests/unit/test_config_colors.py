"""The grammar of ``--prefix-colors``."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.config.colors import AUTOMATIC, automatic_styles, parse_prefix_colors
from devrun.errors import UsageError
from devrun.model import ColorLevel, Style

TRUE, EXTENDED, BASIC = ColorLevel.TRUE, ColorLevel.EXTENDED, ColorLevel.BASIC


@pytest.mark.parametrize(
    ("item", "level", "opening", "closing"),
    [
        ("red", BASIC, "31", "39"),
        ("blueBright", BASIC, "94", "39"),
        ("bgBlue", BASIC, "44", "49"),
        ("bgRedBright", BASIC, "101", "49"),
        ("gray", BASIC, "90", "39"),
        ("grey", BASIC, "90", "39"),
        ("bold", BASIC, "1", "22"),
        ("#f80", TRUE, "38;2;255;136;0", "39"),
        ("#ff8800", TRUE, "38;2;255;136;0", "39"),
        ("bg#000", TRUE, "48;2;0;0;0", "49"),
        ("hex(#f80)", TRUE, "38;2;255;136;0", "39"),
        ("rgb(1, 2, 3)", TRUE, "38;2;1;2;3", "39"),
        ("bgRgb(1,2,3)", TRUE, "48;2;1;2;3", "49"),
        ("ansi256(99)", TRUE, "38;5;99", "39"),
        ("bgAnsi256(99)", EXTENDED, "48;5;99", "49"),
        ("#ff0000", EXTENDED, "38;5;196", "39"),
        ("#808080", EXTENDED, "38;5;244", "39"),
        ("#ff0000", BASIC, "31", "39"),
        ("#000", BASIC, "30", "39"),
        ("bg#fff", BASIC, "107", "49"),
    ],
)
def test_items(item, level, opening, closing):
    expected = Style(f"\x1b[{opening}m", f"\x1b[{closing}m")
    assert parse_prefix_colors(item, 1, level) == (expected,)


def test_chains_open_in_order_and_close_in_reverse():
    (style,) = parse_prefix_colors("bold.red.bgBlue", 1, BASIC)
    assert style.open == "\x1b[1m\x1b[31m\x1b[44m"
    assert style.close == "\x1b[49m\x1b[39m\x1b[22m"


def test_the_last_item_is_for_all_others_but_auto_goes_on():
    red, blue = parse_prefix_colors("red,blue", 2, BASIC)
    assert parse_prefix_colors("red,blue", 4, BASIC) == (red, blue, blue, blue)
    styles = parse_prefix_colors("red,auto", 4, BASIC)
    assert len(set(styles)) == 4


def test_auto_skips_colours_that_are_named():
    cyan = automatic_styles(1, BASIC)[0]
    assert AUTOMATIC[0] == "cyan"
    styles = parse_prefix_colors("cyanBright,auto", 8, BASIC)
    assert cyan not in styles


@given(st.lists(st.sampled_from([*AUTOMATIC, "auto", "red"]), min_size=1), st.integers(0, 20))
def test_automatic_colours_differ_from_their_neighbours(items, count):
    styles = parse_prefix_colors(",".join(items), count, BASIC)
    names = [items[min(n, len(items) - 1)] for n in range(count)]
    assert len(styles) == count
    for place in range(1, count):
        if names[place] == "auto":
            assert styles[place] != styles[place - 1]


def test_without_colours_the_text_is_checked_all_the_same():
    assert parse_prefix_colors("red", 1, ColorLevel.NONE) == (Style(),)
    with pytest.raises(UsageError):
        parse_prefix_colors("rde", 1, ColorLevel.NONE)


WRONG = "rde|red,|red.|#12|#xyz|rgb(1,2)|rgb(1,2,256)|rgb(a,b,c)|hex()|ansi256(256)|rgb|level"
HUGE = f"rgb(1,2,{'9' * 5000})"


@pytest.mark.parametrize(
    "text", [*WRONG.split("|"), "toString", "nosuch(1)", "rgb(1,2,3", "", HUGE]
)
def test_what_is_no_colour_is_an_error(text):
    with pytest.raises(UsageError, match="--prefix-colors"):
        parse_prefix_colors(text, 1, TRUE)


@given(st.text(alphabet="redbgBlue#.,()0123456789 auto", max_size=30), st.sampled_from(ColorLevel))
def test_any_text_is_styles_or_an_error(text, level):
    try:
        assert len(parse_prefix_colors(text, 3, level)) == 3
    except UsageError:
        return
