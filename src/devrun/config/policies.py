"""What is said of all services alike: how they stop, restart, and end each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from devrun.config import values
from devrun.config.selection import Selection
from devrun.config.settings import RunSettings
from devrun.config.success import find_services
from devrun.config.targets import services_named
from devrun.errors import UsageError
from devrun.model import (
    KillOthers,
    RestartPolicy,
    RestartWhen,
    Service,
    Shell,
    StopPolicy,
    Teardown,
    WatchRule,
    WatchSettings,
)

TYPE_CHECKING = False  # TOML's modules are loaded when there is such a file
if TYPE_CHECKING:
    from devrun.config.toml.project import TomlProject

ALWAYS = RestartPolicy(RestartWhen.ALWAYS, delay=1.0, factor=2.0, min_uptime=10.0, calm_delay=1.0)
"""Whatever ends starts again, sooner the longer it has run."""


def kill_others(
    settings: RunSettings, selection: Selection, toml: TomlProject | None
) -> KillOthers:
    """Return whose end ends the others; a Procfile's first exit ends all if nothing is said.

    Raises:
        UsageError: ``--no-kill-others`` and its opposite were both given.
    """
    if settings.kill_others:
        return KillOthers.ALWAYS
    if settings.kill_others is False and settings.kill_others_on_fail:
        raise UsageError("--no-kill-others and --kill-others-on-fail contradict each other")
    if settings.kill_others_on_fail:
        return KillOthers.ON_FAILURE
    if settings.kill_others is None and toml is not None and toml.kill_others is not None:
        return toml.kill_others
    unsaid = settings.kill_others is None
    return KillOthers.ALWAYS if selection.from_procfile and unsaid else KillOthers.NEVER


def with_policies(
    settings: RunSettings, services: Sequence[Service], *, root: str, from_file: bool
) -> tuple[Service, ...]:
    """Return the services with what the command line says of them, and what of them is shown.

    Args:
        root: What relative paths are relative to.
        from_file: The services are a file's; ``--only`` has chosen among them.

    Raises:
        UsageError: A value is wrong, names no service, or contradicts another.
    """
    names = [service.name for service in services]
    hidden, raw = _hidden(settings, names, from_file=from_file), _raw(settings, names)
    signals, again = _stop_signals(settings, names), _auto_restart(settings, names)
    may_end = services_named(settings.can_die, names, "--can-die")
    watching = any(service.watch for service in services)
    rules = _watch_rules(settings, names, root, is_watching=watching)
    restart = _restart(settings)
    is_said = settings.kill_others is not None or settings.kill_others_on_fail

    def own_ends(service: Service) -> KillOthers | None:
        return None if is_said else service.kill_others

    return tuple(
        replace(
            service,
            stop=_stop(settings, service.stop, signals.get(service.index)),
            restart=ALWAYS if service.index in again else restart or service.restart,
            kill_others=KillOthers.NEVER if service.index in may_end else own_ends(service),
            watch=(*service.watch, *rules[service.index]),
            raw=service.raw or service.index in raw,
            hidden=service.hidden or service.index in hidden,
        )
        for service in services
    )


def teardown(
    settings: RunSettings, *, shell: Shell | None, root: str, usual: Teardown | None
) -> Teardown:
    """Return what runs after the services.

    Args:
        usual: What does if the command line says nothing.

    Raises:
        UsageError: A command is empty, or there is a time limit and no command.
    """
    if not settings.teardown and settings.teardown_timeout is None:
        return usual or Teardown()
    timeout = Teardown().timeout
    if settings.teardown_timeout is not None:
        if not settings.teardown:
            raise UsageError("--teardown-timeout needs a --teardown to go with it")
        timeout = values.duration(settings.teardown_timeout, "--teardown-timeout")
    if not all(command.strip() for command in settings.teardown):
        raise UsageError("--teardown: the command is empty")
    from devrun.config.scripts import expand
    from devrun.config.words import Word

    words = expand([Word(None, c) for c in settings.teardown], cwd=root, allow_empty=False)
    return Teardown(tuple(word.command for word in words), timeout, shell)


def watch_settings(settings: RunSettings, *, root: str, usual: WatchSettings) -> WatchSettings:
    """Return what holds for all watch rules.

    Args:
        usual: What does where the command line says nothing.

    Raises:
        UsageError: A pattern is none.
    """
    if not (settings.watch_ignore or settings.watch_poll):
        return usual
    from devrun.config.watch_settings import ignoring
    from devrun.config.watching import parse_ignore

    more = parse_ignore(settings.watch_ignore, root)
    return ignoring(usual, more, poll=settings.watch_poll)


def _hidden(
    settings: RunSettings, names: Sequence[str | None], *, from_file: bool
) -> frozenset[int]:
    hidden = services_named(settings.hide, names, "--hide")
    if not settings.only or from_file:
        return hidden
    return hidden | (frozenset(range(len(names))) - services_named(settings.only, names, "--only"))


def _raw(settings: RunSettings, names: Sequence[str | None]) -> frozenset[int]:
    if not settings.raw_only:
        return frozenset(range(len(names))) if settings.raw else frozenset()
    if settings.raw:
        raise UsageError("--raw is for all services and --raw-only for some; leave one out")
    return services_named(settings.raw_only, names, "--raw-only")


def _stop(settings: RunSettings, usual: StopPolicy, own_signal: int | None) -> StopPolicy:
    """Return how a service is stopped.

    Args:
        usual: How it is if the command line says nothing.
        own_signal: What ``--stop-signals`` says of it; that holds for Ctrl+C too.
    """
    policy = usual
    if settings.kill_signal is not None:
        policy = replace(policy, signal=values.stop_signal(settings.kill_signal, "--kill-signal"))
    if settings.stop_timeout is not None and settings.kill_timeout is not None:
        raise UsageError("--stop-timeout and --kill-timeout mean the same; leave one out")
    if settings.stop_timeout is not None:
        policy = replace(policy, timeout=values.duration(settings.stop_timeout, "--stop-timeout"))
    if settings.kill_timeout is not None:
        timeout = values.duration(settings.kill_timeout, "--kill-timeout", bare_unit="ms")
        policy = replace(policy, timeout=timeout)
    if own_signal is not None:
        policy = replace(policy, signal=own_signal, interrupt=own_signal)
    return policy


def _stop_signals(settings: RunSettings, names: Sequence[str | None]) -> dict[int, int]:
    """Return the signals of ``--stop-signals web=TERM,worker=QUIT``."""
    found: dict[int, int] = {}
    for pair in (settings.stop_signals or "").split(","):
        if not pair.strip():
            continue
        name, equals, word = (part.strip() for part in pair.partition("="))
        place = f'--stop-signals "{pair}"'
        if not equals:
            raise UsageError(f"{place}: write NAME=SIGNAL")
        number = values.stop_signal(word, "--stop-signals")
        named = find_services(name, names, place)
        if not found.keys().isdisjoint(named):
            raise UsageError(f"{place}: a second signal for {name}; leave one out")
        found |= dict.fromkeys(named, number)
    return found


def _auto_restart(settings: RunSettings, names: Sequence[str | None]) -> frozenset[int]:
    if (settings.auto_restart or "").strip() == "all":
        return frozenset(range(len(names)))
    return services_named(settings.auto_restart, names, "--auto-restart")


def _tries(text: str) -> int:
    if text.strip().startswith("-") and text.strip() != "-1":
        raise UsageError(f'--restart-tries "{text}": write -1 for as often as it takes')
    return values.whole_number(text, "--restart-tries", least=-1, most=10**9)


def _restart(settings: RunSettings) -> RestartPolicy | None:
    """Return what the command line says of restarts, or None if it says nothing."""
    if settings.restart_tries is None and settings.restart_after is None:
        return None
    tries = 0
    if settings.restart_tries is not None:
        tries = _tries(settings.restart_tries)
    delay, factor = _delay(settings.restart_after)
    if not tries:
        return RestartPolicy()
    return RestartPolicy(RestartWhen.ON_FAILURE, tries, delay, factor, cap=max(delay, 30.0))


def _delay(after: str | None) -> tuple[float, float]:
    """Return the seconds before the first restart, and what each further span is longer by."""
    if after is None:
        return 0.0, 1.0
    if after.strip().lower() == "exponential":
        return 1.0, 2.0
    return values.duration(after, "--restart-after", bare_unit="ms"), 1.0


def _watch_rules(
    settings: RunSettings, names: Sequence[str | None], root: str, *, is_watching: bool
) -> tuple[tuple[WatchRule, ...], ...]:
    """Return what the command line has watched.

    Args:
        is_watching: Something is watched without it.
    """
    if not settings.watch:
        if is_watching:
            return ((),) * len(names)
        for flag in ("watch_ignore", "watch_poll"):
            if getattr(settings, flag):
                raise UsageError(f"--{flag.replace('_', '-')} needs a --watch to go with it")
        return ((),) * len(names)
    from devrun.config.watching import parse_watch

    return parse_watch(settings.watch, names, root)
