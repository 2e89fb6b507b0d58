"""npm-run-all's patterns for names of scripts: globs in which ``:`` is what ``/`` is in paths.

The meaning is minimatch's, which npm-run-all uses with ``:`` and ``/`` swapped and without its
negation of whole patterns: ``!build:x`` is a script of that very name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_BRACES = re.compile(r"(?<!\\)\{([^{}]*,[^{}]*)\}")
_MAGIC = re.compile(r"[*?\[]|[@!+]\(|\{[^}]*,")
_CLASS = re.compile(r"\[([!^]?)(-?(?:\w-\w|[\w./+@])+-?)\]")
_END = r"(?=:|\Z)"


def is_glob(pattern: str) -> bool:
    """Whether a pattern is more than the name of one script."""
    return _MAGIC.search(pattern) is not None


def matching_scripts(pattern: str, scripts: Sequence[str]) -> list[str]:
    """Return the scripts that a pattern matches, in the order of the scripts."""
    try:
        globs = [re.compile(_regex(text)) for text in _without_braces(pattern)]
    except re.error:  # A range that ends before it begins: [z-a] is nothing.
        return []
    return [script for script in scripts if any(glob.fullmatch(script) for glob in globs)]


def _without_braces(pattern: str) -> Iterator[str]:
    """Yield what ``{a,b}`` in a pattern stands for."""
    braces = _BRACES.search(pattern)
    if braces is None:
        yield pattern
        return
    for choice in braces[1].split(","):
        yield from _without_braces(pattern[: braces.start()] + choice + pattern[braces.end() :])


def _regex(pattern: str) -> str:
    """Return a pattern as a regular expression for whole names."""
    parts = _parts(pattern)
    last = len(parts) - 1
    text = ""
    for place, part in enumerate(parts):
        if part == "**":
            text += r"(?:(?!\.)[^:]*(?::(?!\.)[^:]*)*)" if place == last else r"(?:(?!\.)[^:]*:)*"
        else:
            text += _first(part) + _part(part) + ("" if place == last else ":")
    return text


def _parts(pattern: str) -> list[str]:
    """Return what stands between colons, those in parentheses aside."""
    parts, depth = [""], 0
    for character in pattern:
        depth += (character == "(") - (character == ")")
        if character == ":" and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _first(part: str) -> str:
    """Return what has to hold where a part begins: wildcards match no dot there, nor nothing."""
    return r"(?=[^:])(?!\.)" if is_glob(part[:2]) else ""


def _part(part: str) -> str:
    """Return the part between two colons as a regular expression."""
    if not part:
        return ""
    if part[1:2] == "(" and part[0] in "@?+*!" and ")" in part:
        inside, rest = _parenthesis(part)
        return _choice(part[0], inside, _part(rest))
    if part[0] == "*":
        return r"[^:]*" + _part(part.lstrip("*") if "*(" not in part else part[1:])
    if part[0] == "?":
        return r"[^:]" + _part(part[1:])
    if part[0] == "[" and (found := _CLASS.match(part)):
        return f"[{'^' if found[1] else ''}{found[2]}]" + _part(part[found.end() :])
    if part[0] == "\\" and len(part) > 1:
        return re.escape(part[1]) + _part(part[2:])
    return re.escape(part[0]) + _part(part[1:])


def _parenthesis(part: str) -> tuple[list[str], str]:
    """Return the choices of ``@(a|b)…`` and what follows it."""
    choices, depth = [""], 0
    for place, character in enumerate(part[1:], 1):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return choices, part[place + 1 :]
        if character == "|" and depth == 1:
            choices.append("")
        elif not (character == "(" and depth == 1):
            choices[-1] += character
    return choices, ""


def _choice(kind: str, choices: Sequence[str], rest: str) -> str:
    any_of = "(?:" + "|".join(_part(choice) for choice in choices) + ")"
    if kind == "!":
        return f"(?!{any_of}{rest}{_END})[^:]*{rest}"
    return any_of + ("" if kind == "@" else kind) + rest
