"""The life of one service: named scenarios, and a random walk that no example would find."""

from __future__ import annotations

import signal
from dataclasses import replace
from math import inf

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from devrun.events import (
    Changed,
    Exited,
    Failed,
    Healthy,
    Notice,
    OverMemory,
    Ready,
    Restarted,
    Retrying,
    SpawnFailed,
    Started,
    Unhealthy,
)
from devrun.model import ExitStatus, RestartPolicy, RestartWhen, Service, StopPolicy, WatchRule
from devrun.policies import (
    DelayGate,
    Dependency,
    FileProbe,
    HealthCheck,
    NotifyGate,
    Readiness,
)
from devrun.supervise.machine import UNKILLABLE_AFTER, step
from devrun.supervise.messages import (
    Abandon,
    Ask,
    AwaitReady,
    BecameReady,
    CheckHealth,
    Clear,
    Deadline,
    Emit,
    Ended,
    Exceeded,
    Extend,
    Failing,
    Faulty,
    FilesChanged,
    GiveUp,
    Gone,
    Hold,
    Kill,
    Level,
    NotSpawned,
    Probed,
    Restart,
    Skip,
    Spawn,
    Spawned,
    Start,
    StillClosed,
    Stop,
)
from devrun.supervise.restarting import delay_before
from devrun.supervise.state import Phase, State

OK = ExitStatus(code=0)
FAILED = ExitStatus(code=3)
TERM, INT = signal.SIGTERM, signal.SIGINT
ON_FAILURE = RestartWhen.ON_FAILURE
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
    life = Life(service(restart=RestartPolicy(ON_FAILURE, tries=1))).run().end(FAILED)
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
    assert life.tell(Deadline(), after=UNKILLABLE_AFTER).actions == [Abandon(1)]
    assert life.state.over
    assert life.state.stopped


def test_a_restart_behind_what_cannot_be_killed_is_a_failure():
    life = Life(service(watch=(RULE,))).run().tell(FilesChanged("a"))
    life.tell(Deadline(), after=10.0).tell(Deadline(), after=UNKILLABLE_AFTER)
    assert life.actions == [Abandon(1)]
    assert life.state.over
    assert life.state.status == ExitStatus(code=1)
    assert not life.state.stopped


def test_a_failure_is_restarted_after_its_leftovers_are_gone():
    life = Life(service(restart=RestartPolicy(ON_FAILURE, tries=1, delay=5.0))).run().end(FAILED)
    assert life.events == [Exited(0, 1, FAILED, 101.0, 1.0, final=False, stopped=False)]
    assert life.orders == [Clear(1, TERM)]
    assert life.gone().actions == []
    assert life.tell(Deadline(), after=4.9).actions == []
    assert life.tell(Deadline(), after=0.1).actions == [Emit(Restarted(0, 2, 106.0)), Spawn(2)]
    life.tell(Spawned(2, 1, 0.0)).end(FAILED)
    assert life.state.over, "one try is one restart"


def test_success_is_not_restarted():
    assert Life(service(restart=RestartPolicy(ON_FAILURE, tries=-1))).run().end(OK).state.over


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
    spec = service(watch=(RULE,), restart=RestartPolicy(ON_FAILURE, tries=1, delay=60.0))
    life = Life(spec).run().end(FAILED).gone()
    assert life.state.phase is Phase.PAUSING
    assert life.tell(FilesChanged("a.py")).orders == [Spawn(2)]
    assert life.state.tally.fast == 0


@pytest.mark.parametrize("level", Level)
def test_a_stop_ends_a_pause(level):
    life = (
        Life(service(restart=RestartPolicy(ON_FAILURE, tries=-1, delay=60.0)))
        .run()
        .end(FAILED)
        .gone()
    )
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
    spec = service(restart=RestartPolicy(ON_FAILURE, tries=-1, delay=1.0, factor=2.0))
    assert [delay_before(spec.restart, n) for n in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]
    assert delay_before(spec.restart, 10**6) == 30


GATE = Readiness(NotifyGate(), timeout=30.0)
SUPERVISED = RestartPolicy(ON_FAILURE, tries=2, delay=1.0, factor=2.0, min_uptime=5.0)
DEPENDS = (Dependency("db"),)


def test_without_a_gate_it_is_ready_as_soon_as_it_runs():
    life = Life(service()).run()
    assert life.state.ready
    assert not any(isinstance(event, Ready) for event in life.events)


