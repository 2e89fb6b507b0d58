"""The sink of log files: nothing lost, nobody held up, whatever happens to the files."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import subprocess
import sys
import threading
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from devrun.events import Exited, Output, Piece
from devrun.output.journal import Journal
from devrun.output.log_archive import archive_of
from devrun.output.log_desk import LoggedService
from devrun.output.log_files import CAPACITY, LogFiles
from devrun.output.pump import Pump
from devrun.policies import LogFile

LIMIT = 60


def never(text):
    raise AssertionError(text)


def output(data: bytes, *, instance: int = 0, generation: int = 1, piece: Piece = Piece.PART):
    return Output(instance, generation, piece, data)


def exited(*, instance: int = 0, generation: int = 1) -> Exited:
    return Exited(instance, generation, 0, at=0, uptime=0, final=False, stopped=False)


def alone(path: Path, **settings) -> dict[int, LoggedService]:
    """Return one service with a log file."""
    return {0: LoggedService("web", LogFile(str(path), **settings))}


def rotated(path: Path) -> list[bytes]:
    """Return what the rotated files hold."""
    return [Path(file.path).read_bytes() for file in archive_of(str(path)).files]


async def written(services: dict[int, LoggedService], *events, notice=never) -> None:
    """Write events to files, to the end."""
    with trio.fail_after(LIMIT):
        files = LogFiles(services, notice=notice)
        for event in events:
            files(event)
        await files.close()
        assert files.unwritten == 0


@asynccontextmanager
async def running(*command: str):
    """Run a program, give its output, and kill it at the end."""
    process = await trio.lowlevel.open_process(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        async with process.stdout:
            yield process.stdout
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()


@pytest.fixture(autouse=True)
def no_thread_is_left():
    """Check that no thread of the sink outlives it."""
    before = {*threading.enumerate()}
    yield
    for thread in {*threading.enumerate()} - before:
        if thread.name.startswith("devrun"):
            thread.join(LIMIT)
            assert not thread.is_alive()


# -- what is in the files -------------------------------------------------------------------------


async def test_every_byte_is_in_the_file_when_it_is_closed(tmp_path):
    chunks = [random.Random(n).randbytes(n % 5000).replace(b"\x1b", b"") for n in range(2000)]
    await written(alone(tmp_path / "web.log"), *map(output, chunks))
    assert (tmp_path / "web.log").read_bytes() == b"".join(chunks)


async def test_states_that_come_again_are_passed_over(tmp_path):
    events = [output(b"10%", piece=Piece.PROGRESS), output(b"100%\n", piece=Piece.LINES)]
    await written(alone(tmp_path / "web.log"), *events)
    assert (tmp_path / "web.log").read_bytes() == b"100%\n"


async def test_a_prompt_can_be_read_while_it_is_all_there_is(tmp_path):
    with trio.fail_after(LIMIT):
        files = LogFiles(alone(tmp_path / "web.log"), notice=never)
        files(output(b"migrating ..."))
        await files.flush()
        assert (tmp_path / "web.log").read_bytes() == b"migrating ..."
        await files.close()


async def test_a_last_line_without_end_stays_so_until_the_next_generation_writes(tmp_path):
    path = tmp_path / "web.log"
    await written(alone(path), output(b"a\nb"), exited())
    assert path.read_bytes() == b"a\nb"
    await written(alone(path), output(b"c"), exited(), output(b"d\n", generation=2))
    assert path.read_bytes() == b"a\nb\nc\nd\n"


async def test_a_line_in_two_pieces_gets_one_time_that_of_its_first_byte(tmp_path):
    clock = iter(range(1_800_000_000, 1_800_000_010))
    services = alone(tmp_path / "web.log", timestamps=True, time_format="%s")
    with trio.fail_after(LIMIT):
        files = LogFiles(services, notice=never, wall_clock=lambda: next(clock))
        for data in (b"one\ntw", b"o", b"\nthree\n"):
            files(output(data))
        await files.close()
    lines = (tmp_path / "web.log").read_bytes()
    assert lines == b"1800000000 one\n1800000000 two\n1800000002 three\n"


async def test_times_are_iso_8601_with_milliseconds_and_offset(tmp_path):
    services = alone(tmp_path / "web.log", timestamps=True)
    await written(services, output(b"x\ny\n"))
    stamped = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d [xy]\n"
    assert re.fullmatch(rb"(?:%s){2}" % stamped, (tmp_path / "web.log").read_bytes())


async def test_colours_are_for_terminals_unless_they_are_asked_for(tmp_path):
    plain, colored = tmp_path / "plain.log", tmp_path / "colored.log"
    services = {
        0: LoggedService("plain", LogFile(str(plain))),
        1: LoggedService("colored", LogFile(str(colored)), keeps_sequences=True),
    }
    chunks = (b"\x1b[3", b"1mred\x1b[0m\n")
    await written(services, *(output(data, instance=at) for at in (0, 1) for data in chunks))
    assert plain.read_bytes() == b"red\n"
    assert colored.read_bytes() == b"\x1b[31mred\x1b[0m\n"


async def test_json_lines_say_who_wrote_what_where(tmp_path):
    log = LogFile(str(tmp_path / "all.log"), json=True)
    services = {0: LoggedService("web", log, 2, separate_streams=True), 1: LoggedService("db", log)}
    with trio.fail_after(LIMIT):
        files = LogFiles(services, notice=never)
        files.put(output(b"\xf0\x9f"))
        files.put(output(b"failed\r\n"), "err")
        files.put(output(b"ready", instance=1))
        files.put(output(b"\x99\x82 \x1b[1m\xff\n"))
        await files.close()
    records = [json.loads(line) for line in (tmp_path / "all.log").read_text().splitlines()]
    assert all(record.pop("time") for record in records)
    assert records == [
        {"service": "web", "instance": 2, "stream": "err", "text": "failed"},
        {"service": "web", "instance": 2, "stream": "out", "text": "🙂 \ufffd"},
        {"service": "db", "stream": "out", "text": "ready"},
    ]


async def test_stderr_has_a_file_of_its_own_where_it_is_to(tmp_path):
    log = LogFile(str(tmp_path / "{instance}.log"), str(tmp_path / "{instance}.err"))
    services = {n: LoggedService("web", log, n + 1) for n in range(2)}
    with trio.fail_after(LIMIT):
        files = LogFiles(services, notice=never)
        for instance in services:
            files.put(output(b"out %d\n" % instance, instance=instance))
            files.put(output(b"err %d\n" % instance, instance=instance), "err")
        await files.close()
    contents = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert contents == {
        "1.log": "out 0\n",
        "1.err": "err 0\n",
        "2.log": "out 1\n",
        "2.err": "err 1\n",
    }


async def test_lines_of_several_services_in_one_file_never_mix(tmp_path):
    log = LogFile(str(tmp_path / "all.log"))
    (tmp_path / "link.log").symlink_to("all.log")
    same = LogFile(str(tmp_path / "link.log"))
    services = {n: LoggedService(str(n), same if n else log) for n in range(3)}
    chance = random.Random(7)
    texts = [
        b"".join(b"%d %d %s\n" % (n, i, b"x" * (i % 90)) for i in range(3000)) for n in services
    ]
    left = list(texts)
    events = []
    while any(left):
        n = chance.choice([n for n in services if left[n]])
        size = chance.randrange(1, 400)
        events.append(output(left[n][:size], instance=n))
        left[n] = left[n][size:]
    await written(services, *events)
    lines = (tmp_path / "all.log").read_bytes().splitlines(keepends=True)
    for n, text in enumerate(texts):
        assert b"".join(line for line in lines if line.startswith(b"%d " % n)) == text
    assert len(lines) == sum(text.count(b"\n") for text in texts)


async def test_two_generations_at_a_time_do_not_mix_their_lines(tmp_path):
    path = tmp_path / "web.log"
    events = [output(b"a\n"), output(b"b\n", generation=2), output(b"old "), output(b"new ")]
    events[-1] = output(b"new ", generation=2)
    events += [output(b"line\n"), exited(), output(b"line\n", generation=2)]
    await written(alone(path), *events)
    assert path.read_bytes() == b"a\nb\nold line\nnew line\n"


async def test_a_line_of_ten_megabytes_is_one_line_among_others(tmp_path):
    path = tmp_path / "web.log"
    block = b"x" * 65536
    events = [output(b"before\n"), *(output(block) for _ in range(160)), output(b"\nafter\n")]
    await written(alone(path, max_size=100_000), *events)
    assert [*rotated(path), path.read_bytes()] == [b"before\n" + block * 160 + b"\n", b"after\n"]


async def test_what_a_real_process_writes_arrives_through_a_pump(tmp_path):
    program = r"""
