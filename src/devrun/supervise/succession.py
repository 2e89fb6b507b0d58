"""One instance's two generations, while one takes the place of the other.

The new generation is a task of its own, of which nobody but this hears. Once it is ready, and that
is proven, it becomes the service's; connections go to it; and the old one is told to stop when it
has finished what it can. If the new one fails, nothing has happened but that it was tried.

If the old one goes down by itself meanwhile, the new one is in its place at once: it is the
service's next start, whatever the restart policy says. So the old task never starts another
generation, and no number is given twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING

import trio

from devrun.events import Event, Notice, OverMemory
from devrun.model import RestartPolicy, Service
from devrun.supervise.messages import Level, Restart, Start, Stop
from devrun.supervise.reload import Outcome, went_down
from devrun.supervise.service import ServiceTask
from devrun.supervise.state import Phase, State, Then
from devrun.supervise.surroundings import Surroundings
from devrun.supervise.trial import seconds_of_trial

if TYPE_CHECKING:
    from devrun.supervise.reload import Stage

DRAIN = 5.0
"""Seconds in which the old generation may finish what it has begun, before it gets its signal."""

LOOK_AGAIN = 0.01
"""Seconds between two looks at whether connections wait for the old generation."""

SETTLE = 0.1
"""Seconds that the old one has, when none waits any more, to read what it has accepted."""

CLOSING = 1.0
"""Seconds after its signal in which nothing new is sent where the old one accepts, even if other
instances do so too: it may take it and not answer any more."""


class Succession:
    """Replaces one instance's generation.

    Args:
        candidates: Where those are to be that have to end when the run does.
        together: The same for all instances that are reloaded together.
    """

    def __init__(
        self, stage: Stage, candidates: set[ServiceTask], old: ServiceTask, *, together: object
    ) -> None:
        self._stage = stage
        self._candidates = candidates
        self._old = old
        self._spec = old.spec
        self._together = together
        self._listeners = stage.launcher.listeners
        self._generation = old.state.latest + 1
        self._news = trio.Event()
        self._draining = trio.CancelScope()
        self._said: list[Event] = []
        self._is_apart = self._has_replaced = False
        self._is_called_off = self._is_over_memory = False
        self._new = ServiceTask(_on_trial(old.spec), self._aside(self._hear_new))
        # It is no restart: a number behind all others, and yet the first.
        self._new.state = State(taken=old.state.latest)

    async def run(self) -> Outcome:
        """Bring the new generation up and the old one down, or leave things as they were."""
        self._prepare()
        is_settled = False
        try:
            self._stage.start(self._new)
            self._new.send(Start())
            outcome = await self._settle(await self._decision())
            is_settled = True
        finally:
            if not is_settled:
                self._abandon()
            self._candidates -= {self._new, self._old}
        return outcome

    def _prepare(self) -> None:
        alive = {task.spec.index for task in self._stage.tasks if not task.state.over}
        self._listeners.prepare(self._spec, self._generation, reload=self._together, alive=alive)
        self._is_apart = self._listeners.is_apart(self._spec, self._generation)
        self._candidates.add(self._new)
        self._old.state = replace(self._old.state, taken=self._generation)
        # What follows an end of the old one is the new one, and nothing else.
        alone = replace(self._spec, restart=RestartPolicy(), watch=())
        self._old.take_over(alone, replace(self._stage.around, observe=self._hear_old))
        self._tell(self._old, f"reloading: generation {self._generation} starts")

    # -- the decision -----------------------------------------------------------------------

    async def _decision(self) -> Outcome:
        """Wait until it is known what becomes of the new generation."""
        is_buried = False
        while (found := self._known()) is None:
            if self._has_replaced and not is_buried:
                is_buried = True
                await self._bury()
                continue
            with trio.move_on_at(self._proven_at()):
                await self._wait()
        return found

    def _known(self) -> Outcome | None:
        state = self._new.state
        if self._stage.is_stopping():
            return Outcome.ENDING
        if self._is_called_off:
            return Outcome.STOPPED
        if self._has_replaced and went_down(state):
            return Outcome.LOST
        if state.over:
            return Outcome.FAILED if self._old.state.phase is Phase.RUNNING else Outcome.LOST
        return Outcome.RELOADED if trio.current_time() >= self._proven_at() else None

    def _proven_at(self) -> float:
        """Return when the new generation is the one to go on with, if nothing happens to it."""
        state = self._new.state
        if not state.ready or state.phase is not Phase.RUNNING:
            return inf
        return state.since + seconds_of_trial(self._spec, is_apart=self._is_apart)

    async def _settle(self, outcome: Outcome) -> Outcome:
        match outcome:
            case Outcome.RELOADED:
                if not self._has_replaced:
                    self._replace()
                    await self._retire()
                self._new.take_over(self._new.spec, self._stage.around)
                self._new.release_unused()
                self._new.telling.behind(self._old.telling)
                self._tell(self._new, "reloaded")
            case Outcome.FAILED | Outcome.LOST | Outcome.STOPPED if not self._has_replaced:
                await self._discard()
                if outcome is Outcome.FAILED:
                    self._old.telling.behind(self._new.telling)
                    self._tell(self._old, "reload failed: the former generation goes on")
            case _ if self._has_replaced:
                self._new.take_over(self._new.spec, self._stage.around)
            case _:
                pass  # The run is ending: both generations are told to stop with all others.
        return outcome

    # -- what is heard ----------------------------------------------------------------------

    def _hear_old(self, index: int, news: Event | State) -> None:
        """Hear of the old generation; if it goes down by itself, put the new one in its place.

        At once, because others go down with it, and it could be started again.
        """
        self._is_over_memory |= isinstance(news, OverMemory)
        self._news.set()
        is_up = not isinstance(news, State) or news.phase is Phase.RUNNING
        if is_up or self._stage.is_stopping() or self._is_called_off or self._has_replaced:
            self._stage.around.observe(index, news)
        elif isinstance(news, State) and _was_told_to_stop(news):
            self._is_called_off = True
            self._new.send(Stop(Level.ASK, self._spec.stop.signal))
            self._stage.around.observe(index, news)
        elif isinstance(news, State):
            self._succeed_at_once(index, news)

    def _succeed_at_once(self, index: int, ended: State) -> None:
        """Be the next start of a service whose old generation has gone down."""
        starts_anew = ended.phase is Phase.STOPPING and ended.then is Then.RESTART
        if not starts_anew:
            self._tell(self._old, "the former generation has ended; the new one goes on")
        # Those that depend on it hear of a restart, for that is what it is to them.
        then = Then.RESTART if starts_anew else Then.PAUSE
        self._old.state = replace(ended, phase=Phase.STOPPING, then=then)
        self._stage.around.observe(index, self._old.state)
        self._old.state = ended
        self._replace()
        self._old.send(Stop(Level.ASK, self._spec.stop.signal))
        if starts_anew and not self._is_over_memory:
            self._new.send(Restart())  # What it was to be restarted for concerns both.

    def _hear_new(self, index: int, news: Event | State) -> None:
        if not isinstance(news, State):
            if self._has_replaced:
                self._stage.around.observe(index, news)
            else:
                self._said.append(news)
            return
        self._news.set()
        if self._has_replaced:
            self._stage.around.observe(index, news)
        elif news.phase not in (Phase.WAITING, Phase.RUNNING) and not self._is_called_off:
            self._restore()

    def _hear_leaving(self, index: int, news: Event | State) -> None:
        """Hear of the old generation when it is the service's no more."""
        if not isinstance(news, State):
            self._stage.around.observe(index, news)
            return
        self._news.set()
        if news.phase is not Phase.RUNNING:
            self._draining.cancel()

    async def _wait(self) -> None:
        await self._news.wait()
        self._news = trio.Event()

    # -- what is done -----------------------------------------------------------------------

    def _replace(self) -> None:
        """Have the new generation be the service's."""
        index, around = self._spec.index, self._stage.around
        self._has_replaced = True
        self._new.take_over(self._full(), replace(around, observe=self._hear_new))
        self._stage.tasks[index] = self._new
        self._old.take_over(self._old.spec, self._aside(self._hear_leaving))
        self._candidates.discard(self._new)
        self._candidates.add(self._old)
        for event in self._said:
            around.observe(index, event)
        self._listeners.hand_over(self._spec, self._generation)
        around.observe(index, self._new.state)

    async def _retire(self) -> None:
        """Bring the old generation down, when it has done what it can."""
        self._draining.deadline = trio.current_time() + DRAIN
        with self._draining:
            await self._drain()
        self._old.send(Stop(Level.ASK, self._spec.stop.signal))
        with trio.move_on_after(CLOSING):
            await self._until_over(self._old)
        self._listeners.reopen(self._spec, self._generation)
        await self._bury()

    async def _drain(self) -> None:
        """Wait until the old generation has finished what it has begun, as far as it can tell."""
        if await self._old.drain():
            return
        while not self._listeners.is_drained(self._spec, self._generation):  # noqa: ASYNC110 - no event
            await trio.sleep(LOOK_AGAIN)
        if self._spec.sockets:
            await trio.sleep(SETTLE)

    async def _bury(self) -> None:
        """Wait for the old generation's end, and close what only it had."""
        await self._until_over(self._old)
        if not self._old.state.stopped:
            await self._old.sweep()
        self._listeners.retire(self._spec, self._generation)

    async def _discard(self) -> None:
        """Wait for the new generation's end, and leave nothing of it."""
        await self._until_over(self._new)
        await self._new.sweep()
        self._listeners.give_up(self._spec, self._generation)
        self._restore()

    def _restore(self) -> None:
        """Have the old generation be what it was."""
        self._old.take_over(self._full(), self._stage.around)

    def _abandon(self) -> None:
        """Leave the service with one generation: whoever wanted this has gone."""
        if self._has_replaced:
            self._new.take_over(self._new.spec, self._stage.around)
            self._old.send(Stop(Level.ASK, self._spec.stop.signal))
            self._listeners.retire(self._spec, self._generation)
            return
        self._new.send(Stop(Level.ASK, self._spec.stop.signal))
        self._listeners.give_up(self._spec, self._generation)
        self._restore()

    async def _until_over(self, task: ServiceTask) -> None:
        while not task.state.over:
            await self._wait()

    def _full(self) -> Service:
        """Return the service as it is configured, and as it is called now."""
        spec = self._spec
        return replace(self._old.spec, restart=spec.restart, watch=spec.watch)

    def _aside(self, observe: Callable[[int, Event | State], None]) -> Surroundings:
        """Return surroundings in which only this reload hears of a task."""
        return replace(self._stage.around, observe=observe, over=lambda _index: None)

    def _tell(self, task: ServiceTask, text: str) -> None:
        task.telling.tell(Notice(text, self._spec.index))


def _on_trial(spec: Service) -> Service:
    """Return what a new generation is started as: one that has one try, and that at once."""
    ready = None if spec.ready is None else replace(spec.ready, continues=False)
    return replace(
        spec, restart=RestartPolicy(), watch=(), depends_on=(), start_delay=0.0, ready=ready
    )


def _was_told_to_stop(state: State) -> bool:
    is_stopping = state.phase in (Phase.STOPPING, Phase.KILLING)
    return is_stopping and state.then is Then.END and state.fault is None
