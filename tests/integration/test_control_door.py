"""Clients of the API that are slow, silent, many or rude are in nobody's way."""

from __future__ import annotations

import itertools
import json
import os
import tempfile
from contextlib import asynccontextmanager, suppress

import pytest
import trio
import trio.testing

from devrun.control.address import Identity
from devrun.control.bounds import LONGEST_BODY, Bounds
from devrun.control.door import MOST_CLIENTS, Door
from devrun.control.pace import SHARE, Pace
from devrun.control.subject import Subject
from devrun.events import Output, Piece
from devrun.model import Service
from devrun.output.line_history import LineHistory
from devrun.supervise.news import News

LIMIT = 60


class Supervisor:
    """As much of one as streams need."""

    orders = None

    def __init__(self):
        self.news = News()


class Serving:
    """A door with lines behind it, and nothing else."""

    def __init__(self, folder, patience):
        self.history = LineHistory()
        self.streams = []
        services = [Service(0, "flood", "x", "/"), Service(1, "calm", "x", "/")]
        identity = Identity("/", None, "x", 0.0)
        subject = Subject(identity, Supervisor(), services, None, self.history)
        self.path = os.path.join(folder, "control.sock")
        self.door = Door.open(folder, lambda: subject)
        self.door._patience = patience

    def write(self, *lines, instance=0):
        data = b"".join(line + b"\n" for line in lines)
        self.history(Output(instance, 1, Piece.LINES, data))

    async def connect(self):
        self.streams.append(await trio.open_unix_socket(self.path))
        return self.streams[-1]

    async def ask(self, target):
        stream = await self.connect()
        await stream.send_all(f"GET {target} HTTP/1.1\r\nhost: devrun\r\n\r\n".encode())
        return stream

    async def until_readers(self, count):
        while self.history._readers != count:
            await trio.lowlevel.checkpoint()


@asynccontextmanager
async def serving(*, patience=30.0):
    with tempfile.TemporaryDirectory(prefix="dr") as folder, trio.fail_after(LIMIT):
        it = Serving(folder, patience)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(it.door.run)
                yield it
                nursery.cancel_scope.cancel()
        finally:
            for stream in it.streams:
                await trio.aclose_forcefully(stream)


async def body(stream) -> bytes:
    """Return what an answer's chunks hold, to its end."""
    data = b""
    while not data.endswith(b"\r\n0\r\n\r\n"):
        more = await stream.receive_some(65536)
        if not more:
            break
        data += more
    rest, found = data.partition(b"\r\n\r\n")[2], b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        found, rest = found + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return found


async def lines_of(stream):
    return [json.loads(line) for line in (await body(stream)).splitlines()]


async def test_a_client_that_takes_nothing_is_cut_off_with_a_notice():
    async with serving(patience=0.05) as it:
        deaf = await it.ask("/v1/logs?follow=true")
        await it.until_readers(1)
        while it.history._readers:
            it.write(*[b"x" * 99] * 100)
            await trio.lowlevel.checkpoint()
        lines = await lines_of(deaf)
        assert lines[-1] == {"cut_off": "nothing was read for 0.05 seconds"}
        assert {line["line"] for line in lines if "line" in line} == {"x" * 99}


async def test_a_client_that_takes_nothing_keeps_nobody_from_ending():
    async with serving() as it:
        await it.ask("/v1/logs?follow=true")
        await it.until_readers(1)
        client = next(iter(it.door._clients))
        while client._writing is None or client._writing.cancel_called:
            it.write(*[b"x" * 99] * 100)
            await trio.lowlevel.checkpoint()


async def test_one_who_is_slow_is_told_how_many_lines_were_left_out():
    async with serving() as it:
        slow = await it.ask("/v1/logs?follow=true")
        await it.until_readers(1)
        for number in range(100_000):
            it.write(b"%06d" % number + b"x" * 100)
            if number % 1000 == 0:
                await trio.lowlevel.checkpoint()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(it.door.finish)
            lines = await lines_of(slow)
        seen = [int(line["line"][:6]) for line in lines if "line" in line]
        assert len(seen) + sum(line.get("gap", 0) for line in lines) == 100_000
        assert any("gap" in line for line in lines)
        assert seen == sorted(set(seen))
        assert seen[-1] == 99_999


async def test_who_follows_something_quiet_loses_nothing_beside_a_flood():
    async with serving() as it:
        follower = await it.ask("/v1/logs?follow=true")
        await it.until_readers(1)
        for number in range(2000):
            it.write(*[b"x" * 99] * 50)
            if number % 100 == 0:
                it.write(b"%d" % number, instance=1)
                await trio.lowlevel.checkpoint()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(it.door.finish)
            lines = await lines_of(follower)
        calm = [line["line"] for line in lines if line.get("service") == "calm"]
        assert calm == [str(number) for number in range(0, 2000, 100)]


