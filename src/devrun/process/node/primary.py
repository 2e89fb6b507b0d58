"""devrun as the primary of Node workers: it answers what they ask, and holds their sockets."""

from __future__ import annotations

import array
import os
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import assert_never

import trio

from devrun.process.node.channel import Channel, close_socket
from devrun.process.node.cluster import (
    Closing,
    Conversation,
    Incoming,
    Leaving,
    Listening,
    Message,
    Online,
    Outgoing,
    Query,
    Unreadable,
    Unsupported,
)
from devrun.process.node.handles import SharedHandles

RELEASE_AFTER = 1.0
"""Seconds for which the socket of a closed server is kept for who asks for it next, such as the
successor of a program that closes its servers because it is about to end."""

MOST_UNREAD = 1 << 20
"""Bytes that a worker may leave unread before messages for it are dropped."""

_READ_SIZE = 65536


@dataclass(frozen=True, slots=True)
class Disconnected:
    """A program's channel has ended: the program did, or it has been drained."""


Event = Online | Listening | Message | Unsupported | Unreadable | Disconnected
"""What is told of a program."""


@dataclass(slots=True, eq=False)
class _Worker:
    """The other end of one connection.

    Attributes:
        unsent: What did not fit into the socket of the line that is being written.
        blocked: Set while something is to be written that did not fit.
    """

    channel: Channel
    socket: socket.socket
    tell: Callable[[Event], None]
    talk: Conversation = field(default_factory=Conversation)
    unsent: Outgoing | None = None
    blocked: trio.Event = field(default_factory=trio.Event)


class ClusterPrimary:
    """Serves all instances and generations of one service, which share what they listen on.

    Args:
        inherited: What ``listen({fd: 3})`` and the numbers after it mean.
    """

    def __init__(self, inherited: Sequence[socket.socket] = ()) -> None:
        self._handles = SharedHandles(inherited)
        self._workers: dict[Channel, list[_Worker]] = {}

    async def serve(self, channel: Channel, tell: Callable[[Event], None]) -> None:
        """Answer the programs of a generation.

        Returns when an inherited channel has ended. Preloaded programs come and go, and this goes
        on until the channel is closed and the last one has gone.
        """
        async with trio.open_nursery() as nursery:
            if channel.own is not None:
                await self._converse(_Worker(channel, channel.own, tell))
            while channel.listener is not None:
                connection = await _accepted(channel.listener)
                if connection is None:
                    break
                nursery.start_soon(self._converse, _Worker(channel, connection, tell))

    def send(self, channel: Channel, value: object) -> bool:
        """Send a message to the program's ``process.on('message')``, by an inherited channel.

        Returns:
            Whether it may arrive: False if nobody is there, or leaves unread what was sent before.
        """
        if channel.own is None:
            return False
        ready = [each for each in self._of(channel) if each.talk.waiting < MOST_UNREAD]
        for worker in ready:
            worker.talk.send(value)
            _flush(worker)
        return bool(ready)

    def drain(self, channel: Channel) -> bool:
        """Have a generation's programs close their servers and finish what was begun.

        ``Disconnected`` tells that one is done. Connections that are kept alive are ended with the
        next answer by programs that were preloaded; others stay until their clients close them.

        Returns:
            Whether there was a program to ask.
        """
        channel.retiring = True
        for worker in self._of(channel):
            worker.talk.ask_to_drain()
            _flush(worker)
        return bool(self._of(channel))

    def release_unused(self) -> None:
        """Close what no worker uses, say when a new generation is ready: nobody would accept."""
        self._handles.release_unused()

    def close(self) -> None:
        """Close all sockets: the service is over."""
        self._handles.close()

    def _of(self, channel: Channel) -> Sequence[_Worker]:
        return self._workers.get(channel, ())

    async def _converse(self, worker: _Worker) -> None:
        here = self._workers.setdefault(worker.channel, [])
        here.append(worker)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_write_when_possible, worker)
                while data := await _read(worker.socket):
                    for said in worker.talk.receive(data):
                        self._hear(worker, said, nursery)
                    _flush(worker)
                nursery.cancel_scope.cancel()
        finally:
            here.remove(worker)
            if not here:
                self._workers.pop(worker.channel, None)
            self._handles.forget_user(worker)
            close_socket(worker.socket)
        worker.tell(Disconnected())

    def _hear(self, worker: _Worker, said: Incoming, nursery: trio.Nursery) -> None:
        match said:
            case Query():
                self._lend(worker, said)
            case Closing():
                if self._handles.give_back(said.key, worker) and not worker.channel.retiring:
                    nursery.start_soon(self._release_later, said.key, worker.channel)
            case Leaving():
                worker.talk.acknowledge(said)
            case Online() | Listening() | Message() | Unsupported() | Unreadable():
                worker.tell(said)
            case _:
                assert_never(said)

    def _lend(self, worker: _Worker, query: Query) -> None:
        """Answer at once, so that two workers never bind the same address beside each other."""
        try:
            shared = self._handles.lend(query.address, worker, query.data)
        except OSError as error:
            worker.talk.refuse(query, error.errno or 0)
        else:
            worker.talk.hand_over(query, shared.fileno, shared.data)

    async def _release_later(self, key: str, channel: Channel) -> None:
        await trio.sleep(RELEASE_AFTER)
        if not channel.retiring:
            self._handles.release(key)


