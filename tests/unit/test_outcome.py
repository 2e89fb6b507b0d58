"""Who ends whom, and the exit code."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest

from devrun.events import StopReason
from devrun.model import ExitStatus, KillOthers, Project, Service, SuccessCondition, SuccessKind
from devrun.supervise.outcome import Ending, Verdict, ends_others, verdict

OK = ExitStatus(code=0)
KILLED = ExitStatus(signal=signal.SIGKILL)


def project(kind: SuccessKind = SuccessKind.ALL, *targets: int) -> Project:
    services = tuple(Service(index, None, "x", "/") for index in range(3))
    return Project("/", "here", services, success=SuccessCondition(kind, frozenset(targets)))


def ending(instance: int, code: int, *, stopped: bool = False) -> Ending:
    return Ending(instance, ExitStatus(code=code), stopped)


def code(kind: SuccessKind, *endings: Ending, targets: tuple[int, ...] = ()) -> int:
    return verdict(project(kind, *targets), endings, reason=None, received=None).code


def test_all_succeed():
    assert verdict(project(), [ending(0, 0), ending(1, 0)], reason=None, received=None) == Verdict()


def test_the_first_failure_gives_the_code():
    assert code(SuccessKind.ALL, ending(1, 0), ending(2, 7), ending(0, 3)) == 7


def test_a_signal_death_is_128_and_its_number():
    assert code(SuccessKind.ALL, Ending(0, KILLED, stopped=False)) == 137


def test_what_devrun_stopped_is_no_failure():
    stopped = Ending(1, ExitStatus(signal=signal.SIGTERM), stopped=True)
    assert code(SuccessKind.ALL, ending(0, 0), stopped) == 0


@pytest.mark.parametrize(
    ("kind", "targets", "expected"),
    [
        (SuccessKind.FIRST, (), 0),
        (SuccessKind.LAST, (), 5),
        (SuccessKind.COMMAND, (1,), 0),
        (SuccessKind.COMMAND, (2,), 5),
        (SuccessKind.NOT_COMMAND, (2,), 0),
        (SuccessKind.NOT_COMMAND, (1,), 5),
    ],
)
def test_the_success_condition_decides(kind, targets, expected):
    assert code(kind, ending(1, 0), ending(2, 5), targets=targets) == expected


def test_a_named_command_that_was_stopped_has_not_succeeded():
    stopped = Ending(1, ExitStatus(signal=signal.SIGTERM), stopped=True)
    assert code(SuccessKind.COMMAND, ending(0, 4), stopped, targets=(1,)) == 4
    assert code(SuccessKind.COMMAND, ending(0, 0), stopped, targets=(1,)) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_received_signal_is_what_devrun_dies_of(number):
    result = verdict(project(), [ending(0, 9)], reason=StopReason.SIGNAL, received=number)
    assert result == Verdict(128 + number, number)
    assert not result.failed


def test_a_reader_that_went_away_is_sigpipe():
    result = verdict(project(), [], reason=StopReason.READER_GONE, received=None)
    assert result.signal == signal.SIGPIPE


@pytest.mark.parametrize(
    ("policy", "after_success", "after_failure"),
    [
        (KillOthers.NEVER, False, False),
        (KillOthers.ON_FAILURE, False, True),
        (KillOthers.ALWAYS, True, True),
    ],
)
def test_who_ends_the_others(policy, after_success, after_failure):
    assert ends_others(policy, ending(0, 0)) is after_success
    assert ends_others(policy, ending(0, 1)) is after_failure
    assert not ends_others(policy, ending(0, 1, stopped=True)), "nobody ends others twice"


def test_the_order_of_ends_is_that_of_their_times():
    late = Ending(0, ExitStatus(code=3), stopped=False, at=2.0)
    early = Ending(1, OK, stopped=False, at=1.0)
    assert code(SuccessKind.FIRST, late, early) == 0
    assert code(SuccessKind.LAST, late, early) == 3


def test_an_interrupt_can_be_no_failure():
    forgiving = replace(project(), exit_zero_on_interrupt=True)
    stopped = Ending(0, ExitStatus(signal=signal.SIGINT), stopped=True)

    def result(*endings, received=signal.SIGINT):
        return verdict(forgiving, endings, reason=StopReason.SIGNAL, received=received)

    assert result(stopped) == Verdict()
    assert result(ending(1, 4), stopped) == Verdict(4)
    assert result(stopped, received=signal.SIGTERM) == Verdict(143, signal.SIGTERM)


def test_a_named_command_that_never_ran_has_not_succeeded():
    assert code(SuccessKind.COMMAND, ending(0, 0), targets=(1,)) == 1
    assert code(SuccessKind.COMMAND, ending(0, 0), targets=(0, 1)) == 0
