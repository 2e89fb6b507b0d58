"""Queries and bodies, from what a client has sent to what was meant."""

from __future__ import annotations

import json
from collections.abc import MutableMapping
from typing import TypeVar, get_origin
from urllib.parse import parse_qsl

import msgspec

from devrun.control.problems import Problem
from devrun.control.wrong_values import in_words

MOST_PARAMETERS = 1000

_NO_TEXT = "what is no name, command or folder has to be UTF-8"

S = TypeVar("S", bound=msgspec.Struct)


def query_of(scope: MutableMapping[str, object]) -> str:
    """Return a request's query string, as it was sent."""
    found = scope.get("query_string", b"")
    return found.decode("ascii", "replace") if isinstance(found, bytes) else ""


def understand_query(text: str, kind: type[S]) -> S:
    """Return a query string as a value; bytes that are no UTF-8 are as in file names.

    Raises:
        Problem: It is none.
    """
    try:
        pairs = parse_qsl(
            text,
            keep_blank_values=True,
            max_num_fields=MOST_PARAMETERS,
            errors="surrogateescape",
        )
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
        raise Problem(422, in_words(error, kind, "parameter")) from None
    except UnicodeEncodeError:  # msgspec's own, where no text is wanted.
        raise Problem(422, _NO_TEXT) from None


def understand_body(body: bytes, kind: type[S]) -> S:
    """Return a body as a value; an empty one is an empty object.

    Raises:
        Problem: It is no JSON, or says something else.
    """
    try:
        try:
            return msgspec.json.decode(body or b"{}", type=kind)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError as error:
            return msgspec.convert(_with_any_bytes(body, error), kind)
    except msgspec.ValidationError as error:
        raise Problem(422, in_words(error, kind, "key")) from None
    except UnicodeEncodeError:
        raise Problem(422, _NO_TEXT) from None
    except msgspec.DecodeError as error:
        raise Problem(400, f"the body is no JSON: {_said(error)}") from None
    except RecursionError:
        raise Problem(400, "the body is no JSON that could be read: it is too deep") from None


def _with_any_bytes(body: bytes, refused: msgspec.DecodeError) -> object:
    """Return what JSON says that has bytes as ``json.dumps`` writes them, of a file name say.

    Raises:
        DecodeError: It is none; or something else is wrong with it.
    """
    if b"\\ud" not in body.lower():
        raise refused
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except ValueError:
        raise refused from None


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _said(error: msgspec.DecodeError) -> str:
    message = str(error)
    return message[:1].lower() + message[1:]