# -- sockets ------------------------------------------------------------------------------------


async def _accepted(listener: socket.socket) -> socket.socket | None:
    """Return the next connection, or None when the listener has been closed."""
    while True:
        try:
            await trio.lowlevel.wait_readable(listener)
            connection, _ = listener.accept()
        except (BlockingIOError, ConnectionError):
            continue
        except (OSError, trio.ClosedResourceError, ValueError):
            return None
        connection.settimeout(0)
        return connection


async def _write_when_possible(worker: _Worker) -> None:
    """Write what did not fit into the socket as soon as it does."""
    try:
        while True:
            await worker.blocked.wait()
            await trio.lowlevel.wait_writable(worker.socket)
            worker.blocked = trio.Event()
            _flush(worker)
    except (OSError, trio.ClosedResourceError, ValueError):
        return  # The reader has seen the end, too.


def _flush(worker: _Worker) -> None:
    """Write what is to be written, as far as the socket takes it."""
    try:
        while (outgoing := worker.unsent or worker.talk.take()) is not None:
            worker.unsent = outgoing
            rest = outgoing.line[_send(worker.socket, outgoing) :]
            worker.unsent = Outgoing(rest) if rest else None
    except BlockingIOError:
        worker.blocked.set()
    except OSError:
        return  # The reader sees the end.


if sys.platform != "win32":

    async def _read(connection: socket.socket) -> bytes:
        """Return what has come, or nothing at the end. Descriptors that came along are closed."""
        while True:
            try:
                await trio.lowlevel.wait_readable(connection)
                data, attached, _, _ = connection.recvmsg(_READ_SIZE, socket.CMSG_SPACE(64))
            except BlockingIOError:
                continue
            except (OSError, trio.ClosedResourceError, ValueError):
                return b""
            for _, _, content in attached:
                for number in _numbers(content):
                    os.close(number)
            return data

    def _numbers(content: bytes) -> array.array[int]:
        numbers = array.array("i")
        numbers.frombytes(content[: len(content) - len(content) % numbers.itemsize])
        return numbers

    def _send(connection: socket.socket, outgoing: Outgoing) -> int:
        if outgoing.handle is None:
            return connection.send(outgoing.line)
        return socket.send_fds(connection, [outgoing.line], [outgoing.handle])

else:

    async def _read(connection: socket.socket) -> bytes:
        raise NotImplementedError(connection)

    def _send(connection: socket.socket, outgoing: Outgoing) -> int:
        raise NotImplementedError(connection, outgoing)
