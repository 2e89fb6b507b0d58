"""Each way to become ready, with real programs, and what happens to those that never do."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest
from running import MARK, program, until
from supervised import FAST, STAYS, free_port, in_order, is_served, python, said_by, stop, toml
from toml_files import web_after_db

SERVES = """
print("begins", flush=True)
while not os.path.exists("go"):
    time.sleep(0.01)
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
signal.alarm(120)
while True:
    listener.accept()[0].close()
"""

HTTP = """
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        text = open("state").read()
        status, _, body = text.partition(" ")
        self.send_response(int(status))
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *arguments): pass
print("begins", flush=True)
signal.alarm(120)
HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def opens(run):
    """Wait until web runs, and fail unless db had said that it was ready."""
    run.wait_for("[web] web runs")
    in_order(run.text, "[db ] ready after", "[web] web runs")
    return run


# -- each gate --------------------------------------------------------------------------------


def test_a_port(devrun, tmp_path):
    port = free_port()
    web_after_db(tmp_path, f"command = {python(SERVES, port)}\nready = {{ port = {port} }}")
    run = devrun().wait_for("begins")
    assert "web runs" not in run.text
    (tmp_path / "go").touch()
    stop(opens(run))


def test_a_port_below_a_shell_and_a_session_of_its_own(devrun, tmp_path):
    port = free_port()
    (tmp_path / "server.py").write_text(f"import os, signal, socket, sys, time\n{SERVES}")
    (tmp_path / "go").touch()
    command = f"setsid --wait sh -c '{sys.executable} server.py {port}; true'; true"
    web_after_db(tmp_path, f'command = "{command}"\nready = {{ port = "127.0.0.1:{port}" }}')
    run = opens(devrun())
    stop(run)
    assert not is_served(port)


def test_http(devrun, tmp_path):
    port = free_port()
    (tmp_path / "state").write_text("503 starting")
    web_after_db(
        tmp_path,
        f"""
        command = {python(HTTP, port)}
        ready = {{ http = "http://localhost:{port}/health", status = 200, body = "ok: *tr" }}
        """,
    )
    run = devrun().wait_for("begins")
    until(lambda: is_served(port), "the server")
    (tmp_path / "state").write_text("204 ok: true")
    (tmp_path / "state").write_text("200 ok: false")
    assert "web runs" not in run.text
    (tmp_path / "new").write_text("200 {ok:  true}")
    (tmp_path / "new").rename(tmp_path / "state")
    stop(opens(run))


def test_edge_21_a_line_of_the_log_in_pieces_and_colours(devrun, tmp_path):
    code = """
    for piece in ("x\\x1b[3", "2mListe", "ning\\x1b[0m on \\x1b[1", "mport 80", "80\\x1b[m\\n"):
        os.write(1, piece.encode())
        time.sleep(0.15)
    signal.alarm(120); signal.pause()
    """
    web_after_db(
        tmp_path,
        f"command = {python(code)}\nready = {{ log = 'Listening on port \\d+$' }}",
    )
    stop(opens(devrun()))


def test_a_log_without_a_line_end(devrun, tmp_path):
    web_after_db(
        tmp_path, "command = \"printf 'login: '; exec sleep 100\"\nready = { log = 'login: $' }"
    )
    run = devrun().wait_for("[web] web runs")
    stop(run)


def test_a_log_on_stderr_and_in_a_terminal(devrun, tmp_path):
    web_after_db(
        tmp_path,
        'command = "echo it is up >&2; exec sleep 100"\nready = { log = "^it is up$" }\ntty = true',
    )
    stop(opens(devrun()))


def test_a_command(devrun, tmp_path):
    web_after_db(
        tmp_path,
        """
        command = "echo begins; exec sleep 100"
        env = { PLACE = "here" }
        ready = { exec = 'test -e "$PLACE"' }
        """,
    )
    run = devrun().wait_for("begins")
    assert "web runs" not in run.text
    (tmp_path / "here").touch()
    stop(opens(run))


