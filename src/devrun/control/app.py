"""The Starlette app: routes made of the table of operations, and problems as RFC 9457 has them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from devrun.control.bounds import connection_of
from devrun.control.carrying_out import Orders, while_awaited
from devrun.control.handlers import Handlers
from devrun.control.json_text import encoded
from devrun.control.openapi import PATH, document
from devrun.control.operations import JSON, OPERATIONS, Answer, Asked, Flow, Operation
from devrun.control.problems import PROBLEM_JSON, Problem
from devrun.control.understanding import query_of, understand_body, understand_query
from devrun.errors import DevrunError
from devrun.output.complaint import complain
from devrun.supervise.results import NoSuchService

Endpoint = Callable[[Request], Awaitable[Response]]
Do = Callable[[], Awaitable[Response]]


def make_app(handlers: Handlers, orders: Orders[Response], more: list[BaseRoute]) -> Starlette:
    """Return the app.

    Args:
        orders: Carries out what is more than a question.
        more: Routes besides those of the table.
    """
    routes: list[BaseRoute] = [
        *more,
        *(_route(each.path, _endpoint(each, handlers, orders), each.method) for each in OPERATIONS),
        _route(PATH, _openapi, "GET"),
        WebSocketRoute("/{path:path}", _no_web_socket),
    ]
    handlers_of = {HTTPException: _http_problem, Exception: _defect}
    app = Starlette(routes=routes, exception_handlers=handlers_of)
    app.router.redirect_slashes = False
    return app


def _route(path: str, endpoint: Endpoint, method: str) -> Route:
    route = Route(path, endpoint, methods=[method])
    route.methods = {method}  # Without HEAD, which would follow for ever.
    return route


def _endpoint(operation: Operation, handlers: Handlers, orders: Orders[Response]) -> Endpoint:
    handler: Callable[[Asked], Awaitable[Answer]] = getattr(handlers, operation.handler)

    async def endpoint(request: Request) -> Response:
        try:
            asked = await _asked(operation, request)
            do: Do = partial(_answer, handler, asked, request)
            if operation.method != "GET":
                do = orders.begin(do)
            found = await while_awaited(connection_of(request.scope), do)
        except Problem as problem:
            return _refusal(problem)
        return found or _refusal(Problem(408, "the client has gone"))  # Nobody gets that.

    return endpoint


async def _answer(
    handler: Callable[[Asked], Awaitable[Answer]], asked: Asked, request: Request
) -> Response:
    """Return the answer, whatever it is."""
    try:
        answer = await handler(asked)
    except Problem as problem:
        return _refusal(problem)
    except NoSuchService as error:
        return _refusal(Problem(404, str(error)))
    except DevrunError as error:
        return _refusal(Problem(409, str(error)))
    except Exception as error:  # noqa: BLE001 - a defect is for who asked, and not the run's end
        return await _defect(request, error)
    if isinstance(answer, Flow):
        return _FlowResponse(answer)
    return Response(encoded(answer) + b"\n", media_type=JSON)


async def _asked(operation: Operation, request: Request) -> Asked:
    query = understand_query(query_of(request.scope), operation.query)
    body = None
    if operation.body is not None:
        body = understand_body(await request.body(), operation.body)
    last = request.headers.get("last-event-id", "")
    return Asked(
        name=unquote(request.path_params.get("name", ""), errors="surrogateescape"),
        query=query,
        body=body,
        after=int(last) if re.fullmatch(r"[0-9]{1,18}", last) else None,
    )


async def _openapi(_request: Request) -> Response:
    return Response(encoded(document()) + b"\n", media_type=JSON)


async def _no_web_socket(socket: WebSocket) -> None:
    body = encoded(Problem(404, f"there is no WebSocket at {socket.scope['path']}").said())
    response = Response(body + b"\n", 404, {"connection": "close"}, PROBLEM_JSON)
    await socket.send_denial_response(response)


async def _defect(request: Request, error: Exception) -> Response:
    complain(f"{request.method} {request.scope['path']} failed: {error!r}")
    return _refusal(Problem(500, f"a defect of devrun: {error!r}"))


async def _http_problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise TypeError(error)
    said = {404: f"there is no {request.scope['path']}; {PATH} says what there is"}
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        said[405] = f"{request.method} is not possible there; {allowed} is"
    problem = Problem(error.status_code, said.get(error.status_code, error.detail))
    return _refusal(problem, error.headers)


def _refusal(problem: Problem, headers: object = None) -> Response:
    more = dict(headers) if isinstance(headers, dict) else {}
    body = encoded(problem.said()) + b"\n"
    return Response(body, problem.status, more, PROBLEM_JSON)


class _FlowResponse(Response):
    """An answer that comes in blocks, until its end, or until the client goes or is broken off."""

    def __init__(self, flow: Flow) -> None:
        super().__init__(media_type=flow.media_type)
        del self.headers["content-length"]
        self.headers["cache-control"] = "no-store"
        self._flow = flow

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the blocks."""
        connection = connection_of(scope)
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})

        async def put(block: bytes) -> bool:
            await send({"type": "http.response.body", "body": block, "more_body": True})
            if connection is None or not connection.has_stalled:
                return True
            notice = self._flow.cut_off(f"nothing was read for {connection.patience:g} seconds")
            await send({"type": "http.response.body", "body": notice, "more_body": True})
            return False

        async def send_blocks() -> bool:
            try:
                await self._flow.body(put)
            except Exception as error:  # noqa: BLE001 - as above
                complain(f"{scope['path']} failed: {error!r}")
                return False  # What ends without its last chunk is seen to be broken.
            return True

        if await while_awaited(connection, send_blocks):
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        elif connection is not None:
            connection.abort()
