"""One signal a stop, then SIGKILL; and devrun ends by the signal that ended it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from running import program, until

READY = "READY"


@pytest.mark.parametrize(
    ("sent", "received"),
    [
        (signal.SIGINT, "SIGINT"),
        (signal.SIGTERM, "SIGTERM"),
        (signal.SIGHUP, "SIGTERM"),
        (signal.SIGQUIT, "SIGTERM"),
    ],
)
def test_a_stop_is_one_signal_and_devrun_dies_of_its_own(devrun, sent, received):
    run = devrun(f"web={program('says_signals', 0.2)}").wait_for(READY)
    run.signal(sent)
    assert run.wait() == -sent
    assert run.count("got ") == 1
    assert f"[web] got {received}" in run.text
    assert "[web] ending after 1" in run.text, "what it said last is there"


def test_ctrl_c_in_a_terminal_is_one_sigint(devrun):
    run = devrun(f"web={program('says_signals', 0.2)}", terminal=(24, 80)).wait_for(READY)
    run.type(b"\x03")
    assert run.wait() == -signal.SIGINT
    assert run.count("got SIGINT") == 1
    assert run.count("got ") == 1


def test_a_second_ctrl_c_kills(devrun):
    run = devrun(f"web={program('ignores_signals')}", terminal=(24, 80)).wait_for(READY)
    run.type(b"\x03").wait_for("Sending SIGINT to 1 process")
    run.at_leisure().type(b"\x03")
    assert run.wait() == -signal.SIGINT
    assert "did not end within" in run.text


def test_an_interrupt_to_both_of_devruns_processes_is_one(devrun):
    """As ``pkill -INT devrun`` does it."""
    run = devrun(f"web={program('says_signals', 0.2)}").wait_for(READY)
    os.kill(run.worker(), signal.SIGINT)
    run.signal(signal.SIGINT)
    assert run.wait() == -signal.SIGINT
    assert "ending after 1" in run.text


def test_a_ctrl_c_that_is_also_passed_on_is_one_request(devrun):
    """As npm and pnpm do it: the terminal's signal and theirs arrive together."""
    run = devrun(f"web={program('says_signals', 0.3)}", terminal=(24, 80)).wait_for(READY)
    run.type(b"\x03").wait_for("got SIGINT")
    run.signal(signal.SIGINT)
    assert run.wait() == -signal.SIGINT
    assert "ending after 1" in run.text
    assert "killed" not in run.text


