"""What is wrong with a query or a body, in words: which value, and what it has to be."""

from __future__ import annotations

import re

import msgspec
from msgspec import inspect

from devrun.config.nearest import hint

_PLACE = re.compile(r"(?s)(?P<what>.*) - at `\$\.(?P<key>\w+)(?P<rest>.*)`")


def in_words(error: msgspec.ValidationError, kind: type[msgspec.Struct], what: str) -> str:
    """Return what msgspec has found.

    Args:
        kind: What was to be read.
        what: What its fields are called.
    """
    message = str(error)
    fields = {each.encode_name: each for each in msgspec.structs.fields(kind)}
    quoted = message.partition("`")[2].rpartition("`")[0]
    if message.startswith("Object contains unknown field"):
        known = f"there are {', '.join(fields)}" if fields else "there are none here"
        return f'unknown {what} "{quoted}"; {known}'
    if message.startswith("Object missing required field"):
        return f'the {what} "{quoted}" is missing: {_needed(fields[quoted].type)}'
    place = _PLACE.fullmatch(message)
    if place is None or place["key"] not in fields:
        return "the body has to be a JSON object"
    needed = _needed(fields[place["key"]].type)
    choice = re.fullmatch(r"Invalid enum value '(.*)'", place["what"], re.DOTALL)
    nearest = hint(choice[1], _choices(fields[place["key"]].type)) if choice else ""
    return f'the {what} "{place["key"]}" has to be {needed}{nearest}'


def _needed(annotation: object) -> str:
    """Return what a value has to be."""
    return _described(inspect.type_info(annotation))


def _choices(annotation: object) -> list[str]:
    types = inspect.type_info(annotation)
    each = types.types if isinstance(types, inspect.UnionType) else (types,)
    enums = [one for one in each if isinstance(one, inspect.EnumType)]
    return [str(member.value) for enum in enums for member in enum.cls]


def _described(kind: inspect.Type) -> str:
    match kind:
        case inspect.Metadata(type=inner):
            return _described(inner)
        case inspect.UnionType(types=types):
            found = [each for each in types if not isinstance(each, inspect.NoneType)]
            return " or ".join(map(_described, found))
        case inspect.EnumType(cls=cls):
            return f"one of {', '.join(str(member.value) for member in cls)}"
        case inspect.IntType(ge=least, le=most):
            return f"a whole number{_range(least, most)}"
        case inspect.FloatType(ge=least, le=most):
            return f"a number{_range(least, most)}"
        case inspect.BoolType():
            return "true or false"
        case inspect.ListType(item_type=inner, max_length=most):
            return f"a list{_at_most(most, 'items')}, each {_described(inner)}"
        case inspect.StrType(max_length=most):
            return f"a text{_at_most(most, 'characters')}"
        case _:
            return "something else"


def _range(least: float | None, most: float | None) -> str:
    if least is not None and most is not None:
        return f" from {least:,.15g} to {most:,.15g}"
    if most is not None:
        return f" up to {most:,.15g}"
    return "" if least is None else f" of at least {least:,.15g}"


def _at_most(most: int | None, what: str) -> str:
    return "" if most is None else f" of at most {most:,} {what}"
