"""The listening sockets that devrun holds for services, through crashes and reloads.

A service's sockets are opened when its first generation starts, are shared by its instances, and
stay until the run is over, or the service is no part of it any more. A reload opens twins of them
(see ``process.socket_succession``): a *lane* beside the former one, to which the instances move one
after another. A lane that no instance is left on is closed; so there is one, except while a reload
goes on, or after one that did not concern all instances.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from devrun.errors import DevrunError, SpawnError
from devrun.model import Service

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from devrun.process.held_sockets import Held


@dataclass(slots=True, eq=False)
class Lane:
    """Sockets, and the instances that accept on them.

    Attributes:
        instances: Their indices.
        reload: For which reload it was opened, or None.
        is_left: An instance is leaving it, so that nothing new is to come until that has gone.
    """

    held: Held
    instances: set[int] = field(default_factory=set)
    reload: object = None
    is_left: bool = False


@dataclass(slots=True, eq=False)
class Lanes:
    """A service's lanes, in the order that their sockets have in the kernel's groups."""

    lanes: list[Lane]
    candidates: dict[tuple[int, int], Lane] = field(default_factory=dict)
    """By index and generation, where one will accept that is not its service's yet."""
    leaving: dict[tuple[int, int], Lane] = field(default_factory=dict)
    """By index and generation of the one that follows, where an old one may still accept."""
    down: set[int] = field(default_factory=set)
    """Instances that do not run just now."""
    probes: dict[int, Lane] = field(default_factory=dict)
    """By the port that it comes from, where a connection is to arrive."""

    def of(self, index: int, generation: int) -> Lane:
        """Return where a generation of an instance accepts."""
        if (index, generation) in self.candidates:
            return self.candidates[index, generation]
        here = (lane for lane in self.lanes if index in lane.instances)
        return next(here, self.lanes[-1])

    def open(self, reload: object) -> Lane:
        """Return the lane of a reload, which gets no connection before an instance accepts on it.

        Raises:
            OSError: There can be no other.
        """
        for lane in self.lanes:
            if lane.reload is reload:
                return lane
        from devrun.process.socket_succession import steer, successor

        before = self.lanes[-1].held
        steer(before, self._program())
        lane = Lane(successor(before), reload=reload)
        self.lanes.append(lane)
        return lane

    def steer(self) -> None:
        """Have connections go where somebody accepts them."""
        if len(self.lanes) > 1:
            from devrun.process.socket_succession import steer

            steer(self.lanes[0].held, self._program())

    def close_empty(self, lane: Lane) -> None:
        """Close a lane if nobody accepts on it or will, unless it is the only one."""
        is_used = lane.instances or lane in (*self.candidates.values(), *self.leaving.values())
        if is_used or lane not in self.lanes or len(self.lanes) == 1:
            return
        from devrun.process.socket_succession import close_for_good, steer

        # The kernel puts the last socket of a group in the place of one that leaves it.
        place = self.lanes.index(lane)
        self.lanes[place] = self.lanes[-1]
        self.lanes.pop()
        close_for_good(lane.held)
        steer(self.lanes[0].held, self._program())

    def _program(self) -> list[tuple[int, int, int, int]]:
        from devrun.process.socket_succession import program

        up = [0 if lane.is_left else len(lane.instances - self.down) for lane in self.lanes]
        weights = up if any(up) else [len(lane.instances) for lane in self.lanes]
        if not any(weights):
            weights[0] = 1
        places = {lane: place for place, lane in enumerate(self.lanes)}
        probes = {port: places[lane] for port, lane in self.probes.items() if lane in places}
        return program(weights, probes)


