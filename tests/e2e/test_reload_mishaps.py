"""What goes wrong during a reload concerns the service, and neither the run nor anybody else."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import sys
import time
from pathlib import Path

import pytest
from running import until
from supervised import FAST, free_port, in_order, said_by, toml

SERVER = r"""
import os, signal, socket, subprocess, sys, time
signal.alarm(120)
os.write(1, f"pid {os.getpid()} {os.environ['DEVRUN_INSTANCE']} starts\n".encode())
if os.path.exists("broken"):
    subprocess.Popen([sys.executable, "-c", "import signal; signal.alarm(120); signal.pause()"])
    while not os.path.exists("end"):
        time.sleep(0.01)
    sys.exit(7)
listener = socket.socket(fileno=3)
os.write(1, b"serves\n")
while True:
    peer, _ = listener.accept()
    peer.sendall(str(os.getpid()).encode())
    peer.close()
"""
"""While there is a file "broken" it starts another process, waits for "end", and fails."""

OTHER = """
            [services.other]
            command = "exec sleep 100"
            on_exit = "ignore"
"""


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def project(tmp_path, port):
    """Write a project whose service "web" serves on a held socket; return its folder."""

    def write(more="", others=""):
        (tmp_path / "server.py").write_text(SERVER)
        return toml(
            tmp_path,
            f"""
            [services.web]
            command = ["{sys.executable}", "server.py"]
            sockets = ["tcp:127.0.0.1:{port}"]
            ready = {{ log = "serves", timeout = "60s" }}
            {more}
            {others}
            """,
        )

    return write


def served_by(port):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as peer:
        return int(peer.recv(100))


def pids(run, count):
    """Return the pids of the processes that have started, of which there are so many."""
    until(lambda: run.count("] pid ") >= count, f"{count} starts in {run.text}")
    return [int(pid) for pid in re.findall(r"pid (\d+) \S+ starts", run.text)]


def marks(run):
    return re.findall(r"pid \d+ \S*?([^/ ]+) starts", run.text)


def stop(run):
    run.signal(signal.SIGTERM)
    assert run.wait() == -signal.SIGTERM


@pytest.mark.parametrize("restart", ["no", "always"])
def test_both_generations_fail_and_the_run_goes_on(devrun, project, port, restart):
    """With a policy the service is started again, and reached."""
    folder = project(f'restart = "{restart}"\n{FAST}', OTHER)
    run = devrun().wait_for("ready after")
    (folder / "broken").touch()
    reloading = devrun("reload", "web")
    old, _ = pids(run, 2)
    os.kill(old, signal.SIGKILL)
    run.wait_for("the former generation has ended")
    (folder / "end").touch()
    assert reloading.wait() == 1
    run.wait_for("exited with code 7")
    (folder / "broken").unlink()
    if restart == "always":
        until(lambda: run.count("serves\n") == 2, "another start")
        assert served_by(port) == pids(run, 3)[-1]
    stop(run)
    assert "defect" not in run.text


def test_no_number_of_a_generation_is_given_twice(devrun, project, port):
    """By its number a process is known as one of a generation, and killed with that."""
    folder = project(f'restart = "always"\n{FAST}')
    run = devrun().wait_for("ready after")
    (folder / "broken").touch()
    (folder / "end").touch()
    for _ in range(2):
        assert devrun("reload", "web").wait() == 1
    (folder / "broken").unlink()
    os.kill(served_by(port), signal.SIGKILL)
    until(lambda: run.count("ready after") == 2, "the restart")
    assert devrun("reload", "web").wait() == 0
    os.kill(served_by(port), signal.SIGKILL)
    until(lambda: run.count("ready after") == 4, "the other restart")
    assert served_by(port) == pids(run, 6)[-1]
    stop(run)
    assert len(set(marks(run))) == 6


def test_nothing_is_left_of_a_generation_that_failed(devrun, project):
    folder = project()
    run = devrun().wait_for("ready after")
    (folder / "broken").touch()
    reloading = devrun("reload", "web")
    _, new = pids(run, 2)
    children = Path(f"/proc/{new}/task/{new}/children")
    until(lambda: children.read_text().split(), "a child of the new generation")
    [child] = children.read_text().split()
    (folder / "end").touch()
    assert reloading.wait() == 1
    assert not Path(f"/proc/{child}").exists()
    stop(run)


def test_a_stop_of_the_run_is_why_a_reload_ends(devrun, project):
    folder = project()
    run = devrun().wait_for("ready after")
    (folder / "broken").touch()
    reloading = devrun("reload", "web")
    pids(run, 2)
    stop(run)
    assert reloading.wait() == 1
    assert "the run is ending" in reloading.text


def test_a_reload_goes_on_when_nobody_waits_for_it_any_more(devrun, project, port):
    folder = project()
    run = devrun().wait_for("ready after")
    (folder / "broken").touch()
    reloading = devrun("reload", "web")
    pids(run, 2)
    reloading.process.kill()
    reloading.wait()
    (folder / "end").touch()
    run.wait_for("reload failed: the former generation goes on")
    (folder / "broken").unlink()
    assert devrun("reload", "web").wait() == 0
    assert served_by(port) == pids(run, 3)[-1]
    stop(run)


def test_a_restart_of_what_it_depends_on_restarts_the_new_generation_too(devrun, project, port):
    folder = project(
        'depends_on = { db = { on_restart = "restart" } }',
        f"""
            [services.db]
            command = "echo db $$; exec sleep 100"
            restart = "always"
            {FAST}
        """,
    )
    run = devrun().wait_for("ready after")
    (folder / "broken").touch()
    reloading = devrun("reload", "web")
    pids(run, 2)
    (folder / "broken").unlink()
    database = next(line for line in said_by(run, "db") if line.startswith("db "))
    os.kill(int(database.split()[1]), signal.SIGKILL)
    assert reloading.wait() == 0, reloading.text + run.text
    assert served_by(port) == pids(run, 3)[-1]
    stop(run)
    assert len(pids(run, 3)) == 3


def test_a_reload_by_a_restart_waits_until_that_has_worked(devrun, tmp_path):
    toml(
        tmp_path,
        """
        [services.web]
        command = "test -e broken && exit 7; echo up; test -e slow || echo ready; exec sleep 100"
        ready.log = "ready"
        instances = 2
        restart = "on-failure"
        backoff = { initial = "60s" }
        """,
    )
    run = devrun()
    until(lambda: run.count("ready after") == 2, "both instances")
    assert devrun("reload", "web").wait() == 0
    until(lambda: run.count("ready after") == 4, "both instances again")
    in_order(
        run.text,
        "[web.1] reloading by a restart",
        "[web.1] ready after",
        "[web.2] reloading by a restart",
        "[web.2] ready after",
    )
    (tmp_path / "broken").touch()
    reloading = devrun("reload", "web")
    assert reloading.wait() == 1
    assert "exit code 7" in reloading.text
    stop(run)
    assert run.count("[web.2] reloading by a restart") == 1


def test_a_program_without_a_gate_that_ends_soon_fails_its_reload(devrun, tmp_path):
    toml(
        tmp_path,
        """
        [services.web]
        command = "echo up; test -e broken && sleep 0.2 && exit 7; exec sleep 100"
        """,
    )
    run = devrun().wait_for("up\n")
    (tmp_path / "broken").touch()
    assert devrun("reload", "web").wait() == 1
    assert run.wait() == 7


def test_a_message_asks_the_old_generation_to_stop(devrun, tmp_path, port):
    """Before it is drained: a drained program may end, and hears nothing any more."""
    if not shutil.which("node"):
        pytest.skip("needs Node")
    (tmp_path / "server.js").write_text(f"""
        process.on('message', (message) => {{
          console.log(`got ${{message}}`);
          setTimeout(() => process.exit(0), 50);
        }});
        require('node:http').createServer((_, response) => response.end('ok')).listen({port});
    """)
    toml(
        tmp_path,
        """
        [services.web]
        command = "node server.js"
        cluster = true
        stop.message = true
        """,
    )
    run = devrun().wait_for("ready after")
    for times in (1, 2, 3):
        assert devrun("reload", "web").wait() == 0
        until(lambda times=times: run.count("got shutdown\n") == times, "the message")
    stop(run)
    assert run.count("exited with code 0") == run.count("got shutdown\n") == 4


def test_a_file_that_has_changed_since_the_start_is_said(devrun, project):
    folder = project()
    run = devrun().wait_for("ready after")
    assert devrun("reload", "web").wait() == 0
    assert "has changed since the start" not in run.text
    later = time.time() + 10
    os.utime(folder / "devrun.toml", (later, later))
    assert devrun("reload", "web").wait() == 0
    run.wait_for("devrun.toml has changed since the start; devrun up -d applies that")
    stop(run)
