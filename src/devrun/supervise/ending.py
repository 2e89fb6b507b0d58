"""What follows when a main process has ended, and how one is asked to end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import inf

from devrun.events import Event, Exited, Failed, Notice, Retrying, SpawnFailed
from devrun.model import ExitStatus, Service
from devrun.supervise.messages import Action, Ask, Clear, Emit, Ended, Kill
from devrun.supervise.restarting import Again, End, Over, decide
from devrun.supervise.state import Phase, State, Then

FAULT = ExitStatus(code=1)
"""How a main process counts to have ended that was stopped because it did not work."""

TOO_SOON = "ended before it was ready"
"""Why an end with exit code 0 is a failure."""

Step = tuple[State, tuple[Action, ...]]
"""The next state, and what to do, in order."""


def emit(*events: Event) -> tuple[Action, ...]:
    """Return the actions that publish events."""
    return tuple(Emit(event) for event in events)


def ask(spec: Service, state: State, now: float, then: Then, signal: int | None = None) -> Step:
    """Ask the process to stop, and decide what follows.

    Args:
        signal: The signal to send; the service's own if nothing is said.
    """
    stopping = replace(
        state,
        phase=Phase.STOPPING,
        deadline=now + spec.stop.timeout,
        asked_at=now,
        then=then,
        ready=False,
    )
    return stopping, (Ask(state.generation, signal or spec.stop.signal),)


def ended(spec: Service, state: State, input: Ended, now: float) -> Step:  # noqa: A002
    """The main process has ended; that may have been noticed late."""
    if state.status is not None:
        return state, ()
    state, actions = main_ended(spec, state, input.status, now, None)
    return state, tuple(_earlier(action, input.before) for action in actions)


def _earlier(action: Action, seconds: float) -> Action:
    """Return the action; if it tells of an exit, then of one so many seconds ago."""
    if not (seconds and isinstance(action, Emit) and isinstance(action.event, Exited)):
        return action
    event = action.event
    uptime = max(0.0, event.uptime - seconds)
    return Emit(replace(event, at=event.at - seconds, uptime=uptime))


def main_ended(
    spec: Service, state: State, status: ExitStatus, now: float, reason: str | None
) -> Step:
    """The main process has ended, or never began: on purpose, for good, or to be restarted."""
    if state.phase is not Phase.RUNNING:
        shown = FAULT if state.fault and status.ok else status
        on_purpose = state.fault is None and state.given_up is None
        stopped = replace(state, status=shown, stopped=on_purpose, ready=False)
        exited = _exit_event(spec, stopped, now, reason, final=state.then is Then.END)
        if not on_purpose and (status.signal is not None or status.ok):
            # The signal was devrun's, and its own exit code is not to look as if it had been sent
            # to devrun.
            stopped = replace(stopped, status=FAULT)
        return replace(stopped, follows=()), (
            exited,
            *_what_was_decided(state, now),
            _clear_or_kill(spec, state, now),
        )
    is_too_soon = status.ok and spec.ready is not None and state.ready_at is None
    fault = TOO_SOON if is_too_soon else None
    state = replace(state, status=status, ready=False, fault=fault)
    follows, state, news = what_follows(spec, state, status, now, unspawned=reason is not None)
    if fault is not None:
        news = (Notice(f"{fault}: that is a failure", spec.index), *news)
    if follows is Then.PAUSE:
        clearing = replace(
            state,
            phase=Phase.STOPPING,
            deadline=now + spec.stop.timeout,
            asked_at=now,
            then=follows,
        )
        exited = _exit_event(spec, clearing, now, reason, final=False)
        return clearing, (exited, *emit(*news), Clear(state.generation, spec.stop.signal))
    phase = Phase.IDLE if spec.watch else Phase.ENDED
    ended = replace(state, phase=phase, deadline=inf)
    exited = _exit_event(spec, ended, now, reason, final=phase is Phase.ENDED)
    waits = awaiting_change(spec) if spec.watch else ()
    if status.ok and (why := fault or state.given_up):
        ended = replace(ended, status=FAULT, fault=why)
    return ended, (exited, *emit(*news), *waits)


def awaiting_change(spec: Service) -> tuple[Action, ...]:
    """Return what says that only a change of a watched file starts a service again."""
    return emit(Notice("waiting for a watched file to change", spec.index))


def what_follows(
    spec: Service, state: State, status: ExitStatus, now: float, *, unspawned: bool = False
) -> tuple[Then, State, tuple[Event, ...]]:
    """Return whether there is another start, the state that remembers it, and what to say."""
    end = End(
        status,
        uptime=now - (state.since if state.ready_at is None else state.ready_at),
        never_ready=spec.ready is not None and state.ready_at is None,
        fault=state.fault,
        unspawned=unspawned,
    )
    # Random enough to keep services that died together apart, and yet pure.
    chance = (hash((spec.index, state.generation, now)) % 2001) / 1000 - 1
    match decide(spec.restart, end, state.tally, now=now, chance=chance):
        case Again(delay, tally):
            state = replace(state, tally=tally)
            retrying = Retrying(spec.index, state.generation, delay, tally.fast, spec.restart.tries)
            return Then.PAUSE, state, (retrying,) if spec.restart.min_uptime < inf else ()
        case Over(None):
            return Then.END, state, ()
        case Over(reason):
            failed = Failed(spec.index, state.generation, reason or "")
            state = replace(state, given_up=reason)
            return Then.END, state, (failed,) if spec.restart.min_uptime < inf else ()


def _what_was_decided(state: State, now: float) -> Iterator[Action]:
    """Yield what was decided when the process was asked to stop, as far as it still holds."""
    for event in state.follows:
        if not isinstance(event, Retrying):
            yield Emit(event)
        elif state.then is Then.PAUSE:
            yield Emit(replace(event, delay=max(0.0, state.asked_at + event.delay - now)))


def _clear_or_kill(spec: Service, state: State, now: float) -> Action:
    if state.phase is Phase.KILLING:
        return Kill(state.generation, now - state.asked_at)
    return Clear(state.generation, spec.stop.signal)


def _exit_event(
    spec: Service, state: State, now: float, reason: str | None, *, final: bool
) -> Emit:
    status = state.status or ExitStatus(code=0)
    if reason is not None:
        return Emit(SpawnFailed(spec.index, state.generation, status, reason, now, final=final))
    return Emit(
        Exited(
            spec.index,
            state.generation,
            status,
            at=now,
            uptime=now - state.since,
            final=final,
            stopped=state.stopped,
            fault=state.fault,
        )
    )
