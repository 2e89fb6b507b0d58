"""What a request may cost before it is understood: bytes, seconds, and other spellings."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping

import trio

from devrun.control.connection import Connection
from devrun.control.json_text import encoded
from devrun.control.problems import PROBLEM_JSON, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONGEST_BODY = 64 * 1024
"""Bytes of a request's body."""

PATIENCE = 10.0
"""Seconds in which a body has to have arrived."""

LEAVING = 2.0
"""Seconds in which a client that was refused may still say what it had to say."""

_ABSOLUTE = re.compile(r"https?://[^/]*", re.IGNORECASE)
"""What stands before the path in a target that is a whole URL (RFC 9112, 3.2.2)."""


class Bounds:
    """Around an app: it gets requests whose bodies have arrived, and none that are too long.

    Args:
        patience: Seconds in which a body has to have arrived.
    """

    def __init__(self, app: ASGIApp, *, patience: float = PATIENCE) -> None:
        self._app = app
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            return
        # As it was sent, so that a slash within a name is none of the path's.
        path = scope["raw_path"].decode("ascii", "replace")
        scope["path"] = path if path.startswith("/") else _ABSOLUTE.sub("", path, count=1) or "/"
        answer = self._answer if scope["type"] == "http" else self._app
        connection = connection_of(scope)
        if connection is None:
            await answer(scope, receive, send)
            return
        connection.begin()
        try:
            await answer(scope, receive, send)
        finally:
            connection.end()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with trio.fail_after(self._patience):
                body = await _body(receive)
        except trio.TooSlowError:
            refusal = Problem(408, f"the body did not arrive within {self._patience:g} s")
        except _TooLongError:
            refusal = Problem(413, f"the body is longer than {LONGEST_BODY} bytes")
        else:
            if body is not None:
                await self._app(scope, _replay(body, receive), send)
            return
        await _refuse(refusal, send)
        with trio.move_on_after(LEAVING):  # It could not read the answer if it was closed at once.
            while not _is_last(await receive()):
                pass
        if (connection := connection_of(scope)) is not None:
            connection.abort()


def connection_of(scope: MutableMapping[str, object]) -> Connection | None:
    """Return the connection that a request has come by."""
    state = scope.get("state")
    connection = state.get("connection") if isinstance(state, dict) else None
    return connection if isinstance(connection, Connection) else None


class _TooLongError(Exception):
    """A body is too long."""


async def _body(receive: Receive) -> bytes | None:
    """Return a request's body, or None if the client has gone."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        part = message.get("body", b"")
        size += len(part)
        if size > LONGEST_BODY:
            raise _TooLongError
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _is_last(message: Message) -> bool:
    return message["type"] != "http.request" or not message.get("more_body", False)


def _replay(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    """Return what gives the body once, and then what comes behind it."""
    waiting = [body]

    async def replay() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return replay


async def _refuse(problem: Problem, send: Send) -> None:
    body = encoded(problem.said())
    headers = [
        (b"content-type", PROBLEM_JSON.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
