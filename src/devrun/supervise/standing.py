"""How an instance stands, in one word and with the reason: what ``devrun ps`` shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from devrun.model import Service
from devrun.supervise.lives import Life
from devrun.supervise.state import Phase, State


class Word(Enum):
    """Where an instance is in its life, as users speak of it."""

    BLOCKED = "blocked"
    """It waits for what it depends on, or for its turn."""
    DELAYED = "delayed"
    STARTING = "starting"
    """It runs and is not ready yet."""
    RUNNING = "running"
    """It runs; nothing says when it is ready."""
    READY = "ready"
    DEGRADED = "degraded"
    """It runs, and its health check fails, or what it depends on is not there."""
    RELOADING = "reloading"
    STOPPING = "stopping"
    KILLING = "killing"
    BACKOFF = "backoff"
    IDLE = "idle"
    """It has ended, and a change of a watched file starts it."""
    COMPLETED = "completed"
    """It has ended by itself, and well."""
    STOPPED = "stopped"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Standing:
    """How an instance stands; ``reason`` says why, where the word alone does not."""

    word: Word
    reason: str | None = None


def standing(
    service: Service,
    state: State,
    life: Life,
    *,
    waits_for: Sequence[str] = (),
    is_reloading: bool = False,
) -> Standing:
    """Return how an instance stands.

    Args:
        waits_for: What it depends on that is missing: before it starts, or while it runs.
        is_reloading: A new generation is on the way to replace the present one.
    """
    match state.phase:
        case Phase.WAITING:
            return Standing(Word.BLOCKED, _waits_for(waits_for))
        case Phase.PAUSING if state.status is None and state.generation == 0:
            return Standing(Word.DELAYED)
        case Phase.PAUSING:
            return Standing(Word.BACKOFF, _how_it_ended(state, life))
        case Phase.STOPPING:
            return Standing(Word.STOPPING, state.fault)
        case Phase.KILLING:
            return Standing(Word.KILLING, state.fault)
        case Phase.IDLE:
            return Standing(Word.IDLE, _how_it_ended(state, life))
        case Phase.ENDED:
            return _ended(state, life)
        case Phase.RUNNING if is_reloading:
            return Standing(Word.RELOADING)
        case Phase.RUNNING:
            return _running(service, state, life, waits_for)
        case _:
            assert_never(state.phase)


def _running(service: Service, state: State, life: Life, waits_for: Sequence[str]) -> Standing:
    if not state.ready:
        return Standing(Word.STARTING, state.closed or life.unhealthy)
    if state.healthy is False:
        return Standing(Word.DEGRADED, life.unhealthy)
    if waits_for:
        return Standing(Word.DEGRADED, f"without {', '.join(waits_for)}")
    return Standing(Word.RUNNING if service.ready is None else Word.READY)


def _ended(state: State, life: Life) -> Standing:
    if state.skipped:
        return Standing(Word.SKIPPED, life.skipped)
    if life.given_up is not None:
        return Standing(Word.FAILED, life.given_up)
    if state.stopped or state.status is None:
        return Standing(Word.STOPPED)
    if state.status.ok:
        return Standing(Word.COMPLETED)
    return Standing(Word.FAILED, _how_it_ended(state, life))


def _how_it_ended(state: State, life: Life) -> str | None:
    if state.fault is not None:
        return state.fault
    last = life.last_exit
    if last is not None and last.reason is not None:
        return last.reason
    if state.status is None:
        return None
    way = "ended by" if state.status.signal is not None else "exit code"
    return f"{way} {state.status}"


def _waits_for(names: Sequence[str]) -> str | None:
    return f"waits for {', '.join(names)}" if names else None
