"""devrun as PID 1 of a process namespace, as in a container: what no other process does there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from refusal import MachineRefuses
from running import MARK, Run, until

UNSHARE = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


@pytest.fixture(scope="session")
def may_unshare():
    """Skip where the kernel, or what the machine runs in, has no namespaces for us."""
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        pytest.skip("not installed: unshare, nsenter (util-linux)")
    tried = subprocess.run([*UNSHARE, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        raise MachineRefuses(f"no process namespaces here: {tried.stderr.strip()}")


@pytest.fixture
def contained(tmp_path, may_unshare, mark):
    """Start ``devrun start --prod`` as PID 1 with one service: a Python program."""
    runs: list[Run] = []
    env = {name: value for name, value in os.environ.items() if not name.startswith("DEVRUN_")}
    env |= {MARK: mark, "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}

    def start(code: str) -> Run:
        body = "import os, signal, subprocess, sys, time\n" + textwrap.dedent(code)
        (tmp_path / "service.py").write_text(body)
        (tmp_path / "devrun.toml").write_text(
            f'services.web = {{ command = ["{sys.executable}", "service.py"] }}\n'
        )
        run = Run(["start", "--prod"], cwd=tmp_path, env=env, before=UNSHARE)
        runs.append(run)
        return run

    yield start
    for run in runs:
        run.close()


def children(pid: int) -> list[int]:
    """Return the children of a process that have not been reaped."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_it_is_pid_one(contained):
    run = contained(
        "print('parent', os.getppid(), sorted(filter(str.isdigit, os.listdir('/proc'))))"
    )
    assert run.wait() == 0
    assert "parent 2 ['1', '2', " in run.text  # The guardian is 1, the worker 2.


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_stop_signal_reaches_the_service_once_and_ends_the_run(contained, number):
    run = contained(
        f"""
        def heard(number, _frame):
            print("heard", signal.Signals(number).name, flush=True)
            os._exit(0)

        for each in {[int(each) for each in SIGNALS]}:
            signal.signal(each, heard)
        print("up", flush=True)
        while True:
            signal.pause()
        """
    ).wait_for("up")
    os.kill(run.worker(), number)  # From outside: PID 1 of the namespace.
    # A signal of its own does not end PID 1 (pid_namespaces(7)), so it is a code.
    assert run.wait() == 128 + number
    sent = number if number == signal.SIGINT else signal.SIGTERM
    assert f"heard {sent.name}" in run.text
    assert run.count("heard") == 1


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2], ids=lambda number: number.name)
def test_other_signals_are_passed_on(contained, number):
    run = contained(
        f"""
        signal.pthread_sigmask(signal.SIG_BLOCK, {{{int(number)}}})
        print("up", flush=True)
        print("heard", signal.sigwait({{{int(number)}}}).name, flush=True)
        """
    ).wait_for("up")
    os.kill(run.worker(), number)
    assert run.wait() == 0
    assert f"heard {number.name}" in run.text


def test_services_have_the_dispositions_of_a_fresh_login(contained):
    run = contained(
        """
        own = {line.split()[0]: line.split()[1] for line in open("/proc/self/status")
            if line.startswith(("SigBlk", "SigIgn"))}
        # Python itself ignores SIGPIPE and SIGXFSZ; 32 and 33 are the C library's own.
        others = 1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1 | 1 << 31 | 1 << 32
        print("ignored", int(own["SigIgn:"], 16) & ~others, "blocked", int(own["SigBlk:"], 16))
        """
    )
    assert run.wait() == 0
    assert "ignored 0 blocked 0" in run.text


def test_what_a_service_left_to_pid_one_is_reaped_while_the_run_goes_on(contained):
    run = contained(
        """
        go_on, end = os.pipe()
        told, tell = os.pipe()
        for _ in range(5):
            if os.fork() == 0:
                if os.fork() == 0:
                    os.write(tell, b"%7d" % os.getpid())
                    os.read(go_on, 1)
                os._exit(0)
            os.wait()
        orphans = [int(os.read(told, 7)) for _ in range(5)]
        def left():
            return [pid for pid in orphans if os.path.exists(f"/proc/{pid}")]
        print("orphans", len(left()), flush=True)
        os.write(end, b".....")
        while left():
            time.sleep(0.01)
        print("none is left", flush=True)
        """
    )
    assert run.wait() == 0
    assert "orphans 5" in run.text
    assert "none is left" in run.text


def test_what_came_into_the_container_from_outside_is_reaped_as_well(contained):
    """A health check that leaves a process behind, as ``docker exec`` runs it."""
    run = contained("print('up', flush=True)\nsignal.pause()").wait_for("up")
    init = run.worker()
    (worker,) = children(init)
    reader, writer = os.pipe()
    inside = ["nsenter", "--pid", "--mount", "--target", str(init)]
    leaves = "import os\nif os.fork() == 0:\n    os.read(0, 1)"
    with subprocess.Popen([*inside, sys.executable, "-c", leaves], stdin=reader) as check:
        assert check.wait() == 0
    os.close(reader)
    until(lambda: len(children(init)) == 2, "the orphan's coming to PID 1")
    os.close(writer)
    until(lambda: children(init) == [worker], "the reaping of the orphan")
    os.kill(init, signal.SIGTERM)
    assert run.wait() == 128 + signal.SIGTERM


def test_the_end_of_the_worker_ends_the_container(contained):
    run = contained("print('up', flush=True)\nsignal.pause()").wait_for("up")
    (worker,) = children(run.worker())
    os.kill(worker, signal.SIGKILL)
    assert run.wait() == 128 + signal.SIGKILL
