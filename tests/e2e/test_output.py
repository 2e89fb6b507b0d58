"""Lossless and byte-exact, whoever reads; the lines of the services never mixed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from running import program, until

MILLION = 1_000_000


def py(code: str) -> str:
    return f"{sys.executable} -u -c '{code}'"


def read_numbers(data: bytes, prefix: bytes) -> list[bytes]:
    return [line.removeprefix(prefix) for line in data.split(b"\n") if line.startswith(prefix)]


@pytest.fixture(scope="session")
def numbers():
    return [b"%d" % n for n in range(1, MILLION + 1)]


def start(tmp_path, mark, stdout, *arguments) -> subprocess.Popen:
    env = {k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "NO_COLOR")}
    return subprocess.Popen(
        [sys.executable, "-m", "devrun", *map(str, arguments)],
        cwd=tmp_path,
        env=env | {"RUN_MARK": mark},
        stdout=stdout,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def test_a_million_lines_into_a_fast_pipe(tmp_path, mark, numbers):
    run = start(tmp_path, mark, subprocess.PIPE, f"n=seq {MILLION}")
    output, _ = run.communicate(timeout=60)
    assert read_numbers(output, b"[n] ")[:MILLION] == numbers
    assert output.endswith(b"\n[n] seq 1000000 exited with code 0\n")


def test_a_million_lines_into_a_slow_pipe(tmp_path, mark, numbers):
    run = start(tmp_path, mark, subprocess.PIPE, f"n=seq {MILLION}")
    tick = threading.Event()
    pieces = []
    # A reader that takes a little, then rests: the writer waits for it again and again.
    while piece := os.read(run.stdout.fileno(), 200_000):
        pieces.append(piece)
        tick.wait(0.005)
    run.stdout.close()
    assert run.wait(60) == 0
    run.stderr.close()
    assert read_numbers(b"".join(pieces), b"[n] ")[:MILLION] == numbers


def test_a_million_lines_into_a_file(tmp_path, mark, numbers):
    with open(tmp_path / "out", "wb") as file:
        run = start(tmp_path, mark, file, f"n=seq {MILLION}")
        assert run.wait(60) == 0
        run.stderr.close()
    assert read_numbers((tmp_path / "out").read_bytes(), b"[n] ")[:MILLION] == numbers


def test_many_lines_through_a_terminal_on_both_sides(devrun, numbers):
    run = devrun(f"n=seq {MILLION // 20}", "--no-color", terminal=(24, 80))
    assert run.wait() == 0
    run._reader.join(30)
    shown = read_numbers(run.output.replace(b"\r\n", b"\n"), b"[n] ")
    assert shown[: MILLION // 20] == numbers[: MILLION // 20]


def test_three_floods_lose_and_tear_nothing(tmp_path, mark):
    lines = 100_000
    commands = [f"{name}={program('floods', lines)}" for name in "abc"]
    run = start(tmp_path, mark, subprocess.PIPE, *commands)
    output, _ = run.communicate(timeout=60)
    for name in (b"a", b"b", b"c"):
        got = read_numbers(output, b"[%s] " % name)[:lines]
        assert got == [b"%010d %s" % (n, b"x" * 68) for n in range(lines)]


def test_bytes_come_through_as_they_were(devrun):
    data = bytes(range(1, 256)).replace(b"\r", b"").replace(b"\n", b"") + b"\0\xc3\xa9\xe2\x80\xa6"
    code = f'import sys; sys.stdout.buffer.write(bytes({list(data)!r}) + b"\\n")'
    run = devrun(f"x={sys.executable} -c '{code}'")
    assert run.wait() == 0
    assert run.output.split(b"\n")[0] == b"[x] " + data


def test_a_character_split_over_two_writes_stays_whole(devrun):
    code = 'import os, time; os.write(1, b"caf\\xc3"); time.sleep(0.3); os.write(1, b"\\xa9\\n")'
    run = devrun(f"x={py(code)}")
    run.wait()
    assert run.output.startswith("[x] café\n".encode())


def test_a_line_of_ten_megabytes_is_one_line(devrun):
    code = 'import sys; sys.stdout.write("y" * 10_000_000 + "\\n")'
    run = devrun(f"x={py(code)}", "n=seq 1000")
    run.wait()
    longest = max(run.output.split(b"\n"), key=len)
    assert longest == b"[x] " + b"y" * 10_000_000
    assert len(read_numbers(run.output, b"[n] ")) == 1001


def test_an_unfinished_line_appears_and_is_continued(devrun, tmp_path):
    os.mkfifo(tmp_path / "go")
    code = 'print("name? ", end=""); open("go").read(); print("Ada")'
    run = devrun(f"x={py(code)}").wait_for("[x] name? ")
    (tmp_path / "go").write_text("")
    run.wait()
    assert run.lines[0] == "[x] name? Ada"


def test_another_process_ends_an_unfinished_line(devrun, tmp_path):
    os.mkfifo(tmp_path / "go")
    (tmp_path / "seen").touch()
    first = 'print("part", end=""); open("go").read(); print("rest")'
    second = f"until grep -q part {tmp_path}/seen; do sleep 0.01; done; echo other"
    run = devrun(f"a={py(first)}", f"b={second}")
    run.wait_for("[a] part")
    (tmp_path / "seen").write_text("part")
    run.wait_for("[b] other")
    (tmp_path / "go").write_text("")
    run.wait()
    assert run.lines[:2] == ["[a] part", "[b] other"]
    assert "[a] rest" in run.lines


def test_crlf_stays(devrun):
    run = devrun("x=printf 'a\\r\\nb\\r\\n'")
    run.wait()
    assert run.output.startswith(b"[x] a\r\n[x] b\r\n[x] printf")


def test_of_a_progress_bar_a_pipe_gets_the_last_state(devrun):
    run = devrun("x=printf '10%%\\r50%%\\r100%%\\n'; printf '1\\r2'")
    run.wait()
    assert run.output.startswith(b"[x] 100%\n[x] 2\n[x] printf")


def test_a_last_line_without_a_line_feed_is_shown_and_ended(devrun):
    run = devrun("x=printf noeol")
    run.wait()
    assert run.lines == ["[x] noeol", "[x] printf noeol exited with code 0"]


def test_the_end_of_a_process_is_not_the_end_of_its_pipe(devrun):
    run = devrun("x=sleep 60 & echo done")
    assert run.wait() == 0
    assert run.lines[:2] == ["[x] done", "[x] sleep 60 & echo done exited with code 0"]


def test_stdout_and_stderr_keep_their_order(devrun):
    run = devrun("x=for i in 1 2 3 4 5; do echo o$i; echo e$i >&2; done")
    run.wait()
    expected = [f"[x] {stream}{n}" for n in range(1, 6) for stream in "oe"]
    assert run.lines[:10] == expected


def test_a_reader_that_goes_away_is_a_quiet_stop(tmp_path, mark):
    command = f"{sys.executable} -m devrun 'a={program('floods', 1000)} --forever' 'b=sleep 60'"
    finished = subprocess.run(
        ["bash", "-c", f"{command} | head -n 1; echo ${{PIPESTATUS[0]}}"],
        cwd=tmp_path,
        env=dict(os.environ, RUN_MARK=mark),
        capture_output=True,
        timeout=60,
        check=False,
    )
    lines = finished.stdout.decode().splitlines()
    assert lines[0].startswith("[a] 0000000000 xxx")
    assert lines[1] == "141"
    assert finished.stderr == b""


def resident(pid: int) -> int:
    """Return the kilobytes of memory that a process holds."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def bytes_read(pid: int) -> int:
    return int(Path(f"/proc/{pid}/io").read_text().split()[1])


