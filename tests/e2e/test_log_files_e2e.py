"""Log files of services: all that was said is in them, whatever happens meanwhile."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import sys
from datetime import datetime

import pytest
from running import program, until
from supervised import python, toml


def stop(run, number=signal.SIGTERM):
    run.signal(number)
    assert run.wait() == -number


def logged(folder, command, log, rest=""):
    return toml(folder, f"[services.web]\ncommand = {command}\nlog = {log}\n{rest}")


def pieces(folder, name="web.log"):
    """Return what is in a log and in what was rotated from it, the oldest first."""
    stem = name.removesuffix(".log")
    rotated = sorted(
        (path for path in folder.iterdir() if path.name.startswith(stem) and path.name != name),
        key=lambda path: path.name.removesuffix(".gz"),
    )
    found = [
        gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for path in rotated
    ]
    return [*found, (folder / name).read_bytes()]


def content(path):
    """Return what is in a file; nothing while there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def test_a_file_gets_what_the_terminal_gets(devrun, tmp_path):
    logged(tmp_path, '"echo out; echo err >&2; printf rest"', '"logs/deep/{name}.log"')
    run = devrun()
    assert run.wait() == 0
    assert (tmp_path / "logs" / "deep" / "web.log").read_bytes() == b"out\nerr\nrest"
    assert {"[web] out", "[web] err", "[web] rest"} < set(run.lines)


def test_bytes_are_as_they_were(devrun, tmp_path):
    raw = bytes({*range(256)} - set(b"\x1b\r")) + b"\n\xf0\x9f\x98 half\r\n" + b"x" * 100_000
    (tmp_path / "raw").write_bytes(raw)
    logged(tmp_path, '"cat raw"', '"web.log"')
    assert devrun().wait() == 0
    assert (tmp_path / "web.log").read_bytes() == raw


def test_colours_are_for_the_terminal(devrun, tmp_path):
    logged(tmp_path, "\"printf '\\\\033[31mred\\\\033[0m\\\\n'\"", '"web.log"', "tty = true")
    run = devrun()
    assert run.wait() == 0
    assert b"\x1b[31mred" in run.output
    assert (tmp_path / "web.log").read_bytes().replace(b"\r", b"") == b"red\n"


def test_a_second_run_appends(devrun, tmp_path):
    logged(tmp_path, '"echo line"', '"web.log"')
    assert devrun().wait() == 0
    assert devrun().wait() == 0
    assert (tmp_path / "web.log").read_text() == "line\nline\n"


def test_stderr_may_have_a_file_of_its_own(devrun, tmp_path):
    logged(
        tmp_path,
        '"echo out; echo err >&2"',
        '{ file = "out.log", error_file = "err.log" }',
    )
    run = devrun()
    assert run.wait() == 0
    assert (tmp_path / "out.log").read_text() == "out\n"
    assert (tmp_path / "err.log").read_text() == "err\n"
    assert {"[web] out", "[web] err"} < set(run.lines)


def test_json_says_which_stream(devrun, tmp_path):
    logged(
        tmp_path,
        '"echo out; echo err >&2"',
        '{ file = "web.log", error_file = "err.log", json = true }',
    )
    assert devrun().wait() == 0
    (wrong,) = [json.loads(line) for line in (tmp_path / "err.log").read_text().splitlines()]
    assert (wrong["text"], wrong["stream"]) == ("err", "err")


def test_json_says_which_stream_in_one_file_too(devrun, tmp_path):
    logged(
        tmp_path,
        """'printf "out "; printf "err " >&2; echo put; echo or >&2; printf end; printf fin >&2'""",
        '{ file = "web.log", json = true }',
    )
    assert devrun().wait() == 0
    found = [json.loads(line) for line in (tmp_path / "web.log").read_text().splitlines()]
    assert [each["text"] for each in found if each["stream"] == "out"] == ["out put", "end"]
    assert [each["text"] for each in found if each["stream"] == "err"] == ["err or", "fin"]


def test_all_restarts_and_instances_write_to_it(devrun, tmp_path):
    logged(
        tmp_path,
        '"echo $PORT >> n; echo run of $PORT; test $(grep -c $PORT n) = 3"',
        '"web.log"',
        'instances = 2\nport = 4000\nrestart = "on-failure"\nbackoff.initial = "10ms"',
    )
    assert devrun().wait() == 0
    lines = (tmp_path / "web.log").read_text().splitlines()
    assert sorted(lines) == ["run of 4000"] * 3 + ["run of 4001"] * 3


def test_instances_may_have_files_of_their_own(devrun, tmp_path):
    logged(tmp_path, '"echo $PORT"', '"web-{instance}.log"', "instances = 2\nport = 4000")
    assert devrun().wait() == 0
    assert (tmp_path / "web-1.log").read_text() == "4000\n"
    assert (tmp_path / "web-2.log").read_text() == "4001\n"


