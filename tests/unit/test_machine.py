"""The life of one service: named scenarios, and a random walk that no example would find."""

from __future__ import annotations

import signal
from math import inf

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from devrun.events import Changed, Exited, Notice, Restarted, SpawnFailed, Started
from devrun.model import ExitStatus, RestartPolicy, Service, StopPolicy, WatchRule
from devrun.supervise.machine import UNKILLABLE_AFTER, Phase, State, restart_delay, step
from devrun.supervise.messages import (
    Ask,
    Clear,
    Deadline,
    Emit,
    Ended,
    FilesChanged,
    Gone,
    Kill,
    Level,
    NotSpawned,
    Spawn,
    Spawned,
    Start,
    Stop,
)

OK = ExitStatus(code=0)
FAILED = ExitStatus(code=3)
TERM, INT = signal.SIGTERM, signal.SIGINT
RULE = WatchRule("/src", None, "src")


def service(**changes) -> Service:
    return Service(0, "web", "run", "/", stop=StopPolicy(timeout=10.0), **changes)


class Life:
    """A service under the machine, with a clock that the test sets."""

    def __init__(self, spec: Service) -> None:
        self.spec = spec
        self.state = State()
        self.now = 100.0
        self.actions: list[object] = []

    def tell(self, message, *, after: float = 0.0) -> Life:
        self.now += after
        self.state, actions = step(self.spec, self.state, message, self.now)
        self.actions = list(actions)
        return self

    def run(self) -> Life:
        self.tell(Start())
        return self.tell(Spawned(self.state.generation, 4711, self.now))

    def end(self, status: ExitStatus, *, after: float = 1.0) -> Life:
        return self.tell(Ended(self.state.generation, status), after=after)

    def gone(self) -> Life:
        return self.tell(Gone(self.state.generation))

    @property
    def events(self) -> list[object]:
        return [action.event for action in self.actions if isinstance(action, Emit)]

    @property
    def orders(self) -> list[object]:
        return [action for action in self.actions if not isinstance(action, Emit)]


def test_a_service_starts_and_ends():
    life = Life(service())
    assert life.tell(Start()).actions == [Spawn(1)]
    assert life.tell(Spawned(1, 4711, 99.5)).events == [Started(0, 1, 4711, 99.5)]
    life.end(FAILED, after=2.5)
    assert life.events == [Exited(0, 1, FAILED, 102.5, 3.0, final=True, stopped=False)]
    assert life.state.over


def test_an_end_that_was_noticed_late_is_told_with_its_own_time():
    life = Life(service()).run()
    life.tell(Ended(1, OK, before=0.25), after=1.0)
    assert life.events == [Exited(0, 1, OK, 100.75, 0.75, final=True, stopped=False)]


def test_what_follows_waits_until_the_output_has_been_taken():
    life = Life(service(restart=RestartPolicy(tries=1))).run().end(FAILED)
    assert life.tell(Gone(1, read=False)).actions == []
    assert life.state.phase is Phase.PAUSING
    assert life.tell(Deadline()).orders == [Spawn(2)]


def test_a_stop_is_one_signal_and_then_a_kill():
    life = Life(service()).run()
    assert life.tell(Stop(Level.ASK, TERM)).actions == [Ask(1, TERM)]
    assert life.tell(Stop(Level.ASK, TERM)).actions == []
    assert life.tell(Deadline(), after=9.9).actions == []
    assert life.tell(Deadline(), after=0.1).actions == [Kill(1, 10.0)]
    assert life.state.phase is Phase.KILLING


def test_what_is_stopped_on_purpose_is_marked_so():
    life = Life(service()).run().tell(Stop(Level.ASK, TERM)).end(ExitStatus(signal=TERM))
    assert life.events[0].stopped
    assert life.orders == [Clear(1, TERM)]
    assert not life.state.over
    assert life.gone().state.over


def test_a_second_stop_kills_at_once():
    life = Life(service()).run().tell(Stop(Level.ASK, INT))
    assert life.tell(Stop(Level.KILL, INT), after=0.5).actions == [Kill(1, 0.5)]


def test_what_outlives_the_main_process_has_until_the_deadline():
    life = Life(service()).run().tell(Stop(Level.ASK, TERM)).end(OK, after=1.0)
    assert life.tell(Deadline(), after=8.0).actions == []
    assert life.tell(Deadline(), after=1.0).actions == [Kill(1, 10.0)]
    assert life.gone().state.over


def test_a_tree_that_cannot_be_killed_is_given_up():
    life = Life(service()).run().tell(Stop(Level.KILL, TERM))
    life.tell(Deadline(), after=UNKILLABLE_AFTER)
    assert life.state.over
    assert isinstance(life.events[0], Notice)


def test_a_failure_is_restarted_after_its_leftovers_are_gone():
    life = Life(service(restart=RestartPolicy(tries=1, delay=5.0))).run().end(FAILED)
    assert life.events == [Exited(0, 1, FAILED, 101.0, 1.0, final=False, stopped=False)]
    assert life.orders == [Clear(1, TERM)]
    assert life.gone().actions == []
    assert life.tell(Deadline(), after=4.9).actions == []
    assert life.tell(Deadline(), after=0.1).actions == [Emit(Restarted(0, 2, 106.0)), Spawn(2)]
    life.tell(Spawned(2, 1, 0.0)).end(FAILED)
    assert life.state.over, "one try is one restart"


def test_success_is_not_restarted():
    assert Life(service(restart=RestartPolicy(tries=-1))).run().end(OK).state.over


