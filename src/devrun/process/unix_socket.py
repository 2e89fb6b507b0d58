"""Unix sockets that are this user's alone."""

from __future__ import annotations

import os
import socket
import struct
import sys

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
            listener.listen(16)
        except OSError:
            listener.close()
            raise
        return listener

    def connect_to(path: str) -> socket.socket:
        """Return a socket that is connected to what listens at a path.

        Raises:
            OSError: Nothing does.
        """
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            stream.connect(path)
        except OSError:
            stream.close()
            raise
        return stream

else:

    def listen_at(path: str) -> socket.socket:
        """There are none."""
        raise OSError(f"no Unix sockets here: {path}")

    def connect_to(path: str) -> socket.socket:
        """There are none."""
        raise OSError(f"no Unix sockets here: {path}")


if sys.platform == "linux":

    def is_own(descriptor: int) -> bool:
        """Whether the other side is this user, or root (``SO_PEERCRED``, unix(7))."""
        with socket.socket(fileno=os.dup(descriptor)) as stream:
            credentials = stream.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        _, uid, _ = struct.unpack("3i", credentials)
        return uid in (0, os.getuid())

else:

    def is_own(_descriptor: int) -> bool:
        """Whether the other side is this user: the folder is closed to others."""
        return True
