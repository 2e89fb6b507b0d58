"""Services of a devrun.toml under real supervisors, and their probes against a real server."""

from __future__ import annotations

import http.server
import json
import os
import re
import socket
import subprocess
import threading
from pathlib import Path

import pytest
from exporting import DAEMONS, daemon, export, run
from running import until

TOML = """\
[services.once]
command = "echo x >> once.starts; true"

[services.failing]
command = "echo x >> failing.starts; test -e let-it-be"
restart = "on-failure"

[services.limited]
command = ["./report"]
env_file = "own.env"
restart = "always"
nice = 3
limits = { nofile = [100, 200], core = 0, nproc = 5000 }
port = 7000
stop = { command = "echo $PORT $OWN > stopped" }
"""
REPORT = """#!/bin/sh
echo "$(nice) $(ulimit -S -n) $(ulimit -H -n) $(ulimit -c) $PORT $OWN" > report.new
mv report.new report
exec sleep 60
"""


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "my app"
    folder.mkdir()
    (folder / "devrun.toml").write_text(TOML)
    (folder / "own.env").write_text("OWN='a \"b'\n")
    program = folder / "report"
    program.write_text(REPORT)
    program.chmod(0o755)
    return folder


def starts(project: Path, name: str) -> int:
    path = project / f"{name}.starts"
    return path.read_text().count("x") if path.exists() else 0


@pytest.mark.parametrize("secrets", [(), ("--include-secrets",)], ids=["by devrun", "written"])
@pytest.mark.parametrize("style", DAEMONS)
def test_services_restart_and_are_limited_as_they_say(style, secrets, project, mark):
    export(project, style, "deploy", *secrets)
    with daemon(style, project / "deploy", mark):
        until(lambda: starts(project, "failing") >= 3, "three starts of what fails")
        (project / "let-it-be").touch()
        until((project / "report").exists, "a report of the limits")
        until(lambda: starts(project, "once"), "the one that runs once")
        niceness = os.nice(0) + 3
        expected = f'{niceness} 100 200 0 7000 a "b\n'
        assert (project / "report").read_text() == expected
        if style == "runit":
            stop_by_runit(project)
    assert starts(project, "once") == 1


def stop_by_runit(project: Path) -> None:
    """What is asked to end runs its command; what is restarted by hand starts again."""
    folder = project / "deploy" / "my-app-limited-1"
    run("sv", "-w", "20", "down", str(folder))
    assert (project / "stopped").read_text() == '7000 a "b\n'
    ended = project / "deploy" / "my-app-once-1" / "supervise/stat"
    until(lambda: ended.read_text().startswith("down"), "the one that has run once")


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        is_right = self.path == "/health?x=100%" and "localhost:" in self.headers["Host"]
        self.send_response(204 if is_right else 500)
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made.server_port
        made.shutdown()
        thread.join()


def probe(tmp_path: Path, ready: str, port: int) -> subprocess.CompletedProcess[str]:
    """Run a service's check as an image would, with its PORT."""
    text = f'[services.web]\ncommand = "./x"\nport = {port}\nready = {ready}\n'
    (tmp_path / "devrun.toml").write_text(text)
    said = export(tmp_path, "compose", "-").stdout
    found = re.search(r"test: (\[.*\])", said)
    assert found
    words = [word.replace("$$", "$") for word in json.loads(found[1])]
    return subprocess.run(
        words[1:],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PORT": str(port)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("ready", "passes"),
    [
        ("{ port = PORT }", True),
        ('{ port = "127.0.0.1:PORT" }', True),
        ('{ http = "http://localhost:PORT/health?x=100%" }', True),
        ('{ http = "http://localhost:PORT/health?x=100%", status = [200, 204] }', True),
        ('{ http = "http://localhost:PORT/health?x=100%", status = 200 }', False),
        ('{ http = "http://localhost:PORT/other" }', False),
        ('{ exec = "test -e devrun.toml && test $PORT" }', True),
        ('{ exec = ["test", "-e", "nothing"] }', False),
        ('{ file = "devrun.toml" }', True),
    ],
)
def test_a_check_says_whether_a_service_is_ready(ready, passes, server, tmp_path):
    done = probe(
        tmp_path, ready.replace("PORT", str(server)).replace(f"${server}", "$PORT"), server
    )
    assert (done.returncode == 0) == passes, done.stderr


def test_a_check_fails_where_nobody_listens(tmp_path):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        assert probe(tmp_path, f"{{ port = {port} }}", port).returncode != 0
        url = f'{{ http = "http://localhost:{port}/" }}'
        assert probe(tmp_path, url, port).returncode != 0


def test_a_unit_waits_until_a_url_answers(server, tmp_path):
    """The line of ExecStartPost=, read as systemd reads it."""
    text = f'[services.web]\ncommand = "./x"\nport = {server}\n'
    ready = f'{{ http = "http://localhost:{server}/health?x=100%" }}'
    (tmp_path / "devrun.toml").write_text(f"{text}ready = {ready}\n")
    said = export(tmp_path, "systemd", "-").stdout
    found = re.search(r'^ExecStartPost=/bin/bash -c "(.*)"$', said, re.MULTILINE)
    assert found
    line = found[1].replace("%%", "%").replace("$$", "$")
    line = re.sub(r"\\(.)", lambda each: "\n" if each[1] == "n" else each[1], line)
    assert run("bash", "-c", line) == ""