def test_a_gate_is_waited_for():
    life = Life(service(ready=GATE)).run()
    assert life.orders == [AwaitReady(1)]
    assert not life.state.ready
    life.tell(BecameReady(1), after=2.0)
    assert life.events == [Ready(0, 1, 102.0, 2.0)]
    assert life.state.ready
    assert life.tell(BecameReady(1)).actions == [], "once"
    assert life.tell(Deadline(), after=100.0).actions == []


def test_ready_from_an_older_generation_is_none():
    life = Life(service(ready=GATE, watch=(RULE,))).run().tell(FilesChanged("a")).end(OK).gone()
    life.tell(Spawned(2, 1, life.now))
    assert not life.tell(BecameReady(1)).state.ready


def test_ready_and_the_exit_may_come_together():
    life = Life(service(ready=GATE)).run().tell(BecameReady(1)).end(OK, after=0.0)
    assert not life.state.ready
    assert life.state.over


def test_a_delay_is_a_gate_that_time_opens():
    life = Life(service(ready=Readiness(DelayGate(3.0), timeout=1.0))).run()
    assert life.orders == []
    assert life.tell(Deadline(), after=3.0).events == [Ready(0, 1, 103.0, 3.0)]


def test_not_ready_in_time_is_a_failure_that_is_restarted():
    life = Life(service(ready=GATE, restart=SUPERVISED)).run().tell(Deadline(), after=30.0)
    reason = "not ready within 30 s"
    assert life.events == [Unhealthy(0, 1, reason, stops=True)]
    assert life.orders == [Ask(1, TERM)]
    assert life.tell(BecameReady(1)).actions == [], "too late"
    life.end(OK)
    failed = ExitStatus(code=1)
    assert life.events == [
        Exited(0, 1, failed, 131.0, 31.0, final=False, stopped=False, fault=reason),
        Retrying(0, 1, 0.0, 1, 2),  # The second that it took to end was the pause.
    ]
    assert life.gone().orders == [Spawn(2)]


def test_not_ready_in_time_is_the_end_without_a_restart():
    life = Life(service(ready=GATE)).run().tell(Deadline(), after=30.0).end(OK).gone()
    assert life.state.over
    assert not life.state.stopped
    assert life.state.status == ExitStatus(code=1)


def test_a_gate_may_be_passed_over_in_the_end():
    life = Life(service(ready=Readiness(NotifyGate(), 5.0, continues=True))).run()
    life.tell(Deadline(), after=5.0)
    assert life.state.ready
    assert isinstance(life.events[0], Notice)


def test_more_time_can_be_asked_for():
    life = Life(service(ready=GATE)).run().tell(Extend(1, 60.0), after=20.0)
    assert life.tell(Deadline(), after=59.0).actions == []
    assert life.tell(Deadline(), after=1.0).orders == [Ask(1, TERM)]


def test_health_is_told_when_it_changes():
    life = Life(service(health=HealthCheck(FileProbe("/x")))).run()
    assert life.orders == [CheckHealth(1)]
    assert life.tell(Probed(1)).events == [Healthy(0, 1, again=False)]
    assert life.tell(Probed(1)).events == []
    sick = Faulty(1, "unhealthy: refused")
    assert life.tell(sick).events == [Unhealthy(0, 1, "refused", stops=False)]
    assert life.tell(sick).events == []
    assert life.tell(Probed(1)).events == [Healthy(0, 1, again=True)]


def test_a_failed_probe_is_no_illness():
    life = Life(service(health=HealthCheck(FileProbe("/x")))).run().tell(Probed(1))
    assert life.tell(Failing(1, "refused", 1, 3)).events == [
        Notice("health check failed (1 of 3): refused", 0)
    ]
    assert life.state.healthy, "whoever waits for that need not wait any more"
    assert life.tell(Failing(1, "refused", 2, 3)).events == []
    assert life.tell(Probed(1)).events == [Healthy(0, 1, again=True)]


def test_the_first_success_is_the_first_whatever_failed_before():
    life = Life(service(health=HealthCheck(FileProbe("/x")))).run()
    life.tell(Failing(1, "refused", 1, 3))
    assert life.state.healthy is None
    assert life.tell(Probed(1)).events == [Healthy(0, 1, again=False)]


