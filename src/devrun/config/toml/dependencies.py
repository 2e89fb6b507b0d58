"""``depends_on`` of a TOML file: who waits for whom, and for what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from devrun.config.nearest import choices
from devrun.config.toml.owner import Owner
from devrun.config.toml.schema import ServiceTable
from devrun.config.toml.tables import Condition as Wanted
from devrun.config.toml.tables import DependencyTable
from devrun.errors import UsageError
from devrun.model import RestartWhen, Service

TYPE_CHECKING = False  # devrun.policies is for services that have any
if TYPE_CHECKING:
    from devrun.policies import Dependency


def with_dependencies(
    services: Sequence[Service], tables: Mapping[str, ServiceTable], owners: Mapping[str, Owner]
) -> tuple[Service, ...]:
    """Return the services with what they depend on.

    Raises:
        UsageError: A service depends on one that does not exist, on itself, on one that cannot
            become what is waited for, or in a circle.
    """
    by_name = {service.process or service.label: service for service in services}
    found: dict[str, tuple[Dependency, ...]] = {}
    for name in by_name:
        found[name] = tuple(_dependencies(tables[name], owners[name], by_name))
    _check_circles(found, owners)
    return tuple(
        replace(service, depends_on=found[name])
        for name, service in zip(by_name, services, strict=True)
    )


def _dependencies(
    table: ServiceTable, owner: Owner, services: Mapping[str, Service]
) -> list[Dependency]:
    said = table.depends_on or []
    listed = [said] if isinstance(said, str) else said
    places: Mapping[str, str | int] = {name: name for name in listed}
    if isinstance(listed, list):
        if owner.said.at(("depends_on",)).table is None:
            places = {name: number for number, name in enumerate(listed)}
        listed = {name: DependencyTable() for name in listed}
    inherited = "depends_on" not in owner.own
    return [
        _dependency(name, each, owner, services, owner.at("depends_on", places[name]))
        for name, each in listed.items()
        if not (inherited and name == owner.name)  # What all wait for does not wait for itself.
    ]


def _dependency(
    name: str,
    said: Wanted | DependencyTable,
    owner: Owner,
    services: Mapping[str, Service],
    place: str,
) -> Dependency:
    from devrun.policies import Condition, Dependency, OnRestart

    if name == owner.name:
        raise UsageError(f"{place}: a service cannot wait for itself")
    if name not in services:
        others = [other for other in services if other != owner.name]
        listed = choices(name, others) if others else ""
        raise UsageError(f'{place}: no service "{name}"{listed}')
    table = DependencyTable(condition=said) if isinstance(said, str) else said
    target = services[name]
    natural = Condition.STARTED if target.ready is None else Condition.READY
    condition = natural if table.condition is None else Condition(table.condition)
    if condition is Condition.HEALTHY and target.health is None:
        message = f'{place}: "{name}" is never healthy, because it has no health'
        raise UsageError(f"{message}; give it one, or write ready")
    if condition is Condition.COMPLETED and target.restart.when is RestartWhen.ALWAYS:
        message = f'{place}: "{name}" is never completed, because it has restart = "always"'
        raise UsageError(f'{message}; write restart = "on-failure" there')
    return Dependency(
        name,
        condition,
        OnRestart(table.on_restart or OnRestart.IGNORE.value),
        required=table.required is not False,
    )


def _check_circles(
    dependencies: Mapping[str, Sequence[Dependency]], owners: Mapping[str, Owner]
) -> None:
    """Refuse circles; the message shows the first one."""
    free: set[str] = set()
    for start in dependencies:
        chain = [start]
        left = [iter(dependencies[start])]
        while left:
            following = next(left[-1], None)
            if following is None:
                free.add(chain.pop())
                left.pop()
            elif following.service in chain:
                circle = [*chain[chain.index(following.service) :], following.service]
                place = owners[chain[-1]].at("depends_on")
                raise UsageError(f"{place}: a circle: {' -> '.join(circle)}")
            elif following.service not in free:
                chain.append(following.service)
                left.append(iter(dependencies[following.service]))
