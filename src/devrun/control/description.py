"""What holds for a service, as its configuration has it, and where each value is from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from devrun.model import Service


@dataclass(frozen=True, slots=True)
class Description:
    """A service's configuration.

    Attributes:
        config: With the keys of devrun.toml, nothing left unsaid, and without secrets.
        origins: Where each value is from, by its keys joined by dots.
        unread: Why the files of the configuration cannot be read now; None if they can.
    """

    config: Mapping[str, object]
    origins: Mapping[str, str]
    unread: str | None = None


Describe = Callable[[str, Sequence[Service], Mapping[str, str]], Description]
"""Describes a service: its name, its instances as they are now, and the variables of these, whose
values may stand in texts of the configuration."""
