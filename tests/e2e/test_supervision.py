"""What goes wrong with services that stay up: what is said of it, and who else it concerns."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

import pytest
from running import MARK, until
from supervised import FAST, free_port, in_order, is_served, python, said_by, toml

WAITS = "exec sleep 100"

SLOW_TO_END = """
signal.signal(signal.SIGTERM, lambda *_: (print("asked", flush=True), time.sleep(0.3), sys.exit()))
print("up", flush=True)
signal.alarm(120)
while True: signal.pause()
"""
"""A program that takes a moment to end; "asked" and its exit line are its way down."""


def stop(run, number=signal.SIGTERM):
    run.signal(number)
    assert run.wait() == -number


# -- patterns ---------------------------------------------------------------------------------


def test_a_pattern_that_backtracks_for_ever_stops_nothing_else(devrun, tmp_path):
    toml(
        tmp_path,
        f"""
        [services.web]
        command = {python("print('a' * 64 + '!', flush=True); signal.alarm(120); signal.pause()")}
        ready = {{ log = "(a+)+$" }}
        [services.other]
        command = "until test -e go; do sleep 0.05; done; echo goes on; {WAITS}"
        """,
    )
    run = devrun().wait_for('[web  ] searching a line for "(a+)+$" took too long')
    (tmp_path / "go").touch()
    run.wait_for("[other] goes on")
    stop(run, signal.SIGINT)


# -- failures that look like none ---------------------------------------------------------------

GIVES_UP = 'restart = "always"\nmin_uptime = "0s"\nrestart_limit = "2/60s"'


def test_what_is_given_up_has_failed_though_it_ended_with_0(devrun, tmp_path):
    toml(tmp_path, f'[services.web]\ncommand = "echo runs"\n{GIVES_UP}')
    run = devrun()
    assert run.wait() == 1
    reason = "more than 2 restarts within 60 s"
    in_order(run.text, f"--> web failed: {reason}", "--> Failed:", f"-->   web  {reason}")


def test_what_is_given_up_stops_the_run_that_wants_that(devrun, tmp_path):
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "true"
        on_exit = "stop-on-failure"
        {GIVES_UP}
        [services.other]
        command = "{WAITS}"
        """,
    )
    run = devrun()
    assert run.wait() == 1
    in_order(run.text, "web failed:", "Sending SIGTERM to other processes..")


def test_what_is_given_up_is_not_there_for_others(devrun, tmp_path):
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "true"
        {GIVES_UP}
        [services.later]
        command = "echo later runs"
        depends_on = {{ web = "started", job = "completed" }}
        [services.job]
        command = "until test -e go; do sleep 0.02; done"
        """,
    )
    run = devrun().wait_for("web failed:")
    (tmp_path / "go").touch()
    assert run.wait() == 1
    assert "[later] not started: web has failed: more than 2 restarts within 60 s" in run.lines
    assert "] later runs" not in run.text


@pytest.mark.parametrize("gate", ['log = "never said"', 'delay = "60s"', "notify = true"])
def test_edge_13_an_end_before_it_was_ready_is_a_failure(devrun, tmp_path, gate):
    toml(tmp_path, f'[services.web]\ncommand = "exit 0"\nready = {{ {gate} }}')
    run = devrun()
    assert run.wait() == 1
    in_order(
        run.text,
        "[web] exit 0 exited with code 0",
        "[web] ended before it was ready: that is a failure",
        "-->   web  ended before it was ready, after ",
    )


def test_edge_13_such_an_end_is_restarted_as_a_failure(devrun, tmp_path):
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "echo x >> runs; test $(wc -l < runs) = 3 && echo ready && {WAITS}; exit 0"
        ready = {{ log = "^ready" }}
        restart = "on-failure"
        {FAST}
        """,
    )
    run = devrun().wait_for("[web] ready after")
    stop(run)
    assert run.count(" restarted\n") == 2


@pytest.mark.parametrize("code", [0, 3])
def test_edge_12_what_said_that_it_is_ready_and_ended_was_ready(devrun, tmp_path, code):
    """Both at once, again and again: the order of what is read is not that of what is noticed."""
    services = "\n".join(
        f"""
        [services.job{number}]
        command = "echo ready; exit {code}"
        ready = {{ log = "^ready$" }}
        [services.after{number}]
        command = "echo after {number}"
        depends_on = {{ job{number} = "ready" }}
        """
        for number in range(8)
    )
    toml(tmp_path, services)
    run = devrun()
    assert run.wait() == code
    assert run.count("] ready after ") == 8
    assert run.count("] after ") == 8