def test_a_fault_is_restarted_like_an_exit():
    life = Life(service(restart=SUPERVISED)).run().tell(Faulty(1, "does not answer"), after=60.0)
    assert life.events[0] == Unhealthy(0, 1, "does not answer", stops=True)
    assert life.end(ExitStatus(signal=TERM)).events[0].status == ExitStatus(signal=TERM)
    assert life.gone().orders == [Spawn(2)], "it had run for long"


def test_a_fault_that_nothing_follows_leaves_a_watched_service_waiting():
    life = Life(service(watch=(RULE,), ready=GATE)).run().tell(Faulty(1, "no")).end(OK).gone()
    assert life.state.phase is Phase.IDLE
    assert life.events == [Notice("waiting for a watched file to change", 0)]
    assert life.tell(FilesChanged("a")).orders == [Spawn(2)]


def test_a_stop_during_a_fault_is_the_end_of_a_watched_service():
    life = Life(service(watch=(RULE,), ready=GATE)).run().tell(Faulty(1, "no"))
    assert life.tell(Stop(Level.ASK, TERM)).end(OK).gone().state.over


def test_a_change_during_a_fault_is_a_start():
    life = Life(service(watch=(RULE,), ready=GATE)).run().tell(Faulty(1, "no"))
    assert life.tell(FilesChanged("a")).events == [Changed(0, "a", 0)]
    assert life.end(OK).gone().orders == [Spawn(2)]


def test_why_a_gate_is_closed_is_said_when_its_time_is_over():
    life = Life(service(ready=GATE)).run()
    life.tell(StillClosed(1, "refused")).tell(StillClosed(1, "exit code 127: no pg_isredy"))
    life.tell(Deadline(), after=30.0)
    reason = "not ready within 30 s: exit code 127: no pg_isredy"
    assert life.events == [Unhealthy(0, 1, reason, stops=True)]
    assert life.end(OK).events[0].fault == reason


def test_an_end_with_exit_code_0_before_it_was_ready_is_a_failure():
    life = Life(service(ready=GATE)).run().end(OK)
    exited, notice = life.events
    assert (exited.status, exited.fault) == (OK, "ended before it was ready")
    assert "failure" in notice.text
    assert life.state.status == ExitStatus(code=1)


@pytest.mark.parametrize(
    ("never", "phase"), [(frozenset(), Phase.STOPPING), (frozenset({OK}), Phase.ENDED)]
)
def test_such_an_end_is_restarted_unless_its_code_is_excepted(never, phase):
    policy = replace(SUPERVISED, no_restart_on=never)
    assert Life(service(ready=GATE, restart=policy)).run().end(OK).state.phase is phase


def test_giving_up_is_a_failure_though_the_last_end_was_none():
    always = RestartPolicy(RestartWhen.ALWAYS, tries=0, min_uptime=5.0)
    life = Life(service(restart=always)).run().end(OK)
    assert life.events[0].status == OK
    assert isinstance(life.events[1], Failed)
    assert life.state.status == ExitStatus(code=1)
    assert not life.state.stopped


def test_what_is_held_starts_when_it_is_told_to():
    life = Life(service(restart=SUPERVISED)).run().end(FAILED).tell(Hold()).gone()
    assert life.tell(Deadline(), after=60.0).orders == []
    assert life.state.phase is Phase.WAITING
    assert life.tell(Start()).orders == [Spawn(2)]
    life.tell(Spawned(2, 1, life.now)).tell(Restart()).end(OK)
    assert life.gone().orders == [Spawn(3)], "once"


@pytest.mark.parametrize("is_down", [False, True])
def test_what_goes_down_with_its_group_may_be_given_up(is_down):
    life = Life(service(restart=replace(SUPERVISED, when=RestartWhen.ALWAYS))).run().end(OK)
    life = life.gone() if is_down else life
    assert life.tell(GiveUp("too many")).events == [Failed(0, 1, "too many")]
    life = life if is_down else life.gone()
    assert life.state.over
    assert life.state.status == ExitStatus(code=1)
    assert not life.state.stopped


@pytest.mark.parametrize("state", ["running", "ended"])
def test_what_does_not_go_down_is_not_given_up(state):
    life = Life(service()).run()
    life = life if state == "running" else life.end(OK)
    assert life.tell(GiveUp("too many")).actions == []


def test_why_a_service_is_stopped_may_be_said():
    life = Life(service()).run().tell(Stop(Level.ASK, TERM, "stopping with db"))
    assert life.actions == [Emit(Notice("stopping with db", 0)), Ask(1, TERM)]