def test_a_file_and_not_one_from_before(devrun, tmp_path):
    (tmp_path / "up").touch()
    os.utime(tmp_path / "up", (1, 1))
    web_after_db(tmp_path, 'command = "echo begins; exec sleep 100"\nready = { file = "up" }')
    run = devrun().wait_for("begins")
    assert "web runs" not in run.text
    (tmp_path / "up").touch()
    stop(opens(run))


def test_time(devrun, tmp_path):
    web_after_db(tmp_path, 'command = "echo begins; exec sleep 100"\nready = { delay = "300ms" }')
    run = opens(devrun())
    after = next(line for line in said_by(run, "db") if line.startswith("ready after"))
    number, unit = after.split()[2:]
    assert float(number) * {"ms": 1, "s": 1000}[unit] >= 300
    stop(run)


def test_an_end_before_the_time_is_none(devrun, tmp_path):
    web_after_db(tmp_path, 'command = "exit 0"\nready = { delay = "60s" }')
    run = devrun()
    assert run.wait() == 1
    assert "[web] not started: db ended before it was ready" in run.lines


# -- what says so itself ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "say",
    [
        f"{sys.executable} -m devrun notify ready",
        "systemd-notify --ready",
        f"sh -c '{sys.executable} -m devrun notify ready'; true",
    ],
    ids=["devrun", "systemd", "below"],
)
def test_a_shell_script_may_say_so(devrun, tmp_path, say):
    if not shutil.which(say.split()[0]):
        pytest.fail(f"{say.split()[0]} is missing")
    web_after_db(
        tmp_path,
        f"""
        command = "echo begins; {say} && echo told; exec sleep 100"
        ready = {{ notify = true }}
        """,
    )
    run = opens(devrun())
    run.wait_for("[db ] told")
    stop(run)


def test_status_lines_are_shown(devrun, tmp_path):
    devrun_ = f"{sys.executable} -m devrun"
    web_after_db(
        tmp_path,
        f"""
        command = "{devrun_} notify status reading 1 of 2; {devrun_} notify ready; exec sleep 100"
        ready = {{ notify = true }}
        """,
    )
    run = opens(devrun())
    assert "[db ] reading 1 of 2" in run.lines
    stop(run)


def test_more_time_may_be_asked_for(devrun, tmp_path):
    say = f"{sys.executable} -m devrun notify"
    waits = "until test -e go; do sleep 0.02; done"
    web_after_db(
        tmp_path,
        f"""
        command = "{say} extend 60s; echo asked; {waits}; {say} ready; exec sleep 100"
        ready = {{ notify = true, timeout = "4s" }}
        """,
    )
    began = time.monotonic()
    run = devrun().wait_for("[db ] asked")
    until(lambda: time.monotonic() > began + 5, "the passing of time")
    (tmp_path / "go").touch()
    stop(opens(run))


needs_node = pytest.mark.skipif(
    not (shutil.which("node") and shutil.which("npm")), reason="needs node and npm"
)

NODE = """
process.on('message', (message) => { console.log('message', message); process.exit(0); });
setTimeout(() => { console.log('sends'); process.send('ready'); }, 50);
setTimeout(() => process.exit(9), 60000);
"""


@needs_node
@pytest.mark.parametrize(
    "command", ["node app.js", "npm run --silent app", "sh -c 'cd . && npm start'; true"]
)
def test_node_may_say_so_and_is_told_to_stop(devrun, tmp_path, command):
    (tmp_path / "app.js").write_text(NODE)
    scripts = {"app": "node app.js", "start": "node app.js"}
    (tmp_path / "package.json").write_text(json.dumps({"name": "x", "scripts": scripts}))
    web_after_db(
        tmp_path,
        f"""
        command = "{command}"
        ready = {{ ipc = true }}
        stop = {{ message = true }}
        """,
    )
    run = devrun(env_added={"npm_config_update_notifier": "false"}).wait_for("[web] web runs")
    in_order(run.text, "[db ] sends", "[db ] ready after", "[web] web runs")
    stop(run)
    assert "[db ] message shutdown" in run.lines


