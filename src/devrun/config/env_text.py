"""Variables as the text of a ``.env`` file, so that reading it gives the same again."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAME = re.compile(r"[^\s=#'\"]+")
_PLAIN = re.compile(r"[\w%+,./:@-]+", re.ASCII)


def env_text(values: Mapping[str, str]) -> str:
    """Return lines that python-dotenv reads as these names and values.

    A name that no line could begin with is left out: there are such in environments (functions that
    bash exports).
    """
    lines = [f"{name}={_quoted(value)}" for name, value in values.items() if _NAME.fullmatch(name)]
    return "".join(f"{line}\n" for line in lines)


def _quoted(value: str) -> str:
    r"""Return a value in quotes.

    In single ones ``\\`` and ``\'`` are the only escapes; a carriage return needs double ones.
    ``${`` begins a replacement in both; a replacement of no name gives its default, a dollar.
    """
    if _PLAIN.fullmatch(value):
        return value
    quote = '"' if "\r" in value else "'"
    escaped = value.replace("\\", "\\\\").replace(quote, f"\\{quote}").replace("\r", "\\r")
    return quote + escaped.replace("${", "${:-$}{") + quote
