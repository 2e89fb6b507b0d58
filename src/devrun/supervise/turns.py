"""Whose turn it is to start, and to stop: slots, and the order that dependencies give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from devrun.model import Project
from devrun.supervise.messages import Skip, Start
from devrun.supervise.state import Phase, State

TYPE_CHECKING = False  # supervise.dependencies is for projects that have any
if TYPE_CHECKING:
    from devrun.supervise.dependencies import Dependencies


class Turns:
    """What each service of a run is to be told next, as far as others decide that."""

    def __init__(self, project: Project) -> None:
        self._most = project.max_processes or len(project.services)
        self._waiting = {service.index: -1 for service in project.services}
        """Services that wait to be told, each with the generation that it last waited behind."""
        self._told = [-1] * len(project.services)
        self._unstopped = set(self._waiting)
        self.dependencies = _dependencies(project)

    def starts(self, states: Sequence[State]) -> Iterator[tuple[int, Start | Skip]]:
        """Yield what services are to be told now; each once for every time that it waits."""
        for state_index, state in enumerate(states):
            if state.phase is Phase.WAITING and state.generation > self._told[state_index]:
                self._waiting.setdefault(state_index, state.generation)
        taken = sum(
            index not in self._waiting and state.phase not in (Phase.ENDED, Phase.IDLE)
            for index, state in enumerate(states)
        )
        for index in sorted(self._waiting):
            if taken >= self._most:
                return
            if (message := self._message(index, states)) is not None:
                del self._waiting[index]
                self._told[index] = states[index].generation
                taken += isinstance(message, Start)
                yield index, message

    def stops(self, states: Sequence[State]) -> Iterator[int]:
        """Yield the services that are to be stopped now, dependants first; each once."""
        for index in sorted(self._unstopped):
            if not states[index].alive or self._may_stop(index, states):
                self._unstopped.discard(index)
                yield index

    def _message(self, index: int, states: Sequence[State]) -> Start | Skip | None:
        if self.dependencies is None:
            return Start()
        from devrun.supervise.dependencies import Closed, Never, Open

        match self.dependencies.standing(index, states):
            case Open():
                return Start()
            case Closed():
                return None
            case Never(reason, cause):
                return Skip(reason, cause)

    def _may_stop(self, index: int, states: Sequence[State]) -> bool:
        return self.dependencies is None or self.dependencies.may_stop(index, states)


def _dependencies(project: Project) -> Dependencies | None:
    if not project.groups and not any(service.depends_on for service in project.services):
        return None
    from devrun.supervise.dependencies import Dependencies

    return Dependencies(project)
