"""``watch`` of a TOML file: which changes restart a service."""

from __future__ import annotations

import os
from collections.abc import Sequence

from devrun.config.toml.owner import Owner, given
from devrun.config.toml.tables import Watch, WatchTable
from devrun.config.toml.values import said_at, seconds
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
    for path in paths:
        # As for an option, which names the service before "=".
        value = f"{owner.name}={path}"
        with said_at(f'{owner.at("watch")} "{path}"', f'--watch "{value}"'):
            (found,) = parse_watch([value], [owner.name], folder)
        rules |= dict.fromkeys(found)
    return tuple(rules)


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
    for pattern in patterns:
        with said_at(f'{owner.at(*path)} "{pattern}"', f'--watch-ignore "{pattern}"'):
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


def of_all(settings: Sequence[WatchSettings], ignore: Sequence[str]) -> WatchSettings:
    """Return what holds for the project's only watcher: what suits all that watch."""
    patterns = [pattern for own in settings for pattern in own.ignore]
    default = WatchSettings()
    return WatchSettings(
        ignore=tuple(dict.fromkeys((*ignore, *patterns))),
        poll=any(own.poll for own in settings),
        quiet=max((own.quiet for own in settings), default=default.quiet),
        longest=max((own.longest for own in settings), default=default.longest),
    )


def _listed(said: list[str] | str | None) -> list[str]:
    if isinstance(said, str):
        return [said]
    return said if isinstance(said, list) else []
