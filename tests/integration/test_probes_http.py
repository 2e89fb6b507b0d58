"""Asking real servers over HTTP, good ones and bad ones."""

from __future__ import annotations

import os
import re
import ssl
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial

import pytest
import trio

from devrun.policies import HttpProbe
from devrun.process.exits import ChildExits
from devrun.supervise.probes import hosts, http
from devrun.supervise.probes.answers import Failed, Passed, Subject
from devrun.supervise.probes.asking import ask, until_ready
from devrun.supervise.probes.hosts import is_loopback, look_up

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

CERTIFICATE = """
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgd7s3QKd6wLCdqEBD
iUW4O1eVsJ9FKx+ZY2Nr3O8fUsKhRANCAARnQsGrKU6Tk7FHYU4y8c1pWVmiMEqd
2u+dU1IEpmJNQFQb3j7Wu5M6ljiLUtle3L2cp2Kk7agz+lxcEgXOOg2I
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBTzCB9qADAgECAgEBMAoGCCqGSM49BAMCMBQxEjAQBgNVBAMMCWxvY2FsaG9z
dDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowFDESMBAGA1UEAwwJ
bG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZ0LBqylOk5OxR2FO
MvHNaVlZojBKndrvnVNSBKZiTUBUG94+1ruTOpY4i1LZXty9nKdipO2oM/pcXBIF
zjoNiKM3MDUwFAYDVR0RBA0wC4IJbG9jYWxob3N0MB0GA1UdDgQWBBQoPyfsCYbN
EGsL5g9g21hqpzD2PDAKBggqhkjOPQQDAgNIADBFAiEAt2BgzVKJio1wnTep5nvl
5kk+xNl6DXEcQBleEFyxK9YCIAFj9mIny/R8M8dpz78yBAwfScxi4bAnwbsZ+buw
1Tyz
-----END CERTIFICATE-----
"""
"""Signed by itself, for localhost, good for a hundred years and for nothing but these tests."""


@pytest.fixture
def subject(tmp_path):
    return Subject(
        label="web",
        cwd=str(tmp_path),
        env=dict(os.environ),
        started_at=time.time(),
        is_ours=lambda _: True,
        exits=ChildExits(),
    )


@pytest.fixture
async def serve(nursery):
    """Start a server that answers every request with what a function of it yields or returns."""

    async def start(respond, address="127.0.0.1", tls=None):
        async def handle(stream):
            if tls is not None:
                stream = trio.SSLStream(stream, tls, server_side=True, https_compatible=True)
            try:
                request = b""
                while b"\r\n\r\n" not in request:
                    piece = await stream.receive_some()
                    if not piece:
                        return
                    request += piece
                await respond(stream, request)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return  # The probe has heard enough.
            finally:
                await trio.aclose_forcefully(stream)

        listeners = await trio.open_tcp_listeners(0, host=address)
        nursery.start_soon(partial(trio.serve_listeners, handle, listeners))
        return listeners[0].socket.getsockname()[1]

    return start


def says(*pieces):
    """A response that is sent in these pieces."""

    async def respond(stream, _request):
        for piece in pieces:
            await stream.send_all(piece)

    return respond


