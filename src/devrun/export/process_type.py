"""A process of a project, with its instances, as it is said to what runs it elsewhere."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from signal import Signals

from devrun.config.definitions import RELEASE
from devrun.errors import UsageError
from devrun.export.restarting import Restarts, restarts_of
from devrun.model import Project, RestartWhen, Service, ShellKind, StopScope
from devrun.policies import Condition, Dependency
from devrun.process.command import SHELL, argv_for, argv_of

_WORD = (
    r"(?:[\w@%+=:,./*?~\[\]-]++|\$\w++|\$\{\w++(?::?[-+?=][\w./:-]*+)?\}|'[^']*'"
    r'|"(?:[^"\\`$]++|\\.|\$\w++|\$\{\w++\})*+")++'
)
"""A word of a shell command in which nothing but variables and patterns is replaced."""

_WITH_EXEC = frozenset(("ash", "bash", "dash", "ksh", "mksh", "sh", "zsh"))
"""Shells in which ``exec`` stands before a command as in POSIX."""

Variables = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ProcessType:
    """A process of the project, with however many instances.

    Attributes:
        name: As configured.
        slug: The same for systems that take lower-case letters, digits and dashes (RFC 1123).
        line: One line for ``/bin/sh``, which becomes the process by ``exec`` where that can be.
        argv: The argument vector, of ``/bin/sh -c`` if the line needs a shell.
        direct: No shell stays between, which would pass no signal on.
        folder: Absolute path of the folder it runs in.
        subfolder: That folder relative to the project's, or nothing if it is the same.
        port: The first instance's port, or None: it has none.
        port_step: How much more each further one has.
        variables: Variables of its own; of the first instance, where these differ.
        further: The same of the other instances.
        stop_signal: Name of the signal that ends it.
        stop_timeout: Seconds that it may take to end.
        count: How many instances there are.
        service: All that is said of the first instance.
        declared: A devrun.toml or an ecosystem file says of it what holds for it; a Procfile says
            nothing, and each of its processes is started again for ever.
        once: It runs to its end, which others wait for.
        is_release: It is a Procfile's, and runs once before each release.
        depended_on: Others depend on it.
        restarts: When it is started again.
        needs: What it depends on, as far as that is exported too.
        env_files: Absolute paths of files of its own, above the project's.
        public: Variables of these files that are no secrets, with their values.
        secrets: All others, with values that are empty unless they are to be written.
        withheld: Variables of its own that are left out, for their values may be secrets.
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
    variables: Variables
    further: tuple[Variables, ...]
    stop_signal: str
    stop_timeout: float
    count: int
    service: Service
    declared: bool
    once: bool
    depended_on: bool
    restarts: Restarts
    needs: tuple[Need, ...] = ()
    env_files: tuple[str, ...] = ()
    public: Variables = ()
    secrets: Variables = ()
    withheld: tuple[str, ...] = ()

    @property
    def is_release(self) -> bool:
        """Whether it runs once before each release: a Procfile's ``release`` does."""
        return self.name == RELEASE and not self.declared

    @property
    def serves(self) -> bool:
        """Whether it takes requests from outside.

        Heroku gives those to ``web`` alone; of services that say which port is theirs, so do those
        that no other depends on.
        """
        if self.port is None or self.once:
            return False
        return self.name == "web" or (self.declared and not self.depended_on)

    @property
    def listens(self) -> bool:
        """Whether others may ask it for something."""
        return self.serves or (self.declared and self.port is not None and not self.once)

    @property
    def port_name(self) -> str:
        """What Kubernetes calls its port."""
        return "http" if self.serves else "tcp"

    @property
    def signals_main(self) -> bool:
        """Whether the stop signal goes to the main process alone, and not to all."""
        return self.direct or self.service.stop.scope is StopScope.MAIN

    @property
    def instances(self) -> range:
        """The instances' numbers."""
        return range(1, self.count + 1)

    def port_of(self, number: int) -> int | None:
        """Return the port of one instance."""
        return None if self.port is None else self.port + self.port_step * (number - 1)

    def variables_of(self, number: int) -> Variables:
        """Return the variables of one instance."""
        return self.variables if number == 1 else self.further[number - 2]

    @property
    def grace(self) -> int:
        """Whole seconds that it may take to end."""
        return max(1, ceil(self.stop_timeout))


