"""What the files of a project say, beside what they come to: places, what is left out, secrets."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from devrun.config.definitions import RELEASE, Definitions, Request, read_definitions
from devrun.config.environment import layers
from devrun.config.selection import files_of, is_command
from devrun.config.settings import RunSettings
from devrun.model import Project

TYPE_CHECKING = False  # TOML's modules are loaded when there is such a file
if TYPE_CHECKING:
    from devrun.config.resolve import Resolution
    from devrun.config.toml.reader import Said


class Used(Mapping[str, str]):
    """Variables that remember which of them were asked for.

    Attributes:
        asked_for: Those that were, and what they are.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.asked_for: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        value = self._variables[name]
        self.asked_for[name] = value
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


@dataclass(frozen=True, slots=True)
class Source:
    """What the files say.

    Attributes:
        places: File and line of each service; empty if all is from the command line.
        said: What TOML files say of each service, and of the project under an empty name.
        left_out: Services that are not part of the run, and why.
        colors: Colours of prefixes that TOML files give to services.
        substituted: Values of variables that stand in the texts of TOML files for ``${NAME}``.
        written_with: Service (empty for the project) and key of such texts.
    """

    places: Mapping[str, str] = field(default_factory=dict)
    said: Mapping[str, Said] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    colors: Mapping[str, str] = field(default_factory=dict)
    substituted: frozenset[str] = frozenset()
    written_with: frozenset[tuple[str, str]] = frozenset()


def paths_of(settings: RunSettings, *, cwd: str, root: str) -> tuple[str, ...]:
    """Return a run's files, relative to the project's folder or absolute.

    One that is not there may be one of the current folder.
    """
    return tuple(
        path
        if os.path.exists(os.path.join(root, path))
        else os.path.relpath(os.path.join(cwd, path), root)
        for path in files_of(settings, root)
    )


def source_of(
    settings: RunSettings, resolution: Resolution, environ: Mapping[str, str], *, cwd: str
) -> Source:
    """Return what the files of a project say.

    Args:
        resolution: What the settings mean.
        cwd: The current folder.

    Raises:
        UsageError: TOML files have changed meanwhile, and are wrong now.
    """
    project, defined = resolution.project, resolution.defined
    if defined is None:
        return Source()
    left_out = _left_out(settings, project, defined)
    if defined.toml is None:
        return Source(defined.places, left_out=left_out)
    files = paths_of(settings, cwd=cwd, root=project.root)
    used = _used_variables(files, settings, project, environ)
    return Source(
        defined.places,
        defined.toml.said,
        left_out,
        defined.toml.colors,
        frozenset(used.asked_for.values()),
        frozenset(_written_with_variables(files, project.root)) if used.asked_for else frozenset(),
    )


def _used_variables(
    files: Sequence[str], settings: RunSettings, project: Project, environ: Mapping[str, str]
) -> Used:
    """Read TOML files once more, to see which variables they ask for."""
    known = layers(project.environment, environ)
    used = Used({name: variable.value for name, variable in known.items()})
    request = Request(
        cwd=project.root,
        environ=environ,
        together=settings.root is not None,
        profiles=frozenset(name for text in settings.profiles for name in text.split(",")),
        layered=lambda _files, _override: used,
    )
    read_definitions(files, request)
    return used


def _written_with_variables(files: Sequence[str], root: str) -> Iterator[tuple[str, str]]:
    from devrun.config.toml.merge import merged, with_defaults
    from devrun.config.toml.reader import read

    inside = dict(merged([read(path, root) for path in files]).table or {})
    defaults, services = inside.pop("defaults", None), inside.pop("services", None)
    owners = {"": inside}
    for name, said in ((services and services.table) or {}).items():
        owners[name] = dict(with_defaults(defaults, said).table or {})
    for owner, table in owners.items():
        yield from ((owner, key) for key, said in table.items() if "${" in repr(said.plain()))


# -- what is not run ----------------------------------------------------------------------------


def _left_out(settings: RunSettings, project: Project, defined: Definitions) -> dict[str, str]:
    running = {service.process for service in project.services}
    return {
        name: _reason(name, settings, defined) for name in defined.places if name not in running
    }


def _reason(name: str, settings: RunSettings, defined: Definitions) -> str:
    if defined.toml is not None:
        table = defined.toml.said[name].table or {}
        if "disabled" in table and table["disabled"].value is True:
            return "disabled"
        if name not in defined.wanted and "profiles" in table:
            profiles = table["profiles"].value
            listed = profiles if isinstance(profiles, list) else []
            return f"profile {' or '.join(map(str, listed))}"
    if name in _listed(settings.excepted):
        return "--except"
    if settings.only and name not in _listed(settings.only):
        return "--only"
    if name in defined.wanted or any(not is_command(word) for word in settings.commands):
        return "--formation" if settings.formation else "not named"
    return "a step before a release" if name == RELEASE else "only runs if it is named"


def _listed(text: str | None) -> frozenset[str]:
    return frozenset(word.strip() for word in (text or "").split(","))


# -- the settings that files alone make ---------------------------------------------------------


def bare(settings: RunSettings) -> RunSettings:
    """Return the settings with nothing but what chooses files and services."""
    return RunSettings(
        commands=tuple(word for word in settings.commands if not is_command(word)),
        files=settings.files,
        root=settings.root,
        excepted=settings.excepted,
        only=settings.only,
        profiles=settings.profiles,
        with_release=settings.with_release,
        instance_names=settings.instance_names,
    )


def choosing(settings: RunSettings, chosen: RunSettings) -> RunSettings:
    """Return the settings with the files and services that others choose."""
    return replace(
        settings,
        commands=chosen.commands,
        files=chosen.files,
        root=chosen.root,
        excepted=chosen.excepted,
        only=chosen.only,
        profiles=chosen.profiles,
    )
