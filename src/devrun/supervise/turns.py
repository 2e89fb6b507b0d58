"""Whose turn it is to start, and to stop: slots, and the order that dependencies give."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from math import inf

from devrun.model import Project
from devrun.supervise.messages import Skip, Start, Stop
from devrun.supervise.state import Phase, State

TYPE_CHECKING = False  # supervise.dependencies is for projects that have any
if TYPE_CHECKING:
    from devrun.supervise.dependencies import Dependencies
    from devrun.supervise.waves import Order, Waves


class Turns:
    """What each service of a run is to be told next, as far as others decide that.

    Args:
        removed: Indices of services that are no part of the run any more; it may grow.
    """

    def __init__(self, project: Project, removed: Collection[int] = ()) -> None:
        self._project = project
        self._removed = removed
        self._most = project.max_processes or inf
        self._waiting = {service.index for service in project.services}
        """Services that wait to be told."""
        self._told: dict[int, tuple[int, bool]] = {}
        """By index, behind which generation a service was last told to start, and whether its delay
        was over."""
        self._unstopped = set(self._waiting)
        self._waves: Waves | None = None
        self.dependencies = _dependencies(project, removed)

    def put_back(self, index: int) -> None:
        """Have a service wait for its turn, for the first time or after it was over."""
        self._waiting.add(index)
        self._unstopped.add(index)
        self._told.pop(index, None)

    def take_out(self, index: int) -> None:
        """Have a service wait no more: it is over before its turn came."""
        self._waiting.discard(index)

    def services_changed(self) -> None:
        """Look at the project's services anew: some were added or removed, or are others now."""
        self.dependencies = _dependencies(self._project, self._removed)

    def starts(self, states: Sequence[State]) -> Iterator[tuple[int, Start | Skip]]:
        """Yield what services are to be told now; each once for every time that it waits."""
        for index, state in enumerate(states):
            told = self._told.get(index)
            if state.phase is Phase.WAITING and told is not None and _turn(state) > told:
                self._waiting.add(index)
        taken = sum(
            index not in self._waiting and state.phase not in (Phase.ENDED, Phase.IDLE)
            for index, state in enumerate(states)
        )
        for index in sorted(self._waiting):
            if taken >= self._most:
                return
            if self._waves is not None and self._waves.holds(index):
                continue
            if (message := self._message(index, states)) is not None:
                self._waiting.discard(index)
                self._told[index] = _turn(states[index])
                taken += isinstance(message, Start)
                yield index, message

    def went_down(
        self, index: int, states: Sequence[State], now: float
    ) -> Iterator[tuple[int, Order]]:
        """Hear that a service does not run any more; yield what others are to be told at once."""
        if self.dependencies is None:
            return
        if self._waves is None:
            from devrun.supervise.waves import Waves

            self._waves = Waves(self._project.services)
        yield from self._waves.went_down(index, self.dependencies, states, now)

    def of_waves(self, states: Sequence[State]) -> Iterator[tuple[int, Order]]:
        """Yield what those are to be told now that go down with others; each once."""
        if self._waves is None or self.dependencies is None:
            return
        for index, order in self._waves.orders(self.dependencies, states):
            if isinstance(order, Stop):
                self._waiting.discard(index)
            yield index, order

    def left_waiting(self, index: int, states: Sequence[State]) -> Iterator[int]:
        """Yield who waits for a service that has ended and may or may not come back."""
        if self.dependencies is not None:
            yield from self.dependencies.left_waiting(index, states)

    def stops(self, states: Sequence[State]) -> Iterator[int]:
        """Yield the services that are to be stopped now, dependants first; each once."""
        for index in sorted(self._unstopped):
            if not states[index].alive or self.may_stop(index, states):
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

    def may_stop(self, index: int, states: Sequence[State]) -> bool:
        """Whether nothing that depends on a service has a process any more."""
        return self.dependencies is None or self.dependencies.may_stop(index, states)


def _turn(state: State) -> tuple[int, bool]:
    return state.generation, state.delayed


def _dependencies(project: Project, removed: Collection[int]) -> Dependencies | None:
    if not project.groups and not any(service.depends_on for service in project.services):
        return None
    from devrun.supervise.dependencies import Dependencies

    return Dependencies(project, removed)
