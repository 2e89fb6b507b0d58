"""What is wrong with a table that msgspec refuses: which key, and what to write there.

msgspec says what it met first, without the names of a table's keys; this walks the same types and
says it in the words of TOML. Only loaded when there is a mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from msgspec import Struct, inspect

from devrun.config.nearest import hint
from devrun.config.toml.gates import PROBES
from devrun.config.toml.kinds import Choice, choices_of, with_kinds
from devrun.config.toml.reader import Said
from devrun.config.toml.tables import HealthTable, ReadyTable

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """A mistake.

    Attributes:
        path: The keys that lead to it, the wrong one included.
        text: What is wrong.
        unknown: The last key is one that does not exist.
    """

    path: Path
    text: str
    unknown: bool = False


def first_fault(value: object, table: type[Struct]) -> Fault | None:
    """Return the first mistake in a table, in the order in which it is written."""
    return next(_faults(value, inspect.type_info(table), ()), None)


def explained(said: Said, table: type[Struct], title: str, message: str) -> str:
    """Return what is wrong with a table that msgspec has refused, and where.

    Args:
        title: Whose table it is.
        message: What msgspec says.
    """
    fault = first_fault(with_kinds(said.plain(), table), table)
    if fault is None:
        return f"{said.place}: {title}{message}"
    place, key = said.at(fault.path).place, dotted(fault.path)
    if fault.unknown:
        return f'{place}: {title}unknown key "{key}"{fault.text}'
    return f"{place}: {title}{key}{fault.text}"


def dotted(path: Path) -> str:
    """Return a path for messages: ``ready.timeout``, ``restart_on[2]``."""
    parts = [f"[{key + 1}]" if isinstance(key, int) else f".{key}" for key in path]
    return "".join(parts).removeprefix(".")


def _faults(value: object, wanted: inspect.Type, path: Path) -> Iterator[Fault]:
    choices = list(choices_of(wanted))
    fitting = [each for each in choices if _fits(value, each.type)]
    if not fitting:
        yield Fault(path, _wrong_type(value, choices, str(path[-1]) if path else ""))
        return
    for each in fitting:
        match each.type:
            case inspect.StructType(fields=fields) if isinstance(value, dict):
                yield from _in_struct(value, {field.encode_name: field for field in fields}, path)
            case inspect.DictType(value_type=inside) if isinstance(value, dict):
                for key, said in value.items():
                    yield from _faults(said, inside, (*path, key))
            case inspect.ListType(item_type=inside) if isinstance(value, list):
                for place, said in enumerate(value):
                    yield from _faults(said, inside, (*path, place))
            case _:
                pass


def _in_struct(
    value: Mapping[str, object], fields: Mapping[str, inspect.Field], path: Path
) -> Iterator[Fault]:
    for key, said in value.items():
        if key in fields:
            yield from _faults(said, fields[key].type, (*path, key))
        elif path[-1:] == ("health",) and key in _OF_READY:
            yield Fault((*path, key), f": is for ready alone; health takes {_or(PROBES)}")
        else:
            right = hint(key, fields)
            yield Fault((*path, key), _with_path(right, path), unknown=True)


def _with_path(right: str, path: Path) -> str:
    before = dotted(path)
    return right.replace('"', f'"{before}.', 1) if right and before else right


# -- types --------------------------------------------------------------------------------------


_TYPES: Mapping[type[inspect.Type], Callable[[object], bool]] = {
    inspect.StrType: lambda value: isinstance(value, str),
    inspect.BoolType: lambda value: isinstance(value, bool),
    inspect.IntType: lambda value: isinstance(value, int) and not isinstance(value, bool),
    inspect.FloatType: lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    inspect.ListType: lambda value: isinstance(value, list),
    inspect.DictType: lambda value: isinstance(value, dict),
    inspect.StructType: lambda value: isinstance(value, dict),
}


def _fits(value: object, wanted: inspect.Type) -> bool:
    if isinstance(wanted, inspect.LiteralType):
        return not isinstance(value, list | dict) and value in wanted.values
    return _TYPES[type(wanted)](value)


_UNITS = {"time": '"{0}s" or "{0}ms"', "size": '"{0}M" or "{0}K"'}
_WORDS: Mapping[type[inspect.Type], str] = {
    inspect.StrType: "a text",
    inspect.BoolType: "true or false",
    inspect.IntType: "a whole number",
    inspect.FloatType: "a number",
    inspect.ListType: "a list",
    inspect.DictType: "a table",
    inspect.StructType: "a table",
}


_OF_READY = frozenset(ReadyTable.__struct_fields__) - frozenset(HealthTable.__struct_fields__)
_SWITCHED_OFF = frozenset(("ready", "health", "max_memory", "log"))
"""Keys of which false takes away what is inherited, and true would say too little."""
_INSTEAD = {
    "ready": '; write for example { port = 3000 } or { log = "listening" }',
    "health": '; write for example { port = 3000 } or { exec = "…" }',
}


def _or(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _wrong_type(value: object, choices: Iterable[Choice], key: str) -> str:
    kinds = [each.kind for each in choices if each.kind in _UNITS]
    if kinds and isinstance(value, int | float) and not isinstance(value, bool):
        return f" = {value}: a unit is missing; write {_UNITS[kinds[0]].format(value)}"
    words = [word for each in choices for word in _expected(each.type)]
    wanted = list(dict.fromkeys(words))
    if key in _SWITCHED_OFF:
        wanted = [*(word for word in wanted if word != _WORDS[inspect.BoolType]), "false"]
    near = _INSTEAD.get(key, "")
    if isinstance(value, str):
        near = hint(value, [word.strip('"') for word in wanted if word.startswith('"')]) or near
    return f" = {_shown(value)}: must be {_or(wanted)}{near}"


def _expected(wanted: inspect.Type) -> Iterator[str]:
    match wanted:
        case inspect.LiteralType(values=values):
            yield from (f'"{value}"' for value in values)
        case inspect.ListType(item_type=inside):
            texts = all(isinstance(each.type, inspect.StrType) for each in choices_of(inside))
            yield "a list of texts" if texts else "a list"
        case _:
            yield _WORDS[type(wanted)]


def _shown(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"' if len(value) < 40 else f'"{value[:36]}…"'
        case list():
            return "[…]" if value else "[]"
        case dict():
            return "{…}" if value else "{}"
        case _:
            return str(value)
