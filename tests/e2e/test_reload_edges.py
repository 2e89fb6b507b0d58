"""Reloads in which something else happens at the same time, and reloads of what does not run."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys

import pytest
from running import until
from supervised import FAST, free_port, in_order, said_by, toml

SERVER = r"""
import os, signal, socket, sys, time
signal.alarm(120)
number = 1
while True:
    try:
        os.mkdir(f"run{number}")
        break
    except FileExistsError:
        number += 1
say = lambda text: os.write(1, f"{text} {number}\n".encode())
say(f"pid {os.getpid()} is run")
while os.path.exists("slow") and not os.path.exists(f"go{number}"):
    time.sleep(0.01)
if os.path.exists("broken"):
    sys.exit(7)
def end(*_):
    say("end of run")
    os._exit(0)
signal.signal(signal.SIGTERM, end)
listener = socket.socket(fileno=3)
say("serves run")
while True:
    peer, _ = listener.accept()
    peer.recv(100)
    peer.sendall(str(number).encode())
    peer.close()
"""
"""Counts its runs; while there is a file "slow" a run waits for its "go" before it serves."""


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def project(tmp_path, port):
    """Write a project whose service "web" serves on a held socket; return its folder."""

    def write(more="", others=""):
        (tmp_path / "server.py").write_text(SERVER)
        toml(
            tmp_path,
            f"""
            [services.web]
            command = ["{sys.executable}", "server.py"]
            sockets = ["tcp:127.0.0.1:{port}"]
            ready = {{ log = "serves run", timeout = "60s" }}
            {more}
            {others}
            """,
        )
        return tmp_path

    return write


def connected(port):
    """Return a connection on which something has been asked for."""
    peer = socket.create_connection(("127.0.0.1", port), timeout=30)
    peer.sendall(b"?")
    return peer


def answer(peer):
    """Return which run answers."""
    with peer:
        return int(peer.recv(100))


def pid_of(run, number):
    return int(re.search(rf"pid (\d+) is run {number}\n", run.text)[1])


def stop(run):
    run.signal(signal.SIGTERM)
    assert run.wait() == -signal.SIGTERM


def test_edge_14_the_old_generation_cannot_make_the_new_one_ready(devrun, tmp_path, port):
    """It says once more that it is ready while the new one starts."""
    say = f"{sys.executable} -m devrun notify ready"
    again = f"until test -e again; do sleep 0.02; done; {say}; echo said again; exec sleep 100"
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "if test -e slow; then echo new; exec sleep 100; fi; {say}; {again}"
        sockets = ["tcp:127.0.0.1:{port}"]
        ready = {{ notify = true, timeout = "5s" }}
        """,
    )
    run = devrun().wait_for("ready after")
    (tmp_path / "slow").touch()
    reloading = devrun("reload", "web")
    run.wait_for("] new")
    (tmp_path / "again").touch()
    run.wait_for("said again", "not ready within 5 s")
    assert reloading.wait() == 1
    stop(run)
    assert run.count("ready after") == 1


RESTARTS = ['restart = "no"', f'restart = "on-failure"\n{FAST}', f'restart = "always"\n{FAST}']


@pytest.mark.parametrize("restart", RESTARTS, ids=["no", "on-failure", "always"])
def test_edge_46_the_old_one_crashes_and_the_new_one_goes_on(devrun, project, port, restart):
    """It is not started once more, whoever connects waits for the new one, and the run goes on."""
    folder = project(restart, '[services.other]\ncommand = "exec sleep 100"\non_exit = "ignore"')
    run = devrun().wait_for("ready after")
    (folder / "slow").touch()
    reloading = devrun("reload", "web")
    run.wait_for("is run 2\n")
    os.kill(pid_of(run, 1), signal.SIGKILL)
    run.wait_for("the former generation has ended")
    waiting = connected(port)
    (folder / "go2").touch()
    assert reloading.wait() == 0, reloading.text
    assert "web: reloaded" in reloading.text
    assert answer(waiting) == 2
    assert answer(connected(port)) == 2
    stop(run)
    assert "is run 3\n" not in run.text
    assert run.count("ready after") == 2
    assert "end of run 2\n" in run.text


