"""What the API is about: one run, and what it takes to ask it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from devrun.control.address import Identity
from devrun.control.description import Describe
from devrun.model import Service
from devrun.output.line_history import LineHistory
from devrun.supervise.launch import Launcher
from devrun.supervise.orders import Orders
from devrun.supervise.results import Done, Result
from devrun.supervise.supervisor import Supervisor

TYPE_CHECKING = False  # what applies a configuration is for runs that have one
if TYPE_CHECKING:
    from devrun.control.applying import Applying
    from devrun.control.detached import Report, Say


@dataclass(frozen=True, slots=True)
class Prefix:
    """What stands before an instance's lines on the terminal, and what sets its colour."""

    text: str
    open: str
    close: str


@dataclass(frozen=True, slots=True)
class Subject:
    """A run that can be asked.

    Attributes:
        applying: Puts another configuration into effect; None where that cannot be.
        describe: Says what holds for a service, and where that is from; it may take its time.
        prefixes: Returns what stands before the lines of instances, by index; None: nobody knows.
        report: Makes what tells a reader how the run comes up; None where nobody knows.
    """

    identity: Identity
    supervisor: Supervisor
    services: Sequence[Service]
    launcher: Launcher
    history: LineHistory
    applying: Applying | None = None
    describe: Describe | None = None
    prefixes: Callable[[], Mapping[int, Prefix]] | None = None
    report: Callable[[Say], Report] | None = None

    @property
    def orders(self) -> Orders:
        """What carries out what is asked of the run."""
        return self.supervisor.orders

    def label(self, index: int) -> str:
        """Return what an instance is called now."""
        return self.services[index].label


def has_failed(results: Sequence[Result]) -> bool:
    """Whether an order was not carried out for one of the instances."""
    return any(result.done in (Done.FAILED, Done.SKIPPED) for result in results)
