"""Two samples over the limit restart an instance; restarts that do not help become rare."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.supervise.memory import (
    INTERVAL,
    LONGEST_PAUSE,
    SHORTEST_PAUSE,
    SOON,
    HeldBack,
    MemoryWatch,
    OverLimit,
)

LIMIT = 500
HOUR = 3600.0


def feed_all(samples, watch=None):
    """Feed one generation, a sample each two seconds; return the places at which it acts."""
    watch = watch or MemoryWatch(LIMIT)
    answers = [watch.feed(used, 1, 2.0 * place) for place, used in enumerate(samples)]
    return [place for place, answer in enumerate(answers) if isinstance(answer, OverLimit)]


def live(need, seconds, *, reacts=True):
    """Let an instance live whose memory is ``need(age)``; it is restarted when that is asked for.

    Returns:
        Times of the restarts, and what was said in between.
    """
    watch, now, born, generation = MemoryWatch(LIMIT), 0.0, 0.0, 1
    restarts, said = [], []
    while now < seconds:
        now += INTERVAL
        answer = watch.feed(need(now - born), generation, now)
        if isinstance(answer, OverLimit):
            restarts.append(now)
            born, generation = (now, generation + 1) if reacts else (born, generation)
        elif answer is not None:
            said.append((now, answer))
    return restarts, said


def test_the_second_sample_in_a_row_over_the_limit_acts_and_says_what_was_used():
    watch = MemoryWatch(LIMIT)
    assert watch.feed(600, 1, 0.0) is None
    assert watch.feed(700, 1, 2.0) == OverLimit(700, LIMIT)


def test_a_spike_of_one_sample_does_nothing():
    assert feed_all([400, 9000, 400, 9000, 400]) == []


def test_the_limit_itself_may_be_used():
    assert feed_all([LIMIT] * 10) == []


def test_samples_of_two_generations_are_not_in_a_row():
    watch = MemoryWatch(LIMIT)
    assert watch.feed(600, 1, 0.0) is None
    assert watch.feed(600, 2, 2.0) is None
    assert watch.feed(600, 2, 4.0) == OverLimit(600, LIMIT)


def test_a_slow_leak_is_restarted_each_time_at_once():
    leak = lambda age: 400 + age  # over after 100 s
    restarts, said = live(leak, HOUR)
    assert {later - earlier for earlier, later in pairwise(restarts)} == {104.0}
    assert said == []


def test_a_limit_below_the_need_at_the_start_makes_no_storm():
    restarts, _ = live(lambda age: 900, HOUR)
    gaps = [later - earlier for earlier, later in pairwise(restarts)]
    assert gaps[:5] == [10.0, 20.0, 40.0, 80.0, 160.0]
    assert max(gaps) == LONGEST_PAUSE
    assert len(restarts) == 11


def test_holding_back_is_said_once():
    _, said = live(lambda age: 900, HOUR)
    [(now, news)] = said
    assert news == HeldBack(900, LIMIT, SHORTEST_PAUSE - 4.0)
    assert now == 8.0


def test_the_pauses_begin_anew_after_a_restart_that_helped_and_that_is_said():
    watch, generation, now, born = MemoryWatch(LIMIT), 1, 0.0, 0.0
    restarts, held_back = [], []
    while now < HOUR:
        now += INTERVAL
        need = 400 + (now - born) if generation in {5, 6} else 900
        answer = watch.feed(need, generation, now)
        if isinstance(answer, OverLimit):
            restarts.append(now)
            generation, born = generation + 1, now
        elif answer is not None:
            held_back.append(generation)
    gaps = [later - earlier for earlier, later in pairwise(restarts)]
    assert gaps[:8] == [10.0, 20.0, 40.0, 104.0, 104.0, 10.0, 20.0, 40.0]
    assert held_back == [2, 7]


def test_the_time_that_a_restart_takes_is_no_time_of_holding_out():
    watch, now, generation, acted = MemoryWatch(LIMIT), 0.0, 1, []
    while now < 2 * HOUR:
        now += INTERVAL
        if isinstance(watch.feed(900, generation, now), OverLimit):
            acted.append(now)
            generation, now = generation + 1, now + 60.0
    gaps = [later - earlier for earlier, later in pairwise(acted)]
    assert gaps[-1] == LONGEST_PAUSE


def test_a_restart_by_somebody_else_does_not_end_the_pause():
    watch = MemoryWatch(LIMIT)
    acted = []
    for place in range(40):
        now, generation = 2.0 * place, place // 4  # Someone restarts it every 8 s.
        if isinstance(watch.feed(900, generation, now), OverLimit):
            acted.append(now)
    assert all(later - earlier >= SHORTEST_PAUSE for earlier, later in pairwise(acted))
    assert len(acted) < 5


def test_a_reload_that_failed_is_not_tried_at_every_other_sample():
    restarts, _ = live(lambda age: 900, HOUR, reacts=False)
    assert len(restarts) <= 11


def test_falling_below_the_limit_ends_the_wait_for_a_restart():
    watch = MemoryWatch(LIMIT)
    for now in (0.0, 2.0, 4.0, 6.0):
        watch.feed(900, int(now >= 4.0), now)
    assert watch.feed(100, 1, 13.0) is None
    assert watch.feed(900, 1, 15.0) is None
    assert watch.feed(900, 1, 17.0) == OverLimit(900, LIMIT)


@pytest.mark.parametrize("lasts", [SOON - 4.0, SOON + 4.0])
def test_soon_is_measured_from_the_start_of_the_generation(lasts):
    restarts, said = live(lambda age: 100 if age < lasts else 900, HOUR)
    assert bool(said) == (lasts < SOON)
    assert (len(restarts) > 50) == (lasts > SOON)


@given(st.lists(st.integers(0, 2 * LIMIT), max_size=200))
def test_whatever_is_used_only_the_second_sample_over_the_limit_acts(samples):
    for place in feed_all(samples):
        assert min(samples[place - 1 : place + 1]) > LIMIT
        assert place >= 1


@given(st.lists(st.sampled_from([100, 600, 900]), min_size=1, max_size=40))
def test_however_a_need_shows_soon_restarts_become_rare(pattern):
    """Over the limit within seconds of each start, in any pattern afterwards."""
    need = lambda age: 900 if age <= 6 else pattern[int(age / INTERVAL) % len(pattern)]
    restarts, _ = live(need, HOUR)
    assert len(restarts) <= 11
    gaps = [later - earlier for earlier, later in pairwise(restarts)]
    assert all(gap >= SHORTEST_PAUSE for gap in gaps)