@needs_node
def test_the_message_comes_on_a_restart_too(devrun, tmp_path):
    (tmp_path / "app.js").write_text(NODE)
    web_after_db(
        tmp_path,
        """
        command = "node app.js"
        ready = { ipc = true }
        stop = { message = true }
        watch = ["app.js"]
        """,
    )
    run = opens(devrun())
    (tmp_path / "app.js").write_text(NODE + "// changed\n")
    until(lambda: run.count("[db ] ready after") == 2, "the restart")
    assert "app.js changed, restarting" in run.text
    in_order(run.text, "[db ] message shutdown", "[db ] ready after")
    stop(run)


# -- what does not become ready ---------------------------------------------------------------


def test_edge_20_a_port_that_somebody_else_holds_is_named(devrun, tmp_path, mark):
    """Its own process cannot bind, and the other's answers make it no readier."""
    port = free_port()
    code = f"""
import signal, socket
listener = socket.create_server(("127.0.0.1", {port}))
signal.alarm(120)
signal.pause()
"""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    holder = subprocess.Popen([sys.executable, "-c", code], env={MARK: mark}, cwd=folder)
    try:
        until(lambda: is_served(port), "the other server")
        web_after_db(
            tmp_path,
            f'command = "exec sleep 100"\nready = {{ port = {port}, timeout = "2s" }}',
        )
        run = devrun()
        run.wait_for("not ready within 2 s")
        line, *_ = [line for line in run.lines if str(holder.pid) in line]
        assert line.startswith(f"[db ] port {port}")
        assert os.path.basename(sys.executable) in line
        assert str(folder) in line
        assert run.wait() == 1
        assert "web runs" not in run.text
    finally:
        holder.kill()
        holder.wait()


TRAPS = "trap 'echo got SIGTERM; exit 0' TERM; echo begins; while :; do sleep 0.05; done"


def test_not_ready_in_time_is_a_failure_with_a_code(devrun, tmp_path):
    web_after_db(
        tmp_path,
        f"""
        command = "{TRAPS}"
        ready = {{ log = "never said", timeout = "2s" }}
        """,
    )
    run = devrun()
    assert run.wait() == 1
    assert "[db ] not ready within 2 s: stopping it" in run.lines
    assert run.count("[db ] got SIGTERM") == 1
    assert "web runs" not in run.text
    assert "[web] not started: db has failed: not ready within 2 s" in run.lines


def test_its_code_is_not_that_of_the_signal_that_devrun_sent_it(devrun, tmp_path):
    """143 is for a devrun that somebody else has ended."""
    web_after_db(
        tmp_path, 'command = "exec sleep 100"\nready = { log = "never said", timeout = "100ms" }'
    )
    run = devrun()
    assert run.wait() == 1
    assert "[db ] exec sleep 100 exited with code SIGTERM" in run.lines


def test_not_ready_in_time_is_restarted_and_counted(devrun, tmp_path):
    web_after_db(
        tmp_path,
        f"""
        command = "echo begins; exec sleep 100"
        ready = {{ log = "never said", timeout = "700ms" }}
        restart = "on-failure"
        max_restarts = 2
        {FAST}
        """,
    )
    run = devrun()
    assert run.wait() == 1
    assert run.count("[db ] begins") == 3
    assert "failed 3 times in a row, the last time: not ready within 0.7 s" in run.text


def test_edge_15_ready_after_the_time_is_over_is_too_late(devrun, tmp_path):
    """It says so while it is being stopped."""
    web_after_db(
        tmp_path,
        f"""
        command = "{TRAPS}"
        ready = {{ log = "got SIGTERM", timeout = "2s" }}
        """,
    )
    run = devrun()
    assert run.wait() == 1
    assert "[db ] got SIGTERM" in run.lines
    assert "ready after" not in run.text
    assert "web runs" not in run.text


