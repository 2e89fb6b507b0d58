"""What starts programs when a user logs in, or the machine starts."""

from __future__ import annotations

import os
import sys
from enum import Enum


class LoginManager(Enum):
    """Who does it."""

    SYSTEMD = "systemd"
    LAUNCHD = "launchd"


def login_manager() -> LoginManager | None:
    """Return who does it on this platform; None if that is nobody who is known here."""
    if sys.platform == "win32":
        return None
    return LoginManager.LAUNCHD if sys.platform == "darwin" else LoginManager.SYSTEMD


def user_id() -> int:
    """Return the number of this user, which launchd calls its domains by."""
    if sys.platform == "win32":
        raise NotImplementedError
    return os.getuid()
