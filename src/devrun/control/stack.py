"""Hypercorn and Starlette for one run; imported when its first client comes, and not before."""

from __future__ import annotations

from typing import cast

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ASGIFramework, ConnectionState

from devrun.control.app import make_app
from devrun.control.attach import Attachments
from devrun.control.bounds import Bounds
from devrun.control.carrying_out import Orders
from devrun.control.connection import Connection
from devrun.control.handlers import Handlers
from devrun.control.pace import Pace
from devrun.control.speaking import Server
from devrun.control.subject import Subject
from devrun.output.complaint import complain

LONGEST_HEAD = 64 * 1024
"""Bytes of a request's head."""

LONGEST_MESSAGE = 64 * 1024
"""Bytes of a WebSocket message, which holds what somebody types or pastes."""

IDLE = 30.0
"""Seconds that a connection may be kept without a request."""


class Stack:
    """Serves a run's clients; ``finish`` ends their streams in good order.

    Args:
        nursery: In which orders go on whose clients have gone.
    """

    def __init__(self, subject: Subject, nursery: trio.Nursery) -> None:
        self.pace = Pace()
        self._handlers = Handlers(subject, self.pace)
        self._attachments = Attachments(subject)
        app = Bounds(make_app(self._handlers, Orders(nursery), self._attachments.routes()))
        self._app = ASGIWrapper(cast("ASGIFramework", app))
        self._context = WorkerContext(None)
        self._config = Config()
        self._config.errorlog = None  # No traceback is for users; handlers say what went wrong.
        self._config.include_server_header = False
        self._config.h11_max_incomplete_size = LONGEST_HEAD
        self._config.websocket_max_message_size = LONGEST_MESSAGE
        self._config.keep_alive_timeout = IDLE

    async def serve(self, connection: Connection) -> None:
        """Serve one client to the end of its connection."""
        server = Server(
            self._app,
            self._config,
            self._context,
            ConnectionState({"connection": connection}),
            cast("trio.SSLStream[trio.SocketStream]", connection),
        )
        try:
            with connection.scope:
                await server.run()
        except* Exception as error:  # noqa: BLE001 - a client must not end what it asks
            complain(f"a client of the API was left: {error.exceptions!r}")

    async def finish(self) -> None:
        """End all streams once what is left of them has been sent, and connections without a
        request at once.
        """
        self._handlers.finish()
        self._attachments.finish()
        self.pace.finish()
        await self._context.terminated.set()
