"""``${NAME}`` and ``${NAME:-default}`` in the texts of a TOML file.

They are replaced by what the environment holds when the file is read: the shared root ``.env`` and
the project's files, and devrun's own environment above them. ``$$`` is a dollar; every other one
stays as it is. The default is taken where the variable is not set or empty, as shells have it.
Commands are left alone: the shell replaces what is in them, with the service's own environment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from devrun.config.toml.reader import Said
from devrun.errors import UsageError

COMMANDS = frozenset(
    (
        ("command",),
        ("ready", "exec"),
        ("health", "exec"),
        ("stop", "command"),
    )
)
"""Keys of a service whose texts are commands."""

TEARDOWN = frozenset((("teardown",), ("teardown", "commands")))
"""Keys of a project whose texts are commands."""


class Varied(str):
    """A text in which a variable was replaced, so that it may stand for a number as well."""

    __slots__ = ()


_DOLLAR = re.compile(r"\$(?:\$|\{([^}]*)\}?)")
_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.ASCII | re.DOTALL)


HARMLESS = re.compile(r".{0,3}|[\d.:,-]+ ?[A-Za-z%]{0,3}|true|false|localhost", re.DOTALL)
"""Values that may be shown: ports, times, sizes, and what is too short to be a secret."""


class Variables(Protocol):
    """Gives the environment when it is first needed; reading it takes time."""

    def __call__(self) -> Mapping[str, str]:
        """Return all variables."""
        ...


def replaced(
    said: Said,
    variables: Variables,
    *,
    owner: str,
    commands: frozenset[tuple[str, ...]],
    path: tuple[str, ...] = (),
) -> Said:
    """Return a value with the variables in its texts replaced.

    Args:
        owner: Whose value it is, for messages.
        commands: Paths of what is left alone.
        path: Where the value is within what the owner says.

    Raises:
        UsageError: A variable is not set and has no default, or what is in the braces is no name.
    """
    if path in commands:
        return said
    if said.table is not None:
        inside = {
            key: replaced(each, variables, owner=owner, commands=commands, path=(*path, key))
            for key, each in said.table.items()
        }
        return Said(inside, said.place)
    where = f"{owner}{'.'.join(path)}"
    return Said(_in_value(said, variables, where), said.place, said.elements)


def values_in(said: Said, variables: Variables) -> set[str]:
    """Return the values of the variables in a value's texts, without what is no secret."""
    if said.table is not None:
        return {each for one in said.table.values() for each in values_in(one, variables)}
    texts = said.value if isinstance(said.value, list) else [said.value]
    names = {
        found[1]
        for text in texts
        if isinstance(text, str) and "${" in text
        for match in _DOLLAR.finditer(text)
        if match[1] is not None and (found := _VARIABLE.fullmatch(match[1])) is not None
    }
    values = (variables().get(name, "") for name in names)
    return {value for value in values if not HARMLESS.fullmatch(value)}


def escaped(text: str) -> str:
    """Return a text that means itself."""
    return text.replace("$", "$$")


def _in_value(said: Said, variables: Variables, where: str) -> object:
    value = said.value
    if isinstance(value, list):
        elements = (said.at((number,)) for number in range(len(value)))
        return [_in_value(each, variables, where) for each in elements]
    if not isinstance(value, str) or "$" not in value:
        return value
    found = _in_text(value, variables, f"{said.place}: {where}")
    return Varied(found) if "${" in value else found


def _in_text(value: str, variables: Variables, where: str) -> str:
    def replacement(match: re.Match[str]) -> str:
        if match[1] is None:
            return "$"
        found = _VARIABLE.fullmatch(match[1])
        if found is None or not match[0].endswith("}"):
            message = (
                f'{where} "{value}": write ${{NAME}} or ${{NAME:-default}}, or $$ for a dollar'
            )
            raise UsageError(message)
        name, default = found[1], found[2]
        known = variables()
        if name not in known and default is None:
            message = f'{where} "{value}": the variable {name} is not set'
            way = "give the service a port" if name == "PORT" else "set it"
            raise UsageError(f"{message}; {way}, or write ${{{name}:-default}}")
        return known.get(name) or default or ""

    return _DOLLAR.sub(replacement, value)
