"""The harness itself: what is left behind is seen, and what is never said is missed.

Nothing here starts devrun; a plain program stands in its place.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from running import MARK, PROGRAMS, Run, marked, no_survivors, until

SAYS_READY = "print('READY', flush=True); import signal; signal.alarm(60); signal.pause()"


@pytest.fixture
def started():
    """Start programs that end with the test."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*words, **environment):
        process = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE)
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Start a ``Run`` in which ``python -m devrun`` runs the given code."""
    runs: list[Run] = []

    def start(code, **options):
        (tmp_path / "devrun.py").write_text(code)
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)}
        runs.append(Run([], cwd=tmp_path, env=environment, **options))
        return runs[-1]

    yield start
    for run in runs:
        run.close()


def test_a_survivor_is_named_and_ended(started, mark):
    left = started(sys.executable, "-c", SAYS_READY, **{MARK: mark})
    assert left.stdout.readline() == b"READY\n"
    with pytest.raises(AssertionError, match=rf"left behind.*{left.pid}.*READY"):
        no_survivors(mark)
    assert left.wait() == -signal.SIGKILL


def test_a_survivor_that_would_end_by_itself_is_one(started, mark):
    started("sleep", "2", **{MARK: mark})
    with pytest.raises(AssertionError, match="left behind"):
        no_survivors(mark)


def test_a_survivor_without_environment_is_known_by_an_argument(started, mark):
    left = started(sys.executable, "-c", SAYS_READY, mark)
    assert left.stdout.readline() == b"READY\n"
    assert list(marked(mark)) == [left.pid]
    with pytest.raises(AssertionError, match=f"left behind.*{left.pid}"):
        no_survivors(mark)


def test_the_daemon_is_found_by_its_argument(mark):
    subprocess.run([sys.executable, str(PROGRAMS / "daemon.py"), mark], check=True)
    until(lambda: "signal.alarm" in "".join(marked(mark).values()), "the daemon's start")
    with pytest.raises(AssertionError, match="left behind"):
        no_survivors(mark)


def test_what_has_been_killed_is_no_survivor(started, mark):
    started("sleep", "60", **{MARK: mark}).kill()
    no_survivors(mark)


def test_processes_of_another_test_are_none_of_ours(started, mark):
    started("sleep", "60", **{MARK: "another"})
    assert marked(mark) == {}
    no_survivors(mark)


@pytest.mark.parametrize("terminal", [None, (24, 80)])
def test_what_is_never_said_is_missed_at_the_end(stand_in, terminal):
    run = stand_in("print('something else')", terminal=terminal)
    with pytest.raises(AssertionError, match=r"never said 'READY'; said:\s+something else"):
        run.wait_for("READY")


def test_what_is_never_said_is_missed_in_time(stand_in, monkeypatch):
    monkeypatch.setattr("running.PATIENCE", 0.1)
    run = stand_in("import signal; signal.pause()")
    with pytest.raises(AssertionError, match="never said 'READY'"):
        run.wait_for("READY")


def test_what_has_been_said_is_found_after_the_end(stand_in):
    run = stand_in("print('READY')")
    assert run.wait() == 0
    assert run.wait_for("READY").lines == ["READY"]


def test_ctrl_c_reaches_the_terminal_of_the_process(stand_in):
    run = stand_in(SAYS_READY, terminal=(24, 80)).wait_for("READY")
    run.type(b"\x03").wait_for("KeyboardInterrupt")
    assert run.wait() == -signal.SIGINT


def test_the_terminal_has_the_size_asked_for(stand_in):
    run = stand_in("import os; print(*os.get_terminal_size(0), os.isatty(1))", terminal=(30, 90))
    run.wait_for("90 30 True")
    assert run.display() == ["90 30 True"]
