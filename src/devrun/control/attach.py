"""``/v1/instances/{label}/attach``: one instance's terminal in a client's, by WebSocket.

Binary messages are what the terminal shows, and what is typed. Texts are JSON: ``{"resize": [rows,
columns]}`` of the client; of devrun ``{"generation": n, "running": …, "typing": …}`` at first and
whenever a generation begins, ``{"exit": …}`` when one has ended, ``{"gap": bytes}`` for what the
client was too slow for, ``{"cut_off": reason}`` before one is left that takes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Annotated
from urllib.parse import unquote

import msgspec
import trio
from msgspec import Meta, Struct
from starlette.responses import Response
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from devrun.control.bounds import connection_of
from devrun.control.outbox import Outbox
from devrun.control.problems import PROBLEM_JSON, Problem
from devrun.control.subject import Subject
from devrun.control.terminal_share import Share, Shown
from devrun.control.understanding import understand_query
from devrun.supervise.results import NoSuchService

PATH = "/v1/instances/{name}/attach"

MOST_ATTACHED = 8
"""Clients of one instance at a time."""

MUCH = 16 * 1024
"""Bytes at a time after which a client waits for ``BREATH`` seconds: a service that floods its
terminal is not to be shown at the cost of all else."""

BREATH = 0.01

GOING_AWAY = 1001
"""Of RFC 6455, 7.4.1."""

Side = Annotated[int, Meta(ge=1, le=65535)]


class AttachQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """The client's terminal, if it has one."""

    rows: Side | None = None
    columns: Side | None = None


class Resize(Struct, frozen=True, forbid_unknown_fields=True):
    """What a client says in a text."""

    resize: tuple[Side, Side]


class Attachments:
    """All who are attached to instances of a run."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._shares: dict[int, Share] = {}
        self._outboxes: set[Outbox] = set()
        self._is_over = False

    def route(self) -> WebSocketRoute:
        """Return the route for Starlette."""
        return WebSocketRoute(PATH, self._serve)

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

    def _understand(self, socket: WebSocket) -> tuple[Share, Shown]:
        name = unquote(str(socket.path_params.get("name", "")), errors="surrogateescape")
        query = understand_query(socket.url.query, AttachQuery)
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
    body = msgspec.json.encode(problem.said()) + b"\n"
    response = Response(body, problem.status, {"connection": "close"}, PROBLEM_JSON)
    await socket.send_denial_response(response)


async def _converse(socket: WebSocket, share: Share, shown: Shown) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(share.redraw_when_asked)
        nursery.start_soon(_until_over, partial(_send, socket, share, shown), nursery.cancel_scope)
        nursery.start_soon(
            _until_over, partial(_receive, socket, share, shown), nursery.cancel_scope
        )


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
    """Take what is typed and said, until the client goes."""
    while True:
        message = await socket.receive()
        if message["type"] != "websocket.receive":
            return
        if message.get("bytes") is not None:
            await share.type(message["bytes"])
            continue
        try:
            size = msgspec.json.decode(message.get("text") or "", type=Resize).resize
        except msgspec.MsgspecError as error:
            shown.outbox.tell({"error": f"not understood: {str(error).lower()}"})
        else:
            share.resized(shown, size)
