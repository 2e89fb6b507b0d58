"""The grammar of ``--prefix-colors``."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.appearance import ColorLevel, Style
from devrun.config.colors import AUTOMATIC, _rgb_of, automatic_styles, parse_prefix_colors
from devrun.errors import UsageError

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
        ("#f80", EXTENDED, "38;5;208", "39"),
        ("#fff", EXTENDED, "38;5;231", "39"),
        ("#080808", EXTENDED, "38;5;232", "39"),
        ("#5f87af", EXTENDED, "38;5;67", "39"),
        ("bgHex(#f00)", EXTENDED, "48;5;196", "49"),
        ("#00f", BASIC, "34", "39"),
        ("#777", BASIC, "90", "39"),
        ("#aaaaaa", BASIC, "37", "39"),
        ("bg#ff5555", BASIC, "101", "49"),
        ("ansi256(9)", BASIC, "91", "39"),
        ("ansi256(3)", BASIC, "33", "39"),
        ("bgAnsi256(0)", BASIC, "40", "49"),
        ("ansi256(46)", BASIC, "32", "39"),
        ("ansi256(255)", TRUE, "38;5;255", "39"),
        ("blackBright", BASIC, "90", "39"),
        ("bgGrey", BASIC, "100", "49"),
        ("dim", BASIC, "2", "22"),
        ("italic", BASIC, "3", "23"),
        ("underline", BASIC, "4", "24"),
        ("overline", BASIC, "53", "55"),
        ("inverse", BASIC, "7", "27"),
        ("hidden", BASIC, "8", "28"),
        ("strikethrough", BASIC, "9", "29"),
        ("reset", BASIC, "0", "0"),
    ],
)
def test_items(item, level, opening, closing):
    expected = Style(f"\x1b[{opening}m", f"\x1b[{closing}m")
    assert parse_prefix_colors(item, 1, level) == (expected,)


def test_chains_open_in_order_and_close_in_reverse():
    (style,) = parse_prefix_colors("bold.red.bgBlue", 1, BASIC)
    assert style.open == "\x1b[1m\x1b[31m\x1b[44m"
    assert style.close == "\x1b[49m\x1b[39m\x1b[22m"


def test_a_chain_may_have_functions_and_blanks_around():
    red, chain, blue = parse_prefix_colors(" red , bold.rgb(1, 2, 3).bg#fff ,blue", 3, TRUE)
    assert (red.open, blue.open) == ("\x1b[31m", "\x1b[34m")
    assert chain.open == "\x1b[1m\x1b[38;2;1;2;3m\x1b[48;2;255;255;255m"


@given(st.integers(16, 255))
def test_every_colour_of_the_cube_is_its_own_nearest(index):
    rgb = "rgb({},{},{})".format(*_rgb_of(index))
    (nearest,) = parse_prefix_colors(rgb, 1, EXTENDED)
    assert _rgb_of(int(nearest.open.removesuffix("m").rpartition(";")[2])) == _rgb_of(index)


def test_the_last_item_is_for_all_others_but_auto_goes_on():
    red, blue = parse_prefix_colors("red,blue", 2, BASIC)
    assert parse_prefix_colors("red,blue", 4, BASIC) == (red, blue, blue, blue)
    styles = parse_prefix_colors("red,auto", 4, BASIC)
    assert len(set(styles)) == 4


@pytest.mark.parametrize(
    ("items", "names"),
    [
        ("auto", "cyan magenta green yellow blue cyan magenta"),
        ("magenta,auto", "magenta cyan green yellow blue cyan"),
        ("bold.greenBright,auto,red,auto", "bold.greenBright cyan red magenta yellow blue cyan"),
        ("red,cyan,magenta,green,yellow,auto", "red cyan magenta green yellow blue cyan magenta"),
    ],
)
def test_automatic_colours_come_in_order_and_skip_what_is_named(items, names):
    named = names.split()
    expected = parse_prefix_colors(",".join(named), len(named), BASIC)
    assert parse_prefix_colors(items, len(named), BASIC) == expected


def test_auto_skips_colours_that_are_named():
    cyan = automatic_styles([None], BASIC)[0]
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


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("red,Blue", '"Blue": "Blue" is no colour; did you mean "blue"?'),
        ("bold.gren", '"bold.gren": "gren" is no colour; did you mean "green"?'),
        ("bgHexx(#aabbcc)", 'did you mean "bgHex()"?'),
        ("rgbb(100,200,255)", 'did you mean "rgb()"?'),
        ("rgb", 'did you mean "rgb()"?'),
        ("rgb(1,2", "a parenthesis is not closed"),
        ("bold.auto", '"auto" stands alone'),
        ("red,", '"": a colour is missing'),
        ("red..bold", '"red..bold": a colour is missing'),
        ("#ggg", '"#ggg" is no colour; write #rgb or #rrggbb'),
        ("hex(12345)", '"12345" is no colour; write #rgb or #rrggbb'),
        ("rgb(1,2,256)", "rgb() takes three numbers from 0 to 255"),
        ("bgAnsi256(1,2)", "bgAnsi256() takes one number from 0 to 255"),
    ],
)
def test_the_error_says_what_is_wrong_and_what_is_right(text, reason):
    with pytest.raises(UsageError) as caught:
        parse_prefix_colors(text, 1, TRUE)
    assert str(caught.value).startswith('--prefix-colors "')
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


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


@given(st.lists(st.none() | st.text(max_size=3), max_size=20))
def test_a_services_own_colours_differ_from_their_neighbours(names):
    styles = automatic_styles(names, BASIC)
    assert len(styles) == len(names)
    assert all(one != other for one, other in pairwise(styles))


@given(st.lists(st.text(max_size=3), max_size=8), st.text(max_size=3))
def test_a_name_keeps_its_colour_when_others_are_added_behind_it(names, added):
    assert automatic_styles([*names, added], BASIC)[:-1] == automatic_styles(names, BASIC)


def test_the_first_five_names_have_five_colours():
    names = ["web", "worker", "chat", "db", "mail"]
    assert len(set(automatic_styles(names, BASIC))) == len(AUTOMATIC)


def test_services_without_a_name_take_turns_as_auto_does():
    assert automatic_styles([None] * 12, BASIC) == parse_prefix_colors("auto", 12, BASIC)
