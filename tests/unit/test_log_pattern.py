"""Finding a pattern in output: however it is cut, whatever colours are in it."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devrun.output.log_pattern import LONGEST, OVERLAP, LogPattern


def found(pattern: str, *chunks: bytes) -> bool:
    looking = LogPattern(pattern)
    return [looking.feed(chunk) for chunk in chunks][-1]


def each_byte(data: bytes) -> list[bytes]:
    return [data[place : place + 1] for place in range(len(data))]


def test_a_match_is_found_across_chunks():
    assert found("Listening on \\d+", b"x\nListe", b"ning o", b"n 3", b"000\n")


def test_a_match_is_found_in_a_line_that_goes_on():
    assert found("Listening on", b"Listening on")


def test_what_was_found_stays_found():
    looking = LogPattern("ready")
    assert [looking.feed(each) for each in (b"x", b"ready", b"\n", b"")] == [False, *[True] * 3]


@pytest.mark.parametrize(
    "data",
    [
        b"\x1b[32m  \xe2\x9e\x9c\x1b[39m  \x1b[1mLocal\x1b[22m: ready in \x1b[1m312\x1b[22m ms",
        b"rea\x1b[31md\x1b[0my in 3\x1b[K12 ms",
        b"\x1b]8;;http://x\x1b\\ready\x1b]8;;\x1b\\ in 312 ms",
        b"\x1b]0;a title\x07ready in\x1b[2J\x1b[1;1H 312 ms",
        b"\xc2\x9bready in 312 ms",
        b"ready \xc2\x85in 312\x07 ms",
    ],
)
def test_terminal_sequences_are_ignored_wherever_they_are_cut(data):
    pattern = "ready in 312 ms"
    assert found(pattern, data)
    assert found(pattern, *each_byte(data))
    for place in range(len(data)):
        assert found(pattern, data[:place], data[place:])


def test_a_sequence_is_no_text():
    assert not found("32m", b"\x1b[32mgreen\n")
    assert not found("title", *each_byte(b"\x1b]0;title\x07x\n"))


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_match_is_within_a_line(end):
    assert not found("a\\s*b", b"a" + end + b"b" + end)
    assert found("^b$", b"a" + end + b"b" + end)
    assert not found("^$", *each_byte(b"a" + end + b"b" + end))
    assert found("^$", b"a" + end + end)


def test_a_pattern_that_looks_ahead_waits_for_the_end_of_the_line():
    assert not found("ready$", b"ready")
    assert not found("ready$", b"ready", b" or not\n")
    assert found("ready$", b"ready", b"\n")
    assert not found(r"ready\b", b"ready", b"ing\n")
    assert not found("up(?!.*failed)", b"up ", b"failed\n")


def test_or_for_being_told_that_it_has_none():
    looking = LogPattern("> $")
    assert not looking.feed(b"mysql> ")
    assert looking.search_unfinished()
    assert looking.feed(b"")


def test_nothing_unfinished_is_no_line():
    looking = LogPattern("")
    assert not looking.search_unfinished()
    assert not looking.feed(b"")
    assert looking.feed(b"x")


@pytest.mark.parametrize("pattern", [r"port:\s*\d+", r"\$ready", r"a\+\+b?"])
def test_patterns_that_do_not_look_ahead_need_no_end(pattern):
    assert found(pattern, b"port: 1 $ready a++")


def test_characters_are_found_wherever_they_are_cut():
    assert found("^\u279c é$", *each_byte("\u279c é\n".encode()))
    assert found("^a.b$", *each_byte(b"a\xffb\n")), "what is no UTF-8 is one character"


def test_a_match_is_found_anywhere_in_a_long_line():
    for place in (0, 1, OVERLAP - 3, OVERLAP, LONGEST - 3, LONGEST, LONGEST + 1, 5 * LONGEST - 2):
        line = b"x" * place + b"needle" + b"y" * LONGEST
        assert found("needle", line), place
        assert found("needle", *[line[n : n + 4096] for n in range(0, len(line), 4096)]), place


@pytest.mark.parametrize("pattern", ["(?<![ax])x", "^x", "x$", "x\\b", r"\Ax"])
def test_the_edge_of_a_window_is_no_edge_of_the_line(pattern):
    line = b"a" + b"x" * (3 * LONGEST) + b"a\n"
    assert not found(pattern, line)
    assert not found(pattern, *[line[n : n + 4096] for n in range(0, len(line), 4096)])


def test_a_long_line_is_not_kept():
    looking = LogPattern("needle")
    for _ in range(100):
        looking.feed(b"x" * LONGEST)
    assert len(looking._window) <= LONGEST


def test_a_wrong_pattern_is_an_error_at_once():
    with pytest.raises(re.error):
        LogPattern("(")


PIECES = st.sampled_from(
    [
        b"ready",
        b"re",
        b"ady",
        b" ",
        b"on 3000",
        b"\n",
        b"\r",
        b"\r\n",
        b"\x1b[31m",
        b"\x1b[0m",
        b"\x1b[2K",
        b"\x1b",
        b"\x1b[3",
        b"\x1b]8;;u\x07",
        b"\x1b]0;ready\x1b\\",
        b"\xc3\xa9",
        b"\xc3",
        b"\xe2\x9e\x9c",
        b"\xe2\x9e",
        b"\x9b",
        b"\xc2\x9b",
        b"\xf0\x9f",
        b"\x00",
        b"\x07",
    ]
)
PATTERNS = st.sampled_from(
    [
        *("ready", "ready on", "^ready", "ready$", r"\bready\b", "é", "\ufffd", "(?i)READY"),
        *("^$", "x*", "a.*0", r"on \d+", r"on \d+$", "(?<!é)ready", "ready(?! on)"),
        *(r"^\s+ready", "[^\\x00]\x00"),
    ]
)


def outcome(pattern: str, chunks: list[bytes]) -> tuple[bool, bool]:
    looking = LogPattern(pattern)
    by_chunks = [looking.feed(chunk) for chunk in chunks][-1:] == [True]
    return by_chunks, looking.search_unfinished()


@example("ready", [b"\xe2", b"\x82\xacready"], [1])
@example("^$", [b"a\r", b"\n"], [2])
@given(PATTERNS, st.lists(PIECES, max_size=12), st.lists(st.integers(0, 80), max_size=8))
def test_any_cutting_gives_the_same_answer(pattern, pieces, cuts):
    data = b"".join(pieces)
    places = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    chunks = [data[a:b] for a, b in pairwise(places)]
    whole = outcome(pattern, [data])
    assert outcome(pattern, chunks or [b""]) == whole
    assert outcome(pattern, each_byte(data) or [b""]) == whole


PLAIN = st.text(alphabet="ab x1\n\ré➜", max_size=40)


@given(st.sampled_from(["a", "a+b", "^b", "a$", r"\bab\b", "^$", "é.", "x[^a]*1"]), PLAIN)
def test_whole_lines_are_searched_as_re_does(pattern, text):
    lines = re.split("\r\n|\r|\n", text + "\n")[:-1]
    expected = any(re.search(pattern, line) for line in lines)
    assert found(pattern, (text + "\n").encode()) == expected


SMALL = st.text(alphabet="abc", min_size=1, max_size=30)


@given(SMALL, st.sampled_from(["ab", "abc", "^ab", "b$", "^a", "(?<=b)c", "a(?=c)"]), st.data())
def test_long_lines_are_cut_anywhere_too(text, pattern, data):
    """With windows so small that a short text has many of them."""
    with pytest.MonkeyPatch.context() as patch:
        module = "devrun.output.log_pattern"
        patch.setattr(f"{module}.LONGEST", 8)
        patch.setattr(f"{module}.OVERLAP", 4)
        patch.setattr(f"{module}.CONTEXT", 1)
        place = data.draw(st.integers(0, len(text)))
        raw = text.encode()
        cut = outcome(pattern, [raw[:place], raw[place:], b"\n"])
        assert cut == outcome(pattern, [raw + b"\n"]) == outcome(pattern, each_byte(raw + b"\n"))
        assert cut[0] == bool(re.search(pattern, text))
