"""Who runs the processes."""

from __future__ import annotations

from devrun.errors import UsageError
from devrun.export.deployment import Deployment


def check_user_name(deployment: Deployment, style: str) -> None:
    """Refuse a user's number.

    Raises:
        UsageError: The user is one.
    """
    user = deployment.options.user
    if user is not None and user.isdecimal():
        raise UsageError(f"--user {user}: {style} takes the name of a user, not the number")
