"""Node's IPC seen from its parent: ``process.send('ready')``, and messages to ``process.on``.

A service that asks for it gets a Unix socket's path in ``DEVRUN_IPC`` and, in ``NODE_OPTIONS``, a
small script that is loaded before any Node program of its tree: ``shim.cjs``, which gives the
program what ``child_process.fork()`` would have given it. That is the only way, also for a program
that devrun starts directly; the descriptor that Node itself looks for (``NODE_CHANNEL_FD``) is not
used:

* The descriptor does not get through npm, pnpm or yarn: they are Node programs, take it, and the
  application has none. The socket's path gets through everything that passes variables on.
* The number of a descriptor in the environment means another file to whoever closed it: Python's
  ``subprocess`` does, and the Node program below aborts (SIGABRT).
* The shim says whether anybody listens, so that a stop by message can fall back to the signal.
* Measured beside each other with Node 20 and an HTTP server started directly: its first message is
  there after 62.9 ms instead of 60.4; one sent just before ``process.exit()`` arrives by both.

Several programs of a tree may connect, one after the other or together; what is sent goes to all
that listen.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from devrun.process.node.messages import Json, MessageReader, ProtocolError, encode, is_internal

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    import socket

    from devrun.process.private_folder import PrivateFolder

SHIM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shim.cjs")

MOST_UNREAD = 256 * 1024
"""Bytes that a program may leave unread, besides what the kernel holds, before it is dropped."""

_MOST_CONNECTIONS = 64
_READ_SIZE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Ready:
    """``process.send('ready')``."""


@dataclass(frozen=True, slots=True)
class Message:
    """Anything else that was sent. Its texts may hold lone surrogates, as JavaScript's may."""

    value: Json


@dataclass(frozen=True, slots=True)
class Closed:
    """A program's connection has ended.

    Attributes:
        reason: Why devrun ended it, or None if the program did.
    """

    reason: str | None


Heard = Ready | Message | Closed


def node_options(inherited: str, *, shim: str = SHIM) -> str:
    """Return ``NODE_OPTIONS`` that load the shim before what ``inherited`` asks for.

    Node splits the variable at blanks outside of double quotes, within which a backslash takes the
    next character as it is (``ParseNodeOptionsEnvVar`` in node.cc).
    """
    quoted = shim.replace("\\", "\\\\").replace('"', '\\"')
    option = f'--require "{quoted}"'
    return inherited if option in inherited else f"{option} {inherited}".rstrip()


@dataclass(slots=True, eq=False)
class _Connection:
    """One program's end.

    Attributes:
        unsent: What did not fit into the socket.
        broken: Why it is to be closed at the next look, if it is.
    """

    socket: socket.socket
    reader: MessageReader = field(default_factory=MessageReader)
    listens: bool = False
    unsent: bytearray = field(default_factory=bytearray)
    broken: str | None = None

    def note(self, internal: Json) -> None:
        """Take what the shim says of its program."""
        if isinstance(internal, dict) and internal["cmd"] == "NODE_DEVRUN":
            self.listens = internal.get("listens") is True


