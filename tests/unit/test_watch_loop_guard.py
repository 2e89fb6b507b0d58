"""The loop guard, with a clock of our own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.sources.loop_guard import MOST, REST, SOON, WINDOW, Answer, LoopGuard


def fire(guard, times, after=1.0, service=0):
    """Restart a service at these times, each ``after`` seconds since its last start."""
    return [guard.changed(service, now, now - after) for now in times]


def test_a_service_that_changes_its_own_files_is_suspended_once_and_said_once():
    guard = LoopGuard()
    answers = fire(guard, range(MOST + 5))
    assert answers == [Answer.RESTART] * MOST + [Answer.SUSPEND] + [Answer.PASS_OVER] * 4


def test_a_change_whose_start_is_unknown_is_suspected():
    guard = LoopGuard()
    assert [guard.changed(0, now) for now in range(MOST + 1)][-1] is Answer.SUSPEND


def test_one_change_long_after_a_start_takes_the_suspicion_back():
    guard = LoopGuard()
    fire(guard, range(MOST))
    fire(guard, [MOST], after=SOON + 0.1)
    assert set(fire(guard, range(MOST + 1, 2 * MOST + 1))) == {Answer.RESTART}


def test_somebody_who_saves_every_four_seconds_is_never_suspended():
    guard = LoopGuard()
    assert set(fire(guard, range(0, 4000, 4), after=3.9)) == {Answer.RESTART}


def test_slow_restarts_are_no_loop():
    guard = LoopGuard()
    step = WINDOW / MOST
    assert set(fire(guard, [n * step for n in range(100)])) == {Answer.RESTART}


@pytest.mark.parametrize("pause", [REST - 0.1, REST])
def test_a_suspended_service_is_watched_again_after_a_rest(pause):
    guard = LoopGuard()
    fire(guard, range(MOST + 1))
    answer = guard.changed(0, MOST + pause, MOST + pause - 60)
    assert answer is (Answer.RESTART if pause >= REST else Answer.PASS_OVER)


def test_services_are_counted_apart():
    guard = LoopGuard()
    fire(guard, range(MOST), service=0)
    assert fire(guard, [MOST], service=1) == [Answer.RESTART]
    assert fire(guard, [MOST], service=0) == [Answer.SUSPEND]


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 10)), max_size=80))
def test_it_never_suspends_without_as_many_suspected_restarts(steps):
    guard, now, restarts = LoopGuard(), 0.0, 0
    for pause, age in steps:
        now += pause
        answer = guard.changed(0, now, now - age)
        if answer is Answer.SUSPEND:
            assert restarts >= MOST
        restarts = restarts + 1 if answer is Answer.RESTART and age <= SOON else 0
