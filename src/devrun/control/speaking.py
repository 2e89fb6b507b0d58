"""Hypercorn's HTTP/1.1 for one connection, without what the API has no use for.

Left out are HTTP/2, in both ways to come to it, and compressed WebSocket messages: what a client
could make of them in memory and time would have to be bounded as well. Put in are bodies for the
refusals that Hypercorn itself makes, and an end for a client whose message is too long.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import cast

import h11
from hypercorn.events import Closed
from hypercorn.protocol import ProtocolWrapper
from hypercorn.protocol.events import Body, EndBody, Event, Response
from hypercorn.protocol.h11 import STREAM_ID, H11Protocol
from hypercorn.protocol.ws_stream import FrameTooLargeError, WebsocketBuffer, WSStream
from hypercorn.trio.task_group import TaskGroup
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.typing import ConnectionState
from wsproto.events import Message

from devrun.control.connection import Connection
from devrun.control.json_text import encoded
from devrun.control.problems import PROBLEM_JSON, Problem

LEAVING = 1.0
"""Seconds in which a client may take the refusal of a message that is too long."""

_NOT_UNDERSTOOD = "what was sent is no HTTP/1.1 request"
_REASONS = {
    400: _NOT_UNDERSTOOD,
    431: "the head of the request is too long",
    500: "a defect of devrun: there was no answer",
    505: "only HTTP/1.1 is spoken here",
}
_NO_HANDSHAKE = "that is no handshake of a WebSocket (RFC 6455, 4.2.1)"

_VERSIONS = (b"1.0", b"1.1")

Headers = list[tuple[bytes, bytes]]


class Server(TCPServer):
    """Serves one connection, to its end."""

    async def run(self) -> None:
        """Serve it."""
        try:
            async with TaskGroup() as self._task_group:
                protocol = Http1(
                    self.app,
                    self.config,
                    self.context,
                    self._task_group,
                    ConnectionState(self.state),
                    False,  # noqa: FBT003 - Hypercorn's own order
                    None,
                    None,
                    self.protocol_send,
                )
                self.protocol = cast("ProtocolWrapper", protocol)
                await self.idle_task.restart(self._task_group, self._idle_timeout)
                await self._read_data()
        except OSError:
            pass  # The client has gone.
        finally:
            await self._close()


class Http1(H11Protocol):
    """HTTP/1.1, and what it can be upgraded to: WebSocket."""

    _ends = False
    """Whether the connection ends with the present answer, which Hypercorn does not see to."""

    async def stream_send(self, event: Event) -> None:
        """Send a part of an answer, and Hypercorn's own refusals with a body."""
        if isinstance(event, Response) and _is_bare_refusal(event):
            self._ends = isinstance(self.stream, WSStream)
            reason = _NO_HANDSHAKE if self._ends else None
            body, headers = _refusal(event.status_code, reason)
            await super().stream_send(Response(STREAM_ID, headers, event.status_code))
            await super().stream_send(Body(STREAM_ID, body))
            return
        await super().stream_send(event)
        if self._ends and isinstance(event, EndBody):
            await self.send(Closed())

    async def _check_protocol(self, event: h11.Request) -> None:
        """Go on with what has been begun, whatever else is offered."""

    async def _create_stream(self, request: h11.Request) -> None:
        if request.http_version not in _VERSIONS:
            await self._send_error_response(505)
            await self.send(Closed())
            return
        headers = [each for each in request.headers if each[0] != b"sec-websocket-extensions"]
        plain = h11.Request(
            method=request.method,
            target=request.target,
            headers=headers,
            http_version=request.http_version,
        )
        await super()._create_stream(plain)
        connection = self.connection_state["connection"]
        if isinstance(self.stream, WSStream) and isinstance(connection, Connection):
            self.stream.buffer = _Buffer(
                self.config.websocket_max_message_size, lambda: connection.leave_within(LEAVING)
            )

    async def _send_error_response(self, status_code: int) -> None:
        body, headers = _refusal(status_code, None)
        await self._send_h11_event(h11.Response(status_code=status_code, headers=headers))
        await self._send_h11_event(h11.Data(data=body))
        await self._send_h11_event(h11.EndOfMessage())


class _Buffer(WebsocketBuffer):
    """The parts of a message; of one that is too long nothing is kept.

    Args:
        give_up: Called for such a one.
    """

    def __init__(self, most: int, give_up: Callable[[], None]) -> None:
        super().__init__(most)
        self._give_up = give_up

    def extend(self, event: Message[str] | Message[bytes | bytearray]) -> None:
        """Add a part.

        Raises:
            FrameTooLargeError: The message is too long.
        """
        try:
            super().extend(event)
        except FrameTooLargeError:
            self.clear()
            self._give_up()
            raise


def _is_bare_refusal(event: Response) -> bool:
    return event.status_code >= 400 and (b"content-length", b"0") in event.headers


def _refusal(status: int, reason: str | None) -> tuple[bytes, Headers]:
    """Return the body of a refusal and its headers."""
    detail = reason or _REASONS.get(status, HTTPStatus(status).phrase.lower())
    body = encoded(Problem(status, detail).said()) + b"\n"
    return body, [
        (b"content-type", PROBLEM_JSON.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
    ]
