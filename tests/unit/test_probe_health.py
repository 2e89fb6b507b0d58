"""What the answers of a health check mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.policies import FileProbe, HealthCheck
from devrun.supervise.probes.answers import Failed, HeldByOther, Passed
from devrun.supervise.probes.health import (
    START_INTERVAL,
    Degraded,
    Healthy,
    Record,
    Unhealthy,
    judge,
    pause_after,
)

CHECK = HealthCheck(FileProbe("/nowhere"), retries=3)


def reports(answers, check=CHECK, lenient=0):
    """Judge answers, the first ``lenient`` of them within the start period."""
    record, said = Record(), []
    for number, answer in enumerate(answers):
        record, health = judge(check, record, answer, counts=number >= lenient)
        if health is not None:
            said.append(health)
    return said


def test_the_first_success_is_told_and_the_next_is_not():
    assert reports([Passed()] * 3) == [Healthy(again=False)]


def test_failures_in_a_row_are_counted_up_to_the_last():
    answers = [Passed(), Failed("a"), Failed("b"), Failed("c")]
    said = [Healthy(again=False), Degraded("a", 1), Degraded("b", 2), Unhealthy("c")]
    assert reports(answers) == said


def test_a_probe_that_flaps_just_below_the_threshold_never_makes_it_unhealthy():
    said = reports([Failed("a"), Failed("a"), Passed()] * 5)
    assert said == [Degraded("a", 1), Degraded("a", 2), Healthy(again=True)] * 5


def test_failures_in_the_start_period_do_not_count():
    assert reports([Failed("a")] * 9, lenient=9) == []
    assert reports([Failed("a")] * 10, lenient=9) == [Degraded("a", 1)]
    assert reports([Passed(), Failed("a"), Passed()], lenient=3) == [Healthy(again=False)]


def test_one_retry_means_that_the_first_failure_decides():
    check = HealthCheck(FileProbe("/nowhere"), retries=1)
    assert reports([Failed("a")], check) == [Unhealthy("a")]


def test_a_port_that_another_holds_is_a_failure():
    answer = HeldByOther(3000, "node (pid 7)", "web")
    assert reports([answer]) == [Degraded("port 3000 is held by node (pid 7), not by web", 1)]


@given(st.lists(st.booleans()), st.integers(1, 5), st.integers(0, 10))
def test_it_is_unhealthy_exactly_when_enough_failures_in_a_row_counted(passes, retries, lenient):
    check = HealthCheck(FileProbe("/nowhere"), retries=retries)
    said = reports([Passed() if each else Failed("x") for each in passes], check, lenient)
    counted = "".join("+" if each else "-" for n, each in enumerate(passes) if each or n >= lenient)
    assert any(isinstance(each, Unhealthy) for each in said) == ("-" * retries in counted)


@pytest.mark.parametrize(
    ("interval", "record", "starting", "pause"),
    [
        (30.0, Record(), True, START_INTERVAL),
        (30.0, Record(known=True), True, 30.0),
        (30.0, Record(), False, 30.0),
        (1.0, Record(), True, 1.0),
    ],
)
def test_a_long_interval_does_not_hold_up_the_start(interval, record, starting, pause):
    check = HealthCheck(FileProbe("/nowhere"), interval=interval)
    assert pause_after(check, record, starting=starting) == pause
