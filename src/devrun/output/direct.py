"""Everything on stdout as it comes; ``output.grouping`` is the other way."""

from __future__ import annotations

from devrun.events import Event, Output
from devrun.output.journal import Journal
from devrun.output.renderer import Renderer


class Direct:
    """Shows events as they come."""

    def __init__(self, presenter: Renderer, journal: Journal) -> None:
        self._presenter = presenter
        self._journal = journal

    def __call__(self, event: Event) -> None:
        """Show an event."""
        self._journal.put(self._presenter.render(event))

    def over(self, instance: int) -> None:
        """Nobody waits for that."""

    async def run(self) -> None:
        """There is nothing to be done between events."""

    async def finish(self) -> None:
        """End the line that is open."""
        self._journal.put(self._presenter.finish(()))


class OwnLines(Direct):
    """Shows what devrun has to say, and not what the services wrote: that is in their files."""

    def __call__(self, event: Event) -> None:
        """Show an event, unless it is output."""
        if not isinstance(event, Output):
            super().__call__(event)
