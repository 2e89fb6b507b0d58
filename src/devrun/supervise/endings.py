"""The last end of each service of a run, and what they amount to."""

from __future__ import annotations

from collections.abc import Container

from devrun.events import Event, Exited, SpawnFailed, StopReason
from devrun.model import Project
from devrun.supervise.outcome import Ending, Verdict, ends_others, verdict
from devrun.supervise.state import Phase, State


class Endings:
    """Remembers how services ended that are over; one that begins anew has not ended."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._endings: dict[int, Ending] = {}
        self._exited_at: dict[int, float] = {}

    def hear(self, event: Event) -> None:
        """Take an event into account: when processes ended, which may become known late."""
        if isinstance(event, Exited | SpawnFailed):
            self._exited_at[event.instance] = event.at

    def take(self, index: int, state: State, now: float) -> bool:
        """Take a service's state into account; return whether the others are to end with it."""
        if state.phase is not Phase.ENDED:
            self._endings.pop(index, None)
            return False
        if index in self._endings or state.status is None:
            return False
        at = self._exited_at.get(index, now)
        ending = self._endings[index] = Ending(index, state.status, state.stopped, at)
        own = self._project.services[index].kill_others
        return ends_others(own or self._project.kill_others, ending)

    def verdict(
        self, reason: StopReason | None, received: int | None, *, but: Container[int] = ()
    ) -> Verdict:
        """Return how devrun ends; see ``outcome.verdict``.

        Args:
            but: Services that are no part of the run any more.
        """
        ends = [ending for index, ending in self._endings.items() if index not in but]
        return verdict(self._project, ends, reason=reason, received=received)
