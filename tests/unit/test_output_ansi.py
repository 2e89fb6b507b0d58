"""Terminal hygiene: what passes, what does not, and that no line's colours are another's."""

from __future__ import annotations

import re
from itertools import pairwise

import pyte
import pyte.modes
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devrun.output.ansi import LONGEST_SEQUENCE, Hygiene, without_sequences

RED, BOLD, RESET = b"\x1b[31m", b"\x1b[1m", b"\x1b[0m"
LINK, NO_LINK = b"\x1b]8;id=1;https://example.org/a?b\x1b\\", b"\x1b]8;;\x1b\\"

SGR = [b"", b"0", b"1", b"3;4", b"9", b"22", b"23", b"24", b"29", b"7", b"27", b"01;31", b"39"]
SGR += [
    b"44",
    b"49",
    b"96",
    b"105",
    b"38;5;208",
    b"48;5;17",
    b"38;2;1;2;3",
    b"48;2;9;8;7;1",
    b"0;35",
]
COLORS = [b"\x1b[%sm" % parameters for parameters in SGR]
PASSING = [
    *COLORS,
    LINK,
    NO_LINK,
    b"\x1b]8;;file:///a\x07",
    b"\x1b[K",
    b"\x1b[0K",
    b"\x1b[4:3;58:5:9m",
]
FORBIDDEN = [
    *(b"\x1b[2J", b"\x1b[H", b"\x1b[5;7H", b"\x1b[3A", b"\x1b[1G", b"\x1b[1K", b"\x1b[2K"),
    *(b"\x1b[?1049h", b"\x1b[?25l", b"\x1b[2;9r", b"\x1b[3S", b"\x1b[6n", b"\x1b[c", b"\x1b[!p"),
    *(b"\x1b[5i", b"\x1b[>4;2m", b"\x1b[?4m", b"\x1b[1 q", b"\x1b[1 m", b"\x1b[20h", b"\x1b[s"),
    *(b"\x1b]0;title\x07", b"\x1b]2;caf\xc3\xa9\x1b\\", b"\x1b]52;c;YQ==\x07", b"\x1b]8;x\x07"),
    *(b"\x1bPq#0\x1b\\", b"\x1b_Gi=1;A\x1b\\", b"\x1b^x\x1b\\", b"\x1bXx\x1b\\", b"\x1bkx\x1b\\"),
    *(b"\x1bc", b"\x1b7", b"\x1b8", b"\x1bD", b"\x1bE", b"\x1bM", b"\x1b=", b"\x1b>", b"\x1bN"),
    *(b"\x1b(0", b"\x1b(B", b"\x1b)0", b"\x1b#8", b"\x1b%G", b"\x1b F", b"\x1b\\"),
    *(b"\x05", b"\x07", b"\x08", b"\x0b", b"\x0c", b"\x0e", b"\x0f", b"\xc2\x9b"),
    *(b"\xc2\x9d", b"\xc2\x85"),
]  # fmt: skip
BROKEN = [
    b"\x1b",
    b"\x1b[",
    b"\x1b[3",
    b"\x1b]0;x",
    b"\x1b]8;;http://x",
    b"\x1bP1",
    b"\x1b(",
    b"\x1b]x\x1b",
]
TEXTS = [
    b"a",
    b"web 12",
    b"\n",
    b"\r\n",
    b"\t",
    b"\0",
    b"\xc3\xa9",
    b"\xe2\x9c\x93",
    b"\xff",
    b"\xe9",
    b"m",
]
TEXTS += [b"\xf0\x9f\x9a\x80", b"\n\n", b"[31m", b"K", b";", b"0"]

cuts = st.lists(st.integers(0, 10**6), max_size=6)


def soup(*tokens):
    return st.lists(st.sampled_from([token for group in tokens for token in group]), max_size=30)


def cleaned(data):
    hygiene = Hygiene()
    return hygiene.clean(data) + hygiene.finish()


