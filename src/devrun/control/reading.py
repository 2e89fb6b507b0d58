"""What the API says about a run: the run, its services, their instances, what they use."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from signal import Signals

import msgspec
import trio

from devrun import __version__
from devrun.control.description import Description
from devrun.control.json_text import encoded
from devrun.control.metering import Meter, Metered
from devrun.control.shapes import (
    Health,
    Instance,
    Instances,
    InstanceUsage,
    LastExit,
    NamedExit,
    OwnUsage,
    Prefix,
    Probe,
    Project,
    ServiceDetail,
    ServiceOverview,
    Services,
    Stats,
)
from devrun.control.subject import Subject
from devrun.model import Service
from devrun.process.own_usage import own_usage
from devrun.process.usage import Usage
from devrun.supervise.dependencies import name_of
from devrun.supervise.lives import Exit

MASK = "********"
"""In place of the values of variables."""

_NOTHING = Metered(Usage(0, 0, 0, 0.0), 0.0, [])


class Reading:
    """Looks at a run."""

    def __init__(self, subject: Subject, meter: Meter) -> None:
        self._subject = subject
        self._meter = meter

    def project(self) -> Project:
        """Return what is to be said of the run itself."""
        import os

        identity = self._subject.identity
        return Project(
            name=identity.name,
            root=identity.root,
            source=identity.source,
            pid=os.getpid(),
            since=identity.since,
            version=__version__,
            managed=identity.managed,
            detached=identity.detached,
            stopping=self._subject.supervisor.is_stopping,
            services=[*self._by_name()],
        )

    def services(self) -> Services:
        """Return all services, with the states of their instances."""
        found: list[ServiceOverview] = []
        for name, indices in self._by_name().items():
            states = {self._subject.supervisor.standing(index).word.value for index in indices}
            state = states.pop() if len(states) == 1 else "mixed"
            labels = [self._subject.label(index) for index in indices]
            found.append(ServiceOverview(name, labels, state))
        told = {} if self._subject.prefixes is None else self._subject.prefixes()
        prefixes = {
            self._subject.label(index): Prefix(each.text, each.open, each.close)
            for index, each in told.items()
        }
        return Services(found, prefixes)

    async def instances(self) -> Instances:
        """Return all instances."""
        return Instances(await self.some(self._subject.orders.all()))

    async def some(self, indices: Sequence[int]) -> list[Instance]:
        """Return instances."""
        metered = await self._meter.read()
        return [self._instance(index, metered.get(index, _NOTHING)) for index in indices]

    async def service(self, name: str) -> ServiceDetail:
        """Return all there is to say of a service.

        Raises:
            NoSuchService: There is none.
        """
        indices = self._subject.orders.resolve(name)
        name = name_of(self._subject.services[indices[0]])
        described = await self._described(name)
        return ServiceDetail(
            name=name,
            instances=await self.some(indices),
            config=msgspec.Raw(encoded(described.config)),
            origins=dict(described.origins),
            unread=described.unread,
            exits=[each for index in indices for each in self._exits(index)],
            probes=[each for index in indices for each in self._probes(index)],
        )

    async def _described(self, name: str) -> Description:
        services = [self._subject.services[index] for index in self._subject.orders.resolve(name)]
        if self._subject.describe is None:
            return Description(masked(services[0]), {})
        variables: dict[str, str] = {}
        for service in services:
            variables |= self._subject.launcher.environment_of(service)
        return await trio.to_thread.run_sync(self._subject.describe, name, services, variables)

    async def stats(self) -> Stats:
        """Return what everything uses."""
        metered = await self._meter.read()
        memory, cpu_seconds = own_usage()
        usages = [
            InstanceUsage(
                self._subject.label(index),
                each.percent,
                round(each.usage.cpu_seconds, 2),
                each.usage.memory,
                each.usage.processes,
                each.usage.threads,
            )
            for index in self._subject.orders.all()
            for each in (metered.get(index, _NOTHING),)
        ]
        return Stats(time.time(), OwnUsage(memory, round(cpu_seconds, 2)), usages)

    def _by_name(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for index in self._subject.orders.all():
            found.setdefault(name_of(self._subject.services[index]), []).append(index)
        return found

    def _instance(self, index: int, metered: Metered) -> Instance:
        supervisor = self._subject.supervisor
        service, task = self._subject.services[index], supervisor.members.tasks[index]
        state, life, standing = task.state, supervisor.lives[index], supervisor.standing(index)
        started = life.started_at if state.alive else None
        ended, child, health = life.last_exit, task.child, None
        if state.healthy is not None and state.alive:
            health = Health.HEALTHY if state.healthy else Health.UNHEALTHY
        return Instance(
            name=service.label,
            service=name_of(service),
            number=service.number,
            state=standing.word.value,
            reason=standing.reason,
            ready=None if service.ready is None else state.ready and state.alive,
            health=health,
            pid=None if child is None else child.pid,
            generation=state.generation,
            started_at=None if started is None else moment(started),
            uptime=None if started is None else round(time.time() - started, 3),
            restarts=life.restarts,
            last_exit=None if ended is None else _how(ended),
            next_retry_at=None if life.retry_at is None else moment(life.retry_at),
            cpu_percent=metered.percent,
            cpu_seconds=round(metered.usage.cpu_seconds, 2),
            memory=metered.usage.memory,
            processes=metered.usage.processes,
            ports=metered.ports,
            command=service.command,
        )

    def _exits(self, index: int) -> list[NamedExit]:
        label = self._subject.label(index)
        exits = self._subject.supervisor.lives[index].exits
        return [_of(label, each) for each in exits]

    def _probes(self, index: int) -> list[Probe]:
        label = self._subject.label(index)
        return [
            Probe(label, each.generation, moment(each.at), each.healthy, each.reason)
            for each in self._subject.supervisor.lives[index].probes
        ]


def moment(at: float) -> str:
    """Return seconds since the epoch as ISO 8601 has them."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def masked(service: Service) -> dict[str, object]:
    """Return a service's configuration without the values of its variables."""
    found = msgspec.to_builtins(service, str_keys=True, enc_hook=_plain)
    if not isinstance(found, dict):
        raise TypeError(service)
    found["env"] = {name: MASK for name, _ in service.env}
    return found


def _plain(value: object) -> object:
    """Return what JSON has for a value it does not have."""
    if isinstance(value, frozenset):
        return [msgspec.to_builtins(each) for each in value]
    raise NotImplementedError(value)


def _how(ended: Exit) -> LastExit:
    number = ended.status.signal
    return LastExit(
        generation=ended.generation,
        code=ended.status.code,
        signal=None if number is None else signal_name(number),
        at=moment(ended.at),
        uptime=round(ended.uptime, 3),
        reason=ended.reason,
        stopped=ended.stopped,
    )


def _of(label: str, ended: Exit) -> NamedExit:
    how = _how(ended)
    return NamedExit(**{name: getattr(how, name) for name in how.__struct_fields__}, instance=label)


def signal_name(number: int) -> str:
    """Return a signal's name, or its number where it has none."""
    try:
        return Signals(number).name
    except ValueError:
        return str(number)