def test_too_much_memory_is_a_restart_and_no_failure():
    life = Life(service(restart=SUPERVISED)).run().tell(Exceeded(1, 900, 500))
    assert life.events == [OverMemory(0, 1, 900, 500)]
    assert life.end(OK).gone().orders == [Spawn(2)]
    assert life.state.tally.fast == 0


def test_a_restart_by_hand_ends_a_pause():
    life = Life(service(restart=SUPERVISED)).run().end(FAILED).gone()
    assert life.state.phase is Phase.PAUSING
    assert life.tell(Restart(at_once=False)).actions == []
    assert life.tell(Restart()).orders == [Spawn(2)]


def test_giving_up_is_said():
    life = Life(service(restart=SUPERVISED)).run()
    for generation in (2, 3):
        life.end(FAILED).gone()
        life.tell(Deadline(), after=5.0).tell(Spawned(generation, 1, life.now))
    life.end(FAILED)
    assert life.events[1:] == [Failed(0, 3, "ended 3 times in a row within 5 s of starting")]
    assert life.state.over


def test_each_restart_waits_for_what_is_depended_on():
    life = Life(service(depends_on=DEPENDS, restart=SUPERVISED)).run().end(FAILED).gone()
    assert life.tell(Deadline(), after=1.0).orders == []
    assert life.state.phase is Phase.WAITING
    assert life.tell(Start()).actions == [Emit(Restarted(0, 2, life.now)), Spawn(2)]


def test_what_is_depended_on_is_asked_for_again_after_the_delay():
    life = Life(service(start_delay=5.0, depends_on=DEPENDS)).tell(Start())
    assert life.tell(Deadline(), after=5.0).actions == []
    assert life.state.phase is Phase.WAITING
    assert life.tell(Start()).actions == [Spawn(1)], "without another delay"


def test_the_first_start_may_be_put_off():
    life = Life(service(start_delay=5.0)).tell(Start())
    assert life.actions == []
    assert life.tell(Deadline(), after=5.0).actions == [Spawn(1)]


@pytest.mark.parametrize("message", [Stop(Level.ASK, TERM), Skip("db failed")])
def test_what_waits_can_be_stopped_and_skipped(message):
    life = Life(service(depends_on=DEPENDS)).tell(message)
    assert life.state.over
    assert life.tell(Start()).actions == []


class Walk(RuleBasedStateMachine):
    """Any inputs in any order, against a model of which processes exist."""

    @initialize(
        tries=st.sampled_from([0, 2, -1]),
        delay=st.sampled_from([0.0, 3.0]),
        watched=st.booleans(),
        gated=st.booleans(),
        depends=st.booleans(),
        start_delay=st.sampled_from([0.0, 2.0]),
    )
    def begin(self, tries, delay, watched, gated, depends, start_delay):
        watch = (RULE,) if watched else ()
        spec = service(
            restart=RestartPolicy(ON_FAILURE, tries=tries, delay=delay),
            watch=watch,
            ready=GATE if gated else None,
            depends_on=DEPENDS if depends else (),
            start_delay=start_delay,
        )
        self.life = Life(spec)
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

    @rule(extra=st.integers(0, 1), which=st.integers(0, 7))
    def news(self, extra, which):
        generation = self.life.state.generation + extra
        messages = (
            BecameReady(generation),
            Probed(generation),
            Faulty(generation, "broken"),
            Exceeded(generation, 2, 1),
            Extend(generation, 7.0),
            StillClosed(generation, "refused"),
            Failing(generation, "refused", 1, 3),
            Restart(at_once=bool(extra)),
        )
        before = self.life.state
        self.tell(messages[which])
        if extra and which != 7:
            assert self.life.state == before

    @rule()
    def hold(self):
        self.tell(Hold())

    @rule()
    def give_up(self):
        self.tell(GiveUp("too many"))
        if self.life.state.given_up and not self.life.spec.watch:
            self.stopping = True

    @precondition(lambda self: self.main is not None)
    @rule()
    def spawned(self):
        self.tell(Spawned(self.main, 1, self.life.now))

    @rule()
    def skip(self):
        if self.life.state.phase is Phase.WAITING:
            self.stopping = True
        self.tell(Skip("db failed"))

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
            assert not self.life.state.ready

    @invariant()
    def ready_is_what_runs(self):
        if getattr(self, "life", None) and self.life.state.ready:
            assert self.life.state.phase is Phase.RUNNING


Walk.TestCase.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
test_random_walk = Walk.TestCase
