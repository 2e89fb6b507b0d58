"""What a user asks of a run while it goes on: stop this, start that, three of these.

A service that a user has stopped is over, and yet keeps the run alive, because it can be started
again: as another task with the machine that every service has, which goes on counting generations.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import trio

from devrun.model import Service
from devrun.supervise.dependencies import name_of
from devrun.supervise.instances import differences, free_numbers, instance
from devrun.supervise.messages import Level, Restart, Stop
from devrun.supervise.reload import Outcome
from devrun.supervise.results import Changes, Done, NoSuchService, Refused, Result
from devrun.supervise.standing import Word
from devrun.supervise.state import Phase, Then
from devrun.supervise.suspension import pass_on

if TYPE_CHECKING:
    from devrun.supervise.service import ServiceTask
    from devrun.supervise.supervisor import Supervisor

MOST_INSTANCES = 1000
"""Of one service; more is a slip of the finger."""


class Orders:
    """Carries out what is asked of a run; every order returns when it has been."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._members = supervisor.members
        self._changing = trio.Lock()

    def resolve(self, name: str) -> list[int]:
        """Return the indices of a service's instances, or of the one instance of that name.

        Raises:
            NoSuchService: There is none.
        """
        present = self._members.present()
        found = [s.index for s in present if name_of(s) == name]
        found = found or [s.index for s in present if s.label == name]
        if not found:
            from devrun.config.nearest import choices

            known = dict.fromkeys([*(name_of(s) for s in present), *(s.label for s in present)])
            raise NoSuchService(f'no service "{name}" runs here{choices(name, list(known))}')
        return found

    def all(self) -> list[int]:
        """Return the indices of all that is part of the run."""
        return [service.index for service in self._members.present()]

    # -- start, stop, restart, reload --------------------------------------------------------

    async def start(self, indices: Sequence[int]) -> list[Result]:
        """Start what does not run, what that depends on first, and wait until it is ready."""
        self._refuse_if_stopping()
        await self._until(lambda: not any(self._is_going(index) for index in indices))
        begun = self._begin(indices)
        results = [await self._until_up(index, begun.get(index, -1)) for index in indices]
        return [
            Result(r.index, Done.UNCHANGED)
            if r.index not in begun and r.done is Done.STARTED
            else r
            for r in results
        ]

    def _begin(self, indices: Sequence[int]) -> dict[int, int]:
        """Begin what can be started, and return the generation that each has had before.

        Raises:
            Refused: The run is ending, so that nothing would ever stop what is begun now.
        """
        self._refuse_if_stopping()
        wanted = self._with_what_they_need(indices)
        begun = {index: self._members.tasks[index].state.generation for index in wanted}
        for index in wanted:
            self._members.begin(index)
        self._supervisor.fill_slots()
        return begun

    async def restart(self, indices: Sequence[int]) -> list[Result]:
        """Start anew what runs, and start what does not; wait until it is ready."""
        self._refuse_if_stopping()
        wanted = self._with_what_they_need(indices)
        begun: dict[int, int] = {}
        for index in dict.fromkeys([*wanted, *indices]):
            async with self._supervisor.reloads.lock(index):
                self._refuse_if_stopping()
                task = self._members.tasks[index]
                begun[index] = task.state.generation
                if self._can_start(index):
                    self._members.begin(index)
                elif index in indices and task.state.phase is not Phase.WAITING:
                    task.send(Restart("restarting, as asked"))
            self._supervisor.fill_slots()
        results = [await self._until_up(index, begun[index]) for index in indices]
        return [
            replace(r, done=Done.RESTARTED) if r.done is Done.STARTED and begun[r.index] else r
            for r in results
        ]

    async def stop(self, indices: Sequence[int]) -> list[Result]:
        """Stop instances, dependants first, and wait until nothing is left of them."""
        results = await self._stop(indices)
        self._supervisor.say_if_all_are_stopped()
        return results

    async def _stop(self, indices: Sequence[int]) -> list[Result]:
        were_over = {i for i in indices if self._members.tasks[i].state.over}
        self._members.held.update(indices)
        waiting = set(indices) - were_over
        asked: dict[int, tuple[ServiceTask, int]] = {}
        while waiting:
            for index in sorted(waiting - set(asked)):
                if waiting.isdisjoint(self._dependants(index)):
                    asked[index] = await self._ask_to_stop(index)
            await self._supervisor.news.changed()
            waiting = {index for index in waiting if not self._has_stopped(index, asked)}
        return [
            Result(index, Done.UNCHANGED if index in were_over else Done.STOPPED)
            for index in indices
        ]

    def _has_stopped(self, index: int, asked: dict[int, tuple[ServiceTask, int]]) -> bool:
        """Whether an instance is over, or was and has been begun again by somebody else.

        One that has come to a new generation all the same is asked once more.
        """
        task = self._members.tasks[index]
        if task.state.over or index not in asked:
            return task.state.over
        other, generation = asked[index]
        if task is other and task.state.generation > generation:
            del asked[index]
        return task is not other

    async def reload(self, indices: Sequence[int]) -> list[Result]:
        """Put new generations in the place of present ones, without a gap where that can be."""
        self._refuse_if_stopping()
        self._supervisor.reloads.say_if_defined_anew()
        found = await self._supervisor.reloads.reload(indices)
        return [self._result_of(index, found.get(index)) for index in indices]

    def _result_of(self, index: int, outcome: Outcome | None) -> Result:
        match outcome:
            case Outcome.RELOADED:
                return Result(index, Done.RELOADED)
            case Outcome.RESTARTED:
                return Result(index, Done.RESTARTED)
            case Outcome.FAILED:
                reason = "the new generation failed; the former one goes on"
                return Result(index, Done.FAILED, reason)
            case Outcome.LOST:
                reason = "the former generation ended meanwhile, and the new one failed"
                return Result(index, Done.FAILED, reason)
            case Outcome.BROKEN:
                return Result(index, Done.FAILED, self._supervisor.standing(index).reason)
            case Outcome.STOPPED:
                return Result(index, Done.FAILED, "it does not run")
            case Outcome.ENDING:
                return Result(index, Done.FAILED, "the run is ending")
            case None:
                reason = "left as it is, because another instance failed"
                return Result(index, Done.UNCHANGED, reason)

    def signal(self, indices: Sequence[int], number: int) -> dict[int, list[int]]:
        """Send a signal to the programs of instances; return the pids of those that got it."""
        found: dict[int, list[int]] = {}
        for index in indices:
            task = self._members.tasks[index]
            found[index] = [] if task.child is None else pass_on(number, task.spec, task.child)
        return found

    def shutdown(self, *, kill: bool = False) -> None:
        """End the run, as SIGTERM does."""
        self._supervisor.shutdown.by_user(Level.KILL if kill else Level.ASK)

    # -- other services ------------------------------------------------------------------------

    async def scale(self, name: str, count: int) -> list[Result]:
        """Have so many instances of a service, and no more.

        Who asks for another number meanwhile has a turn when those that are too many have ended.

        Raises:
            NoSuchService: There is none of that name.
            Refused: It cannot have another number of instances.
        """
        async with self._changing:
            self._refuse_if_stopping()
            indices = self._instances(name)
            added = await self._add(indices, name, count)
            removed = indices[count:]
            await self._end(removed)
            for index in removed:
                self._members.remove(index)
            begun = self._begin(added)
        return [
            *(Result(index, Done.UNCHANGED) for index in indices[:count]),
            *[await self._until_up(index, begun[index]) for index in added],
            *(Result(index, Done.REMOVED) for index in removed),
        ]

    async def _add(self, indices: Sequence[int], name: str, count: int) -> list[int]:
        """Add instances to those that a service has, up to a number; return what was added."""
        first = self._members.services[indices[0]]
        self._refuse_to_scale(first, count)
        if len(indices) == 1 and count > 1 and first.process is not None:
            self._members.rename(first.index, f"{name}.{first.number}")
        taken = [self._members.services[index] for index in indices]
        added = [
            self._members.add(instance(first, name, number))
            for number in free_numbers(taken, max(0, count - len(indices)))
        ]
        await self._supervisor.services_changed()
        return added

    async def apply(self, wanted: Sequence[Service], also: Container[str] = ()) -> Changes:
        """Make the run one of these services: start what is new, end what is not among them.

        What is the same goes on undisturbed. It returns when what is new has been begun.

        Args:
            also: Labels of services that are started anew though they are the same.
        """
        async with self._changing:
            return await self._apply(wanted, also)

    async def _apply(self, wanted: Sequence[Service], also: Container[str]) -> Changes:
        self._refuse_if_stopping()
        present = {service.label: service for service in self._members.present()}
        labels = {service.label for service in wanted}
        removed = [service for label, service in present.items() if label not in labels]
        added = [service for service in wanted if service.label not in present]
        changed = [
            (service, names)
            for service in wanted
            if service.label in present
            and ((names := differences(present[service.label], service)) or service.label in also)
        ]
        gone = [service.index for service in removed]
        anew = [present[service.label].index for service, _ in changed]
        await self._end([*gone, *anew])
        self._refuse_if_stopping()
        for index in gone:
            self._members.remove(index)
        for service, _ in changed:
            self._members.change(present[service.label].index, service)
        new = [self._members.add(service) for service in added]
        self._members.held.update(new)  # They keep the run alive until they have been begun.
        await self._supervisor.services_changed()
        self._begin([*anew, *new])
        return Changes(
            tuple(service.label for service in added),
            tuple(service.label for service in removed),
            tuple((service.label, names) for service, names in changed),
            (
                *(Result(index, Done.REMOVED) for index in gone),
                *(Result(index, Done.RESTARTED) for index in anew),
                *(Result(index, Done.STARTED) for index in new),
            ),
        )

    async def _end(self, indices: Sequence[int]) -> None:
        """Stop instances until all are over at once, whoever starts one of them meanwhile."""
        while not all(map(self._is_over, indices)):
            await self._stop(indices)

    def _instances(self, name: str) -> list[int]:
        found = [s.index for s in self._members.present() if name_of(s) == name]
        return sorted(found, key=lambda i: self._members.services[i].number) or self.resolve(name)

    def _refuse_to_scale(self, service: Service, count: int) -> None:
        if not 1 <= count <= MOST_INSTANCES:
            why = f"between 1 and {MOST_INSTANCES} instances are possible; stop ends them all"
            raise Refused(f"{name_of(service)} cannot have {count}: {why}")
        if service.process is None:
            raise Refused(f"{service.label} is a command; only services of a file have instances")
        if self._supervisor.is_grouped:
            raise Refused("output in groups has one place for each service: nothing can be added")

    # -- waiting -------------------------------------------------------------------------------

    def _with_what_they_need(self, indices: Iterable[int]) -> list[int]:
        """Return those that can be started, and what they cannot start without, that first."""
        found: list[int] = []

        def add(index: int) -> None:
            if index in found:
                return
            for other in self._needed_first(index):
                if self._can_start(other):
                    add(other)
            if self._can_start(index):
                found.append(index)

        for index in indices:
            add(index)
        return found

    def _is_going(self, index: int) -> bool:
        """Whether an instance is being stopped, for good."""
        state = self._members.tasks[index].state
        is_going = state.phase in (Phase.STOPPING, Phase.KILLING)
        return is_going and state.then in (Then.END, Then.IDLE)

    def _needed_first(self, index: int) -> Iterable[int]:
        dependencies = self._members.turns.dependencies
        return (
            ()
            if dependencies is None
            else dependencies.to_start_first(index, self._members.states())
        )

    def _can_start(self, index: int) -> bool:
        return self._members.tasks[index].state.phase in (
            Phase.ENDED,
            Phase.IDLE,
            Phase.PAUSING,
        )

    async def _until_up(self, index: int, before: int) -> Result:
        """Wait until an instance is ready, in a generation after another, or will not be."""
        found: list[Result] = []

        def is_decided() -> bool:
            task = self._members.tasks[index]
            if (result := self._outcome(index, before)) is not None:
                found.append(result)
            return bool(found) or (self._supervisor.is_stopping and task.state.over)

        await self._until(is_decided)
        return found[0] if found else Result(index, Done.FAILED, "the run is ending")

    def _outcome(self, index: int, before: int) -> Result | None:
        """Return what has become of a start, once that is known."""
        state = self._members.tasks[index].state
        if state.phase is Phase.RUNNING and state.ready and state.generation > before:
            return Result(index, Done.STARTED)
        if state.generation <= before and not state.over:
            return None
        standing = self._supervisor.standing(index)
        match standing.word:
            case Word.SKIPPED:
                return Result(index, Done.SKIPPED, standing.reason)
            case Word.COMPLETED:
                return Result(index, Done.STARTED)
            case Word.FAILED | Word.BACKOFF | Word.IDLE:
                return Result(index, Done.FAILED, standing.reason)
            case Word.STOPPED:
                return Result(index, Done.FAILED, "it was stopped")
            case _:
                return None

    async def _ask_to_stop(self, index: int) -> tuple[ServiceTask, int]:
        """Return which task was asked to stop, and in which generation."""
        async with self._supervisor.reloads.lock(index):
            self._members.turns.take_out(index)
            task = self._members.tasks[index]
            task.send(Stop(Level.ASK, task.spec.stop.signal))
            return task, task.state.generation

    def _is_over(self, index: int) -> bool:
        return self._members.tasks[index].state.over

    def _dependants(self, index: int) -> Iterable[int]:
        dependencies = self._members.turns.dependencies
        return () if dependencies is None else dependencies.dependants(index)

    async def _until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            await self._supervisor.news.changed()

    def _refuse_if_stopping(self) -> None:
        if self._supervisor.is_stopping:
            raise Refused("the run is ending")
