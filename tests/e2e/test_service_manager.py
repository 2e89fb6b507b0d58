"""What devrun itself tells whatever runs it (sd_notify), at a real datagram socket."""

from __future__ import annotations

import contextlib
import os
import signal
import socket

import pytest
from background import Background
from running import PATIENCE
from supervised import STAYS, python

WEB = f"""
[services.web]
command = {python(f"open('go').read(); print('there', flush=True); {STAYS}")}
ready = {{ log = "there" }}
"""


class Manager:
    """Hears what is said, in order."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(PATIENCE)
        self._socket.bind("\0" + address[1:] if address[0] == "@" else address)

    def next(self, name: str) -> str:
        """Return the value of a field, in the next message that has it."""
        while True:
            for line in self._socket.recv(4096).decode().split("\n"):
                found, _, value = line.partition("=")
                if found == name:
                    return value

    def message(self) -> dict[str, str]:
        lines = self._socket.recv(4096).decode().split("\n")
        return dict(line.split("=", 1) for line in lines)

    def rest(self) -> list[dict[str, str]]:
        """Return what has been said by now; its sender has ended."""
        self._socket.settimeout(0)
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(self.message())
        return found

    def fill(self) -> None:
        """Let so much wait to be heard that no more goes in."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
            filler.settimeout(0)
            filler.connect(self._socket.getsockname())
            with contextlib.suppress(BlockingIOError):
                while True:
                    filler.send(b"X=1")

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def project(devrun, tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    os.mkfifo(folder / "go")
    found = Background(devrun, folder)
    yield found
    found.close()


@pytest.fixture(params=["file", "abstract"])
def manager(request, project):
    path = str(project.runtime / "manager")
    found = Manager(f"@{path}" if request.param == "abstract" else path)
    yield found
    found.close()


def test_is_told_of_readiness_and_of_the_end(project, manager):
    project.write(WEB)
    run = project.begin(env={"NOTIFY_SOCKET": manager.address})
    first = manager.message()
    assert first == {"STATUS": "0 of 1 service up; waiting for: web"}
    with open(project.folder / "go", "w"):
        pass
    assert manager.message() == {
        "READY": "1",
        "MAINPID": str(run.process.pid),
        "STATUS": "1 service up",
    }
    run.signal(signal.SIGTERM)
    last = manager.message()
    assert last["STOPPING"] == "1"
    assert int(last["EXTEND_TIMEOUT_USEC"]) > 1_000_000
    assert run.wait() == -signal.SIGTERM


def test_is_told_what_failed(project, manager):
    project.write(f"[services.bad]\ncommand = {python('sys.exit(3)')}\n" + WEB)
    project.begin(env={"NOTIFY_SOCKET": manager.address})
    status = ""
    while "failed: bad" not in status:
        status = manager.next("STATUS")
    assert status == "0 of 2 services up; failed: bad; waiting for: web"


def until_ready(manager):
    """Return all messages up to the one that says READY=1."""
    found = [manager.message()]
    while "READY" not in found[-1]:
        found.append(manager.message())
    return found


@pytest.mark.parametrize("held_up", [False, True])
def test_does_not_wait_for_what_has_failed_for_good(project, manager, held_up):
    held = "[services.held]\ncommand = 'sleep 60'\ndepends_on = ['bad']\n" if held_up else ""
    bad = f"[services.bad]\ncommand = {python('sys.exit(3)')}\nready = {{ log = 'never' }}\n"
    project.write(bad + WEB + held)
    project.begin(env={"NOTIFY_SOCKET": manager.address})
    with open(project.folder / "go", "w"):
        pass
    said = until_ready(manager)
    status = [message["STATUS"] for message in said if "STATUS" in message][-1]
    some = "1 of 3 services up" if held_up else "1 of 2 services up"
    # What depends on it may fail with it, or be held up.
    assert status.startswith(f"{some}; failed: bad")
    assert "waiting for: web" not in status


def test_waits_for_the_others_where_one_has_failed(project, manager):
    project.write(f"[services.bad]\ncommand = {python('sys.exit(3)')}\n" + WEB)
    project.begin(env={"NOTIFY_SOCKET": manager.address})
    status = ""
    while status != "0 of 2 services up; failed: bad; waiting for: web":
        message = manager.message()
        assert "READY" not in message
        status = message.get("STATUS", status)
    with open(project.folder / "go", "w"):
        pass
    assert until_ready(manager)[-1]["READY"] == "1"


def test_another_configuration_before_all_is_ready_is_no_readiness(project, manager):
    project.write("[services.a]\ncommand = 'sleep 60'\n" + WEB)
    project.begin(env={"NOTIFY_SOCKET": manager.address})
    while manager.next("STATUS") != "1 of 2 services up; waiting for: web":
        pass
    project.write("[services.a]\ncommand = 'sleep 61'\n" + WEB)
    asks = project.begin("up", "-d").wait_for("a: ")
    with open(project.folder / "go", "w"):
        pass
    assert asks.wait() == 0
    said = until_ready(manager)
    assert not any("RELOADING" in message for message in said)
    assert "MAINPID" in said[-1], "the first of all"
    assert [message["STATUS"] for message in said if "STATUS" in message][-1] == "2 services up"


def test_is_told_of_a_run_that_is_over_at_once(project, manager):
    run = project.begin("true", env={"NOTIFY_SOCKET": manager.address})
    assert manager.next("READY") == "1"
    assert run.wait() == 0


def test_services_speak_for_themselves_alone(project, manager):
    run = project.begin(
        "show=env",
        env={
            "NOTIFY_SOCKET": manager.address,
            "WATCHDOG_USEC": "60000000",
            "WATCHDOG_PID": str(os.getpid()),
        },
    )
    run.wait()
    assert "NOTIFY_SOCKET" not in run.text
    assert "WATCHDOG" not in run.text


def test_gets_signs_of_life_again_and_again(project, manager):
    project.write(WEB)
    project.begin(env={"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "100000"})
    for _ in range(3):
        assert manager.next("WATCHDOG") == "1"


def test_gets_none_that_are_meant_for_another_process(project, manager):
    env = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}
    project.begin("true", env=env).wait()
    assert not any("WATCHDOG" in message for message in manager.rest())


def test_is_told_that_another_configuration_is_applied(project, manager):
    project.write("[services.a]\ncommand = 'sleep 60'\n")
    project.begin(env={"NOTIFY_SOCKET": manager.address})
    manager.next("READY")
    project.write("[services.a]\ncommand = 'sleep 61'\n")
    project.do("up", "-d")
    found = {}
    while "RELOADING" not in found:
        found = manager.message()
    assert int(found["MONOTONIC_USEC"]) > 0
    assert manager.next("READY") == "1"


def test_nobody_at_the_address_is_no_trouble(project):
    run = project.begin("echo fine", env={"NOTIFY_SOCKET": str(project.runtime / "nobody")})
    assert run.wait() == 0
    assert "fine" in run.text


def test_one_who_takes_nothing_is_no_trouble(project, manager):
    """Its queue is full: messages are given up, the services live on."""
    manager.fill()
    run = project.begin("echo fine", env={"NOTIFY_SOCKET": manager.address})
    assert run.wait() == 0
    assert "fine" in run.text


def test_the_run_in_the_background_is_not_what_was_waited_for(project, manager):
    project.write("[services.a]\ncommand = 'sleep 60'\n")
    project.do("up", "-d", env={"NOTIFY_SOCKET": manager.address})
    project.do("down")
    assert manager.rest() == []
