"""From settings to a project: everything is checked here, before anything starts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from devrun.appearance import ColorLevel, OutputSettings
from devrun.config import values
from devrun.config.environment import layers
from devrun.config.instances import chosen_instances
from devrun.config.policies import kill_others, teardown, watch_settings, with_policies
from devrun.config.prefixes import prefix_settings
from devrun.config.root_file import find_root_file
from devrun.config.selection import select
from devrun.config.settings import RunSettings
from devrun.config.shells import chosen_shell
from devrun.config.success import find_service, parse_success
from devrun.config.targets import with_commands
from devrun.errors import UsageError
from devrun.model import EnvironmentSettings, Project, Service


@dataclass(frozen=True, slots=True)
class Resolution:
    """A project, and what the user should know about it though it can run."""

    project: Project
    warnings: tuple[str, ...]


def resolve(
    settings: RunSettings, *, cwd: str, environ: Mapping[str, str], color_level: ColorLevel
) -> Resolution:
    """Return the project that the settings mean.

    Args:
        cwd: Absolute path of the current folder.
        environ: devrun's own environment.
        color_level: How many colours the output may use.

    Raises:
        UsageError: Something is wrong; the message says what, where and what to write instead.
    """
    settings, cwd = _in_root(settings, cwd)
    environment = environment_settings(settings, cwd)
    selection = select(settings, cwd)
    services = chosen_instances(settings, selection, layers(environment, environ))
    names = [service.name for service in services]
    shell = chosen_shell(settings.shell, environ, cwd=cwd)
    services = with_commands(settings, services, shell=shell, root=cwd)
    services = with_policies(settings, services, root=cwd)
    project = Project(
        root=cwd,
        source=selection.source,
        services=services,
        environment=environment,
        kill_others=kill_others(settings, from_file=selection.from_file),
        success=parse_success(settings.success or "all", names),
        max_processes=_max_processes(settings),
        watch=watch_settings(settings, root=cwd),
        teardown=teardown(settings, shell=shell, root=cwd),
        input_target=_input_target(settings, names),
        focus=_focus(settings, services),
        exit_zero_on_interrupt=settings.exit_zero_on_interrupt,
        output=_output(settings, names, color_level, padded=selection.from_file),
    )
    return Resolution(project, selection.warnings)


def _in_root(settings: RunSettings, cwd: str) -> tuple[RunSettings, str]:
    """Return the folder that counts as the current one, and the settings with files from there.

    A file that it has not may be one of the current folder.
    """
    root = root_folder(settings, cwd)
    if root == cwd:
        return settings, root
    files = tuple(
        path
        if os.path.exists(os.path.join(root, path)) or not os.path.exists(os.path.join(cwd, path))
        else os.path.relpath(os.path.join(cwd, path), root)
        for path in settings.files
    )
    return replace(settings, files=files), root


def root_folder(settings: RunSettings, cwd: str) -> str:
    """Return the folder that counts as the current one.

    Raises:
        UsageError: There is none of that name.
    """
    if settings.root is None:
        return cwd
    root = os.path.normpath(os.path.join(cwd, os.path.expanduser(settings.root)))
    if not settings.root or not os.path.isdir(root):
        raise UsageError(f'--root "{settings.root}": no such folder')
    return root


def environment_settings(settings: RunSettings, cwd: str) -> EnvironmentSettings:
    """Return which files are read; ``--no-env`` is about the shared root ``.env`` alone.

    Files that ``--env-file`` names are read nevertheless: whoever names one wants it.
    """
    files = tuple(os.path.join(cwd, os.path.expanduser(path)) for path in settings.env_files)
    root = None if settings.no_env else find_root_file(cwd)
    if settings.env_below:
        files = (*settings.env_below, *((root,) if root else ()), *files)
        root = None
    return EnvironmentSettings(root, files, settings.env_override)


# -- the run as a whole -------------------------------------------------------------------------


def _max_processes(settings: RunSettings) -> int | None:
    if settings.max_processes is None:
        return None
    return values.process_count(settings.max_processes, "--max-processes")


def _input_target(settings: RunSettings, names: Sequence[str | None]) -> int | None:
    target = settings.default_input_target
    index = 0 if target is None else find_service(target, names, "--default-input-target")
    # Raw ones have devrun's own stdin.
    return index if settings.handle_input and not settings.raw else None


def _focus(settings: RunSettings, services: Sequence[Service]) -> int | None:
    if settings.focus is None:
        return None
    for said, option in (
        (settings.handle_input, "--handle-input"),
        (settings.group, "--group"),
        (settings.raw, "--raw"),
        (settings.tty is False, "--no-tty"),
    ):
        if said:
            raise UsageError(f"--focus and {option} contradict each other; leave one out")
    index = find_service(settings.focus, [service.name for service in services], "--focus")
    if services[index].hidden:
        raise UsageError(f'--focus "{settings.focus}": its output is hidden; leave one out')
    return index


def _output(
    settings: RunSettings, names: Sequence[str | None], level: ColorLevel, *, padded: bool
) -> OutputSettings:
    tail = OutputSettings().tail
    if settings.tail is not None:
        tail = values.whole_number(settings.tail, "--tail", least=0, most=1000)
    return OutputSettings(
        prefix=prefix_settings(settings, names, level, padded=padded),
        color=level,
        tty=settings.tty,
        quiet=settings.quiet or settings.raw,
        group=settings.group and not settings.raw,
        timings=settings.timings and not settings.raw,
        tail=tail,
    )