import os
os.write(1, b"caf\xc3")
os.write(1, b"\xa9 \xff\x00\r\n10%\r20%\r30%\n" + b"y" * 300000 + b"\nno end")
"""
    with trio.fail_after(LIMIT):
        files = LogFiles(alone(tmp_path / "web.log"), notice=never)
        null = os.open(os.devnull, os.O_WRONLY)
        journal = Journal(null, gone=never)
        reader, writer = os.pipe()
        child = await trio.lowlevel.open_process([sys.executable, "-c", program], stdout=writer)
        os.close(writer)
        os.set_blocking(reader, False)
        now = trio.Event()
        now.set()
        pump = Pump(reader, instance=0, generation=1, journal=journal, publish=files, after=now)
        await pump.run()
        await files.close()
        await journal.close()
        await child.wait()
        os.close(null)
    expected = "café ".encode() + b"\xff\x00\r\n30%\n" + b"y" * 300000 + b"\nno end"
    assert (tmp_path / "web.log").read_bytes() == expected


# -- who waits for whom ---------------------------------------------------------------------------


async def test_a_slow_file_slows_those_who_write_to_it_and_nobody_else(tmp_path):
    path = tmp_path / "slow"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    block = b"x" * (CAPACITY - 1) + b"\n"
    done = []

    async def write(files: LogFiles) -> None:
        for number in range(4):
            await files.room(0)
            files(output(block))
            done.append(number)

    with trio.fail_after(LIMIT):
        files = LogFiles(alone(path), notice=never)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(write, files)
            await trio.testing.wait_all_tasks_blocked(0.05)
            assert done == [0, 1], "nobody reads"
            assert files.unwritten == 2 * CAPACITY
            await files.room(1)
            files(output(block, instance=1))
            assert files.unwritten == 2 * CAPACITY, "it has no log file"
            read = bytearray()
            nursery.start_soon(files.flush)
            while len(read) < 4 * len(block):
                await trio.lowlevel.wait_readable(reader)
                read += os.read(reader, 1 << 20)
        assert files.stalled_for == 0
        await files.close()
    os.close(reader)
    assert read == 4 * block


async def test_a_full_disk_stops_nobody(tmp_path):
    said = []
    (tmp_path / "full.log").symlink_to("/dev/full")
    services = {
        0: LoggedService("web", LogFile(str(tmp_path / "full.log"))),
        1: LoggedService("db", LogFile(str(tmp_path / "db.log"))),
    }
    with trio.fail_after(LIMIT):
        files = LogFiles(services, notice=said.append)
        for _ in range(100):
            for instance in services:
                await files.room(instance)
                files(output(b"x" * 99_999 + b"\n", instance=instance))
        await files.close()
    assert len(said) == 2
    assert said[0].startswith("cannot write /dev/full: No space left on device; ")
    assert said[1] == "/dev/full: 10000000 bytes are missing"
    assert (tmp_path / "db.log").stat().st_size == 10_000_000


LIMITED = r"""
import os, resource, sys, trio
from devrun.events import Output, Piece
from devrun.output import log_file
from devrun.output.log_desk import LoggedService
from devrun.output.log_files import LogFiles
from devrun.policies import LogFile

