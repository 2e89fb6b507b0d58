"""The listening sockets that devrun holds for services, through crashes and reloads.

A service's sockets are opened when its first generation starts, are shared by its instances, and
stay until the run is over. During a reload the new generation of a service with a single instance
gets twins of them (see ``process.socket_succession``).
"""

from __future__ import annotations

from devrun.errors import DevrunError, SpawnError
from devrun.model import Service

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from devrun.process.held_sockets import Held


class Listeners:
    """The sockets of one run's services."""

    def __init__(self) -> None:
        self._held: dict[str, Held] = {}
        self._successors: dict[tuple[int, int], Held] = {}

    def of(self, service: Service, generation: int) -> Held | None:
        """Return the sockets that a generation inherits, or None if its service has none.

        Raises:
            SpawnError: One of them cannot be had; the message says who has it.
        """
        if not service.sockets:
            return None
        if (service.index, generation) in self._successors:
            return self._successors[service.index, generation]
        name = service.process or service.label
        if name not in self._held:
            from devrun.process.held_sockets import open_sockets

            try:
                self._held[name] = open_sockets(service.sockets)
            except DevrunError as error:
                raise SpawnError(str(error), error.exit_code) from error
        return self._held[name]

    def prepare(self, service: Service, generation: int, *, alone: bool) -> None:
        """Give a generation that is to follow another without a gap sockets of its own.

        Args:
            alone: The service has no other instance that accepts on the same sockets.
        """
        held = self._held.get(service.process or service.label)
        if held is None or not alone:
            return
        from devrun.process.socket_succession import successor

        try:
            self._successors[service.index, generation] = successor(held)
        except OSError:
            return  # No such filters here: both accept on the same sockets.

    def hand_over(self, service: Service, generation: int) -> None:
        """Have new connections go to a generation that is ready."""
        if (new := self._successors.get((service.index, generation))) is not None:
            from devrun.process.socket_succession import hand_over

            hand_over(self._held[service.process or service.label], new)

    def is_drained(self, service: Service, generation: int) -> bool:
        """Whether no connection waits for the generation before this one any more."""
        if (service.index, generation) not in self._successors:
            return True
        from devrun.process.socket_succession import is_drained

        return is_drained(self._held[service.process or service.label])

    def retire(self, service: Service, generation: int) -> None:
        """Close what the generation before this one had: it has ended."""
        new = self._successors.pop((service.index, generation), None)
        if new is not None:
            from devrun.process.socket_succession import retire

            name = service.process or service.label
            retire(self._held[name], new)
            self._held[name] = new

    def give_up(self, service: Service, generation: int) -> None:
        """Close what a generation had that did not become ready."""
        new = self._successors.pop((service.index, generation), None)
        if new is not None:
            from devrun.process.socket_succession import give_up

            give_up(self._held[service.process or service.label], new)

    def close(self) -> None:
        """Stop listening: the run is over."""
        for held in (*self._held.values(), *self._successors.values()):
            held.close()
        self._held.clear()
        self._successors.clear()
