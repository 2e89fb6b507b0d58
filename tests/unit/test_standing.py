"""How an instance stands, in one word; and what is remembered of its life."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from devrun.events import (
    Exited,
    Failed,
    Healthy,
    Ready,
    Retrying,
    Skipped,
    SpawnFailed,
    Started,
    Unhealthy,
)
from devrun.model import ExitStatus, Service
from devrun.policies import DelayGate, Readiness
from devrun.supervise.lives import MOST_EXITS, MOST_PROBES, Life, Lives
from devrun.supervise.standing import Standing, Word, standing
from devrun.supervise.state import Phase, State, Then

OK, FAILED, KILLED = ExitStatus(code=0), ExitStatus(code=3), ExitStatus(signal=9)
PLAIN = Service(0, "web", "x", "/")
GATED = replace(PLAIN, ready=Readiness(DelayGate(1.0), timeout=1.0))
RUNNING = State(Phase.RUNNING, 1)
READY = replace(RUNNING, ready=True)
ENDED = State(Phase.ENDED, 1)


@pytest.mark.parametrize(
    ("service", "state", "life", "expected"),
    [
        (PLAIN, State(), Life(), Standing(Word.BLOCKED, "waits for db (ready)")),
        (PLAIN, State(Phase.PAUSING), Life(), Standing(Word.DELAYED)),
        (
            PLAIN,
            State(Phase.PAUSING, 1, status=FAILED),
            Life(),
            Standing(Word.BACKOFF, "exit code 3"),
        ),
        (GATED, RUNNING, Life(), Standing(Word.STARTING)),
        (GATED, RUNNING, Life(unhealthy="refused"), Standing(Word.STARTING, "refused")),
        (PLAIN, State(Phase.STOPPING, 1, then=Then.END), Life(), Standing(Word.STOPPING)),
        (
            PLAIN,
            State(Phase.KILLING, 1, fault="not ready within 1 s"),
            Life(),
            Standing(Word.KILLING, "not ready within 1 s"),
        ),
        (PLAIN, State(Phase.IDLE, 1, status=OK), Life(), Standing(Word.IDLE, "exit code 0")),
        (PLAIN, replace(ENDED, status=OK), Life(), Standing(Word.COMPLETED)),
        (PLAIN, replace(ENDED, status=FAILED), Life(), Standing(Word.FAILED, "exit code 3")),
        (PLAIN, replace(ENDED, status=KILLED), Life(), Standing(Word.FAILED, "ended by SIGKILL")),
        (PLAIN, replace(ENDED, status=KILLED, stopped=True), Life(), Standing(Word.STOPPED)),
        (PLAIN, ENDED, Life(), Standing(Word.STOPPED)),
        (
            PLAIN,
            replace(ENDED, status=FAILED),
            Life(given_up="ended 3 times in a row"),
            Standing(Word.FAILED, "ended 3 times in a row"),
        ),
        (
            PLAIN,
            replace(ENDED, status=FAILED, skipped=True),
            Life(skipped="db was stopped"),
            Standing(Word.SKIPPED, "db was stopped"),
        ),
    ],
)
def test_every_phase_has_its_words(service, state, life, expected):
    assert standing(service, state, life, waits_for=["db (ready)"]) == expected


def test_what_runs_is_ready_only_if_something_says_so():
    assert standing(PLAIN, READY, Life()) == Standing(Word.RUNNING)
    assert standing(GATED, READY, Life()) == Standing(Word.READY)
    assert standing(GATED, READY, Life(), is_reloading=True) == Standing(Word.RELOADING)


def test_what_runs_without_what_it_needs_is_degraded_and_says_so():
    without = standing(GATED, READY, Life(), waits_for=["db (ready)"])
    assert without == Standing(Word.DEGRADED, "without db (ready)")
    sick = standing(GATED, replace(READY, healthy=False), Life(unhealthy="status 500"))
    assert sick == Standing(Word.DEGRADED, "status 500")


def exited(generation=1, status=FAILED, *, fault=None, stopped=False):
    return Exited(0, generation, status, 108.0, 7.5, final=True, stopped=stopped, fault=fault)


def lives(*events):
    found = Lives(lambda: 110.0)
    for event in events:
        found.take(event)
    return found[0]


def test_ends_are_remembered_with_the_time_of_day():
    before = time.time()
    life = lives(Started(0, 1, 99, 100.5), exited(fault="not ready within 5 s"))
    last = life.last_exit
    assert last is not None
    assert (last.generation, last.status, last.uptime) == (1, FAILED, 7.5)
    assert last.reason == "not ready within 5 s"
    assert before - 2 <= last.at <= time.time() - 2
    assert life.started_at is not None
    assert before - 9.5 <= life.started_at <= time.time() - 9.5


def test_only_generations_that_follow_others_are_restarts():
    assert lives(Started(0, 1, 99, 100.0)).restarts == 0
    assert lives(Started(0, 1, 99, 100.0), exited(), Started(0, 2, 98, 105.0)).restarts == 1


def test_a_start_ends_what_was_said_of_the_one_before():
    trouble = [
        Unhealthy(0, 1, "refused", stops=True),
        Skipped(0, "db"),
        Failed(0, 1, "3 times"),
        Retrying(0, 1, 60.0, 1, 3),
    ]
    life = lives(*trouble)
    told = (life.unhealthy, life.skipped, life.given_up)
    assert told == ("refused", "db", "3 times")
    assert life.retry_at is not None
    assert life.retry_at > time.time() + 50
    life = lives(*trouble, Started(0, 2, 98, 105.0))
    assert (life.unhealthy, life.skipped, life.given_up, life.retry_at) == (None,) * 4


def test_what_could_not_be_started_is_an_end_too():
    life = lives(SpawnFailed(0, 1, ExitStatus(code=127), "no such program", 105.0, final=True))
    assert life.last_exit is not None
    assert (life.last_exit.reason, life.last_exit.uptime) == ("no such program", 0.0)


def test_memory_is_bounded_and_the_latest_stay():
    ends = [exited(generation) for generation in range(1, 40)]
    sick = [Unhealthy(0, number, "x", stops=False) for number in range(40)]
    life = lives(*ends, *sick, Healthy(0, 41, again=True), Ready(0, 42, 109.0, 1.0))
    assert [end.generation for end in life.exits] == [*range(40 - MOST_EXITS, 40)]
    assert len(life.probes) == MOST_PROBES
    assert [probe.healthy for probe in life.probes][-3:] == [False, True, True]
    assert life.unhealthy is None
