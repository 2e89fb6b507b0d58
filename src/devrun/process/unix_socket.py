"""Unix sockets that are this user's alone."""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Callable

_BACKLOG = 128
"""Clients that wait to be accepted. When there are more, whoever does not block is refused, and may
take itself to be connected (EAGAIN, connect(2))."""

if sys.platform != "win32":

    def listen_at(path: str) -> socket.socket:
        """Return a socket that listens at a path, in a folder that no other user can enter.

        Raises:
            OSError: There is something at the path, or there is no descriptor.
        """
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(path)
            os.chmod(path, 0o600)
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
        return listener

    def connect_to(path: str, patience: float | None = None) -> socket.socket:
        """Return a socket that is connected to what listens at a path.

        Args:
            patience: Seconds after which it is given up, where so many wait there that nobody else
                can; None: wait for ever.

        Raises:
            BlockingIOError: It was given up.
            OSError: Nothing does.
        """
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            if patience is not None:  # A timeout of Python's own would not wait at all here.
                limit = struct.pack("@ll", int(patience), int(patience % 1 * 1_000_000))
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
            stream.connect(path)
        except OSError:
            stream.close()
            raise
        return stream

else:

    def listen_at(path: str) -> socket.socket:
        """There are none."""
        raise OSError(f"no Unix sockets here: {path}")

    def connect_to(path: str, patience: float | None = None) -> socket.socket:
        """There are none."""
        raise OSError(f"no Unix sockets here: {path}, {patience}")


if sys.platform == "linux":

    def is_own(option: Callable[[int, int, int], bytes]) -> bool:
        """Whether the other side is this user, or root (``SO_PEERCRED``, unix(7)).

        Args:
            option: The socket's ``getsockopt``.
        """
        credentials = option(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        _, uid, _ = struct.unpack("3i", credentials)
        return uid in (0, os.getuid())

else:

    def is_own(_option: Callable[[int, int, int], bytes]) -> bool:
        """Whether the other side is this user: the folder is closed to others."""
        return True


def is_hung_up(descriptor: int) -> bool:
    """Whether the other side has closed the socket, rather than only its own direction of it.

    poll(2) says so of a Unix socket; where it cannot be asked, the answer is yes.
    """
    import select

    poll = getattr(select, "poll", None)
    if poll is None or descriptor < 0:
        return True
    asked = poll()
    asked.register(descriptor, 0)  # What is wrong is told unasked.
    return bool(asked.poll(0))


def most_descriptors() -> int | None:
    """Return how many descriptors this process may have (the soft ``RLIMIT_NOFILE``), if few."""
    if sys.platform == "win32":
        return None
    most = os.sysconf("SC_OPEN_MAX")
    return most if most > 0 else None