def page(status, body=b"", **headers):
    lines = [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join([f"HTTP/1.1 {status} X", *lines, f"Content-Length: {len(body)}", "", ""])
    return head.encode() + body


async def get(subject, port, path="/health", scheme="http", **wanted):
    return await ask(HttpProbe(f"{scheme}://localhost:{port}{path}", **wanted), subject, timeout=30)


@pytest.fixture
def http_server(tmp_path):
    """The port of Python's own server, which serves the test's folder."""
    command = [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "0"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        yield int(server.stdout.readline().partition(" port ")[2].split()[0])
        server.kill()


async def test_a_real_server_becomes_ready(subject, tmp_path, http_server):
    (tmp_path / "health").write_text("status: good\n")
    url = f"http://localhost:{http_server}/health"
    await until_ready(HttpProbe(url, body="(?m)good$"), subject, publish=print)
    answer = await ask(HttpProbe(f"{url}?token=secret", body="bad"), subject, timeout=30)
    assert answer == Failed(f'the body of {url} has no match for "bad"')
    url = f"http://localhost:{http_server}/nowhere"
    assert await ask(HttpProbe(url), subject, timeout=30) == Failed(f"{url} answered 404")
    probe = HttpProbe(url, statuses=((404, 404),))
    assert await ask(probe, subject, timeout=30) == Passed()


async def test_what_is_asked(subject, serve):
    requests = []

    async def respond(stream, request):
        requests.append(request)
        await stream.send_all(OK)

    port = await serve(respond)
    url = f"http://user:p%40ss@localhost:{port}/a b?c=1#d"
    assert await ask(HttpProbe(url), subject, timeout=30) == Passed()
    first, *headers = requests[0].split(b"\r\n")
    assert first == b"GET /a%20b?c=1 HTTP/1.1"
    assert f"Host: localhost:{port}".encode() in headers
    assert b"Authorization: Basic dXNlcjpwQHNz" in headers
    assert b"Connection: close" in headers


@pytest.mark.parametrize(
    "pieces",
    [
        [OK],
        [OK[n : n + 1] for n in range(len(OK))],
        [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", OK],
        [b"HTTP/1.0 200 OK\r\n\r\nok"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n"],
        [b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"],
    ],
)
async def test_answers_come_in_many_shapes(subject, serve, pieces):
    port = await serve(says(*pieces))
    assert await get(subject, port, body="^ok$") == Passed()


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ([], "no valid answer: the connection was closed before its end"),
        ([b"SSH-2.0-OpenSSH_9.2\r\n\r\n"], "illegal status line"),
        ([bytes(range(256)) * 4], "illegal"),
        ([b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000], "."),
        ([b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000], "."),
        ([b"HTTP/1.1 200 OK\r\n"], "."),
        ([page(503)], "answered 503$"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"], "(?i)content-length"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"], "(?i)body"),
        ([page(200, b"x" * 2_000_000 + b"ok")], "the first MiB of the body"),
    ],
)
async def test_bad_answers_are_failures_of_one_line(subject, serve, pieces, reason):
    port = await serve(says(*pieces))
    answer = await get(subject, port, body="ok")
    assert isinstance(answer, Failed)
    assert re.search(reason, answer.reason)
    assert answer.reason.isprintable()


async def test_a_body_without_end_is_searched_as_far_as_it_may_be(subject, serve):
    async def respond(stream, _request):
        await stream.send_all(b"HTTP/1.1 200 OK\r\n\r\nready")
        while True:
            await stream.send_all(b"." * 65536)

    port = await serve(respond)
    assert await get(subject, port) == Passed()
    assert await get(subject, port, body="^ready") == Passed()
    assert isinstance(await get(subject, port, body="never"), Failed)


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nX: y\r\n"])
async def test_a_server_that_hangs_is_given_up(subject, serve, autojump_clock, start):
    async def respond(stream, _request):
        await stream.send_all(start)
        await trio.sleep_forever()

    autojump_clock.autojump_threshold = 0.05
    port = await serve(respond)
    answer = await get(subject, port, "/health?token=secret")
    assert answer == Failed(f"http://localhost:{port}/health: no answer within 30 s")


async def test_nothing_listening_is_an_answer(subject):
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    await listeners[0].aclose()
    answer = await get(subject, port)
    assert answer == Failed(f"http://localhost:{port}/health: connection refused")


@pytest.mark.parametrize(
    "url",
    [
        *("http://nosuch.invalid/", "http://" + "a" * 300 + "/", "http://a..b/", "http://\udc80/"),
        *("nothing", "http://[::1", "unix://", "unix:///no/such.sock", "unix:///" + "x" * 300),
    ],
)
async def test_a_url_that_cannot_be_asked_is_an_answer(subject, url):
    answer = await ask(HttpProbe(url), subject, timeout=5)
    assert isinstance(answer, Failed)
    assert answer.reason.isprintable()


async def test_a_pattern_that_is_none_is_an_answer(subject):
    answer = await ask(HttpProbe("http://localhost:1/", body="("), subject, timeout=30)
    assert isinstance(answer, Failed)


async def test_both_loopback_addresses_are_tried(subject, serve):
    port = await serve(says(OK), address="::1")
    assert await get(subject, port) == Passed()


async def test_proxies_of_the_environment_are_ignored(subject, serve, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert await get(subject, await serve(says(OK))) == Passed()


async def test_a_unix_socket_is_asked(subject, tmp_path, nursery):
    async def handle(stream):
        request = await stream.receive_some()
        await stream.send_all(page(200, request.split(b" ")[1]))
        await stream.aclose()

    server = trio.socket.socket(trio.socket.AF_UNIX)
    await server.bind(str(tmp_path / "a.sock"))
    server.listen()
    nursery.start_soon(partial(trio.serve_listeners, handle, [trio.SocketListener(server)]))
    for url in (f"unix://{tmp_path}/a.sock:/health", "unix://a.sock:/health"):
        assert await ask(HttpProbe(url, body="^/health$"), subject, timeout=30) == Passed()


# -- redirects -----------------------------------------------------------------------------------


def redirecting(seen, to):
    """Redirect by path, as ``to`` says; what it does not name is answered with 200."""

    async def respond(stream, request):
        path = request.split(b" ")[1].decode()
        seen.append(path)
        where = to(path)
        await stream.send_all(page(302, Location=where) if where else page(200, b"there"))

    return respond


async def test_redirects_on_the_same_host_are_followed(subject, serve):
    seen = []
    port = await serve(redirecting(seen, {"/health": "/a", "/a": "b"}.get))
    assert await get(subject, port, statuses=((200, 299),), body="there") == Passed()
    assert seen == ["/health", "/a", "/b"]


async def test_a_redirect_in_a_circle_is_a_failure(subject, serve):
    seen = []
    port = await serve(redirecting(seen, lambda path: "/health"))
    answer = await get(subject, port)
    assert answer == Failed(f"more than 5 redirects, the last to http://localhost:{port}/health")
    assert len(seen) == 6


async def test_redirects_to_other_hosts_are_judged_and_not_followed(subject, serve):
    elsewhere = []
    other = await serve(redirecting(elsewhere, lambda path: None))
    there = f"http://elsewhere.localhost:{other}/"
    port = await serve(redirecting([], lambda path: there))
    assert await get(subject, port) == Passed(), "it did answer"
    answer = await get(subject, port, statuses=((200, 299),))
    assert answer == Failed(f"http://localhost:{port}/health answered 302")
    assert elsewhere == []


async def test_a_redirect_that_is_wanted_is_not_followed(subject, serve):
    seen = []
    port = await serve(redirecting(seen, {"/health": "/login"}.get))
    assert await get(subject, port, statuses=((302, 302),)) == Passed()
    assert seen == ["/health"]


# -- TLS -----------------------------------------------------------------------------------------


@pytest.fixture
def server_side(tmp_path):
    path = tmp_path / "certificate.pem"
    path.write_text(CERTIFICATE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


async def test_a_certificate_of_this_machine_need_not_be_trusted(subject, serve, server_side):
    port = await serve(says(OK), tls=server_side)
    assert await get(subject, port, scheme="https", body="^ok$") == Passed()


async def test_a_certificate_of_another_machine_has_to_be(subject, serve, server_side, monkeypatch):
    async def as_if_elsewhere(name):
        return replace(await look_up(name), is_local=False)

    monkeypatch.setattr(http, "look_up", as_if_elsewhere)
    port = await serve(says(OK), tls=server_side)
    answer = await get(subject, port, scheme="https")
    assert isinstance(answer, Failed)
    assert "certificate verify failed: self" in answer.reason
    assert "_ssl" not in answer.reason


async def test_a_server_without_tls_is_an_answer(subject):
    async def plain(stream):
        await stream.send_all(OK)
        await stream.aclose()

    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(partial(trio.serve_listeners, plain, listeners))
        answer = await get(subject, listeners[0].socket.getsockname()[1], scheme="https")
        nursery.cancel_scope.cancel()
    assert isinstance(answer, Failed)
    assert answer.reason.isprintable()


# -- hosts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("localhost", ("127.0.0.1", "::1")),
        ("LOCALHOST.", ("127.0.0.1", "::1")),
        ("a.b.localhost", ("127.0.0.1", "::1")),
        ("0.0.0.0", ("127.0.0.1",)),
        ("[::]", ("::1",)),
        ("127.1.2.3", ("127.1.2.3",)),
    ],
)
async def test_names_of_this_machine_need_no_name_service(name, addresses, monkeypatch):
    monkeypatch.setattr(hosts.socket, "getaddrinfo", None)
    host = await look_up(name)
    assert (host.addresses, host.is_local) == (addresses, True)


async def test_a_name_is_where_its_addresses_are(monkeypatch):
    rows = [(2, 1, 6, "", ("192.0.2.7", 0)), (2, 1, 6, "", ("127.0.0.1", 0))]
    monkeypatch.setattr(hosts.socket, "getaddrinfo", lambda *_, **__: rows)
    host = await look_up("app.test")
    assert (host.addresses, host.is_local) == (("192.0.2.7", "127.0.0.1"), False)


def test_which_addresses_are_loopback():
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1")))
    assert not any(map(is_loopback, ("192.0.2.1", "::2", "fe80::1", "::ffff:192.0.2.1")))
