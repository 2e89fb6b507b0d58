"""Ask a URL.

HTTP/1.1 as h11 has it, over trio's streams. httpx would do too; it brings five more packages, takes
55 ms to import instead of 20 and would have to be told to leave the environment's proxies alone.
"""

from __future__ import annotations

import base64
import re
import ssl
from dataclasses import dataclass, field, replace
from functools import lru_cache

import h11
import trio
from trio.abc import Stream

from devrun.output.bounded_search import BoundedSearch, TookTooLong
from devrun.policies import HttpProbe
from devrun.supervise.probes.answers import (
    Answer,
    Failed,
    HeldByOther,
    Passed,
    Subject,
    error_text,
    one_line,
)
from devrun.supervise.probes.hosts import CONNECT_ERRORS, Host, connect, look_up
from devrun.supervise.probes.owner import other_holder
from devrun.supervise.probes.url import Target, accepts, parse_url, redirected, wants_redirect

MOST_REDIRECTS = 5

LONGEST_BODY = 1024 * 1024
"""Bytes of a body that are read and searched."""

READ_SIZE = 64 * 1024

_REDIRECTS = frozenset({301, 302, 303, 307, 308})

_ERRORS = (*CONNECT_ERRORS, trio.BrokenResourceError, trio.ClosedResourceError)
"""What asking may raise; errors of TLS are OSError, or the cause of BrokenResourceError."""


async def ask_http(probe: HttpProbe, subject: Subject) -> Answer:
    """Pass if the URL answers with one of the statuses, and the body has what it is to have.

    On loopback a process of the service has to be the one that answers, as for a port.
    Redirects are followed on the same host, unless a redirect is what is wanted.
    """
    try:
        target = parse_url(probe.url, subject.cwd)
        wanted = None if probe.body is None else BoundedSearch(probe.body)
    except (ValueError, re.error) as error:
        return Failed(f"cannot ask {one_line(probe.url)}: {error_text(error)}")
    for _ in range(MOST_REDIRECTS + 1):
        try:
            page = await _get(target, subject, needs_body=wanted is not None)
        except h11.ProtocolError as error:
            return Failed(f"{target}: no valid answer: {error_text(error)}")
        except _ERRORS as error:
            return Failed(f"{target}: {error_text(error)}")
        if isinstance(page, HeldByOther):
            return page
        further = _further(probe, target, page)
        if further is None:
            return _judge(probe, target, page, wanted)
        target = further
    return Failed(f"more than {MOST_REDIRECTS} redirects, the last to {target}")


@dataclass(slots=True)
class _Page:
    status: int = 0
    location: str | None = None
    body: bytearray = field(default_factory=bytearray)


def _further(probe: HttpProbe, target: Target, page: _Page) -> Target | None:
    if page.status not in _REDIRECTS or page.location is None:
        return None
    if wants_redirect(probe.statuses, page.status):
        return None
    return redirected(target, page.location)


def _judge(probe: HttpProbe, target: Target, page: _Page, wanted: BoundedSearch | None) -> Answer:
    if not accepts(probe.statuses, page.status):
        return Failed(f"{target} answered {page.status}")
    where = "the body" if len(page.body) < LONGEST_BODY else "the first MiB of the body"
    pattern = one_line(probe.body or "")
    try:
        if wanted is None or wanted.search(page.body.decode(errors="replace")):
            return Passed()
    except TookTooLong:
        return Failed(f'searching {where} of {target} for "{pattern}" took too long')
    return Failed(f'{where} of {target} has no match for "{pattern}"')


async def _get(target: Target, subject: Subject, *, needs_body: bool) -> _Page | HeldByOther:
    stream = await _open(target, subject)
    if isinstance(stream, HeldByOther):
        return stream
    try:
        return await _converse(stream, target, needs_body=needs_body)
    finally:
        await trio.aclose_forcefully(stream)


async def _open(target: Target, subject: Subject) -> Stream | HeldByOther:
    if target.socket is not None:
        return await trio.open_unix_socket(target.socket)
    host = await look_up(target.host)
    stream = await _connect(host, target.port, subject)
    if isinstance(stream, HeldByOther):
        return stream
    return stream if target.scheme == "http" else _secured(stream, host)


async def _connect(host: Host, port: int, subject: Subject) -> trio.SocketStream | HeldByOther:
    """Connect to the first address that accepts; on loopback, the first that is the service's."""
    is_held = subject.sockets is not None and subject.sockets.holds(port)
    if is_held or not host.is_local:
        return await connect(host, port, subject.sockets)
    refused: Exception | None = None
    other: HeldByOther | None = None
    for address in host.addresses:
        try:
            stream = await connect(replace(host, addresses=(address,)), port)
        except CONNECT_ERRORS as error:
            refused = error
            continue
        found = await _owned_or_closed(stream, address, port, subject)
        if found is None:
            return stream
        other = other or found
    if other is None:
        raise refused or OSError("it has no address")
    return other


async def _owned_or_closed(
    stream: trio.SocketStream, address: str, port: int, subject: Subject
) -> HeldByOther | None:
    """Return whose a connection's other side is, if not the service's; it is closed then."""
    other: HeldByOther | None = None
    is_known = False
    try:
        other = await other_holder(address, port, subject)
        is_known = True
    finally:
        if other is not None or not is_known:
            await trio.aclose_forcefully(stream)
    return other


def _secured(stream: trio.SocketStream, host: Host) -> Stream:
    """Put TLS on a connection; who answers from this very machine need not prove it."""
    context = _trusting() if host.is_local else _verifying()
    return trio.SSLStream(stream, context, server_hostname=host.name, https_compatible=True)


def _trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@lru_cache(maxsize=1)  # Reading the machine's certificates takes its time.
def _verifying() -> ssl.SSLContext:
    return ssl.create_default_context()


async def _converse(stream: Stream, target: Target, *, needs_body: bool) -> _Page:
    """Ask, and read the answer as far as it is needed."""
    connection = h11.Connection(h11.CLIENT)
    request = h11.Request(method="GET", target=target.path, headers=_headers(target))
    asked = connection.send(request) or b""
    await stream.send_all(asked + (connection.send(h11.EndOfMessage()) or b""))
    page = _Page()
    while True:
        match event := connection.next_event():
            case h11.NEED_DATA:
                data = bytes(await stream.receive_some(READ_SIZE))
                if not data and not page.status:
                    raise h11.RemoteProtocolError("the connection was closed before its end")
                connection.receive_data(data)
            case h11.Response():
                page.status = event.status_code
                page.location = _location(event)
                if not needs_body:
                    return page
            case h11.Data():
                page.body += event.data
                if len(page.body) >= LONGEST_BODY:
                    del page.body[LONGEST_BODY:]
                    return page
            case h11.InformationalResponse():
                continue
            case _:
                return page


def _headers(target: Target) -> list[tuple[str, str]]:
    headers = [
        ("Host", target.authority),
        ("User-Agent", "devrun"),
        ("Accept", "*/*"),
        ("Connection", "close"),
    ]
    if target.credentials is not None:
        encoded = base64.b64encode(target.credentials.encode()).decode()
        headers.append(("Authorization", f"Basic {encoded}"))
    return headers


def _location(response: h11.Response) -> str | None:
    for name, value in response.headers:
        if name == b"location":
            return value.decode("iso-8859-1")
    return None
