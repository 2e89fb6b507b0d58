"""A service that is ``compose up``: its containers are stopped, waited for, and never left."""

from __future__ import annotations

import os
import signal

import pytest
from container_engine import IMAGE
from running import MARK, marked, no_survivors, until

FOR_EVER = "while :; do sleep 1000 & wait; done"
SAYS_SIGNALS = f"""
    trap 'echo got TERM; exit 0' TERM
    trap 'echo got INT' INT
    echo up
    {FOR_EVER}
    """
DEAF = f"""
    trap 'echo got TERM' TERM
    echo up
    {FOR_EVER}
    """
SERVICE = """
    [services.db]
    command = "podman-compose up"
    ready = { log = "up$" }
    stop = { signal = "SIGINT", timeout = "30s", command = "podman-compose down" }
    """
WAITS = """
    [services.web]
    command = "echo begins; exec sleep 1000"
    depends_on = ["db"]
    """


def conmons(mark: str) -> list[str]:
    """Return the command lines of what holds the test's containers; that of an exec holds none."""
    lines = marked(mark).values()
    return [line for line in lines if "/conmon " in line and "--exec-process-spec" not in line]


@pytest.mark.parametrize("terminal", [None, (24, 200)], ids=["pipe", "terminal"])
def test_lines_of_containers_appear_as_they_come(devrun, project, terminal):
    folder = project(
        f"trap exit TERM; echo first; cat /host/gate; echo second; {FOR_EVER}",
        SERVICE,
    )
    os.mkfifo(folder / "gate")
    run = devrun(terminal=terminal).wait_for("first")
    (folder / "gate").write_text("opened\n")
    run.wait_for("opened", "second")
    run.signal(signal.SIGTERM).wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_takes_the_containers_down_with_one_signal(devrun, project, engine, mark, number):
    project(SAYS_SIGNALS, SERVICE + WAITS)
    run = devrun().wait_for("begins")
    assert engine.containers(mark) == [f"{mark}_db_1"]
    assert run.signal(number).wait() == -number
    assert run.count("got ") == run.count("got TERM") == 1
    assert engine.containers(mark) == []
    no_survivors(mark)


def test_ctrl_c_takes_the_containers_down(devrun, project, engine, mark):
    project(SAYS_SIGNALS, SERVICE)
    run = devrun(terminal=(24, 200)).wait_for("up\r\n")
    assert run.type(b"\x03").wait() == -signal.SIGINT
    assert run.count("got ") == run.count("got TERM") == 1
    assert engine.containers(mark) == []
    no_survivors(mark)


def test_compose_alone_is_asked_where_there_is_no_stop_command(devrun, project, mark):
    toml = SERVICE.replace('command = "podman-compose down"', 'scope = "main"')
    project(SAYS_SIGNALS, toml)
    run = devrun().wait_for("ready")
    assert run.signal(signal.SIGTERM).wait() == -signal.SIGTERM
    assert run.count("got ") == run.count("got TERM") == 1
    no_survivors(mark)


def test_the_end_of_another_takes_the_containers_down(devrun, project, engine, mark):
    project(
        SAYS_SIGNALS,
        SERVICE + '[services.tests]\ncommand = "exit 3"\ndepends_on = ["db"]\n',
    )
    run = devrun("--kill-others")
    assert run.wait() == 3
    assert run.count("got ") == run.count("got TERM") == 1
    assert engine.containers(mark) == []
    no_survivors(mark)


def test_a_second_ctrl_c_kills_the_containers_with_the_rest(devrun, project, mark):
    project(DEAF, SERVICE)
    run = devrun().wait_for("ready")
    run.signal(signal.SIGINT).wait_for("got TERM")
    run.at_leisure().signal(signal.SIGINT)
    assert run.wait() == -signal.SIGINT
    no_survivors(mark)


def test_what_the_stop_command_does_not_stop_in_time_is_killed(devrun, project, mark):
    project(DEAF, SERVICE.replace("30s", "1500ms"))
    run = devrun().wait_for("ready").signal(signal.SIGTERM)
    assert run.wait() == -signal.SIGTERM
    assert 'stop command "podman-compose down"' in run.text
    no_survivors(mark)


ENDS = {
    "worker": lambda run: os.kill(run.worker(), signal.SIGKILL),
    "guardian": lambda run: run.signal(signal.SIGKILL),
}


@pytest.mark.parametrize("end", ENDS)
def test_no_container_outlives_a_devrun_that_is_killed(devrun, project, mark, end):
    project(SAYS_SIGNALS, SERVICE)
    run = devrun().wait_for("ready")
    assert len(conmons(mark)) == 1
    ENDS[end](run)
    assert run.wait() == -signal.SIGKILL
    no_survivors(mark)


def test_after_a_kill_containers_are_made_anew(devrun, project, engine, mark):
    project(SAYS_SIGNALS, SERVICE.replace("compose up", "compose up --force-recreate"))
    run = devrun().wait_for("ready")
    os.kill(run.worker(), signal.SIGKILL)
    run.wait()
    no_survivors(mark)
    again = devrun().wait_for("ready")
    again.signal(signal.SIGTERM).wait()
    assert again.count("got TERM") == 1
    assert engine.containers(mark) == []


