"""What is said of single services: ``--cwd web=apps/web``, ``--env web:KEY=V``, ``--hide web``."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from devrun.config.settings import RunSettings
from devrun.config.success import find_services
from devrun.errors import UsageError
from devrun.model import Service, Shell, ShellKind

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)


def services_named(text: str | None, names: Sequence[str | None], option: str) -> frozenset[int]:
    """Return the indices of the services that a list of names and indices means.

    Raises:
        UsageError: There is no such service.
    """
    words = [word.strip() for word in (text or "").split(",")]
    return frozenset(
        index for word in words if word for index in find_services(word, names, option)
    )


def folders(
    values: Iterable[str], names: Sequence[str | None], defaults: Sequence[str], root: str
) -> tuple[str, ...]:
    """Return the folder of each service: ``NAME=PATH`` is for one, ``PATH`` for all.

    Args:
        defaults: The folders of those of which nothing is said.
        root: What relative paths are relative to.

    Raises:
        UsageError: There is no such service or no such folder, or one stands twice.
    """
    found: dict[int, str] = {}
    for_all: str | None = None
    for value in values:
        place = f'--cwd "{value}"'
        name, equals, path = value.partition("=")
        if not equals or os.path.isdir(os.path.join(root, value)):
            name, path = "", value
        folder = os.path.normpath(os.path.join(root, os.path.expanduser(path)))
        if not path or not os.path.isdir(folder):
            raise UsageError(f"{place}: no such folder")
        named = find_services(name, names, place) if name else frozenset()
        if found.keys() & named or (not named and for_all is not None):
            raise UsageError(f"{place}: a second folder for {name or 'all'}; leave one out")
        if not named:
            for_all = folder
        found |= dict.fromkeys(named, folder)
    return tuple(found.get(place, for_all or own) for place, own in enumerate(defaults))


def variables(
    values: Iterable[str], names: Sequence[str | None]
) -> tuple[tuple[tuple[str, str], ...], ...]:
    """Return the variables of each service: ``NAME:KEY=VALUE`` is for one, ``KEY=VALUE`` for all.

    Messages leave the value out: it may be a secret.

    Raises:
        UsageError: There is no such service, or what is said is no assignment.
    """
    found: list[dict[str, str]] = [{} for _ in names]
    for text in values:
        left, equals, value = text.partition("=")
        name, colon, key = left.rpartition(":")
        place = f'--env "{left}=…"'
        if not equals:
            raise UsageError(f'--env "{left}": write NAME:KEY=VALUE, or KEY=VALUE for all')
        if not _VARIABLE.fullmatch(key):
            raise UsageError(f'{place}: "{key}" is no name of a variable')
        if "\0" in value:
            raise UsageError(f"{place}: a variable cannot hold a NUL character")
        chosen = find_services(name, names, place) if colon else range(len(names))
        for index in chosen:
            found[index][key] = value
    return tuple(tuple(each.items()) for each in found)


def with_commands(
    settings: RunSettings, services: tuple[Service, ...], *, shell: Shell | None, root: str
) -> tuple[Service, ...]:
    """Return the services with their shell, folders, variables and arguments.

    Args:
        root: What relative paths are relative to.

    Raises:
        UsageError: As ``folders`` and ``variables``.
    """
    if not (shell or settings.passthrough_arguments or settings.cwd or settings.env):
        return services
    names = [service.name for service in services]
    paths = folders(settings.cwd, names, [service.cwd for service in services], root)
    env = variables(settings.env, names)
    return tuple(
        replace(
            service,
            command=_expanded(settings, service.command, shell),
            shell=shell or service.shell,
            cwd=path,
            env=(*service.env, *own),
        )
        for service, path, own in zip(services, paths, env, strict=True)
    )


def _expanded(settings: RunSettings, command: str, shell: Shell | None) -> str:
    if not settings.passthrough_arguments:
        return command
    from devrun.config.shells import with_arguments

    return with_arguments(command, settings.arguments, shell.kind if shell else ShellKind.POSIX)
