"""What is allowed in a TOML file and likely not what was meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from devrun.config.toml.owner import Owner
from devrun.config.toml.schema import ServiceTable
from devrun.config.toml.tables import LogTable
from devrun.model import RestartWhen, Service

TYPE_CHECKING = False  # devrun.policies is for services that have any
if TYPE_CHECKING:
    from devrun.policies import Group

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
    groups: Sequence[Group],
) -> tuple[str, ...]:
    """Return what the user should know about services though they can run."""
    found: list[str] = []
    running = [service for service in services if service.name in wanted]
    for service in running:
        owner = owners[service.name or ""]
        found += _restarts(service, tables[owner.name], owner)
        found += _rotation(service, tables[owner.name], owner)
    found += _groups(groups, running)
    return tuple(dict.fromkeys(found))


def _restarts(service: Service, table: ServiceTable, owner: Owner) -> Iterator[str]:
    if _is_restarted(service):
        return
    for key in _ABOUT_RESTARTS:
        if key in owner.own and getattr(table, key) is not None:
            why = 'because restart is "no"; write restart = "on-failure"'
            yield f"{owner.at(key)} has no effect, {why}"


def _is_restarted(service: Service) -> bool:
    return service.restart.when is not RestartWhen.NO or bool(service.restart.restart_on)


def _rotation(service: Service, table: ServiceTable, owner: Owner) -> Iterator[str]:
    if service.log is None or service.log.max_size is not None:
        return
    if not isinstance(table.log, LogTable):
        return
    for key, given in (("keep", table.log.keep), ("compress", table.log.compress)):
        if given:
            place = owner.said.at(("log", key)).place
            whose = f"services.{owner.name}" if "log" in owner.own else "defaults"
            why = 'because a log without max_size is not rotated; write max_size = "50M"'
            yield f"{place}: {whose}: log.{key} has no effect, {why}"


def _groups(groups: Sequence[Group], running: Sequence[Service]) -> Iterator[str]:
    for group in groups:
        members = [service for service in running if service.name in group.members]
        if members and not any(map(_is_restarted, members)):
            why = 'because restart is "no" for all that are in it'
            message = f'the group "{group.name}" has no effect, {why}'
            yield f'{message}; write restart = "on-failure" there'
