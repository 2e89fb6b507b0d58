"""The arithmetic of restarts: what counts, how long it takes, and when it is enough."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.model import ExitStatus, RestartPolicy, RestartWhen
from devrun.supervise.restarting import NONE_YET, Again, End, Over, Tally, decide

OK, FAILED, KILLED = ExitStatus(code=0), ExitStatus(code=3), ExitStatus(signal=9)
SUPERVISED = RestartPolicy(
    RestartWhen.ON_FAILURE, tries=16, delay=0.1, factor=2.0, min_uptime=1.0, jitter=0.2
)
QUICK = End(FAILED, uptime=0.5)


def after(policy: RestartPolicy, ends: list[End], *, chance: float = 0.0) -> list[Again | Over]:
    """Return what is decided after each of some ends in a row."""
    tally, now, found = NONE_YET, 0.0, []
    for end in ends:
        now += end.uptime
        decision = decide(policy, end, tally, now=now, chance=chance)
        found.append(decision)
        if isinstance(decision, Over):
            break
        tally = decision.tally
        now += decision.delay
    return found


def test_delays_grow_up_to_the_cap_and_then_it_is_enough():
    found = after(SUPERVISED, [QUICK] * 20)
    delays = [again.delay for again in found if isinstance(again, Again)]
    assert delays[:10] == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30])
    assert len(delays) == 16
    assert found[-1] == Over("ended 17 times in a row within 1 s of starting")


def test_a_long_life_ends_the_row():
    found = after(SUPERVISED, [QUICK, QUICK, End(FAILED, uptime=10.0), QUICK])
    assert [again.tally.fast for again in found] == [1, 2, 0, 1]
    assert found[2].delay == 0.0


def test_a_middling_life_neither_adds_to_the_row_nor_ends_it():
    found = after(SUPERVISED, [QUICK, QUICK, End(FAILED, uptime=5.0), QUICK])
    assert [again.tally.fast for again in found] == [1, 2, 2, 3]


@pytest.mark.parametrize(("uptime", "counts"), [(0.999, 1), (1.0, 0)])
def test_the_border_of_min_uptime(uptime, counts):
    (again,) = after(SUPERVISED, [End(FAILED, uptime)])
    assert again.tally.fast == counts


@pytest.mark.parametrize(("chance", "waited"), [(-1.0, [1.0, 1.0, 1.6]), (1.0, [1.2, 1.2, 2.0])])
def test_jitter_keeps_within_the_least_and_the_most(chance, waited):
    policy = replace(SUPERVISED, delay=0.5, calm_delay=1.0, cap=2.0)
    found = after(policy, [QUICK] * 3, chance=chance)
    assert [again.delay for again in found] == pytest.approx(waited)


@pytest.mark.parametrize("chance", [-1.0, 1.0])
def test_a_least_delay_above_the_cap_is_what_is_waited(chance):
    (again,) = after(replace(SUPERVISED, calm_delay=60.0), [QUICK], chance=chance)
    assert again.delay == 60.0


def test_what_was_never_ready_ended_fast_however_long_it_took():
    (again,) = after(SUPERVISED, [End(FAILED, 500.0, never_ready=True)])
    assert again.tally.fast == 1


def test_crashes_that_begin_after_days_are_limited_too():
    found = after(SUPERVISED, [End(FAILED, 86400.0 * 3), *[QUICK] * 30])
    assert isinstance(found[-1], Over)
    assert len(found) == 18


def test_jitter_moves_a_delay_both_ways():
    assert after(SUPERVISED, [QUICK], chance=1.0)[0].delay == pytest.approx(0.12)
    assert after(SUPERVISED, [QUICK], chance=-1.0)[0].delay == pytest.approx(0.08)


@pytest.mark.parametrize(
    ("when", "status", "again"),
    [
        (RestartWhen.NO, FAILED, False),
        (RestartWhen.ON_FAILURE, OK, False),
        (RestartWhen.ON_FAILURE, FAILED, True),
        (RestartWhen.ON_FAILURE, KILLED, True),
        (RestartWhen.ALWAYS, OK, True),
        (RestartWhen.ALWAYS, KILLED, True),
    ],
)
def test_the_policy_says_which_ends_are_followed_by_a_start(when, status, again):
    (decision,) = after(RestartPolicy(when), [End(status, 5.0)])
    assert isinstance(decision, Again) is again


def test_a_signal_is_never_taken_for_exit_code_zero():
    policy = RestartPolicy(RestartWhen.ALWAYS, no_restart_on=frozenset({OK}))
    assert isinstance(after(policy, [End(OK, 5.0)])[0], Over)
    assert isinstance(after(policy, [End(KILLED, 5.0)])[0], Again)


def test_some_ends_are_restarted_besides():
    policy = RestartPolicy(RestartWhen.NO, restart_on=frozenset({KILLED}))
    assert isinstance(after(policy, [End(KILLED, 5.0)])[0], Again)
    assert isinstance(after(policy, [End(FAILED, 5.0)])[0], Over)


def test_a_fault_counts_whatever_the_exit_code():
    policy = RestartPolicy(RestartWhen.ON_FAILURE, tries=1, no_restart_on=frozenset({FAILED}))
    fault = End(FAILED, 0.5, fault="not ready within 3 s")
    assert after(policy, [fault, fault])[1] == Over(
        "failed 2 times in a row, the last time: not ready within 3 s"
    )


def test_a_program_that_does_not_exist_is_not_tried_again():
    missing = End(ExitStatus(code=127), 0.0, unspawned=True)
    assert after(SUPERVISED, [missing]) == [Over()]
    busy = End(ExitStatus(code=126), 0.0, unspawned=True)
    assert isinstance(after(SUPERVISED, [busy])[0], Again)


def test_too_many_restarts_in_a_window_are_enough_however_long_the_runs():
    policy = RestartPolicy(RestartWhen.ALWAYS, min_uptime=1.0, window=(3, 60.0))
    found = after(policy, [End(FAILED, 12.0)] * 5)
    assert [type(decision) for decision in found] == [Again, Again, Again, Over]
    assert found[-1] == Over("more than 3 restarts within 60 s")
    assert len(after(policy, [End(FAILED, 21.0)] * 50)) == 50


@given(
    st.floats(0, 1e6),
    st.integers(0, 10**6),
    st.floats(-1, 1),
    st.floats(0, 100),
    st.floats(1, 10),
)
def test_no_delay_is_negative_or_endless(uptime, fast, chance, delay, factor):
    policy = RestartPolicy(
        RestartWhen.ALWAYS, delay=delay, factor=factor, jitter=1.0, min_uptime=1.0
    )
    decision = decide(policy, End(FAILED, uptime), Tally(fast), now=0.0, chance=chance)
    assert isinstance(decision, Again)
    assert 0 <= decision.delay <= 60.0