# -- why it is not ready --------------------------------------------------------------------------


@pytest.fixture
def stranger(tmp_path, mark):
    """The port and pid of a server that is none of devrun's; it answers everything with 200."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    command = [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "0"]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | {MARK: mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        yield int(server.stdout.readline().partition(" port ")[2].split()[0]), server.pid
        server.kill()


BINDS = """
listener = socket.socket()
listener.bind(("127.0.0.1", int(sys.argv[1])))
"""
"""Ends at once where somebody has the port, as servers do."""


@pytest.mark.parametrize("gate", ["port = {0}", 'http = "http://localhost:{0}/"'])
def test_edge_20_who_has_the_port_is_said_though_the_server_has_ended(
    devrun, tmp_path, stranger, gate
):
    port, pid = stranger
    ready = gate.format(port)
    toml(tmp_path, f"[services.web]\ncommand = {python(BINDS, port)}\nready = {{ {ready} }}")
    run = devrun()
    assert run.wait() == 1
    (line,) = [line for line in said_by(run, "web") if line.startswith("port ")]
    assert line.startswith(f"port {port} is held by {sys.executable}")
    assert f"(pid {pid}, in {tmp_path / 'elsewhere'})" in line
    assert line.endswith("not by web")
    assert "Address already in use" in run.text


def test_edge_20_a_page_of_somebody_else_is_no_sign_of_readiness(devrun, tmp_path, stranger):
    port, pid = stranger
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "{WAITS}"
        ready = {{ http = "http://localhost:{port}/", timeout = "4s" }}
        """,
    )
    run = devrun()
    assert run.wait() == 1
    assert f"(pid {pid}, " in run.text
    assert "ready after" not in run.text
    in_order(run.text, "not ready within 4 s: port ", "-->   web  not ready within 4 s: port ")


def test_edge_20_a_page_of_somebody_else_is_no_sign_of_health(devrun, tmp_path, stranger):
    port, _ = stranger
    check = f'http = "http://localhost:{port}/", interval = "20ms", retries = 2'
    toml(tmp_path, f'[services.web]\ncommand = "{WAITS}"\nhealth = {{ {check} }}')
    run = devrun().wait_for(f"[web] unhealthy: port {port} is held by")
    stop(run)
    assert "] healthy" not in run.text


def test_a_page_of_a_process_below_the_service_is_its_own(devrun, tmp_path):
    port = free_port()
    server = f"{sys.executable} -m http.server --bind 127.0.0.1 {port} >/dev/null 2>&1"
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "setsid {server} & wait"
        ready = {{ http = "http://localhost:{port}/" }}
        """,
    )
    stop(devrun().wait_for("[web] ready after"))
    assert not is_served(port)


def test_a_server_on_ipv6_is_found_behind_a_stranger_on_ipv4(devrun, tmp_path, stranger):
    port, _ = stranger
    with socket.socket(socket.AF_INET6) as probe:
        if probe.connect_ex(("::1", port)) == 0:
            raise AssertionError("somebody has the port in IPv6")
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "exec {sys.executable} -m http.server --bind ::1 {port}"
        ready = {{ http = "http://localhost:{port}/" }}
        """,
    )
    stop(devrun().wait_for("[web] ready after"))


@pytest.mark.parametrize(
    ("gate", "reason"),
    [
        ('exec = "echo first; echo no such table >&2; exit 3"', "exit code 3: no such table"),
        (
            'exec = "no-such-program-anywhere -q"',
            'no such program: "no-such-program-anywhere" is in no folder of PATH',
        ),
        ('file = "never-made"', "there is no {folder}/never-made"),
    ],
)
def test_why_a_gate_did_not_open_is_said(devrun, tmp_path, gate, reason):
    toml(tmp_path, f'[services.web]\ncommand = "{WAITS}"\nready = {{ {gate}, timeout = "1s" }}')
    run = devrun()
    assert run.wait() == 1
    said = f"not ready within 1 s: {reason.format(folder=tmp_path)}"
    assert f"[web] {said}: stopping it" in run.lines
    assert f"-->   web  {said}, after " in run.text


# -- health ---------------------------------------------------------------------------------------


