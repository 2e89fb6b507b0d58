"""JSON of whatever there is: the bytes of names, commands and folders may be no UTF-8.

Python has such bytes in its texts as lone surrogates. JSON has escapes for these, which msgspec
does not write; so the standard library does it, and only then.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import msgspec

_ENCODER = msgspec.json.Encoder()


def encoded(value: object) -> bytes:
    """Return a value as JSON."""
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(value, enc_hook=_plain)).encode("ascii")


def encoded_lines(values: Sequence[object]) -> bytes:
    """Return values as JSON, each with a line end."""
    try:
        return _ENCODER.encode_lines(values)
    except UnicodeEncodeError:
        return b"".join(encoded(each) + b"\n" for each in values)


def _plain(value: object) -> object:
    """Return what was JSON already."""
    if isinstance(value, msgspec.Raw):
        return json.loads(bytes(value))
    raise NotImplementedError(value)