@dataclass(frozen=True, slots=True)
class Need:
    """What a process depends on.

    Attributes:
        on: The process that is depended on, whose own ``needs`` are left out.
    """

    on: ProcessType
    dependency: Dependency


def process_type(name: str, services: Sequence[Service], project: Project) -> ProcessType:
    """Return the process of a name, without what is in files of its own.

    Args:
        services: Its instances.

    Raises:
        UsageError: Its name is none that other systems could take.
    """
    first = services[0]
    declared = first.process is not None and not project.procfile
    argv, line, direct = _program(first) if declared else _of_procfile(first.command)
    relative = os.path.relpath(first.cwd, project.root)
    waits = [each for other in project.services for each in other.depends_on]
    conditions = {each.condition for each in waits if each.service == name}
    return ProcessType(
        name=name,
        slug=slug(name, "process"),
        line=line,
        argv=argv,
        direct=direct,
        folder=first.cwd,
        subfolder="" if relative == "." else relative,
        port=first.port,
        port_step=_port_step(services),
        variables=first.env,
        further=tuple(service.env for service in services[1:]),
        stop_signal=Signals(first.stop.signal).name,
        stop_timeout=first.stop.timeout,
        count=len(services),
        service=first,
        declared=declared,
        once=Condition.COMPLETED in conditions and first.restart.when is not RestartWhen.ALWAYS,
        depended_on=bool(conditions),
        restarts=restarts_of(first.restart if declared else None),
        env_files=first.env_files,
    )


def _of_procfile(line: str) -> tuple[tuple[str, ...], str, bool]:
    """Return argument vector and line, and whether no shell stays between."""
    argv = argv_for(line)
    plain = argv[:2] != [SHELL, "-c"]
    command = line.strip(" \t\n")
    direct = plain or becomes_program(command)
    line = f"exec {command}" if direct else command
    return tuple(argv) if plain else (SHELL, "-c", line), line, direct


def _program(service: Service) -> tuple[tuple[str, ...], str, bool]:
    """Return the same of a service that may have an argument vector, or a shell of its own."""
    shell = service.shell
    if service.argv is None and shell is None:
        return _of_procfile(service.command)
    argv = argv_of(service)
    direct = service.argv is not None
    if shell is not None and not direct and shell.kind is ShellKind.POSIX:
        direct = os.path.basename(shell.program) in _WITH_EXEC and becomes_program(service.command)
        argv[-1] = f"exec {service.command}" if direct else service.command
    return tuple(argv), f"exec {shlex.join(argv)}", direct


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


def check_slugs(types: Sequence[ProcessType]) -> None:
    """Refuse processes that would have the same name elsewhere.

    Raises:
        UsageError: There are such.
    """
    seen: dict[str, str] = {}
    for kind in types:
        other = seen.setdefault(kind.slug, kind.name)
        if other != kind.name:
            message = f'processes "{other}" and "{kind.name}" would both be called "{kind.slug}"'
            raise UsageError(f"{message} elsewhere; rename one")


def shell_line(
    kind: ProcessType,
    assignments: Sequence[tuple[str, str]],
    *,
    variables: Sequence[tuple[str, str]] = (),
    line: str | None = None,
) -> str:
    """Return one line for ``/bin/sh -c`` that sets variables and becomes the process.

    Args:
        assignments: Names and values that are shell text already.
        variables: Names and values to be quoted.
        line: What is run in place of the process, or None.
    """
    quoted = [(name, shlex.quote(value)) for name, value in variables]
    words = " ".join(f"{name}={value}" for name, value in (*quoted, *assignments))
    return (f"export {words}; " if words else "") + (kind.line if line is None else line)
