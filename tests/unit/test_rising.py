"""How far a run has come up, and when there is nothing more to wait for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.control.rising import Picture, Rise, Risen, _rise
from devrun.control.service_state import status_of
from devrun.supervise.standing import Standing, Word

UP, FAILED, HELD_UP, AWAITED = Rise.UP, Rise.FAILED, Rise.HELD_UP, Rise.AWAITED


def picture(*rises: Rise) -> Picture:
    standing = Standing(Word.RUNNING)
    return Picture({n: Risen(f"s{n}", rise, standing, 1) for n, rise in enumerate(rises)})


@pytest.mark.parametrize(
    ("rises", "is_up", "is_decided"),
    [
        ((), True, True),
        ((UP, UP), True, True),
        ((UP, AWAITED), False, False),
        ((UP, FAILED), False, True),
        ((FAILED, AWAITED), False, False),
        ((FAILED, HELD_UP, UP), False, True),
        ((UP, HELD_UP), False, False),
    ],
)
def test_what_is_held_up_by_a_failure_is_not_waited_for(rises, is_up, is_decided):
    found = picture(*rises)
    assert (found.is_up, found.is_decided) == (is_up, is_decided)


@given(st.lists(st.sampled_from(Rise)))
def test_what_is_up_is_decided(rises):
    found = picture(*rises)
    assert found.is_decided or not found.is_up
    assert not (found.is_decided and AWAITED in rises)


@pytest.mark.parametrize("word", list(Word))
def test_every_standing_is_one_of_these(word):
    assert isinstance(_rise(word, ended_well=False), Rise)


def test_one_that_has_ended_well_and_may_come_again_is_up():
    for word in (Word.BACKOFF, Word.IDLE):
        assert _rise(word, ended_well=True) is UP
        assert _rise(word, ended_well=False) is FAILED


@pytest.mark.parametrize(
    ("rises", "said"),
    [
        ((UP,), "1 service up"),
        ((UP, UP), "2 services up"),
        ((UP, FAILED, AWAITED), "1 of 3 services up; failed: s1; waiting for: s2"),
        ((HELD_UP,), "0 of 1 service up; waiting for: s0"),
        (
            (FAILED,) * 7,
            "0 of 7 services up; failed: s0, s1, s2, s3, s4 and 2 more",
        ),
    ],
)
def test_it_is_said_in_a_line(rises, said):
    assert status_of(picture(*rises)) == said


@pytest.mark.parametrize("word", [Word.IDLE, Word.STOPPED])
def test_what_nobody_starts_again_holds_others_up_for_good(word):
    """A watched program that has ended, and what somebody has stopped."""
    found = picture(UP, HELD_UP)
    over = Risen("s0", UP, Standing(word), 1)
    assert not found.is_decided
    assert Picture({**found.instances, 0: over}).is_decided


def test_some_are_decided_before_others():
    found = picture(UP, AWAITED, FAILED)
    assert found.is_decided_for([0, 2])
    assert not found.is_decided_for([0, 1])
    assert found.is_decided_for([7])
