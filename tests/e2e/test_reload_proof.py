"""What a new generation has to show before ``devrun reload`` stops the old one for it."""

from __future__ import annotations

import shutil
import signal
import socket
import sys

import pytest
from supervised import free_port, in_order, said_by, toml

SERVER = r"""
import os, signal, socket, sys, time
signal.alarm(120)
build = open("build").read()
os.write(1, f"build {build} starts\n".encode())
if build == "dies":
    time.sleep(0.3)
    sys.exit(7)
if build == "waits":
    signal.pause()
listener = socket.socket(fileno=3)
os.write(1, f"build {build} serves\n".encode())
status = "500 Broken" if build == "answers 500" else "200 OK"
while True:
    peer, _ = listener.accept()
    peer.recv(1000)
    peer.sendall(f"HTTP/1.0 {status}\r\n\r\n{build}".encode())
    peer.close()
"""
"""Behaves as the file "build" says."""

SHARED = r"""
const { readFileSync } = require('node:fs');
const { createServer } = require('node:http');
const build = readFileSync('build', 'utf8');
console.log(`build ${build} starts`);
if (build === 'waits') setTimeout(() => {}, 100000);
else createServer((request, response) => response.end(build)).listen(+process.env.PORT);
"""


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def project(tmp_path, port):
    """Write a project whose service "web" serves on a held socket; return its folder."""

    def write(gate="", build="first", more="", **values):
        (tmp_path / "server.py").write_text(SERVER)
        (tmp_path / "build").write_text(build)
        return toml(
            tmp_path,
            f"""
            [services.web]
            command = ["{sys.executable}", "server.py"]
            sockets = ["tcp:127.0.0.1:{port}"]
            {gate.format(port=port, python=sys.executable, **values)}
            {more}
            """,
        )

    return write


@pytest.fixture
def shared(tmp_path, port):
    """Write a Node program that shares the port that it opens itself; return its folder."""
    if not shutil.which("node"):
        pytest.skip("needs Node")
    (tmp_path / "server.js").write_text(SHARED)
    (tmp_path / "build").write_text("first")
    return tmp_path


def page(port):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as peer:
        peer.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b""
        while piece := peer.recv(1000):
            answer += piece
    return answer.decode().split("\r\n\r\n")[1]


def stop(run):
    run.signal(signal.SIGTERM)
    assert run.wait() == -signal.SIGTERM


GATES = {
    "none": "",
    "port": 'ready = {{ port = {port}, timeout = "4s" }}',
    "http": 'ready = {{ http = "http://localhost:{port}/", timeout = "4s" }}',
    "exec": "ready = {{ exec = \"{python} -c 'import socket; "
    'socket.create_connection((\\"127.0.0.1\\", {port}))\'", timeout = "4s" }}',
}


@pytest.mark.parametrize("gate", GATES)
def test_a_build_that_ends_soon_changes_nothing(devrun, project, port, gate):
    folder = project(GATES[gate])
    run = devrun().wait_for("build first serves")
    (folder / "build").write_text("dies")
    reloading = devrun("reload", "web")
    assert reloading.wait() == 1
    assert "the new generation failed; the former one goes on" in reloading.text
    assert page(port) == "first"
    (folder / "build").write_text("second")
    assert devrun("reload", "web").wait() == 0
    assert page(port) == "second"
    stop(run)


@pytest.mark.parametrize("gate", ["port", "http"])
def test_a_build_that_does_not_accept_changes_nothing(devrun, project, port, gate):
    """The old generation answers its probe no more than devrun's own socket does."""
    folder = project(GATES[gate])
    run = devrun().wait_for("ready after")
    (folder / "build").write_text("waits")
    assert devrun("reload", "web").wait() == 1
    run.wait_for("not ready within 4 s")
    assert page(port) == "first"
    stop(run)


def test_a_build_that_answers_otherwise_changes_nothing(devrun, project, port):
    folder = project(GATES["http"])
    run = devrun().wait_for("ready after")
    (folder / "build").write_text("answers 500")
    assert devrun("reload", "web").wait() == 1
    assert page(port) == "first"
    stop(run)


@pytest.mark.parametrize("gate", ["port", "http"])
def test_a_gate_is_passed_by_the_new_generation(devrun, project, port, gate):
    folder = project(GATES[gate], more="instances = 2")
    run = devrun().wait_for("[web.1] ready after", "[web.2] ready after")
    (folder / "build").write_text("second")
    reloading = devrun("reload", "web")
    assert reloading.wait() == 0, reloading.text + run.text
    assert [page(port) for _ in range(10)] == ["second"] * 10
    stop(run)


def test_a_held_port_is_no_proof_at_the_first_start_either(devrun, project):
    project(GATES["port"], build="waits")
    run = devrun()
    assert run.wait() == 1
    assert "not ready within 4 s" in run.text
    assert "ready after" not in run.text


def test_what_has_no_gate_is_tried_for_its_min_uptime(devrun, project, port):
    """It is the service's then; what it does later is a crash like any other."""
    folder = project(more='min_uptime = "100ms"\nrestart = "no"')
    run = devrun().wait_for("build first serves")
    (folder / "build").write_text("dies")
    assert devrun("reload", "web").wait() == 0
    run.wait_for("exited with code 7")
    assert run.wait() == 7


@pytest.mark.parametrize("gate", ["", 'ready.http = "http://localhost:{port}/"'])
def test_a_program_that_never_listens_changes_nothing(devrun, shared, port, gate):
    """Though at its first start it is waited for no longer than that."""
    toml(
        shared,
        f"""
        [services.web]
        command = "node server.js"
        cluster = true
        env = {{ PORT = "{port}" }}
        {gate.format(port=port)}
        ready.timeout = "3s"
        """
        if gate
        else f"""
        [services.web]
        command = "node server.js"
        cluster = true
        env = {{ PORT = "{port}" }}
        """,
    )
    run = devrun().wait_for("ready after")
    (shared / "build").write_text("waits")
    reloading = devrun("reload", "web")
    assert reloading.wait() == 1, reloading.text + run.text
    run.wait_for("not ready within", "the former generation goes on")
    assert page(port) == "first"
    stop(run)


def test_an_app_of_pm2_that_never_listens_changes_nothing(devrun, shared, port):
    (shared / "ecosystem.config.js").write_text(
        "module.exports = { apps: [{ name: 'web', script: 'server.js', exec_mode: 'cluster', "
        f"listen_timeout: 2000, env: {{ PORT: {port} }} }}] }}"
    )
    run = devrun("-f", "ecosystem.config.js").wait_for("ready after")
    (shared / "build").write_text("waits")
    assert devrun("reload", "web").wait() == 1
    run.wait_for("not ready within 2 s")
    assert page(port) == "first"
    stop(run)


def test_what_is_said_of_a_reload_is_in_order(devrun, project, port):
    folder = project('ready.log = "serves"')
    run = devrun().wait_for("ready after")
    (folder / "build").write_text("dies")
    assert devrun("reload", "web").wait() == 1
    run.wait_for("reload failed")
    (folder / "build").write_text("second")
    assert devrun("reload", "web").wait() == 0
    run.wait_for("web] reloaded")
    stop(run)
    own = [line for line in said_by(run, "web") if not line.startswith("build")]
    in_order(
        "\n".join(own),
        "ready after",
        "reloading: generation 2 starts",
        "exited with code 7",
        "reload failed: the former generation goes on",
        "reloading: generation 3 starts",
        "ready after",
        "exited with code SIGTERM",
        "reloaded",
    )
    assert "restarted" not in run.text
