"""``devrun reload``: no request is lost, and a broken build changes nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from running import until

CLIENT = Path(__file__).parents[2] / "benchmarks/load_client.py"

NODE_BY_DESCRIPTOR = """
const { createServer } = require('node:http');
if (require('node:fs').existsSync('broken')) { console.error('a broken build'); process.exit(7); }
let ending = false;
const server = createServer((request, response) => setTimeout(() => {
  if (ending) response.setHeader('connection', 'close');
  response.end('ok');
}, 10));
server.listen({ fd: 3 }, () => process.send('ready'));
process.on('SIGTERM', () => {
  ending = true;
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
"""
NODE_UNMODIFIED = """
const { createServer } = require('node:http');
if (require('node:fs').existsSync('broken')) { console.error('a broken build'); process.exit(7); }
createServer((request, response) => setTimeout(() => response.end('ok'), 10)).listen(%d);
"""

IMPATIENT = """
import asyncio, signal, socket
peers, end = set(), asyncio.Event()
class Peer(asyncio.Protocol):
    is_asked = False
    def connection_made(self, transport):
        self.transport = transport
        peers.add(self)
    def connection_lost(self, error):
        peers.discard(self)
    def data_received(self, data):
        self.is_asked = True
        asyncio.get_running_loop().call_later(0.01, self.answer)
    def answer(self):
        head = b"HTTP/1.1 200 OK\\r\\nconnection: close\\r\\ncontent-length: 2\\r\\n\\r\\n"
        self.transport.write(head + b"ok")
        self.transport.close()
async def main():
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, end.set)
    server = await loop.create_server(Peer, sock=socket.socket(fileno=3))
    print("serves", flush=True)
    await end.wait()
    server.close()
    for peer in [*peers]:
        if not peer.is_asked:
            peer.transport.abort()
    while peers:
        await asyncio.sleep(0.01)
asyncio.run(main())
"""
"""Closes, when it is told to stop, whatever it has not been asked on yet, as uvicorn does."""

FAILURES = ("refused", "reset", "eof", "wrong")


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def by_descriptor(tmp_path, port):
    _needs_node()
    (tmp_path / "server.js").write_text(NODE_BY_DESCRIPTOR)
    (tmp_path / "devrun.toml").write_text(f"""
        [services.web]
        command = "node server.js"
        sockets = ["tcp:{port}"]
        ready = {{ ipc = true }}
        restart = "always"
        backoff = {{ initial = "300ms" }}
    """)
    return port


@pytest.fixture
def unmodified(tmp_path, port):
    _needs_node()
    (tmp_path / "server.js").write_text(NODE_UNMODIFIED % port)
    (tmp_path / "devrun.toml").write_text("""
        [services.web]
        command = "node server.js"
        cluster = true
        instances = 2
    """)
    return port


@pytest.fixture
def impatient(tmp_path, port):
    (tmp_path / "server.py").write_text(IMPATIENT)
    (tmp_path / "devrun.toml").write_text(f"""
        [services.web]
        command = ["{sys.executable}", "server.py"]
        sockets = ["tcp:{port}"]
        instances = 3
        ready.log = "serves"
    """)
    return port


def _needs_node() -> None:
    if not shutil.which("node"):
        pytest.skip("reloads are tested with Node")


@contextmanager
def load(port: int, *, keep_alive: bool):
    """Have 16 connections ask again and again; give what became of that."""
    counts: dict[str, int] = {}
    words = [sys.executable, str(CLIENT), str(port), "--connections", "16"]
    client = subprocess.Popen(
        [*words, *(["--keep-alive"] if keep_alive else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield counts
    finally:
        output, _ = client.communicate()
        counts.update(json.loads(output.splitlines()[-1]))


def failed(counts: dict[str, int]) -> dict[str, int]:
    assert counts["ok"] > 0
    return {kind: counts.get(kind, 0) for kind in FAILURES if counts.get(kind)}


@pytest.fixture
def reload(devrun):
    """Reload a service; return the exit code and what was said."""

    def ask(name: str = "web") -> tuple[int, str]:
        run = devrun("reload", name)
        return run.wait(), run.text

    return ask


def wait_for_times(run, text: str, times: int):
    until(lambda: run.count(text) >= times, f"{times} times {text!r} in {run.text}")
    return run


@pytest.mark.parametrize("keep_alive", [False, True])
@pytest.mark.parametrize("kind", ["by_descriptor", "unmodified"])
def test_no_request_is_lost(devrun, reload, request, kind, keep_alive):
    served = request.getfixturevalue(kind)
    run = devrun().wait_for("ready after")
    with load(served, keep_alive=keep_alive) as counts:
        for _ in range(3):
            code, said = reload()
            assert code == 0, said + run.text
    assert failed(counts) == {}
    run.signal(signal.SIGTERM)
    assert run.wait() == -signal.SIGTERM


def test_no_request_is_lost_by_instances_that_close_what_they_have_not_read(
    devrun, reload, impatient
):
    run = wait_for_times(devrun(), "ready after", 3)
    with load(impatient, keep_alive=False) as counts:
        for _ in range(3):
            assert reload()[0] == 0, run.text
        assert reload("web.2")[0] == 0
        assert reload()[0] == 0
    assert failed(counts) == {}
    run.signal(signal.SIGTERM)
    assert run.wait() == -signal.SIGTERM


@pytest.mark.parametrize("kind", ["by_descriptor", "unmodified"])
def test_a_broken_build_leaves_the_former_one_serving(devrun, reload, request, tmp_path, kind):
    served = request.getfixturevalue(kind)
    run = devrun().wait_for("ready after")
    (tmp_path / "broken").touch()
    with load(served, keep_alive=False) as counts:
        code, said = reload()
    assert code == 1
    assert "the new generation failed; the former one goes on" in said
    assert failed(counts) == {}
    run.wait_for("a broken build").wait_for("reload failed")
    (tmp_path / "broken").unlink()
    assert reload()[0] == 0


def test_a_crash_refuses_nobody_while_the_socket_is_held(devrun, by_descriptor):
    run = devrun("--prefix", "{pid} {name}").wait_for("ready after")
    pid = int(run.text.split("ready after")[0].splitlines()[-1].split()[0].strip("["))
    with load(by_descriptor, keep_alive=False) as counts:
        os.kill(pid, signal.SIGKILL)
        wait_for_times(run.wait_for("restarted"), "ready after", 2)
    assert "refused" not in failed(counts)


def test_a_new_generation_that_is_not_ready_in_time_is_given_up(devrun, reload, tmp_path, port):
    (tmp_path / "devrun.toml").write_text(f"""
        [services.web]
        command = "test -e slow || {sys.executable} -m devrun notify ready; exec sleep 600"
        sockets = ["tcp:{port}"]
        ready = {{ notify = true, timeout = "3s" }}
    """)
    run = devrun().wait_for("ready after")
    (tmp_path / "slow").touch()
    assert reload()[0] == 1
    run.wait_for("not ready within 3 s", "the former generation goes on")
    run.signal(signal.SIGTERM)
    assert run.wait() == -signal.SIGTERM
    assert run.count("exited with code SIGTERM") == 2


def test_a_service_without_held_sockets_is_restarted(devrun, reload, tmp_path):
    (tmp_path / "devrun.toml").write_text('services.web = "echo up; exec sleep 600"')
    run = devrun().wait_for("[web] up")
    assert reload() == (0, "web: restarted\n")
    wait_for_times(run.wait_for("reloading by a restart"), "[web] up", 2)


def test_a_stop_during_a_reload_stops_both(devrun, tmp_path, port):
    (tmp_path / "devrun.toml").write_text(f"""
        [services.web]
        command = "test -e slow || devrun-ready; echo up; exec sleep 600"
        env = {{ PATH = "{tmp_path}:{os.environ["PATH"]}" }}
        sockets = ["tcp:{port}"]
        ready = {{ notify = true, timeout = "60s" }}
    """)
    notify = tmp_path / "devrun-ready"
    notify.write_text(f"#!/bin/sh\nexec {sys.executable} -m devrun notify ready\n")
    notify.chmod(0o755)
    run = devrun().wait_for("ready after")
    (tmp_path / "slow").touch()
    asking = devrun("reload", "web")
    wait_for_times(run, "[web] up", 2).signal(signal.SIGTERM)
    assert run.wait() == -signal.SIGTERM
    assert asking.wait() == 1


def test_names_and_projects_are_checked(devrun, reload, tmp_path):
    (tmp_path / "devrun.toml").write_text('services.web = "echo up; exec sleep 600"')
    run = devrun().wait_for("[web] up")
    code, said = reload("wbe")
    assert code == 2
    assert said.startswith('devrun: no service "wbe" runs; ')
    run.signal(signal.SIGTERM).wait()
    code, said = reload()
    assert code == 1
    assert "no devrun runs in" in said
