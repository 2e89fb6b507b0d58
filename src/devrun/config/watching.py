"""``--watch``: what to watch, and for whom."""

from __future__ import annotations

import os
from collections.abc import Sequence

from devrun.config.success import find_service
from devrun.errors import UsageError
from devrun.model import WatchRule

_GLOB = frozenset("*?[")


def parse_watch(
    values: Sequence[str], names: Sequence[str | None], root: str
) -> tuple[tuple[WatchRule, ...], ...]:
    """Return the watch rules of each service.

    Args:
        values: ``PATH_OR_GLOB`` for all services, or ``NAME=PATH_OR_GLOB`` for one, a name or an
            index. A folder stands for everything below it. A pattern without a slash matches names
            at any depth; in one with a slash, ``**`` stands for any folders.
        names: The services' names by index.
        root: Absolute path of the folder that paths are relative to.

    Raises:
        UsageError: A value is empty, names no service, or names a path in a missing folder.
    """
    rules: list[list[WatchRule]] = [[] for _ in names]
    for value in values:
        targets, path = _target(value, names, root)
        rule = _rule(path, value, root)
        for index in targets:
            rules[index].append(rule)
    return tuple(map(tuple, rules))


def _target(value: str, names: Sequence[str | None], root: str) -> tuple[range, str]:
    name, equals, path = value.partition("=")
    if not equals or os.path.exists(os.path.join(root, value)):
        return range(len(names)), value
    index = find_service(name, names, f'--watch "{value}"')
    return range(index, index + 1), path


def _rule(path: str, value: str, root: str) -> WatchRule:
    if not path.strip():
        raise UsageError(f'--watch "{value}": a path is missing')
    parts = os.path.expanduser(path).split("/")
    fixed = next((n for n, part in enumerate(parts) if _GLOB & set(part)), len(parts))
    folder = os.path.normpath(os.path.join(root, "/".join(parts[:fixed]) or _start(path)))
    if fixed == len(parts):
        if not os.path.exists(folder) and not os.path.isdir(os.path.dirname(folder)):
            raise UsageError(f'--watch "{value}": there is no folder {os.path.dirname(path)}')
        return WatchRule(folder, None, path)
    pattern = "/".join(parts[fixed:])
    # gitignore's rule: without a slash in front or within, a pattern matches at any depth.
    anchored = pattern if len(parts) == 1 else f"/{pattern}"
    return WatchRule(folder, anchored, path)


def _start(path: str) -> str:
    return "/" if path.startswith("/") else "."
