"""From settings to a project: everything is checked here, before anything starts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from devrun.appearance import ColorLevel, OutputSettings
from devrun.config import values
from devrun.config.definitions import (
    Definitions,
    Format,
    Request,
    format_of,
    read_definitions,
)
from devrun.config.environment import env_files, layers
from devrun.config.instances import chosen_instances
from devrun.config.policies import kill_others, teardown, watch_settings, with_policies
from devrun.config.prefixes import prefix_settings, with_own_colors
from devrun.config.production import in_production, log_format, unwatched
from devrun.config.root_file import find_root_file
from devrun.config.selection import files_of, select
from devrun.config.settings import RunSettings
from devrun.config.shells import chosen_shell
from devrun.config.success import find_service, parse_success
from devrun.config.targets import with_commands
from devrun.errors import UsageError
from devrun.model import EnvironmentSettings, Project, Service, WatchSettings

TYPE_CHECKING = False  # TOML's modules are loaded when there is such a file
if TYPE_CHECKING:
    from devrun.config.ecosystem.reading import ReadOnce
    from devrun.config.toml.project import TomlProject
    from devrun.config.toml.run import RunTexts


_NAME = re.compile(r"\w[\w.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Resolution:
    """A project.

    Attributes:
        warnings: What the user should know about it though it can run.
        defined: What the files of the project define, if there are any.
    """

    project: Project
    warnings: tuple[str, ...]
    defined: Definitions | None = None


def resolve(
    settings: RunSettings,
    *,
    cwd: str,
    environ: Mapping[str, str],
    color_level: ColorLevel,
    ecosystem_reader: ReadOnce | None = None,
    unreadable: dict[str, None] | None = None,
) -> Resolution:
    """Return the project that the settings mean.

    Args:
        cwd: Absolute path of the current folder.
        environ: devrun's own environment.
        color_level: How many colours the output may use.
        ecosystem_reader: Reads ecosystem files, if there are any.
        unreadable: Gets why files of variables cannot be read, which are left out then; None if
            one is an error.

    Raises:
        UsageError: Something is wrong; the message says what, where and what to write instead.
    """
    settings, cwd = _in_root(settings, cwd)
    said = settings
    settings, defined = _defined(settings, cwd, environ, ecosystem_reader, unreadable)
    settings = in_production(settings)
    toml = None if defined is None else defined.toml
    environment = _readable(environment_settings(settings, cwd, toml), unreadable)
    selection = select(settings, cwd, defined)
    services = chosen_instances(settings, selection, layers(environment, environ))
    names = [service.name for service in services]
    shell = chosen_shell(settings.shell, environ, cwd=cwd)
    services = with_commands(settings, services, shell=shell, root=cwd)
    services = unwatched(settings, services)
    services = with_policies(settings, services, root=cwd, from_file=defined is not None)
    output = _output(settings, names, color_level, padded=selection.defined is not None)
    if toml is not None:
        output = with_own_colors(output, services, toml.colors)
    project = Project(
        root=cwd,
        source=selection.source,
        services=services,
        environment=environment,
        kill_others=kill_others(settings, selection, toml),
        success=parse_success(settings.success or "all", names),
        max_processes=_max_processes(settings),
        watch=_watch(settings, services, defined, root=cwd),
        teardown=teardown(
            settings, shell=shell, root=cwd, usual=None if toml is None else toml.teardown
        ),
        input_target=_input_target(settings, names),
        focus=_focus(settings, services),
        exit_zero_on_interrupt=settings.exit_zero_on_interrupt,
        output=output,
        procfile=selection.from_procfile,
        groups=() if defined is None else defined.groups,
        shutdown_timeout=None if toml is None else toml.shutdown_timeout,
        name=run_name(settings),
    )
    warnings = (*selection.warnings, *_places(said, project, toml))
    return Resolution(project, warnings, defined)


def _defined(
    settings: RunSettings,
    cwd: str,
    environ: Mapping[str, str],
    ecosystem_reader: ReadOnce | None,
    unreadable: dict[str, None] | None,
) -> tuple[RunSettings, Definitions | None]:
    """Return what the files define, and the settings with what these say of the run."""
    files = files_of(settings, cwd)
    if not files:
        if settings.profiles:
            raise UsageError("--profile is for services of a devrun.toml; there is none")
        return settings, None
    settings, env_name = _without_env_name(settings, files)

    def layered(env_files: tuple[str, ...] | None, override: bool | None) -> dict[str, str]:  # noqa: FBT001 - the reader's form
        own = with_own_files(settings, cwd, env_files, override=bool(override))
        own = _readable(own, unreadable)
        return {name: variable.value for name, variable in layers(own, environ).items()}

    request = Request(
        cwd=cwd,
        environ=environ,
        together=settings.root is not None,
        with_release=settings.with_release,
        profiles=frozenset(name for text in settings.profiles for name in text.split(",")),
        env_name=env_name,
        layered=layered,
        ecosystem_reader=ecosystem_reader,
    )
    defined = read_definitions(files, request)
    if defined.toml is None:
        return settings, defined
    return _with_texts(settings, defined.toml.texts), defined


def _readable(
    settings: EnvironmentSettings, unreadable: dict[str, None] | None
) -> EnvironmentSettings:
    """Return the settings without files that cannot be read, if these are gathered."""
    if unreadable is None:
        return settings
    files: list[str] = []
    for path in env_files(settings):
        try:
            layers(EnvironmentSettings(None, (path,)), {})
        except UsageError as error:
            unreadable[str(error)] = None
        else:
            files.append(path)
    root = settings.root_file if settings.root_file in files else None
    return replace(
        settings, root_file=root, files=tuple(path for path in settings.files if path in files)
    )


def _without_env_name(
    settings: RunSettings, files: Sequence[str]
) -> tuple[RunSettings, str | None]:
    """Take ``--env production`` out of the settings, where a file is an ecosystem file."""
    names = [text for text in settings.env if "=" not in text]
    if not names or format_of(files[0]) is not Format.ECOSYSTEM:
        return settings, None
    if len(names) > 1:
        raise UsageError(f'--env "{names[1]}": "{names[0]}" is asked for already; leave one out')
    env = tuple(text for text in settings.env if "=" in text)
    return replace(settings, env=env), names[0]


def _with_texts(settings: RunSettings, texts: RunTexts) -> RunSettings:
    """Return the settings with what a TOML file says, where the command line says nothing."""
    most = settings.max_processes or texts.max_processes
    return replace(
        settings,
        success=settings.success or texts.success,
        max_processes=None if most is None else str(most),
        prefix=settings.prefix or texts.prefix,
        timestamps=texts.timestamps if settings.timestamps is None else settings.timestamps,
        timestamp_format=settings.timestamp_format or texts.timestamp_format,
    )


def _watch(
    settings: RunSettings, services: Sequence[Service], defined: Definitions | None, *, root: str
) -> WatchSettings:
    """Return what holds for the watching of the services that run."""
    usual = WatchSettings() if defined is None else defined.watch
    whole = watch_settings(settings, root=root, usual=usual)
    watching = {service.process for service in services if service.watch}
    own = tuple((name, each) for name, each in whole.services if name in watching)
    return replace(whole, services=own, poll=whole.poll and any(s.watch for s in services))


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


def environment_settings(
    settings: RunSettings, cwd: str, toml: TomlProject | None = None
) -> EnvironmentSettings:
    """Return which files are read; ``--no-env`` is about the shared root ``.env`` alone.

    Files that ``--env-file`` names are read nevertheless: whoever names one wants it.

    Args:
        toml: What a TOML file says; its files take the place of the shared root ``.env``.
    """
    if toml is None:
        return with_own_files(settings, cwd, None, override=False)
    return with_own_files(settings, cwd, toml.env_files, override=bool(toml.env_override))


def with_own_files(
    settings: RunSettings, cwd: str, own: tuple[str, ...] | None, *, override: bool
) -> EnvironmentSettings:
    """Return which files are read where a project names its own, or none (None)."""
    files = tuple(os.path.join(cwd, os.path.expanduser(path)) for path in settings.env_files)
    root = None if settings.no_env or own is not None else find_root_file(cwd)
    if own is not None and not settings.no_env:
        files = (*own, *files)
    if settings.env_below:
        files = (*settings.env_below, *((root,) if root else ()), *files)
        root = None
    return EnvironmentSettings(root, files, settings.env_override or override)


# -- the run as a whole -------------------------------------------------------------------------


def run_name(settings: RunSettings) -> str | None:
    """Return what tells the run from others of the same folder, or None.

    Raises:
        UsageError: It cannot be a name.
    """
    if settings.name is None:
        return None
    if not _NAME.fullmatch(settings.name) or settings.name.isdecimal():
        message = f'--name "{settings.name}": write letters, digits, dots, dashes and underscores'
        raise UsageError(f"{message}, and a letter among them; a number would be taken for a pid")
    return settings.name


def _max_processes(settings: RunSettings) -> int | None:
    if settings.max_processes is None:
        return None
    return values.process_count(settings.max_processes, "--max-processes")


def _places(said: RunSettings, project: Project, toml: TomlProject | None) -> Iterator[str]:
    """Yield a warning if fewer may run at a time than have to.

    Args:
        said: What the command line says.
    """
    if project.max_processes is None:
        return
    from devrun.config.places import too_few_places

    place = f"--max-processes {said.max_processes}"
    if not said.max_processes and toml is not None:
        place = f"{toml.said[''].at(('max_processes',)).place}: max_processes"
    warning = too_few_places(project.services, project.max_processes, place)
    if warning is not None:
        yield warning


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
        log_format=log_format(settings),
        keys=not settings.prod if settings.keys is None else settings.keys,
    )
