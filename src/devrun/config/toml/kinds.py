"""What kinds of values a key may have, as the structs say; and texts with variables as such.

A variable is a text. Where the file wants a number or a truth value, ``"${RETRIES:-3}"`` is one.
Walking the structs takes some milliseconds, so it is done where it can matter only.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from msgspec import Struct

from devrun.config.toml.variables import Varied

TYPE_CHECKING = False  # msgspec.inspect is not needed by most files
if TYPE_CHECKING:
    from msgspec import inspect

_TRUE = frozenset(("true", "1", "yes", "on"))
_FALSE = frozenset(("false", "0", "no", "off"))
_WHOLE = re.compile(r"\s*[+-]?\d{1,18}\s*", re.ASCII)
_NUMBER = re.compile(r"\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the types that a value may have; ``kind`` is of texts that have a form."""

    type: inspect.Type
    kind: str = ""


def choices_of(wanted: inspect.Type, kind: str = "") -> Iterator[Choice]:
    """Yield the types that a value may have."""
    from msgspec import inspect

    match wanted:
        case inspect.Metadata(type=inside, extra=extra):
            yield from choices_of(inside, str((extra or {}).get("kind", kind)))
        case inspect.UnionType(types=types):
            for each in types:
                yield from choices_of(each, kind)
        case inspect.NoneType():
            return
        case _:
            yield Choice(wanted, kind)


def with_kinds(value: object, table: type[Struct]) -> object:
    """Return the values of a table, with numbers and truth values in place of texts that are one.

    Only texts with variables are; the others are what they are.
    """
    if not _is_varied(value):
        return value
    from msgspec import inspect

    return _with_kinds(value, inspect.type_info(table))


def _is_varied(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_is_varied, value.values()))
    if isinstance(value, list):
        return any(map(_is_varied, value))
    return isinstance(value, Varied)


def _with_kinds(value: object, wanted: inspect.Type) -> object:
    from msgspec import inspect

    types = [choice.type for choice in choices_of(wanted)]
    if isinstance(value, Varied):
        return _meant(str(value), {type(each) for each in types})
    for each in types:
        match each:
            case inspect.StructType(fields=fields) if isinstance(value, dict):
                known = {field.encode_name: field.type for field in fields}
                return {
                    key: _with_kinds(said, known[key]) if key in known else said
                    for key, said in value.items()
                }
            case inspect.DictType(value_type=inside) if isinstance(value, dict):
                return {key: _with_kinds(said, inside) for key, said in value.items()}
            case inspect.ListType(item_type=inside) if isinstance(value, list):
                return [_with_kinds(said, inside) for said in value]
            case _:
                pass
    return value


def _meant(text: str, types: Collection[type[inspect.Type]]) -> object:
    """Return what a text means where values of some types are wanted."""
    from msgspec import inspect

    word = text.strip().lower()
    takes_text = inspect.StrType in types
    if takes_text and inspect.FloatType in types:
        return text  # A variable of ``env``: it is a text in the end, "007" too.
    truths = {"true", "false"} if takes_text else _TRUE | _FALSE
    if inspect.BoolType in types and word in truths:
        return word in _TRUE
    if inspect.IntType in types and _WHOLE.fullmatch(text):
        return int(text)
    if inspect.FloatType in types and _NUMBER.fullmatch(text):
        return float(text)
    return text
