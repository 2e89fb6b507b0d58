"""How the end of a run comes about: in the order of dependencies, and sooner when asked again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import trio

from devrun.events import Stopping, StopReason
from devrun.process.spawn import Child
from devrun.sources.signals import StopRequests
from devrun.supervise.interrupts import stop_signal
from devrun.supervise.members import Members
from devrun.supervise.messages import Level, Stop
from devrun.supervise.news import News
from devrun.supervise.service import ServiceTask
from devrun.supervise.surroundings import Surroundings


class Shutdown:
    """Whether the run is to end, why, and how urgently.

    Args:
        candidates: Returns those that reloads have begun and not finished.
        hint: The flag that keeps the others running, if ending them is a default.
    """

    def __init__(
        self,
        members: Members,
        around: Surroundings,
        news: News,
        *,
        candidates: Callable[[], Iterable[ServiceTask]],
        hint: str | None,
    ) -> None:
        self._members = members
        self._around = around
        self._news = news
        self._candidates = candidates
        self._hint = hint
        self._requests = StopRequests()
        self._begun = trio.Event()
        self.level: Level | None = None
        """What the services have been told; None while the run goes on."""
        self.reason: StopReason | None = None
        self.received: int | None = None
        """The first signal that told devrun to stop."""
        self.since: float | None = None
        """When the end began, by the event loop's clock."""
        self.signalled = trio.Event()
        """Set once a signal, or a user from elsewhere, has told the run to stop."""
        self.everything = trio.CancelScope()
        """Cancelled where even killing is not to be waited for."""

    def stop(
        self, reason: StopReason, level: Level = Level.ASK, *, cause: int | None = None
    ) -> None:
        """Stop everything; a second call can only make it more urgent.

        Args:
            cause: The service whose end is the reason.
        """
        first = self.level is None
        self._news.wake()
        self.reason = self.reason or reason
        self.level = max(level, self.level or level)
        if first:
            self.since = trio.current_time()
            self._tell(self.reason, cause)
            self._begun.set()
        for task in [*self._candidates()]:
            self._send(task, level)
        if level is Level.KILL:
            for task in self._members.tasks:
                self._send(task, level)
        else:
            self.go_on()

    def by_signal(self, number: int) -> None:
        """First ask; then, at a second Ctrl+C or a later SIGTERM, kill; then leave."""
        again = self._requests.is_another(number)
        if self.received is None:
            self.received = number
        self.signalled.set()
        if again and self.level is Level.KILL:
            self.everything.cancel()
        self.reason = StopReason.SIGNAL
        self.stop(StopReason.SIGNAL, Level.KILL if again else Level.ASK)

    def by_user(self, level: Level) -> None:
        """End the run, because a user asks for it from elsewhere."""
        self.signalled.set()
        self.stop(StopReason.SIGNAL, level)

    def guardian_gone(self) -> None:
        """Kill everything at once, as nobody would if this process were killed too."""
        self.signalled.set()
        self.stop(StopReason.GUARDIAN_GONE, Level.KILL)

    def go_on(self) -> None:
        """Ask those to stop on which nothing depends any more."""
        for index in self._members.turns.stops(self._members.states()):
            self._send(self._members.tasks[index], Level.ASK)

    async def kill_in_time(self, seconds: float) -> None:
        """Kill what is left when the time for stopping the whole project is over."""
        await self._begun.wait()
        await trio.sleep(seconds)
        if self.reason is not None:
            self.stop(self.reason, Level.KILL)

    def _send(self, task: ServiceTask, level: Level) -> None:
        task.send(Stop(level, stop_signal(task.spec, self.received)))

    def _tell(self, reason: StopReason, cause: int | None) -> None:
        """Say that the end has begun."""
        tasks = self._members.tasks
        running = [task for task in tasks if task.state.alive or self._is_adopted(task)]
        signals = dict.fromkeys(stop_signal(task.spec, self.received) for task in running or tasks)
        event = Stopping(
            reason,
            tuple(signals),
            len(running),
            cause,
            self.received,
            self._hint if reason is StopReason.OTHER_EXITED else None,
            self._has_order(running),
        )
        if cause is None:
            self._around.publish(event)
        else:
            tasks[cause].telling.tell(event)  # Behind the exit that it follows from.
        self._news.publish(event)

    def _is_adopted(self, task: ServiceTask) -> bool:
        """Whether its first generation runs, and it has not been told of it yet."""
        return isinstance(self._around.adopted.get(task.spec.index), Child)

    def _has_order(self, running: Sequence[ServiceTask]) -> bool:
        """Whether some of them end before others are asked to."""
        turns, states = self._members.turns, self._members.states()
        return not all(turns.may_stop(task.spec.index, states) for task in running)