async def test_many_followers_get_the_same_lines():
    async with serving() as it:
        followers = [await it.ask("/v1/logs?follow=true") for _ in range(50)]
        await it.until_readers(50)
        written = []
        for number in range(300):
            it.write(b"%d" % number)
            written.append(str(number))
            await trio.lowlevel.checkpoint()
        got = {}

        async def read(place, stream):
            got[place] = [line["line"] for line in await lines_of(stream)]

        async with trio.open_nursery() as nursery:
            nursery.start_soon(it.door.finish)
            for place, stream in enumerate(followers):
                nursery.start_soon(read, place, stream)
        assert all(lines == written for lines in got.values())


async def test_a_follower_that_goes_away_is_forgotten():
    async with serving() as it:
        follower = await it.ask("/v1/logs?follow=true")
        await it.until_readers(1)
        await follower.aclose()
        await it.until_readers(0)
        assert not it.history._listeners


async def test_there_is_an_end_to_how_many_may_come():
    async with serving() as it:
        await it.ask("/v1/logs?follow=true")
        await it.until_readers(1)
        streams = [await it.connect() for _ in range(MOST_CLIENTS + 1)]
        said = b""
        while more := await streams[-1].receive_some(4096):
            said += more
        head, _, rest = said.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"content-length: %d\r\n" % len(rest) in head + b"\r\n"
        assert json.loads(rest)["status"] == 503


async def test_those_who_come_in_vain_and_leave_early_are_nobodys_end():
    async with serving() as it:
        await it.ask("/v1/logs?follow=true")
        await it.until_readers(1)
        for _ in range(MOST_CLIENTS):
            await it.connect()
        for number in range(300):
            stream = await it.connect()
            if number % 3:
                await stream.send_all(b"GET /v1/logs HTTP/1.1\r\n\r\n"[: number % 40])
            if number % 2:
                await trio.lowlevel.checkpoint()
            await it.streams.pop().aclose()
        await leave_all(it)
        assert await lines_of(await it.ask("/v1/logs")) == []


async def leave_all(it):
    """Have all clients go, and wait until that is known."""
    for stream in it.streams:
        await stream.aclose()
    while it.door._clients:
        await trio.lowlevel.checkpoint()


async def test_who_comes_in_vain_can_say_all_and_gets_all_of_the_answer():
    async with serving() as it:
        for _ in range(MOST_CLIENTS):
            await it.connect()
        stream = await it.connect()
        await stream.send_all(b"POST /v1/apply HTTP/1.1\r\ncontent-length: 60000\r\n")
        await trio.testing.wait_all_tasks_blocked()
        await stream.send_all(b"host: devrun\r\n\r\n")
        said = await stream.receive_some(4096)
        await stream.send_all(b"x" * 60_000)
        while more := await stream.receive_some(4096):
            said += more
        assert json.loads(said.partition(b"\r\n\r\n")[2])["detail"] == "too many clients at a time"


async def test_a_client_that_closes_its_side_is_served_until_it_has_gone():
    async with serving() as it:
        follower = await it.ask("/v1/logs?follow=true")
        await follower.send_eof()
        await it.until_readers(1)
        client = next(iter(it.door._clients))
        while not client.has_left:
            await trio.lowlevel.checkpoint()
        it.write(b"for you too")
        said = b""
        while b"for you too" not in said:
            said += await follower.receive_some(4096)
        await follower.aclose()
        await it.until_readers(0)


async def test_who_sends_more_than_is_read_and_goes_is_forgotten():
    async with serving() as it:
        follower = await it.ask("/v1/logs?follow=true")
        await follower.send_all(b"GET /v1/logs HTTP/1.1\r\nhost: devrun\r\n\r\n")
        await it.until_readers(1)
        await follower.aclose()
        await it.until_readers(0)


# -- what is spoken --------------------------------------------------------------------------------


async def said_to(it, sent):
    """Return the status, the head and the body of what a client is told."""
    stream = await it.connect()
    await stream.send_all(sent)
    said = b""
    while more := await stream.receive_some(4096):
        said += more
    head, _, rest = said.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.lower(), rest


