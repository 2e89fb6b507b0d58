"""Which services of a TOML file run if none is named: by profile, unless they are disabled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from devrun.config.toml.schema import ServiceTable
from devrun.errors import UsageError
from devrun.model import Service


def wanted_services(
    services: Sequence[Service], tables: Mapping[str, ServiceTable], profiles: frozenset[str]
) -> frozenset[str]:
    """Return the names of the services that run.

    A service without profiles always does, one with profiles if one of them is asked for, or if
    one that runs cannot do without it.

    Raises:
        UsageError: There is no such profile, or nothing is left to run.
    """
    known = {profile for table in tables.values() for profile in table.profiles or ()}
    for profile in sorted(profiles - known):
        from devrun.config.nearest import choices

        listed = choices(profile, sorted(known)) if known else "; no service has any"
        raise UsageError(f'--profile "{profile}": no such profile{listed}')
    enabled = {name for name, table in tables.items() if not table.disabled}
    wanted = {name for name in enabled if _chosen(frozenset(tables[name].profiles or ()), profiles)}
    queue = list(wanted)
    by_name = {service.name: service for service in services}
    while queue:
        for dependency in by_name[queue.pop()].depends_on:
            name = dependency.service
            if dependency.required and name in enabled and name not in wanted:
                wanted.add(name)
                queue.append(name)
    if not wanted:
        some = ", ".join(sorted(known))
        hint = f"; ask for one with --profile: {some}" if known else ": all services are disabled"
        raise UsageError(f"nothing is left to run{hint}")
    return frozenset(wanted)


def _chosen(own: frozenset[str], asked_for: frozenset[str]) -> bool:
    return not own or not own.isdisjoint(asked_for)
