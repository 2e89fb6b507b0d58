"""One log file: appended to, rotated, moved by others, not writable for a while."""

from __future__ import annotations

import gzip
import os
import re
import stat
import tempfile
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devrun.output.log_archive import Archivist, Keeping, archive_of, compress, outdated, reserve
from devrun.output.log_file import RETRY_FIRST, RETRY_LAST, AppendedFile

NOON = 1_800_000_000.0


class Bench:
    """A log file whose clocks stand still unless they are moved."""

    def __init__(self, folder: Path, *, max_size: int | None = None, name: str = "web.log"):
        self.path = folder / name
        self.said: list[str] = []
        self.rotations = 0
        self.now = 1000.0
        self.file = AppendedFile(
            str(self.path),
            max_size=max_size,
            say=self.said.append,
            rotated=self._count,
            wall_clock=lambda: NOON,
            clock=lambda: self.now,
        )

    def _count(self) -> None:
        self.rotations += 1

    def write(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.file.add(piece)
        self.file.flush()

    def rotated(self) -> list[bytes]:
        return [Path(file.path).read_bytes() for file in archive_of(str(self.path)).files]

    def content(self) -> bytes:
        return self.path.read_bytes() if self.path.exists() else b""


# -- appending ------------------------------------------------------------------------------------


def test_a_file_and_its_folders_are_made_when_there_is_something_to_write(tmp_path):
    bench = Bench(tmp_path, name="logs/today/web.log")
    bench.file.flush()
    assert not (tmp_path / "logs").exists()
    bench.write(b"a\n")
    assert bench.content() == b"a\n"
    assert stat.S_IMODE(bench.path.stat().st_mode) == 0o600
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(bench.path.parent.stat().st_mode) == 0o777 & ~umask


def test_a_file_that_exists_is_appended_to_and_keeps_its_mode(tmp_path):
    bench = Bench(tmp_path)
    bench.path.write_bytes(b"before\n")
    bench.path.chmod(0o644)
    bench.write(b"after\n")
    assert bench.content() == b"before\nafter\n"
    assert stat.S_IMODE(bench.path.stat().st_mode) == 0o644


def test_a_line_that_an_earlier_run_left_unfinished_is_ended(tmp_path):
    bench = Bench(tmp_path)
    bench.path.write_bytes(b"unfin")
    bench.write(b"after\n")
    assert bench.content() == b"unfin\nafter\n"


# -- rotating -------------------------------------------------------------------------------------


@given(
    pieces=st.lists(
        st.lists(st.sampled_from([b"", b"\n", b"a", b"bc\n", b"d" * 30])).map(b"".join)
    ),
    flushes=st.sets(st.integers(0, 20)),
    max_size=st.integers(1, 60),
)
@settings(max_examples=40)
def test_the_rotated_files_and_the_last_are_what_was_written(pieces, flushes, max_size):
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), max_size=max_size)
        for at, piece in enumerate(pieces):
            bench.file.add(piece)
            if at in flushes:
                bench.file.flush()
        bench.file.close()
        rotated = bench.rotated()
        assert b"".join((*rotated, bench.content())) == b"".join(pieces)
        assert all(content.endswith(b"\n") for content in rotated), "no line is cut"
        for content in (*rotated, bench.content()):
            last_line = content.rfind(b"\n", 0, max(0, len(content) - 1)) + 1
            assert last_line < max_size
        assert bench.rotations == len(rotated)
        assert not bench.said


def test_a_large_file_of_an_earlier_run_is_rotated_before_it_grows(tmp_path):
    bench = Bench(tmp_path, max_size=10)
    bench.path.write_bytes(b"0123456789abcdef\n")
    bench.path.chmod(0o640)
    bench.write(b"new\n")
    assert bench.rotated() == [b"0123456789abcdef\n"]
    assert bench.content() == b"new\n"
    assert stat.S_IMODE(bench.path.stat().st_mode) == 0o640, "the next file has the same mode"


def test_a_file_that_cannot_be_rotated_grows_and_that_is_said_once(tmp_path, monkeypatch):
    bench = Bench(tmp_path, max_size=10)

    def refuse(source, target):
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patch:
        patch.setattr("devrun.output.log_file.os.replace", refuse)
        for _ in range(20):
            bench.write(b"12345678\n")
    assert bench.content() == b"12345678\n" * 20
    assert bench.said == [
        f"cannot rotate {bench.path}: Operation not permitted; it grows meanwhile"
    ]
    assert not bench.rotated(), "no empty file is left"
    for _ in range(30):
        bench.write(b"12345678\n")
    assert bench.rotated()
    assert b"".join((*bench.rotated(), bench.content())) == b"12345678\n" * 50


def test_a_device_is_not_rotated():
    said: list[str] = []
    file = AppendedFile("/dev/null", max_size=1, say=said.append, rotated=pytest.fail)
    file.add(b"abc\ndef\n")
    file.add(b"ghi\n")
    file.close()
    assert not said


