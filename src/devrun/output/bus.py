"""Where events are published: once, in order, to everyone who subscribed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from devrun.events import Event


@dataclass(slots=True)
class Bus:
    """Hands every event to every subscriber, in order; the first get those from before too."""

    _subscribers: list[Callable[[Event], object]] = field(default_factory=list)
    _early: list[Event] = field(default_factory=list)

    def publish(self, event: Event) -> None:
        """Hand an event on."""
        if not self._subscribers:
            self._early.append(event)
        for subscriber in self._subscribers:
            subscriber(event)

    def subscribe(self, *subscribers: Callable[[Event], object]) -> None:
        """Add subscribers; they get at once what was published before."""
        self._subscribers += subscribers
        early, self._early = self._early, []
        for event in early:
            self.publish(event)