def test_edge_46_a_crash_of_the_old_one_with_on_exit_does_not_end_the_run(devrun, project, port):
    folder = project('on_exit = "stop"')
    run = devrun().wait_for("ready after")
    (folder / "slow").touch()
    reloading = devrun("reload", "web")
    run.wait_for("is run 2\n")
    os.kill(pid_of(run, 1), signal.SIGKILL)
    run.wait_for("the former generation has ended")
    (folder / "go2").touch()
    assert reloading.wait() == 0, reloading.text
    assert answer(connected(port)) == 2
    stop(run)


@pytest.mark.parametrize("restart", RESTARTS, ids=["no", "on-failure", "always"])
def test_edge_46_what_depends_on_it_is_restarted_once(devrun, project, restart):
    """As with any crash; and it waits until the new generation is ready."""
    others = """
            [services.after]
            command = "echo after runs; exec sleep 100"
            depends_on = { web = { on_restart = "restart" } }
    """
    folder = project(restart, others)
    run = devrun().wait_for("after runs\n")
    (folder / "slow").touch()
    reloading = devrun("reload", "web")
    run.wait_for("is run 2\n")
    os.kill(pid_of(run, 1), signal.SIGKILL)
    run.wait_for("restarting with web", "sleep 100 exited with code SIGTERM")
    (folder / "go2").touch()
    assert reloading.wait() == 0, reloading.text
    until(lambda: run.count("after runs\n") == 2, "the restart")
    stop(run)
    in_order(run.text, "restarting with web", "serves run 2", "after runs")
    assert run.count("restarting with web") == 1


def test_edge_46_the_old_one_crashes_and_the_new_one_too(devrun, project, port):
    """The reload has failed, and the service is restarted as it always is."""
    folder = project(f'restart = "on-failure"\n{FAST}')
    run = devrun().wait_for("ready after")
    (folder / "slow").touch()
    reloading = devrun("reload", "web")
    run.wait_for("is run 2\n")
    os.kill(pid_of(run, 1), signal.SIGKILL)
    run.wait_for("the former generation has ended")
    (folder / "broken").touch()
    (folder / "go2").touch()
    assert reloading.wait() == 1
    assert "the former generation ended meanwhile, and the new one failed" in reloading.text
    run.wait_for("is run 3\n")
    (folder / "broken").unlink()
    (folder / "slow").unlink()
    run.wait_for("serves run ")
    assert answer(connected(port)) >= 3
    assert devrun("reload", "web").wait() == 0
    stop(run)


def test_edge_46_a_crash_after_the_exchange_is_a_crash_of_the_new_one(devrun, project, port):
    """The new generation has the policy of the service, as every generation before it."""
    project(f'restart = "on-failure"\nmin_uptime = "1h"\n{FAST}')
    run = devrun().wait_for("ready after")
    assert devrun("reload", "web").wait() == 0
    os.kill(pid_of(run, 2), signal.SIGKILL)
    run.wait_for("restarting in", "serves run 3\n")
    assert answer(connected(port)) == 3
    stop(run)


def test_edge_47_two_reloads_at_once_follow_one_another(devrun, project, port):
    """Two generations at a time, never three; and the last one serves."""
    folder = project()
    run = devrun().wait_for("ready after")
    (folder / "slow").touch()
    first = devrun("reload", "web")
    run.wait_for("is run 2\n")
    second = devrun("reload", "web")
    (folder / "go2").touch()
    run.wait_for("is run 3\n")
    (folder / "go3").touch()
    assert first.wait() == second.wait() == 0
    assert answer(connected(port)) == 3
    stop(run)
    in_order(run.text, "serves run 2", "end of run 1", "is run 3", "serves run 3", "end of run 2")
    assert "is run 4\n" not in run.text


def test_edge_47_a_reload_behind_one_that_fails_is_tried_all_the_same(devrun, project, port):
    folder = project()
    run = devrun().wait_for("ready after")
    (folder / "slow").touch()
    first = devrun("reload", "web")
    run.wait_for("is run 2\n")
    second = devrun("reload", "web")
    (folder / "broken").touch()
    (folder / "go2").touch()
    run.wait_for("is run 3\n")
    (folder / "broken").unlink()
    (folder / "go3").touch()
    assert first.wait() == 1
    assert second.wait() == 0
    assert answer(connected(port)) == 3
    stop(run)


