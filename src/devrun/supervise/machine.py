"""The whole life of one service, as a pure function.

``step(spec, state, input, now)`` answers an input with a new state and the actions to perform. One
state, one deadline; every input that concerns a process carries its generation, and one of an older
generation changes nothing.

Theory of operation. A service *waits* until it is told to start: at first, and before every restart
if it depends on others. Each start is a *generation*: a main process and whatever descends from it.
While it *runs* it becomes ready, once, and its health may change; where it does not work, it is
treated as if it had ended so. When the main process ends, the generation's tree must be gone before
another generation may start, so there is *stopping* between two generations even when nobody asked
for a stop; where nothing was left, it takes no time. A stop is the stop signal, once; when its time
is over, *killing*; a second request goes to killing at once. What follows when the tree is gone was
decided when the stopping began: the end, another generation, or a *pause* before it. Only the end
can replace what was decided; so stopping beats starting.

                 Start             Ended, Faulty: to be restarted   Gone
    WAITING ------------> RUNNING ---------------------> STOPPING -------> PAUSING, RUNNING, ENDED
       | '-> PAUSING --->    |  Stop, Restart, Changed      | Deadline       | Deadline, Changed
       |    (start_delay)    |---------------------------> |---> KILLING     '----> RUNNING, WAITING
       | Skip, Stop          | Ended, for good
       '---> ENDED           '----> ENDED  (or IDLE, if a change of a watched file may start it)
"""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import assert_never

