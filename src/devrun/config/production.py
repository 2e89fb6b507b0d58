"""``--prod``: the settings of a run that nobody sits before; and ``--log-format``.

A profile, not a mode: each of its settings exists by itself, and what is said of one of them holds
in production too. What ends a run, what it ends with and how it restarts services is the same
everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from devrun.appearance import LogFormat
from devrun.config.settings import RunSettings
from devrun.errors import UsageError
from devrun.model import Service


def is_for_a_terminal(settings: RunSettings) -> bool:
    """Whether the output may be made for a terminal, if there is one."""
    return not settings.prod and settings.log_format != LogFormat.JSON.value


def in_production(settings: RunSettings) -> RunSettings:
    """Return the settings with those of ``--prod`` and ``--log-format``, where nothing is said.

    Raises:
        UsageError: The keyboard is asked for, too.
    """
    if not is_for_a_terminal(settings) and settings.tty is None:
        settings = replace(settings, tty=False)
    if not settings.prod:
        return settings
    if settings.focus is not None:
        raise UsageError("--focus and --prod contradict each other; leave one out")
    from devrun.config.time_format import ISO

    return replace(
        settings,
        timestamps=settings.timestamps is not False,
        timestamp_format=settings.timestamp_format or ISO,
    )


def unwatched(settings: RunSettings, services: Sequence[Service]) -> tuple[Service, ...]:
    """Return the services without what files say of watching, in production.

    ``--watch`` comes after this, and holds.
    """
    if not settings.prod:
        return tuple(services)
    return tuple(replace(service, watch=()) for service in services)


def log_format(settings: RunSettings) -> LogFormat:
    """Return what a line of the output is.

    Raises:
        UsageError: There is no such format, or something asked for cannot be part of it.
    """
    text = settings.log_format
    known = {each.value: each for each in LogFormat}
    if text is None:
        return LogFormat.TEXT
    if text not in known:
        from devrun.config.nearest import choices

        raise UsageError(f'--log-format "{text}": no such format{choices(text, list(known))}')
    if known[text] is LogFormat.JSON:
        _refuse_what_is_no_json(settings)
    return known[text]


def _refuse_what_is_no_json(settings: RunSettings) -> None:
    for said, option in (
        (settings.raw, "--raw"),
        (settings.raw_only, "--raw-only"),
        (settings.group, "--group"),
        (settings.timings, "--timings"),
        (settings.focus, "--focus"),
    ):
        if said:
            raise UsageError(f"--log-format json and {option} contradict each other; leave one out")
