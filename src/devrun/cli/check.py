"""``devrun check``: say whether a project can run, and what it would be, starting nothing."""

from __future__ import annotations

import os
import sys

from devrun.cli.describe import describe
from devrun.config.environment import describe as describe_environment
from devrun.config.environment import service_environment
from devrun.config.nearest import choices
from devrun.config.resolve import resolve
from devrun.config.settings import RunSettings
from devrun.errors import ExitCode, SpawnError, UsageError
from devrun.model import ColorLevel, Project, Service
from devrun.output.complaint import complain
from devrun.process.command import argv_for, find_program

MASK = "********"


def check(settings: RunSettings, *, env: str | None, show_values: bool) -> int:
    """Check a project and print it, or one service's variables and where they come from.

    Args:
        env: Name of the service whose variables are wanted, or None.
        show_values: Show the variables' values, which may be secrets.

    Returns:
        The exit code: 1 if a program or a folder is missing.

    Raises:
        UsageError: The command line or a file is wrong.
    """
    resolution = resolve(settings, cwd=os.getcwd(), environ=os.environ, color_level=ColorLevel.NONE)
    for warning in resolution.warnings:
        complain(warning)
    project = resolution.project
    if env is not None:
        _print_environment(project, _named(project, env), show_values=show_values)
        return ExitCode.OK
    sys.stdout.write(describe(project))
    problems = [problem for s in project.services for problem in _problems(project, s)]
    for problem in problems:
        complain(problem)
    return ExitCode.FAILURE if problems else ExitCode.OK


def _named(project: Project, name: str) -> Service:
    for service in project.services:
        if service.label == name:
            return service
    labels = [service.label for service in project.services]
    message = f"--env {name}: no service of that name{choices(name, labels)}"
    raise UsageError(message)


def _print_environment(project: Project, service: Service, *, show_values: bool) -> None:
    rows = describe_environment(project, service, os.environ)
    width = max((len(row.name) for row in rows), default=0)
    origins = max((len(row.origin) for row in rows), default=0)
    for row in rows:
        value = row.value if show_values else MASK
        sys.stdout.write(f"{row.name:<{width}}  {row.origin:<{origins}}  {value}\n")


def _problems(project: Project, service: Service) -> list[str]:
    """Return what would keep the service from starting; a shell's lines are not looked into."""
    if not os.path.isdir(service.cwd):
        return [f"{service.label}: no such folder: {service.cwd}"]
    env = service_environment(project, service, os.environ)
    argv = argv_for(service.command, service.shell)
    try:
        find_program(argv[0], cwd=service.cwd, env=env)
    except SpawnError as error:
        return [f"{service.label}: {error}"]
    return []
