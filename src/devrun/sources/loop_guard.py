"""Notices when a service's own writes restart it again and again.

A service that writes a watched file while it starts would be restarted for ever. What tells it from
somebody who saves often is that *every* change follows soon after a start: people pause. So only
such changes are counted, and one that comes later takes all of them back.
"""

from __future__ import annotations

from collections import deque
from enum import Enum

MOST = 10
WINDOW = 60.0
"""As many restarts within as many seconds are a loop, if nothing else lies between them."""

SOON = 3.0
"""Seconds after a start within which a service is suspected of having changed the file itself. Six
would be the most that can make ten restarts a minute, but people save that often."""

REST = 10.0
"""Seconds without a change after which a suspended service is watched again."""


class Answer(Enum):
    """What to do about a change."""

    RESTART = "restart"
    SUSPEND = "suspend"
    """From now on its changes are passed over; said once."""
    PASS_OVER = "pass over"  # noqa: S105 - no password


class LoopGuard:
    """Counts the changes that may be the work of the very service that they restart.

    A service with ``MOST`` of them in ``WINDOW`` seconds and no other change in between is
    suspended until nothing has changed for ``REST`` seconds.
    """

    def __init__(self) -> None:
        self._fired: dict[int, deque[float]] = {}
        self._suspended: dict[int, float] = {}

    def changed(self, service: int, now: float, started_at: float | None = None) -> Answer:
        """Answer a change that would restart ``service``.

        Args:
            now: When the change was noticed, in seconds of any clock.
            started_at: When the service was started last, or None if that is unknown: the change
                is suspected then.
        """
        if service in self._suspended:
            quiet_since, self._suspended[service] = self._suspended[service], now
            if now - quiet_since < REST:
                return Answer.PASS_OVER
            del self._suspended[service]
        fired = self._fired.setdefault(service, deque(maxlen=MOST))
        if started_at is not None and now - started_at > SOON:
            fired.clear()
            return Answer.RESTART
        if len(fired) == MOST and now - fired[0] < WINDOW:
            fired.clear()
            self._suspended[service] = now
            return Answer.SUSPEND
        fired.append(now)
        return Answer.RESTART
