"""Who may start when, what is never started and why, and who stops first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from devrun.model import ExitStatus, Project, Service
from devrun.policies import Condition, Dependency, Group, OnRestart, Strategy
from devrun.supervise.dependencies import Closed, Dependencies, Never, Open
from devrun.supervise.messages import Skip, Start
from devrun.supervise.state import Phase, State
from devrun.supervise.turns import Turns

OK, FAILED = ExitStatus(code=0), ExitStatus(code=3)
WAITING = State()
SPAWNING = State(Phase.RUNNING, 1)
RUNNING = replace(SPAWNING, has_started=True)
READY = replace(RUNNING, ready=True)
HEALTHY = replace(READY, healthy=True)
SICK = replace(READY, healthy=False)
COMPLETED = State(Phase.ENDED, 1, has_started=True, status=OK)
BROKEN = replace(COMPLETED, status=FAILED)
STOPPED = replace(COMPLETED, stopped=True)
PAUSING = State(Phase.PAUSING, 1, has_started=True, status=FAILED)
SKIPPED = State(Phase.ENDED, status=FAILED, skipped=True)


def project(*edges: str, groups: tuple[Group, ...] = (), **more) -> Project:
    """Return services a, b, c, d; "b>a" says that b depends on a."""
    needs = {"a": [], "b": [], "c": [], "d": []}
    for edge in edges:
        name, _, other = edge.partition(">")
        needs[name].append(Dependency(other, **more))
    services = tuple(
        Service(index, name, "x", "/", depends_on=tuple(needs[name]))
        for index, name in enumerate(needs)
    )
    return Project("/", "here", services, groups=groups)


@pytest.mark.parametrize(
    ("condition", "opened", "closed", "never"),
    [
        (
            Condition.STARTED,
            [RUNNING, READY, SICK, COMPLETED],
            [WAITING, SPAWNING, PAUSING],
            [BROKEN, SKIPPED],
        ),
        (Condition.READY, [READY, SICK], [WAITING, RUNNING, PAUSING], [COMPLETED, BROKEN, SKIPPED]),
        (Condition.HEALTHY, [HEALTHY], [WAITING, READY, SICK, PAUSING], [COMPLETED, STOPPED]),
        (Condition.COMPLETED, [COMPLETED], [WAITING, READY, PAUSING], [BROKEN, STOPPED, SKIPPED]),
    ],
)
def test_what_each_condition_takes(condition, opened, closed, never):
    dependencies = Dependencies(project("b>a", condition=condition))
    for states, kind in ((opened, Open), (closed, Closed), (never, Never)):
        for state in states:
            assert isinstance(dependencies.standing(1, [state, WAITING]), kind), state


def test_what_is_not_required_is_gone_without():
    dependencies = Dependencies(project("b>a", condition=Condition.READY, required=False))
    assert dependencies.standing(1, [BROKEN, WAITING]) == Open()
    assert isinstance(dependencies.standing(1, [RUNNING, WAITING]), Closed)
    missing = replace(project().services[1], depends_on=(Dependency("z", required=False),))
    alone = replace(project(), services=(project().services[0], missing))
    assert Dependencies(alone).standing(1, [READY, WAITING]) == Open()


def test_the_chain_is_said():
    dependencies = Dependencies(project("b>a", "c>b", "d>c", condition=Condition.READY))
    assert dependencies.standing(3, [BROKEN, SKIPPED, SKIPPED, WAITING]) == Never(
        "c was not started (b was not started (a ended with exit code 3))", cause=2
    )
    assert dependencies.standing(1, [STOPPED, WAITING]) == Never("a was stopped", cause=0)
    never = Never("a ended before it was ready", cause=0)
    assert dependencies.standing(1, [COMPLETED, WAITING]) == never
    killed = replace(BROKEN, status=ExitStatus(signal=9))
    assert dependencies.standing(1, [killed, WAITING]) == Never("a ended by SIGKILL", cause=0)


def test_all_instances_are_depended_on():
    web = [Service(i, f"web.{i + 1}", "x", "/", process="web", number=i + 1) for i in range(2)]
    job = Service(2, "job", "x", "/", depends_on=(Dependency("web"),))
    dependencies = Dependencies(Project("/", "here", (*web, job)))
    assert isinstance(dependencies.standing(2, [RUNNING, WAITING, WAITING]), Closed)
    assert dependencies.standing(2, [RUNNING, RUNNING, WAITING]) == Open()


def started(turns: Turns, states: list[State]) -> list[tuple[int, object]]:
    return list(turns.starts(states))


def test_independent_services_start_together_and_the_others_in_turn():
    turns = Turns(project("b>a", "c>a", "d>b", "d>c", condition=Condition.READY))
    assert started(turns, [WAITING] * 4) == [(0, Start())]
    assert started(turns, [RUNNING, WAITING, WAITING, WAITING]) == []
    assert started(turns, [READY, WAITING, WAITING, WAITING]) == [(1, Start()), (2, Start())]
    assert started(turns, [READY, READY, RUNNING, WAITING]) == []
    assert started(turns, [READY, READY, READY, WAITING]) == [(3, Start())]


def test_what_waits_again_is_told_again():
    turns = Turns(project("b>a", condition=Condition.READY))
    assert started(turns, [READY, WAITING, RUNNING, RUNNING])[-1] == (3, Start())
    again = State(Phase.WAITING, 1)
    assert started(turns, [RUNNING, again, RUNNING, RUNNING]) == []
    assert started(turns, [READY, again, RUNNING, RUNNING]) == [(1, Start())]
    assert started(turns, [READY, again, RUNNING, RUNNING]) == [], "once"


def test_what_waits_again_after_its_start_delay_is_told_again():
    turns = Turns(project("b>a", condition=Condition.READY))
    assert started(turns, [READY, WAITING, RUNNING, RUNNING])[-1] == (3, Start())
    again = replace(WAITING, delayed=True)
    assert started(turns, [RUNNING, again, RUNNING, RUNNING]) == []
    assert started(turns, [READY, again, RUNNING, RUNNING]) == [(1, Start())]
    assert started(turns, [READY, again, RUNNING, RUNNING]) == [], "once"


def test_who_waits_for_what_may_come_back_is_known():
    dependencies = Dependencies(project("b>a", "c>a", "d>b", condition=Condition.READY))
    idle = State(Phase.IDLE, 1, has_started=True, status=FAILED)
    assert list(dependencies.left_waiting(0, [idle, WAITING, RUNNING, WAITING])) == [1]


def test_what_can_never_start_is_skipped():
    turns = Turns(project("b>a", condition=Condition.COMPLETED))
    assert started(turns, [BROKEN, WAITING, RUNNING, RUNNING])[1:2] == [
        (1, Skip("a ended with exit code 3", cause=0))
    ]


def test_slots_are_kept_to():
    turns = Turns(replace(project(), max_processes=2))
    assert started(turns, [WAITING] * 4) == [(0, Start()), (1, Start())]
    assert started(turns, [RUNNING, COMPLETED, WAITING, WAITING]) == [(2, Start())]


def test_dependants_stop_first():
    turns = Turns(project("b>a", "c>b"))
    assert list(turns.stops([READY] * 4)) == [2, 3]
    assert list(turns.stops([READY] * 4)) == [], "one signal each"
    assert list(turns.stops([READY, READY, STOPPED, READY])) == [1]
    assert list(turns.stops([READY, STOPPED, STOPPED, READY])) == [0]


def test_what_has_not_begun_is_stopped_at_once():
    turns = Turns(project("b>a", "c>b"))
    assert list(turns.stops([READY, WAITING, PAUSING, READY])) == [1, 2, 3]


@pytest.mark.parametrize(
    ("what", "restarts", "follows"),
    [
        (OnRestart.IGNORE, True, []),
        (OnRestart.RESTART, True, [(1, OnRestart.RESTART)]),
        (OnRestart.RESTART, False, []),
        (OnRestart.STOP, True, [(1, OnRestart.STOP)]),
        (OnRestart.STOP, False, [(1, OnRestart.STOP)]),
    ],
)
def test_what_becomes_of_dependants(what, restarts, follows):
    dependencies = Dependencies(project("b>a", "c>b", on_restart=what))
    assert list(dependencies.follow(0, restarts=restarts, failed=True)) == follows


@pytest.mark.parametrize(
    ("strategy", "others"),
    [
        (Strategy.ONE_FOR_ONE, []),
        (Strategy.REST_FOR_ONE, [2]),
        (Strategy.ONE_FOR_ALL, [0, 2]),
    ],
)
def test_groups_restart_as_their_strategy_says(strategy, others):
    group = Group("all", ("a", "b", "c"), strategy)
    dependencies = Dependencies(project("b>a", "c>b", "d>c", groups=(group,)))
    restarts = [(other, OnRestart.RESTART) for other in others]
    assert list(dependencies.follow(1, restarts=True, failed=True)) == restarts
    assert list(dependencies.follow(1, restarts=True, failed=False)) == []
    assert list(dependencies.follow(3, restarts=True, failed=True)) == []
