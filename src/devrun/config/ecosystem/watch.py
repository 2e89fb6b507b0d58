"""``watch``, ``ignore_watch``, ``watch_delay`` and ``watch_options`` of an app.

What PM2 ignores it compares with whole paths, by glob or regular expression; devrun has the
patterns of gitignore. A plain name means the same in both.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from devrun.config.ecosystem.app import App, Regex, split_arguments
from devrun.config.watching import alternatives, parse_watch
from devrun.errors import UsageError
from devrun.model import WatchRule, WatchSettings

_PLAIN_REGEX = re.compile(r"((?:[\w\-/ @~]|\\[\\/.$]|\[\\/\\\\\]|\[\\\\/\])+)(\$)?", re.ASCII)
"""A regular expression of JavaScript that is a piece of a path and nothing more."""
_OTHER_OPTIONS = frozenset(("persistent", "ignoreInitial", "cwd", "interval", "binaryInterval"))
"""Options of chokidar that say what devrun does anyway, or how often it is to look."""


@dataclass(frozen=True, slots=True)
class Watching:
    """What is watched for an app.

    Attributes:
        ignored: gitignore-style patterns, relative to the project.
        delay: Seconds without a change before a burst counts as over, or None.
        poll: Compare file times.
    """

    rules: tuple[WatchRule, ...] = ()
    ignored: tuple[str, ...] = ()
    delay: float | None = None
    poll: bool = False


def watching_of(app: App, root: str) -> Watching:
    """Return what is watched for an app.

    Args:
        root: Absolute path of the project's folder.

    Raises:
        UsageError: An attribute is not what it should be.
    """
    paths = _paths(app)
    if not paths:
        return Watching()
    options = app.get("watch_options")
    chosen = options if isinstance(options, dict) else {}
    known = {"usePolling", "ignored", *_OTHER_OPTIONS}
    if chosen.keys() - known - {"followSymlinks"}:
        names = ", ".join(sorted(chosen.keys() - known))
        app.warn(f"watch_options: no effect here: {names}")
    ignored = [*_items(app.get("ignore_watch")), *_items(chosen.get("ignored"))]
    return Watching(
        tuple(rule for path in paths for rule in _rules(app, path)),
        tuple(dict.fromkeys(p for item in ignored for p in _patterns(app, item, root))),
        app.seconds("watch_delay"),
        chosen.get("usePolling") is True,
    )


def settings_for(apps: Mapping[str, Watching]) -> WatchSettings:
    """Return the settings of a file's apps, by name: each has its own patterns and delay."""
    usual = WatchSettings(poll=any(each.poll for each in apps.values()))
    services: list[tuple[str, WatchSettings]] = []
    for name, each in apps.items():
        quiet = each.delay or usual.quiet
        longest = max(usual.longest, 2 * quiet)
        own = replace(usual, ignore=each.ignored, quiet=quiet, longest=longest)
        if each.rules and own != usual:
            services.append((name, own))
    return replace(usual, services=tuple(services))


def _paths(app: App) -> tuple[str, ...]:
    given = app.get("watch")
    if isinstance(given, list):
        return app.words("watch") or (".",)
    if isinstance(given, str) and given not in ("", "true", "false", "0", "1"):
        return (given,)  # PM2 does not split it.
    return (".",) if app.flag("watch", default=False) else ()


def _rules(app: App, path: str) -> tuple[WatchRule, ...]:
    """Return the rules of a path; PM2 says nothing of a folder that is missing, devrun warns."""
    value = f"0={path}"  # For the first service, so that a "=" in the path is the path's.
    try:
        (rules,) = parse_watch([value], [None], app.folder)
    except UsageError as error:
        reason = str(error).removeprefix(f'--watch "{value}": ')
        app.warn(f'watch "{path}": {reason}; it is not watched')
        return ()
    place = f'{app.place}: app "{app.name}": watch "{path}"'
    return tuple(replace(rule, place=place) for rule in rules)


def _items(given: object) -> list[object]:
    if given is None:
        return []
    if isinstance(given, str):
        return list(split_arguments(given))
    return list(given) if isinstance(given, list) else [given]


def _patterns(app: App, item: object, root: str) -> Iterator[str]:
    match item:
        case Regex():
            pattern = _of_regex(item.source)
        case str() if item.strip():
            pattern = _of_regex(item) if re.search(r"\\[/.\\]", item) else _of_path(app, item, root)
        case _:
            pattern = None
    if pattern is None:
        shown = f"/{item.source}/{item.flags}" if isinstance(item, Regex) else item
        app.warn(f"ignore_watch: {shown} cannot be written as a gitignore pattern; left out")
        return
    yield from pattern


def _of_regex(source: str) -> tuple[str, ...] | None:
    r"""Return patterns for an expression such as ``[\/\\]\.|node_modules``, or None."""
    found: list[str] = []
    for part in source.split("|"):
        match = _PLAIN_REGEX.fullmatch(part)
        if match is None:
            return None
        text = re.sub(r"\[\\/\\\\\]|\[\\\\/\]|\\\\|\\/", "/", match[1]).replace("\\", "")
        inner = text.strip("/")
        if not inner:
            return None
        start = "" if text.startswith("/") else "*"
        end = "" if match[2] or (text.endswith("/") and len(text) > 1) else "*"
        # gitignore's rule: a pattern with a slash in it is anchored, unless it begins with **/.
        anchor = "**/" if "/" in inner else ""
        found.append(f"{anchor}{start}{inner}{end}")
    return tuple(found)


def _of_path(app: App, item: str, root: str) -> tuple[str, ...] | None:
    """Return the patterns of a path or glob, which is relative to the app's folder."""
    negation, glob = ("!", item[1:]) if item.startswith("!") else ("", item)
    inside = os.path.relpath(app.folder, root).replace(os.sep, "/")
    found: list[str] = []
    for path in alternatives(glob):
        if os.path.isabs(path):
            whole = os.path.relpath(path, root).replace(os.sep, "/")
        else:
            whole = path if inside == "." else f"{inside}/{path}"
        whole = re.sub(r"(\A|/)(\./)+", r"\1", whole).rstrip("/")
        if ".." in whole.split("/") or whole in ("", "."):
            return None
        found.append(f"{negation}{'' if whole.startswith('**') else '/'}{whole}")
    return tuple(found)
