"""Chunks of many sources sorted into files."""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from devrun.output.log_archive import Archivist, archive_of
from devrun.output.log_desk import Chunk, Desk, End, LoggedService
from devrun.output.log_lines import LONGEST_HELD
from devrun.policies import LogFile


def never(text):
    raise AssertionError(text)


class Bench:
    """A desk with one log file for some services."""

    def __init__(self, folder: str, count: int, **settings):
        self.path = os.path.join(folder, "all.log")
        log = LogFile(self.path, **settings)
        services = {n: LoggedService(str(n), log) for n in range(count)}
        self.archivist = Archivist(never)
        self.desk = Desk(services, never, self.archivist, lambda: 0.0)

    def write(self, instance: int, data: bytes, *, generation: int = 1, time: float = 0.0) -> None:
        self.desk.write(Chunk(instance, generation, "out", data, time))

    def close(self) -> bytes:
        """Close, and return what the files hold, from the oldest to the newest."""
        self.desk.close()
        self.archivist.close()
        paths = [*(file.path for file in archive_of(self.path).files), self.path]
        return b"".join(Path(path).read_bytes() for path in paths if os.path.exists(path))


LINES = st.lists(st.integers(0, 60), max_size=8)
STEPS = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 50), st.booleans()), max_size=60)


@given(lengths=st.tuples(LINES, LINES, LINES), steps=STEPS, size=st.none() | st.integers(1, 200))
@settings(max_examples=40)
def test_every_line_is_its_services_own_and_none_is_missing(lengths, steps, size):
    texts = [
        b"".join(b"%d%s\n" % (n, b"abc"[n : n + 1] * length) for length in lengths[n])
        for n in range(3)
    ]
    left = list(texts)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder, 3, max_size=size)
        for instance, length, flushes in steps:
            bench.write(instance, left[instance][:length])
            left[instance] = left[instance][length:]
            if flushes:
                bench.desk.flush()
        for instance, rest in enumerate(left):
            bench.write(instance, rest)
        lines = bench.close().splitlines(keepends=True)
    for n, text in enumerate(texts):
        assert [line for line in lines if line.startswith(b"%d" % n)] == text.splitlines(
            keepends=True
        )
    assert len(lines) == sum(map(len, lengths))


GENERATIONS = st.lists(st.binary(max_size=40).map(lambda data: data.replace(b"\x1b", b"")))


@given(texts=GENERATIONS)
@settings(max_examples=40)
def test_every_generation_begins_a_line(texts):
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder, 1)
        for generation, text in enumerate(texts, 1):
            bench.write(0, text, generation=generation)
            bench.desk.end(End(0, generation))
        content = bench.close()
    expected = b""
    for text in texts:
        begun = text and expected and not expected.endswith(b"\n")
        expected += b"\n" + text if begun else text
    assert content == expected


def test_a_line_too_long_to_be_held_is_ended_where_another_service_writes(tmp_path):
    bench = Bench(str(tmp_path), 2, json=True)
    bench.write(0, b"x" * (LONGEST_HELD + 1))
    bench.write(1, b"between\n")
    bench.write(0, b"rest\n")
    services = re.findall(rb'"service":"(\d)","stream":"out","text":"(\w+)"}\n', bench.close())
    assert services == [(b"0", b"x" * (LONGEST_HELD + 1)), (b"1", b"between"), (b"0", b"rest")]


def test_what_outlives_its_generation_is_forgotten_with_the_next(tmp_path):
    bench = Bench(str(tmp_path), 1)
    for generation in range(1, 50):
        bench.write(0, b"x\n", generation=generation)
        bench.desk.end(End(0, generation))
        bench.write(0, b"from a descendant\n", generation=generation)
    assert len(bench.desk._sources) == 1
    bench.close()


def test_an_old_generation_goes_on_though_the_new_one_ends_first(tmp_path):
    bench = Bench(str(tmp_path), 1)
    bench.write(0, b"old\n", generation=1)
    bench.write(0, b"new\n", generation=2)
    bench.write(0, b"begun ", generation=1)
    bench.desk.end(End(0, 2))
    bench.write(0, b"and ended\n", generation=1)
    assert bench.close() == b"old\nnew\nbegun and ended\n"


def test_both_streams_have_objects_of_their_own_in_one_file(tmp_path):
    path = str(tmp_path / "web.log")
    web = LoggedService("web", LogFile(path, json=True), separate_streams=True)
    archivist = Archivist(never)
    desk = Desk({0: web}, never, archivist, lambda: 0.0)
    for stream, data in [("out", b"a"), ("err", b"x\nx"), ("out", b"b\nc"), ("err", b"y")]:
        desk.write(Chunk(0, 1, stream, data, 0.0))
    long = b"z" * (LONGEST_HELD + 1)
    desk.write(Chunk(0, 1, "out", long, 0.0))
    desk.write(Chunk(0, 1, "err", b"\nw", 0.0))
    desk.close()
    archivist.close()
    found = [json.loads(line) for line in Path(path).read_bytes().splitlines()]
    assert sorted((each["stream"], each["text"]) for each in found) == [
        ("err", "w"),
        ("err", "x"),
        ("err", "xy"),
        ("out", "ab"),
        ("out", f"c{long.decode()}"),
    ]