def test_dependants_wait_for_the_health_of_the_container(devrun, project):
    health = """
    health.exec = "podman-compose exec -T db test -e /tmp/well"
    health.interval = "200ms"
    health.timeout = "20s"
    health.retries = 1000
    [services.web]
    command = "echo begins; exec sleep 1000"
    depends_on = { db = "healthy" }
    """
    folder = project(
        f"trap exit TERM; echo up; cat /host/gate; touch /tmp/well; {FOR_EVER}",
        SERVICE + health,
    )
    os.mkfifo(folder / "gate")
    run = devrun().wait_for("health check failed (1 of 1000): exit code 1")
    assert "begins" not in run.text
    (folder / "gate").write_text("get well\n")
    run.wait_for("healthy", "begins")
    run.signal(signal.SIGTERM).wait()


def test_the_health_check_of_the_compose_file_is_usable(devrun, project, tmp_path, mark):
    health = f"""
    health = {{ exec = "podman healthcheck run {mark}_db_1", timeout = "20s" }}
    [services.web]
    command = "echo begins; exec sleep 1000"
    depends_on = {{ db = "healthy" }}
    """
    project(SAYS_SIGNALS, SERVICE + health)
    with (tmp_path / "compose.yaml").open("a") as file:
        file.write('    healthcheck: { test: ["CMD", "true"], interval: 1h }\n')
    run = devrun().wait_for("[db ] healthy", "begins")
    run.signal(signal.SIGTERM).wait()


def test_an_unhealthy_container_is_replaced(devrun, project, engine, mark, tmp_path):
    health = """
    restart = "on-failure"
    health.exec = "podman-compose exec -T db test ! -e /tmp/ill"
    health.interval = "100ms"
    health.timeout = "20s"
    health.retries = 1
    """
    folder = project(
        f"""
        trap 'echo got TERM; exit 0' TERM
        echo up
        test -e /host/gate && cat /host/gate && rm /host/gate && touch /tmp/ill
        {FOR_EVER}
        """,
        SERVICE + health,
    )
    os.mkfifo(folder / "gate")
    run = devrun().wait_for("healthy")
    (folder / "gate").write_text("fall ill\n")
    run.wait_for("got TERM", "restarted")
    until(lambda: run.count("ready after") == 2, "the second container")
    assert len(conmons(mark)) == 1
    run.signal(signal.SIGTERM).wait()
    assert engine.containers(mark) == []


def test_a_client_that_dies_is_followed_by_another(devrun, project, engine, mark):
    toml = """
    [services.db]
    command = "podman-compose up"
    ready = { exec = "podman-compose exec -T db true" }
    restart = "on-failure"
    stop = { timeout = "30s", command = "podman-compose down" }
    """
    project(SAYS_SIGNALS, toml)
    run = devrun().wait_for("ready")
    client = next(pid for pid, line in marked(mark).items() if line.endswith("podman-compose up"))
    os.kill(client, signal.SIGKILL)
    run.wait_for("exited with code SIGKILL", "restarted")
    until(lambda: run.count("ready after") == 2, "the second generation")
    assert len(conmons(mark)) == 1
    run.signal(signal.SIGTERM).wait()
    assert engine.containers(mark) == []


def test_a_container_whose_client_died_is_gone_before_the_next_start(
    devrun, project, mark, tmp_path
):
    toml = f"""
    [services.db]
    command = '''exec podman run --rm --privileged --name {mark}_$$ --env {MARK}={mark} \\
      --volume {tmp_path}:/host {IMAGE} sh /host/script.sh'''
    ready = {{ log = "up$" }}
    restart = "on-failure"
    """
    project(SAYS_SIGNALS, toml)
    run = devrun().wait_for("ready after")
    client = next(pid for pid, line in marked(mark).items() if line.startswith("podman run"))
    os.kill(client, signal.SIGKILL)
    until(lambda: run.count("ready after") == 2, "the second generation")
    assert len(conmons(mark)) == 1
    run.signal(signal.SIGTERM).wait()


def test_detached_containers_end_with_the_run(devrun, project, mark):
    toml = """
    [services.db]
    command = "podman-compose up -d"
    [services.web]
    command = "echo begins; exec sleep 1000"
    depends_on = { db = "completed" }
    """
    folder = project(
        "trap 'echo got TERM > /host/said; exit 0' TERM; while :; do sleep 1000 & wait; done", toml
    )
    run = devrun().wait_for("begins")
    assert len(conmons(mark)) == 1
    run.signal(signal.SIGTERM).wait()
    no_survivors(mark)
    assert (folder / "said").read_text() == "got TERM\n"


def test_a_port_that_the_container_listens_on_is_the_services(devrun, project, free_port):
    toml = SERVICE.replace('log = "up$"', f"port = {free_port}")
    project(f"trap exit TERM; nc -ll -p {free_port} -e cat & {FOR_EVER}", toml)
    run = devrun().wait_for("ready after")
    assert "is held by" not in run.text
    run.signal(signal.SIGTERM).wait()


def test_a_teardown_takes_detached_containers_down(devrun, project, engine, mark):
    toml = """
    teardown = { commands = ["podman-compose down"] }
    [services.db]
    command = "podman-compose up -d"
    """
    project(SAYS_SIGNALS, toml)
    assert devrun().wait() == 0
    assert engine.containers(mark) == []
    no_survivors(mark)
