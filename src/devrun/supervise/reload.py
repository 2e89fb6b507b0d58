"""Reload: a new generation is ready before the old one is stopped, or the old one stays.

A service that holds its sockets, or shares its ports, has for a while two generations, each a task
of its own with the machine that every service has; ``supervise.succession`` is about these. A
service without such sockets could not have two generations on one port: it is restarted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from math import inf

import trio

from devrun.events import Notice
from devrun.supervise.dependencies import name_of
from devrun.supervise.launch import Launcher
from devrun.supervise.messages import Restart
from devrun.supervise.service import ServiceTask
from devrun.supervise.state import Phase, State, Then
from devrun.supervise.surroundings import Surroundings
from devrun.supervise.trial import seconds_of_trial


class Outcome(Enum):
    """What became of a reload."""

    RELOADED = "reloaded"
    RESTARTED = "restarted"
    FAILED = "failed"
    """The new generation has; the former one goes on."""
    LOST = "lost"
    """The former generation has ended, and the new one failed."""
    BROKEN = "broken"
    """It was restarted, and failed."""
    STOPPED = "stopped"
    """The service does not run."""
    ENDING = "ending"
    """The run is being stopped."""


_LEAVES_THE_OTHERS = (Outcome.FAILED, Outcome.LOST, Outcome.BROKEN, Outcome.ENDING)


@dataclass(frozen=True, slots=True)
class Stage:
    """What reloads have to do with the supervisor.

    Attributes:
        tasks: The present task of each service, by index; a reload replaces one.
        around: What every service shares.
        start: Runs a task.
        is_stopping: Whether the run is ending.
        settled: Tells the supervisor that a reload of a service is over.
        changed: Waits until something has happened to a service, or the run begins to end.
    """

    tasks: list[ServiceTask]
    around: Surroundings
    launcher: Launcher
    start: Callable[[ServiceTask], None]
    is_stopping: Callable[[], bool]
    settled: Callable[[int], None]
    changed: Callable[[], Awaitable[None]]


class Reloads:
    """Reloads services, one instance after another, and one reload of a service at a time."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._locks: dict[str, trio.Lock] = {}
        self.candidates: set[ServiceTask] = set()
        """New generations that are not ready yet, and old ones that have not ended."""

    def is_reloading(self, index: int) -> bool:
        """Whether a service is being reloaded."""
        name = name_of(self._stage.tasks[index].spec)
        return name in self._locks and self._locks[name].locked()

    def lock(self, index: int) -> trio.Lock:
        """Return what a reload of a service holds, so that others wait for its end."""
        return self._locks.setdefault(name_of(self._stage.tasks[index].spec), trio.Lock())

    def hear(self, index: int, state: State) -> None:
        """Hear how it is with an instance: connections go to those that run."""
        service, listeners = self._stage.tasks[index].spec, self._stage.launcher.listeners
        if service.sockets:
            listeners.is_running(service, runs=state.phase is Phase.RUNNING)
            if state.phase in (Phase.ENDED, Phase.IDLE):
                listeners.is_over(service)

    async def reload(self, indices: Sequence[int]) -> dict[int, Outcome]:
        """Reload instances one after another; after one that fails the others are left alone.

        One that does not run is passed over.
        """
        found: dict[int, Outcome] = {}
        together = object()
        for index in indices:
            async with self.lock(index):
                found[index] = await self._reload(index, together)
            self._stage.settled(index)
            if found[index] in _LEAVES_THE_OTHERS:
                break
        return found

    def say_if_defined_anew(self) -> None:
        """Say that a reload does not read the file of the services, if that has changed."""
        if (name := self._stage.launcher.newer_definition()) is not None:
            text = f"{name} has changed since the start; devrun up -d applies that"
            self._stage.around.publish(Notice(text))

    async def _reload(self, index: int, together: object) -> Outcome:
        old = self._stage.tasks[index]
        if self._stage.is_stopping():
            return Outcome.ENDING
        if old.state.phase in (Phase.WAITING, Phase.ENDED):
            return Outcome.STOPPED
        can_overlap = bool(old.spec.sockets) or old.spec.shares_ports
        if not can_overlap or old.state.phase is not Phase.RUNNING:
            return await self._restart(
                index, "reloading" if can_overlap else "reloading by a restart"
            )
        from devrun.supervise.succession import Succession

        return await Succession(self._stage, self.candidates, old, together=together).run()

    async def _restart(self, index: int, reason: str) -> Outcome:
        """Start an instance anew, and wait until that has become something or has not."""
        before = self._stage.tasks[index].state.generation
        self._stage.tasks[index].send(Restart(reason))
        while True:
            task = self._stage.tasks[index]
            state = task.state
            if self._stage.is_stopping():
                return Outcome.ENDING
            is_down = state.phase in (Phase.PAUSING, Phase.IDLE) and state.generation > before
            if is_down or state.over:
                return Outcome.BROKEN
            proven_at = inf
            if state.generation > before and state.ready:
                proven_at = state.since + seconds_of_trial(task.spec, is_apart=True)
                if trio.current_time() >= proven_at:
                    return Outcome.RESTARTED
            with trio.move_on_at(proven_at):
                await self._stage.changed()


def went_down(state: State) -> bool:
    """Whether a generation has ended or is about to, and not to be started anew at once."""
    match state.phase:
        case Phase.PAUSING | Phase.IDLE | Phase.ENDED:
            return True
        case Phase.STOPPING | Phase.KILLING:
            return state.then is not Then.RESTART
        case _:
            return False