log_file.RETRY_FIRST = 0.0
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
lines = [b"%06d\n" % n for n in range(30_000)]

async def main():
    services = {0: LoggedService("web", LogFile(sys.argv[1]))}
    files = LogFiles(services, notice=lambda text: print(text, flush=True))
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, unlimited[1]))
    files(Output(0, 1, Piece.LINES, b"".join(lines[:20_000])))
    await files.flush()
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    files(Output(0, 1, Piece.LINES, b"".join(lines[20_000:])))
    await files.close()

trio.run(main)
"""


async def test_after_a_full_disk_whole_lines_follow_and_the_missing_bytes_are_counted(tmp_path):
    path = tmp_path / "web.log"
    command = [sys.executable, "-c", LIMITED, str(path)]
    said = (await trio.run_process(command, capture_stdout=True)).stdout.decode().splitlines()
    assert said[0].startswith(f"cannot write {path}: File too large; ")
    content = path.read_bytes()
    lines = [b"%06d\n" % n for n in range(30_000)]
    assert content == b"".join(lines)[:100_000] + b"\n" + b"".join(lines[20_000:])
    missing = 140_000 - 100_000
    assert said[1:] == [f"{path}: written again; {missing} bytes are missing"]


# -- rotation -------------------------------------------------------------------------------------

FLOOD = "import sys\nfor n in range(500_000): sys.stdout.write(f'{n:07} {\"x\" * (n % 90)}\\n')"

RENAMER = r"""
import os, sys
path, number = sys.argv[1], 0
print("ready", flush=True)
while True:
    rotated = sum(name.endswith("Z") for name in os.listdir(os.path.dirname(path)))
    try:
        if rotated >= number and os.path.getsize(path) > 300_000:
            os.rename(path, f"{path}-moved-{number:05}")
            number += 1
    except FileNotFoundError:
        continue