def cut(data, places):
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


ALLOWED = re.compile(
    rb"(?:[^\x05\x07\x08\x0b\x0c\x0e\x0f\x1b]|\x1b\[[0-9;:]*m|\x1b\[0?K"
    rb"|\x1b\]8;[^;\x00-\x1f]*;[^\x00-\x1f]*(?:\x07|\x1b\\))*"
)


def assert_harmless(output):
    """The recogniser: no byte of the output belongs to anything but what may pass."""
    assert ALLOWED.fullmatch(output), output
    assert not re.search("[\x80-\x9f]", output.decode("utf-8", "replace")), output


def screen_after(*pieces):
    """What a terminal shows, with attributes; a line feed is enough to begin a line there."""
    screen = pyte.Screen(250, 80)
    screen.set_mode(pyte.modes.LNM)
    stream = pyte.ByteStream(screen)
    for piece in pieces:
        stream.feed(piece)
    return screen


# -- what passes, and what does not -----------------------------------------------------------


@pytest.mark.parametrize("sequence", PASSING)
def test_colours_links_and_erasing_to_the_end_of_the_line_pass(sequence):
    data = b"before" + sequence + b"after" + RESET + NO_LINK + b"\n"
    assert cleaned(data) == data


@pytest.mark.parametrize("sequence", FORBIDDEN)
def test_what_disturbs_the_lines_of_others_is_dropped_and_the_text_around_it_stays(sequence):
    assert cleaned(b"before" + sequence + b"after\n") == b"beforeafter\n"
    assert cleaned(sequence + b"\n") == b"\n"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a\x1b\n", b"a\n"),
        (b"a\x1b[31\nb\n", b"a[31\nb\n"),
        (b"a\x1b]0;title\nb\n", b"a]0;title\nb\n"),
        (b"a\x1bPq\r\nb\n", b"aPq\r\nb\n"),
        (b"a\x1b]8;;http://x\nb\n", b"a]8;;http://x\nb\n"),
        (b"a\x1b[3\x001mb\n", b"a[3\x001mb\n"),
        (b"a\x1b\x1b[2Jb\n", b"ab\n"),
        (b"a\x1b[3\x1b[2Jb\n", b"a[3b\n"),
        (b"a\x1b]0;x\x1b[31mb\x1b[0m\n", b"a]0;x\x1b[31mb\x1b[0m\n"),
        (b"a\x1b\xc3\xa9\n", "aé\n".encode()),
    ],
)
def test_a_sequence_that_is_broken_off_loses_its_escape_alone(data, expected):
    assert cleaned(data) == expected


@pytest.mark.parametrize("begin", [b"]0;", b"P", b"_G", b"[", b"[3;", b"]8;;http://"])
def test_a_sequence_that_is_too_long_is_text(begin):
    fill = b"1" * LONGEST_SEQUENCE
    assert cleaned(b"\x1b" + begin + fill + b"\n") == begin + fill + b"\n"
    hygiene = Hygiene()
    shown = b"".join(hygiene.clean(piece) for piece in (b"\x1b" + begin, fill[:4000], fill[4000:]))
    assert shown == begin + fill, "without waiting for an end"


def test_a_terminated_string_that_is_too_long_is_text_too():
    payload = b"x" * LONGEST_SEQUENCE
    assert cleaned(b"\x1b]0;" + payload + b"\x1b\\y\n") == b"]0;" + payload + b"y\n"


def test_8_bit_controls_are_dropped_where_they_can_be_no_letters():
    assert cleaned(b"a\x9b2Jb\n") == b"a2Jb\n"
    assert cleaned(b"\x9b2J\n") == b"2J\n"
    assert cleaned("é".encode() + b"\x9b2J\n") == "é2J\n".encode()
    letters = "✓ŝÛ🛠".encode()  # They have 0x9c, 0x9d, 0x9b and 0x9f in them.
    assert cleaned(letters + b"\n") == letters + b"\n"
    assert cleaned(letters + b"\x1b[2J\n") == letters + b"\n"


