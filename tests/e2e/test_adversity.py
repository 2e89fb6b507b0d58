"""What a reviewer broke, so that it stays whole."""

from __future__ import annotations

import os
import pty
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from running import until


@pytest.fixture
def stalled(tmp_path):
    """Return a pipe that somebody has open and does not read."""
    path = tmp_path / "stalled"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(path, os.O_WRONLY)
    yield writer
    os.close(writer)
    os.close(reader)


def start(tmp_path, mark, *words, out, err):
    env = os.environ | {"RUN_MARK": mark, "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "devrun", *words]
    return subprocess.Popen(command, cwd=tmp_path, env=env, stdout=out, stderr=err)


def test_a_stop_works_though_nobody_reads_stdout_nor_stderr(tmp_path, mark, stalled):
    ready = tmp_path / "ready"
    flood = f"touch {ready}; yes aaaaaaaaaaaaaaaaaaaaaaaaa"
    process = start(tmp_path, mark, f"a={flood}", out=stalled, err=stalled)
    until(ready.exists, "the flood")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == -signal.SIGTERM


def test_nor_does_the_death_of_a_process_of_devruns_hang(tmp_path, mark, stalled):
    ready = tmp_path / "ready"
    flood = f"touch {ready}; yes aaaaaaaaaaaaaaaaaaaaaaaaa"
    process = start(tmp_path, mark, f"a={flood}", out=stalled, err=stalled)
    until(ready.exists, "the flood")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
    assert process.wait(30) == -signal.SIGKILL


def test_restarts_wait_for_the_reader(tmp_path, mark, stalled):
    """Each would leave a pipe behind that nobody has read."""
    many = "print(('x' * 99 + chr(10)) * 3000)"
    count = f'echo x >> {tmp_path}/n; {sys.executable} -c "{many}"; exit 1'
    words = ["--restart-tries", "-1", f"a={count}", "b=while :; do echo x; sleep 0.01; done"]
    process = start(tmp_path, mark, *words, out=stalled, err=subprocess.DEVNULL)
    worker = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    until(lambda: worker.read_text().split(), "the worker")
    pid = worker.read_text().split()[0]
    lines = tmp_path / "n"
    until(lambda: lines.exists() and lines.read_text().count("x") >= 2, "a restart")
    descriptors = Path(f"/proc/{pid}/fd")
    before = lines.read_text().count("x")
    subprocess.run(["sleep", "1.5"], check=True)
    assert lines.read_text().count("x") <= before + 3
    assert len(list(descriptors.iterdir())) < 40
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == -signal.SIGTERM


def test_a_line_without_an_end_does_not_silence_the_others_for_ever(devrun, tmp_path):
    ready = tmp_path / "ready"
    endless = f"{sys.executable} -c \"print('x' * 120_000_000, end='')\"; touch {ready}; sleep 60"
    other = f"while [ ! -e {ready} ]; do echo hi; sleep 0.02; done"
    run = devrun("-k", f"a={endless}", f"b={other}")
    assert run.wait() == 0
    places = [place for place, line in enumerate(run.output.split(b"\n")) if line == b"[b] hi"]
    begins = [p for p, line in enumerate(run.output.split(b"\n")) if line.startswith(b"[a] x")]
    assert len(begins) > 1, "it was interrupted"
    assert any(begins[0] < place < begins[-1] for place in places)
    assert run.output.count(b"x") >= 120_000_000


def test_a_stopped_grandchild_is_continued_to_be_stopped(devrun):
    run = devrun("a=sh -c 'sleep 7771 & kill -STOP $!; echo up; wait'").wait_for("up")
    run.signal(signal.SIGTERM)
    assert run.wait() == -signal.SIGTERM
    assert "SIGKILL" not in run.text


def test_a_spinner_of_node_is_shown_as_it_turns(devrun, tmp_path):
    frames = "".join(f"\\033[2K\\033[1Gloading {n}" for n in range(5))
    command = f"printf '{frames}'; while [ ! -e {tmp_path}/go ]; do sleep 0.02; done"
    run = devrun(f"a={command}; printf '\\033[2K\\033[1Gdone\\n'", terminal=(24, 80))
    until(lambda: any("loading 4" in line for line in run.display()), "the last frame")
    assert "loading 3" not in "".join(run.display())
    (tmp_path / "go").touch()
    assert run.wait() == 0
    until(lambda: "[a] done" in run.display(), "the end")
    assert "loading" not in "".join(run.display()[:1])


def test_a_terminal_that_is_gone_is_no_defect(tmp_path, mark):
    """With SIGHUP ignored, as after ``disown``."""
    ready = tmp_path / "ready"
    pid, leader = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        os.environ.update(RUN_MARK=mark, HOME=str(tmp_path))
        command = f"a=echo x >> {ready}; sleep 0.1; exit 1"
        words = ["--quiet", "--restart-tries", "20", "--tty", command]
        os.execv(sys.executable, [sys.executable, "-m", "devrun", *words])
    until(ready.exists, "the first start")
    os.close(leader)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code != 70
    assert ready.read_text().count("x") >= 1


NO_PIDFD = """
import errno, os
def refuse(*_):
    raise OSError(errno.ENOSYS, "refused")
os.pidfd_open = refuse
from devrun.__main__ import main
main()
"""


def test_ends_are_seen_without_pidfds_too(tmp_path, mark):
    """As on macOS and old kernels; a command may have ended before anybody could wait for it."""
    env = os.environ | {"RUN_MARK": mark, "HOME": str(tmp_path)}
    for _ in range(10):
        done = subprocess.run(
            [sys.executable, "-c", NO_PIDFD, "echo a", "echo b", "exit 0"],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            timeout=60,
            check=True,
        )
        assert {b"[0] a", b"[1] b"} < set(done.stdout.split(b"\n"))


@pytest.mark.parametrize("limit", [7, 10, 13])
def test_too_few_files_are_said_and_nothing_is_left(mark, limit):
    """That nothing is left is what the fixture of the mark looks at."""
    limited = f"ulimit -n {limit}; exec {shlex.quote(sys.executable)} -m devrun"
    done = subprocess.run(
        ["sh", "-c", limited + " 'sleep 60'" * 20],
        env={**os.environ, "RUN_MARK": mark},
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    assert done.returncode == 71
    assert done.stderr.startswith(b"devrun: too many open files")
