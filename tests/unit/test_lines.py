"""The line cutter: whatever the cuts of the input, the output is the same, and nothing is lost."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from devrun.output.lines import LONGEST_HELD, LineCutter, final_states

texts = st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r", b"\r\n", b"\xff", b"\0"])).map(
    b"".join
)


def feed_all(chunks: list[bytes]) -> bytes:
    cutter = LineCutter()
    lines = [cutter.feed(chunk) for chunk in chunks]
    assert all(not part or part.endswith(b"\n") for part in lines)
    return b"".join(lines) + cutter.take()


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@given(st.binary().map(lambda data: data.replace(b"\r", b"")), st.lists(st.integers(0, 10**6)))
def test_without_carriage_returns_every_byte_comes_out_in_order(data, places):
    assert feed_all(cut(data, places)) == data


@given(texts, st.lists(st.integers(0, 10**6)))
def test_where_the_input_is_cut_makes_no_difference(data, places):
    assert feed_all(cut(data, places)) == feed_all([data])


def test_of_a_redrawn_line_the_last_state_is_kept():
    assert feed_all([b"10%\r50%\r100%\n"]) == b"100%\n"
    assert feed_all([b"10%\r", b"50%\r", b"100%\r\nnext\n"]) == b"100%\r\nnext\n"


def test_crlf_stays_as_it_is():
    assert feed_all([b"a\r", b"\nb\r\n", b"\r\nc\r\r\n"]) == b"a\r\nb\r\n\r\nc\r\r\n"


def test_an_unfinished_line_is_held_until_it_is_taken():
    cutter = LineCutter()
    assert cutter.feed(b"one\ntw") == b"one\n"
    assert cutter.pending
    assert cutter.take() == b"tw"
    assert not cutter.pending
    assert cutter.feed(b"o\n") == b"o\n"


def test_the_state_of_a_redrawn_line_can_be_seen_while_it_is_held():
    cutter = LineCutter()
    assert cutter.feed(b"1%\r2%\r") == b""
    assert cutter.redrawn
    assert cutter.peek() == b"2%"
    assert cutter.feed(b"3%\n") == b"3%\n"
    assert not cutter.redrawn


def test_a_redrawn_line_holds_only_its_state():
    cutter = LineCutter()
    for number in range(1000):
        cutter.feed(b"%d of 1000 done\r" % number)
    assert cutter.take() == b"999 of 1000 done\r"


def test_a_line_beyond_the_limit_asks_to_be_taken():
    cutter = LineCutter()
    cutter.feed(b"x" * LONGEST_HELD)
    assert not cutter.overlong
    cutter.feed(b"x")
    assert cutter.overlong
    assert len(cutter.take()) == LONGEST_HELD + 1
    assert not cutter.overlong


_STATES = re.compile(rb"[^\r\n]*\r(?!\r*(?:\n|\Z))")
"""The same by a regular expression, which takes quadratic time."""


@given(texts)
def test_a_state_is_what_a_return_without_a_line_end_follows(data):
    whole = data[: data.rfind(b"\n") + 1]
    assert final_states(whole) == _STATES.sub(b"", whole)


def test_long_lines_with_returns_take_no_longer_than_others():
    """Steps are counted, not time: each byte is copied a bounded number of times."""
    cutter = LineCutter()
    data = b"x" * 1_000_000 + b"\r\n" + b"y" * 1_000_000 + b"\rz\n" + b"\r" * 1_000_000 + b"\n"
    assert cutter.feed(data) == b"x" * 1_000_000 + b"\r\nz\n" + b"\r" * 1_000_000 + b"\n"
    assert cutter.feed(b"\r") == b""
    for _ in range(20_000):
        cutter.feed(b"z" * 80)
    assert cutter.take() == b"z" * 1_600_000


@given(st.lists(st.integers(0, 10**6)), st.sampled_from([b"\x1b[1G", b"\x1b[G", b"\x1b[0G"]))
def test_on_a_terminal_the_first_column_is_a_return(places, back):
    data = b"\x1b[2K" + back + b"one" + b"\x1b[2K" + back + b"two\x1b[31m\nmore\x1b[1"
    cutter = LineCutter(terminal=True)
    out = b"".join(cutter.feed(chunk) for chunk in cut(data, places)) + cutter.take()
    assert out == b"two\x1b[31m\nmore\x1b[1"


def test_elsewhere_it_is_bytes_like_others():
    assert feed_all([b"one\x1b[1Gtwo\n"]) == b"one\x1b[1Gtwo\n"
