"""What a package.json says of its scripts, and where, so that they can be edited in place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from devrun.errors import UsageError

# No number is used, and Python refuses to read integers of more than 4300 digits.
_DECODER = json.JSONDecoder(parse_int=float)
_BLANK = re.compile(r"[ \t\r\n]*")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SECTIONS = ("dependencies", "devDependencies", "optionalDependencies")


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


@dataclass(frozen=True, slots=True)
class Package:
    """What a package.json says.

    Attributes:
        scripts: The scripts in the order of the file; those that are no strings are left out.
        package_manager: The package manager that it names, without the version.
        dependencies: The names of packages, by the section in which they stand.
    """

    scripts: tuple[Script, ...]
    package_manager: str | None
    dependencies: Mapping[str, tuple[str, ...]]


def read_package(text: str, path: str) -> Package:
    """Return what a package.json says.

    Args:
        path: What messages call the file.

    Raises:
        UsageError: It is no JSON, or no object.
    """
    start = _skip(text, 1 if text.startswith("\ufeff") else 0)
    content = _parsed(text, start, path)
    scripts: dict[str, Script | None] = {}
    for key, place in _members(text, start):
        if key == "scripts":  # The last of two is the one that counts.
            scripts = dict(_scripts(text, place)) if text[place] == "{" else {}
    manager = content.get("packageManager")
    sections = {section: content.get(section) for section in _SECTIONS}
    return Package(
        scripts=tuple(script for script in scripts.values() if script),
        package_manager=manager.partition("@")[0] if isinstance(manager, str) else None,
        dependencies={s: tuple(names) for s, names in sections.items() if isinstance(names, dict)},
    )


def with_commands(text: str, scripts: Sequence[Script], commands: Mapping[str, str]) -> str:
    """Return the text with other commands for some scripts; all else stays as it is.

    Args:
        scripts: The scripts of this very text.
        commands: New command lines by the script's name.
    """
    for script in sorted(scripts, key=lambda script: -script.start):
        command = commands.get(script.name, script.command)
        if command != script.command:
            literal = _literal(command, like=text[script.start : script.end])
            text = text[: script.start] + literal + text[script.end :]
    return text


def _literal(command: str, *, like: str) -> str:
    """Return a string literal, with escapes for all that is not ASCII if the old one had them."""
    if like.isascii() and "\\u" in like:
        return json.dumps(command)
    # A lone half of a pair can stand in JSON as an escape, but in no file as itself.
    literal = json.dumps(command, ensure_ascii=False)
    return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", literal)


def _parsed(text: str, start: int, path: str) -> Mapping[str, object]:
    try:
        content, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise UsageError(f"{path}:{error.lineno}: no JSON: {error.msg.lower()}") from None
    except RecursionError:
        raise UsageError(f"{path}:1: not a package.json: it is nested too deeply") from None
    rest = _skip(text, end)
    if rest < len(text):
        line = text.count("\n", 0, rest) + 1
        raise UsageError(f"{path}:{line}: no JSON: there is more behind its end")
    if not isinstance(content, dict):
        raise UsageError(f"{path}:1: not a package.json: no object")
    return content


def _scripts(text: str, place: int) -> Iterator[tuple[str, Script | None]]:
    for name, start in _members(text, place):
        if text[start] == '"':
            command, end = _DECODER.raw_decode(text, start)
            yield name, Script(name, command, start, end)
        else:
            yield name, None


def _members(text: str, place: int) -> Iterator[tuple[str, int]]:
    """Yield the keys of the object of valid JSON at a place, and where their values begin."""
    place = _skip(text, place + 1)
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
