"""The reference of devrun.toml in docs/configuration.md, made from the structs of its reader.

``python -m devrun.config.toml.reference docs/configuration.md`` writes it anew.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from msgspec import inspect

from devrun.config.toml.schema import ProjectTable, ServiceTable

BEGIN = "<!-- reference: made by `make docs` -->"
END = "<!-- end of the reference -->"

_FALSE_ALONE = frozenset(("ready", "health", "max_memory", "log"))
_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_HEAD = "| key | value | what it says | for example |\n|---|---|---|---|"


@dataclass(frozen=True, slots=True)
class _Section:
    """A table that may stand in the file."""

    heading: str
    struct: inspect.StructType


def reference() -> str:
    """Return the reference, as Markdown: a table of keys for each table of the file."""
    return "\n\n".join(map(_section_text, _sections()))


def with_reference(page: str) -> str:
    """Return a page in which what stands between the two marks is the reference.

    Raises:
        ValueError: It has not both marks.
    """
    before, found, rest = page.partition(BEGIN)
    _, also_found, after = rest.partition(END)
    if not found or not also_found:
        raise ValueError(f"no {BEGIN} and {END} in the page")
    return f"{before}{BEGIN}\n\n{reference()}\n\n{END}{after}"


# -- what there is ------------------------------------------------------------------------------


def _sections() -> Iterator[_Section]:
    """Yield the tables: the whole file, a service, and then what these hold."""
    project, service = _struct(ProjectTable), _struct(ServiceTable)
    yield _Section("The whole file", project)
    yield _Section("A service: `[services.NAME]`, and `[defaults]`", service)
    for path, struct in _tables_in(service, "services.NAME."):
        yield _Section(f"`[{path}]`", struct)
    for path, struct in _tables_in(project, ""):
        if struct.cls is not ServiceTable:
            yield _Section(f"`[{path}]`", struct)


def _struct(table: type) -> inspect.StructType:
    found = inspect.type_info(table)
    if not isinstance(found, inspect.StructType):
        raise TypeError(table)
    return found


def _tables_in(struct: inspect.StructType, owner: str) -> Iterator[tuple[str, inspect.StructType]]:
    """Yield path and form of each table that stands directly in another."""
    for field in struct.fields:
        for kind in _kinds(field.type):
            path, inner = f"{owner}{field.name}", kind
            if isinstance(kind, inspect.DictType):
                path, inner = f"{path}.{'OTHER' if owner else 'NAME'}", kind.value_type
            for each in _kinds(inner):
                if isinstance(each, inspect.StructType):
                    yield path, each


def _kinds(kind: inspect.Type) -> list[inspect.Type]:
    """Return the alternatives of a type, without None."""
    if isinstance(kind, inspect.Metadata) and (kind.extra is None or "kind" not in kind.extra):
        return _kinds(kind.type)
    if isinstance(kind, inspect.UnionType):
        return [each for alternative in kind.types for each in _kinds(alternative)]
    return [] if isinstance(kind, inspect.NoneType) else [kind]


# -- how it looks -------------------------------------------------------------------------------


def _section_text(section: _Section) -> str:
    about = (section.struct.cls.__doc__ or "").strip()
    rows = [_row(field) for field in section.struct.fields]
    return "\n".join([f"### {section.heading}", "", about, "", _HEAD, *rows])


def _row(field: inspect.Field) -> str:
    said: Mapping[str, object] = {}
    if isinstance(field.type, inspect.Metadata) and field.type.extra_json_schema is not None:
        said = field.type.extra_json_schema
    kinds = [kind for kind in _kinds(field.type) if not _is_switch(kind, field.name)]
    values = ", ".join(dict.fromkeys(_words(kinds)))
    if len(kinds) < len(_kinds(field.type)):
        values = f"{values}, `false`"
    given = said.get("examples")
    examples = given if isinstance(given, list) else []
    shown = ", ".join(_code(_value(example)) for example in examples)
    about = str(said.get("description", "")).replace("|", "\\|")
    return f"| `{field.name}` | {values} | {about} | {shown} |"


def _is_switch(kind: inspect.Type, key: str) -> bool:
    """Whether a truth value only takes away what is inherited: ``true`` would say too little."""
    return isinstance(kind, inspect.BoolType) and key in _FALSE_ALONE


def _words(kinds: Sequence[inspect.Type]) -> Iterator[str]:
    """Yield what a value may be, in words, or as it is written."""
    for kind in kinds:
        match kind:
            case inspect.Metadata():
                yield str((kind.extra or {})["kind"])
            case inspect.BoolType():
                yield "`true`, `false`"
            case inspect.IntType() | inspect.FloatType():
                yield "number"
            case inspect.StrType():
                yield "text"
            case inspect.LiteralType():
                yield ", ".join(_code(_value(each)) for each in _as_written(kind))
            case inspect.ListType():
                yield "list"
            case inspect.DictType() | inspect.StructType():
                yield "table"
            case _:
                raise TypeError(kind)


def _as_written(kind: inspect.LiteralType) -> list[object]:
    """Return the values of a literal; msgspec sorts them."""
    ranks = {value: rank for rank, value in enumerate(_FROM_LESS_TO_MORE)}
    return sorted(kind.values, key=lambda value: (ranks.get(str(value), 0), str(value)))


_FROM_LESS_TO_MORE = (
    *("no", "on-failure", "always"),
    *("started", "ready", "healthy", "completed"),
    *("ignore", "restart", "reload"),
    *("stop", "stop-on-failure"),
    *("one_for_one", "rest_for_one", "one_for_all"),
    *("fail", "continue"),
    *("group", "main"),
)


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


def _value(value: object) -> str:
    """Return a value as TOML, texts in the quotes in which they are easiest to read."""
    match value:
        case bool():
            return "true" if value else "false"
        case str() if '"' in value or "\\" in value:
            return f"'{value}'"
        case str():
            return f'"{value}"'
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case dict():
            pairs = (f"{_key(str(key))} = {_value(each)}" for key, each in value.items())
            return f"{{ {', '.join(pairs)} }}"
        case _:
            return str(value)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else f'"{name}"'


def _main(paths: Sequence[str]) -> None:
    for path in paths:
        with open(path, encoding="utf-8") as file:
            page = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(with_reference(page))


if __name__ == "__main__":
    _main(sys.argv[1:])
