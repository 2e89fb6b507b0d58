"""Services that go down together, dependants first, and come up together when all are down.

Where one that others are restarted or stopped with goes down - they depend on it and say so, or are
with it in a group - that is a *wave*. Pure: what is to be told to whom follows from the states.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from devrun.model import Service
from devrun.policies import Group, OnRestart
from devrun.supervise.dependencies import Dependencies
from devrun.supervise.messages import GiveUp, Hold, Level, Restart, Stop
from devrun.supervise.state import Phase, State, Then

Order = Restart | Stop | Hold | GiveUp
"""What a member of a wave may be told."""


@dataclass(frozen=True, slots=True)
class _Member:
    """A service that goes down.

    Attributes:
        generation: The one that does.
        what: Whether another one follows.
        cause: Label of the service that it goes down with.
    """

    generation: int
    what: OnRestart
    cause: str


@dataclass(slots=True)
class _Wave:
    """Members by index; those that have not been asked yet; and those that began it."""

    members: dict[int, _Member]
    unasked: set[int]
    origins: set[int]


@dataclass(slots=True)
class Waves:
    """The waves of a run, of which no two have a member in common."""

    services: Sequence[Service]
    _waves: list[_Wave] = field(default_factory=list)
    _tallies: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def went_down(
        self, index: int, dependencies: Dependencies, states: Sequence[State], now: float
    ) -> Iterator[tuple[int, Order]]:
        """Hear that a service does not run any more, and yield what follows at once."""
        state = states[index]
        is_over = state.phase in (Phase.ENDED, Phase.IDLE)
        restarts = not is_over and state.then in (Then.RESTART, Then.PAUSE)
        failed = restarts and (state.fault is not None or state.then is Then.PAUSE)
        for group in dependencies.groups_of(index):
            reason = self._too_often(index, group, now) if failed else None
            if state.given_up is not None or reason is not None:
                yield from self._end_group(index, group, reason, dependencies, states)
                return
        found = self._closure(index, dependencies, states, restarts=restarts, failed=failed)
        if not found:
            return
        members = {index: _Member(state.generation, OnRestart.RESTART, "")} | found
        self._merge(_Wave(members, set(found), {index}))
        if restarts:
            yield index, Hold()

    def orders(
        self, dependencies: Dependencies, states: Sequence[State]
    ) -> Iterator[tuple[int, Order]]:
        """Yield what members are to be told now; each is asked to go down once."""
        for wave in self._waves:
            down = {
                index for index, member in wave.members.items() if _is_down(states, index, member)
            }
            for index in sorted(wave.unasked):
                member, state = wave.members[index], states[index]
                if state.phase is not Phase.RUNNING:
                    wave.unasked.discard(index)
                    is_to_stop = member.what is OnRestart.STOP
                    yield index, self._stop(index, member) if is_to_stop else Hold()
                elif state.generation != member.generation:
                    wave.unasked.discard(index)
                elif dependencies.all_dependants(index) & wave.members.keys() <= down:
                    wave.unasked.discard(index)
                    yield from self._go_down(index, member)
        self._waves = [wave for wave in self._waves if not _is_over(wave, states)]

    def holds(self, index: int) -> bool:
        """Whether a service may not start yet, because others are still to go down."""
        return any(index in wave.members for wave in self._waves)

    def _go_down(self, index: int, member: _Member) -> Iterator[tuple[int, Order]]:
        if member.what is OnRestart.STOP:
            yield index, self._stop(index, member)
            return
        yield index, Restart(f"restarting with {member.cause}", at_once=False)
        yield index, Hold()

    def _stop(self, index: int, member: _Member) -> Stop:
        signal = self.services[index].stop.signal
        return Stop(Level.ASK, signal, f"stopping with {member.cause}")

    def _closure(
        self,
        index: int,
        dependencies: Dependencies,
        states: Sequence[State],
        *,
        restarts: bool,
        failed: bool,
    ) -> dict[int, _Member]:
        """Return who goes down with a service, and with those that do."""
        found: dict[int, _Member] = {}
        queue = [(index, restarts, failed)]
        while queue:
            by, again, has_failed = queue.pop(0)
            label = self.services[by].label
            for other, what in dependencies.follow(by, restarts=again, failed=has_failed):
                known = found.get(other)
                if other == index or not _concerns(states[other]):
                    continue
                if known is not None and (known.what is what or known.what is OnRestart.STOP):
                    continue
                found[other] = _Member(states[other].generation, what, label)
                if states[other].phase is Phase.RUNNING:
                    queue.append((other, what is OnRestart.RESTART, False))
        return found

    def _end_group(
        self,
        index: int,
        group: Group,
        reason: str | None,
        dependencies: Dependencies,
        states: Sequence[State],
    ) -> Iterator[tuple[int, Order]]:
        """Stop all members of a group that has failed, by the failure of one of them.

        Args:
            reason: Why that one is given up, if it is because of the group.
        """
        label = self.services[index].label
        members = {
            other: _Member(states[other].generation, OnRestart.STOP, label)
            for other in dependencies.members_of(group)
            if other != index
        }
        if reason is not None:
            yield index, GiveUp(reason)
        self._merge(_Wave(members, set(members), set()))

    def _too_often(self, index: int, group: Group, now: float) -> str | None:
        """Count a failure for a whole group; return why it was one too many, if it was."""
        window = self.services[index].restart.window
        if window is None:
            return None
        most, seconds = window
        recent = (*(at for at in self._tallies.get(group.name, ()) if at > now - seconds), now)
        self._tallies[group.name] = recent[-most - 1 :]
        if len(recent) <= most:
            return None
        return f"more than {most} restarts of the group {group.name} within {seconds:g} s"

    def _merge(self, new: _Wave) -> None:
        """Add a wave; those that it has members in common with become one with it."""
        apart: list[_Wave] = []
        for wave in self._waves:
            if wave.members.keys().isdisjoint(new.members):
                apart.append(wave)
                continue
            new.members = wave.members | new.members
            new.unasked |= wave.unasked
            new.origins |= wave.origins
        self._waves = [*apart, new]


def _concerns(state: State) -> bool:
    """Whether a service has a process, or would start by itself."""
    return state.alive or state.phase is Phase.PAUSING


def _is_down(states: Sequence[State], index: int, member: _Member) -> bool:
    return not states[index].alive or states[index].generation > member.generation


def _is_over(wave: _Wave, states: Sequence[State]) -> bool:
    """Whether all is down, and what began it is to start again now, or never."""
    if any(states[index].phase is Phase.PAUSING for index in wave.origins):
        return False
    return all(_is_down(states, index, member) for index, member in wave.members.items())