def test_a_failed_probe_closes_nothing_and_says_how_many_there_may_be(devrun, tmp_path):
    """The second probe fails; who waits for health, and starts after it, is let in."""
    probe = "echo x >> asked; test $(wc -l < asked) != 2"
    toml(
        tmp_path,
        f"""
        [services.db]
        command = "{WAITS}"
        health = {{ exec = "{probe}", interval = "20ms", retries = 3 }}
        [services.web]
        command = "echo web runs; {WAITS}"
        depends_on = {{ db = "healthy", job = "completed" }}
        [services.job]
        command = "until test -e go; do sleep 0.02; done"
        """,
    )
    run = devrun().wait_for("[db ] health check failed (1 of 3): exit code 1")
    run.wait_for("[db ] healthy again")
    (tmp_path / "go").touch()
    run.wait_for("[web] web runs")
    stop(run)
    assert "unhealthy" not in run.text


def test_what_is_unhealthy_for_good_says_why(devrun, tmp_path):
    check = 'exec = "echo it is gone; exit 9", interval = "20ms", retries = 2'
    toml(tmp_path, f'[services.web]\ncommand = "{WAITS}"\nhealth = {{ {check} }}')
    run = devrun().wait_for("[web] unhealthy: exit code 9: it is gone")
    stop(run)
    assert run.count("health check failed") == 1


# -- who goes down with whom -------------------------------------------------------------------


def slow(name: str, *needs: str, **more: str) -> str:
    """Return a service that takes a moment to end, and depends on others."""
    edges = ", ".join(f'{other} = {{ condition = "ready"{rest} }}' for other, rest in more.items())
    edges = edges or ", ".join(f'{other} = "ready"' for other in needs)
    return f"""
[services.{name}]
command = {python(SLOW_TO_END)}
ready = {{ log = "^up$" }}
depends_on = {{ {edges} }}
"""


CRASHES = f"""
[services.db]
command = "echo db up; until test -e crash; do sleep 0.02; done; rm crash; exit 3"
ready = {{ log = "db up" }}
restart = "on-failure"
{FAST}
"""


def went_down_and_up(run, *order: str) -> None:
    """Fail unless each was asked when the one before had ended, and db came up after all."""
    steps = []
    for name in order:
        assert f"[{name}] restarting with " in run.text
        steps += [f"[{name}] asked", f"[{name}] {sys.executable}"]
    in_order(run.text, *steps, " restarted", "[db ] db up")


RESTART = ', on_restart = "restart"'


def test_edge_42_a_chain_of_dependants_is_restarted_in_order_and_once(devrun, tmp_path):
    toml(
        tmp_path,
        CRASHES + slow("api", db=RESTART) + slow("web", api=RESTART, db=RESTART),
    )
    run = devrun().wait_for("[web] ready after")
    (tmp_path / "crash").touch()
    run.wait_for("[web] asked", "[api] asked", "[web] ready after")
    until(lambda: run.count("[web] ready after") == 2, "the second start")
    stop(run)
    went_down_and_up(run, "web", "api")
    assert run.count("restarting with") == 2


@pytest.mark.parametrize("strategy", ["one_for_all", "rest_for_one"])
def test_a_group_goes_down_in_reverse_and_comes_up_when_all_are_down(devrun, tmp_path, strategy):
    group = f'[groups.all]\nstrategy = "{strategy}"\nservices = ["db", "api", "web"]\n'
    toml(tmp_path, group + CRASHES + slow("api", "db") + slow("web", "api"))
    run = devrun().wait_for("[web] ready after")
    (tmp_path / "crash").touch()
    until(lambda: run.count("[web] ready after") == 2, "the second start")
    stop(run)
    went_down_and_up(run, "web", "api")


def test_failures_of_a_group_are_counted_together(devrun, tmp_path):
    """Each of the two fails less often than it may."""
    toml(
        tmp_path,
        f"""
        [groups.pair]
        strategy = "one_for_all"
        services = ["one", "two"]
        [defaults]
        restart = "on-failure"
        min_uptime = "0s"
        restart_limit = "3/60s"
        [services.one]
        command = "echo x >> turns; test $(($(wc -l < turns) % 2)) = 0 && {WAITS}; exit 3"
        [services.two]
        command = "sleep 0.2; echo x >> turns; exit 4"
        """,
    )
    run = devrun()
    assert run.wait() in (3, 4)
    assert "failed: more than 3 restarts of the group pair within 60 s" in run.text
    assert "stopping with " in run.text
    assert run.count(" restarting\n") <= 4


