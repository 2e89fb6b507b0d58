"""The whole life of one service, as a pure function.

``step(spec, state, input, now)`` answers an input with a new state and the actions to perform. One
state, one deadline; every input that concerns a process carries its generation, and one of an older
generation changes nothing.

Theory of operation. A service *waits* until it is told to start. Each start is a *generation*: a
main process and whatever descends from it. When the main process ends, the generation's tree must
be gone before another generation may start, so there is *stopping* between two generations even
when nobody asked for a stop; where nothing was left, it takes no time. A stop is the stop signal,
once; when its time is over, *killing*; a second request goes to killing at once. What follows when
the tree is gone was decided when the stopping began: the end, another generation, or a *pause*
before it. Only the end can replace what was decided; so stopping beats starting.

                 Start                Exited, to be restarted      Gone
    WAITING ------------> RUNNING ---------------------> STOPPING -------> PAUSING, RUNNING, ENDED
                             |  Stop, Changed               | Deadline        | Deadline, Changed
                             |---------------------------> |---> KILLING     '----> RUNNING
                             | Exited, for good
                             '----> ENDED  (or IDLE, if a change of a watched file may start it)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from math import inf
from typing import assert_never

from devrun.events import Changed, Exited, Notice, Restarted, SpawnFailed, Started
from devrun.model import ExitStatus, Service
from devrun.supervise.messages import (
    Action,
    Ask,
    Clear,
    Deadline,
    Emit,
    Ended,
    FilesChanged,
    Gone,
    Input,
    Kill,
    Level,
    NotSpawned,
    Spawn,
    Spawned,
    Start,
    Stop,
)

UNKILLABLE_AFTER = 5.0
"""Seconds after which a tree that survives SIGKILL (state D, another user's) is given up."""


STABLE_AFTER = 10.0
"""Seconds after which a service that restarts for ever is no longer taken to be failing."""


class Phase(Enum):
    """Where a service is in its life; the drawing above has the ways between them."""

    WAITING = "waiting"
    RUNNING = "running"
    STOPPING = "stopping"
    KILLING = "killing"
    PAUSING = "pausing"
    IDLE = "idle"
    ENDED = "ended"


class Then(Enum):
    """What follows when the present generation's tree is gone."""

    END = "end"
    RESTART = "restart"
    PAUSE = "pause"


@dataclass(frozen=True, slots=True)
class State:
    """A service now.

    Attributes:
        generation: How many times it was started.
        deadline: When (monotonic seconds) something happens by itself.
        since: When the present generation was started.
        asked_at: When the present generation was asked to stop.
        retries: Restarts after failures since the last change of its files.
        then: What follows stopping.
        status: How the present generation's main process ended, once it has.
        stopped: devrun ended it on purpose.
    """

    phase: Phase = Phase.WAITING
    generation: int = 0
    deadline: float = inf
    since: float = 0.0
    asked_at: float = 0.0
    retries: int = 0
    then: Then = Then.END
    status: ExitStatus | None = None
    stopped: bool = False

    @property
    def over(self) -> bool:
        """Whether nothing can follow."""
        return self.phase is Phase.ENDED

    @property
    def alive(self) -> bool:
        """Whether there may be a process."""
        return self.phase in (Phase.RUNNING, Phase.STOPPING, Phase.KILLING)


Step = tuple[State, tuple[Action, ...]]


def step(spec: Service, state: State, input: Input, now: float) -> Step:  # noqa: A002 - the term
    """Answer an input: the next state, and what to do, in order."""
    match input:
        case Start():
            return _spawn(state, now) if state.phase is Phase.WAITING else (state, ())
        case Spawned():
            return _spawned(spec, state, input)
        case NotSpawned():
            return _not_spawned(spec, state, input, now)
        case Ended():
            return _ended(spec, state, input, now)
        case Gone():
            return _gone(spec, state, input, now)
        case FilesChanged():
            return _files_changed(spec, state, input, now)
        case Stop():
            return _stop(spec, state, input, now)
        case Deadline():
            return _deadline(spec, state, now)
        case _:
            assert_never(input)


def _spawn(state: State, now: float) -> Step:
    generation = state.generation + 1
    running = State(Phase.RUNNING, generation, since=now, retries=state.retries)
    return running, (Spawn(generation),)


def _respawn(spec: Service, state: State, now: float) -> Step:
    running, actions = _spawn(state, now)
    return running, (Emit(Restarted(spec.index, running.generation, now)), *actions)


def _spawned(spec: Service, state: State, input: Spawned) -> Step:  # noqa: A002
    if input.generation != state.generation or not state.alive:
        return state, ()
    started = Emit(Started(spec.index, input.generation, input.pid, input.since))
    return replace(state, since=input.since), (started,)


def _not_spawned(spec: Service, state: State, input: NotSpawned, now: float) -> Step:  # noqa: A002
    if input.generation != state.generation or not state.alive:
        return state, ()
    return _after_exit(spec, state, input.status, now, input.reason)


def _ended(spec: Service, state: State, input: Ended, now: float) -> Step:  # noqa: A002
    if input.generation != state.generation or not state.alive or state.status is not None:
        return state, ()
    state, actions = _after_exit(spec, state, input.status, now, None)
    return state, tuple(_earlier(action, input.before) for action in actions)


def _earlier(action: Action, seconds: float) -> Action:
    """Return the action; if it tells of an exit, then of one so many seconds ago."""
    if not (seconds and isinstance(action, Emit) and isinstance(action.event, Exited)):
        return action
    event = action.event
    uptime = max(0.0, event.uptime - seconds)
    return Emit(replace(event, at=event.at - seconds, uptime=uptime))


def _after_exit(
    spec: Service, state: State, status: ExitStatus, now: float, reason: str | None
) -> Step:
    """The main process has ended, or never began: on purpose, for good, or to be restarted."""
    if state.phase is not Phase.RUNNING:
        stopped = replace(state, status=status, stopped=True)
        final = state.then is Then.END
        return stopped, (
            _exit_event(spec, stopped, now, reason, final=final),
            _clear_or_kill(spec, state, now),
        )
    if _restarts(spec, state, status):
        clearing = replace(
            state,
            phase=Phase.STOPPING,
            deadline=now + spec.stop.timeout,
            asked_at=now,
            retries=_retries(spec, state, now) + 1,
            then=Then.PAUSE,
            status=status,
        )
        exited = _exit_event(spec, clearing, now, reason, final=False)
        return clearing, (exited, Clear(state.generation, spec.stop.signal))
    phase = Phase.IDLE if spec.watch else Phase.ENDED
    ended = replace(state, phase=phase, deadline=inf, status=status)
    exited = _exit_event(spec, ended, now, reason, final=phase is Phase.ENDED)
    waits = Emit(Notice("waiting for a watched file to change", spec.index))
    return ended, (exited, waits) if spec.watch else (exited,)


def _clear_or_kill(spec: Service, state: State, now: float) -> Action:
    if state.phase is Phase.KILLING:
        return Kill(state.generation, now - state.asked_at)
    return Clear(state.generation, spec.stop.signal)


def _retries(spec: Service, state: State, now: float) -> int:
    """Return how many restarts count; long good life forgets those of what always restarts."""
    stable = spec.restart.after_success and now - state.since >= STABLE_AFTER
    return 0 if stable else state.retries


def _restarts(spec: Service, state: State, status: ExitStatus) -> bool:
    policy = spec.restart
    counts = policy.after_success or not status.ok
    return counts and (policy.tries < 0 or state.retries < policy.tries)


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
        )
    )


