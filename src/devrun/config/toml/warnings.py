"""What is allowed in a TOML file and likely not what was meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from devrun.config.toml.owner import Owner
from devrun.config.toml.schema import ServiceTable
from devrun.model import RestartWhen, Service

_ABOUT_RESTARTS = (
    "backoff",
    "max_restarts",
    "min_uptime",
    "restart_delay",
    "restart_limit",
    "no_restart_on",
)


def warnings_of(
    services: Sequence[Service],
    wanted: frozenset[str],
    tables: Mapping[str, ServiceTable],
    owners: Mapping[str, Owner],
) -> tuple[str, ...]:
    """Return what the user should know about services though they can run."""
    found: list[str] = []
    for service in services:
        if service.name in wanted:
            owner = owners[service.name]
            found += _restarts(service, tables[service.name], owner)
            found += _left_out(service, wanted, owner)
    return tuple(found)


def _restarts(service: Service, table: ServiceTable, owner: Owner) -> Iterator[str]:
    if service.restart.when is not RestartWhen.NO or service.restart.restart_on:
        return
    for key in _ABOUT_RESTARTS:
        if key in owner.own and getattr(table, key) is not None:
            why = 'because restart is "no"; write restart = "on-failure"'
            yield f"{owner.at(key)} has no effect, {why}"


def _left_out(service: Service, wanted: frozenset[str], owner: Owner) -> Iterator[str]:
    for dependency in service.depends_on:
        if dependency.required and dependency.service not in wanted:
            place = owner.at("depends_on")
            yield f'{place}: "{dependency.service}" is disabled, so that this will not start'
