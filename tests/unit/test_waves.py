"""Services that go down together: who is told what, in which order, and who waits for whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from devrun.model import ExitStatus, Project, RestartPolicy, RestartWhen, Service
from devrun.policies import Condition, Dependency, Group, OnRestart, Strategy
from devrun.supervise.messages import GiveUp, Hold, Restart, Start, Stop
from devrun.supervise.state import Phase, State, Then
from devrun.supervise.turns import Turns

FAILED = ExitStatus(code=3)
READY = State(Phase.RUNNING, 1, has_started=True, ready=True)
WAITING = State(Phase.WAITING, 1, has_started=True)
PAUSING = State(Phase.PAUSING, 1, has_started=True, status=FAILED)
CRASHED = State(Phase.STOPPING, 1, then=Then.PAUSE, status=FAILED)
ASKED = State(Phase.STOPPING, 1, then=Then.RESTART)
ENDED = State(Phase.ENDED, 1, status=FAILED)
GIVEN_UP = replace(ENDED, given_up="ended 3 times in a row")
A, B, C, D = range(4)


def turns(*edges: str, strategy=None, members="abc", window=None, **more) -> Turns:
    """Return the turns of services a, b, c, d; "b>a" says that b depends on a."""
    needs = {"a": [], "b": [], "c": [], "d": []}
    for edge in edges:
        name, _, other = edge.partition(">")
        needs[name].append(Dependency(other, Condition.READY, **more))
    policy = RestartPolicy(RestartWhen.ON_FAILURE, window=window)
    services = tuple(
        Service(index, name, "x", "/", depends_on=tuple(needs[name]), restart=policy)
        for index, name in enumerate(needs)
    )
    groups = () if strategy is None else (Group("all", tuple(members), strategy),)
    made = Turns(Project("/", "here", services, groups=groups))
    for running in range(4):
        states = [READY] * running + [State()] * (4 - running)
        assert all(isinstance(message, Start) for _, message in made.starts(states))
    return made


def told(made: Turns, down: int | None, *states: State, now: float = 0.0) -> dict[int, list[str]]:
    """Return what each is told when one goes down, or when states change."""
    found: dict[int, list[str]] = {}
    orders = [] if down is None else list(made.went_down(down, states, now))
    for index, order in [*orders, *made.of_waves(states)]:
        found.setdefault(index, []).append(_word(order))
    return found


def _word(order) -> str:
    match order:
        case Restart() | Stop():
            return order.reason
        case GiveUp():
            return f"give up: {order.reason}"
        case Hold():
            return "hold"


def started(made: Turns, *states: State) -> list[int]:
    return [index for index, message in made.starts(states) if isinstance(message, Start)]


CHAIN = ("b>a", "c>b")
RESTARTS = ["restarting with a", "hold"]


def test_dependants_that_are_restarted_go_down_one_after_another():
    made = turns(*CHAIN, on_restart=OnRestart.RESTART)
    assert told(made, A, CRASHED, READY, READY, READY) == {
        A: ["hold"],
        C: ["restarting with b", "hold"],
    }
    assert told(made, None, PAUSING, READY, ASKED, READY) == {}
    assert told(made, C, PAUSING, READY, WAITING, READY) == {B: RESTARTS}
    assert told(made, B, PAUSING, ASKED, WAITING, READY) == {}


def test_nothing_starts_until_all_are_down():
    made = turns(*CHAIN, on_restart=OnRestart.RESTART)
    told(made, A, CRASHED, READY, READY, READY)
    assert started(made, WAITING, READY, ASKED, READY) == []
    told(made, C, WAITING, READY, WAITING, READY)
    told(made, B, WAITING, ASKED, WAITING, READY)
    assert started(made, WAITING, ASKED, WAITING, READY) == []
    told(made, None, WAITING, WAITING, WAITING, READY)
    assert started(made, WAITING, WAITING, WAITING, READY) == [A], "the others wait for it"
    assert started(made, replace(READY, generation=2), WAITING, WAITING, READY) == [B]


def test_a_diamond_goes_down_once():
    made = turns("b>a", "c>a", "d>b", "d>c", on_restart=OnRestart.RESTART)
    assert told(made, A, CRASHED, READY, READY, READY).keys() == {A, D}
    assert told(made, D, PAUSING, READY, READY, WAITING) == {B: RESTARTS, C: RESTARTS}
    assert told(made, B, PAUSING, ASKED, ASKED, WAITING) == {}
    assert told(made, C, PAUSING, WAITING, ASKED, WAITING) == {}


def test_what_is_stopped_says_with_whom():
    made = turns(*CHAIN, on_restart=OnRestart.STOP)
    assert told(made, A, ENDED, READY, READY, READY) == {C: ["stopping with b"]}
    assert told(made, C, ENDED, READY, ENDED, READY) == {B: ["stopping with a"]}


def test_what_is_to_start_again_by_itself_is_stopped_too():
    made = turns("b>a", on_restart=OnRestart.STOP)
    assert told(made, A, CRASHED, PAUSING, READY, READY)[B] == ["stopping with a"]


def test_what_waits_for_its_first_start_goes_on_waiting():
    made = turns("b>a", on_restart=OnRestart.STOP)
    assert told(made, A, CRASHED, State(), READY, READY) == {}


@pytest.mark.parametrize(
    ("strategy", "first", "second"),
    [
        (Strategy.ONE_FOR_ONE, set(), set()),
        (Strategy.REST_FOR_ONE, {C}, set()),
        (Strategy.ONE_FOR_ALL, {C}, {A}),
    ],
)
def test_groups_go_down_in_reverse(strategy, first, second):
    made = turns(*CHAIN, strategy=strategy)
    assert told(made, B, READY, CRASHED, READY, READY).keys() - {B} == first
    if first:
        assert told(made, C, READY, PAUSING, WAITING, READY).keys() == second


def test_a_group_waits_for_the_pause_of_the_one_that_failed():
    made = turns(strategy=Strategy.ONE_FOR_ALL)
    told(made, A, CRASHED, READY, READY, READY)
    told(made, None, PAUSING, WAITING, WAITING, READY)
    assert started(made, PAUSING, WAITING, WAITING, READY) == []
    told(made, None, WAITING, WAITING, WAITING, READY)
    assert started(made, WAITING, WAITING, WAITING, READY) == [A, B, C]


def test_what_has_ended_is_not_started_by_its_group():
    made = turns(strategy=Strategy.ONE_FOR_ALL)
    assert told(made, A, CRASHED, ENDED, READY, READY).keys() == {A, C}


def test_a_pause_of_a_member_ends_with_the_others():
    made = turns(strategy=Strategy.ONE_FOR_ALL)
    assert told(made, A, CRASHED, PAUSING, READY, READY)[B] == ["hold"]


def test_a_second_failure_in_a_wave_is_part_of_it():
    made = turns(strategy=Strategy.ONE_FOR_ALL)
    told(made, A, CRASHED, READY, READY, READY)
    told(made, B, CRASHED, CRASHED, ASKED, READY)
    assert started(made, WAITING, CRASHED, WAITING, READY) == []
    told(made, None, WAITING, WAITING, WAITING, READY)
    assert started(made, WAITING, WAITING, WAITING, READY) == [A, B, C]


@pytest.mark.parametrize("strategy", [Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE])
def test_failures_are_counted_for_the_whole_group(strategy):
    made = turns("b>a", strategy=strategy, members="ab", window=(2, 30.0))
    assert "give up" not in str(told(made, A, CRASHED, READY, READY, READY, now=0.0))
    told(made, None, WAITING, WAITING, READY, READY)
    assert "give up" not in str(told(made, B, READY, CRASHED, READY, READY, now=10.0))
    told(made, None, WAITING, WAITING, READY, READY)
    reason = "more than 2 restarts of the group all within 30 s"
    assert told(made, A, CRASHED, READY, READY, READY, now=20.0) == {
        A: [f"give up: {reason}"],
        B: ["stopping with a"],
    }


def test_failures_long_ago_do_not_count():
    made = turns(strategy=Strategy.ONE_FOR_ALL, members="ab", window=(1, 30.0))
    told(made, A, CRASHED, READY, READY, READY, now=0.0)
    told(made, None, WAITING, WAITING, READY, READY)
    assert "give up" not in str(told(made, A, CRASHED, READY, READY, READY, now=31.0))


def test_a_group_ends_with_a_member_that_is_given_up():
    made = turns("b>a", strategy=Strategy.ONE_FOR_ALL, members="ab")
    assert told(made, A, GIVEN_UP, READY, READY, READY) == {B: ["stopping with a"]}


def test_a_member_that_waits_is_not_started_when_its_group_has_ended():
    made = turns(strategy=Strategy.ONE_FOR_ALL, members="ab")
    made.put_back(B)
    assert told(made, A, GIVEN_UP, WAITING, READY, READY) == {B: ["stopping with a"]}
    assert started(made, GIVEN_UP, WAITING, READY, READY) == []
