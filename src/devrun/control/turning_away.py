"""The answer for a client for which there is no room: nothing has to be loaded for it."""

from __future__ import annotations

import json

import trio

GRACE = 0.5
"""Seconds in which a client may say what it wants, and again as many to take the answer."""

_MOST = 128 * 1024
"""Bytes that are read of a request, its body included."""

_AT_ONCE = 16 * 1024


async def turn_away(stream: trio.SocketStream, reason: str) -> None:
    """Answer a client that there is no service at the moment.

    What it has to say is read first, and what comes behind it too: if the stream was closed with
    something unread, the client could not write, or would lose the answer (tcp(7) and unix(7)).

    Raises:
        trio.BrokenResourceError: It has gone.
        trio.ClosedResourceError: The same.
    """
    head = bytearray()
    with trio.move_on_after(GRACE):
        await _read_head(stream, head)
    left = _MOST - len(head) if head else 0  # Who has said nothing has nothing to add.
    with trio.move_on_after(GRACE):
        await stream.send_all(_answer(reason))
        await stream.send_eof()
        while left > 0 and (more := await stream.receive_some(_AT_ONCE)):
            left -= len(more)


async def _read_head(stream: trio.SocketStream, head: bytearray) -> None:
    while b"\r\n\r\n" not in head and len(head) < _MOST:
        more = await stream.receive_some(_AT_ONCE)
        if not more:
            return
        head += more


def _answer(reason: str) -> bytes:
    title = "Service Unavailable"
    problem = {"type": "about:blank", "title": title, "status": 503, "detail": reason}
    body = json.dumps(problem).encode()
    head = (
        f"HTTP/1.1 503 {title}",
        "content-type: application/problem+json",
        f"content-length: {len(body)}",
        "connection: close",
    )
    return "\r\n".join((*head, "", "")).encode() + body
