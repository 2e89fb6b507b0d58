"""Node servers and npm scripts: what devrun is most often given."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
import urllib.request

import pytest
from running import until

pytestmark = pytest.mark.skipif(
    not (shutil.which("node") and shutil.which("npm")), reason="needs node and npm"
)

SERVER = """
const http = require('http');
const server = http.createServer((request, response) => response.end('served\\n'));
server.listen(process.env.PORT, '127.0.0.1', () => console.log('listening'));
for (const name of ['SIGINT', 'SIGTERM'])
  process.on(name, () => { console.log('got', name); server.close(() => console.log('closed')); });
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "server.js").write_text(SERVER)
    scripts = {"web": "node server.js", "dev": f'{sys.executable} -m devrun "web=npm run web"'}
    (tmp_path / "package.json").write_text(json.dumps({"name": "x", "scripts": scripts}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return {"PORT": str(free.getsockname()[1]), "npm_config_update_notifier": "false"}


def serves(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
        return answer.read() == b"served\n"


def is_free(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) != 0


@pytest.mark.parametrize("command", ["node server.js", "npm run web", "cd . && npm run web"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_gets_one_signal_and_closes(devrun, project, command, number):
    run = devrun(f"web={command}", env_added=project).wait_for("listening")
    assert serves(project["PORT"])
    run.signal(number)
    assert run.wait() == -number
    assert run.text.count("closed") == 1
    assert is_free(project["PORT"])


def test_ctrl_c_as_a_package_script_is_one_request(devrun, project, tmp_path, mark):
    import pexpect

    env = dict(os.environ, RUN_MARK=mark, TERM="xterm", **project)
    npm = pexpect.spawn("npm run dev", cwd=str(tmp_path), env=env, timeout=30)
    try:
        npm.expect("listening")
        npm.send("\x03")
        npm.expect("closed")
        npm.expect(pexpect.EOF)
        said = npm.before.decode()
        assert "did not end within" not in said
    finally:
        npm.close(force=True)
    until(lambda: is_free(project["PORT"]), "the port")


def test_colours_reach_node(devrun, project):
    code = "console.log(process.stdout.isTTY, process.stdout.hasColors())"
    run = devrun(f"web=node -e '{code}'", terminal=(24, 80))
    run.wait_for("\x1b[33mtrue\x1b[39m \x1b[33mtrue\x1b[39m")
    run.wait()
