"""Who is part of a run: services come, go, change and begin again while it goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from devrun.model import Roster, Service
from devrun.supervise.lives import Lives
from devrun.supervise.messages import Restart
from devrun.supervise.service import ServiceTask
from devrun.supervise.state import Phase, State
from devrun.supervise.surroundings import Surroundings
from devrun.supervise.turns import Turns


class Members:
    """The services of a run, each with the task that lives its life now.

    Attributes:
        tasks: The present task of each service, by index; this one list is everybody's.
        removed: Indices of services that are no part of the run any more.
        held: Indices of services that a user has stopped, and that keep the run alive.

    Args:
        renamed: Hears of a service whose label is another now.
    """

    def __init__(
        self,
        services: Roster,
        around: Surroundings,
        lives: Lives,
        *,
        turns: Callable[[set[int]], Turns],
        renamed: Callable[[int], None],
    ) -> None:
        self.services = services
        self.tasks = [ServiceTask(service, around) for service in services]
        self.removed: set[int] = set()
        self.held: set[int] = set()
        self.turns = turns(self.removed)
        self.run_task: Callable[[ServiceTask], None] = _not_running
        self._around = around
        self._lives = lives
        self._renamed = renamed

    def states(self) -> list[State]:
        """Return the states of all, by index."""
        return [task.state for task in self.tasks]

    def present(self) -> list[Service]:
        """Return the services that are part of the run."""
        return [service for service in self.services if service.index not in self.removed]

    def begin(self, index: int) -> None:
        """Have a service start that has ended, or that waits before it starts again."""
        if index in self.removed:
            return  # It was asked for before, and its turn has come too late.
        self.held.discard(index)
        old = self.tasks[index]
        if not old.state.over:
            if old.state.phase in (Phase.PAUSING, Phase.IDLE):
                old.send(Restart())
            return
        new = ServiceTask(self.services[index], self._around, after=old.state.latest)
        new.telling.behind(old.telling)
        self.tasks[index] = new
        self.turns.put_back(index)
        self.run_task(new)

    def add(self, service: Service) -> int:
        """Add a service, which is then over until it is begun; return its index."""
        known = (i for i in self.removed if self.services[i].label == service.label)
        index = next(known, len(self.services))
        service = replace(service, index=index)
        if index in self.removed:
            self.removed.discard(index)
            self.services[index] = service
            self._lives.forget(index)
        else:
            self.services.append(service)
            self.tasks.append(ServiceTask(service, self._around))
            self.tasks[index].state = State(phase=Phase.ENDED)
        self.tasks[index].telling.told_all.set()
        self._changed(index)
        return index

    def change(self, index: int, service: Service) -> None:
        """Give a service that is over another configuration, for when it is begun."""
        self.services[index] = replace(service, index=index)
        self._changed(index)

    def rename(self, index: int, label: str) -> None:
        """Call a service otherwise, whatever it does just now."""
        self.services[index] = replace(self.services[index], name=label)
        self.tasks[index].spec = replace(self.tasks[index].spec, name=label)
        self._changed(index)

    def remove(self, index: int) -> None:
        """Take a service out of the run that is over; nothing keeps the run alive for it."""
        self.removed.add(index)
        self.held.discard(index)
        self._changed(index)

    def instances_of(self, name: str) -> Iterator[int]:
        """Yield the indices of a service's instances."""
        for service in self.services:
            if service.index not in self.removed and (service.process or service.label) == name:
                yield service.index

    def _changed(self, index: int) -> None:
        self._renamed(index)
        self.turns.services_changed()


def _not_running(_task: ServiceTask) -> None:
    raise AssertionError("services are started within run()")
