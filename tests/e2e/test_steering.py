"""A run that goes on is changed: how many instances, which services, and who gets a signal."""

from __future__ import annotations

import json
import socket
import sys

import pytest
from background import Background
from running import until
from supervised import STAYS, python

SLOW_TO_STOP = python("""
    def end(*_):
        open("asked", "a").close()
        while not os.path.exists("go"):
            time.sleep(0.01)
        sys.exit()
    signal.signal(signal.SIGTERM, end)
    signal.alarm(120)
    signal.pause()
""")


@pytest.fixture
def project(devrun, tmp_path):
    found = Background(devrun, tmp_path)
    yield found
    found.close()


def free_port() -> int:
    with socket.create_server(("localhost", 0)) as server:
        return server.getsockname()[1]


def test_who_scales_at_the_same_time_has_a_turn(project):
    """The one behind sees what the one before has left, and what it is told is so."""
    project.write(f"[services.web]\ncommand = {SLOW_TO_STOP}\ninstances = 3\n")
    project.do("up", "-d")
    down = project.begin("scale", "web=1")
    until((project.folder / "asked").exists, "the signal")
    up = project.begin("scale", "web=3")
    project.do("ps")  # By then the other has asked as well, in all likelihood.
    (project.folder / "go").touch()
    assert down.wait() == 0
    assert up.wait() == 0
    assert up.text == "web.1: unchanged\nweb.2: started\nweb.3: started\n"
    assert {*project.pids()} == {"web.1", "web.2", "web.3"}


def test_another_instance_looks_for_its_own_port(project):
    port = free_port()
    says = python(f"print('listening on', os.environ['PORT'], flush=True); {STAYS}")
    project.write(
        f"[services.web]\ncommand = {says}\nport = {port}\n"
        f'ready = {{ log = "listening on ${{PORT}}", timeout = "20s" }}\n'
    )
    project.do("up", "-d")
    assert project.do("scale", "web=2") == "web.1: unchanged\nweb.2: started\n"
    assert project.instances()["web.2"]["ready"]


def test_nobody_listens_for_a_service_that_is_gone(project):
    port = free_port()
    rest = f"[services.rest]\ncommand = {python(STAYS)}\n"
    web = f'[services.web]\ncommand = {python(STAYS)}\nsockets = ["tcp:localhost:{port}"]\n'
    project.write(rest + web)
    project.do("up", "-d")
    socket.create_connection(("localhost", port)).close()
    project.write(rest)
    project.do("up", "-d")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("localhost", port))
    project.write(rest + web)
    project.do("up", "-d")
    socket.create_connection(("localhost", port)).close()


def test_a_signal_is_for_the_program_that_a_shell_has_become(project):
    """And not for what that has started: a server's workers, for one."""
    program = python("""
        import subprocess
        def heard(*_):
            print("heard", flush=True)
        signal.signal(signal.SIGUSR1, heard)
        subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
        print("begins", flush=True)
        signal.alarm(120)
        while True:
            signal.pause()
    """)
    (project.folder / "program.py").write_text(json.loads(program)[2])
    line = f"cd . && exec {sys.executable} program.py"
    project.write(f"[services.web]\ncommand = {json.dumps(line)}\nready = {{ log = 'begins' }}\n")
    project.do("up", "-d")
    pid = project.pids()["web"]
    assert project.do("signal", "web", "USR1") == f"web: SIGUSR1 sent to pid {pid}\n"
    until(lambda: "heard" in project.log("web"), "the signal")