def test_edge_47_reloads_of_different_services_do_not_wait_for_each_other(devrun, project):
    folder = project("", '[services.other]\ncommand = "echo other runs; exec sleep 100"')
    run = devrun().wait_for("ready after")
    (folder / "slow").touch()
    slow = devrun("reload", "web")
    run.wait_for("is run 2\n")
    assert devrun("reload", "other").wait() == 0
    assert slow.process.poll() is None
    (folder / "go2").touch()
    assert slow.wait() == 0
    stop(run)


@pytest.mark.parametrize(
    ("service", "said"),
    [
        ('command = "exit 0"', "exited with code 0"),
        ('command = "exit 3"\nrestart = "on-failure"\nmax_restarts = 0', "late failed: ended"),
        ('command = "touch late-ran"\ndepends_on = ["never"]', "[web"),
    ],
    ids=["completed", "failed", "waiting"],
)
def test_edge_50_a_reload_of_what_does_not_run_is_refused(devrun, project, port, service, said):
    """Nothing starts, and nobody else is disturbed."""
    others = f"""
            [services.late]
            {service}
            [services.never]
            command = "exec sleep 100"
            ready.log = "never said"
    """
    folder = project("", others.replace("\n", "\n            "))
    run = devrun().wait_for("ready after", said)
    before = len(said_by(run, "late "))
    reloading = devrun("reload", "late")
    assert reloading.wait() == 1
    assert "it does not run" in reloading.text
    assert answer(connected(port)) == 1
    stop(run)
    assert len(said_by(run, "late ")) == before
    assert not (folder / "late-ran").exists()


def test_edge_50_a_reload_in_the_pause_before_a_restart_ends_the_pause(devrun, project, port):
    pause = 'min_uptime = "1h"\nbackoff = { initial = "60s", jitter = 0 }'
    project(f'restart = "on-failure"\n{pause}')
    run = devrun().wait_for("ready after")
    os.kill(pid_of(run, 1), signal.SIGKILL)
    run.wait_for("restarting in 1 min")
    reloading = devrun("reload", "web")
    assert reloading.wait() == 0
    assert "restarted" in reloading.text
    run.wait_for("serves run 2\n")
    assert answer(connected(port)) == 2
    stop(run)


def test_edge_51_other_instances_in_the_file_do_not_confuse_a_reload(devrun, project, port):
    """The file is read at the start: those that run are reloaded, and there are as many."""
    project("instances = 2")
    run = devrun()
    until(lambda: run.count("ready after") == 2, "both instances")
    for instances, runs in ((3, 4), (1, 6)):
        project(f"instances = {instances}")
        reloading = devrun("reload", "web")
        assert reloading.wait() == 0, reloading.text
        assert reloading.lines == ["web.1: reloaded", "web.2: reloaded"]
        assert answer(connected(port)) in (runs - 1, runs)
    stop(run)
    assert run.count(" is run ") == 6
    assert run.count("end of run ") == 6
    assert "web.3" not in run.text


def test_edge_51_an_instance_that_has_ended_does_not_keep_the_others_from_a_reload(
    devrun, project, port
):
    folder = project("instances = 2")
    run = devrun()
    until(lambda: run.count("ready after") == 2, "both instances")
    first = next(line for line in said_by(run, "web.1") if " is run " in line)
    os.kill(int(first.split()[1]), signal.SIGKILL)
    run.wait_for("exited with code SIGKILL")
    reloading = devrun("reload", "web")
    assert reloading.wait() == 1
    assert "it does not run" in reloading.text
    assert "web.2: reloaded" in reloading.lines
    assert (folder / "run3").exists()
    assert answer(connected(port)) == 3
    stop(run)


def test_edge_51_an_instance_alone(devrun, project, port):
    """It can be reloaded by its own name, and the other one stays as it is."""
    project("instances = 2")
    run = devrun()
    until(lambda: run.count("ready after") == 2, "both instances")
    assert devrun("reload", "web.2").wait() == 0
    assert devrun("reload", "web.3").wait() == 2
    stop(run)
    assert len([line for line in said_by(run, "web.1") if "end of run" in line]) == 1
    assert len([line for line in said_by(run, "web.2") if "end of run" in line]) == 2
