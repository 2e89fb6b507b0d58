"""Terminal hygiene: colours pass, disturbances do not, what is left open stays with its process."""

from __future__ import annotations

import re
from itertools import pairwise

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.output.ansi import LONGEST_SEQUENCE, Hygiene

SGR_OR_LINK = re.compile(rb"\x1b\[[0-9;:]*m|\x1b\]8;[^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[0?K")
PIECES = [
    b"a",
    b"\xff",
    b"\0",
    b"\n",
    b"\x1b[31m",
    b"\x1b[0m",
    b"\x1b[2J",
    b"\x1b[",
    b"\x1b]0;t\x07",
]
PIECES += [
    b"\x1b",
    b"3",
    b"m",
    b";",
    b"\x07",
    b"\x08",
    b"\x1bc",
    b"\x1b]8;;u\x1b\\",
    b"\x1b]8;;\x1b\\",
]
streams = st.lists(st.sampled_from(PIECES)).map(b"".join)


def clean(*pieces: bytes) -> bytes:
    hygiene = Hygiene()
    return b"".join(hygiene.clean(piece) for piece in pieces)


@given(st.binary().map(lambda data: re.sub(rb"[\x07\x08\x0b\x0c\x0e\x0f\x1b]", b"", data)))
def test_text_without_control_characters_passes_unchanged(data):
    assert clean(data) == data


@given(streams, st.lists(st.integers(0, 1000)))
def test_where_the_input_is_cut_makes_no_difference(data, places):
    edges = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    pieces = [data[a:b] for a, b in pairwise(edges)]
    assert clean(*pieces, b"!\n") == clean(data, b"!\n")


@given(streams)
def test_only_colours_and_links_are_left(data):
    left = SGR_OR_LINK.sub(b"", clean(data, b"!\n"))
    complete = re.compile(
        rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)|\x1bc|[\x07\x08]"
    )
    assert not complete.search(left)


@given(streams)
def test_every_line_ends_with_everything_closed(data):
    screen = pyte.Screen(200, 50)
    pyte.ByteStream(screen).feed(b"\x1b[20h")  # LF goes to the first column
    pyte.ByteStream(screen).feed(clean(data.replace(b"\x1b]8", b""), b"!\n"))
    assert screen.cursor.attrs.fg == "default"
    assert not screen.cursor.attrs.bold


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        (b"\x1b[31mred\nmore\x1b[0m\n", b"\x1b[31mred\x1b[0m\n\x1b[31mmore\x1b[0m\n"),
        (b"\x1b[1mbold\x1b[22m\nplain\n", b"\x1b[1mbold\x1b[22m\nplain\n"),
        (b"\x1b[38;5;200;1mx\ny\n", b"\x1b[38;5;200;1mx\x1b[0m\n\x1b[38;5;200;1my\x1b[0m\n"),
        (b"\x1b[38;2;1;2;3mx\ny\n", b"\x1b[38;2;1;2;3mx\x1b[0m\n\x1b[38;2;1;2;3my\x1b[0m\n"),
        (b"\x1b[38:2::1:2:3mx\ny\n", b"\x1b[38:2::1:2:3mx\x1b[0m\n\x1b[38:2::1:2:3my\x1b[0m\n"),
        (b"\x1b[31mx\x1b[34m\ny\n", b"\x1b[31mx\x1b[34m\x1b[0m\n\x1b[34my\x1b[0m\n"),
        (b"\x1b[4:3mx\x1b[4:0m\ny\n", b"\x1b[4:3mx\x1b[4:0m\ny\n"),
        (b"a\x1b[2J\x1b[H\x1b[3A\x1b[?1049h\x1b[?25lb\n", b"ab\n"),
        (b"\x1b]0;title\x07\x1b]2;t\x1b\\x\x1bP+q\x1b\\y\n", b"xy\n"),
        (b"\x1bcx\x1b7\x1b8\x1b=\x1b(By\x07z\x08\n", b"xyz\n"),
        (b"10%\x1b[K\n", b"10%\x1b[K\n"),
        (
            b"\x1b]8;;http://x\x1b\\l\nm\x1b]8;;\x1b\\\n",
            b"\x1b]8;;http://x\x1b\\l\x1b]8;;\x1b\\\n\x1b]8;;http://x\x1b\\m\x1b]8;;\x1b\\\n",
        ),
        (b"caf\xc3\xa9 \xc2\x9b \xe2\x80\xa6\n", b"caf\xc3\xa9 \xc2\x9b \xe2\x80\xa6\n"),
    ],
)
def test_examples(given_, expected):
    assert clean(given_) == expected


def test_an_unfinished_sequence_is_waited_for_and_not_for_ever():
    hygiene = Hygiene()
    assert hygiene.clean(b"a\x1b[3") == b"a"
    assert hygiene.clean(b"1mb\n") == b"\x1b[31mb\x1b[0m\n"
    endless = b"\x1b]" + b"x" * (LONGEST_SEQUENCE * 2)
    assert b"x" * 100 in clean(endless, b"\n")


def test_what_is_open_is_closed_for_another_and_reopened():
    hygiene = Hygiene()
    assert hygiene.clean(b"\x1b[31mprompt ") == b"\x1b[31mprompt "
    assert hygiene.suspend() == b"\x1b[0m"
    assert hygiene.clean(b"rest\n") == b"\x1b[31mrest\x1b[0m\n"
