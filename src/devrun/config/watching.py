"""``--watch`` and ``--watch-ignore``: what to watch, for whom, and what not."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

from devrun.config.success import find_services
from devrun.errors import UsageError
from devrun.model import WatchRule

_GLOB = re.compile(r"[*?\[]")
_CLASS = re.compile(r"\[[!^]?\]?[^\]]*\]?")
_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")


def parse_watch(
    values: Sequence[str], names: Sequence[str | None], root: str
) -> tuple[tuple[WatchRule, ...], ...]:
    """Return the watch rules of each service.

    Args:
        values: ``PATH_OR_GLOB`` for all services, or ``NAME=PATH_OR_GLOB`` for one, a name or an
            index. A folder stands for everything below it. A pattern without a slash matches names
            at any depth; in one with a slash, ``**`` stands for any folders. ``{a,b}`` is either.
            What exists is taken as it is, even if it looks like a pattern (``app/[id]``).
        names: The services' names by index.
        root: Absolute path of the folder that paths are relative to.

    Raises:
        UsageError: A value is empty, names no service, is no pattern, or names a path in a
            missing folder.
    """
    rules: list[dict[WatchRule, None]] = [{} for _ in names]
    for value in values:
        targets, path = _target(value, names, root)
        for rule in _rules(path, f'--watch "{value}"', root):
            for index in targets:
                rules[index][rule] = None
    return tuple(map(tuple, rules))


def parse_ignore(values: Sequence[str], root: str) -> tuple[str, ...]:
    """Return ``--watch-ignore`` patterns as a ``.gitignore`` in ``root`` would have them.

    Raises:
        UsageError: One of them is no such pattern.
    """
    return tuple(_ignored(value, root) for value in values)


def _target(value: str, names: Sequence[str | None], root: str) -> tuple[Sequence[int], str]:
    """Return whom a value is for, and its path."""
    name, equals, path = value.partition("=")
    named = [index for index, each in enumerate(names) if each == name]
    if not equals or (not named and _GLOB.search(name)) or _exists(value, root):
        return range(len(names)), value
    return named or sorted(find_services(name, names, f'--watch "{value}"')), path


def _exists(path: str, root: str) -> bool:
    """Tell whether what a value with ``=`` names is there, up to the first wildcard."""
    fixed, _ = _split(path)
    return "=" in fixed and os.path.lexists(_absolute(fixed, root))


def _rules(path: str, place: str, root: str) -> Iterator[WatchRule]:
    if not path.strip():
        raise UsageError(f"{place}: a path is missing")
    if os.path.lexists(_absolute(path, root)):
        yield WatchRule(_absolute(path, root), None, path)
        return
    if path.startswith("!"):
        raise UsageError(f"{place}: what is not to be watched goes after --watch-ignore")
    for each in alternatives(path):
        fixed, rest = _split(each)
        folder = _absolute(fixed, root)
        if not rest:
            _check_folder(folder, place)
        yield WatchRule(folder, _pattern(fixed, rest, place), path)


def alternatives(path: str) -> list[str]:
    """Return what a path with ``{a,b}`` stands for; nested ones are replaced from within."""
    found = _BRACES.search(path)
    if found is None:
        return [path]
    before, after = path[: found.start()], path[found.end() :]
    return [
        whole for each in found[1].split(",") for whole in alternatives(f"{before}{each}{after}")
    ]


def _absolute(path: str, root: str) -> str:
    return os.path.normpath(os.path.join(root, os.path.expanduser(path)))


def _split(path: str) -> tuple[str, str]:
    """Split a path before the first of its parts that has a wildcard."""
    path = path.replace(os.sep, "/")
    wildcard = _GLOB.search(path)
    if wildcard is None:
        return path, ""
    start = path.rfind("/", 0, wildcard.start()) + 1
    return path[:start], path[start:]


def _check_folder(path: str, place: str) -> None:
    """Require that what is yet to appear will do so in a folder that exists."""
    folder = os.path.dirname(path)
    if os.path.isdir(folder):
        return
    missing, above = "", folder
    while not os.path.lexists(above):
        missing, above = above, os.path.dirname(above)
    if not os.path.isdir(above):
        raise UsageError(f"{place}: {above} is not a folder")
    from devrun.config.nearest import hint

    try:
        near = hint(os.path.basename(missing), os.listdir(above))
    except OSError:
        near = ""
    raise UsageError(f"{place}: there is no folder {missing}{near}")


def _pattern(fixed: str, rest: str, place: str) -> str | None:
    """Return the pattern relative to the folder before the first wildcard, as gitignore has it."""
    if not rest:
        return None
    parts = [part for part in rest.split("/") if part not in {"", "."}]
    if ".." in parts:
        raise UsageError(f'{place}: ".." cannot follow a wildcard')
    _check_classes(rest, place)
    # gitignore's rule: without a slash in front or within, a pattern matches at any depth.
    as_it_is = len(parts) > 1 or parts == ["**"] or not fixed
    return _escaped("/" * (not as_it_is) + "/".join(parts)) + "/" * rest.endswith("/")


def _check_classes(pattern: str, place: str) -> None:
    for found in _CLASS.finditer(pattern):
        text = found[0]
        if "/" in text or len(text) < 3 or not text.endswith("]"):
            raise UsageError(f'{place}: "[" without "]"')
        try:
            re.compile(text)
        except re.error:
            raise UsageError(f"{place}: {text} is no range of characters") from None


def _escaped(pattern: str) -> str:
    """Escape what gitignore would take for a comment, a negation or the end of the line."""
    start = "\\" if pattern.startswith(("#", "!")) else ""
    blanks = len(pattern) - len(pattern.rstrip(" "))
    return start + pattern.rstrip(" ") + "\\ " * blanks


def _ignored(value: str, root: str) -> str:
    place = f'--watch-ignore "{value}"'
    negation, pattern = ("!", value[1:]) if value.startswith("!") else ("", value)
    if not pattern.strip():
        raise UsageError(f"{place}: a pattern is missing")
    if pattern.startswith("#"):
        raise UsageError(f'{place}: "#" begins a comment there; write "\\{pattern}"')
    if (len(pattern) - len(pattern.rstrip("\\"))) % 2:
        raise UsageError(f'{place}: nothing follows the last "\\"')
    _check_classes(pattern, place)
    inside = root.rstrip(os.sep) + os.sep
    for start in (f".{os.sep}", inside):
        # In a .gitignore, neither of these would ever match.
        if pattern.startswith(start):
            pattern = f"/{pattern[len(start) :]}"
    return negation + pattern
