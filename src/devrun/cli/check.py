"""``devrun check``: say whether a project can run, and what it would be, starting nothing."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress

from devrun.appearance import ColorLevel
from devrun.cli.describe import describe
from devrun.config import procfile
from devrun.config.env_dialects import differences, sentence
from devrun.config.env_text import env_text
from devrun.config.environment import describe as describe_environment
from devrun.config.environment import env_file_text, env_files, service_environment, shown
from devrun.config.nearest import choices
from devrun.config.portability import portability
from devrun.config.resolve import resolve, root_folder
from devrun.config.selection import files_of
from devrun.config.settings import RunSettings
from devrun.config.shell_check import programs, unset_variables
from devrun.errors import ExitCode, SpawnError, UsageError
from devrun.model import Project, Service, ShellKind
from devrun.output.complaint import complain
from devrun.process.command import SHELL, argv_of, find_program, is_built_in
from devrun.process.ports import listener

MASK = "********"
STYLES = ("text", "procfile", "env")

_SHELLS_OWN = frozenset(
    "PWD OLDPWD IFS PPID RANDOM SECONDS LINENO UID EUID HOSTNAME OPTARG OPTIND SHLVL".split()  # noqa: SIM905 - words
)
"""Variables that shells set themselves."""


def check(settings: RunSettings, *, env: str | None, show_values: bool, style: str = "text") -> int:
    """Check a project and print it, or one service's variables and where they come from.

    Args:
        env: Name of the service whose variables are wanted, or None.
        show_values: Show the variables' values, which may be secrets.
        style: One of ``STYLES``.

    Returns:
        The exit code: 1 if a program or a folder is missing, or a port is taken.

    Raises:
        UsageError: The command line or a file is wrong.
    """
    _check_style(style, env=env, show_values=show_values)
    cwd = os.getcwd()
    resolution = resolve(settings, cwd=cwd, environ=os.environ, color_level=ColorLevel.NONE)
    project = resolution.project
    for warning in (*resolution.warnings, *_other_readings(settings, root_folder(settings, cwd))):
        complain(warning)
    if env is not None:
        _print_environment(project, _named(project, env), style, show_values=show_values)
        return ExitCode.OK
    if style == "procfile":
        sys.stdout.buffer.write(_procfile(project).encode("utf-8", "surrogateescape"))
        return ExitCode.OK
    sys.stdout.buffer.write(describe(project).encode("utf-8", "surrogateescape"))
    problems = [*_port_problems(project)]
    for service in project.services:
        variables = service_environment(project, service, os.environ)
        problems += _problems(service, variables)
        for warning in _doubts(service, variables):
            complain(warning)
    for problem in problems:
        complain(problem)
    return ExitCode.FAILURE if problems else ExitCode.OK


def _check_style(style: str, *, env: str | None, show_values: bool) -> None:
    if style not in STYLES:
        raise UsageError(f"--format {style}: no such format{choices(style, STYLES)}")
    if style == "env" and (env is None or not show_values):
        raise UsageError("--format env needs --env NAME and --show-values: it shows all values")
    if style == "procfile" and env is not None:
        raise UsageError("--format procfile and --env contradict each other; leave one out")


def _other_readings(settings: RunSettings, folder: str) -> Iterator[str]:
    """Yield what other programs read otherwise in the Procfiles."""
    for path in files_of(settings, folder):
        with open(os.path.join(folder, path), "rb") as file:
            text = file.read()
        yield from portability(text, procfile.parse(text, path))


def _procfile(project: Project) -> str:
    lines: list[str] = []
    for service in project.services:
        name = service.process or service.name
        if name is None or "\n" in service.command:
            why = "has no name" if name is None else "has a line end in it"
            raise UsageError(f'--format procfile: the command "{service.command}" {why}')
        lines.append(f"{name}: {service.command}\n")
    return "".join(lines)


# -- variables ----------------------------------------------------------------------------------


def _named(project: Project, name: str) -> Service:
    for service in project.services:
        if service.label == name:
            return service
    labels = [service.label for service in project.services]
    message = f"--env {name}: no service of that name{choices(name, labels)}"
    raise UsageError(message)


def _print_environment(
    project: Project, service: Service, style: str, *, show_values: bool
) -> None:
    rows = describe_environment(project, service, os.environ)
    for path in env_files(project.environment):
        for difference in differences(env_file_text(path)):
            words = sentence(difference, show_values=show_values)
            complain(f"{shown(path)}:{difference.line}: {words}")
    if style == "env":
        text = env_text({row.name: row.value for row in rows})
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        return
    width = max((len(row.name) for row in rows), default=0)
    origins = max((len(row.origin) for row in rows), default=0)
    for row in rows:
        value = row.value if show_values else MASK
        sys.stdout.write(f"{row.name:<{width}}  {row.origin:<{origins}}  {value}\n")


# -- problems -----------------------------------------------------------------------------------


def _port_problems(project: Project) -> Iterator[str]:
    for service in project.services:
        if service.port is not None and (found := listener(service.port)) is not None:
            yield f"{service.label}: port {service.port} is taken by {found}"


def _problems(service: Service, variables: Mapping[str, str]) -> list[str]:
    """Return what would keep the service from starting, or a program of its line."""
    if not os.path.isdir(service.cwd):
        return [f"{service.label}: no such folder: {service.cwd}"]
    argv = argv_of(service)
    wanted = [argv[0]]
    if argv[:2] == [SHELL, "-c"]:
        wanted += [name for name in programs(service.command) if not is_built_in(name)]
    found = [*_syntax(service, argv)]
    for name in dict.fromkeys(wanted):
        try:
            find_program(name, cwd=service.cwd, env=variables)
        except SpawnError as error:
            found.append(f"{service.label}: {error}")
    return found


def _syntax(service: Service, argv: list[str]) -> Iterator[str]:
    """Yield what the shell has against a line; it reads it and runs nothing."""
    if argv[1:2] != ["-c"] or (service.shell and service.shell.kind is not ShellKind.POSIX):
        return
    import subprocess

    with suppress(OSError):  # There is no such shell: that is said elsewhere.
        done = subprocess.run(
            [argv[0], "-n", "-c", argv[2]], capture_output=True, check=False, cwd="/"
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            words = re.sub(r"^\S+: (-c: )?(line )?\d+: ", "", said[-1] if said else "")
            yield f"{service.label}: the shell does not understand the line: {words}"


def _doubts(service: Service, variables: Mapping[str, str]) -> Iterator[str]:
    if argv_of(service)[:2] != [SHELL, "-c"]:
        return
    for name in unset_variables(service.command, variables.keys() | _SHELLS_OWN):
        yield f"{service.label}: ${name} is set nowhere, so nothing stands in its place"