def test_after_the_timeout_the_tree_is_killed_and_it_is_said(devrun):
    deaf = program("ignores_signals")
    run = devrun("--stop-timeout", "200ms", f"web={deaf} & {deaf}")
    until(lambda: run.count(READY) == 2, "both ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == -signal.SIGTERM
    assert "web did not end within 0.2 s\n--> Sending SIGKILL to 2 processes.." in run.text


def test_the_stop_signal_can_be_chosen(devrun):
    run = devrun("-k", "--kill-signal", "QUIT", f"web={program('says_signals')}", "sleep 0.5")
    assert run.wait() == 0
    assert "[web] got SIGQUIT" in run.text
    assert "--> Sending SIGQUIT to other processes.." in run.text


def test_a_stopped_process_can_be_stopped(devrun):
    run = devrun("web=echo $$; exec sleep 120")
    until(lambda: run.lines, "its pid")
    pid = int(run.lines[0].split()[-1])
    os.kill(pid, signal.SIGSTOP)
    run.signal(signal.SIGTERM)
    assert run.wait() == -signal.SIGTERM
    assert "exited with code SIGTERM" in run.text


def test_the_users_own_signals_are_passed_on(devrun):
    run = devrun(f"web={program('says_signals')}").wait_for(READY)
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0
    assert "[web] got SIGUSR1" in run.text


def test_restarting_for_ever_ends_with_a_stop(devrun, tmp_path):
    file = tmp_path / "runs"
    run = devrun("--restart-tries", -1, f"a={program('counts_runs', file, 1)}")
    run.wait_for("run 3")
    run.signal(signal.SIGTERM)
    assert run.wait() == -signal.SIGTERM


def test_a_stop_during_the_pause_before_a_restart_ends_at_once(devrun):
    run = devrun("--restart-tries", -1, "--restart-after", "60s", "web=exit 3")
    run.wait_for("exited with code 3")
    run.signal(signal.SIGTERM)
    assert run.wait() == -signal.SIGTERM
    assert "restarted" not in run.text


def test_ctrl_z_and_fg_stop_and_continue_the_processes(devrun, tmp_path, mark):
    shell = pexpect.spawn(
        "bash --norc --noprofile",
        cwd=str(tmp_path),
        env=dict(os.environ, RUN_MARK=mark, PS1="$ ", TERM="dumb"),
        timeout=30,
    )
    try:
        ticks = "i=0; while true; do i=$((i+1)); echo tick $i; sleep 0.1; done"
        shell.sendline(f"{sys.executable} -m devrun 'web=echo pid $$; {ticks}'")
        shell.expect(r"\[web\] pid (\d+)")
        pid = int(shell.match[1])
        shell.expect("tick 3")
        shell.send("\x1a")
        shell.expect("Stopped")

        def state():
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]

        until(lambda: state() == "T", "the process's stop")
        shell.sendline("echo shell is back")
        shell.expect("shell is back\r\n")
        shell.sendline("fg")
        shell.expect("tick")
        until(lambda: state() != "T", "the process's continuation")
        shell.send("\x03")
        shell.expect("exited with code SIGINT")
        shell.sendline("echo code $?")
        shell.expect("code 130")
    finally:
        shell.close(force=True)


def test_hanging_up_the_terminal_stops_everything(devrun, mark):
    run = devrun("web=echo up; sleep 120", terminal=(24, 80)).wait_for("up")
    run.hang_up()
    assert run.wait() == -signal.SIGHUP


def test_as_pid_1_it_reaps_and_ends_with_the_code(tmp_path, mark):
    """In a PID namespace of its own, as in a container."""
    orphans = "(sleep 0.1 & echo $! >> pids); (sleep 0.1 & echo $! >> pids)"
    gone = "for pid in $(cat pids); do while [ -d /proc/$pid ]; do sleep 0.02; done; done"
    command = f"{orphans}; {gone}; echo all are reaped; exit 5"
    finished = subprocess.run(
        ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-m", "devrun", command],
        cwd=tmp_path,
        env=dict(os.environ, RUN_MARK=mark),
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert finished.returncode == 5, finished.stderr
    assert b"all are reaped" in finished.stdout


def test_as_pid_1_a_signal_is_the_code(tmp_path, mark):
    unshare = ["unshare", "--pid", "--fork", "--mount-proc"]
    run = subprocess.Popen(
        [*unshare, "--kill-child", sys.executable, "-m", "devrun", "echo up; sleep 120"],
        cwd=tmp_path,
        env=dict(os.environ, RUN_MARK=mark),
        stdout=subprocess.PIPE,
    )
    assert b"up" in run.stdout.readline()
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text()
    os.kill(int(children.split()[0]), signal.SIGTERM)
    run.stdout.close()
    assert run.wait(30) == 143


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what a process ignores")
def test_a_ctrl_c_reaches_what_a_shell_has_put_into_the_background(devrun):
    """Where there is no job control, a shell lets ``command &`` ignore SIGINT."""
    run = devrun("left=sleep 61 & echo over", "web=sleep 62 & sleep 63 & echo up; wait")
    run.wait_for("over exited with code 0").wait_for("[web] up")
    run.signal(signal.SIGINT)
    assert run.wait() == -signal.SIGINT
    assert "did not end within" not in run.text
    assert "sleep 61" in run.text.partition("left running: ")[2]