def test_names_are_times_and_none_is_given_twice(tmp_path):
    path = str(tmp_path / "web.log")
    (tmp_path / "web.log.20270115T080000.001Z.gz").touch()
    names = [os.path.basename(reserve(path, NOON)) for _ in range(3)]
    assert names == [
        "web.log.20270115T080000.000Z",
        "web.log.20270115T080000.002Z",
        "web.log.20270115T080000.003Z",
    ]


# -- moved by others ------------------------------------------------------------------------------


def test_a_file_that_was_renamed_gets_the_end_of_its_line_and_a_new_one_the_rest(tmp_path):
    bench = Bench(tmp_path)
    bench.write(b"one\ntw")
    bench.path.chmod(0o640)
    bench.path.rename(tmp_path / "web.log.1")
    bench.write(b"o\nthree\n", b"four\n")
    assert (tmp_path / "web.log.1").read_bytes() == b"one\ntwo\n"
    assert bench.content() == b"three\nfour\n"
    assert stat.S_IMODE(bench.path.stat().st_mode) == 0o640


def test_a_file_that_was_removed_is_made_anew(tmp_path):
    bench = Bench(tmp_path, name="logs/web.log")
    bench.write(b"one\ntw")
    bench.path.unlink()
    bench.path.parent.rmdir()
    bench.write(b"o\nthree\n")
    assert bench.content() == b"o\nthree\n"


def test_a_file_that_was_replaced_is_appended_to(tmp_path):
    bench = Bench(tmp_path, max_size=10)
    bench.write(b"one\n")
    bench.path.rename(tmp_path / "old")
    bench.path.write_bytes(b"123456789\n")
    bench.write(b"two\n")
    assert (tmp_path / "old").read_bytes() == b"one\n"
    assert bench.rotated() == [b"123456789\n"]
    assert bench.content() == b"two\n"


def test_a_file_that_was_truncated_is_rotated_by_its_new_size(tmp_path):
    bench = Bench(tmp_path, max_size=10)
    bench.write(b"12345678\n")
    os.truncate(bench.path, 0)
    bench.write(b"abc\n")
    assert not bench.rotated()
    assert bench.content() == b"abc\n"


# -- a full disk ----------------------------------------------------------------------------------


def test_a_full_disk_is_said_once_and_what_is_missing_when_it_works_again(tmp_path):
    bench = Bench(tmp_path)
    bench.path.symlink_to("/dev/full")
    bench.write(b"lost\n")
    bench.write(b"lost as well, ")
    bench.now += RETRY_FIRST
    bench.write(b"lost again, ")
    full = f"cannot write {bench.path}: No space left on device; "
    assert bench.said == [full + "what is said meanwhile will be missing there"]
    bench.path.unlink()
    bench.now += 2 * RETRY_FIRST
    bench.write(b"its rest\nthere\n")
    missing = len(b"lost\nlost as well, lost again, its rest\n")
    assert bench.content() == b"there\n"
    assert bench.said[1:] == [f"{bench.path}: written again; {missing} bytes are missing"]


def test_after_a_failure_nothing_is_tried_for_a_while(tmp_path):
    bench = Bench(tmp_path)
    bench.path.symlink_to("/dev/full")
    bench.write(b"a\n")
    bench.path.unlink()
    bench.now += RETRY_FIRST / 2
    bench.write(b"b\n")
    assert not bench.path.exists()
    bench.file.close()
    assert bench.said[1:] == [f"{bench.path}: 4 bytes are missing"]


def test_a_line_that_was_broken_off_by_a_full_disk_is_ended(tmp_path, monkeypatch):
    bench = Bench(tmp_path)
    real = os.write
    room = [6]

    def write(descriptor, data):
        written = real(descriptor, data[: room[0]])
        room[0] -= written
        if not written:
            raise OSError(28, "No space left on device")
        return written

    with monkeypatch.context() as patch:
        patch.setattr("devrun.output.log_file.os.write", write)
        bench.write(b"one\ntwo\nthree\n")
    bench.now += RETRY_FIRST
    bench.write(b"four\n")
    assert bench.content() == b"one\ntw\nfour\n"
    assert bench.said[1:] == [f"{bench.path}: written again; 8 bytes are missing"]


LINES = [b"%04d %s\n" % (n, b"x" * (n % 7)) for n in range(200)]


@given(
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=40),
    outcomes=st.lists(st.none() | st.integers(0, 60), max_size=60),
)
@settings(max_examples=40)
def test_whatever_fails_whole_lines_follow_and_every_missing_byte_is_counted(sizes, outcomes):
    real, fates = os.write, iter(outcomes)

    def write(descriptor, data):
        room = next(fates, None)
        if room == 0:
            raise OSError(28, "No space left on device")
        return real(descriptor, data if room is None else data[:room])

    text = b"".join(LINES)[: sum(sizes)]
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        with patch("devrun.output.log_file.os.write", write):
            place = 0
            for size in sizes:
                bench.write(text[place : place + size])
                place += size
                bench.now += RETRY_LAST
        bench.file.close()
        content = bench.content()
    missing = sum(int(found) for line in bench.said for found in re.findall(r"(\d+) bytes", line))
    *ended, _ = content.split(b"\n")
    wholes = {line[:4]: line.rstrip(b"\n") for line in LINES}
    broken = [line for line in ended if line not in wholes.values()]
    assert all(any(whole.startswith(line) for whole in wholes.values()) for line in broken)
    failures = outcomes.count(0)
    assert len(broken) <= failures
    assert 0 <= len(content) + missing - len(text) <= failures, "line feeds that were added"
    whole = [line for line in ended if line not in broken]
    assert whole == sorted(set(whole)), "none twice, and in order"


