"""The API of a running project: what may be asked of it, on a socket of this user's alone."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import unquote

import trio

from devrun.control.address import SOCKET, announce
from devrun.process.unix_socket import is_own, listen_at

Answer = tuple[int, Mapping[str, object]]
"""An HTTP status, and what is said as JSON."""

_LONGEST = 64 * 1024
"""Bytes of a request's body; what is longer is refused."""

_PATIENCE = 10.0
"""Seconds in which a request has to have arrived."""


@dataclass(frozen=True, slots=True)
class Requests:
    """What can be asked for; each is given the name of a service or an instance."""

    reload: Callable[[str], Awaitable[Answer]]


def open_listener(folder: str, root: str) -> trio.SocketListener:
    """Listen in a run's private folder.

    Raises:
        OSError: There is no place, or no descriptor.
    """
    listener = listen_at(os.path.join(folder, SOCKET))
    announce(folder, root)  # Only now can it be found.
    return trio.SocketListener(trio.socket.from_stdlib_socket(listener))


async def serve(listener: trio.SocketListener, requests: Requests) -> None:
    """Answer requests until cancelled; whoever is slow or speaks otherwise disturbs nobody."""

    async def answer(stream: trio.SocketStream) -> None:
        if not is_own(stream.socket.fileno()):
            return
        await _converse(stream, requests)

    await trio.serve_listeners(answer, [listener])


async def _converse(stream: trio.SocketStream, requests: Requests) -> None:
    import h11

    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=_LONGEST)
    request: h11.Request | None = None
    try:
        with trio.fail_after(_PATIENCE):
            while True:
                event = connection.next_event()
                if event is h11.NEED_DATA:
                    connection.receive_data(await _received(stream))
                elif isinstance(event, h11.Request):
                    request = event
                elif isinstance(event, h11.EndOfMessage) and request is not None:
                    break
                elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
                    return
        status, said = await _answer(request, requests)
    except trio.TooSlowError:
        status, said = 408, _problem("Request Timeout", "the request took too long")
    except h11.RemoteProtocolError as error:
        status, said = error.error_status_hint, _problem("Bad Request", str(error))
    await _send(connection, stream, status, said)


async def _received(stream: trio.SocketStream) -> bytes:
    try:
        return bytes(await stream.receive_some(_LONGEST))
    except trio.BrokenResourceError:
        return b""


async def _answer(request: object, requests: Requests) -> Answer:
    import h11

    assert isinstance(request, h11.Request)  # noqa: S101 - as its caller has seen
    parts = [unquote(part) for part in request.target.decode("ascii").split("/")]
    match request.method, parts:
        case b"POST", ["", "v1", "services", name, "reload"]:
            return await requests.reload(name)
        case _:
            return 404, _problem("Not Found", "there is nothing of that name")


def _problem(title: str, detail: str) -> Mapping[str, object]:
    """Return an error as RFC 9457 has it."""
    return {"type": "about:blank", "title": title, "detail": detail}


async def _send(
    connection: object, stream: trio.SocketStream, status: int, said: Mapping[str, object]
) -> None:
    import h11

    assert isinstance(connection, h11.Connection)  # noqa: S101
    body = json.dumps(said).encode() + b"\n"
    kind = b"application/json" if status < 400 else b"application/problem+json"
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    for event in (
        h11.Response(status_code=status, headers=headers),
        h11.Data(data=body),
        h11.EndOfMessage(),
    ):
        with suppress(trio.BrokenResourceError):  # Nobody waits for the answer any more.
            await stream.send_all(connection.send(event) or b"")
