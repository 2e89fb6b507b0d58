"""Notices when a service's own writes restart it again and again."""

from __future__ import annotations

from collections import deque
from enum import Enum

MOST = 10
WINDOW = 60.0
"""As many restarts within as many seconds are a loop, not somebody saving files."""

REST = 10.0
"""Seconds without a change after which a suspended service is watched again."""


class Answer(Enum):
    """What to do about a change."""

    RESTART = "restart"
    SUSPEND = "suspend"
    """From now on its changes are passed over; said once."""
    PASS_OVER = "pass over"  # noqa: S105 - no password


class LoopGuard:
    """Counts the changes that restarted each service.

    A service that changed ``MOST`` times in ``WINDOW`` seconds is suspended until it has been quiet
    for ``REST`` seconds.
    """

    def __init__(self) -> None:
        self._fired: dict[int, deque[float]] = {}
        self._suspended: dict[int, float] = {}

    def changed(self, service: int, now: float) -> Answer:
        """Answer a change that would restart ``service`` at ``now``, in seconds."""
        if service in self._suspended:
            quiet_since, self._suspended[service] = self._suspended[service], now
            if now - quiet_since < REST:
                return Answer.PASS_OVER
            del self._suspended[service]
        fired = self._fired.setdefault(service, deque(maxlen=MOST))
        if len(fired) == MOST and now - fired[0] < WINDOW:
            fired.clear()
            self._suspended[service] = now
            return Answer.SUSPEND
        fired.append(now)
        return Answer.RESTART
