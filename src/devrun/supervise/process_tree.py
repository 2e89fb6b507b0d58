"""One generation's processes, and how they are ended: asked, cleared away, killed."""

from __future__ import annotations

import time
from collections.abc import Callable

import trio

from devrun.events import Event, Killed, LeftBehind, Notice
from devrun.model import Service, StopScope
from devrun.output.pump import Pump
from devrun.process import tree
from devrun.process.exits import ChildExits
from devrun.process.group import Asking, Ownership, owned, signal_group, signal_process
from devrun.process.signals import KILL
from devrun.process.spawn import Child
from devrun.supervise.launch import Launcher

TYPE_CHECKING = False  # probes are for services that have any
if TYPE_CHECKING:
    from devrun.supervise.probes.answers import Subject

LOOK_AGAIN = 0.25
"""Seconds between two looks at a tree that was asked to end. SIGCHLD makes them unnecessary where
devrun is a subreaper; elsewhere orphans end unseen."""

LEFT_FOR_SIGNAL = 1.0
"""Seconds of the time for stopping that a stop command leaves for what it does not stop."""

RECHECK = 0.02
"""Seconds between two looks at a tree that is being killed; it may be forking against us."""


MOST_NAMED = 10
"""Processes that are named; a line that says more would not be read."""


class ProcessTree:
    """A main process and whatever descends from it.

    Args:
        tell: Publishes an event behind all that the service has said.
        message: Asks the program to stop by a message; False if nobody listens for one.
        show: Returns what shows the output of a descriptor as the service's.
    """

    def __init__(
        self,
        spec: Service,
        generation: int,
        *,
        launcher: Launcher,
        exits: ChildExits,
        tell: Callable[[Event], None],
        message: Callable[[], bool],
        show: Callable[[int], Pump],
    ) -> None:
        self._spec = spec
        self._generation = generation
        self._launcher = launcher
        self._exits = exits
        self._tell = tell
        self._message = message
        self._show = show
        self._sent = 0
        self._commanding: trio.Event | None = None
        self._started_at = time.monotonic()
        self.child: Child | None = None
        """The process that was started, while it or its successor has not ended."""
        self.successor: int | None = None
        """Pid of the process that has taken its place (``MAINPID=`` of sd_notify)."""

    def ownership(self) -> Ownership:
        """Return how its processes are recognised."""
        return self._launcher.ownership(self._spec, self._generation)

    def described(self) -> str:
        """Return what is left of it, in one line."""
        left = owned(self.ownership())
        more = [f"and {len(left) - MOST_NAMED} more"] if len(left) > MOST_NAMED else []
        return "; ".join([*map(tree.described, left[:MOST_NAMED]), *more]) or "nothing is seen"

    def subject(self) -> Subject:
        """Return what probes are told of it."""
        from devrun.supervise.subject import subject_of

        return subject_of(
            self._spec,
            self._generation,
            launcher=self._launcher,
            exits=self._exits,
            started_at=self.child.started_at if self.child else self._started_at,
        )

    def ask(self, number: int) -> None:
        """Have the main process stop: by a message if it listens for one, else by the signal."""
        if self.child is None:
            return
        stop = self._spec.stop
        if stop.message and self._message():
            return
        self._sent = number
        if self.successor is not None:
            signal_process(self.successor, number)
        elif stop.scope is StopScope.MAIN:
            signal_process(self.child.pid, number)
        else:
            signal_group(self.child.pid, number)

    async def stop_by_command(self, command: str, number: int) -> None:
        """Run what stops the service, and signal what it leaves; all within the stop's time."""
        from devrun.policies import ExecProbe
        from devrun.supervise.probes.answers import Passed
        from devrun.supervise.probes.exec import ask_command

        self._commanding = trio.Event()
        timeout = self._spec.stop.timeout
        seconds = max(timeout - LEFT_FOR_SIGNAL, timeout / 2)
        try:
            probe = ExecProbe(command)
            answer = await ask_command(probe, self.subject(), seconds, self._show)
            if not isinstance(answer, Passed):
                text = f'stop command "{command}": {answer.reason}'
                self._tell(Notice(text, self._spec.index))
        finally:
            self._commanding.set()
        self.ask(number)

    async def clear(self, number: int, *, was_asked: bool) -> None:
        """Ask what the main process left behind, once, and wait until it is gone.

        Its own group has had a signal already, if the service was stopped; a process that left
        the group has not, and nor has any if the main process ended by itself.
        """
        if self._commanding is not None:
            await self._commanding.wait()
        asking = Asking(self.ownership().sessions if was_asked else frozenset(), self._sent)
        while left := owned(self.ownership()):
            if asked := asking.ask(left, number):
                self._tell(LeftBehind(self._spec.index, asked))
            await self._exits.changed(at_most=LOOK_AGAIN)

    async def kill(self, after: float) -> None:
        """Kill the tree until nothing is left: it may be forking, and leaving its group.

        A group's members get their signal in one step that no fork can slip through (``fork(2)``
        in a process with a signal pending is started anew); groups made meanwhile are found at
        the next look.

        Args:
            after: Seconds it was given since it was asked.
        """
        told = False
        while True:
            left = owned(self.ownership())
            for group in {process.group for process in left}:
                signal_group(group, KILL)
            if left and not told:
                told = True
                self._tell(Killed(self._spec.index, self._generation, after, len(left)))
            if not left and self.child is None:
                return
            await self._exits.changed(at_most=RECHECK)
