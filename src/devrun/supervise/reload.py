"""Reload: a new generation is ready before the old one is stopped, or the old one stays.

A service that holds its sockets, or shares its ports, has for a while two generations, each a task
of its own with the machine that every service has. The new one is the service's once it is ready;
if it fails, nothing has happened but that it was tried. A service without such sockets could not
have two generations on one port: it is restarted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import trio

from devrun.events import Event, Notice
from devrun.model import RestartPolicy, Service
from devrun.supervise.launch import Launcher
from devrun.supervise.messages import Level, Restart, Start, Stop
from devrun.supervise.service import ServiceTask, Surroundings
from devrun.supervise.state import Phase, State

DRAIN = 5.0
"""Seconds in which the old generation may finish what it has begun, before it gets its signal."""

LOOK_AGAIN = 0.01
"""Seconds between two looks at whether connections wait for the old generation."""

SETTLE = 0.1
"""Seconds that the old one has, when none waits any more, to read what it has accepted."""


class Outcome(Enum):
    """What became of a reload."""

    RELOADED = "reloaded"
    RESTARTED = "restarted"
    FAILED = "failed"
    STOPPED = "stopped"
    """The run is ending, or the service does not run."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What reloads have to do with the supervisor.

    Attributes:
        tasks: The present task of each service, by index; a reload replaces one.
        around: What every service shares.
        start: Runs a task.
        is_stopping: Whether the run is ending.
        settled: Tells the supervisor that a reload of a service is over.
    """

    tasks: list[ServiceTask]
    around: Surroundings
    launcher: Launcher
    start: Callable[[ServiceTask], None]
    is_stopping: Callable[[], bool]
    settled: Callable[[int], None]


class Reloads:
    """Reloads services, one instance after another, and one reload of a service at a time."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._locks: dict[str, trio.Lock] = {}
        self.candidates: set[ServiceTask] = set()
        """New generations that are not ready yet, and old ones that have not ended."""

    def is_reloading(self, index: int) -> bool:
        """Whether a service is being reloaded."""
        name = _name(self._stage.tasks[index].spec)
        return name in self._locks and self._locks[name].locked()

    async def reload(self, indices: Sequence[int]) -> dict[int, Outcome]:
        """Reload instances one after another; after one that fails the others are left alone."""
        found: dict[int, Outcome] = {}
        for index in indices:
            lock = self._locks.setdefault(_name(self._stage.tasks[index].spec), trio.Lock())
            async with lock:
                found[index] = await self._reload(index)
            self._stage.settled(index)
            if found[index] in (Outcome.FAILED, Outcome.STOPPED):
                break
        return found

    async def _reload(self, index: int) -> Outcome:
        old = self._stage.tasks[index]
        if self._stage.is_stopping() or old.state.phase in (Phase.WAITING, Phase.ENDED):
            return Outcome.STOPPED
        spec = old.spec
        can_overlap = bool(spec.sockets) or spec.shares_ports
        if not can_overlap or old.state.phase is not Phase.RUNNING:
            old.send(Restart("reloading by a restart" if not can_overlap else "reloading"))
            return Outcome.RESTARTED
        return await _Succession(self._stage, self.candidates, old).run()


class _Succession:
    """One instance's two generations."""

    def __init__(self, stage: Stage, candidates: set[ServiceTask], old: ServiceTask) -> None:
        self._stage = stage
        self._candidates = candidates
        self._old = old
        self._spec = old.spec
        self._generation = old.state.generation + 1
        self._news = trio.Event()
        self._new = ServiceTask(
            replace(self._spec, restart=RestartPolicy(), watch=(), depends_on=()),
            self._aside(),
            after=old.state.generation,
        )

    async def run(self) -> Outcome:
        listeners = self._stage.launcher.listeners
        same = [task for task in self._stage.tasks if _name(task.spec) == _name(self._spec)]
        listeners.prepare(self._spec, self._generation, alone=len(same) == 1)
        self._tell("reloading")
        self._candidates.add(self._new)
        try:
            self._stage.start(self._new)
            self._new.send(Start())
            is_ready = await self._is_ready()
            if self._stage.is_stopping():
                listeners.give_up(self._spec, self._generation)
                return Outcome.STOPPED
            if not is_ready:
                listeners.give_up(self._spec, self._generation)
                self._tell("reload failed: the former generation goes on")
                return Outcome.FAILED
            self._candidates.add(self._old)
            await self._take_over()
            return Outcome.RELOADED
        finally:
            self._candidates.discard(self._new)
            self._candidates.discard(self._old)

    async def _is_ready(self) -> bool:
        """Wait until the new generation is ready or has failed.

        If the old one ends meanwhile, the new one goes on as the service's next start.
        """
        while not self._new.state.over:
            if self._new.state.ready or self._old.state.phase is not Phase.RUNNING:
                return True
            await self._wait()
        return False

    async def _take_over(self) -> None:
        index, listeners = self._spec.index, self._stage.launcher.listeners
        self._new.take_over(self._spec, self._stage.around)
        self._stage.tasks[index] = self._new
        self._old.take_over(self._old.spec, self._aside())
        listeners.hand_over(self._spec, self._generation)
        if self._old.state.phase is Phase.RUNNING:
            with trio.move_on_after(DRAIN):
                await self._drain()
        self._old.send(Stop(Level.ASK, self._spec.stop.signal))
        while not self._old.state.over:
            await self._wait()
        listeners.retire(self._spec, self._generation)
        self._new.release_unused()
        self._tell("reloaded")

    async def _drain(self) -> None:
        """Wait until the old generation has finished what it has begun, as far as it can tell."""
        if await self._old.drain():
            return
        listeners = self._stage.launcher.listeners
        while not listeners.is_drained(self._spec, self._generation):  # noqa: ASYNC110 - no event
            await trio.sleep(LOOK_AGAIN)
        if self._spec.sockets:
            await trio.sleep(SETTLE)

    def _aside(self) -> Surroundings:
        """Return surroundings in which only this reload hears of the task."""

        def observe(_index: int, _news: Event | State) -> None:
            self._news.set()

        return replace(self._stage.around, observe=observe, over=lambda _index: None)

    async def _wait(self) -> None:
        await self._news.wait()
        self._news = trio.Event()

    def _tell(self, text: str) -> None:
        self._stage.tasks[self._spec.index].tell(Notice(text, self._spec.index))


def _name(service: Service) -> str:
    return service.process or service.label
