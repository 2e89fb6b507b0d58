"""How a service's life goes on while it runs: it becomes ready, stays healthy, or does not."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import assert_never

from devrun.events import Healthy, Notice, OverMemory, Ready, Started, Unhealthy
from devrun.model import RestartWhen, Service
from devrun.supervise.ending import FAULT, Step, ask, emit, what_follows
from devrun.supervise.messages import (
    AwaitReady,
    BecameReady,
    CheckHealth,
    Exceeded,
    Extend,
    Failing,
    Faulty,
    Probed,
    Spawned,
    StillClosed,
)
from devrun.supervise.state import Phase, State, Then


def spawned(spec: Service, state: State, input: Spawned) -> Step:  # noqa: A002
    """The process runs: ready at once, or to be waited for."""
    started = emit(Started(spec.index, input.generation, input.pid, input.since))
    state = replace(state, since=input.since, has_started=True)
    if state.phase is not Phase.RUNNING:
        return state, started
    if spec.ready is None:
        # The first processes start before there is a loop to hear of it.
        ready, actions = _become_ready(spec, state, input.since)
        return ready, (*started, *actions)
    from devrun.policies import DelayGate  # not needed by plain commands

    if isinstance(spec.ready.gate, DelayGate):
        return replace(state, deadline=input.since + spec.ready.gate.seconds), started
    waiting = replace(state, deadline=input.since + spec.ready.timeout)
    return waiting, (*started, AwaitReady(input.generation))


def news(
    spec: Service,
    state: State,
    input: BecameReady | Probed | StillClosed | Failing | Faulty | Exceeded | Extend,  # noqa: A002
    now: float,
) -> Step:
    """Answer what is known of a process from outside, or from itself."""
    match input:
        case Extend() if state.deadline < inf:
            return replace(state, deadline=max(state.deadline, now + input.seconds)), ()
        case Extend():
            return state, ()
        case _ if state.phase is not Phase.RUNNING or state.status is not None:
            return state, ()
        case BecameReady():
            return (state, ()) if state.ready else _become_ready(spec, state, now)
        case Probed():
            return _probed(spec, state)
        case StillClosed():
            return replace(state, closed=input.reason), ()
        case Failing():
            return _failing(spec, state, input)
        case Faulty():
            return _faulty(spec, state, input.reason, now)
        case Exceeded():
            over = OverMemory(spec.index, state.generation, input.used, input.limit)
            stopping, actions = ask(spec, state, now, Then.RESTART)
            return stopping, (*emit(over), *actions)
        case _:
            assert_never(input)


def _become_ready(spec: Service, state: State, now: float) -> Step:
    ready = replace(state, ready=True, ready_at=now, deadline=inf)
    event = Ready(spec.index, state.generation, now, now - state.since)
    said = emit(event) if spec.ready is not None else ()
    check = (CheckHealth(state.generation),) if spec.health is not None else ()
    return ready, (*said, *check)


def _probed(spec: Service, state: State) -> Step:
    if state.healthy and not state.failing:
        return state, ()
    healthy = Healthy(spec.index, state.generation, again=state.healthy is not None)
    return replace(state, healthy=True, failing=False), emit(healthy)


def _failing(spec: Service, state: State, input: Failing) -> Step:  # noqa: A002
    """The first of some failures in a row is said, and opens and closes nothing."""
    if state.failing or state.healthy is False:
        return state, ()
    text = f"health check failed ({input.failures} of {input.most}): {input.reason}"
    return replace(state, failing=True), emit(Notice(text, spec.index))


def _faulty(spec: Service, state: State, reason: str, now: float) -> Step:
    """Stop what runs and does not work; restart it or not as if it had ended by itself.

    What nothing would follow is left running, if it has been ready: ending it would help nobody.
    """
    if state.ready and spec.restart.when is RestartWhen.NO:
        what = reason.removeprefix("unhealthy: ")  # The event says it.
        sick = emit(Unhealthy(spec.index, state.generation, what, stops=False))
        known = replace(state, healthy=False, failing=False)
        return known, sick if state.healthy is not False else ()
    state = replace(state, fault=reason, healthy=False)
    then, state, follows = what_follows(spec, state, FAULT, now)
    if then is Then.END and spec.watch:
        then = Then.IDLE
    said = emit(Unhealthy(spec.index, state.generation, reason, stops=True))
    stopping, asked = ask(spec, replace(state, follows=follows), now, then)
    return stopping, (*said, *asked)


def not_ready(spec: Service, state: State, now: float) -> Step:
    """The time in which the service was to become ready is over."""
    from devrun.policies import DelayGate

    readiness = spec.ready
    if readiness is None or isinstance(readiness.gate, DelayGate):
        return _become_ready(spec, state, now)
    reason = f"not ready within {readiness.timeout:g} s"
    if state.closed is not None:
        reason = f"{reason}: {state.closed}"
    if not readiness.continues:
        return _faulty(spec, state, reason, now)
    said = emit(Notice(f"{reason}; going on as if it were", spec.index))
    ready, actions = _become_ready(spec, state, now)
    return ready, (*said, *actions)