def test_a_process_that_cannot_be_started_is_an_exit():
    missing = ExitStatus(code=127)
    life = Life(service()).tell(Start()).tell(NotSpawned(1, missing, "no such program"))
    assert life.events == [SpawnFailed(0, 1, missing, "no such program", 100.0, final=True)]
    assert life.state.over


def test_a_change_restarts_and_is_no_failure():
    life = Life(service(watch=(RULE,))).run()
    life.tell(FilesChanged("a.py", 2))
    assert life.actions == [Emit(Changed(0, "a.py", 2)), Ask(1, TERM)]
    assert life.end(ExitStatus(signal=TERM)).events[0].stopped
    assert life.gone().actions == [Emit(Restarted(0, 2, 101.0)), Spawn(2)]


def test_a_change_starts_what_had_ended():
    life = Life(service(watch=(RULE,))).run().end(FAILED)
    assert life.state.phase is Phase.IDLE
    assert not life.state.over
    assert life.tell(FilesChanged("a.py")).orders == [Spawn(2)]


def test_a_change_ends_a_pause_and_the_count_of_failures():
    spec = service(watch=(RULE,), restart=RestartPolicy(tries=1, delay=60.0))
    life = Life(spec).run().end(FAILED).gone()
    assert life.state.phase is Phase.PAUSING
    assert life.tell(FilesChanged("a.py")).orders == [Spawn(2)]
    assert life.state.retries == 0


@pytest.mark.parametrize("level", Level)
def test_a_stop_ends_a_pause(level):
    life = Life(service(restart=RestartPolicy(tries=-1, delay=60.0))).run().end(FAILED).gone()
    assert life.tell(Stop(level, TERM)).state.over
    assert life.tell(Deadline(), after=1000).actions == []


def test_a_stop_beats_a_restart_that_has_begun():
    life = Life(service(watch=(RULE,))).run().tell(FilesChanged("a.py")).tell(Stop(Level.ASK, INT))
    assert life.orders == [], "it had its signal"
    assert life.end(OK).gone().state.over


def test_a_service_that_never_started_just_ends():
    life = Life(service()).tell(Stop(Level.ASK, TERM))
    assert life.state.over
    assert life.tell(Start()).actions == []


def test_exponential_delays_double_up_to_the_cap():
    spec = service(restart=RestartPolicy(tries=-1, exponential=True, cap=30.0))
    assert [restart_delay(spec, n) for n in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]
    assert restart_delay(spec, 10**6) == 30


class Walk(RuleBasedStateMachine):
    """Any inputs in any order, against a model of which processes exist."""

    @initialize(
        tries=st.sampled_from([0, 2, -1]),
        delay=st.sampled_from([0.0, 3.0]),
        watched=st.booleans(),
    )
    def begin(self, tries, delay, watched):
        watch = (RULE,) if watched else ()
        self.life = Life(service(restart=RestartPolicy(tries=tries, delay=delay), watch=watch))
        self.main: int | None = None
        self.tree: int | None = None
        self.asked: set[int] = set()
        self.stopping = False
        self.killing = False

    def tell(self, message) -> None:
        was_over = self.life.state.over
        self.life.tell(message)
        for order in self.life.orders:
            self.obey(order)
        if was_over:
            assert self.life.actions == []

    def obey(self, order) -> None:
        match order:
            case Spawn():
                assert not self.stopping, "nothing starts after a stop"
                assert self.tree is None, "never two generations"
                self.main = self.tree = order.generation
            case Ask():
                assert order.generation not in self.asked, "one signal"
                assert self.main == order.generation
                self.asked.add(order.generation)
            case Clear() | Kill():
                assert order.generation == self.tree

    @rule()
    def start(self):
        self.tell(Start())

    @rule(level=st.sampled_from(Level))
    def stop(self, level):
        self.stopping = True
        self.tell(Stop(level, TERM))

    @rule()
    def change(self):
        if self.life.spec.watch:
            self.tell(FilesChanged("a.py"))

    @precondition(lambda self: self.main is not None)
    @rule(status=st.sampled_from([OK, FAILED, ExitStatus(signal=9)]))
    def main_ends(self, status):
        generation, self.main = self.main, None
        if self.life.state.phase is Phase.RUNNING and not self.life.spec.restart.tries:
            self.tree = None  # Whatever is left is the supervisor's, at the end of the run.
        self.tell(Ended(generation, status))
        if self.life.state.phase in (Phase.IDLE, Phase.ENDED):
            self.tree = None

    @precondition(lambda self: self.main is None and self.tree is not None)
    @rule()
    def tree_is_gone(self):
        generation, self.tree = self.tree, None
        self.tell(Gone(generation))

    @rule(generation=st.integers(0, 3), status=st.sampled_from([OK, FAILED]))
    def old_news_changes_nothing(self, generation, status):
        if generation < self.life.state.generation:
            before = self.life.state
            for message in (
                Ended(generation, status),
                Gone(generation),
                Spawned(generation, 1, 0.0),
            ):
                self.tell(message)
                assert self.life.state == before
                assert self.life.actions == []

    @precondition(lambda self: self.life.state.deadline < inf)
    @rule()
    def deadline_passes(self):
        before = self.life.state
        self.life.now = max(self.life.now, before.deadline)
        if before.phase is Phase.KILLING:
            self.main = self.tree = None
        self.tell(Deadline())
        assert self.life.state != before, "a deadline makes progress"

    @invariant()
    def what_is_over_has_no_process(self):
        if getattr(self, "life", None) and self.life.state.over:
            assert self.main is None
            assert self.life.state.deadline == inf


Walk.TestCase.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
test_random_walk = Walk.TestCase
