"""How far a run has come up: which services are there, which failed, which are still awaited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, assert_never

from devrun.supervise.standing import Standing, Word

if TYPE_CHECKING:
    from devrun.supervise.supervisor import Supervisor


class Rise(Enum):
    """How far an instance has come."""

    UP = "up"
    """It may be depended on, or has done what it is for."""
    FAILED = "failed"
    HELD_UP = "held up"
    """It waits for another one, or for its turn."""
    AWAITED = "awaited"


@dataclass(frozen=True, slots=True)
class Risen:
    """An instance, and how far it has come."""

    label: str
    rise: Rise
    standing: Standing
    generation: int


@dataclass(frozen=True, slots=True)
class Picture:
    """How far the instances of a run have come, by index."""

    instances: Mapping[int, Risen]

    def count(self, rise: Rise) -> int:
        """Return how many have come so far."""
        return sum(each.rise is rise for each in self.instances.values())

    @property
    def is_up(self) -> bool:
        """Whether everything is there."""
        return self.count(Rise.UP) == len(self.instances)

    @property
    def is_decided(self) -> bool:
        """Whether there is nothing to wait for: what is held up is so by what failed."""
        return self.is_decided_for(self.instances)

    def is_decided_for(self, indices: Iterable[int]) -> bool:
        """Whether there is nothing to wait for in some of them."""
        rises = {self.instances[index].rise for index in indices if index in self.instances}
        if Rise.AWAITED in rises:
            return False
        return Rise.HELD_UP not in rises or any(map(_holds_others_up, self.instances.values()))

    def labels(self, *rises: Rise) -> list[str]:
        """Return what those are called that have come so far."""
        return [each.label for each in self.instances.values() if each.rise in rises]


def _holds_others_up(risen: Risen) -> bool:
    """Whether nothing that waits for an instance will get on by itself."""
    return risen.rise is Rise.FAILED or risen.standing.word in (Word.IDLE, Word.STOPPED)


def picture_of(supervisor: Supervisor) -> Picture:
    """Return how far a run has come by now."""
    found: dict[int, Risen] = {}
    for service in supervisor.members.services:
        if service.index in supervisor.members.removed:
            continue
        state = supervisor.members.tasks[service.index].state
        standing = supervisor.standing(service.index)
        ended_well = state.fault is None and state.status is not None and state.status.ok
        rise = _rise(standing.word, ended_well=ended_well)
        found[service.index] = Risen(service.label, rise, standing, state.generation)
    return Picture(found)


def _rise(word: Word, *, ended_well: bool) -> Rise:
    match word:
        case Word.RUNNING | Word.READY | Word.DEGRADED | Word.RELOADING:
            return Rise.UP
        case Word.COMPLETED | Word.STOPPED:
            return Rise.UP
        case Word.BACKOFF | Word.IDLE:
            return Rise.UP if ended_well else Rise.FAILED
        case Word.FAILED | Word.SKIPPED:
            return Rise.FAILED
        case Word.BLOCKED:
            return Rise.HELD_UP
        case Word.DELAYED | Word.STARTING | Word.STOPPING | Word.KILLING:
            return Rise.AWAITED
        case _:
            assert_never(word)
