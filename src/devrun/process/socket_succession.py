"""A listening socket of its own for each generation, without a connection lost in between.

Two generations may accept on one socket, and for servers that finish what they have accepted that
is enough. Others close whatever connection has sent no complete request when they are told to stop
(uvicorn and hypercorn do), and a busy server has always just accepted some. So the new generation
gets a twin of the socket; when it is ready, new connections are steered to the twin; the old one is
told to stop when its queue is empty and it has had time to read what it accepted.

The twins are a group of SO_REUSEPORT, and a filter of one instruction says which of them gets the
next connection (SO_ATTACH_REUSEPORT_CBPF, socket(7); no privilege is needed). Without the filter a
new twin would get connections before anybody accepts on it. Linux alone; elsewhere, and for Unix
sockets, both generations accept on the same socket.
"""

from __future__ import annotations

import socket
import struct
import sys
from dataclasses import replace

from devrun.process.held_sockets import BACKLOG, Held

SETTLE = 0.1
"""Seconds that an old generation is left, once its queue is empty, to read what it has accepted."""


def hand_over(old: Held, new: Held) -> None:
    """Steer new connections to the successor, which has to be ready to accept them."""
    for before, after in zip(old.sockets, new.sockets, strict=True):
        if _has_twin(before):
            _steer(after, 1)


def is_drained(old: Held) -> bool:
    """Whether no connection is left that waits to be accepted by the old generation."""
    return all(not _waiting(each) for each in old.sockets if _has_twin(each))


def retire(old: Held, new: Held) -> None:
    """Close the old sockets; the files of Unix sockets are the successor's now."""
    for before, after in zip(old.sockets, new.sockets, strict=True):
        twin = _has_twin(before)
        before.close()
        if twin:
            _steer(after, 0)


def give_up(old: Held, new: Held) -> None:
    """Close a successor that did not become ready; the old sockets stay as they are."""
    for before, after in zip(old.sockets, new.sockets, strict=True):
        twin = _has_twin(before)
        after.close()
        if twin:
            _steer(before, 0)


if sys.platform == "linux":
    _UNIX = socket.AF_UNIX
    _ATTACH_FILTER = 51  # SO_ATTACH_REUSEPORT_CBPF of asm-generic/socket.h
    _RETURN = 0x06  # BPF_RET | BPF_K
    _QUEUED = 24
    """Where ``tcp_info`` has ``tcpi_unacked``, the length of a listening socket's queue."""

    def successor(held: Held) -> Held:
        """Return sockets for the next generation, which get no connection yet.

        Raises:
            OSError: The system has no more descriptors, or no such filters (before Linux 4.5).
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

    def _twin(held: socket.socket) -> socket.socket:
        _steer(held, 0)
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

    def _has_twin(held: socket.socket) -> bool:
        return held.family != _UNIX

    def _steer(member: socket.socket, place: int) -> None:
        """Let the socket at a place of the group, in the order of listening, get what comes.

        A place that there is not means any; so a group of one never stops.
        """
        import array

        program = array.array("B", struct.pack("HBBI", _RETURN, 0, 0, place))
        address, _ = program.buffer_info()
        fprog = struct.pack("HP", 1, address)
        member.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, fprog)

    def _waiting(listening: socket.socket) -> int:
        info = listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _QUEUED + 4)
        return int(struct.unpack_from("I", info, _QUEUED)[0])

else:

    def successor(held: Held) -> Held:
        """Return sockets for the next generation: the same ones."""
        return replace(held, sockets=tuple(each.dup() for each in held.sockets))

    def _has_twin(_held: socket.socket) -> bool:
        return False  # They are copies of one socket.

    def _steer(member: socket.socket, place: int) -> None:
        raise NotImplementedError(member, place)

    def _waiting(listening: socket.socket) -> int:
        raise NotImplementedError(listening)
