"""A resolved project as TOML that reads back as the same project.

What the command line added is part of it, so far as TOML has a key for it: who gets the lines of
devrun's stdin, say, is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from devrun.config.toml.tables_of import NO_COLORS, project_tables
from devrun.model import Project

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_TABLES = ("services", "groups")
_NO_ORIGINS: Mapping[tuple[str, str], str] = {}


def to_toml(
    project: Project,
    *,
    show_values: bool = False,
    colors: Mapping[str, str] = NO_COLORS,
    origins: Mapping[tuple[str, str], str] = _NO_ORIGINS,
) -> str:
    """Return a project as a devrun.toml in its folder.

    Args:
        show_values: Show the values of services' variables, which may be secrets; without them, the
            text does not read back as the same.
        colors: Of prefixes, by service.
        origins: Where values are from, by service (empty for the project) and key; they are shown
            as comments.
    """
    tables = project_tables(project, show_values=show_values, colors=colors)
    blocks = ["\n".join(_lines("", tables, origins))]
    for kind in _TABLES:
        inside = tables.get(kind)
        for name, table in inside.items() if isinstance(inside, dict) else ():
            owner = name if kind == "services" else f"{kind}.{name}"
            header = f"[{kind}.{_key(name)}]"
            blocks.append("\n".join([header, *_lines(owner, table, origins)]))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _lines(
    owner: str, table: Mapping[str, object], origins: Mapping[tuple[str, str], str]
) -> Iterator[str]:
    for key, value in table.items():
        if not owner and key in _TABLES:
            continue
        origin = origins.get((owner, key))
        comment = f"  # {origin}" if origin else ""
        yield f"{_key(key)} = {_value(value)}{comment}"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _string(name)


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _string(value)
        case int() | float():
            return repr(value)
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case dict():
            pairs = ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
        case _:
            raise TypeError(value)


def _string(text: str) -> str:
    """Return a basic string; JSON's are that but for DEL, which TOML wants escaped."""
    import json

    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