def test_a_folder_that_is_a_file_is_an_error_like_any_other(tmp_path):
    (tmp_path / "logs").touch()
    bench = Bench(tmp_path, name="logs/web.log")
    bench.write(b"a\n")
    assert len(bench.said) == 1
    assert "Not a directory" in bench.said[0] or "File exists" in bench.said[0]


def test_a_fifo_that_nobody_reads_stops_nobody(tmp_path):
    bench = Bench(tmp_path)
    os.mkfifo(bench.path)
    bench.write(b"a\n")
    assert len(bench.said) == 1


# -- rotated files --------------------------------------------------------------------------------


def rotated_files(folder: Path, count: int, *, age: float = 0) -> list[Path]:
    """Make rotated files, one second apart, the last ``age`` seconds old."""
    paths = [folder / f"web.log.20270115T0800{n:02}.000Z" for n in range(count)]
    for at, path in enumerate(paths):
        path.write_bytes(b"%d\n" % at * 1000)
        modified = NOON - age - count + 1 + at
        os.utime(path, (modified, modified))
    return paths


def look_after(folder: Path, **keeping) -> list[str]:
    """Have an archivist do all that there is to do; return what it said."""
    said: list[str] = []
    archivist = Archivist(said.append, lambda: NOON)
    archivist.request(Keeping(str(folder / "web.log"), **keeping))
    done = []
    archivist.when_done(lambda: done.append(True))
    while not done:
        archivist._thread.join(0.001)
    archivist.close()
    return said


def test_as_many_files_are_kept_as_are_asked_for(tmp_path):
    paths = rotated_files(tmp_path, 5)
    (tmp_path / "web.log.1").touch()
    (tmp_path / "other.log.20270115T080000.000Z").touch()
    assert not look_after(tmp_path, files=2)
    assert {path.name for path in tmp_path.iterdir()} == {
        *(path.name for path in paths[3:]),
        "web.log.1",
        "other.log.20270115T080000.000Z",
    }


def test_files_are_removed_when_they_are_old(tmp_path):
    paths = rotated_files(tmp_path, 5, age=96)
    assert not look_after(tmp_path, seconds=98)
    assert sorted(tmp_path.iterdir()) == paths[3:]


def test_a_file_is_removed_when_it_becomes_too_old_though_nothing_else_happens(tmp_path):
    (path,) = rotated_files(tmp_path, 1)
    os.utime(path)
    archivist = Archivist(pytest.fail)
    archivist.request(Keeping(str(tmp_path / "web.log"), seconds=0.1))
    while path.exists():
        archivist._thread.join(0.005)
    archivist.close()


def test_a_file_is_too_old_at_its_age():
    with tempfile.TemporaryDirectory() as folder:
        rotated_files(Path(folder), 1)
        (file,) = archive_of(os.path.join(folder, "web.log")).files
        keeping = Keeping("web.log", seconds=10)
        assert not outdated([file], keeping, NOON + 9)
        assert outdated([file], keeping, NOON + 10) == [file]


def test_a_compressed_file_has_mode_and_time_of_the_plain_one(tmp_path):
    paths = rotated_files(tmp_path, 3)
    before = [(path.read_bytes(), path.stat()) for path in paths]
    paths[1].chmod(0o640)
    assert not look_after(tmp_path, compress=True)
    packed = [Path(f"{path}.gz") for path in paths]
    assert sorted(tmp_path.iterdir()) == packed
    for path, (content, about) in zip(packed, before, strict=True):
        assert gzip.decompress(path.read_bytes()) == content
        assert path.stat().st_mtime == about.st_mtime
    assert stat.S_IMODE(packed[1].stat().st_mode) == 0o640


def test_what_a_crash_left_of_a_compression_is_put_right(tmp_path):
    (first, second) = rotated_files(tmp_path, 2)
    leftover = Path(f"{first}.gz.tmp")
    leftover.write_bytes(b"half")
    complete = Path(f"{second}.gz")
    complete.write_bytes(gzip.compress(second.read_bytes()))
    assert not look_after(tmp_path)
    assert sorted(tmp_path.iterdir()) == [first, complete]


def test_a_compression_that_is_to_stop_leaves_the_file_as_it_was(tmp_path):
    (path,) = rotated_files(tmp_path, 1)
    assert not compress(str(path), stopping=lambda: True)
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_looked_after_is_said_once(tmp_path):
    (tmp_path / "web.log.20270115T080000.000Z").mkdir()
    said = look_after(tmp_path, compress=True)
    assert said == [f"cannot look after {tmp_path}/web.log's rotated files: Is a directory"]
