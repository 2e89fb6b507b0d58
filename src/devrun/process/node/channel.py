"""What a process has to inherit to reach devrun as its Node cluster primary.

There are two ways:

- ``open_inherited``: Node's own, an inherited channel (``NODE_CHANNEL_FD``). For programs that
  devrun starts directly, see ``node_program.is_node_program``: below npm there is none, because npm
  is a Node program and takes it. ``cluster.isWorker`` is true in the program, and what it says with
  ``process.send`` comes by this channel.
- ``open_preloaded``: a small script that is loaded before every Node program of the tree
  (``cluster_shim.cjs``) and connects when a server is to listen. It gets through all wrappers,
  needs no version check beforehand, leaves ``process.send`` and ``cluster`` alone, and can end
  connections that are kept alive when a generation is drained.

Both are made before the process is started, which may be before the event loop exists; what comes
meanwhile waits in the sockets.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

SHIM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cluster_shim.cjs")

_LOWEST = 64
"""Numbers below are left to sockets that a service inherits as 3 and what follows."""

_WAITING = 64
"""Programs of one tree that may be connecting at a time."""


@dataclass(slots=True, eq=False)
class Channel:
    """What one generation of an instance is given.

    Attributes:
        number: Which instance, from 1.
        variables: What the environment has to have.
        descriptors: What the process has to inherit, under the same numbers.
        own: devrun's end of an inherited channel, or None.
        listener: Where preloaded programs connect, or None.
        retiring: It is being stopped: what it closes is kept for its successor.
    """

    number: int
    variables: Mapping[str, str]
    descriptors: tuple[int, ...] = ()
    own: socket.socket | None = None
    listener: socket.socket | None = None
    path: str | None = None
    retiring: bool = False

    def started(self) -> None:
        """Say that the process has been started: its end is closed here. Again is nothing."""
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors = ()

    def close(self) -> None:
        """Take no more connections, and end an inherited channel, which ends its worker.

        For the time when the process has ended, or could not be started. Again is nothing.
        """
        self.started()
        for each in (self.own, self.listener):
            if each is not None:
                close_socket(each)
        if self.path is not None:
            with suppress(OSError):
                os.unlink(self.path)
            self.path = None


def close_socket(each: socket.socket) -> None:
    """Close a socket that somebody may be waiting for in the event loop, if there is one."""
    if each.fileno() >= 0 and "trio" in sys.modules:
        lowlevel = sys.modules["trio"].lowlevel
        if lowlevel.in_trio_run():
            lowlevel.notify_closing(each)
    each.close()


def node_options(inherited: str) -> str:
    """Return ``NODE_OPTIONS`` that load the script before what ``inherited`` asks for.

    Node splits the variable at blanks outside of double quotes, within which a backslash takes the
    next character as it is (``ParseNodeOptionsEnvVar`` in node.cc).
    """
    quoted = SHIM.replace("\\", "\\\\").replace('"', '\\"')
    option = f'--require "{quoted}"'
    return inherited if option in inherited else f"{option} {inherited}".rstrip()


if sys.platform != "win32":

    def open_inherited(number: int) -> Channel:
        """Make the channel for a Node program that devrun starts directly.

        Raises:
            OSError: There are no more descriptors.
        """
        import fcntl

        own, theirs = socket.socketpair()
        with theirs:
            own.settimeout(0)
            descriptor = fcntl.fcntl(theirs, fcntl.F_DUPFD_CLOEXEC, _LOWEST)
        variables = {
            "NODE_UNIQUE_ID": str(number),
            "NODE_CHANNEL_FD": str(descriptor),
            "NODE_CHANNEL_SERIALIZATION_MODE": "json",
        }
        return Channel(number, variables, (descriptor,), own=own)

    def open_preloaded(number: int, path: str, environ: Mapping[str, str]) -> Channel:
        """Make the socket that Node programs anywhere in a tree connect to.

        Args:
            path: Where: a path of up to 103 bytes in a folder that no other user can enter.
            environ: What the environment has so far; its ``NODE_OPTIONS`` are kept.

        Raises:
            OSError: There are no more descriptors, or the path is taken.
        """
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.settimeout(0)
            listener.bind(path)
            os.chmod(path, 0o600)
            listener.listen(_WAITING)
        except OSError:
            listener.close()
            raise
        options = node_options(environ.get("NODE_OPTIONS", ""))
        variables = {"DEVRUN_PORTS": path, "NODE_OPTIONS": options}
        return Channel(number, variables, listener=listener, path=path)

else:

    def open_inherited(number: int) -> Channel:
        """Fail: descriptors cannot be handed over."""
        raise NotImplementedError(number)

    def open_preloaded(number: int, path: str, environ: Mapping[str, str]) -> Channel:
        """Fail: there are no Unix sockets."""
        raise NotImplementedError(number, path, environ)
