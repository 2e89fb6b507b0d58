"""Queries and bodies, from what a client has sent to what was meant."""

from __future__ import annotations

from typing import TypeVar, get_origin
from urllib.parse import parse_qsl

import msgspec

from devrun.control.problems import Problem

MOST_PARAMETERS = 1000

S = TypeVar("S", bound=msgspec.Struct)


def understand_query(text: str, kind: type[S]) -> S:
    """Return a query string as a value.

    Raises:
        Problem: It is none.
    """
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise Problem(422, f"there are more than {MOST_PARAMETERS} parameters") from None
    fields = msgspec.structs.fields(kind)
    lists = {each.encode_name for each in fields if get_origin(each.type) is list}
    found: dict[str, str | list[str]] = {}
    for name, value in pairs:
        present = found.get(name)
        if name in lists:
            found[name] = [*present, value] if isinstance(present, list) else [value]
        elif present is not None:
            raise Problem(422, f'the parameter "{name}" stands twice')
        else:
            found[name] = value
    try:
        return msgspec.convert(found, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Problem(422, _said(error, [each.encode_name for each in fields])) from None


def understand_body(body: bytes, kind: type[S]) -> S:
    """Return a body as a value; an empty one is an empty object.

    Raises:
        Problem: It is no JSON, or says something else.
    """
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except msgspec.ValidationError as error:
        fields = [each.encode_name for each in msgspec.structs.fields(kind)]
        raise Problem(422, _said(error, fields)) from None
    except msgspec.DecodeError as error:
        raise Problem(400, f"the body is no JSON: {str(error).lower()}") from None
    except RecursionError:
        raise Problem(400, "the body is no JSON that could be read: it is too deep") from None


def _said(error: msgspec.ValidationError, names: list[str]) -> str:
    message = str(error)
    if not message.startswith("Object contains unknown field"):
        return message[:1].lower() + message[1:]
    wrong = message.partition("`")[2].rpartition("`")[0]
    known = f"there are {', '.join(names)}" if names else "there are none here"
    return f'unknown parameter "{wrong}"; {known}'
