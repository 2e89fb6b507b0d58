"""Where clients come in: accept, see who it is, and have the API answer.

Nothing that it takes to answer is imported before the first client has said something, and then in
a thread, so that neither the services nor the output wait for it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import trio

from devrun.control.address import SOCKET
from devrun.control.connection import PATIENCE, Connection
from devrun.process.unix_socket import is_own, listen_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devrun.control.stack import Stack
    from devrun.control.subject import Subject

MOST_CLIENTS = 200
"""At a time; more are refused, so that descriptors are left for services."""

GRACE = 1.0
"""Seconds in which clients may take what is left for them when the run has ended."""

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n"
    b"content-type: application/problem+json\r\ncontent-length: 103\r\n\r\n"
    b'{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"too many clients'
    b' at a time"}'
)


class Door:
    """The run's socket; ``run`` serves it.

    Args:
        subject: Returns what can be asked; called when the first client is there.
        patience: Seconds in which a client has to take something.
    """

    def __init__(
        self,
        listener: trio.SocketListener,
        subject: Callable[[], Subject],
        *,
        patience: float = PATIENCE,
    ) -> None:
        self._listener = listener
        self._subject = subject
        self._patience = patience
        self._clients: set[Connection] = set()
        self._loading = trio.Lock()
        self._stack: Stack | None = None
        self._accepting = trio.CancelScope()
        self._nobody = trio.Event()
        self._is_over = False

    @classmethod
    def open(cls, folder: str, subject: Callable[[], Subject]) -> Door:
        """Listen in a run's private folder.

        Raises:
            OSError: There is no place, or no descriptor.
        """
        listener = listen_at(os.path.join(folder, SOCKET))
        return cls(trio.SocketListener(trio.socket.from_stdlib_socket(listener)), subject)

    async def run(self) -> None:
        """Answer clients until cancelled; whoever is slow or speaks otherwise disturbs nobody."""
        async with trio.open_nursery() as nursery:
            try:
                with self._accepting:
                    answer = partial(self._answer, nursery=nursery)
                    await trio.serve_listeners(answer, [self._listener], handler_nursery=nursery)
                await trio.sleep_forever()
            finally:
                for client in self._clients:
                    client.abort()

    async def finish(self) -> None:
        """Let clients have what is left for them, now that nothing more will happen."""
        self._is_over = True
        self._accepting.cancel()
        if self._stack is not None:
            await self._stack.finish()
        with trio.move_on_after(GRACE):
            while self._clients:
                self._nobody = trio.Event()
                await self._nobody.wait()

    async def _answer(self, stream: trio.SocketStream, *, nursery: trio.Nursery) -> None:
        async with stream:
            if self._is_over or not is_own(stream.socket.fileno()):
                return
            if len(self._clients) >= MOST_CLIENTS:
                with trio.move_on_after(GRACE):
                    await stream.send_all(_FULL)
                return
            client = Connection(stream, over=self._left, patience=self._patience)
            self._clients.add(client)
            try:
                if await _says_something(stream):
                    stack = await self._load(nursery)
                    await stack.serve(client)
            finally:
                self._left(client)

    def _left(self, client: Connection) -> None:
        self._clients.discard(client)
        if not self._clients:
            self._nobody.set()

    async def _load(self, nursery: trio.Nursery) -> Stack:
        """Return what answers; the first client waits until it has been imported."""
        async with self._loading:
            if self._stack is None:
                kind = await trio.to_thread.run_sync(_import, abandon_on_cancel=True)
                self._stack = kind(self._subject())
                nursery.start_soon(self._stack.pace.run)
        return self._stack


async def _says_something(stream: trio.SocketStream) -> bool:
    """Wait for a client's first word; False if there is none."""
    with suppress(OSError), trio.move_on_after(PATIENCE):
        return bool(await stream.socket.recv(1, socket.MSG_PEEK))
    return False


def _import() -> type[Stack]:
    from devrun.control.stack import Stack

    return Stack
