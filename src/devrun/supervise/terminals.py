"""The services' terminals: how large they are, and what programs have switched at them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from devrun.events import Event, Started
from devrun.model import Project, Service
from devrun.output.screen import Size
from devrun.supervise.launch import is_for_keys

TYPE_CHECKING = False  # output.terminal_modes is not for every run
if TYPE_CHECKING:
    from devrun.output.terminal_modes import TerminalModes


class Terminals:
    """What is known of terminals, by the indices of the services that have them.

    Only services that can be typed at are followed: looking through output costs time.

    Args:
        project: What holds for all of them.
        taps: Who hears the output of each service as it is read.
        size_for: Rows and columns that a terminal has in devrun's own.

    Attributes:
        elsewhere: Rows and columns of a terminal that is shown in another one than devrun's.
    """

    def __init__(
        self,
        project: Project,
        taps: Mapping[int, list[Callable[[bytes], None]]],
        size_for: Callable[[int], Size],
    ) -> None:
        self.elsewhere: dict[int, Size] = {}
        self._project = project
        self._taps = taps
        self._size_for = size_for
        self._modes: dict[int, TerminalModes] = {}

    def follow(self, services: Iterable[Service]) -> None:
        """Follow the output of those that can be typed at, from now on."""
        for service in services:
            if is_for_keys(service, self._project) and service.index not in self._modes:
                self._follow(service.index)

    def _follow(self, index: int) -> None:
        from devrun.output.terminal_modes import TerminalModes

        self._modes[index] = TerminalModes()

        def feed(data: bytes) -> None:
            self._modes[index].feed(data)  # Those of the present generation.

        self._taps[index].append(feed)

    def take(self, event: Event) -> None:
        """Hear of a new generation: it has a terminal of its own, with nothing switched."""
        if isinstance(event, Started) and event.instance in self._modes:
            from devrun.output.terminal_modes import TerminalModes

            self._modes[event.instance] = TerminalModes()

    def modes(self, index: int) -> TerminalModes | None:
        """Return what the present generation has switched; None where that is not followed."""
        return self._modes.get(index)

    def size(self, index: int) -> Size:
        """Return the rows and columns that a service's terminal is to have now."""
        return self.elsewhere.get(index) or self._size_for(index)