def test_every_line_has_the_time(devrun, tmp_path):
    """Lines that come in pieces have it once."""
    code = """
    for piece in ("on", "e\\n", "two\\nthr", "ee\\n", "last"):
        os.write(1, piece.encode())
        time.sleep(0.15)
    """
    logged(tmp_path, python(code), '{ file = "web.log", timestamps = true }')
    assert devrun().wait() == 0
    lines = (tmp_path / "web.log").read_text().splitlines()
    assert [line.partition(" ")[2] for line in lines] == ["one", "two", "three", "last"]
    for line in lines:
        stamp = line.partition(" ")[0]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", stamp)
        assert datetime.fromisoformat(stamp).tzinfo is not None


def test_a_million_lines_have_the_time_and_none_is_lost(devrun, tmp_path):
    """As ``seq 1 1000000`` showed it of PM2, which lost 97 of them."""
    logged(
        tmp_path,
        '"seq 1 1000000"',
        '{ file = "web.log", timestamps = true, time_format = "%H:%M" }',
    )
    assert devrun(stdout=subprocess.DEVNULL).wait() == 0
    number = 0
    with open(tmp_path / "web.log") as file:
        for number, line in enumerate(file, 1):
            assert line[2] == ":"
            assert line[6:] == f"{number}\n"
    assert number == 1_000_000


def test_json_lines_are_json(devrun, tmp_path):
    code = """
    os.write(1, 'say "hi" \\\\ \\t \\U0001f600\\n'.encode())
    os.write(1, b"first line")
    os.write(1, b"second line\\nthird line\\n\\xff\\n")
    """
    logged(tmp_path, python(code), '{ file = "web.log", json = true }')
    assert devrun().wait() == 0
    records = [json.loads(line) for line in (tmp_path / "web.log").read_text().splitlines()]
    assert [record["text"] for record in records] == [
        'say "hi" \\ \t \U0001f600',
        "first linesecond line",
        "third line",
        "\ufffd",
    ]
    assert {record["service"] for record in records} == {"web"}


@pytest.mark.parametrize("compress", ["false", "true"])
def test_edge_60_nothing_is_lost_by_rotation(devrun, tmp_path, compress):
    """Two hundred thousand lines through some 16 files, none of them too large."""
    (tmp_path / "logs").mkdir()
    logged(
        tmp_path,
        f'"{program("floods", 200_000)}"',
        f'{{ file = "logs/web.log", max_size = "1M", keep = 1000, compress = {compress} }}',
    )
    assert devrun(stdout=subprocess.DEVNULL).wait() == 0
    found = pieces(tmp_path / "logs")
    assert len(found) > 14
    assert all(len(piece) <= 1024 * 1024 for piece in found)
    numbers = [int(line[:10]) for line in b"".join(found).splitlines()]
    assert numbers == list(range(200_000))


def test_only_so_many_are_kept(devrun, tmp_path):
    (tmp_path / "logs").mkdir()
    logged(
        tmp_path,
        f'"{program("floods", 60_000)}; until test -e go; do sleep 0.02; done"',
        '{ file = "logs/web.log", max_size = "500K", keep = 3 }',
    )
    run = devrun(stdout=subprocess.DEVNULL)
    log = tmp_path / "logs" / "web.log"
    until(lambda: b"0000059999" in content(log), "the last line")
    until(lambda: len(list((tmp_path / "logs").iterdir())) == 4, "the removal of what is too much")
    (tmp_path / "go").touch()
    assert run.wait() == 0
    assert len(list((tmp_path / "logs").iterdir())) == 4


def test_logrotate_may_move_it_away(devrun, tmp_path):
    code = """
    for name in ("go1", "go2"):
        print("before", name, flush=True)
        while not os.path.exists(name):
            time.sleep(0.01)
    print("end", flush=True)
    """
    logged(tmp_path, python(code), '"web.log"')
    run = devrun()
    log = tmp_path / "web.log"
    until(lambda: content(log) == b"before go1\n", "the first line")
    log.rename(tmp_path / "moved.log")
    (tmp_path / "go1").touch()
    until(lambda: content(log) == b"before go2\n", "the second line")
    log.unlink()
    (tmp_path / "go2").touch()
    assert run.wait() == 0
    assert (tmp_path / "moved.log").read_text() == "before go1\n"
    assert log.read_text() == "end\n"


def test_edge_59_a_full_disk_is_said_once_and_stops_nobody(devrun, tmp_path):
    """/dev/full takes nothing (full(4))."""
    logged(
        tmp_path,
        f'"{program("floods", 20_000)}; echo the end"',
        '"/dev/full"',
        f'[services.other]\ncommand = "{program("says_signals")}"\n',
    )
    run = devrun().wait_for("[other] READY", "the end")
    stop(run)
    assert run.count("cannot write /dev/full: No space left on device") == 1
    assert len(re.findall(rb"\] \d{10} ", run.output)) == 20_000
    assert re.search(r"/dev/full: \d+ bytes are missing", run.text)


