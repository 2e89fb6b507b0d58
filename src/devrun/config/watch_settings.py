"""What holds for the watching of a project and of its services, put together of several sayings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from devrun.model import WatchSettings


def joined(ignore: Sequence[str], more: Sequence[str]) -> tuple[str, ...]:
    """Return patterns with others behind them; of equal ones the last, for it decides."""
    backwards = dict.fromkeys(reversed((*ignore, *more)))
    return tuple(reversed(backwards))


def ignoring(settings: WatchSettings, more: Sequence[str], *, poll: bool) -> WatchSettings:
    """Return settings with further patterns for all, and comparing file times if asked for."""
    services = tuple((name, ignoring(own, more, poll=poll)) for name, own in settings.services)
    ignore, poll = joined(settings.ignore, more), settings.poll or poll
    return replace(settings, ignore=ignore, poll=poll, services=services)


def together(projects: Iterable[WatchSettings]) -> WatchSettings:
    """Return the settings of files that are run together, none of which says what is for all."""
    found = list(projects)
    poll = any(each.poll for each in found)
    services = (own for each in found for own in each.services)
    return WatchSettings(
        poll=poll, services=tuple((name, replace(own, poll=poll)) for name, own in services)
    )