def restart_delay(spec: Service, retry: int) -> float:
    """Return the seconds before restart number ``retry``, counted from 1."""
    policy = spec.restart
    if not policy.exponential:
        return policy.delay
    return float(min(policy.cap, 2.0 ** min(retry - 1, 60)))


def _gone(spec: Service, state: State, input: Gone, now: float) -> Step:  # noqa: A002
    if input.generation != state.generation or state.phase not in (Phase.STOPPING, Phase.KILLING):
        return state, ()
    if state.status is None:
        return state, ()  # The main process is still to be reaped.
    match state.then:
        case Then.END:
            return replace(state, phase=Phase.ENDED, deadline=inf), ()
        case Then.RESTART if input.read:
            return _respawn(spec, state, now)
        case Then.RESTART:
            return replace(state, phase=Phase.PAUSING, deadline=now), ()
        case Then.PAUSE:
            until = state.asked_at + restart_delay(spec, state.retries)
            if until <= now and input.read:
                return _respawn(spec, state, now)
            return replace(state, phase=Phase.PAUSING, deadline=until), ()
        case _:
            assert_never(state.then)


def _files_changed(
    spec: Service,
    state: State,
    input: FilesChanged,  # noqa: A002
    now: float,
) -> Step:
    changed = Emit(Changed(spec.index, input.path, input.more))
    fresh = replace(state, retries=0)
    match state.phase:
        case Phase.RUNNING:
            stopping = _ask(spec, fresh, now, Then.RESTART)
            return stopping, (changed, Ask(state.generation, spec.stop.signal))
        case Phase.PAUSING | Phase.IDLE:
            running, actions = _respawn(spec, fresh, now)
            return running, (changed, *actions)
        case Phase.STOPPING | Phase.KILLING:
            # What starts next reads the files as they are then. A pause is not needed any more:
            # the program is another one.
            if state.then is Then.PAUSE:
                return replace(fresh, then=Then.RESTART), (changed,)
            return state, ()
        case Phase.WAITING | Phase.ENDED:
            return state, ()
        case _:
            assert_never(state.phase)


def _ask(spec: Service, state: State, now: float, then: Then) -> State:
    return replace(
        state, phase=Phase.STOPPING, deadline=now + spec.stop.timeout, asked_at=now, then=then
    )


def _stop(spec: Service, state: State, input: Stop, now: float) -> Step:  # noqa: A002
    match state.phase:
        case Phase.WAITING | Phase.PAUSING | Phase.IDLE:
            return replace(state, phase=Phase.ENDED, deadline=inf), ()
        case Phase.RUNNING:
            if input.level is Level.KILL:
                return _kill(replace(state, asked_at=now, then=Then.END), now)
            return _ask(spec, state, now, Then.END), (Ask(state.generation, input.signal),)
        case Phase.STOPPING:
            ending = replace(state, then=Then.END)
            return _kill(ending, now) if input.level is Level.KILL else (ending, ())
        case Phase.KILLING:
            return replace(state, then=Then.END), ()
        case Phase.ENDED:
            return state, ()
        case _:
            assert_never(state.phase)


def _kill(state: State, now: float) -> Step:
    killing = replace(state, phase=Phase.KILLING, deadline=now + UNKILLABLE_AFTER)
    return killing, (Kill(state.generation, now - state.asked_at),)


def _deadline(spec: Service, state: State, now: float) -> Step:
    if now < state.deadline:
        return state, ()
    match state.phase:
        case Phase.STOPPING:
            return _kill(state, now)
        case Phase.PAUSING:
            return _respawn(spec, state, now)
        case Phase.KILLING:
            given_up = replace(state, phase=Phase.ENDED, deadline=inf, stopped=True)
            return given_up, (Emit(Notice("cannot be killed: given up", spec.index)),)
        case Phase.WAITING | Phase.RUNNING | Phase.IDLE | Phase.ENDED:
            return state, ()
        case _:
            assert_never(state.phase)