HANDSHAKE = (
    b"host: d\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n"
)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\0\1\2" * 100 + b"\r\n\r\n", 400),
        (b"GET /v1/logs HTTP/1.1\r\n\r\n", 400),
        (b"GET /v1/logs HTTP/1.1\r\nhost: d\r\nx: " + b"a" * 70_000, 431),
        (b"GET /v1/logs HTTP/1.1\r\nhost: d\r\ncontent-length: -1\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 505),
        (b"GET /v1/logs HTTP/1.1\r\n" + HANDSHAKE, 404),
        (b"GET /v1/instances/x/attach HTTP/1.1\r\n" + HANDSHAKE.replace(b"13", b"12"), 400),
    ],
)
async def test_what_is_not_spoken_here_is_refused_with_a_reason(sent, status):
    async with serving() as it:
        found, head, rest = await said_to(it, sent)
        assert found == status
        assert b"content-type: application/problem+json" in head
        assert b"content-length: %d\r\n" % len(rest) in head + b"\r\n"
        said = json.loads(rest)
        assert said["status"] == status
        assert said["detail"]


async def test_an_offer_of_http_2_is_answered_in_http_1():
    async with serving() as it:
        stream = await it.connect()
        await stream.send_all(
            b"GET /v1/logs HTTP/1.1\r\nhost: d\r\nconnection: upgrade, http2-settings\r\n"
            b"upgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n"
        )
        assert (await stream.receive_some(4096)).startswith(b"HTTP/1.1 200 ")


async def test_a_target_may_be_a_whole_url():
    async with serving() as it:
        it.write(b"hello")
        assert [line["line"] for line in await lines_of(await it.ask("http://d/v1/logs"))] == [
            "hello"
        ]


async def test_a_strange_host_is_nobodys_defect():
    async with serving() as it:
        stream = await it.connect()
        await stream.send_all(b"GET /v1/logs?tail=1 HTTP/1.1\r\nhost: [\r\n\r\n")
        assert (await stream.receive_some(4096)).startswith(b"HTTP/1.1 200 ")


async def test_lines_of_before_the_epoch_are_all_lines():
    async with serving() as it:
        it.write(b"hello")
        lines = await lines_of(await it.ask("/v1/logs?since=-2208988800"))
        assert [line["line"] for line in lines] == ["hello"]


async def test_a_body_that_never_ends_is_refused_and_its_sender_left():
    async with serving() as it:
        stream = await it.connect()
        await stream.send_all(
            b"POST /v1/services/web/scale HTTP/1.1\r\nhost: d\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        said = b""

        async def send():
            with suppress(trio.BrokenResourceError):
                while True:
                    await stream.send_all(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")

        async def receive():
            nonlocal said
            try:
                while more := await stream.receive_some(4096):
                    said += more
            except trio.BrokenResourceError:
                pass

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            nursery.start_soon(receive)
        assert said.startswith(b"HTTP/1.1 413 ")
        while it.door._clients:
            await trio.lowlevel.checkpoint()


async def test_a_client_may_close_its_side_and_still_gets_its_answer():
    async with serving() as it:
        it.write(b"hello")
        stream = await it.ask("/v1/logs")
        await stream.send_eof()
        assert [line["line"] for line in await lines_of(stream)] == ["hello"]


# -- one by one ------------------------------------------------------------------------------------


async def test_a_body_that_does_not_arrive_is_refused_in_time(autojump_clock):
    async def app(_scope, _receive, _send):
        raise AssertionError("it was to be refused")

    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "raw_path": b"/v1/apply"}
    await Bounds(app)(scope, trio.sleep_forever, send)
    assert sent[0]["status"] == 408
    assert json.loads(sent[1]["body"])["detail"] == "the body did not arrive within 10 s"


async def test_a_body_of_the_greatest_length_arrives_whole():
    seen = []

    async def app(_scope, receive, _send):
        seen.append(await receive())

    parts = iter([b"x" * (LONGEST_BODY - 1), b"y"])

    async def receive():
        part = next(parts)
        return {"type": "http.request", "body": part, "more_body": part != b"y"}

    await Bounds(app)({"type": "http", "raw_path": b"/"}, receive, None)
    assert seen[0]["body"] == b"x" * (LONGEST_BODY - 1) + b"y"


async def test_the_pause_between_rounds_grows_with_what_was_sent(autojump_clock):
    pace = Pace()
    rounds = []

    async def follower():
        for _ in range(4):
            await pace.turn()
            rounds.append(trio.current_time())
            pace.spend(0.001)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(pace.run)
        async with trio.open_nursery() as followers:
            for _ in range(100):
                followers.start_soon(follower)
        nursery.cancel_scope.cancel()
    starts = sorted(set(rounds))
    assert len(starts) == 4
    assert [round(b - a, 6) for a, b in itertools.pairwise(starts)] == [
        pytest.approx(100 * 0.001 / SHARE)
    ] * 3