"""
"""Renames as many files as are rotated."""


async def test_a_flood_is_complete_though_files_are_rotated_and_renamed_by_others(tmp_path):
    path = tmp_path / "web.log"
    with trio.fail_after(LIMIT):
        files = LogFiles(alone(path, max_size=1_000_000), notice=never)
        async with (
            running(sys.executable, "-c", RENAMER, str(path)) as renamer,
            running(sys.executable, "-c", FLOOD) as stdout,
        ):
            assert (await renamer.receive_some()).startswith(b"ready")
            async for chunk in stdout:
                await files.room(0)
                files(output(chunk))
            await files.close()
    assert path.exists() or list(tmp_path.iterdir())
    contents = sorted(found.read_bytes() for found in tmp_path.iterdir())
    lines = b"".join(contents).splitlines(keepends=True)
    assert lines == [b"%07d %s\n" % (n, b"x" * (n % 90)) for n in range(500_000)]
    names = [found.name for found in tmp_path.iterdir()]
    assert any("moved" in name for name in names)
    assert any(name.endswith("Z") for name in names)
    assert all(content.endswith(b"\n") for content in contents if content)
    assert all(len(content) <= 1_000_000 for content in contents)


async def test_rotated_files_are_compressed_and_only_so_many_kept(tmp_path):
    path = tmp_path / "web.log"
    services = alone(path, max_size=1000, keep_files=3, compress=True)
    lines = [b"%099d\n" % n for n in range(95)]
    with trio.fail_after(LIMIT):
        files = LogFiles(services, notice=never)
        for line in lines:
            files(output(line))
        await files.flush()
        await files.archived()
        assert all(file.compressed for file in archive_of(str(path)).files)
        assert [*map(gzip.decompress, rotated(path))] == [
            b"".join(lines[start : start + 10]) for start in (60, 70, 80)
        ]
        assert path.read_bytes() == b"".join(lines[90:])
        await files.close()
    assert len(list(tmp_path.iterdir())) == 4


async def test_what_was_not_compressed_is_when_the_file_is_used_again(tmp_path):
    path = tmp_path / "web.log"
    left = tmp_path / "web.log.20260101T000000.000Z"
    left.write_bytes(b"left\n")
    (tmp_path / "web.log.20260102T000000.000Z.gz.tmp").write_bytes(b"half")
    with trio.fail_after(LIMIT):
        files = LogFiles(alone(path, max_size=1000, compress=True), notice=never)
        await files.archived()
        await files.close()
    assert [found.name for found in tmp_path.iterdir()] == [f"{left.name}.gz"]


async def test_tail_follows_a_file_through_its_rotations(tmp_path):
    path = tmp_path / "web.log"
    with trio.fail_after(LIMIT):
        files = LogFiles(alone(path, max_size=10), notice=never)
        files(output(b"line   0\n"))
        await files.flush()
        async with running("tail", "-n", "+1", "-F", str(path)) as stdout:
            seen = b""
            for number in range(5):
                while b"line   %d\n" % number not in seen:
                    seen += await stdout.receive_some()
                files(output(b"line   %d\n" % (number + 1)))
        await files.close()
    assert len(archive_of(str(path)).files) == 5


async def test_own_files_are_told_so_that_watching_leaves_them_out(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "link").symlink_to("logs")
    files = LogFiles(alone(tmp_path / "link" / "web.log", error_path="/e.log"), notice=never)
    with trio.fail_after(LIMIT):
        await files.close()
    for folder in ("link", "logs"):
        assert files.own.owns(str(tmp_path / folder / "web.log"))
        assert files.own.owns(str(tmp_path / folder / "web.log.20260131T235959.123Z.gz"))
    assert files.own.owns("/e.log")
