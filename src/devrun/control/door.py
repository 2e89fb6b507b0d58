"""Where clients come in: accept, see who it is, and have the API answer.

Nothing that it takes to answer is imported before the first client has said something, and then in
a thread, so that neither the services nor the output wait for it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import suppress

import trio

from devrun.control.address import SOCKET
from devrun.control.connection import PATIENCE, Connection
from devrun.control.turning_away import turn_away
from devrun.output.complaint import complain
from devrun.process.unix_socket import is_own, listen_at, most_descriptors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from devrun.control.stack import Stack
    from devrun.control.subject import Subject

MOST_CLIENTS = 200
"""At a time, or fewer where descriptors are few; more are refused, so that some are left for
services."""

LEAVING = 1.0
"""Seconds in which clients may take what is left for them when the run has ended."""

NO_ROOM = 0.1
"""Seconds until a client is accepted again after there was no descriptor for it."""

_SHARE = 4
"""One in so many of the descriptors that the process may have is for clients."""

_GONE = (
    OSError,
    trio.BrokenResourceError,
    trio.ClosedResourceError,
    trio.BusyResourceError,
)
"""How a client's stream fails, which is nobody else's matter."""

_NOT_LOADED = (ImportError, OSError, MemoryError, RuntimeError)
"""How loading fails: descriptors, memory or threads are used up; another time it may succeed."""


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
        self._most = _most_clients()
        # Those who are refused have a place too, until they have got their answer; who comes then
        # waits to be accepted.
        self._places = trio.Semaphore(self._most + self._most // _SHARE + 1)
        self._has_complained = False

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
                    await self._accept(nursery)
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
        with trio.move_on_after(LEAVING):
            while self._clients:
                self._nobody = trio.Event()
                await self._nobody.wait()

    async def _accept(self, nursery: trio.Nursery) -> None:
        async with self._listener:
            while True:
                await self._places.acquire()
                try:
                    stream = await self._listener.accept()
                except OSError as error:
                    self._places.release()
                    self._complain(f"clients of the API have to wait: {_reason(error)}")
                    await trio.sleep(NO_ROOM)
                else:
                    nursery.start_soon(self._answer, stream, nursery)

    async def _answer(self, stream: trio.SocketStream, nursery: trio.Nursery) -> None:
        """Answer one client; however that goes, the others and the run go on."""
        try:
            async with stream:
                if not self._is_over and is_own(stream.socket.getsockopt):
                    await self._serve(stream, nursery)
        except* _GONE:
            pass
        finally:
            self._places.release()

    async def _serve(self, stream: trio.SocketStream, nursery: trio.Nursery) -> None:
        if len(self._clients) >= self._most:
            await turn_away(stream, "too many clients at a time")
            return
        client = Connection(stream, over=self._left, patience=self._patience)
        self._clients.add(client)
        try:
            if not await _says_something(stream):
                return
            try:
                stack = await self._load(nursery)
            except _NOT_LOADED as error:
                self._complain(f"a client of the API was refused: {_reason(error)}")
                await turn_away(stream, f"what answers could not be loaded: {_reason(error)}")
            else:
                await stack.serve(client)
        finally:
            self._left(client)

    def _complain(self, line: str) -> None:
        """Say what is wrong to whoever has started devrun, once."""
        if not self._has_complained:
            self._has_complained = True
            complain(line)

    def _left(self, client: Connection) -> None:
        self._clients.discard(client)
        if not self._clients:
            self._nobody.set()

    async def _load(self, nursery: trio.Nursery) -> Stack:
        """Return what answers; the first client waits until it has been imported."""
        async with self._loading:
            if self._stack is None:
                kind = await trio.to_thread.run_sync(_import, abandon_on_cancel=True)
                self._stack = kind(self._subject(), nursery)
                nursery.start_soon(self._stack.pace.run)
        return self._stack


def _most_clients() -> int:
    descriptors = most_descriptors()
    return MOST_CLIENTS if descriptors is None else max(1, min(MOST_CLIENTS, descriptors // _SHARE))


def _reason(error: BaseException) -> str:
    reason = error.strerror if isinstance(error, OSError) else None
    return (reason or str(error) or type(error).__name__).lower()


async def _says_something(stream: trio.SocketStream) -> bool:
    """Wait for a client's first word; False if there is none."""
    with suppress(OSError), trio.move_on_after(PATIENCE):
        return bool(await stream.socket.recv(1, socket.MSG_PEEK))
    return False


def _import() -> type[Stack]:
    from devrun.control.stack import Stack

    return Stack
