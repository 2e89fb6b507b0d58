"""One client's connection: what it does not take is bounded, in memory and in time.

It stands where Hypercorn expects a stream. Hypercorn shields its writes from cancellation, so that
a client which takes nothing would hold up even the end of the run: here a write that gets nowhere
for ``PATIENCE`` seconds is broken off, and ``abort`` breaks off any write at once.

For a client that is broken off there has to be a last word. Its socket's buffer is full, though; so
it begins small, and is widened once: what is being written goes there, and the notice behind it.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from math import inf

import trio

from devrun.process.unix_socket import is_hung_up

LAST_REQUEST = 1.0
"""Seconds in which a request that came with the client's end begins to be answered."""

LOOK = 1.0
"""Seconds after which a client that says nothing more is looked for again: no event tells when it
stops reading too."""

LOOK_SELDOM = 5.0
"""The same for a client that nothing is read from at present, because so much of it waits."""

PATIENCE = 10.0
"""Seconds in which a client has to take something, when something is there for it."""

BUFFER = 64 * 1024
"""Bytes that the kernel keeps for a client; Linux takes twice that (socket(7))."""

WIDE_BUFFER = 512 * 1024
"""Bytes for the last word; the kernel may allow less (net.core.wmem_max), but still more."""


class Connection:
    """A client's stream.

    Args:
        over: Called once the stream is closed.
        patience: Seconds in which the client has to take something.
    """

    def __init__(
        self,
        stream: trio.SocketStream,
        *,
        over: Callable[[Connection], None],
        patience: float = PATIENCE,
    ) -> None:
        self.socket = stream.socket
        """Asked by Hypercorn for its addresses."""
        self.has_stalled = False
        """Whether the client has taken nothing for too long: only a last word is possible."""
        self.is_closed = False
        self.has_left = False
        """Whether the client says nothing more: whoever does that has gone, or is taken to have."""
        self.scope = trio.CancelScope()
        """Around all that is done for the client."""
        self._stream = stream
        self._over = over
        self.patience = patience
        self._writing: trio.CancelScope | None = None
        self._requests = 0
        self._is_aborted = False
        self._leaving = trio.Event()
        self._set_buffer(BUFFER)

    async def send_all(self, data: bytes) -> None:
        """Write.

        Raises:
            trio.BrokenResourceError: The client is gone, or takes nothing.
        """
        rest = memoryview(data)
        while rest:
            if self._is_aborted:
                raise trio.BrokenResourceError
            with trio.move_on_after(self.patience) as self._writing:
                try:
                    rest = rest[await self.socket.send(rest) :]
                except OSError as error:
                    raise trio.BrokenResourceError from error
            if self._writing.cancelled_caught:
                if self.has_stalled or self._is_aborted:
                    raise trio.BrokenResourceError
                self.has_stalled = True
                self._set_buffer(WIDE_BUFFER)

    async def receive_some(self, most: int) -> bytes:
        """Read; empty at the end."""
        data = b""
        try:
            data = bytes(await self._stream.receive_some(most))
        finally:
            if not data:
                self.has_left = True
                self._leaving.set()
                self._leave_if_idle()
        return data

    def begin(self) -> None:
        """Say that a request is being answered."""
        self._requests += 1
        self.scope.deadline = inf

    def end(self) -> None:
        """Say that it has been; when the client has gone, nothing more is done for it."""
        self._requests -= 1
        if self.is_closed:
            self.scope.cancel()
        elif self.has_left:
            self._leave_if_idle()

    async def gone(self) -> None:
        """Wait until the client has closed both directions: nobody waits for an answer then."""
        while not is_hung_up(self.socket.fileno()):
            if self.has_left:
                await trio.sleep(LOOK)
            else:
                with trio.move_on_after(LOOK_SELDOM):
                    await self._leaving.wait()

    def leave_within(self, seconds: float) -> None:
        """Do nothing for the client any more after so many seconds."""
        self.scope.deadline = min(self.scope.deadline, trio.current_time() + seconds)

    def _leave_if_idle(self) -> None:
        """Do not keep, as Hypercorn does until it was idle for long, who has gone."""
        if not self._requests:
            self.leave_within(LAST_REQUEST)

    async def send_eof(self) -> None:
        """Say that nothing more will be written."""
        await self._stream.send_eof()

    async def aclose(self) -> None:
        """Close the stream."""
        self.is_closed = True
        self._over(self)
        await self._stream.aclose()

    def abort(self) -> None:
        """Break off whatever is being done for the client."""
        self._is_aborted = True
        if self._writing is not None:
            self._writing.cancel()
        self.scope.cancel()

    def _set_buffer(self, size: int) -> None:
        with suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
