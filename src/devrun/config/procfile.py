"""Procfiles: one process a line, ``name: command``.

The grammar is the union of what foreman, honcho, hivemind, overmind and goreman take: indentation,
blanks before the colon, none after it, CR LF, a byte order mark, ``.`` and ``/`` in names. What all
or some of them pass over in silence - a line without a colon, a second process of the same name, a
line continued with a backslash - is an error here, with its line.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from devrun.errors import UsageError

_ENTRY = re.compile(r"[ \t]*([^\s:#][^:]*?)[ \t]*:(.*)", re.DOTALL)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./@-]*|-[A-Za-z0-9_-]+", re.ASCII)
_CONTINUED = re.compile(r"(?<!\\)(?:\\\\)*\\\Z")
"""A backslash at the end that is not itself escaped by one before it."""
_CONFLICT = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")


@dataclass(frozen=True, slots=True)
class Entry:
    """One process of a Procfile; ``line`` counts from 1."""

    name: str
    command: str
    line: int


@dataclass(frozen=True, slots=True)
class Procfile:
    """What a Procfile says.

    Attributes:
        path: As the user wrote it, for messages.
        warnings: Lines about what is allowed and likely wrong.
    """

    path: str
    entries: tuple[Entry, ...]
    warnings: tuple[str, ...] = ()


def read(path: str, cwd: str) -> Procfile:
    """Read a Procfile.

    Args:
        path: Relative to ``cwd``, or absolute.

    Raises:
        UsageError: It cannot be read, or something in it is wrong.
    """
    if not path:
        raise UsageError('-f "": a file name is missing')
    try:
        with open(os.path.join(cwd, path), "rb") as file:
            return parse(file.read(), path)
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file{_others(path, cwd)}") from None
    except IsADirectoryError:
        raise UsageError(f"{path}: is a folder; name a file in it") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {(error.strerror or '').lower()}") from None


def _others(path: str, cwd: str) -> str:
    folder = os.path.dirname(os.path.join(cwd, path))
    try:
        found = sorted(name for name in os.listdir(folder) if name.startswith("Procfile"))
    except OSError:
        return ""
    return f"; there is {', '.join(found)}" if found else ""


def parse(text: bytes, path: str) -> Procfile:
    """Parse a Procfile; bytes that are no UTF-8 are kept as they are (``surrogateescape``).

    Raises:
        UsageError: A line is neither a process, a comment nor blank, a name stands twice, a command
            is empty, or there is no process at all.
    """
    entries: dict[str, Entry] = {}
    warnings: list[str] = []
    decoded = text.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    for number, line in enumerate(decoded.split("\n"), 1):
        content = line.removesuffix("\r")
        if not content.strip() or content.lstrip().startswith("#"):
            continue
        entry = _entry(content, number, path)
        if entry.name in entries:
            first = entries[entry.name].line
            message = f'{path}:{number}: a second process named "{entry.name}"; the first is'
            raise UsageError(f"{message} in line {first}")
        entries[entry.name] = entry
        warnings += _warnings(entry, path)
    if not entries:
        raise UsageError(f"{path}: no process in it; write lines like web: npm start")
    return Procfile(path, tuple(entries.values()), tuple(warnings))


def _entry(line: str, number: int, path: str) -> Entry:
    place = f"{path}:{number}"
    if line.startswith(_CONFLICT):
        raise UsageError(f"{place}: a merge conflict is left in the file")
    match = _ENTRY.fullmatch(line)
    if match is None:
        shown = line.strip()[:40]
        raise UsageError(f'{place}: "{shown}" is no process; write name: command, or # before it')
    name, command = match[1], match[2].strip(" \t")
    _check_name(name, place)
    _check_command(command, name, place)
    return Entry(name, command, number)


def _check_name(name: str, place: str) -> None:
    if not _NAME.fullmatch(name):
        message = f'{place}: "{name}" is no name; use letters, digits and _ - . /'
        raise UsageError(message)


def _check_command(command: str, name: str, place: str) -> None:
    if not command.strip():
        raise UsageError(f'{place}: the process "{name}" has no command')
    if _CONTINUED.search(command):
        message = f"{place}: ends with a backslash; Procfiles have no continued lines"
        raise UsageError(f"{message}: put the command on one line or into a script")
    if "\0" in command:
        raise UsageError(f"{place}: a NUL character in the command")
    if "\r" in command:
        message = f"{place}: a carriage return within the line"
        raise UsageError(f"{message}; end lines with LF or CR LF")


def _warnings(entry: Entry, path: str) -> list[str]:
    command = entry.command
    quoted = command[0] in "\"'" and command[-1] == command[0] and len(command) > 1
    if quoted and " " in command and command[0] not in command[1:-1]:
        warning = f"{path}:{entry.line}: the whole command is in quotes, so the shell will look for"
        return [f"{warning} a program of that name; leave the quotes out"]
    return []
