"""Where each value of a project is from: a line of a file, the command line, or nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from devrun.cli.check.source import Source
from devrun.cli.check.tables import whole_table, whole_tables
from devrun.model import Project, Service

DEFAULT = "default"
COMMAND_LINE = "command line"
ENVIRONMENT = "environment"
"""A ``DEVRUN_*`` variable of devrun's own environment."""

Tables = Mapping[str, object]

_SHORT = frozenset(("paths", "file", "size", "commands", "condition"))
"""Keys that a text or a list in the place of their table stands for."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What a project would be if only some of what was said had been.

    Attributes:
        origin: Where values are from that this has and the stage below has not.
    """

    origin: str
    project: Project


def origins_of(stages: list[Stage], base: Project | None, source: Source) -> dict[str, object]:
    """Return tables of the same shape as ``whole_tables``, with origins in the places of values.

    Args:
        stages: From the complete project downwards.
        base: What the files alone say; None if there are no files.
    """
    origins = _Origins(stages, base, source)
    tables = _tables(stages[0].project, source)
    return {key: origins.under((key,), value) for key, value in tables.items()}


def in_words(origins: Tables) -> dict[tuple[str, str], str]:
    """Return the origins of whole keys, by service (empty for the project) and key."""
    found: dict[tuple[str, str], str] = {}
    services = origins["services"]
    owners = {"": {key: each for key, each in origins.items() if key not in {"services", "groups"}}}
    owners |= services if isinstance(services, dict) else {}
    for owner, table in owners.items():
        for key, origin in table.items():
            found[owner, key] = _words(origin)
    groups = origins["groups"]
    for name, table in groups.items() if isinstance(groups, dict) else ():
        found |= {(f"groups.{name}", key): _words(each) for key, each in table.items()}
        found["", "groups"] = _words(groups)
    return found


def _words(origin: object) -> str:
    """Return the origins within a table as one text, such as ``devrun.toml:3, devrun.toml:5``."""
    distinct = dict.fromkeys(_leaves(origin))
    said = [each for each in distinct if each != DEFAULT]
    return ", ".join(said) or DEFAULT


def _leaves(origin: object) -> Iterator[str]:
    if isinstance(origin, dict):
        for each in origin.values():
            yield from _leaves(each)
    else:
        yield str(origin)


class _Origins:
    def __init__(self, stages: list[Stage], base: Project | None, source: Source) -> None:
        self._stages = [(stage.origin, _tables(stage.project, source)) for stage in stages]
        self._base: Tables = {} if base is None else _tables(base, source)
        self._source = source
        root = stages[0].project.root
        bare = Project(root, "", (Service(0, "bare", "", root),))
        self._plain = _tables(bare, source)
        self._plain_service = whole_table(bare, "bare", bare.services, show_values=True)

    def under(self, path: tuple[str, ...], value: object) -> object:
        """Return the origins of a value and of all in it."""
        if isinstance(value, dict) and value:
            return {key: self.under((*path, key), each) for key, each in value.items()}
        return self._origin(path, value)

    def _origin(self, path: tuple[str, ...], value: object) -> str:
        below = [*self._stages[1:], ("", self._base)]
        if self._at(self._base, path) != value:
            for (origin, _), (_, tables) in zip(self._stages, below, strict=True):
                if self._at(tables, path) != value:
                    service_is_new = self._at(tables, path[:2]) is _MISSING
                    if service_is_new and self._usual(path) == value:
                        return DEFAULT
                    return origin
        if path[0] == "services":
            return self._of_service(path[1], path[2:], value)
        if "" in self._source.said:
            return self._of_toml("", path)
        return DEFAULT

    def _of_service(self, name: str, path: tuple[str, ...], value: object) -> str:
        if name in self._source.said:
            return self._of_toml(name, path)
        if name not in self._source.places or path == ("port",):
            return DEFAULT
        usual = self._usual(("services", name, *path)) == value
        return DEFAULT if usual else self._source.places[name]

    def _of_toml(self, owner: str, path: tuple[str, ...]) -> str:
        said = self._source.said[owner]
        for key in path:
            table = said.table
            if table is None:
                is_meant = path[0] == "sockets" or path[-1] in _SHORT
                return str(said.place) if is_meant else DEFAULT
            if key not in table:
                if path == ("stop", "interrupt") and "signal" in table:
                    return str(table["signal"].place)
                return DEFAULT
            said = table[key]
        return str(said.place)

    def _usual(self, path: tuple[str, ...]) -> object:
        """Return what a value is if nobody says anything."""
        if path[0] == "services":
            return self._at(self._plain_service, path[2:])
        return self._at(self._plain, path)

    @staticmethod
    def _at(tables: object, path: tuple[str, ...]) -> object:
        found = tables
        for key in path:
            if not isinstance(found, dict) or key not in found:
                return _MISSING
            found = found[key]
        return found


class _Missing:
    """Stands for a value that is not there; None is one."""


_MISSING = _Missing()


def _tables(project: Project, source: Source) -> Tables:
    return whole_tables(project, show_values=True, colors=source.colors)
