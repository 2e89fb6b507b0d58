"""Who waits for whom: what may start, what never will, what follows a restart, and who stops first.

Pure questions about a project and the states of its services. Services are known by their index,
dependencies by name; a name stands for all instances of a service.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

from devrun.model import Project, Service
from devrun.policies import Condition, Dependency, Group, OnRestart, Strategy
from devrun.supervise.ending import TOO_SOON
from devrun.supervise.state import Phase, State


@dataclass(frozen=True, slots=True)
class Open:
    """All that a service waits for is there."""


@dataclass(frozen=True, slots=True)
class Closed:
    """It is not yet.

    Attributes:
        waits_for: What is missing: names, and what is wanted of each.
    """

    waits_for: tuple[tuple[str, Condition], ...]


@dataclass(frozen=True, slots=True)
class Never:
    """It will not come; ``reason`` is the chain that leads to why.

    Attributes:
        cause: Index of the service that is missing; None if it is not part of the run.
    """

    reason: str
    cause: int | None = None


Standing = Open | Closed | Never


class Dependencies:
    """The edges between a project's services.

    Args:
        removed: Indices of services that are no part of the run any more.
    """

    def __init__(self, project: Project, removed: Collection[int] = ()) -> None:
        self._services = project.services
        self._instances: dict[str, list[int]] = {}
        present = [service for service in project.services if service.index not in removed]
        for service in present:
            self._instances.setdefault(name_of(service), []).append(service.index)
        self._dependants: list[list[tuple[int, Dependency]]] = [[] for _ in project.services]
        for service in present:
            for dependency in service.depends_on:
                for index in self._instances.get(dependency.service, ()):
                    self._dependants[index].append((service.index, dependency))
        self._groups = project.groups

    def standing(self, index: int, states: Sequence[State]) -> Standing:
        """Return whether a service may start."""
        missing: list[tuple[str, Condition]] = []
        for dependency in self._services[index].depends_on:
            match self._met(dependency, states):
                case True:
                    continue
                case False:
                    missing.append((dependency.service, dependency.condition))
                case None if dependency.required:
                    return self._why_not(dependency, states)
                case None:
                    continue
        return Closed(tuple(missing)) if missing else Open()

    def missing(self, index: int, states: Sequence[State]) -> list[str]:
        """Return what a service depends on and is not there, each in words."""
        return [
            f"{dependency.service} ({dependency.condition.value})"
            for dependency in self._services[index].depends_on
            if dependency.required and self._met(dependency, states) is not True
        ]

    def to_start_first(self, index: int, states: Sequence[State]) -> Iterator[int]:
        """Yield what is over, and without which a service will never start."""
        for dependency in self._services[index].depends_on:
            if not dependency.required:
                continue
            for other in self._instances.get(dependency.service, ()):
                if states[other].over and _holds(dependency.condition, states[other]) is not True:
                    yield other

    def dependants(self, index: int) -> Iterator[int]:
        """Yield the services that depend on one, without those that depend on these."""
        yield from (other for other, _ in self._dependants[index])

    def may_stop(self, index: int, states: Sequence[State]) -> bool:
        """Whether nothing that depends on a service has a process any more."""
        return all(states[other].over for other, _ in self._dependants[index])

    def follow(
        self, index: int, *, restarts: bool, failed: bool
    ) -> Iterator[tuple[int, OnRestart]]:
        """Yield what is to happen to others when a service goes down.

        Args:
            restarts: It is to be started again; otherwise it is over.
            failed: It went down because it failed, not because it was told to.
        """
        for other, dependency in self._dependants[index]:
            if dependency.on_restart is OnRestart.STOP:
                yield other, OnRestart.STOP
            elif dependency.on_restart is OnRestart.RESTART and restarts:
                yield other, OnRestart.RESTART
        if failed and restarts:
            for group in self._groups:
                yield from ((other, OnRestart.RESTART) for other in self._with(index, group))

    def groups_of(self, index: int) -> Iterator[Group]:
        """Yield the groups in which the failure of a service concerns others."""
        for group in self._groups:
            if group.strategy is not Strategy.ONE_FOR_ONE and index in self.members_of(group):
                yield group

    def members_of(self, group: Group) -> set[int]:
        """Return the instances of a group's services."""
        return {index for name in group.members for index in self._instances.get(name, ())}

    def left_waiting(self, index: int, states: Sequence[State]) -> Iterator[int]:
        """Yield who waits for a service that may or may not come back."""
        for other, _ in self._dependants[index]:
            is_waiting = states[other].phase is Phase.WAITING
            if is_waiting and isinstance(self.standing(other, states), Closed):
                yield other

    def _with(self, index: int, group: Group) -> Iterator[int]:
        """Yield the members of a group that are restarted together with a service."""
        members = self.members_of(group)
        if index not in members:
            return
        match group.strategy:
            case Strategy.ONE_FOR_ONE:
                return
            case Strategy.ONE_FOR_ALL:
                yield from sorted(members - {index})
            case Strategy.REST_FOR_ONE:
                yield from sorted(members & self.all_dependants(index))
            case _:
                assert_never(group.strategy)

    def all_dependants(self, index: int) -> set[int]:
        """Return the services that depend on one, and those that depend on these, and so on."""
        found: set[int] = set()
        queue = [index]
        while queue:
            for other, _ in self._dependants[queue.pop()]:
                if other not in found:
                    found.add(other)
                    queue.append(other)
        return found

    def _met(self, dependency: Dependency, states: Sequence[State]) -> bool | None:
        """Whether a condition holds now; None if it never will."""
        instances = self._instances.get(dependency.service, ())
        if not instances:
            return None  # It is not part of this run.
        answers = [_holds(dependency.condition, states[index]) for index in instances]
        return None if None in answers else all(answers)

    def _why_not(self, dependency: Dependency, states: Sequence[State]) -> Never:
        name = dependency.service
        for index in self._instances.get(name, ()):
            state = states[index]
            if _holds(dependency.condition, state) is not None:
                continue
            if state.skipped:
                match self.standing(index, states):
                    case Never(reason):
                        return Never(f"{name} was not started ({reason})", index)
                    case _:
                        return Never(f"{name} was not started", index)
            return Never(f"{name} {_how(dependency.condition, state)}", index)
        return Never(f"{name} is not part of this run")


def name_of(service: Service) -> str:
    """Return the name by which others depend on a service: without the instance's number."""
    return service.process or service.label


def _holds(condition: Condition, state: State) -> bool | None:
    """Whether a state meets a condition; None if it never will."""
    has_ended = state.phase in (Phase.ENDED, Phase.IDLE)  # A watched service may start again.
    ended_well = has_ended and state.status is not None and state.status.ok
    match condition:
        case Condition.COMPLETED:
            now = ended_well and not state.stopped
        case Condition.STARTED:
            now = (state.phase is Phase.RUNNING and state.has_started) or ended_well
        case Condition.READY:
            now = state.phase is Phase.RUNNING and state.ready
        case Condition.HEALTHY:
            now = state.phase is Phase.RUNNING and state.ready and state.healthy is True
        case _:
            assert_never(condition)
    return True if now else None if state.over else False


def _how(condition: Condition, state: State) -> str:
    if state.fault == TOO_SOON:
        return state.fault
    if state.fault is not None:
        return f"has failed: {state.fault}"
    if state.stopped or state.status is None:
        return "was stopped"
    if state.status.ok:
        return f"ended before it was {condition.value}"
    way = f"by {state.status}" if state.status.signal else f"with exit code {state.status}"
    return f"ended {way}"
