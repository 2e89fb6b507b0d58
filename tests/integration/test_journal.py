"""The queue to the writer's thread: order, back-pressure, a reader that goes away."""

from __future__ import annotations

import os

import pytest
import trio

from devrun.events import Output, Piece
from devrun.output.journal import CAPACITY, Journal
from devrun.output.pump import Pump

LIMIT = 30


@pytest.fixture
def pipe():
    reader, writer = os.pipe()
    yield reader, writer
    for descriptor in (reader, writer):
        try:
            os.close(descriptor)
        except OSError:
            continue


def never(error):
    raise AssertionError(error)


async def read(descriptor: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        await trio.lowlevel.wait_readable(descriptor)
        data += os.read(descriptor, size - len(data))
    return data


async def test_everything_is_written_in_order(pipe):
    with trio.fail_after(LIMIT):
        journal = Journal(pipe[1], gone=never)
        parts = [b"%d\n" % n for n in range(10_000)]
        for part in parts:
            journal.put([part[:1], memoryview(part)[1:]])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(journal.close)
            assert await read(pipe[0], len(b"".join(parts))) == b"".join(parts)
        assert journal.unwritten == 0


async def test_producers_wait_for_the_reader_and_all_go_on(pipe):
    journal = Journal(pipe[1], gone=never)
    block = b"x" * CAPACITY
    done = []

    async def produce(name):
        for _ in range(3):
            await journal.room(name)
            journal.put([block])
        done.append(name)

    with trio.fail_after(LIMIT):
        async with trio.open_nursery() as nursery:
            for name in range(4):
                nursery.start_soon(produce, name)
            await trio.testing.wait_all_tasks_blocked(0.05)
            assert not done, "nobody reads"
            assert journal.unwritten <= 6 * CAPACITY
            await read(pipe[0], 12 * len(block))
        assert sorted(done) == [0, 1, 2, 3]


async def test_a_reader_is_slow_only_once_there_is_something_to_read(pipe, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr("devrun.output.journal.time.monotonic", lambda: clock[0])
    journal = Journal(pipe[1], gone=never)
    journal.put([b"x"])
    clock[0] += 3600
    assert journal.stalled_for == 0
    journal.put([b"x" * CAPACITY])
    await trio.testing.wait_all_tasks_blocked(0.05)
    assert journal.stalled_for == 0, "an hour of silence was nobody's fault"
    clock[0] += 5
    assert journal.stalled_for == 5


async def test_others_wait_while_somebody_has_the_turn(pipe):
    journal = Journal(pipe[1], gone=never)
    journal.begin_turn("long")
    went_on = trio.Event()

    async def other():
        await journal.room("other")
        went_on.set()

    with trio.fail_after(LIMIT):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(other)
            await journal.room("long")
            await trio.testing.wait_all_tasks_blocked()
            assert not went_on.is_set()
            journal.end_turn("long")
            await went_on.wait()


async def test_a_reader_that_goes_away_is_reported_once_and_nobody_waits(pipe):
    gone = []
    over = trio.Event()
    journal = Journal(pipe[1], gone=lambda error: (gone.append(error), over.set()))
    os.close(pipe[0])
    with trio.fail_after(LIMIT):
        journal.put([b"x" * CAPACITY * 3])
        await over.wait()
        await journal.room("anybody")
        journal.put([b"more"])
        await journal.close()
    assert len(gone) == 1
    assert isinstance(gone[0], BrokenPipeError)
    assert journal.unwritten == 0


async def test_a_pump_publishes_what_a_process_wrote_and_says_when_it_is_all(pipe):
    sink = os.open(os.devnull, os.O_WRONLY)
    journal = Journal(sink, gone=never)
    pieces: list[Output] = []
    reader, writer = pipe
    os.set_blocking(reader, False)
    ready = trio.Event()
    copy = os.dup(reader)
    pump = Pump(
        copy,
        instance=0,
        generation=1,
        journal=journal,
        publish=pieces.append,
        after=ready,
    )
    with trio.fail_after(LIMIT):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pump.run)
            os.write(writer, b"one\ntw")
            await trio.testing.wait_all_tasks_blocked()
            assert not pieces, "what comes before it has not been published yet"
            ready.set()
            pump.process_ended()
            await pump.drained.wait()
            assert [(p.piece, p.data) for p in pieces] == [
                (Piece.LINES, b"one\n"),
                (Piece.PART, b"tw"),
            ]
            os.write(writer, b"o, from a descendant\n")
            os.close(writer)
        assert pieces[-1].data == b"o, from a descendant\n"
        await journal.close()
    os.close(sink)
