"""``/v1/instances/{label}/attach``: one instance's terminal in a client's, by WebSocket.

Binary messages are what the terminal shows, and what is typed; ``control.attach_frames`` has what
is said in texts.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from urllib.parse import unquote

import msgspec
import trio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from devrun.control.attach_frames import PATH, AttachQuery, Resize
from devrun.control.bounds import connection_of
from devrun.control.carrying_out import while_awaited
from devrun.control.json_text import encoded
from devrun.control.outbox import Outbox
from devrun.control.problems import PROBLEM_JSON, Problem
from devrun.control.subject import Subject
from devrun.control.terminal_share import Share, Shown
from devrun.control.understanding import query_of, understand_query
from devrun.supervise.results import NoSuchService

MOST_ATTACHED = 8
"""Clients of one instance at a time."""

MUCH = 16 * 1024
"""Bytes at a time after which a client waits for ``BREATH`` seconds: a service that floods its
terminal is not to be shown at the cost of all else."""

BREATH = 0.01

GOING_AWAY = 1001
"""Of RFC 6455, 7.4.1."""

LEAVING = 1.0
"""Seconds in which a client may take the last of what is for it, and say that it leaves."""

NO_JSON = 1007
"""The same, for a text that cannot be read."""

NOT_UNDERSTOOD = 1008
"""The same, for one that says something else."""

_LONGEST_REASON = 123
"""Bytes of the reason of a close (RFC 6455, 5.5)."""


class Attachments:
    """All who are attached to instances of a run."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._shares: dict[int, Share] = {}
        self._outboxes: set[Outbox] = set()
        self._is_over = False

    def routes(self) -> list[BaseRoute]:
        """Return the routes for Starlette: the WebSocket's, and that of who asks without one."""
        return [WebSocketRoute(PATH, self._serve), Route(PATH, _ask_for_upgrade, methods=["GET"])]

    def finish(self) -> None:
        """Say that nothing more will happen."""
        self._is_over = True
        for outbox in self._outboxes:
            outbox.close()

    async def _serve(self, socket: WebSocket) -> None:
        try:
            share, shown = self._understand(socket)
        except NoSuchService as error:
            await _refuse(socket, Problem(404, str(error)))
            return
        except Problem as problem:
            await _refuse(socket, problem)
            return
        with share.attached(shown):  # Before anything is awaited: there are only so many.
            await socket.accept()
            self._outboxes.add(shown.outbox)
            if self._is_over:
                shown.outbox.close()
            try:
                await _converse(socket, share, shown)
            finally:
                self._outboxes.discard(shown.outbox)
        connection = connection_of(socket.scope)
        if connection is not None:  # Hypercorn would wait for ever to hand on what nobody takes.
            connection.leave_within(LEAVING)

    def _understand(self, socket: WebSocket) -> tuple[Share, Shown]:
        name = unquote(str(socket.path_params.get("name", "")), errors="surrogateescape")
        query = understand_query(query_of(socket.scope), AttachQuery)
        if (query.rows is None) != (query.columns is None):
            raise Problem(422, "rows and columns belong together")
        indices = self._subject.orders.resolve(name)
        if len(indices) > 1:
            names = ", ".join(map(self._subject.label, indices))
            raise Problem(404, f"{name} has several instances: {names}")
        share = self._shares.get(indices[0])
        if share is None:
            share = self._shares[indices[0]] = Share(self._subject, indices[0])
        if len(share.shown) >= MOST_ATTACHED:
            raise Problem(409, f"{MOST_ATTACHED} are attached to {name} already")
        size = None
        if query.rows is not None and query.columns is not None:
            size = query.rows, query.columns
        return share, Shown(Outbox(), size)


async def _refuse(socket: WebSocket, problem: Problem) -> None:
    await socket.send_denial_response(_refusal(problem, {"connection": "close"}))


async def _ask_for_upgrade(request: Request) -> Response:
    path = request.scope["path"]
    problem = Problem(426, f"{path} is a WebSocket: a request for it has to ask for the upgrade")
    return _refusal(problem, {"upgrade": "websocket", "connection": "upgrade"})


def _refusal(problem: Problem, headers: dict[str, str]) -> Response:
    return Response(encoded(problem.said()) + b"\n", problem.status, headers, PROBLEM_JSON)


class _BadText(Exception):  # noqa: N818 - a client's, not ours
    """A text that is not understood.

    Args:
        code: With which the WebSocket is closed.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


async def _converse(socket: WebSocket, share: Share, shown: Shown) -> None:
    bad: list[_BadText] = []

    async def receive() -> None:
        try:
            await _receive(socket, share, shown)
        except _BadText as error:
            bad.append(error)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(share.redraw_when_asked)
        nursery.start_soon(_until_over, partial(_send, socket, share, shown), nursery.cancel_scope)
        nursery.start_soon(_until_over, receive, nursery.cancel_scope)
    for error in bad:
        reason = str(error).encode("utf-8", "replace")[:_LONGEST_REASON].decode("utf-8", "ignore")
        with suppress(WebSocketDisconnect, RuntimeError):
            await socket.close(error.code, reason)


async def _until_over(do: Callable[[], Awaitable[None]], scope: trio.CancelScope) -> None:
    await do()
    scope.cancel()


async def _send(socket: WebSocket, share: Share, shown: Shown) -> None:
    """Send what there is to be shown, until the end of it or of the client's patience."""
    connection = connection_of(socket.scope)
    with suppress(WebSocketDisconnect, RuntimeError):  # Starlette's, if the client has gone.
        while messages := await shown.outbox.take():
            size = 0
            for message in messages:
                if isinstance(message, bytes):
                    size += len(message)
                    await socket.send_bytes(message)
                else:
                    await socket.send_text(json.dumps(message))
                    if "gap" in message:
                        share.ask_to_redraw()
            if connection is not None and connection.has_stalled:
                reason = f"nothing was read for {connection.patience:g} seconds"
                await socket.send_text(json.dumps({"cut_off": reason}))
                break
            if size >= MUCH:
                await trio.sleep(BREATH)
        await socket.close(GOING_AWAY)


async def _receive(socket: WebSocket, share: Share, shown: Shown) -> None:
    """Take what is typed and said, until the client goes.

    Raises:
        _BadText: It said something that is not understood.
    """
    connection = connection_of(socket.scope)
    while True:
        message = await socket.receive()
        if message["type"] != "websocket.receive":
            return
        keys: bytes | None = message.get("bytes")
        if keys is None:
            share.resized(shown, _size(message.get("text") or ""))
        elif await while_awaited(connection, partial(_type, share, keys)) is None:
            return


async def _type(share: Share, keys: bytes) -> bool:
    await share.type(keys)
    return True


def _size(text: str) -> tuple[int, int]:
    try:
        return msgspec.json.decode(text, type=Resize).resize
    except msgspec.ValidationError:
        reason = 'a text has to be {"resize": [rows, columns]}'
        raise _BadText(NOT_UNDERSTOOD, reason) from None
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        raise _BadText(NO_JSON, "the text is no JSON") from None
