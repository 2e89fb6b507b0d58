"""Searching what others wrote for what users wrote ends, whatever the two are."""

from __future__ import annotations

import re
import signal
import time

import pytest

from devrun.output.bounded_search import MOST_IN_ALL, BoundedSearch, TookTooLong
from devrun.output.log_pattern import LogPattern

BACKTRACKS = "(a+)+$"
LINE = "a" * 64 + "!"
"""For this pattern and line the time doubles with each letter."""


def test_a_search_that_backtracks_for_ever_is_broken_off():
    search = BoundedSearch(BACKTRACKS)
    with pytest.raises(TookTooLong):
        search.search(LINE)
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


def test_a_pattern_that_takes_too_long_again_and_again_is_searched_no_more():
    search, began = BoundedSearch(BACKTRACKS), time.thread_time()
    for _ in range(100):
        with pytest.raises(TookTooLong):
            search.search(LINE)
    assert time.thread_time() - began < 10 * MOST_IN_ALL


def test_it_finds_what_re_finds():
    search = BoundedSearch(r"(?<=x)b+(?=c)")
    assert search.search("xbbc xbc", 2).span() == (6, 7)
    assert search.search("xb") is None


def test_many_searches_that_are_quick_use_nothing_up():
    search = BoundedSearch("ready in")
    for _ in range(20_000):
        assert search.search("a line like many another") is None
    assert search.search("ready in 3 s")


@pytest.mark.parametrize("after", [b"ready\n", b"the server is ready"])
def test_a_line_that_takes_too_long_is_passed_over(after):
    pattern = LogPattern(f"{BACKTRACKS}|ready")
    assert not pattern.feed(LINE.encode() + b"\n")
    assert pattern.took_too_long
    assert pattern.feed(after) or pattern.search_unfinished()


def test_what_is_found_quickly_took_no_time():
    pattern = LogPattern("ready")
    assert pattern.feed(b"x\nready\n")
    assert not pattern.took_too_long


@pytest.mark.parametrize("pattern", ["a{99999999999999999}", "(" * 3000 + ")" * 3000, "("])
def test_what_cannot_be_made_is_no_pattern(pattern):
    with pytest.raises(re.error):
        BoundedSearch(pattern)


def test_nothing_is_said_of_a_pattern_that_may_mean_something_else_once(recwarn):
    assert BoundedSearch("[[a]").search("[")
    assert not recwarn.list
