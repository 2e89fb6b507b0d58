"""Log files are read from their ends, rotated ones included."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, datetime
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.cli.control import log_reader
from devrun.cli.control.log_reader import LogSource, newest_first
from devrun.policies import LogFile


def source(path, **how):
    return LogSource(str(path), "web", "web", LogFile(str(path), **how))


def texts(path, since=None, **how):
    return [str(entry.said["line"]) for entry in newest_first(source(path, **how), since)]


@given(
    lines=st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")), max_size=30),
    ends=st.booleans(),
    at_once=st.integers(1, 50),
)
def test_lines_are_read_backwards_whatever_the_size_of_the_pieces(
    tmp_path_factory, lines, ends, at_once
):
    path = tmp_path_factory.mktemp("logs") / "web.log"
    content = b"\n".join(lines) + (b"\n" if ends and lines else b"")
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_reader, "_AT_ONCE", at_once)
        found = texts(path)
    whole = content.removesuffix(b"\n").split(b"\n") if content else []
    assert found[::-1] == [line.decode("utf-8", "replace").removesuffix("\r") for line in whole]


def test_rotated_files_follow_compressed_or_not(tmp_path):
    (tmp_path / "web.log").write_text("e\nf\n")
    (tmp_path / "web.log.20260131T100000.000Z").write_text("c\nd\n")
    with gzip.open(tmp_path / "web.log.20260130T100000.000Z.gz", "wb") as packed:
        packed.write(b"a\nb\n")
    (tmp_path / "web.log.old").write_text("x\n")
    assert texts(tmp_path / "web.log") == ["f", "e", "d", "c", "b", "a"]


def test_what_was_only_rotated_is_read_too(tmp_path):
    (tmp_path / "web.log.20260131T100000.000Z").write_text("c\n")
    assert texts(tmp_path / "web.log") == ["c"]


def test_times_of_lines_are_taken_out_of_them(tmp_path):
    path = tmp_path / "web.log"
    path.write_text("2026-01-31T10:00:00.250+00:00 one\n2026-01-31T12:00:01.000+02:00 two\n")
    found = [*newest_first(source(path, timestamps=True), None)]
    assert [(entry.at, entry.said["line"]) for entry in found] == [
        (datetime(2026, 1, 31, 10, 0, 1, tzinfo=UTC).timestamp(), "two"),
        (datetime(2026, 1, 31, 10, 0, 0, 250_000, tzinfo=UTC).timestamp(), "one"),
    ]


def test_json_says_whose_a_line_is(tmp_path):
    path = tmp_path / "web.log"
    path.write_text(
        '{"time":"2026-01-31T10:00:00.000+00:00","service":"web","instance":2,"stream":"err",'
        '"text":"one"}\n{"time":"mine","level":"info"}\n'
    )
    own, one = newest_first(source(path, json=True), None)
    assert one.said["instance"] == "web.2"
    assert one.said["stream"] == "err"
    assert one.said["line"] == "one"
    assert own.said["line"] == '{"time":"mine","level":"info"}'


def test_nothing_older_is_read_than_is_asked_for(tmp_path):
    path = tmp_path / "web.log"
    path.write_text("2026-01-31T10:00:00.000+00:00 one\n2026-01-31T10:00:02.000+00:00 two\n")
    older = tmp_path / "web.log.20260130T100000.000Z"
    older.write_text("2026-01-30T10:00:00.000+00:00 zero\n")
    os.utime(older, (0, 0))
    since = datetime(2026, 1, 31, 10, 0, 1, tzinfo=UTC).timestamp()
    assert texts(path, since, timestamps=True) == ["two"]


def test_lines_without_a_time_are_as_old_as_their_file(tmp_path):
    path = tmp_path / "web.log"
    path.write_text("one\ntwo\n")
    os.utime(path, (50, 50))
    assert [entry.at for entry in newest_first(source(path), None)] == [50.0, 50.0]
    assert texts(path, 51.0) == []


def test_a_clock_that_was_put_back_reorders_nothing(tmp_path):
    path = tmp_path / "web.log"
    path.write_text("2026-01-31T12:00:00.000+00:00 one\n2026-01-31T10:00:00.000+00:00 two\n")
    found = [*newest_first(source(path, timestamps=True), None)]
    assert [entry.said["line"] for entry in found] == ["two", "one"]
    assert found[0].at == found[1].at


def test_no_more_is_read_of_a_large_file_than_is_wanted(tmp_path, monkeypatch):
    path = tmp_path / "web.log"
    path.write_text("x\n" * 1_000_000)
    read = []
    lines = log_reader._lines_backwards

    def counted(place):
        for line in lines(place):
            read.append(line)
            yield line

    monkeypatch.setattr(log_reader, "_lines_backwards", counted)
    assert len([*islice(newest_first(source(path), None), 3)]) == 3
    assert len(read) == 3


@pytest.mark.parametrize(
    "line",
    [
        "2026-13-45T10:00:00Z x",
        "0000-01-01T00:00:00Z x",
        '{"time":"0001-01-01T00:00:00","service":"a","stream":"out","text":"x"}',
        '{"time":' + "[" * 100_000,
        '{"time":17}',
    ],
)
def test_what_only_looks_like_a_time_is_the_services_own(tmp_path, line):
    path = tmp_path / "web.log"
    path.write_text(f"{line}\n")
    os.utime(path, (50, 50))
    (entry,) = newest_first(source(path, timestamps=True, json=True), None)
    assert (entry.at, entry.said["instance"], entry.said["line"]) == (50.0, "web", line)


def test_no_line_has_what_is_no_text(tmp_path):
    path = tmp_path / "web.log"
    said = '{"time":"2026-01-31T10:00:00Z","service":"web","stream":"out","text":"a\\ud800b"}'
    path.write_bytes(f"{said}\n".encode() + b"c\xffd\n")
    assert texts(path, json=True) == ["c\ufffdd", "a\ufffdb"]


@given(cut=st.integers(0, 400))
def test_a_packed_file_is_read_as_far_as_it_goes(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("logs") / "web.log.gz"
    text = b"".join(b"%d\n" % number for number in range(100))
    packed = gzip.compress(text) + gzip.compress(text)
    path.write_bytes(packed[: len(packed) - cut])
    found = b"".join(b"%s\n" % line for line in reversed([*log_reader._lines_backwards(str(path))]))
    assert (text * 2).startswith(found.removesuffix(b"\n"))
    assert cut or found == text * 2
