"""The guardian: a small process above devrun that outlives it by what it leaves behind (Linux).

devrun forks before it imports anything large. The parent is the guardian: it waits for signals and
for its child, the worker, which is devrun proper. Each is the other's insurance:

* The guardian is a child subreaper. If the worker dies in any way, all that it had started becomes
  the guardian's and is killed before the guardian ends with the worker's own status.
* The worker asks for SIGCONT when the guardian dies. That signal also wakes a stopped process, and
  the worker tells the case from a plain continuation by its changed parent.

The worker leads a session of its own. So each signal reaches it once, from the guardian, whether
the terminal sent it or another process did, and a job in the background may still write to the
terminal. The guardian keeps the place in the shell's job: it stops when the worker has stopped.

Signals are blocked in the guardian and fetched with ``sigwaitinfo(2)``: none can be lost or
interrupt anything, and PID 1 receives blocked signals even where the default is to ignore them
(``signal(7)``; tini does the same).
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable

SAME_REQUEST = 0.5
"""Seconds within which a signal from a second sender is the same request: npm and pnpm pass a
Ctrl+C on that the terminal has delivered already."""


def start(*, before_guarding: Callable[[], None]) -> int | None:
    """Fork; return the guardian's pid in the worker, and never return in the guardian.

    Args:
        before_guarding: Called in the guardian alone, once, before it begins to wait.

    Returns:
        The guardian's pid, or None where the platform has no subreapers.
    """
    if sys.platform != "linux":
        return None
    from devrun.process import guarding, prctl

    signals = guarding.guarded_signals()
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    prctl.become_subreaper()
    gc.freeze()
    guardian = os.getpid()
    worker = os.fork()
    if worker:
        before_guarding()
        guarding.guard(worker, signals)
    os.setsid()
    prctl.become_subreaper()
    prctl.signal_on_parent_death(signal.SIGCONT)
    if os.getppid() != guardian:
        os._exit(128 + signal.SIGKILL)
    gc.unfreeze()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
    return guardian


class Senders:
    """Tells a request that reached us by two ways from two requests.

    A signal from another sender within half a second of the last of its kind is the same request;
    from the same sender it is a new one.
    """

    def __init__(self) -> None:
        self._last: dict[int, tuple[tuple[int, int], float]] = {}

    def is_new(self, number: int, sender: tuple[int, int], now: float) -> bool:
        """Whether to act on signal ``number`` from ``sender`` (si_code, si_pid) at ``now``."""
        last = self._last.get(number)
        stops = number in (signal.SIGINT, signal.SIGTERM)
        if stops and last is not None and last[0] != sender and now - last[1] < SAME_REQUEST:
            return False
        self._last[number] = (sender, now)
        return True
