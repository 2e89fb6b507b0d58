"""From what TOML files say to a project, where nothing else has a say in it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

from devrun.config.success import parse_success
from devrun.config.toml.clashes import ports_of
from devrun.config.toml.project import TomlProject
from devrun.errors import UsageError
from devrun.model import (
    EnvironmentSettings,
    KillOthers,
    Project,
    Service,
    SuccessCondition,
    Teardown,
)


def expanded(services: Sequence[Service], counts: Mapping[str, int]) -> tuple[Service, ...]:
    """Return the instances of services, numbered through: ``web``, or ``web.1``, ``web.2``.

    Each has a port of its own, one above that of the instance before it, unless they share what
    they listen on.

    Args:
        counts: How many instances of each service there are.

    Raises:
        UsageError: There are not enough ports.
    """
    found: list[Service] = []
    for service in services:
        count = counts.get(service.process or service.label, 1)
        found += _instances(service, count)
    return tuple(replace(service, index=index) for index, service in enumerate(found))


def _instances(service: Service, count: int) -> list[Service]:
    if count == 1:
        return [service]
    ports = ports_of(service, count)
    if ports and ports[-1] > 65535:
        message = f'{count} instances of "{service.label}" would need ports up to {ports[-1]}'
        raise UsageError(f"{message}; the highest is 65535")
    return [
        replace(
            service,
            name=f"{service.name}.{number}",
            number=number,
            port=ports[(number - 1) % len(ports)] if ports else None,
        )
        for number in range(1, count + 1)
    ]


def project_of(
    toml: TomlProject, *, root: str, source: str, root_env_file: str | None = None
) -> Project:
    """Return the project of TOML files with what they say themselves, and no more.

    Args:
        root: Absolute path of the project's folder.
        source: Where it is from, for messages.
        root_env_file: The shared root ``.env``, which is read unless the files name others.

    Raises:
        UsageError: There are not enough ports.
    """
    services = expanded([s for s in toml.services if s.name in toml.wanted], toml.instances)
    names = [service.name for service in services]
    success = toml.texts.success
    environment = EnvironmentSettings(
        root_file=root_env_file if toml.env_files is None else None,
        files=toml.env_files or (),
        override=bool(toml.env_override),
    )
    return Project(
        root=os.path.normpath(root),
        source=source,
        services=services,
        environment=environment,
        kill_others=toml.kill_others or KillOthers.NEVER,
        success=SuccessCondition() if success is None else parse_success(success, names),
        max_processes=toml.texts.max_processes,
        watch=toml.watch,
        teardown=toml.teardown or Teardown(),
        groups=toml.groups,
    )