def test_latin_1_passes_as_it_is():
    data = "Größe: ça va, señor ÿ«»\n".encode("latin-1")
    assert cleaned(data) == data


# -- byte for byte ----------------------------------------------------------------------------


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])).map(lambda text: text + "\n"))
def test_text_without_controls_is_handed_back_as_the_same_object(text):
    data = text.encode()
    assert Hygiene().clean(data) is data


BEYOND_CONTROLS = bytes([0, 9, 10, 13, *range(32, 128), *range(0xA0, 256)])


@given(st.lists(st.sampled_from(BEYOND_CONTROLS)).map(bytes), cuts)
def test_any_bytes_without_controls_pass_unchanged(data, places):
    hygiene = Hygiene()
    parts = [hygiene.clean(piece) for piece in cut(data, places)]
    assert b"".join([*parts, hygiene.finish()]) == data


@given(soup(TEXTS, PASSING, FORBIDDEN, BROKEN), cuts)
@example([b"\xc2\x9b", b"m"], [1])
@example([b"\x1b]8;;http://x", b"\x1b\\", b"a"], [17])
def test_where_the_output_is_cut_makes_no_difference(tokens, places):
    data = b"".join(tokens)
    hygiene = Hygiene()
    parts = [hygiene.clean(piece) for piece in cut(data, places)]
    assert b"".join([*parts, hygiene.finish()]) == cleaned(data)


@given(st.binary(), cuts)
def test_where_any_bytes_are_cut_makes_no_difference(data, places):
    hygiene = Hygiene()
    parts = [hygiene.clean(piece) for piece in cut(data, places)]
    assert b"".join([*parts, hygiene.finish()]) == cleaned(data)


@given(soup(TEXTS, PASSING, FORBIDDEN))
def test_all_text_between_whole_sequences_stays(tokens):
    text = b"".join(token for token in tokens if token in TEXTS)
    output = cleaned(b"".join(tokens))
    assert re.sub(rb"\x1b\[[0-9;:]*[mK]|\x1b\]8;.*?(?:\x07|\x1b\\)", b"", output) == text


@given(st.one_of(st.binary(), soup(TEXTS, PASSING, FORBIDDEN, BROKEN).map(b"".join)), cuts)
def test_nothing_forbidden_ever_comes_out(data, places):
    hygiene = Hygiene()
    parts = [hygiene.clean(piece) + hygiene.suspend() + b"\n" for piece in cut(data, places)]
    output = b"".join([*parts, hygiene.finish()])
    assert_harmless(output)


@given(st.one_of(st.binary(), soup(TEXTS, PASSING, FORBIDDEN, BROKEN).map(b"".join)))
def test_what_is_clean_stays_as_it_is(data):
    once = cleaned(data)
    assert cleaned(once) == once


# -- what is open ends with the line ----------------------------------------------------------


