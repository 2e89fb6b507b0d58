"""What the apps of an ecosystem file are called, and where in the file they stand."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from devrun.config.ecosystem.app import js_text
from devrun.config.ecosystem.attributes import Sorted
from devrun.errors import UsageError


def own_name(given: Sorted, number: int, path: str) -> str:
    """Return the name of an app: the one it has, else its script's without the extension.

    Args:
        number: Which app of the file it is, from 1.

    Raises:
        UsageError: Its name is no text, or it has no script.
    """
    script, name = given.values.get("script"), given.values.get("name")
    if not isinstance(script, str) or not script.strip():
        called = f'"{js_text(name)}"' if name else str(number)
        raise UsageError(f"{path}: app {called}: no script; write what it is to run")
    if name is None or name == "":
        last = os.path.basename(script.rstrip("/"))
        return last[: last.rindex(".")] if last.rfind(".") > 0 else last or script
    if isinstance(name, bool) or not isinstance(name, int | float | str):
        raise UsageError(f"{path}: app {number}: its name is not a text")
    if not js_text(name).isprintable():
        raise UsageError(f"{path}: app {number}: a control character in its name")
    return js_text(name)


def whole_name(given: Sorted, name: str, env_name: str | None) -> str:
    """Return a name with what ``append_env_to_name`` and ``name_prefix`` add to it."""
    if given.values.get("append_env_to_name") in (True, "true") and env_name is not None:
        name = f"{name}-{env_name}"
    prefix = given.values.get("name_prefix")
    if isinstance(prefix, str) and prefix and prefix not in name:
        name = f"{prefix}:{name}"
    return name


def unique(name: str, taken: Iterable[str]) -> str:
    """Return a name that no other app has; PM2 allows several apps of one name."""
    names = set(taken)
    number = 2
    unique = name
    while unique in names:
        unique, number = f"{name}-{number}", number + 1
    return unique


def line_of(name: str, text: str, *, behind: int) -> int | None:
    """Return the line in which an app's name stands, if there is one below the line before."""
    quoted = re.escape(name)
    written = re.compile(rf"""\bname["']?\s*:\s*(["'`]?){quoted}\1\s*(?:[,}}\n#/]|\Z)""")
    for found in written.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        if line > behind:
            return line
    return None
