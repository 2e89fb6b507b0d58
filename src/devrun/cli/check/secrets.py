"""A project without the values of variables that files put into their texts by ``${NAME}``.

What a project holds as a variable is masked where it is printed; these would stand among the words
of a URL, a path or a pattern.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import TypeVar

from devrun.cli.check.source import Source
from devrun.config.toml.variables import HARMLESS
from devrun.model import MASK, Project, Service, WatchSettings

TYPE_CHECKING = False  # only a name is needed of it
if TYPE_CHECKING:
    from devrun.config.resolve import Resolution

_FIELDS = {
    "cwd": "cwd",
    "shell": "shell",
    "env_file": "env_files",
    "sockets": "sockets",
    "ready": "ready",
    "health": "health",
    "watch": "watch",
    "log": "log",
}
"""The fields of a service that hold the texts of a key; commands and numbers aside."""

_OF_PROJECT = {
    "env_file": "environment",
    "prefix": "output",
    "teardown": "teardown",
}


_WATCH = ("watch", "watch_ignore")

_T = TypeVar("_T", Project, Service)


def masked(project: Project, source: Source) -> Project:
    """Return the project to be shown in the place of the real one."""
    secrets = [value for value in source.substituted if not HARMLESS.fullmatch(value)]
    if not secrets:
        return project
    secrets.sort(key=len, reverse=True)  # One may be a part of another.
    keys = [key for owner, key in source.written_with if not owner]
    found = _with_fields(project, {_OF_PROJECT[key] for key in keys if key in _OF_PROJECT}, secrets)
    services = tuple(_service(service, source, secrets) for service in project.services)
    return replace(found, services=services, watch=_watch(found.watch, source, secrets))


def source_unread(resolution: Resolution, values: Collection[str]) -> Source:
    """Return what the files of a project have said, when they cannot be read once more.

    Nothing tells then which variables stand in which texts; so it may be any in any. What is part
    of the path of the project's folder is no secret.
    """
    project, defined = resolution.project, resolution.defined
    toml = None if defined is None else defined.toml
    owners = {"", *(service.process or "" for service in project.services)}
    keys = {*_FIELDS, *_OF_PROJECT, *_WATCH}
    return Source(
        places={} if defined is None else defined.places,
        said={} if toml is None else toml.said,
        colors={} if toml is None else toml.colors,
        substituted=frozenset(value for value in values if value not in project.root),
        written_with=frozenset((owner, key) for owner in owners for key in keys),
    )


def _watch(settings: WatchSettings, source: Source, secrets: Sequence[str]) -> WatchSettings:
    """Return what holds for watching: of the project, and of services that say something else."""

    def ignoring(own: WatchSettings, *keys: tuple[str, str]) -> WatchSettings:
        if source.written_with.isdisjoint(keys):
            return own
        return replace(own, ignore=tuple(_text(each, secrets) for each in own.ignore))

    for_all = ("", "watch_ignore")
    services = ((n, ignoring(own, for_all, (n, "watch"))) for n, own in settings.services)
    return replace(ignoring(settings, for_all), services=tuple(services))


def _service(service: Service, source: Source, secrets: Sequence[str]) -> Service:
    keys = [key for owner, key in source.written_with if owner == service.process]
    return _with_fields(service, {_FIELDS[key] for key in keys if key in _FIELDS}, secrets)


def _with_fields(owner: _T, names: Collection[str], secrets: Sequence[str]) -> _T:
    changed = {name: _without(getattr(owner, name), secrets) for name in names}
    return replace(owner, **changed)  # type: ignore[arg-type]  # fields keep their types


def _without(value: object, secrets: Sequence[str]) -> object:
    """Return a value in whose texts the secrets are masked, however deep they are."""
    if isinstance(value, str):
        return _text(value, secrets)
    if isinstance(value, tuple):
        return tuple(_without(each, secrets) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        changed = {
            each.name: _without(getattr(value, each.name), secrets) for each in fields(value)
        }
        return replace(value, **changed)
    return value


def _text(text: str, secrets: Sequence[str]) -> str:
    found = text
    for secret in secrets:
        found = found.replace(secret, MASK)
    # What was a path from the root stays one, rather than become relative.
    return f"/{found}" if text.startswith("/") and not found.startswith("/") else found
