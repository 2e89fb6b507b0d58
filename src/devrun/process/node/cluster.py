"""Node's cluster protocol as a primary speaks it: bytes in, typed values out; no I/O.

A Node program that finds ``NODE_UNIQUE_ID`` and ``NODE_CHANNEL_FD`` in its environment asks its
parent for each address it is to listen on, and gets a descriptor. As devrun is that parent, and
keeps what it has bound, an unmodified ``server.listen(port)`` loses no connection when one
generation follows another.

The protocol is private to Node (``lib/internal/cluster/child.js``, ``primary.js`` and
``lib/internal/child_process.js``), though it has hardly changed in years;
``node_program.KNOWN_MAJORS`` are the versions it was tried with. One JSON value per line:

- The worker says ``{cmd: 'NODE_CLUSTER', act: ..., seq}``: ``online``; ``queryServer`` with
  address, port, addressType, fd, flags, index; ``listening``; ``close`` with the key of a handle;
  ``exitedAfterDisconnect``, which has to be acknowledged, or the worker does not end.
- An answer is ``{cmd: 'NODE_CLUSTER', ack: seq, key, errno, data}``. With a descriptor it is the
  ``msg`` of ``{cmd: 'NODE_HANDLE', type: 'net.Native'}`` and the descriptor is attached to that
  line. The other side says ``NODE_HANDLE_ACK`` or, if no descriptor came, ``NODE_HANDLE_NACK``;
  until then nothing else may be sent.
- What has no ``cmd`` that begins with ``NODE_`` is the program's own: ``process.send('ready')``.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

LONGEST_LINE = 1 << 20
"""Bytes; a longer message is passed over, so that a program cannot fill devrun's memory."""

_RETRIES = 3
"""How often a descriptor that did not arrive is sent again, as Node has it."""


class AddressType(Enum):
    """What a worker asks to be bound; the values are those on the wire."""

    TCP4 = 4
    TCP6 = 6
    PATH = -1
    """A Unix socket."""
    UDP4 = "udp4"
    UDP6 = "udp6"

    @property
    def is_datagram(self) -> bool:
        """Whether there is nothing to listen on, only to bind."""
        return self in {AddressType.UDP4, AddressType.UDP6}


@dataclass(frozen=True, slots=True)
class Address:
    """What a worker wants to listen on.

    Attributes:
        host: Numeric address, or the path of a Unix socket; None for all addresses.
        port: 0 for any; below 0 for a Unix socket.
        fd: Descriptor of the primary that is to be used instead, or None.
        flags: As of libuv: 1 for IPv6 alone, 2 for SO_REUSEPORT (TCP), 4 for SO_REUSEADDR (UDP).
        index: Tells apart servers that ask for any port.
    """

    host: str | None
    port: int
    type: AddressType
    fd: int | None = None
    flags: int = 0
    index: int = 0

    @property
    def key(self) -> str:
        """Equal for what is shared among workers."""
        index = f":{self.index}" if self.port == 0 else ""
        return f"{self.host}:{self.port}:{self.type.value}:{self.fd}{index}"


# -- what the other side says -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Online:
    """The program runs, and speaks the protocol."""


@dataclass(frozen=True, slots=True)
class Query:
    """A descriptor for an address is wanted.

    Attributes:
        data: What all servers of that address are to have in common (TLS ticket keys).
    """

    address: Address
    seq: int
    data: object = None


@dataclass(frozen=True, slots=True)
class Listening:
    """A server accepts connections.

    Attributes:
        port: What it really listens on; None for a Unix socket.
    """

    host: str | None
    port: int | None
    type: AddressType


@dataclass(frozen=True, slots=True)
class Closing:
    """A server has been closed."""

    key: str


@dataclass(frozen=True, slots=True)
class Leaving:
    """The program called ``cluster.worker.disconnect()`` or ``kill()``, and waits for an answer."""

    seq: int


@dataclass(frozen=True, slots=True)
class Message:
    """``process.send(value)``."""

    value: object


@dataclass(frozen=True, slots=True)
class Unsupported:
    """The program runs in a version of Node that is not known: it opens its ports itself."""

    version: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What came was no message; it has been passed over."""

    reason: str


Incoming = Online | Query | Listening | Closing | Leaving | Message | Unsupported | Unreadable


# -- a conversation -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One line to be written, with a descriptor attached to its first byte, or None."""

    line: bytes
    handle: int | None = None