class NodeIpc:
    """One generation's socket and its connections. Use ``NodeIpc.open``: it needs no event loop."""

    def __init__(self, listener: socket.socket, path: str) -> None:
        import selectors

        self.path = path
        self._listener = listener
        self._connections: list[_Connection] = []
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._waiting = False

    @classmethod
    def open(cls, folder: PrivateFolder, name: str) -> NodeIpc:
        """Listen in ``folder``; what is sent before anybody reads waits in the socket.

        Raises:
            OSError: There are no more descriptors, or the folder is full.
        """
        import socket

        if sys.platform == "win32":
            raise NotImplementedError
        path = folder.path_for(name)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.settimeout(0)
            listener.bind(path)
            os.chmod(path, 0o600)
            listener.listen(_MOST_CONNECTIONS)
        except OSError:
            listener.close()
            raise
        return cls(listener, path)

    def variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return what the service's environment is to have.

        Args:
            environ: What it has so far; its ``NODE_OPTIONS`` are kept.
        """
        options = node_options(environ.get("NODE_OPTIONS", ""))
        return {"DEVRUN_IPC": self.path, "NODE_OPTIONS": options}

    @property
    def is_heard(self) -> bool:
        """Whether a program listens for messages."""
        return any(each.listens and each.broken is None for each in self._connections)

    def send_nowait(self, value: Json) -> bool:
        """Send a message to every program that listens; False if none does.

        Never blocks. A program that has left too much unread is dropped: ``hear`` says so.
        """
        import socket

        line = encode(value)
        heard = False
        for each in self._connections:
            if not each.listens or each.broken is not None:
                continue
            each.unsent += line
            self._flush(each)
            if len(each.unsent) > MOST_UNREAD:
                each.broken = f"it left more than {MOST_UNREAD // 1024} KiB of messages unread"
                with suppress(OSError):
                    each.socket.shutdown(socket.SHUT_RDWR)  # Whoever waits for it wakes up.
                continue
            heard = True
        return heard

    async def hear(self) -> list[Heard]:
        """Wait until a program says something, and return it; nothing once it is closed."""
        import trio

        await trio.lowlevel.checkpoint()
        while self._listener.fileno() >= 0:
            if found := self.receive():
                return found
            self._waiting = True
            try:
                # A selector can be waited for itself, epoll(7) and kqueue(2) alike.
                await trio.lowlevel.wait_readable(self._wakes())
            except trio.ClosedResourceError:
                break
            finally:
                self._waiting = False
        return []

    def receive(self) -> list[Heard]:
        """Return what has been said since the last call, without waiting; of a flood, a part."""
        import selectors

        found: list[Heard] = []
        if self._listener.fileno() < 0:
            return found
        for key, events in self._selector.select(0):
            if key.data is None:
                found += self._accept()
                continue
            connection: _Connection = key.data
            if events & selectors.EVENT_WRITE:
                self._flush(connection)
            if events & selectors.EVENT_READ:
                found += self._read(connection)
        return found

    def close(self) -> None:
        """End every connection and remove the socket."""
        if self._listener.fileno() < 0:
            return
        if self._waiting:
            import trio

            trio.lowlevel.notify_closing(self._wakes())
        self._selector.close()
        for each in self._connections:
            each.socket.close()
        self._connections.clear()
        self._listener.close()
        with suppress(FileNotFoundError):  # The folder may have gone first.
            os.unlink(self.path)

    def _wakes(self) -> int:
        """Return a descriptor that is readable as soon as there is something to do."""
        if sys.platform == "win32":
            raise NotImplementedError
        return self._selector.fileno()

    def _accept(self) -> list[Heard]:
        import selectors

        try:
            accepted, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return []
        except OSError as error:  # No descriptor is left; asking again at once would not help.
            self._selector.unregister(self._listener)
            return [Closed(f"cannot accept its connection: {(error.strerror or '').lower()}")]
        if len(self._connections) >= _MOST_CONNECTIONS:
            accepted.close()
            return []
        accepted.settimeout(0)
        connection = _Connection(accepted)
        self._connections.append(connection)
        self._selector.register(accepted, selectors.EVENT_READ, connection)
        return []

    def _read(self, connection: _Connection) -> list[Heard]:
        try:
            data = connection.socket.recv(_READ_SIZE)
        except BlockingIOError:
            return []
        except OSError:  # Reset: it was killed with messages unread.
            data = b""
        if not data:
            return [self._drop(connection, connection.broken)]
        found: list[Heard] = []
        try:
            for value in connection.reader.feed(data):
                if is_internal(value):
                    connection.note(value)
                else:
                    found.append(Ready() if value == "ready" else Message(value))
        except ProtocolError as error:
            found.append(self._drop(connection, str(error)))
        return found

    def _flush(self, connection: _Connection) -> None:
        """Write as much as there is room for, and ask to be told of more room if need be."""
        import selectors

        try:
            while connection.unsent:
                del connection.unsent[: connection.socket.send(connection.unsent)]
        except BlockingIOError:
            events = selectors.EVENT_READ | selectors.EVENT_WRITE
        except OSError:  # It is gone, which reading will show.
            connection.unsent.clear()
            events = selectors.EVENT_READ
        else:
            events = selectors.EVENT_READ
        self._selector.modify(connection.socket, events, connection)

    def _drop(self, connection: _Connection, reason: str | None) -> Closed:
        self._selector.unregister(connection.socket)
        connection.socket.close()
        self._connections.remove(connection)
        return Closed(reason)
