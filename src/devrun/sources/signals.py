"""Signals that devrun receives, recorded from the first moment and read in order.

Python runs a signal handler between two bytecodes of the main thread, so recording is an append.
Handlers are in place before the guardian forks and before any service starts; what arrives while
nobody is listening yet waits in the inbox. A caught signal's disposition goes back to the default
in an executed program (``execve(2)``), so services inherit nothing of this.
"""

from __future__ import annotations

import signal
import sys
import time
from collections import deque
from collections.abc import Callable
from math import inf
from types import FrameType

if sys.platform == "win32":
    STOP_SIGNALS: tuple[int, ...] = (signal.SIGINT, signal.SIGTERM, signal.SIGBREAK)
    OTHER_SIGNALS: tuple[int, ...] = ()
else:
    STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    OTHER_SIGNALS = (
        signal.SIGTSTP,
        signal.SIGCONT,
        signal.SIGWINCH,
        signal.SIGCHLD,
        signal.SIGUSR1,
        signal.SIGUSR2,
    )

SAME_REQUEST: dict[int, float] = {signal.SIGINT: 0.05, signal.SIGTERM: 1.0}
"""Seconds from the first request within which such a signal is the same one: sent to both of
devrun's processes (``pkill -INT devrun``; nobody presses Ctrl+C twice as fast), or to the whole
group."""


class SignalInbox:
    """Numbers of received signals, oldest first.

    One instance lives as long as the process. ``SIGCHLD`` is kept once at most, because it only
    says that something may have ended.
    """

    def __init__(self) -> None:
        self._received: deque[int] = deque()
        self._wake: Callable[[], None] | None = None
        self._former: dict[int, object] = {}
        self._child_ended: Callable[[], None] | None = None

    def install(self) -> None:
        """Begin to record; signals that were ignored on entry (``nohup``) stay ignored."""
        for number in STOP_SIGNALS + OTHER_SIGNALS:
            former = signal.getsignal(number)
            if former is signal.SIG_IGN and number == getattr(signal, "SIGHUP", None):
                continue
            self._former[number] = former
            signal.signal(number, self._record)

    def uninstall(self) -> None:
        """Put the dispositions back that were in force before ``install``."""
        for number, former in self._former.items():
            signal.signal(number, signal.SIG_DFL if not callable(former) else former)
        self._former.clear()

    def subscribe(self, wake: Callable[[], None] | None) -> None:
        """Have ``wake`` called, in signal context, whenever something has arrived.

        It is called once at once if something is waiting already; None ends the subscription.
        """
        self._wake = wake
        if wake is not None and self._received:
            wake()

    def on_child(self, call: Callable[[], None] | None) -> None:
        """Have ``call`` called, in signal context, when a child has ended; None ends that."""
        self._child_ended = call

    def take(self) -> list[int]:
        """Return what has arrived since the last call, oldest first."""
        taken: list[int] = []
        while self._received:
            taken.append(self._received.popleft())
        return taken

    @property
    def stop_requested(self) -> bool:
        """Whether a signal that ends the run is waiting to be taken."""
        # A copy made in one step of C: the handler may append between any two bytecodes.
        return not set(self._received).isdisjoint(STOP_SIGNALS)

    def _record(self, number: int, _frame: FrameType | None) -> None:
        if number != getattr(signal, "SIGCHLD", None) or number not in self._received:
            self._received.append(number)
        if self._wake is not None:
            self._wake()
        if self._child_ended is not None and number == getattr(signal, "SIGCHLD", None):
            self._child_ended()


class StopRequests:
    """Tells the first signal that ends the run from one that presses for it."""

    def __init__(self) -> None:
        self._first_at: float | None = None

    def is_another(self, number: int) -> bool:
        """Whether a signal, received now, asks for more than the first one did."""
        now = time.monotonic()
        if self._first_at is None:
            self._first_at = now
            return False
        return now - self._first_at > SAME_REQUEST.get(number, inf)
