"""However devrun ends, nothing that it started is left (the fixture looks for survivors)."""

from __future__ import annotations

import os
import signal
import sys

import pytest
from running import no_survivors, program, until

KINDS = {
    "plain": lambda mark: "sleep 120",
    "shell": lambda mark: "sleep 120; true",
    "setsid": lambda mark: program("leaves_session"),
    "orphaned_setsid": lambda mark: "setsid sleep 120 & sleep 120",
    "daemon": lambda mark: program("daemon", mark, "stay"),
    "deaf": lambda mark: program("ignores_signals"),
    "forking": lambda mark: program("forks_in_a_loop"),
}


def end_by_signal(number):
    return lambda run: run.signal(number)


ENDS = {
    "SIGINT": end_by_signal(signal.SIGINT),
    "SIGTERM": end_by_signal(signal.SIGTERM),
    "SIGHUP": end_by_signal(signal.SIGHUP),
    "SIGQUIT": end_by_signal(signal.SIGQUIT),
    "kill_guardian": end_by_signal(signal.SIGKILL),
    "kill_worker": lambda run: os.kill(run.worker(), signal.SIGKILL),
}


@pytest.mark.parametrize("end", ENDS)
def test_nothing_survives(devrun, mark, end):
    commands = [f"{kind}={make(mark)}" for kind, make in KINDS.items()]
    run = devrun("--stop-timeout", "300ms", *commands, "last=echo all started; sleep 120")
    run.wait_for("[setsid] READY", "[daemon] READY", "[deaf] READY", "[forking] READY", "all sta")
    ENDS[end](run)
    run.wait()
    no_survivors(mark)


def test_the_harness_would_notice_a_survivor(devrun, mark, monkeypatch):
    run = devrun("echo started; sleep 120").wait_for("started")
    monkeypatch.setattr("running.PATIENCE", 0.1)
    with pytest.raises(AssertionError, match="left behind"):
        no_survivors(mark)
    monkeypatch.undo()
    run.wait()


def test_what_a_finished_command_left_is_ended_with_the_run(devrun):
    run = devrun("left=sleep 120 & echo done")
    assert run.wait() == 0
    assert "Stopped what was left running" in run.text
    assert "sleep 120" in run.text


def test_what_a_finished_command_left_runs_as_long_as_the_others(devrun, tmp_path):
    stop = tmp_path / "stop"
    os.mkfifo(stop)
    run = devrun(f"daemon=(cat {stop}; echo still here) & true", "other=sleep 120")
    run.wait_for("exited with code 0")
    stop.write_text("go\n")
    run.wait_for("[daemon] still here")
    run.signal(signal.SIGINT).wait()


def test_leftovers_are_gone_before_a_restart(devrun, tmp_path):
    log = tmp_path / "log"
    script = tmp_path / "service.sh"
    script.write_text(
        f"echo begin >> {log}\n"
        f"setsid {sys.executable} {program('says_signals').split()[1]} >> {log} &\n"
        f"until grep -q READY {log}; do sleep 0.01; done\n"
        "exit 1\n"
    )
    run = devrun("--restart-tries", 1, f"web=sh {script}")
    assert run.wait() == 1
    assert log.read_text().split("\n")[:5] == [
        "begin",
        "READY",
        "got SIGTERM",
        "ending after 1",
        "begin",
    ]


def test_a_deaf_leftover_is_killed_before_a_restart(devrun):
    deaf = f"{program('ignores_signals')} & "
    run = devrun("--restart-tries", 1, "--stop-timeout", "100ms", f"{deaf} sleep 0.5; exit 3")
    assert run.wait() == 3
    assert run.text.count("did not end within 0.1 s\n--> Sending SIGKILL to 1 processes..") >= 1


def test_a_killed_worker_makes_devrun_die_of_it_and_say_so(devrun):
    run = devrun("echo up; sleep 120").wait_for("up")
    os.kill(run.worker(), signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    assert "devrun: killed by SIGKILL" in run.text


def test_a_killed_guardian_takes_all_with_it(devrun, mark):
    run = devrun("echo up; sleep 120").wait_for("up")
    worker = run.worker()
    run.signal(signal.SIGKILL)
    until(lambda: not os.path.exists(f"/proc/{worker}"), "the worker's end")
    no_survivors(mark)


@pytest.mark.skipif(sys.platform != "linux", reason="there is a guardian on Linux alone")
def test_when_both_are_killed_what_is_marked_ends_all_the_same(devrun, mark):
    """What has left its parent and cleared its environment is out of reach then."""
    commands = [f"{kind}={make(mark)}" for kind, make in KINDS.items() if kind != "daemon"]
    run = devrun(*commands, "last=echo all started; sleep 120")
    run.wait_for("[setsid] READY", "[deaf] READY", "[forking] READY", "all sta")
    worker = run.worker()
    run.signal(signal.SIGSTOP)  # So that the guardian does not see to the worker's end.
    os.kill(worker, signal.SIGKILL)
    run.signal(signal.SIGKILL)
    run.wait()
    no_survivors(mark)