class Listeners:
    """The sockets of one run's services."""

    def __init__(self) -> None:
        self._lanes: dict[str, Lanes] = {}

    def of(self, service: Service, generation: int) -> Held | None:
        """Return the sockets that a generation inherits, or None if its service has none.

        Raises:
            SpawnError: One of them cannot be had; the message says who has it.
        """
        if not service.sockets:
            return None
        name = _name(service)
        if name in self._lanes and self._lanes[name].lanes[-1].held.specs != service.sockets:
            self._close(name)  # It is configured otherwise now, and has been stopped for that.
        if name not in self._lanes:
            from devrun.process.held_sockets import open_sockets

            try:
                self._lanes[name] = Lanes([Lane(open_sockets(service.sockets))])
            except DevrunError as error:
                raise SpawnError(str(error), error.exit_code) from error
        lanes = self._lanes[name]
        lane = lanes.of(service.index, generation)
        if (service.index, generation) not in lanes.candidates:
            lane.instances.add(service.index)
        return lane.held

    # -- reloads ----------------------------------------------------------------------------

    def prepare(
        self, service: Service, generation: int, *, reload: object, alive: Collection[int]
    ) -> None:
        """Give a generation that is to follow another without a gap sockets of its own.

        Args:
            reload: What all instances have in common that are reloaded together.
            alive: Indices of services that run, or will again by themselves.
        """
        lanes = self._lanes.get(_name(service))
        if lanes is None:
            return
        for lane in lanes.lanes:
            lane.instances.intersection_update(alive)
        try:
            lanes.candidates[service.index, generation] = lanes.open(reload)
        except OSError:
            return  # No such filters here: both accept on the same sockets.

    def is_apart(self, service: Service, generation: int) -> bool:
        """Whether a generation that is not its service's yet has TCP sockets of its own."""
        lanes = self._lanes.get(_name(service))
        lane = None if lanes is None else lanes.candidates.get((service.index, generation))
        return lane is not None and any(port is not None for port in lane.held.ports)

    def hand_over(self, service: Service, generation: int) -> None:
        """Have new connections go to a generation that is ready, and none where the old one is."""
        lanes = self._lanes.get(_name(service))
        if lanes is None or (service.index, generation) not in lanes.candidates:
            return
        new = lanes.candidates.pop((service.index, generation))
        for lane in lanes.lanes:
            if service.index in lane.instances and lane is not new:
                lane.instances.discard(service.index)
                lane.is_left = True
                lanes.leaving[service.index, generation] = lane
        new.instances.add(service.index)
        lanes.steer()

    def is_drained(self, service: Service, generation: int) -> bool:
        """Whether no connection waits for the generation before this one any more."""
        lanes = self._lanes.get(_name(service))
        left = None if lanes is None else lanes.leaving.get((service.index, generation))
        if left is None:
            return True
        from devrun.process.socket_succession import is_drained

        return is_drained(left.held)

    def reopen(self, service: Service, generation: int) -> None:
        """Have new connections go again to those that are left where the old generation was."""
        lanes = self._lanes.get(_name(service))
        if lanes is not None and (lane := lanes.leaving.get((service.index, generation))):
            lane.is_left = False
            lanes.steer()

    def retire(self, service: Service, generation: int) -> None:
        """Close what the generation before this one had, if it was the last there: it has ended."""
        lanes = self._lanes.get(_name(service))
        if lanes is not None and (lane := lanes.leaving.pop((service.index, generation), None)):
            lane.is_left = False
            lanes.close_empty(lane)
            lanes.steer()

    def give_up(self, service: Service, generation: int) -> None:
        """Close what a generation had that did not become ready."""
        lanes = self._lanes.get(_name(service))
        if lanes is not None and (lane := lanes.candidates.pop((service.index, generation), None)):
            lanes.close_empty(lane)

    def is_running(self, service: Service, *, runs: bool) -> None:
        """Hear whether an instance runs; while it does not, others get what comes."""
        lanes = self._lanes.get(_name(service))
        if lanes is None or (service.index not in lanes.down) is runs:
            return
        lanes.down.symmetric_difference_update({service.index})
        lanes.steer()

    def is_over(self, service: Service) -> None:
        """Hear that an instance does not start again by itself."""
        lanes = self._lanes.get(_name(service))
        if lanes is None or len(lanes.lanes) == 1:
            return
        for lane in [*lanes.lanes]:
            if service.index in lane.instances:
                lane.instances.discard(service.index)
                lanes.close_empty(lane)
        lanes.steer()

    # -- probes -----------------------------------------------------------------------------

    def approach(self, service: Service, generation: int) -> Approach | None:
        """Return how the sockets of a generation are reached, or None if its service has none."""
        lanes = self._lanes.get(_name(service))
        return None if lanes is None else Approach(lanes, service.index, generation)

    def keep_only(self, services: Iterable[Service]) -> None:
        """Stop listening for what is no part of the run any more, or has no sockets now."""
        wanted = {_name(service) for service in services if service.sockets}
        for name in self._lanes.keys() - wanted:
            self._close(name)

    def close(self) -> None:
        """Stop listening: the run is over."""
        for name in [*self._lanes]:
            self._close(name)

    def _close(self, name: str) -> None:
        for lane in self._lanes.pop(name).lanes:
            lane.held.close()


@dataclass(frozen=True, slots=True)
class Approach:
    """How one generation's sockets are reached, and not those of another."""

    _lanes: Lanes
    _index: int
    _generation: int

    def holds(self, port: int) -> bool:
        """Whether devrun listens on a port for the service, so that a connection proves nothing."""
        return port in self._lanes.lanes[-1].held.ports

    @contextmanager
    def steered(self, source: int) -> Iterator[None]:
        """Have a connection that comes from a port arrive at this generation's sockets."""
        lanes = self._lanes
        lanes.probes[source] = lanes.of(self._index, self._generation)
        lanes.steer()
        try:
            yield
        finally:
            del lanes.probes[source]
            lanes.steer()


def _name(service: Service) -> str:
    return service.process or service.label
