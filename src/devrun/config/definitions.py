"""What files define, whatever their format: services, and what each format has of a project."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from devrun.config import procfile
from devrun.errors import UsageError
from devrun.model import Service, WatchSettings

TYPE_CHECKING = False  # the formats' own modules are loaded when there is such a file
if TYPE_CHECKING:
    from devrun.config.ecosystem.project import EcosystemProject
    from devrun.config.ecosystem.reading import ReadOnce
    from devrun.config.toml.project import Layered, TomlProject
    from devrun.policies import Group

PYPROJECT = "pyproject.toml"
DISCOVERED = ("devrun.toml", PYPROJECT, "Procfile.dev", "Procfile")
"""What is run if nothing is said: the first of them that exists, pyproject.toml only if it has a
table ``[tool.devrun]``."""

IN_PRODUCTION = ("devrun.toml", PYPROJECT, "Procfile")
"""The same for ``--prod``."""

_NAMES = "devrun.toml, pyproject.toml or Procfile"

LISTENS_WITHIN = 10.0
"""Seconds in which a Node program whose ports are shared is expected to listen."""

RELEASE = "release"
"""The process that Heroku runs once before a release; it is no service."""


class Format(Enum):
    """What a file is written in."""

    PROCFILE = "Procfile"
    TOML = "TOML"
    ECOSYSTEM = "ecosystem file"


@dataclass(frozen=True, slots=True)
class Definitions:
    """Services of files, in their order.

    Attributes:
        places: File and line of each.
        wanted: Names of those that run if none is named.
        instances: How many of each run if nothing is said.
        instance: Gives an instance of a service; the first has the number 1.
        procfile: They are a Procfile's, whose conventions then hold: ports, and who ends whom.
        toml: What TOML files say of the project as a whole.
        watch: What holds for all watching.
        problems: Services that cannot be run, and why.
        warnings: What the user should know.
    """

    services: tuple[Service, ...]
    places: Mapping[str, str]
    wanted: frozenset[str]
    instances: Mapping[str, int] = field(default_factory=dict)
    instance: Callable[[Service, int], Service] = lambda service, number: replace(
        service, number=number
    )
    procfile: bool = False
    toml: TomlProject | None = None
    groups: tuple[Group, ...] = ()
    watch: WatchSettings = field(default_factory=WatchSettings)
    problems: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """How files are to be read.

    Attributes:
        cwd: Absolute path of the project's folder.
        environ: devrun's own environment.
        together: All processes run in ``cwd``, not in the folders of their files.
        with_release: A Procfile's ``release`` is wanted as the others are.
        profiles: Those that are asked for.
        env_name: PM2's ``--env NAME``, or None.
        layered: Gives variables for texts of TOML files.
        ecosystem_reader: Reads ecosystem files; None: each of them each time.
    """

    cwd: str
    environ: Mapping[str, str]
    together: bool = False
    with_release: bool = False
    profiles: frozenset[str] = frozenset()
    env_name: str | None = None
    layered: Layered | None = None
    ecosystem_reader: ReadOnce | None = None


def format_of(path: str) -> Format:
    """Return what a file is written in, by its name."""
    name = os.path.basename(path)
    if name.endswith(".toml"):
        return Format.TOML
    if "." in name and not name.startswith("Procfile"):
        from devrun.config.ecosystem.file import looks_like_ecosystem

        if looks_like_ecosystem(path):
            return Format.ECOSYSTEM
    return Format.PROCFILE


def discovered(cwd: str, names: Sequence[str] = DISCOVERED) -> str | None:
    """Return the file of a folder that is run if nothing is said: the first of the names."""
    for name in names:
        path = os.path.join(cwd, name)
        if os.path.isfile(path) and (name != PYPROJECT or _has_table(path)):
            return name
    return None


def _has_table(path: str) -> bool:
    """Whether a pyproject.toml has a table for devrun; a look at the text spares most of them."""
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError:
        return False
    if b"devrun" not in content:
        return False
    import tomllib

    try:
        tool: object = tomllib.loads(content.decode()).get("tool")
    except ValueError:
        return True  # It says itself what is wrong with it.
    return isinstance(tool, dict) and "devrun" in tool


def read_definitions(files: Sequence[str], request: Request) -> Definitions:
    """Read files; TOML files are one project, whose later files win.

    Raises:
        UsageError: A file is wrong, two services have one name, or formats are mixed that do not
            go together.
    """
    for path in files:
        if os.path.basename(path) == "package.json":
            message = f"-f {path}: its scripts are run by name, without -f"
            raise UsageError(f'{message}; write for example npm:dev, or "npm:dev:*"')
        _check_no_folder(path, request.cwd)
    formats = {format_of(path) for path in files}
    if request.profiles and Format.TOML not in formats:
        raise UsageError("--profile is for services of a devrun.toml; there is none")
    if len(formats) > 1:
        kinds = " and ".join(sorted(kind.value for kind in formats))
        raise UsageError(f"-f {' -f '.join(files)}: {kinds} cannot be run together")
    if Format.PROCFILE in formats:
        return _procfiles(files, request)
    found = (_toml if Format.TOML in formats else _ecosystem)(files, request)
    return replace(found, services=tuple(map(_ready_when_listening, found.services)))


def _check_no_folder(path: str, cwd: str) -> None:
    folder = os.path.join(cwd, path)
    if path and os.path.isdir(folder):
        found = discovered(folder)
        way = f"write -f {os.path.join(path, found)}" if found else f"name a {_NAMES} in it"
        raise UsageError(f"{path}: is a folder; {way}")


def _ready_when_listening(service: Service) -> Service:
    """Have a Node program that shares its ports be ready once it listens, if nothing is said.

    One that never does is no server, and as good as ready.
    """
    if not service.shares_ports or service.ready is not None:
        return service
    from devrun.policies import ListenGate, Readiness

    return replace(service, ready=Readiness(ListenGate(), timeout=LISTENS_WITHIN, continues=True))


def _procfiles(files: Sequence[str], request: Request) -> Definitions:
    """Read Procfiles. A process runs in the folder of its file, as with most of the peers."""
    services: list[Service] = []
    places: dict[str, str] = {}
    warnings: list[str] = []
    for path in files:
        found = procfile.read(path, request.cwd)
        beside = os.path.dirname(os.path.abspath(os.path.join(request.cwd, path)))
        folder = request.cwd if request.together else beside
        warnings += found.warnings
        for entry in found.entries:
            _place(places, entry.name, f"{path}:{entry.line}")
            services.append(
                Service(len(services), entry.name, entry.command, folder, process=entry.name)
            )
    wanted = frozenset(places)
    if RELEASE in wanted and len(wanted) > 1 and not request.with_release:
        wanted -= {RELEASE}
    return Definitions(tuple(services), places, wanted, procfile=True, warnings=tuple(warnings))


def _place(places: dict[str, str], name: str, place: str) -> None:
    if name in places:
        message = f'{place}: a second process named "{name}"'
        raise UsageError(f"{message}; the first is {places[name]}")
    places[name] = place


def _toml(files: Sequence[str], request: Request) -> Definitions:
    from devrun.config.toml.project import read_project

    found = read_project(
        files,
        cwd=request.cwd,
        environ=request.environ,
        profiles=request.profiles,
        layered=request.layered,
    )
    return Definitions(
        found.services,
        found.places,
        found.wanted,
        instances=found.instances,
        instance=found.instance,
        toml=found,
        groups=found.groups,
        watch=found.watch,
        warnings=found.warnings,
    )


def _ecosystem(files: Sequence[str], request: Request) -> Definitions:
    from devrun.config.ecosystem.project import read_ecosystem
    from devrun.config.watch_settings import together

    projects: list[EcosystemProject] = []
    places: dict[str, str] = {}
    for path in files:
        found = read_ecosystem(
            path,
            cwd=request.cwd,
            environ=request.environ,
            env_name=request.env_name,
            reader=request.ecosystem_reader,
        )
        for name, place in found.places.items():
            _place(places, name, place)
        projects.append(found)
    owner = {name: project for project in projects for name in project.places}
    services = [service for project in projects for service in project.services]
    return Definitions(
        tuple(replace(service, index=index) for index, service in enumerate(services)),
        places,
        frozenset(places) - {name for project in projects for name in project.on_demand},
        instances={n: count for project in projects for n, count in project.instances.items()},
        instance=lambda service, number: owner[service.process or ""].instance(service, number),
        watch=together(project.watch for project in projects),
        problems={n: text for project in projects for n, text in project.problems.items()},
        warnings=tuple(text for project in projects for text in project.warnings),
    )
