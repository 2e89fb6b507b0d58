"""What an export is made from: a project's processes, apart from how devrun itself runs them."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from signal import Signals

from devrun.config.definitions import RELEASE
from devrun.config.environment import INHERITED, Variable, layers
from devrun.errors import UsageError
from devrun.model import KillOthers, Project, Service
from devrun.process.command import SHELL, argv_for

_WORD = (
    r"(?:[\w@%+=:,./*?~\[\]-]++|\$\w++|\$\{\w++(?::?[-+?=][\w./:-]*+)?\}|'[^']*'"
    r'|"(?:[^"\\`$]++|\\.|\$\w++|\$\{\w++\})*+")++'
)
"""A word of a shell command in which nothing but variables and patterns is replaced."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What the words of ``devrun export`` say beside the project.

    Attributes:
        application: Name of the whole, or None for that of the project's folder.
        user: Who runs the processes, or None.
        logs: Folder for log files, or None for what the target does by itself.
        image: Container image, or None for one that is called like the application.
        public: Names of variables of the ``.env`` files that are no secrets.
        include_secrets: Write the values of all others too.
        devrun: Words that start devrun, for targets that cannot read ``.env`` files.
    """

    application: str | None = None
    user: str | None = None
    logs: str | None = None
    image: str | None = None
    public: tuple[str, ...] = ()
    include_secrets: bool = False
    devrun: tuple[str, ...] = ("devrun",)


@dataclass(frozen=True, slots=True)
class ProcessType:
    """A process of the project, with however many instances.

    Attributes:
        name: As configured.
        slug: The same for systems that take lower-case letters, digits and dashes (RFC 1123).
        line: One shell command line, which becomes the process by ``exec`` where that can be.
        argv: The argument vector, of ``/bin/sh -c`` if the line needs a shell.
        direct: No shell stays between, which would pass no signal on.
        folder: Absolute path of the folder it runs in.
        subfolder: That folder relative to the project's, or nothing if it is the same.
        port: The first instance's port, or None: it has none.
        port_step: How much more each further one has.
        variables: Variables of its own.
        stop_signal: Name of the signal that ends it.
        stop_timeout: Seconds that it may take to end.
        first: Number of the first instance.
        count: How many instances there are.
    """

    name: str
    slug: str
    line: str
    argv: tuple[str, ...]
    direct: bool
    folder: str
    subfolder: str
    port: int | None
    port_step: int
    variables: tuple[tuple[str, str], ...]
    stop_signal: str
    stop_timeout: float
    count: int

    @property
    def serves(self) -> bool:
        """Whether it takes requests from outside: Heroku gives them to ``web`` alone."""
        return self.name == "web" and self.port is not None

    @property
    def instances(self) -> range:
        """The instances' numbers."""
        return range(1, self.count + 1)

    def port_of(self, number: int) -> int | None:
        """Return the port of one instance."""
        return None if self.port is None else self.port + self.port_step * (number - 1)

    @property
    def grace(self) -> int:
        """Whole seconds that it may take to end."""
        return max(1, -int(-self.stop_timeout // 1))


@dataclass(frozen=True, slots=True)
class Deployment:
    """All that a template may say.

    Attributes:
        application: Name of the whole.
        slug: The same for systems that take lower-case letters, digits and dashes.
        processes: What runs all the time.
        release: What runs once before, if there is such a process.
        env_files: Absolute paths of the project's ``.env`` files, lowest layer first.
        public: Variables of these files that are no secrets, with their values.
        secrets: All others, with values that are empty unless they are to be written.
        path: ``PATH`` of whoever exports, for targets on the same machine.
        notes: What is different from a run with devrun.
    """

    application: str
    slug: str
    root: str
    processes: tuple[ProcessType, ...]
    release: ProcessType | None
    env_files: tuple[str, ...]
    public: tuple[tuple[str, str], ...]
    secrets: tuple[tuple[str, str], ...]
    path: str | None
    options: ExportOptions
    notes: tuple[str, ...]

    @property
    def image(self) -> str:
        """The container image."""
        return self.options.image or f"{self.slug}:latest"

    @property
    def written(self) -> tuple[tuple[str, str], ...]:
        """Variables of the ``.env`` files whose values are written."""
        return self.public + (self.secrets if self.options.include_secrets else ())


def make_deployment(
    project: Project, options: ExportOptions, environ: Mapping[str, str]
) -> Deployment:
    """Return what of a project can be exported.

    Raises:
        UsageError: A name is none that other systems could take, or two would become the same; or a
            variable that is called public is in no file.
    """
    name = options.application or os.path.basename(project.root.rstrip("/")) or "app"
    groups: dict[str, list[Service]] = {}
    for service in project.services:
        groups.setdefault(service.process or service.label, []).append(service)
    types = [_process_type(name, services, project) for name, services in groups.items()]
    _check_slugs(types)
    found = _from_files(project, environ)
    missing = [wanted for wanted in options.public if wanted not in found]
    if missing:
        raise UsageError(f'--public: "{missing[0]}" is in none of the .env files')
    environment = project.environment
    files = [environment.root_file, *environment.files]
    return Deployment(
        application=name,
        slug=slug(name, "--app"),
        root=project.root,
        processes=tuple(kind for kind in types if kind.name != RELEASE),
        release=next((kind for kind in types if kind.name == RELEASE), None),
        env_files=tuple(os.path.abspath(file) for file in files if file),
        public=tuple((name, found[name]) for name in options.public),
        secrets=_secrets(found, options),
        path=None if "PATH" in found or "PATH" not in environ else _once(environ["PATH"]),
        options=options,
        notes=tuple(_notes(project)),
    )


def _process_type(name: str, services: Sequence[Service], project: Project) -> ProcessType:
    first = services[0]
    argv = argv_for(first.command)
    plain = argv[:2] != [SHELL, "-c"]
    command = first.command.strip(" \t\n")
    direct = plain or becomes_program(command)
    line = f"exec {command}" if direct else command
    relative = os.path.relpath(first.cwd, project.root)
    return ProcessType(
        name=name,
        slug=slug(name, "process"),
        line=line,
        argv=tuple(argv) if plain else (SHELL, "-c", line),
        direct=direct,
        folder=first.cwd,
        subfolder="" if relative == "." else relative,
        port=first.port,
        port_step=_port_step(services),
        variables=first.env,
        stop_signal=Signals(first.stop.signal).name,
        stop_timeout=first.stop.timeout,
        count=len(services),
    )


def _port_step(services: Sequence[Service]) -> int:
    ports = [service.port for service in services[:2] if service.port is not None]
    return ports[1] - ports[0] if len(ports) > 1 else 1


def becomes_program(line: str) -> bool:
    """Whether a shell line is one simple command, so that ``exec`` may stand before it.

    It may have variables, quotes and patterns in it, and no operator, no assignment and no command
    of the shell's own.
    """
    if not re.fullmatch(rf"{_WORD}([ \t]+{_WORD})*", line):
        return False
    first = re.split(r"[ \t]", line, maxsplit=1)[0]
    return "=" not in first and argv_for(f"{first} x")[0] == first


def _once(path: str) -> str:
    """Return a ``PATH`` in which no folder stands twice."""
    return ":".join(dict.fromkeys(path.split(":")))


def slug(name: str, what: str) -> str:
    """Return a name of lower-case letters, digits and dashes.

    Raises:
        UsageError: Nothing would be left of it, or it is too long.
    """
    made = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not made:
        raise UsageError(f'{what} "{name}": a name needs a letter or a digit; say another')
    if len(made) > 40:
        raise UsageError(f'{what} "{name}": longer than the 40 characters that others take')
    return made


def _check_slugs(types: Sequence[ProcessType]) -> None:
    seen: dict[str, str] = {}
    for kind in types:
        other = seen.setdefault(kind.slug, kind.name)
        if other != kind.name:
            message = f'processes "{other}" and "{kind.name}" would both be called "{kind.slug}"'
            raise UsageError(f"{message} elsewhere; rename one")


def _from_files(project: Project, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what the ``.env`` files say, ``${…}`` replaced, whatever is in the environment."""
    settings = replace(project.environment, override=True)
    variables: dict[str, Variable] = layers(settings, environ)
    return {
        name: variable.value for name, variable in variables.items() if variable.origin != INHERITED
    }


def _secrets(found: Mapping[str, str], options: ExportOptions) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, value if options.include_secrets else "")
        for name, value in found.items()
        if name not in options.public
    )


def _notes(project: Project) -> list[str]:
    notes: list[str] = []
    if project.kill_others is not KillOthers.NEVER:
        notes.append("the end of one process does not stop the others: each is started again")
    limited = [s.label for s in project.services if s.restart.tries > 0]
    if limited:
        notes.append(f"restarts are not counted: {', '.join(limited)}")
    watched = sorted({s.process or s.label for s in project.services if s.watch})
    if watched:
        notes.append(f"no files are watched: {', '.join(watched)}")
    if project.teardown.commands:
        notes.append("no teardown command is run")
    if project.max_processes is not None:
        notes.append("all processes run at the same time, whatever --max-processes says")
    if project.environment.override:
        notes.append("--env-override has no meaning: there is no environment to be overridden")
    return notes


def shell_line(
    kind: ProcessType,
    assignments: Sequence[tuple[str, str]],
    *,
    variables: Sequence[tuple[str, str]] = (),
) -> str:
    """Return one line for ``/bin/sh -c`` that sets variables and becomes the process.

    Args:
        assignments: Names and values that are shell text already.
        variables: Names and values to be quoted.
    """
    quoted = [(name, shlex.quote(value)) for name, value in variables]
    words = " ".join(f"{name}={value}" for name, value in (*quoted, *assignments))
    return (f"export {words}; " if words else "") + kind.line