def test_a_stalled_reader_slows_the_writers_and_nothing_else(tmp_path, mark):
    flood = f"{program('floods', 1000)} --forever"
    run = start(tmp_path, mark, subprocess.PIPE, f"a={flood}", f"b={flood}", f"c={flood}")
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children")
    until(lambda: children.read_text().split(), "the worker's start")
    worker = int(children.read_text().split()[0])
    os.read(run.stdout.fileno(), 100)
    seen = [-1]

    def stands_still() -> bool:
        seen.append(bytes_read(worker))
        return seen[-1] == seen[-10:][0] > 500_000

    until(stands_still, "the back-pressure")
    held = resident(worker)
    assert held < 60_000
    run.send_signal(signal.SIGINT)
    assert run.wait(30) == -signal.SIGINT
    assert b"has stopped reading" in run.stderr.read()
    run.stdout.close()
    run.stderr.close()


def test_memory_does_not_grow_with_output(tmp_path, mark):
    with open(os.devnull, "wb") as nowhere:
        run = start(tmp_path, mark, nowhere, f"a={program('floods', 1000)} --forever")
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children")
        until(lambda: children.read_text().split(), "the worker's start")
        worker = int(children.read_text().split()[0])
        until(lambda: bytes_read(worker) > 50_000_000, "the first 50 MB")
        before = resident(worker)
        until(lambda: bytes_read(worker) > 500_000_000, "450 MB more")
        assert resident(worker) - before < 5_000
        run.send_signal(signal.SIGINT)
        assert run.wait(30) == -signal.SIGINT
        run.stderr.close()


def test_a_full_disk_is_said_and_stops_the_run(tmp_path, mark):
    with open("/dev/full", "wb") as full:
        run = start(tmp_path, mark, full, "a=echo hi; sleep 60")
        _, errors = run.communicate(timeout=60)
    assert run.returncode == 1
    assert errors == b"devrun: cannot write the output: No space left on device; stopping\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_are_no_defect(tmp_path, mark, closed):
    (tmp_path / "say.sh").write_text(f"ls /proc/self/fd > {tmp_path}/fds\n")
    finished = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m devrun 'sh say.sh' {closed}"],
        cwd=tmp_path,
        env=dict(os.environ, RUN_MARK=mark),
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0
    assert (tmp_path / "fds").read_text().split()[:3] == ["0", "1", "2"]