def test_a_timeout_may_be_passed_over(devrun, tmp_path):
    web_after_db(
        tmp_path,
        """
        command = "exec sleep 100"
        ready = { log = "never said", timeout = "100ms", on_timeout = "continue" }
        """,
    )
    run = devrun().wait_for("[web] web runs")
    assert "[db ] not ready within 0.1 s; going on as if it were" in run.lines
    stop(run)


@pytest.mark.parametrize("code", [0, 5])
def test_edge_13_an_exit_before_ready_is_never_ready(devrun, tmp_path, code):
    web_after_db(tmp_path, f'command = "exit {code}"\nready = {{ log = "never said" }}')
    run = devrun()
    assert run.wait() == (code or 1)
    assert "web runs" not in run.text


def test_edge_12_ready_and_gone_at_once(devrun, tmp_path):
    """Who waits for it is started, or told why not; nothing hangs."""
    web_after_db(tmp_path, 'command = "echo up; exit 3"\nready = { log = "up" }')
    run = devrun()
    run.wait_for("echo up; exit 3 exited with code 3")
    if "not started: db ended with exit code 3" not in run.text:
        run.wait_for("web runs").signal(signal.SIGTERM)
        assert run.wait() == -signal.SIGTERM
    else:
        assert run.wait() == 3


def test_edge_14_ready_twice_is_said_once(devrun, tmp_path):
    say = f"{sys.executable} -m devrun notify ready"
    web_after_db(
        tmp_path,
        f"""
        command = "{say}; {say}; echo told twice; exec sleep 100"
        ready = {{ notify = true }}
        """,
    )
    run = opens(devrun()).wait_for("told twice")
    stop(run)
    assert run.count("ready after") == 1


def test_edge_14_a_sibling_cannot_make_it_ready(devrun, tmp_path):
    """A process of another service that knows the address is a stranger."""
    web_after_db(
        tmp_path,
        f"""
        command = "echo $NOTIFY_SOCKET > address; echo begins; exec sleep 100"
        ready = {{ notify = true }}
        [services.liar]
        command = {python(LIES)}
        """,
    )
    run = devrun().wait_for("[liar] has lied", "which is none of its processes, spoke in its name")
    assert "ready after" not in run.text
    assert "web runs" not in run.text
    stop(run)


LIES = """
while not os.path.exists("address") or not open("address").read().endswith("\\n"):
    time.sleep(0.01)
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as teller:
    teller.sendto(b"READY=1", open("address").read().strip())
print("has lied", flush=True)
signal.alarm(120); signal.pause()
"""


def test_edge_22_a_probe_that_hangs_is_ended_with_all_it_started(devrun, tmp_path):
    web_after_db(
        tmp_path,
        """
        command = "echo begins; exec sleep 100"
        ready = { exec = "touch asked; sleep 300 & sleep 300" }
        """,
    )
    run = devrun()
    until((tmp_path / "asked").exists, "the probe's start")
    stop(run)
    assert "web runs" not in run.text


# -- health -----------------------------------------------------------------------------------


def test_what_falls_ill_is_restarted(devrun, tmp_path):
    (tmp_path / "well").touch()
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "{program("says_signals")}"
        health = {{ exec = "test -e well", interval = "50ms", retries = 2 }}
        restart = "on-failure"
        {FAST}
        """,
    )
    run = devrun().wait_for("[web] healthy", "READY")
    (tmp_path / "well").unlink()
    run.wait_for("unhealthy: exit code 1: stopping it", "[web] got SIGTERM")
    (tmp_path / "well").touch()
    until(lambda: run.count("READY") >= 2, "the restart")
    text = run.text
    in_order(text, "[web] healthy", "[web] unhealthy: exit code 1", "stopping it", " restarted")
    stop(run)


def test_what_falls_ill_and_is_not_to_be_restarted_goes_on(devrun, tmp_path):
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "{program("says_signals")}"
        health = {{ exec = "echo x >> asked; exit 7", interval = "50ms", retries = 2 }}
        """,
    )
    run = devrun().wait_for("[web] unhealthy: exit code 7")
    until(lambda: (tmp_path / "asked").read_text().count("x") > 1, "a second probe")
    run.at_leisure()
    stop(run)
    assert run.count("unhealthy") == 1
    assert "stopping it" not in run.text
    assert run.count("got ") == 1


