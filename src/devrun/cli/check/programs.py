"""What is wrong with the command lines of a project, without running them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from devrun.config.shell_check import programs, unset_variables
from devrun.errors import SpawnError
from devrun.model import Project, Service, Shell, ShellKind
from devrun.policies import ExecProbe
from devrun.process.command import SHELL, argv_for, argv_of, find_program, is_built_in

_SHELLS_OWN = frozenset(
    "PWD OLDPWD IFS PPID RANDOM SECONDS LINENO UID EUID HOSTNAME OPTARG OPTIND SHLVL".split()  # noqa: SIM905 - words
)
"""Variables that shells set themselves."""


@dataclass(frozen=True, slots=True)
class Line:
    """A command that is run at some time.

    Attributes:
        what: What messages call it, with a colon and a blank; empty for a service's own.
        text: As a shell gets it; empty if none does.
    """

    what: str
    argv: tuple[str, ...]
    text: str
    shell: Shell | None
    cwd: str


def lines_of(service: Service) -> Iterator[Line]:
    """Yield all that is run for a service: itself, what asks whether it works, what stops it."""
    text = "" if service.argv is not None else service.command
    yield Line("", tuple(argv_of(service)), text, service.shell, service.cwd)
    asked = {
        "ready": service.ready.gate if service.ready is not None else None,
        "health": service.health.probe if service.health is not None else None,
        "stop": ExecProbe(service.stop.command) if service.stop.command is not None else None,
    }
    for what, probe in asked.items():
        if not isinstance(probe, ExecProbe):
            continue
        if isinstance(probe.command, str):
            yield _shell_line(f"{what}: ", probe.command, service.shell, service.cwd)
        else:
            yield Line(f"{what}: ", probe.command, "", service.shell, service.cwd)


def teardown_lines(project: Project) -> Iterator[Line]:
    """Yield what runs when all has ended."""
    for command in project.teardown.commands:
        yield _shell_line("", command, project.teardown.shell, project.root)


def _shell_line(what: str, text: str, shell: Shell | None, cwd: str) -> Line:
    return Line(what, tuple(argv_for(text, shell)), text, shell, cwd)


def command_problems(line: Line, variables: Mapping[str, str]) -> Iterator[str]:
    """Yield what would keep a command, or a program of its line, from starting."""
    wanted = [line.argv[0]]
    if line.argv[:2] == (SHELL, "-c"):
        wanted += [name for name in programs(line.text) if not is_built_in(name)]
    yield from _syntax(line)
    for name in dict.fromkeys(wanted):
        try:
            find_program(name, cwd=line.cwd, env=variables)
        except SpawnError as error:
            yield f"{line.what}{error}"


def _syntax(line: Line) -> Iterator[str]:
    """Yield what the shell has against a line; it reads it and runs nothing."""
    posix = line.shell is None or line.shell.kind is ShellKind.POSIX
    if not line.text or line.argv[1:2] != ("-c",) or not posix:
        return
    import subprocess

    with suppress(OSError):  # There is no such shell: that is said elsewhere.
        done = subprocess.run(
            [line.argv[0], "-n", "-c", line.argv[2]], capture_output=True, check=False, cwd="/"
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            words = re.sub(r"^\S+: (-c: )?(line )?\d+: ", "", said[-1] if said else "")
            yield f"{line.what}the shell does not understand the line: {words}"


def command_doubts(line: Line, variables: Mapping[str, str]) -> Iterator[str]:
    """Yield which variables a line uses that nobody sets."""
    if line.argv[:2] != (SHELL, "-c"):
        return
    for name in unset_variables(line.text, variables.keys() | _SHELLS_OWN):
        yield f"{line.what}${name} is set nowhere, so nothing stands in its place"
