"""``watch`` of a TOML file: which changes restart a service."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

from devrun.config.toml.owner import Owner, given
from devrun.config.toml.tables import Watch, WatchTable
from devrun.config.toml.values import said_at, seconds
from devrun.config.watch_settings import joined
from devrun.errors import UsageError
from devrun.model import WatchRule, WatchSettings


def watching(
    said: Watch | None,
    owner: Owner,
    *,
    cwd: str,
    root: str,
) -> tuple[tuple[WatchRule, ...], WatchSettings]:
    """Return what a service watches, and what holds for that.

    Args:
        cwd: The service's folder, which ``true`` stands for.
        root: Absolute path of the project's folder.

    Raises:
        UsageError: A path or a pattern is wrong.
    """
    if said is None or said is False:
        return (), WatchSettings()
    table = said if isinstance(said, WatchTable) else WatchTable(paths=said)
    if table.paths is False:
        return (), WatchSettings()
    default = WatchSettings()
    quiet = given(table.debounce, default.quiet, seconds, owner.at("watch", "debounce"))
    settings = WatchSettings(
        ignore=ignored(_listed(table.ignore), owner, ("watch", "ignore"), root=root),
        poll=bool(table.poll),
        quiet=quiet,
        longest=max(default.longest, 2 * quiet),
    )
    return _rules(table, owner, cwd), settings


def _rules(table: WatchTable, owner: Owner, cwd: str) -> tuple[WatchRule, ...]:
    if table.paths is None or table.paths is True:
        return (WatchRule(cwd, None, "."),)
    paths = _listed(table.paths or None)
    if not paths:
        raise UsageError(f"{owner.at('watch')}: a path is missing; write false for none")
    from devrun.config.watching import parse_watch

    folder = owner.folder("watch", "paths")
    rules: dict[WatchRule, None] = {}
    for number, path in enumerate(paths):
        # As for an option, which names the service before "=".
        value = f"{owner.name}={path}"
        place = f'{_place(owner, number)} "{path}"'
        with said_at(place, f'--watch "{value}"'):
            (found,) = parse_watch([value], [owner.name], folder)
        rules |= dict.fromkeys(replace(rule, place=place) for rule in found)
    return tuple(rules)


def _place(owner: Owner, number: int) -> str:
    place = owner.at("watch", "paths", number)
    return place.removesuffix(".paths")  # It need not stand there.


def ignored(
    patterns: Sequence[str], owner: Owner, path: tuple[str, ...], *, root: str
) -> tuple[str, ...]:
    """Return patterns of a .gitignore beside a file as one in the project's folder has them.

    Raises:
        UsageError: One of them is no such pattern.
    """
    if not patterns:
        return ()
    from devrun.config.watching import parse_ignore

    folder = owner.folder(*path)
    found: list[str] = []
    for number, pattern in enumerate(patterns):
        with said_at(f'{owner.at(*path, number)} "{pattern}"', f'--watch-ignore "{pattern}"'):
            found += parse_ignore([pattern], folder)
    return tuple(_moved(pattern, os.path.relpath(folder, root)) for pattern in found)


def _moved(pattern: str, below: str) -> str:
    """Return a pattern for a folder as one for a folder above it."""
    if below == "." or below.startswith(".."):
        return pattern
    negation = "!" * pattern.startswith("!")
    text = pattern.removeprefix("!")
    anchored = "/" in text.rstrip("/")
    return f"{negation}/{below}/{'' if anchored else '**/'}{text.removeprefix('/')}"


def of_all(own: Mapping[str, WatchSettings], ignore: Sequence[str]) -> WatchSettings:
    """Return what holds for a project: for all, and for the services that want something else.

    Args:
        own: What each service that watches says itself.
        ignore: What no service watches.
    """
    for_all = WatchSettings(ignore=tuple(ignore), poll=any(each.poll for each in own.values()))
    services = {
        name: replace(each, ignore=joined(ignore, each.ignore), poll=for_all.poll)
        for name, each in own.items()
    }
    different = ((name, each) for name, each in services.items() if each != for_all)
    return replace(for_all, services=tuple(different))


def _listed(said: list[str] | str | None) -> list[str]:
    if isinstance(said, str):
        return [said]
    return said if isinstance(said, list) else []
