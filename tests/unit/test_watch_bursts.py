"""When bursts are over, with a clock of the test's own."""

from __future__ import annotations

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from devrun.sources.watch_bursts import EVERYWHERE, MANY_EVENTS, Bursts, Hints, Pace

QUICK = Pace(0.05, 1.0)
SLOW = Pace(2.0, 4.0)
A, ALSO_A, B = (0, "a"), (1, "a"), (2, "b")
PACES = (QUICK, SLOW, SLOW)
"""Of the roots with the numbers 0 to 2."""


def hint(*files):
    return Hints(frozenset(files))


def paces_over(bursts, now):
    return [burst.pace for burst in bursts.over(now)]


def test_a_burst_is_over_after_its_quiet_time():
    bursts = Bursts(PACES)
    assert bursts.next_end is None
    bursts.hinted(hint(A), 10.0)
    bursts.hinted(hint(A), 10.04)
    assert bursts.next_end == 10.04 + 0.05
    assert bursts.over(10.05) == []
    (burst,) = bursts.over(10.1)
    assert burst.hints.files == {A}
    assert bursts.next_end is None


def test_a_burst_is_over_after_the_longest_time_whatever_goes_on():
    bursts = Bursts([Pace(inf, 1.0)])
    for now in (1.0, 1.5, 1.9):
        bursts.hinted(hint(A), now)
    assert bursts.next_end == 2.0


def test_each_pace_has_a_burst_of_its_own():
    bursts = Bursts(PACES)
    bursts.hinted(hint(A, ALSO_A), 0.0)
    (quick,) = bursts.over(0.05)
    assert (quick.pace, quick.hints.files) == (QUICK, {A})
    bursts.hinted(hint(B), 1.0)
    assert bursts.over(2.5) == []
    (slow,) = bursts.over(3.0)
    assert (slow.pace, slow.hints.files) == (SLOW, {ALSO_A, B})


def test_a_change_of_one_does_not_hold_up_another():
    bursts = Bursts(PACES)
    bursts.hinted(hint(B), 0.0)
    for tenth in range(1, 20):
        bursts.hinted(hint(A), tenth / 10)
    assert SLOW in paces_over(bursts, 2.0)


def test_what_may_be_anywhere_concerns_all():
    bursts = Bursts(PACES)
    bursts.hinted(EVERYWHERE, 0.0)
    assert [burst.hints.everywhere for burst in bursts.all()] == [True, True]
    assert bursts.all() == []


def test_many_events_of_one_burst_make_everything_be_looked_at():
    bursts = Bursts(PACES)
    for now in (0.0, 0.01):
        bursts.hinted(Hints(frozenset({A}), events=MANY_EVENTS // 2), now)
    (burst,) = bursts.over(1.0)
    assert burst.hints.everywhere


def test_after_a_comparison_those_go_on_that_have_changed():
    bursts = Bursts(PACES)
    bursts.hinted(EVERYWHERE, 0.0)
    bursts.compared({B}, 0.5)
    assert bursts.next_end == 2.5
    (burst,) = bursts.over(2.5)
    assert (burst.changes, burst.hints) == ({B}, Hints())
    bursts.hinted(EVERYWHERE, 3.0)
    bursts.compared((), 3.5)
    assert bursts.next_end is None


def test_a_comparison_without_news_does_not_prolong_a_burst():
    bursts = Bursts(PACES)
    bursts.compared({B}, 0.0)
    bursts.compared((), 1.0)
    assert bursts.next_end == 2.0


STEPS = st.lists(
    st.tuples(st.floats(0, 3), st.sets(st.sampled_from([A, ALSO_A, B])), st.booleans()), max_size=20
)


@given(STEPS)
def test_all_that_happens_is_told_in_one_burst_within_its_time(steps):
    bursts, now, pending = Bursts(PACES), 0.0, {}
    for wait, files, are_compared in steps:
        now += wait
        for burst in bursts.over(now):
            told = burst.changes | burst.hints.files
            expected = {file for file in pending if PACES[file[0]] == burst.pace}
            assert told == expected
            for file in told:
                assert now >= min(pending[file] + burst.pace.quiet, burst.end)
                del pending[file]
        if are_compared:  # It finds what was hinted at, too.
            found = {*files, *(file for file in pending)}
            bursts.compared(found, now)
        else:
            bursts.hinted(hint(*files), now)
        pending |= dict.fromkeys(files, now)
    assert {f for b in bursts.all() for f in b.changes | b.hints.files} == set(pending)