def test_what_was_ill_is_asked_on_and_gets_well(devrun, tmp_path):
    web_after_db(
        tmp_path,
        f"""
        command = "{program("says_signals")}"
        health = {{ exec = "echo x >> asked; test -e well", interval = "20ms", retries = 2 }}
        [services.later]
        command = "echo later runs"
        depends_on = {{ db = "healthy" }}
        """,
    )
    run = devrun().wait_for("[db   ] unhealthy: exit code 1")
    until(lambda: (tmp_path / "asked").read_text().count("x") > 2, "as many failures as it takes")
    (tmp_path / "well").touch()
    run.wait_for("[db   ] healthy again", "[later] later runs")
    stop(run)


def test_edge_23_one_failure_less_than_the_threshold_is_no_fault(devrun, tmp_path):
    """Every third probe passes; two failures in a row are allowed."""
    probe = "echo x >> asked; test $(($(wc -l < asked) % 3)) = 0"
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "{program("says_signals")}"
        health = {{ exec = "{probe}", interval = "20ms", retries = 3 }}
        """,
    )
    run = devrun()
    until(lambda: run.count("[web] healthy again") >= 3, "some ups and downs")
    stop(run)
    assert run.count("READY") == 1
    assert "stopping it" not in run.text


def test_the_start_period_forgives(devrun, tmp_path):
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "{program("says_signals")}"
        health = {{ exec = "test -e well", interval = "20ms", retries = 1, start_period = "60s" }}
        """,
    )
    run = devrun().wait_for("READY").at_leisure().at_leisure()
    (tmp_path / "well").touch()
    run.wait_for("[web] healthy")
    stop(run)
    assert "stopping it" not in run.text


def test_a_watchdog_that_is_not_fed_is_a_fault(devrun, tmp_path):
    toml(
        tmp_path,
        f"""
        [services.web]
        command = {python(WATCHDOG)}
        ready = {{ notify = true }}
        restart = "on-failure"
        max_restarts = 0
        """,
    )
    run = devrun()
    assert run.wait() == 1
    assert "no sign of life (WATCHDOG=1) within 0.3 s: stopping it" in run.text


WATCHDOG = f"""
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as teller:
    teller.sendto(b"READY=1\\nWATCHDOG_USEC=300000", os.environ["NOTIFY_SOCKET"])
{STAYS}
"""


def test_a_server_that_no_longer_answers_is_restarted(devrun, tmp_path):
    port = free_port()
    (tmp_path / "state").write_text("200 fine")
    toml(
        tmp_path,
        f"""
        [services.web]
        command = {python(HTTP, port)}
        ready = {{ port = {port} }}
        health = {{ http = "http://127.0.0.1:{port}/", interval = "50ms", timeout = "300ms" }}
        restart = "always"
        {FAST}
        """,
    )
    run = devrun().wait_for("[web] healthy")
    (tmp_path / "state").write_text("500 broken")
    run.wait_for("stopping it")
    (tmp_path / "state").write_text("200 fine")
    until(lambda: run.count("[web] ready after") >= 2, "the restart")
    stop(run)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_no_message_shows_the_value_of_a_variable_in_a_question(devrun, tmp_path):
    """Neither while it fails nor when it is given up, as it was or as a URL has it."""
    (tmp_path / ".env").write_text("TOKEN=hüntertwo\n")
    toml(
        tmp_path,
        f"[services.web]\ncommand = {python(STAYS)}\n"
        'ready = { http = "http://localhost:1/${TOKEN}", timeout = "4s" }\n',
    )
    run = devrun()
    assert run.wait() != 0
    assert "/********: connection refused" in run.text
    assert "ntertwo" not in run.text
