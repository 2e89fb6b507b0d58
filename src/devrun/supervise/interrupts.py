"""Signals that devrun receives, and what each of them asks for."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Sequence

from devrun.model import Service
from devrun.output.screen import Size
from devrun.process.exits import ChildExits
from devrun.process.signals import CHILD, CONTINUE, RESIZE, SUSPEND
from devrun.process.spawn import resize
from devrun.sources.keyboard import Keyboard
from devrun.sources.signals import STOP_SIGNALS, SignalInbox
from devrun.supervise.service import ServiceTask
from devrun.supervise.suspension import pass_on, suspend

TYPE_CHECKING = False  # it asks here for signals
if TYPE_CHECKING:
    from devrun.supervise.shutdown import Shutdown


def stop_signal(service: Service, received: int | None) -> int:
    """Return the signal that asks a service to end, if devrun itself received that one."""
    policy = service.stop
    return policy.interrupt if received == signal.SIGINT else policy.signal


class Interrupts:
    """Takes what the inbox has recorded.

    Args:
        tasks: The present task of each service.
        candidates: Returns those that reloads have begun and not finished.
        guardian: Pid of the guardian, if there is one.
        size_for: Rows and columns for a service's pseudo-terminal, as they are now.
        shutdown: Hears of a signal that says stop, and of the guardian's end.
    """

    def __init__(
        self,
        inbox: SignalInbox,
        tasks: Sequence[ServiceTask],
        exits: ChildExits,
        *,
        candidates: Callable[[], Iterable[ServiceTask]],
        guardian: int | None,
        size_for: Callable[[int], Size],
        shutdown: Shutdown,
    ) -> None:
        self._inbox = inbox
        self._tasks = tasks
        self._exits = exits
        self._candidates = candidates
        self.guardian = guardian
        self._size_for = size_for
        self._shutdown = shutdown
        self.keyboard: Keyboard | None = None
        """What holds the terminal, if anything does; it is given back while devrun is stopped."""

    def take(self) -> None:
        """Do what the signals ask for that have come since the last time."""
        for number in self._inbox.take():
            if number in STOP_SIGNALS:
                self._shutdown.by_signal(number)
            elif number == CHILD:
                self._exits.notify()
            elif number == SUSPEND:
                self._suspend()
            elif number == CONTINUE:
                self._check_guardian()
            elif number == RESIZE:
                self._resize()
            else:
                self._pass_on(number)

    def _check_guardian(self) -> None:
        """SIGCONT is also what the death of the guardian sends (see ``process.guardian``)."""
        if self.guardian is not None and os.getppid() != self.guardian:
            self._shutdown.guardian_gone()

    def _suspend(self) -> None:
        """Stop every process, then devrun, until it is continued (Ctrl+Z and ``fg``)."""
        if self.keyboard is not None:
            self.keyboard.leave()
        paused = suspend()
        if self.keyboard is not None:
            self.keyboard.enter()
        for task in (*self._tasks, *self._candidates()):
            task.add_pause(paused)

    def _resize(self) -> None:
        for task in self._tasks:
            if task.child is not None:
                resize(task.child, self._size_for(task.spec.index))

    def _pass_on(self, number: int) -> None:
        for task in self._tasks:
            if task.child is not None:
                pass_on(number, task.spec, task.child)
