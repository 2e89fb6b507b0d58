"""What turns events into the bytes that appear on stdout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from devrun.events import Event
from devrun.output.presenter import Buffer


class Renderer(Protocol):
    """Renders one run's events for one sink."""

    def render(self, event: Event) -> Sequence[Buffer]:
        """Return what the event adds to the output; nothing for many events."""

    def renamed(self, instance: int) -> None:
        """Hear that a service is called otherwise."""

    def finish(self, lines: Sequence[str]) -> Sequence[Buffer]:
        """Return what is still held back, then ``lines`` of devrun's own; more may follow."""
