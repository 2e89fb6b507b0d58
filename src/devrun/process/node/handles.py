"""The sockets that Node workers share: bound once, kept while workers come and go."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from devrun.process.node.cluster import Address, AddressType

_IPV6_ONLY = 1  # UV_TCP_IPV6ONLY, UV_UDP_IPV6ONLY
_REUSE_PORT = 2  # UV_TCP_REUSEPORT
_REUSE_ADDRESS = 4  # UV_UDP_REUSEADDR


@dataclass(slots=True)
class Shared:
    """A bound socket.

    Attributes:
        data: What the first server that asked for it gave for all others.
        users: Who has a copy and has not said that it closed it.
        file: Device and inode of the file that a Unix socket is bound to.
        borrowed: It belongs to the service's held sockets, and is not closed here.
    """

    address: Address
    socket: socket.socket
    data: object = None
    users: set[object] = field(default_factory=set)
    file: tuple[int, int] | None = None
    borrowed: bool = False

    @property
    def fileno(self) -> int:
        """The descriptor to be handed over."""
        return self.socket.fileno()


class SharedHandles:
    """All sockets of one service.

    A worker that ends without a word leaves its sockets as they are: connections wait for the next
    one. A worker that closes a server and lives on means it, and nobody would accept any more; so
    ``give_back`` tells when none is left who uses a socket, for ``release`` to be called.

    Args:
        inherited: What ``listen({fd: 3})`` and the numbers after it mean.
    """

    def __init__(self, inherited: Sequence[socket.socket] = ()) -> None:
        self._inherited = inherited
        self._shared: dict[str, Shared] = {}

    def lend(self, address: Address, user: object, data: object) -> Shared:
        """Return the socket for an address, bound if need be, with ``user`` among its users.

        Raises:
            OSError: It cannot be had; ``errno`` says why.
        """
        shared = self._shared.get(address.key)
        if shared is None or user in shared.users or not _still_there(shared):
            fresh = self._bind(address)
            if shared is not None:
                self._forget(shared)
            shared = self._shared[address.key] = fresh
        shared.data = shared.data or data
        shared.users.add(user)
        return shared

    def give_back(self, key: str, user: object) -> bool:
        """Say that a worker closed a server; returns whether it was the last one."""
        shared = self._shared.get(key)
        if shared is None or user not in shared.users:
            return False
        shared.users.discard(user)
        return not shared.users

    def forget_user(self, user: object) -> None:
        """Say that a worker is no more; what it used stays bound."""
        for shared in self._shared.values():
            shared.users.discard(user)

    def release(self, key: str) -> None:
        """Close a socket that nobody uses."""
        shared = self._shared.get(key)
        if shared is not None and not shared.users:
            self._forget(shared)

    def release_unused(self) -> None:
        """Close all sockets that nobody uses, as when a new generation no longer asks for them."""
        for key in list(self._shared):
            self.release(key)

    def close(self) -> None:
        """Close all sockets."""
        for shared in list(self._shared.values()):
            self._forget(shared)

    def _bind(self, address: Address) -> Shared:
        if address.fd is not None:
            place = address.fd - 3
            if not 0 <= place < len(self._inherited):
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            held = self._inherited[place]
            held.settimeout(0)
            return Shared(address, held, borrowed=True)
        try:
            return _bound(address)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not self._release_rivals(address):
                raise
        return _bound(address)

    def _release_rivals(self, address: Address) -> bool:
        """Close sockets of the same port, under another name, that nobody uses any more."""
        rivals = [
            shared
            for shared in self._shared.values()
            if not shared.users and _port(shared) == address.port
        ]
        for shared in rivals:
            self._forget(shared)
        return bool(rivals)

    def _forget(self, shared: Shared) -> None:
        if self._shared.get(shared.address.key) is shared:
            del self._shared[shared.address.key]
        if shared.borrowed:
            return
        if shared.file is not None and _file_at(shared.address.host) == shared.file:
            with suppress(OSError):
                os.unlink(shared.address.host or "")
        shared.socket.close()


def _port(shared: Shared) -> int:
    if shared.address.type is AddressType.PATH:
        return -1
    return int(shared.socket.getsockname()[1])


def _still_there(shared: Shared) -> bool:
    """Whether a Unix socket's file has not been removed, as programs do before they listen."""
    return shared.file is None or _file_at(shared.address.host) == shared.file


def _file_at(path: str | None) -> tuple[int, int] | None:
    try:
        found = os.lstat(path or "")
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _bound(address: Address) -> Shared:
    """Bind as ``createServerHandle`` of Node's ``lib/net.js`` does."""
    if address.type is AddressType.PATH:
        return _bound_path(address)
    if address.host is not None:
        six = address.type in {AddressType.TCP6, AddressType.UDP6}
        return Shared(address, _bound_to(address, address.host, six=six))
    if address.type is not AddressType.UDP4:
        try:
            return Shared(address, _bound_to(address, "::", six=True))
        except OSError:
            if address.type is AddressType.UDP6:
                raise
    return Shared(address, _bound_to(address, "0.0.0.0", six=False))  # noqa: S104 - as asked


def _bound_to(address: Address, host: str, *, six: bool) -> socket.socket:
    datagram = address.type.is_datagram
    family = socket.AF_INET6 if six else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_DGRAM if datagram else socket.SOCK_STREAM)
    try:
        bound.settimeout(0)  # Node expects what it receives to be non-blocking.
        if not datagram or address.flags & _REUSE_ADDRESS:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if not datagram and address.flags & _REUSE_PORT and sys.platform != "win32":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if six:
            only = address.flags & _IPV6_ONLY
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
        flags = socket.AI_NUMERICHOST
        where = socket.getaddrinfo(host, address.port, family, bound.type, flags=flags)[0][4]
        bound.bind(where)
    except socket.gaierror as error:
        bound.close()
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL)) from error
    except (OSError, ValueError):
        bound.close()
        raise
    return bound


if sys.platform != "win32":

    def _bound_path(address: Address) -> Shared:
        path = address.host or ""
        bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            bound.settimeout(0)
            # The system takes about a hundred bytes; Node goes by the shorter way too.
            bound.bind(min(path, os.path.relpath(path), key=len))
        except (OSError, ValueError):
            bound.close()
            raise
        return Shared(address, bound, file=_file_at(path))

else:

    def _bound_path(address: Address) -> Shared:
        raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT), address.host)
