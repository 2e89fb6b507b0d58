"""Where probes connect to, and the connection."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from functools import partial

import trio

from devrun.supervise.probes.threads import in_thread

TYPE_CHECKING = False  # most services have no sockets of devrun's
if TYPE_CHECKING:
    from devrun.process.listeners import Approach

CONNECT_ERRORS = (OSError, ValueError, OverflowError)
"""What looking up and connecting raise: ValueError for a name that is none, OverflowError for a
port that is none."""

_LOOPBACK = {4: "127.0.0.1", 6: "::1"}


@dataclass(frozen=True, slots=True)
class Host:
    """A host as it was looked up.

    Attributes:
        addresses: Where it is; never empty.
        is_local: It is this machine's loopback, so that what it sends has not left the machine.
    """

    name: str
    addresses: tuple[str, ...]
    is_local: bool


async def look_up(name: str) -> Host:
    """Find a host.

    ``localhost`` is both loopback addresses, whatever the machine's name service has to say of it
    (RFC 6761, 6.3); the address of all interfaces stands for the loopback one.

    Raises:
        OSError: It is not known, or CONNECT_ERRORS.
    """
    name = name.strip("[]").rstrip(".").lower()
    if name in ("", "localhost") or name.endswith(".localhost"):
        return Host(name or "localhost", tuple(_LOOPBACK.values()), is_local=True)
    addresses = _literal(name) or await _resolve(name)
    return Host(name, addresses, is_local=all(map(is_loopback, addresses)))


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own to itself."""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped.is_loopback
    return parsed.is_loopback


def _literal(name: str) -> tuple[str, ...]:
    try:
        parsed = ipaddress.ip_address(name)
    except ValueError:
        return ()
    return (_LOOPBACK[parsed.version],) if parsed.is_unspecified else (name,)


async def _resolve(name: str) -> tuple[str, ...]:
    rows = await in_thread(partial(socket.getaddrinfo, name, None, type=socket.SOCK_STREAM))
    return tuple(dict.fromkeys(str(row[4][0]) for row in rows))


async def connect(host: Host, port: int, sockets: Approach | None = None) -> trio.SocketStream:
    """Connect to a host.

    Loopback addresses are tried one after another, so that the same one answers each time.

    Args:
        sockets: Those that devrun holds for who is asked, if it does.

    Raises:
        OSError: No address accepts, or CONNECT_ERRORS.
    """
    is_held = sockets is not None and sockets.holds(port)
    if not host.is_local and not is_held:
        return await trio.open_tcp_stream(host.name, port)
    *others, last = host.addresses
    for address in others:
        try:
            return await _connect(address, port, sockets if is_held else None)
        except CONNECT_ERRORS:
            continue
    return await _connect(last, port, sockets if is_held else None)


async def _connect(address: str, port: int, sockets: Approach | None) -> trio.SocketStream:
    if sockets is None:
        return await trio.open_tcp_stream(address, port)
    family = trio.socket.AF_INET6 if ":" in address else trio.socket.AF_INET
    connection = trio.socket.socket(family, trio.socket.SOCK_STREAM)
    try:
        await connection.bind(("", 0))
        with sockets.steered(connection.getsockname()[1]):
            await connection.connect((address, port))
    except BaseException:  # Cancelled, too.
        connection.close()
        raise
    return trio.SocketStream(connection)