def test_edge_59_a_disk_that_has_room_again_is_written_again(devrun, tmp_path):
    """A small file system of its own, filled up by others."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.fail(f"no file system can be mounted here: {made.stderr.decode()}")
    try:
        logged(
            tmp_path,
            '"i=0; until test -e stop; do i=$((i+1)); echo line $i; sleep 0.02; done; echo last"',
            '"disk/web.log"',
        )
        filler = disk / "filler"
        run = devrun().wait_for("line 3")
        log = disk / "web.log"
        until(lambda: b"line 3\n" in content(log), "the file")
        _fill(filler)
        _fill_rest(disk / "web.log", run)
        filler.unlink()
        run.wait_for("disk/web.log: written again; ")
        (tmp_path / "stop").touch()
        assert run.wait() == 0
        text = (disk / "web.log").read_text()
        assert text.endswith("last\n")
        assert all(re.fullmatch(r"line \d+|last|#*", line) for line in text.splitlines())
        assert run.count("No space left on device") == 1
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def _fill(path):
    """Write until nothing more fits."""
    with open(path, "wb", buffering=0) as file:
        while True:
            try:
                file.write(b"#" * 4096)
            except OSError:
                return


def _fill_rest(log, run):
    """Fill the page of the log that has been begun, until devrun notices."""
    with open(log, "ab", buffering=0) as file:
        try:
            while True:
                file.write(b"#" * 63 + b"\n")
        except OSError:
            run.wait_for("No space left on device")


def test_a_folder_that_cannot_be_made_stops_nobody(devrun, tmp_path):
    (tmp_path / "file").write_text("")
    logged(tmp_path, '"echo runs"', '"file/web.log"')
    run = devrun()
    assert run.wait() == 0
    assert "[web] runs" in run.lines
    assert run.count("cannot write ") == 1


def test_a_stop_in_a_flood_loses_nothing_that_was_shown(devrun, tmp_path):
    logged(tmp_path, f'"{program("floods", 100_000, "--forever")}"', '"web.log"')
    run = devrun()
    until(lambda: len(run.output) > 4_000_000, "a flood")
    stop(run)
    shown = [line.partition("] ")[2] for line in run.lines if re.match(r"\[web\] \d{10} ", line)]
    lines = (tmp_path / "web.log").read_text().splitlines()
    assert lines[: len(shown)] == shown
    assert len(lines) - len(shown) <= 1


def test_edge_64_what_is_in_the_pipe_at_the_end_is_in_the_file(devrun, tmp_path):
    logged(tmp_path, f'"{program("floods", 5_000)}"', '"web.log"')
    run = devrun()
    assert run.wait() == 0
    numbers = [int(line[:10]) for line in (tmp_path / "web.log").read_bytes().splitlines()]
    assert numbers == list(range(5_000))


def test_edge_65_a_reader_that_does_not_read_does_not_hold_up_the_file(devrun, tmp_path):
    """The pipe of devrun's own output is full; little is written, and gets to the file."""
    reading, writing = os.pipe()
    try:
        logged(
            tmp_path,
            '"until test -e go; do sleep 0.02; done; echo late; exec sleep 100"',
            '"web.log"',
        )
        os.set_blocking(writing, False)
        try:
            while True:
                os.write(writing, b"x" * 65536)
        except BlockingIOError:
            os.set_blocking(writing, True)
        run = devrun(stdout=writing)
        (tmp_path / "go").touch()
        log = tmp_path / "web.log"
        until(lambda: content(log) == b"late\n", "the line in the file")
        run.signal(signal.SIGTERM)
        os.set_blocking(reading, False)
        until(lambda: _drain(reading) or run.process.poll() is not None, "the end")
        assert run.wait() == -signal.SIGTERM
    finally:
        os.close(reading)
        os.close(writing)


def _drain(descriptor):
    try:
        while os.read(descriptor, 65536):
            pass
    except BlockingIOError:
        return False
    return False


def test_edge_63_its_own_log_restarts_nobody(devrun, tmp_path):
    (tmp_path / "src").mkdir()
    logged(
        tmp_path,
        '"echo run; i=0; until test -e stop; do i=$((i+1)); echo line $i; sleep 0.02; done"',
        '{ file = "src/web.log", max_size = "1K" }',
        'watch = ["src"]',
    )
    run = devrun().wait_for("line 100")
    (tmp_path / "src" / "code.py").write_text("1")
    run.wait_for("src/code.py changed, restarting")
    until(lambda: run.count("[web] run") == 2, "the restart")
    (tmp_path / "stop").touch()
    stop(run)
    assert run.count("changed") == 1


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ('{ fil = "x" }', 'did you mean "log.file"?'),
        ("{ compress = true }", "log"),
        ('{ file = "x", max_size = 50 }', "a unit is missing"),
        ('{ file = "x", keep = "14" }', "14"),
        ('""', "log"),
    ],
)
def test_mistakes_are_one_line(devrun, tmp_path, log, said):
    logged(tmp_path, '"touch started"', log)
    run = devrun()
    assert run.wait() == 2
    assert len(run.lines) == 1
    assert said in run.lines[0]
    assert not (tmp_path / "started").exists()
    assert sys.executable not in run.text
