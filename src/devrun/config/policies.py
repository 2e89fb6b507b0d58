"""What is said of all services alike: how they stop, restart, and end each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from devrun.config import values
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

ALWAYS = RestartPolicy(RestartWhen.ALWAYS, delay=1.0, factor=2.0, min_uptime=10.0, calm_delay=1.0)
"""Whatever ends starts again, sooner the longer it has run."""


def kill_others(settings: RunSettings, *, from_file: bool) -> KillOthers:
    """Return whose end ends the others.

    Args:
        from_file: The services are a Procfile's, whose first exit ends all if nothing is said.

    Raises:
        UsageError: ``--no-kill-others`` and its opposite were both given.
    """
    if settings.kill_others:
        return KillOthers.ALWAYS
    if settings.kill_others is False and settings.kill_others_on_fail:
        raise UsageError("--no-kill-others and --kill-others-on-fail contradict each other")
    if settings.kill_others_on_fail:
        return KillOthers.ON_FAILURE
    unsaid = settings.kill_others is None
    return KillOthers.ALWAYS if from_file and unsaid else KillOthers.NEVER


def with_policies(
    settings: RunSettings, services: Sequence[Service], *, root: str
) -> tuple[Service, ...]:
    """Return the services with their policies, and what of them is shown.

    Args:
        root: What relative paths are relative to.

    Raises:
        UsageError: A value is wrong, names no service, or contradicts another.
    """
    names = [service.name for service in services]
    hidden, raw = _hidden(settings, names), _raw(settings, names)
    stop, restart = _stop(settings), _restart(settings)
    signals, again = _stop_signals(settings, names), _auto_restart(settings, names)
    may_end = services_named(settings.can_die, names, "--can-die")
    rules = _watch_rules(settings, names, root)
    return tuple(
        replace(
            service,
            stop=signals.get(service.index, stop),
            restart=ALWAYS if service.index in again else restart,
            kill_others=KillOthers.NEVER if service.index in may_end else None,
            watch=rules[service.index],
            raw=service.index in raw,
            hidden=service.index in hidden,
        )
        for service in services
    )


def teardown(settings: RunSettings, *, shell: Shell | None, root: str) -> Teardown:
    """Return what runs after the services.

    Raises:
        UsageError: A command is empty, or there is a time limit and no command.
    """
    timeout = Teardown().timeout
    if settings.teardown_timeout is not None:
        if not settings.teardown:
            raise UsageError("--teardown-timeout needs a --teardown to go with it")
        timeout = values.duration(settings.teardown_timeout, "--teardown-timeout")
    if not settings.teardown:
        return Teardown()
    if not all(command.strip() for command in settings.teardown):
        raise UsageError("--teardown: the command is empty")
    from devrun.config.scripts import expand
    from devrun.config.words import Word

    words = expand([Word(None, c) for c in settings.teardown], cwd=root, allow_empty=False)
    return Teardown(tuple(word.command for word in words), timeout, shell)


def watch_settings(settings: RunSettings, *, root: str) -> WatchSettings:
    """Return what holds for all watch rules.

    Raises:
        UsageError: A pattern is none.
    """
    if not settings.watch_ignore:
        return WatchSettings(poll=settings.watch_poll)
    from devrun.config.watching import parse_ignore

    return WatchSettings(ignore=parse_ignore(settings.watch_ignore, root), poll=settings.watch_poll)


def _hidden(settings: RunSettings, names: Sequence[str | None]) -> frozenset[int]:
    hidden = services_named(settings.hide, names, "--hide")
    if not settings.only:
        return hidden
    return hidden | (frozenset(range(len(names))) - services_named(settings.only, names, "--only"))


def _raw(settings: RunSettings, names: Sequence[str | None]) -> frozenset[int]:
    if not settings.raw_only:
        return frozenset(range(len(names))) if settings.raw else frozenset()
    if settings.raw:
        raise UsageError("--raw is for all services and --raw-only for some; leave one out")
    return services_named(settings.raw_only, names, "--raw-only")


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


def _stop_signals(settings: RunSettings, names: Sequence[str | None]) -> dict[int, StopPolicy]:
    """Return the policies of ``--stop-signals web=TERM,worker=QUIT``; they hold for Ctrl+C too."""
    found: dict[int, StopPolicy] = {}
    for pair in (settings.stop_signals or "").split(","):
        if not pair.strip():
            continue
        name, equals, word = (part.strip() for part in pair.partition("="))
        place = f'--stop-signals "{pair}"'
        if not equals:
            raise UsageError(f"{place}: write NAME=SIGNAL")
        number = values.stop_signal(word, "--stop-signals")
        own = replace(_stop(settings), signal=number, interrupt=number)
        found |= dict.fromkeys(find_services(name, names, place), own)
    return found


def _auto_restart(settings: RunSettings, names: Sequence[str | None]) -> frozenset[int]:
    if (settings.auto_restart or "").strip() == "all":
        return frozenset(range(len(names)))
    return services_named(settings.auto_restart, names, "--auto-restart")


def _tries(text: str) -> int:
    if text.strip().startswith("-") and text.strip() != "-1":
        raise UsageError(f'--restart-tries "{text}": write -1 for as often as it takes')
    return values.whole_number(text, "--restart-tries", least=-1, most=10**9)


def _restart(settings: RunSettings) -> RestartPolicy:
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
    settings: RunSettings, names: Sequence[str | None], root: str
) -> tuple[tuple[WatchRule, ...], ...]:
    if not settings.watch:
        for flag in ("watch_ignore", "watch_poll"):
            if getattr(settings, flag):
                raise UsageError(f"--{flag.replace('_', '-')} needs a --watch to go with it")
        return ((),) * len(names)
    from devrun.config.watching import parse_watch

    return parse_watch(settings.watch, names, root)