from devrun.events import Changed, Failed, Notice, Restarted, Skipped
from devrun.model import Service
from devrun.supervise.ending import FAULT, Step, ask, awaiting_change, emit, ended, main_ended
from devrun.supervise.messages import (
    Abandon,
    BecameReady,
    Deadline,
    Ended,
    Exceeded,
    Extend,
    Failing,
    Faulty,
    FilesChanged,
    GiveUp,
    Gone,
    Hold,
    Input,
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
from devrun.supervise.restarting import after_calm_restart
from devrun.supervise.state import Phase, State, Then
from devrun.supervise.working import news, not_ready, spawned

UNKILLABLE_AFTER = 5.0
"""Seconds after which a tree that survives SIGKILL (state D, another user's) is given up."""


def step(spec: Service, state: State, input: Input, now: float) -> Step:  # noqa: A002 - the term
    """Answer an input: the next state, and what to do, in order."""
    match input:
        case Start():
            return _start(spec, state, now)
        case Skip():
            return _skip(spec, state, input)
        case FilesChanged():
            return _files_changed(spec, state, input, now)
        case Restart():
            return _restart(spec, state, input, now)
        case Hold():
            return _hold(state)
        case GiveUp():
            return _give_up(spec, state, input)
        case Stop():
            return _stop(spec, state, input, now)
        case Deadline():
            return _deadline(spec, state, now) if now >= state.deadline else (state, ())
        case _ if input.generation != state.generation:
            return state, ()
        case Gone():
            return _gone(spec, state, now, read=input.read)
        case _:
            return _of_process(spec, state, input, now) if state.alive else (state, ())


OfProcess = (
    Spawned
    | NotSpawned
    | Ended
    | BecameReady
    | Probed
    | StillClosed
    | Failing
    | Faulty
    | Exceeded
    | Extend
)
"""What concerns the process of a generation."""


def _of_process(
    spec: Service,
    state: State,
    input: OfProcess,  # noqa: A002
    now: float,
) -> Step:
    """Answer what concerns the present generation's process."""
    match input:
        case Spawned():
            return spawned(spec, state, input)
        case NotSpawned():
            return main_ended(spec, state, input.status, now, input.reason)
        case Ended():
            return ended(spec, state, input, now)
        case (
            BecameReady() | Probed() | StillClosed() | Failing() | Faulty() | Exceeded() | Extend()
        ):
            return news(spec, state, input, now)
        case _:
            assert_never(input)


# -- starting -----------------------------------------------------------------------------------


def _start(spec: Service, state: State, now: float) -> Step:
    if state.phase is not Phase.WAITING:
        return state, ()
    if state.generation == 0 and spec.start_delay and not state.delayed:
        return replace(state, phase=Phase.PAUSING, deadline=now + spec.start_delay), ()
    return _spawn(spec, state, now)


def _spawn(spec: Service, state: State, now: float) -> Step:
    generation = state.latest + 1
    running = State(Phase.RUNNING, generation, since=now, tally=state.tally)
    again = emit(Restarted(spec.index, generation, now)) if state.generation else ()
    return running, (*again, Spawn(generation))


def _respawn(spec: Service, state: State, now: float) -> Step:
    """Start again, or after a delay, when what the service depends on is there."""
    if spec.depends_on or state.held:
        return replace(state, phase=Phase.WAITING, deadline=inf, delayed=True), ()
    return _spawn(spec, state, now)


def _skip(spec: Service, state: State, input: Skip) -> Step:  # noqa: A002
    if state.phase is not Phase.WAITING:
        return state, ()
    skipped = replace(state, phase=Phase.ENDED, status=FAULT, skipped=True)
    return skipped, emit(Skipped(spec.index, input.reason))


# -- restarts ---------------------------------------------------------------------------------


def _gone(spec: Service, state: State, now: float, *, read: bool) -> Step:
    if state.phase not in (Phase.STOPPING, Phase.KILLING) or state.status is None:
        return state, ()  # Not asked for, or the main process is still to be reaped.
    match state.then:
        case Then.END:
            return replace(state, phase=Phase.ENDED, deadline=inf), ()
        case Then.IDLE:
            return replace(state, phase=Phase.IDLE, deadline=inf), awaiting_change(spec)
        case Then.RESTART if read:
            return _respawn(spec, state, now)
        case Then.RESTART:
            return replace(state, phase=Phase.PAUSING, deadline=now), ()
        case Then.PAUSE:
            until = state.asked_at + state.tally.delay
            if until <= now and read:
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
    if state.phase in (Phase.WAITING, Phase.ENDED):
        return state, ()
    changed = emit(Changed(spec.index, input.path, input.more))
    anew, actions = _anew(spec, replace(state, tally=after_calm_restart(state.tally)), now)
    decided = state.then in (Then.RESTART, Then.END)
    if state.phase in (Phase.STOPPING, Phase.KILLING) and decided:
        return state, ()  # What starts next reads the files as they are then.
    return anew, (*changed, *actions)


def _restart(spec: Service, state: State, input: Restart, now: float) -> Step:  # noqa: A002
    if state.phase in (Phase.WAITING, Phase.ENDED):
        return state, ()
    if not input.at_once and state.phase is not Phase.RUNNING:
        return state, ()  # It starts anew anyway, or is not to.
    said = emit(Notice(input.reason, spec.index)) if input.reason else ()
    if input.at_once:
        state = replace(state, tally=after_calm_restart(state.tally))
    anew, actions = _anew(spec, state, now)
    return anew, (*said, *actions)


def _anew(spec: Service, state: State, now: float) -> Step:
    """Start another generation as soon as the present one is gone."""
    match state.phase:
        case Phase.RUNNING:
            return ask(spec, state, now, Then.RESTART)
        case Phase.PAUSING | Phase.IDLE:
            return _respawn(spec, state, now)
        case Phase.STOPPING | Phase.KILLING if state.then in (Then.PAUSE, Then.IDLE):
            # A pause is not needed any more: the program is another one.
            return replace(state, then=Then.RESTART), ()
        case Phase.STOPPING | Phase.KILLING | Phase.WAITING | Phase.ENDED:
            return state, ()
        case _:
            assert_never(state.phase)


def _hold(state: State) -> Step:
    if state.phase in (Phase.STOPPING, Phase.KILLING, Phase.PAUSING):
        return replace(state, held=True), ()
    return state, ()


def _give_up(spec: Service, state: State, input: GiveUp) -> Step:  # noqa: A002
    """End for good what was to start again, and count that as its failure."""
    if state.phase in (Phase.RUNNING, Phase.IDLE, Phase.ENDED) or not state.generation:
        return state, ()
    if state.alive and state.then not in (Then.RESTART, Then.PAUSE):
        return state, ()
    then = Then.IDLE if spec.watch else Then.END
    state = replace(state, given_up=input.reason, then=then, stopped=False)
    if state.status is not None and state.status.ok:
        state = replace(state, status=FAULT, fault=state.fault or input.reason)
    failed = emit(Failed(spec.index, state.generation, input.reason))
    if state.alive:
        return state, failed
    if spec.watch:
        return replace(state, phase=Phase.IDLE, deadline=inf), (*failed, *awaiting_change(spec))
    return replace(state, phase=Phase.ENDED, deadline=inf), failed


# -- stopping -----------------------------------------------------------------------------------


def _stop(spec: Service, state: State, input: Stop, now: float) -> Step:  # noqa: A002
    match state.phase:
        case Phase.WAITING | Phase.PAUSING | Phase.IDLE:
            return replace(state, phase=Phase.ENDED, deadline=inf), ()
        case Phase.RUNNING:
            if input.level is Level.KILL:
                return _kill(replace(state, asked_at=now, then=Then.END), now)
            said = emit(Notice(input.reason, spec.index)) if input.reason else ()
            stopping, asked = ask(spec, state, now, Then.END, input.signal)
            return stopping, (*said, *asked)
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
    killing = replace(state, phase=Phase.KILLING, deadline=now + UNKILLABLE_AFTER, ready=False)
    return killing, (Kill(state.generation, now - state.asked_at),)


def _abandon(state: State) -> Step:
    """Wait no longer for what survives SIGKILL; another generation beside it cannot be."""
    ended = replace(state, phase=Phase.ENDED, deadline=inf, stopped=state.then is Then.END)
    if state.then is not Then.END:
        ended = replace(ended, status=FAULT, fault=state.fault or "it cannot be killed")
    return ended, (Abandon(state.generation),)


def _deadline(spec: Service, state: State, now: float) -> Step:
    match state.phase:
        case Phase.RUNNING:
            return not_ready(spec, state, now)
        case Phase.STOPPING:
            return _kill(state, now)
        case Phase.PAUSING:
            return _respawn(spec, state, now)
        case Phase.KILLING:
            return _abandon(state)
        case Phase.WAITING | Phase.IDLE | Phase.ENDED:
            return state, ()
        case _:
            assert_never(state.phase)
