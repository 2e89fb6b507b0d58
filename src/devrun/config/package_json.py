"""The scripts of a package.json, with the places where they stand, so that they can be edited."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from devrun.errors import UsageError

_DECODER = json.JSONDecoder()
_BLANK = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class Script:
    """One script.

    Attributes:
        command: Its command line.
        start: Where its string literal begins in the text, at the quote.
        end: Where it ends, behind the quote.
    """

    name: str
    command: str
    start: int
    end: int


def read_scripts(text: str, path: str) -> tuple[Script, ...]:
    """Return the scripts in the order of the file; those that are no strings are left out.

    Args:
        path: What messages call the file.

    Raises:
        UsageError: It is no JSON, or no object.
    """
    start = 1 if text.startswith("\ufeff") else 0
    try:
        content = json.loads(text[start:])
    except json.JSONDecodeError as error:
        raise UsageError(f"{path}:{error.lineno}: no JSON: {error.msg.lower()}") from None
    if not isinstance(content, dict):
        raise UsageError(f"{path}:1: not a package.json: no object")
    scripts: dict[str, Script] = {}
    for key, place in _members(text, _BLANK.match(text, start)):
        if key == "scripts" and text[place] == "{":
            scripts = dict(_scripts(text, place))  # The last of two is the one that counts.
    return tuple(scripts.values())


def with_commands(text: str, scripts: Sequence[Script], commands: Mapping[str, str]) -> str:
    """Return the text with other commands for some scripts; all else stays as it is.

    Args:
        scripts: The scripts of this very text.
        commands: New command lines by the script's name.
    """
    for script in sorted(scripts, key=lambda script: -script.start):
        command = commands.get(script.name, script.command)
        if command != script.command:
            literal = json.dumps(command, ensure_ascii=False)
            text = text[: script.start] + literal + text[script.end :]
    return text


def _scripts(text: str, place: int) -> Iterator[tuple[str, Script]]:
    for name, start in _members(text, _BLANK.match(text, place)):
        if text[start] == '"':
            command, end = _DECODER.raw_decode(text, start)
            yield name, Script(name, command, start, end)


def _members(text: str, blank: re.Match[str] | None) -> Iterator[tuple[str, int]]:
    """Yield the keys of an object of valid JSON, and where their values begin."""
    place = _skip(text, (blank.end() if blank else 0) + 1)
    while text[place] != "}":
        key, place = _DECODER.raw_decode(text, place)
        place = _skip(text, _skip(text, place) + 1)
        yield key, place
        _, place = _DECODER.raw_decode(text, place)
        place = _skip(text, place)
        if text[place] == ",":
            place = _skip(text, place + 1)


def _skip(text: str, place: int) -> int:
    blank = _BLANK.match(text, place)
    return blank.end() if blank else place