class Conversation:
    """Both directions of one channel."""

    def __init__(self) -> None:
        self._lines = _Lines()
        self._urgent: deque[Outgoing] = deque()
        self._queue: deque[Outgoing] = deque()
        self._unacknowledged: Outgoing | None = None
        self._tries = 0

    def receive(self, data: bytes) -> list[Incoming]:
        """Take bytes as they came, and return what they say."""
        said: list[Incoming] = []
        for line in self._lines.cut(data):
            if isinstance(line, Unreadable):
                said.append(line)
            elif line:
                said += self._understand(line)
        return said

    def _understand(self, line: bytes) -> Sequence[Incoming]:
        try:
            value: object = json.loads(line)
        except (ValueError, RecursionError) as error:
            return [Unreadable(f"no JSON: {error}")]
        match value:
            case {"cmd": "NODE_HANDLE_ACK"}:
                self._unacknowledged = None
                self._tries = 0
            case {"cmd": "NODE_HANDLE_NACK"}:
                self._send_again()
            case {"cmd": "NODE_HANDLE", "msg": message}:
                # The program passed a socket of its own; devrun has no use for it.
                self._urgent.append(_ACKNOWLEDGEMENT)
                return [Message(message)]
            case {"cmd": "NODE_CLUSTER", **fields}:
                return _act(fields)
            case {"cmd": str(command)} if command.startswith("NODE_"):
                pass  # Internal to Node.
            case _:
                return [Message(value)]
        return []

    def _send_again(self) -> None:
        last, self._unacknowledged = self._unacknowledged, None
        self._tries += 1
        if last is not None and self._tries <= _RETRIES:
            self._urgent.append(last)

    def send(self, value: object) -> None:
        """Queue a message; ``process.on('message')`` gets it."""
        self._queue.append(Outgoing(_line(value)))

    def refuse(self, query: Query, errno: int) -> None:
        """Queue the answer that there is no descriptor, with a positive error number."""
        self.send(_reply(query, -errno, None))

    def hand_over(self, query: Query, handle: int, data: object) -> None:
        """Queue the answer that has a descriptor, which stays the caller's."""
        kind = "dgram.Native" if query.address.type.is_datagram else "net.Native"
        value = {"cmd": "NODE_HANDLE", "type": kind, "msg": _reply(query, 0, data)}
        self._queue.append(Outgoing(_line(value), handle))

    def acknowledge(self, leaving: Leaving) -> None:
        """Queue the answer that lets a worker end."""
        self.send({"cmd": "NODE_CLUSTER", "ack": leaving.seq})

    def ask_to_drain(self) -> None:
        """Queue the request to close all servers, finish what was begun, and close the channel."""
        self.send({"cmd": "NODE_CLUSTER", "act": "disconnect"})

    @property
    def waiting(self) -> int:
        """How many bytes have not been taken yet."""
        return sum(len(outgoing.line) for outgoing in self._queue)

    def take(self) -> Outgoing | None:
        """Return what is to be written next; None: nothing, or not before something comes."""
        if self._urgent:
            outgoing = self._urgent.popleft()
        elif self._queue and self._unacknowledged is None:
            outgoing = self._queue.popleft()
        else:
            return None
        if outgoing.handle is not None:
            self._unacknowledged = outgoing
        return outgoing


class _Lines:
    """Cuts bytes at newlines, and passes over lines that are too long."""

    def __init__(self) -> None:
        self._rest = b""
        self._skips = False

    def cut(self, data: bytes) -> Iterator[bytes | Unreadable]:
        *lines, rest = (self._rest + data).split(b"\n")
        for line in lines:
            if self._skips:
                self._skips = False
            else:
                yield line if len(line) <= LONGEST_LINE else _TOO_LONG
        if len(rest) > LONGEST_LINE and not self._skips:
            self._skips = True
            yield _TOO_LONG
        self._rest = b"" if self._skips else rest


_TOO_LONG = Unreadable(f"a message of more than {LONGEST_LINE} bytes")


def _line(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


_ACKNOWLEDGEMENT = Outgoing(_line({"cmd": "NODE_HANDLE_ACK"}))


def _reply(query: Query, errno: int, data: object) -> Mapping[str, object]:
    return {
        "cmd": "NODE_CLUSTER",
        "errno": errno,
        "key": query.address.key,
        "ack": query.seq,
        "data": data,
    }


def _act(value: Mapping[object, object]) -> Sequence[Incoming]:
    """Return what a worker says to its primary; nothing for what needs no answer."""
    match value:
        case {"act": "online"}:
            return [Online()]
        case {"act": "queryServer", "seq": int(seq)}:
            address = _address(value)
            return [Query(address, seq, value.get("data"))] if address else [_STRANGE]
        case {"act": "listening"}:
            address = _address(value)
            if address is None:
                return [_STRANGE]
            port = None if address.port < 0 else address.port
            return [Listening(address.host, port, address.type)]
        case {"act": "close", "key": str(key)}:
            return [Closing(key)]
        case {"act": "exitedAfterDisconnect", "seq": int(seq)}:
            return [Leaving(seq)]
        case {"act": "unsupported", "version": str(version)}:
            return [Unsupported(version)]
        case _:
            return []


_STRANGE = Unreadable("an address of an unknown kind")


def _address(value: Mapping[object, object]) -> Address | None:
    match value.get("addressType"):
        case (int() | str()) as kind if kind in _TYPES:
            type_ = AddressType(kind)
        case None:  # ``listen({fd})``
            type_ = AddressType.TCP4
        case _:
            return None
    host = value.get("address")
    return Address(
        host if isinstance(host, str) and host else None,
        _whole(value.get("port")),
        type_,
        _descriptor(value.get("fd")),
        _whole(value.get("flags")),
        _whole(value.get("index")),
    )


_TYPES = frozenset(each.value for each in AddressType)


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _descriptor(value: object) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None
