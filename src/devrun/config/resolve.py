"""From settings to a project: everything is checked here, before anything starts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from devrun.config import values
from devrun.config.environment import INHERITED, Variable, layers
from devrun.config.prefixes import prefix_settings
from devrun.config.root_file import find_root_file
from devrun.config.selection import Selection, select
from devrun.config.settings import RunSettings
from devrun.config.success import find_service, parse_success
from devrun.errors import UsageError
from devrun.model import (
    ColorLevel,
    EnvironmentSettings,
    KillOthers,
    OutputSettings,
    Project,
    RestartPolicy,
    Service,
    StopPolicy,
    WatchRule,
    WatchSettings,
)

FIRST_PORT = 5000
PORT_STEP = 100
"""What foreman, honcho, hivemind and overmind assign: 5000, and 100 more for each process."""


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
    environment = _environment(settings, cwd)
    selection = select(settings, cwd)
    services = _with_ports(settings, selection, layers(environment, environ))
    names = [service.name for service in services]
    project = Project(
        root=cwd,
        source=selection.source,
        services=_with_policies(settings, services, names, cwd),
        environment=environment,
        kill_others=_kill_others(settings, from_file=selection.from_file),
        success=parse_success(settings.success, names),
        max_processes=_max_processes(settings),
        watch=WatchSettings(ignore=_watch_ignore(settings, cwd), poll=settings.watch_poll),
        output=OutputSettings(
            prefix=prefix_settings(
                settings, len(services), color_level, padded=selection.from_file
            ),
            color=color_level,
            tty=settings.tty,
            quiet=settings.quiet or settings.raw,
        ),
    )
    return Resolution(project, selection.warnings)


def _environment(settings: RunSettings, cwd: str) -> EnvironmentSettings:
    """Return which files are read; ``--no-env`` is about the shared root ``.env`` alone.

    Files that ``--env-file`` names are read nevertheless: whoever names one wants it.
    """
    files = tuple(os.path.join(cwd, os.path.expanduser(path)) for path in settings.env_files)
    root = None if settings.no_env else find_root_file(cwd)
    return EnvironmentSettings(root, files, settings.env_override)


# -- ports --------------------------------------------------------------------------------------


def _with_ports(
    settings: RunSettings, selection: Selection, variables: Mapping[str, Variable]
) -> tuple[Service, ...]:
    """Return the services to run with their ports.

    They are counted over the whole file, so that a process keeps its port when it runs alone; the
    commands come after the file's processes, and get a port only if ``--port`` is given.
    """
    first = _first_port(settings, variables, from_file=selection.from_file)
    entries = list(selection.entries)
    commands = list(selection.commands)
    if first is not None:
        numbered = [*entries, *commands] if settings.port is not None else entries
        _check_last_port(first, len(numbered))
        ports = [
            replace(service, port=first + PORT_STEP * place)
            for place, service in enumerate(numbered)
        ]
        entries, commands = ports[: len(entries)], ports[len(entries) :] or commands
    return selection.chosen(entries, commands)


def _check_last_port(first: int, count: int) -> None:
    last = first + PORT_STEP * (count - 1)
    if last > 65535:
        message = f"first port {first}: {count} processes would need ports up to {last}"
        raise UsageError(f"{message}; the highest is 65535, and --no-port assigns none")


def _first_port(
    settings: RunSettings, variables: Mapping[str, Variable], *, from_file: bool
) -> int | None:
    if settings.no_port:
        if settings.port is not None:
            raise UsageError("--port and --no-port contradict each other; leave one out")
        return None
    if settings.port is not None:
        return values.port(settings.port, "--port")
    if not from_file:
        return None
    given = variables.get("PORT")
    if given is None:
        return FIRST_PORT
    where = "the environment" if given.origin == INHERITED else given.origin
    return values.port(given.value, f"PORT of {where}")


# -- policies -----------------------------------------------------------------------------------


def _kill_others(settings: RunSettings, *, from_file: bool) -> KillOthers:
    if settings.no_kill_others:
        for flag in ("kill_others", "kill_others_on_fail"):
            if getattr(settings, flag):
                name = flag.replace("_", "-")
                raise UsageError(f"--no-kill-others and --{name} contradict each other")
        return KillOthers.NEVER
    if settings.kill_others:
        return KillOthers.ALWAYS
    if settings.kill_others_on_fail:
        return KillOthers.ON_FAILURE
    return KillOthers.ALWAYS if from_file else KillOthers.NEVER


def _max_processes(settings: RunSettings) -> int | None:
    if settings.max_processes is None:
        return None
    return values.process_count(settings.max_processes, "--max-processes")


def _with_policies(
    settings: RunSettings,
    services: tuple[Service, ...],
    names: Sequence[str | None],
    cwd: str,
) -> tuple[Service, ...]:
    hidden = _hidden(settings, names)
    stop, restart = _stop(settings), _restart(settings)
    rules = _watch_rules(settings, names, cwd)
    return tuple(
        replace(
            service,
            stop=stop,
            restart=restart,
            watch=rules[service.index],
            raw=settings.raw,
            hidden=service.index in hidden,
        )
        for service in services
    )


def _hidden(settings: RunSettings, names: Sequence[str | None]) -> frozenset[int]:
    if not settings.hide:
        return frozenset()
    words = [word.strip() for word in settings.hide.split(",")]
    return frozenset(find_service(word, names, "--hide") for word in words if word)


def _stop(settings: RunSettings) -> StopPolicy:
    policy = StopPolicy()
    if settings.kill_signal is not None:
        policy = replace(policy, signal=values.stop_signal(settings.kill_signal, "--kill-signal"))
    if settings.stop_timeout is not None and settings.kill_timeout is not None:
        raise UsageError("--stop-timeout and --kill-timeout mean the same; leave one out")
    if settings.stop_timeout is not None:
        policy = replace(policy, timeout=values.duration(settings.stop_timeout, "--stop-timeout"))
    if settings.kill_timeout is not None:
        timeout = values.duration(settings.kill_timeout, "--kill-timeout", bare_unit="ms")
        policy = replace(policy, timeout=timeout)
    return policy


def _restart(settings: RunSettings) -> RestartPolicy:
    tries = 0
    if settings.restart_tries is not None:
        tries = values.whole_number(settings.restart_tries, "--restart-tries", least=-1, most=10**9)
    after = settings.restart_after
    if after is None:
        return RestartPolicy(tries)
    if after.strip().lower() == "exponential":
        return RestartPolicy(tries, exponential=True)
    return RestartPolicy(tries, delay=values.duration(after, "--restart-after", bare_unit="ms"))


def _watch_rules(
    settings: RunSettings, names: Sequence[str | None], cwd: str
) -> tuple[tuple[WatchRule, ...], ...]:
    if not settings.watch:
        for flag in ("watch_ignore", "watch_poll"):
            if getattr(settings, flag):
                raise UsageError(f"--{flag.replace('_', '-')} needs a --watch to go with it")
        return ((),) * len(names)
    from devrun.config.watching import parse_watch

    return parse_watch(settings.watch, names, cwd)


def _watch_ignore(settings: RunSettings, cwd: str) -> tuple[str, ...]:
    if not settings.watch_ignore:
        return ()
    from devrun.config.watching import parse_ignore

    return parse_ignore(settings.watch_ignore, cwd)
