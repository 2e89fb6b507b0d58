"""devrun.toml and pyproject.toml: from the text to values that know where they stand."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from devrun.config.toml.lines import Path, key_lines
from devrun.errors import UsageError

PYPROJECT = "pyproject.toml"
SECTION = ("tool", "devrun")
"""Where devrun's part of a pyproject.toml is."""

_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)\Z")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written.

    Attributes:
        file: As the user named it.
        folder: Absolute path of the folder that paths in the file are relative to.
    """

    file: str
    line: int
    folder: str

    def __str__(self) -> str:
        """As messages have it."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Said:
    """A value of a file, and where its key stands. The values of a table are of this kind too.

    Attributes:
        elements: Where each element of a list stands.
    """

    value: object
    place: Place
    elements: tuple[Place, ...] = ()

    @property
    def table(self) -> Mapping[str, Said] | None:
        """The values of a table; None if it is none."""
        return self.value if isinstance(self.value, dict) else None

    def at(self, path: Path) -> Said:
        """Return the value at a path, or what is nearest above it."""
        found = self
        for key in path:
            below = found._below(key)
            if below is None:
                break
            found = below
        return found

    def _below(self, key: str | int) -> Said | None:
        if isinstance(key, str):
            return (self.table or {}).get(key)
        if not isinstance(self.value, list) or key >= len(self.value):
            return None
        place = self.elements[key] if key < len(self.elements) else self.place
        return Said(self.value[key], place)

    def plain(self) -> object:
        """Return the value alone, as a reader of TOML gives it."""
        if self.table is None:
            return self.value
        return {key: inside.plain() for key, inside in self.table.items()}

    def leaves(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Place]]:
        """Yield the path and place of everything within that is no table."""
        if self.table is None:
            yield path, self.place
            return
        for key, inside in self.table.items():
            yield from inside.leaves((*path, key))


def read(path: str, cwd: str) -> Said:
    """Read a devrun.toml, or devrun's part of a pyproject.toml.

    Args:
        path: Relative to ``cwd``, or absolute.

    Raises:
        UsageError: It cannot be read, is no TOML, or holds nothing for devrun.
    """
    absolute = os.path.abspath(os.path.join(cwd, path))
    text = _text(path, absolute)
    return parse(text, path, os.path.dirname(absolute))


def parse(text: str, path: str, folder: str) -> Said:
    """Return what a text says.

    Args:
        path: For messages; a pyproject.toml is known by its name.
        folder: What paths in it are relative to.

    Raises:
        UsageError: As ``read``.
    """
    text = text.removeprefix("\ufeff")
    content: object = _content(text, path)
    try:
        lines = key_lines(text)
    except RecursionError:
        raise UsageError(f"{path}: nested too deeply") from None
    start: Path = ()
    if os.path.basename(path) != PYPROJECT and _has_tool(content):
        line = lines.get(SECTION, lines.get(SECTION[:1], 1))
        message = f"{path}:{line}: [tool.devrun] is for {PYPROJECT}"
        raise UsageError(f"{message}; write [services.web] here, not [tool.devrun.services.web]")
    if os.path.basename(path) == PYPROJECT:
        start = SECTION
        for key in SECTION:
            if not isinstance(content, dict) or key not in content:
                raise UsageError(f"{path}: no [tool.devrun] in it")
            content = content[key]
    place = Place(path, lines.get(start, 1), folder)
    said = _said(content, start, place, lines)
    if said.table is None:
        raise UsageError(f"{place}: devrun: must be a table; write [tool.devrun]")
    return said


def has_section(text: str) -> bool:
    """Whether the text of a pyproject.toml has a part for devrun; one with mistakes has none."""
    if "devrun" not in text:
        return False
    try:
        return parse(text, PYPROJECT, "") is not None
    except UsageError:
        return False


def _text(path: str, absolute: str) -> str:
    try:
        with open(absolute, "rb") as file:
            content = file.read()
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise UsageError(f"{path}: is a folder; name a devrun.toml in it") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {(error.strerror or '').lower()}") from None
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}:{line}: not UTF-8") from None


def _content(text: str, path: str) -> dict[str, object]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(_syntax_error(str(error), text, path)) from None
    except RecursionError:
        raise UsageError(f"{path}: nested too deeply") from None
    except ValueError as error:
        # An integer of more digits than Python reads, or a date that is none, in old versions.
        raise UsageError(f"{path}: not TOML: {error}") from None


def _has_tool(content: object) -> bool:
    tool = content.get(SECTION[0]) if isinstance(content, dict) else None
    return isinstance(tool, dict) and SECTION[1] in tool


def _syntax_error(message: str, text: str, path: str) -> str:
    found = _POSITION.search(message)
    if found is None:
        return f"{path}: not TOML: {message}"
    line, column = found[1], found[2]
    if line is None:
        line, column = str(text.count("\n") + 1), str(len(text) - text.rfind("\n"))
    what = message[: found.start()]
    return f"{path}:{line}:{column}: not TOML: {what[:1].lower()}{what[1:]}"


def _said(value: object, path: Path, place: Place, lines: Mapping[Path, int]) -> Said:
    here = Place(place.file, lines.get(path, place.line), place.folder)
    if isinstance(value, dict):
        inside = {key: _said(each, (*path, key), here, lines) for key, each in value.items()}
        return Said(inside, here)
    if isinstance(value, list):
        found = [_said(each, (*path, number), here, lines) for number, each in enumerate(value)]
        return Said(value, here, tuple(each.place for each in found))
    if isinstance(value, str) and "\0" in value:
        shown = ".".join(key for key in path if isinstance(key, str))
        raise UsageError(f"{here}: {shown}: a NUL character, which nothing on a system can hold")
    return Said(value, here)
