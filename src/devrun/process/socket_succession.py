"""Listening sockets side by side on one address, and who of them gets the next connection.

Two generations may accept on one socket, and for servers that finish what they have accepted that
is enough. Others close whatever connection has sent no complete request when they are told to stop
(uvicorn and hypercorn do), and a busy server has always just accepted some. So a new generation
gets a twin of the socket. When it is ready, new connections are steered to the twin; the old one is
told to stop when nobody waits in its queue and it has read what it accepted.

Twins are a group of SO_REUSEPORT. A filter says which of them gets the next connection
(SO_ATTACH_REUSEPORT_CBPF, socket(7); no privilege is needed): those that are open, by their weights
and at random; and a connection that a probe makes goes where it is to go, which the filter knows by
the port that it comes from. Linux alone; elsewhere, and for Unix sockets, all generations accept on
one socket.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

from devrun.process.held_sockets import BACKLOG, Held

_Instruction = tuple[int, int, int, int]

# Classic BPF, as of linux/filter.h and bpf_common.h.
_LOAD_BYTE, _LOAD_HALF, _LOAD_WORD = 0x30, 0x28, 0x20
_AND, _MODULO, _JUMP, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x54, 0x94, 0x05, 0x15, 0x35, 0x06
_NETWORK_HEADER = 0xFFF00000  # SKF_NET_OFF
_RANDOM = 0xFFFFF000 + 56  # SKF_AD_OFF + SKF_AD_RANDOM

_SOURCE_PORT: tuple[_Instruction, ...] = (
    (_LOAD_BYTE, 0, 0, _NETWORK_HEADER),
    (_AND, 0, 0, 0xF0),
    (_IF_EQUAL, 2, 0, 0x60),
    (_LOAD_HALF, 0, 0, _NETWORK_HEADER + 20),  # behind an IPv4 header, which has no options
    (_JUMP, 0, 0, 1),
    (_LOAD_HALF, 0, 0, _NETWORK_HEADER + 40),  # behind one of IPv6
)


def program(weights: Sequence[int], probes: Mapping[int, int]) -> list[_Instruction]:
    """Return a filter that returns the place of the socket that gets a connection.

    A place that there is not means any to the kernel; so a group of one never stops.

    Args:
        weights: Of each place; how much of what comes each gets. At least one is above 0.
        probes: Places, by the port that a connection comes from.
    """
    found: list[_Instruction] = [*_SOURCE_PORT] if probes else []
    for port, place in probes.items():
        found += [(_IF_EQUAL, 0, 1, port), (_RETURN, 0, 0, place)]
    *others, (last, _) = ((place, weight) for place, weight in enumerate(weights) if weight)
    if others:
        found += [(_LOAD_WORD, 0, 0, _RANDOM), (_MODULO, 0, 0, sum(weights))]
    bound = 0
    for place, weight in others:
        bound += weight
        found += [(_IF_AT_LEAST, 1, 0, bound), (_RETURN, 0, 0, place)]
    return [*found, (_RETURN, 0, 0, last)]


def is_drained(held: Held) -> bool:
    """Whether no connection is left that waits to be accepted."""
    return all(not _waiting(each) for each in held.sockets if has_twin(each))


def close_for_good(held: Held) -> None:
    """Close sockets that nobody is to accept on any more.

    Their copies in processes do not listen any more either: a leftover of a service that has
    inherited them would keep its place in the group, and get connections. The files of Unix sockets
    stay, for those are everybody's.
    """
    for each in held.sockets:
        if has_twin(each):
            _stop_listening(each)
        each.close()


if sys.platform == "linux":
    _UNIX = socket.AF_UNIX
    _ATTACH_FILTER = 51  # SO_ATTACH_REUSEPORT_CBPF of asm-generic/socket.h
    _QUEUED = 24
    """Where ``tcp_info`` has ``tcpi_unacked``, the length of a listening socket's queue."""

    def successor(held: Held) -> Held:
        """Return twins, which come behind all others of their group.

        Raises:
            OSError: The system has no more descriptors, or no such groups (before Linux 4.5).
        """
        twins: list[socket.socket] = []
        try:
            for each in held.sockets:
                twins.append(each.dup() if each.family == _UNIX else _twin(each))  # noqa: PERF401 - closed below
        except OSError:
            for each in twins:
                each.close()
            raise
        return replace(held, sockets=tuple(twins))

    def steer(held: Held, filter_program: Sequence[_Instruction]) -> None:
        """Have a filter say who gets the next connection; the sockets may be any of the group.

        Raises:
            OSError: The system has no such filters.
        """
        import array

        packed = b"".join(struct.pack("HBBI", *each) for each in filter_program)
        loaded = array.array("B", packed)
        address, _ = loaded.buffer_info()
        fprog = struct.pack("HP", len(filter_program), address)
        for each in held.sockets:
            if has_twin(each):
                each.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, fprog)

    def has_twin(held: socket.socket) -> bool:
        """Whether a socket's twins are sockets of their own, with queues of their own."""
        return held.family != _UNIX

    def _twin(held: socket.socket) -> socket.socket:
        twin = socket.socket(held.family, held.type)
        try:
            twin.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            twin.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if held.family == socket.AF_INET6:
                only = held.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
                twin.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
            twin.bind(held.getsockname())
            twin.listen(BACKLOG)
        except OSError:
            twin.close()
            raise
        return twin

    def _waiting(listening: socket.socket) -> int:
        info = listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _QUEUED + 4)
        return int(struct.unpack_from("I", info, _QUEUED)[0])

    def _stop_listening(listening: socket.socket) -> None:
        listening.shutdown(socket.SHUT_RD)

else:

    def successor(held: Held) -> Held:
        """Fail: there are no such groups."""
        raise OSError(f"no twins of {held.specs}")

    def steer(held: Held, filter_program: Sequence[_Instruction]) -> None:
        """Fail: there are no such filters."""
        raise OSError(f"no filter {filter_program} for {held.specs}")

    def has_twin(_held: socket.socket) -> bool:
        """Whether a socket's twins are sockets of their own: they would be copies of one."""
        return False

    def _waiting(listening: socket.socket) -> int:
        raise NotImplementedError(listening)

    def _stop_listening(listening: socket.socket) -> None:
        raise NotImplementedError(listening)