def test_what_is_stopped_with_another_says_so(devrun, tmp_path):
    toml(
        tmp_path,
        f"""
        [services.db]
        command = "echo db up; until test -e go; do sleep 0.02; done; exit 3"
        [services.web]
        command = "touch go; {WAITS}"
        depends_on = {{ db = {{ condition = "started", on_restart = "stop" }} }}
        """,
    )
    run = devrun()
    assert run.wait() == 3
    in_order(run.text, "[web] stopping with db", "exited with code SIGTERM")


def test_what_is_depended_on_is_asked_for_again_after_the_start_delay(devrun, tmp_path):
    """The database is there before the delay, and down after it."""
    toml(
        tmp_path,
        f"""
        [services.db]
        command = "echo db up; until test -e crash; do sleep 0.02; done; rm crash; exit 3"
        ready = {{ log = "db up" }}
        restart = "on-failure"
        backoff = {{ initial = "3s", jitter = 0 }}
        min_uptime = "1h"
        [services.web]
        command = "echo web runs; {WAITS}"
        depends_on = {{ db = "ready" }}
        start_delay = "2s"
        """,
    )
    run = devrun().wait_for("[db ] ready after")
    (tmp_path / "crash").touch()
    run.wait_for("[web] web runs")
    stop(run)
    in_order(run.text, "] db up", "restarting in 3.0 s", "] db up", "[web] web runs")


def test_who_waits_for_a_watched_service_that_failed_is_told(devrun, tmp_path):
    (tmp_path / "code").write_text("1")
    toml(
        tmp_path,
        f"""
        [services.db]
        command = "{WAITS}"
        watch = ["code"]
        ready = {{ exec = "test $(cat code) = 22", timeout = "500ms" }}
        [services.web]
        command = "echo web runs; {WAITS}"
        depends_on = ["db"]
        """,
    )
    run = devrun()
    run.wait_for("[db ] waiting for a watched file to change", "[web] waits for db (failed)")
    (tmp_path / "code").write_text("22")
    run.wait_for("[web] web runs")
    stop(run)
    assert run.count("waits for db") == 1


# -- stopping ----------------------------------------------------------------------------------


def test_what_the_stop_command_says_is_the_services_output(devrun, tmp_path):
    command = "echo going down; printf unfinished; echo on stderr >&2; kill $(cat pid)"
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "echo $$ > pid; echo up; {WAITS}"
        stop = {{ command = "{command}" }}
        """,
    )
    run = devrun().wait_for("] up")
    stop(run)
    assert {"[web] going down", "[web] unfinishedon stderr"} <= set(run.lines)


def test_a_stop_in_order_says_so(devrun, tmp_path):
    toml(tmp_path, f'[services.db]\ncommand = "echo db up; {WAITS}"\nready.log = "db up"')
    with (tmp_path / "devrun.toml").open("a") as file:
        file.write(slow("web", "db"))
    run = devrun().wait_for("[web] ready after")
    stop(run)
    assert "--> Sending SIGTERM to 2 processes, dependants first.." in run.lines


def test_a_stop_of_those_that_need_nobody_is_one_step(devrun, tmp_path):
    toml(tmp_path, f'[services]\na = "echo up; {WAITS}"\nb = "echo up; {WAITS}"')
    run = devrun().wait_for("[a] up", "[b] up")
    stop(run)
    assert "--> Sending SIGTERM to 2 processes.." in run.lines


def test_a_second_interrupt_says_once_whom_it_kills(devrun, tmp_path):
    """One has been asked and is deaf; the other's turn had not come."""
    deaf = python("signal.signal(2, signal.SIG_IGN); print('up', flush=True); signal.pause()")
    toml(
        tmp_path,
        f"""
        [services.db]
        command = "echo db up; {WAITS}"
        ready = {{ log = "db up" }}
        [services.web]
        command = {deaf}
        ready = {{ log = "up" }}
        depends_on = ["db"]
        """,
    )
    run = devrun().wait_for("[web] ready after")
    run.signal(signal.SIGINT).wait_for("Sending SIGINT").at_leisure().signal(signal.SIGINT)
    assert run.wait() == -signal.SIGINT
    assert run.count("Sending SIGKILL") == 2
    assert "--> Sending SIGKILL to 1 process of db.." in run.lines
    in_order(run.text, "--> web did not end within ", "--> Sending SIGKILL to 1 processes..")