def test_an_open_attribute_is_closed_at_the_line_end_and_opened_on_the_next_line():
    hygiene = Hygiene()
    assert hygiene.clean(RED + b"a\n") == RED + b"a" + RESET + b"\n"
    assert hygiene.clean(b"b\n\nc\n") == (RED + b"b" + RESET + b"\n\n" + RED + b"c" + RESET + b"\n")
    assert hygiene.clean(b"d" + RESET + b"e\nf\n") == RED + b"d" + RESET + b"e\nf\n"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x1b[1mbold\x1b[22m\nplain\n", b"\x1b[1mbold\x1b[22m\nplain\n"),
        (b"\x1b[31mx\x1b[34m\ny\n", b"\x1b[31mx\x1b[34m\x1b[0m\n\x1b[34my\x1b[0m\n"),
        (b"\x1b[38;5;200;1mx\ny\n", b"\x1b[38;5;200;1mx\x1b[0m\n\x1b[38;5;200;1my\x1b[0m\n"),
        (b"\x1b[4:3mx\x1b[4:0m\ny\n", b"\x1b[4:3mx\x1b[4:0m\ny\n"),
        (b"a\x1b[44m\r\nb\n", b"a\x1b[44m\r\x1b[0m\n\x1b[44mb\x1b[0m\n"),
    ],
)
def test_what_is_closed_in_its_line_stays_as_it_is_and_the_rest_is_carried_on(data, expected):
    assert cleaned(data) == expected


def test_a_link_is_closed_by_its_own_sequence_and_opened_again():
    expected = LINK + b"a" + NO_LINK + b"\n" + LINK + b"b" + NO_LINK + b"\n"
    assert cleaned(LINK + b"a\nb" + NO_LINK + b"\n") == expected


def test_a_line_of_sequences_alone_leaves_nothing():
    hygiene = Hygiene()
    assert hygiene.clean(b"\x1b[?25h\x1b[0m\x1b[K") == b""
    assert hygiene.clean(RED + b"\n\n") == b"\n\n"
    assert hygiene.clean(b"a\n") == RED + b"a" + RESET + b"\n"


@pytest.mark.parametrize(
    ("parameters", "opening"),
    [
        (b"1;2;3;4;5;7;8;9;53", b"1;2;3;4;5;7;8;9;53"),
        (b"1;2;31;22", b"31"),
        (b"01;31", b"1;31"),
        (b"31;32;92", b"92"),
        (b"41;101", b"101"),
        (b"31;39", None),
        (b"41;49", None),
        (b"3;23;4;24;5;25;6;25;7;27;8;28;9;29;53;55;58:5:1;59;21;24;51;54", None),
        (b"31;", None),
        (b"31;0;4", b"4"),
        (b"38;5;1;1", b"38;5;1;1"),
        (b"38;2;1;2;3;4", b"38;2;1;2;3;4"),
        (b"38;5;200;38;2;5;5;5", b"38;2;5;5;5"),
        (b"38:2::1:2:3;48:5:7", b"38:2::1:2:3;48:5:7"),
        (b"58;5;3;58:2::9:9:9", b"58:2::9:9:9"),
        (b"4:3;58:5:9", b"4:3;58:5:9"),
        (b"4:3;4:0", None),
        (b"4;4:3;21", b"21"),
        (b"5;6", b"6"),
    ],
)
def test_the_attributes_that_are_in_force_are_known(parameters, opening):
    hygiene = Hygiene()
    hygiene.clean(b"x\x1b[" + parameters + b"m\n")
    expected = b"y\n" if opening is None else b"\x1b[" + opening + b"my" + RESET + b"\n"
    assert hygiene.clean(b"y\n") == expected


@pytest.mark.parametrize("parameters", [b"38;5", b"38;2;1;2", b"38;7", b"1234", b"77", b"38:9999"])
def test_what_is_not_understood_ends_with_its_line_and_does_not_come_again(parameters):
    hygiene = Hygiene()
    sequence = b"\x1b[" + parameters + b"m"
    assert hygiene.clean(b"x" + sequence + b"y\n") == b"x" + sequence + b"y" + RESET + b"\n"
    assert b"\x1b[3" not in hygiene.clean(b"z\n")


def test_the_open_state_does_not_grow():
    hygiene = Hygiene()
    for number in range(2000):
        hygiene.clean(b"x\x1b[%dm\x1b[38;5;%dm\n" % (number, number % 256))
    assert len(hygiene.clean(b"y\n")) < 80


def test_a_prompt_can_be_interrupted_and_continued():
    hygiene = Hygiene()
    assert hygiene.clean(b"plain " + RED + LINK + b"na") == b"plain " + RED + LINK + b"na"
    assert hygiene.suspend() == RESET + NO_LINK
    assert hygiene.suspend() == b""
    assert hygiene.clean(b"me") == RED + LINK + b"me"
    assert hygiene.suspend() == RESET + NO_LINK
    assert hygiene.resume() == RED + LINK
    assert hygiene.resume() == b""
    assert hygiene.clean(b"!\n") == b"!" + RESET + NO_LINK + b"\n"


def test_a_sequence_cut_by_an_interruption_is_completed_afterwards():
    hygiene = Hygiene()
    assert hygiene.clean(b"a\x1b[3") == b"a"
    assert hygiene.suspend() == b""
    assert hygiene.clean(b"1mb") == RED + b"b"


def test_a_line_that_is_drawn_again_does_not_inherit_half_a_sequence():
    hygiene = Hygiene()
    assert hygiene.clean(RED + b"10%\x1b[3") == RED + b"10%"
    assert hygiene.redraw() == RESET
    assert hygiene.clean(b"20%\n") == RED + b"20%" + RESET + b"\n"


def test_the_end_of_the_output_keeps_no_text_back_and_leaves_nothing_to_the_next_generation():
    hygiene = Hygiene()
    assert hygiene.clean(RED + b"caf\xc2") == RED + b"caf"
    assert hygiene.finish() == b"\xc2" + RESET
    assert hygiene.clean(b"next\n") == b"next\n"
    assert hygiene.clean(b"\x1b]0;unended") == b""
    assert hygiene.finish() == b"]0;unended"
    assert hygiene.finish() == b""


# -- with a terminal as the judge -------------------------------------------------------------

PYTE_KNOWS = [token for token in TEXTS if token not in (b"\0", b"\t")]


@given(soup(PYTE_KNOWS, COLORS, FORBIDDEN, BROKEN), cuts)
def test_a_terminal_only_moves_down_and_every_row_has_its_plain_prefix(tokens, places):
    hygiene = Hygiene()
    pieces = [hygiene.clean(piece) for piece in cut(b"".join(tokens), places)]
    output = b"".join([*pieces, hygiene.finish()])
    screen = screen_after(b"[a] " + output.replace(b"\n", b"\n[a] "))
    assert screen.cursor.y == output.count(b"\n")
    for row in range(screen.cursor.y + 1):
        assert screen.display[row].startswith("[a] ")
        plain = [screen.buffer[row][column]._replace(data="") for column in range(4)]
        assert set(plain) == {screen.default_char._replace(data="")}
    assert screen.title == ""


def cells(screen, *, skip=0):
    rows = [screen.buffer[row] for row in range(screen.cursor.y + 1)]
    return [[row[column] for column in range(skip, 200)] for row in rows if row[0].data != "#"]


@given(soup([b"a", b"b c", b"\n", b"\n\n"], COLORS), cuts)
def test_every_character_has_the_attributes_that_it_has_without_devrun(tokens, places):
    data = b"".join(tokens)
    alone = screen_after(data)
    hygiene = Hygiene()
    pieces = [hygiene.clean(piece) for piece in cut(data, places)]
    assert cells(screen_after(*pieces, hygiene.finish())) == cells(alone)


@given(soup([b"a", b"b c"], COLORS), soup([b"d\n", b"\n"], COLORS), cuts)
def test_attributes_survive_the_lines_of_others(first, second, places):
    data = b"".join((*first, b"\n", *second, b"e\n"))
    lines = data.splitlines(keepends=True)
    hygiene = Hygiene()
    mixed = b"".join(hygiene.clean(line) + b"#other\n" for line in lines)
    assert cells(screen_after(mixed)) == cells(screen_after(data))


# -- plain text -------------------------------------------------------------------------------


@given(soup(TEXTS, PASSING, FORBIDDEN))
def test_without_sequences_text_is_left(tokens):
    text = b"".join(token for token in tokens if token in TEXTS)
    assert without_sequences(b"".join(tokens)) == text


@given(st.binary())
def test_without_sequences_no_escape_is_left(data):
    assert b"\x1b" not in without_sequences(data)
