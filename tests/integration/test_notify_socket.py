"""sd_notify with real senders: Python, systemd-notify, ``devrun notify``; and whom is believed."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import trio

from devrun.process import tree
from devrun.process.group import Ownership
from devrun.process.mark import MARK
from devrun.process.notifications import (
    LARGEST,
    Barrier,
    ExtendTimeout,
    MainPid,
    Ready,
    Status,
    Stranger,
    Watchdog,
)
from devrun.process.notify_socket import NotifySocket, is_of
from devrun.process.private_folder import PrivateFolder

LIMIT = 30
OWN = "4711:0"
NOTIFY = "import os, sys; from devrun.cli.notify import notify; notify(sys.argv[1:], os.environ)"


@pytest.fixture
def folder():
    folder = PrivateFolder.make(os.environ)
    yield folder
    folder.remove()


@pytest.fixture
def notify_socket(folder):
    opened = NotifySocket.open(folder, "0.1.notify", mark=OWN)
    yield opened
    opened.close()


def environment(notify_socket, **more):
    return {**os.environ, **notify_socket.variables(), **more}


def send(notify_socket, *datagrams: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        for datagram in datagrams:
            sender.sendto(datagram, notify_socket.path)


def everyone(pid: int) -> bool:
    return True


def nobody(pid: int) -> bool:
    return False


def open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


def devrun_notify(notify_socket, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", NOTIFY, *words],
        env=environment(notify_socket, **more),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )


async def hear(notify_socket, belongs, last) -> list[object]:
    """Return what is heard up to ``last``."""
    found = []
    with trio.fail_after(LIMIT):
        while last not in found:
            found += await notify_socket.hear(belongs)
    return found


# -- what is read ---------------------------------------------------------------------------------


async def test_what_was_sent_before_anybody_read_is_read(notify_socket):
    send(notify_socket, b"STATUS=one", b"READY=1")
    assert await hear(notify_socket, everyone, Ready()) == [Status("one"), Ready()]


async def test_a_message_wakes_the_reader(notify_socket):
    with trio.fail_after(LIMIT):
        async with trio.open_nursery() as nursery:
            heard = []

            async def listen():
                heard.extend(await hear(notify_socket, everyone, Ready()))

            nursery.start_soon(listen)
            await trio.testing.wait_all_tasks_blocked()
            assert heard == []
            send(notify_socket, b"READY=1")
    assert heard == [Ready()]


async def test_closing_ends_the_reading(notify_socket):
    heard = []

    async def listen():
        heard.append(await notify_socket.hear(everyone))

    with trio.fail_after(LIMIT):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(listen)
            await trio.testing.wait_all_tasks_blocked()
            notify_socket.close()
    assert heard == [[]]
    notify_socket.close()
    assert notify_socket.receive(everyone) == []


def test_a_closed_socket_is_removed(notify_socket):
    notify_socket.close()
    assert not os.path.exists(notify_socket.path)


def test_malformed_datagrams_do_not_hide_the_next(notify_socket):
    send(notify_socket, b"", b"\xff\0\xff", b"x" * (LARGEST + 1), b"READY=0", b"READY=1")
    assert notify_socket.receive(everyone) == [Ready()]


def test_a_flood_is_read_in_parts(notify_socket):
    script = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
        "for _ in range(1000): s.sendto(b'WATCHDOG=1', sys.argv[1])\n"
    )
    heard = []
    with subprocess.Popen([sys.executable, "-c", script, notify_socket.path]):
        while len(heard) < 1000:
            select.select([notify_socket._receiver], [], [])
            part = notify_socket.receive(everyone)
            assert len(part) <= 64
            heard += part
    assert heard == [Watchdog()] * 1000


def test_only_its_user_can_reach_the_socket(folder, notify_socket):
    assert os.stat(folder.path).st_mode & 0o777 == 0o700
    assert os.stat(notify_socket.path).st_mode & 0o777 == 0o600


def test_a_watchdog_is_asked_for_in_microseconds(folder):
    opened = NotifySocket.open(folder, "w", mark=OWN, watchdog=2.5)
    assert opened.variables() == {"NOTIFY_SOCKET": opened.path, "WATCHDOG_USEC": "2500000"}
    opened.close()


# -- descriptors ----------------------------------------------------------------------------------


@pytest.mark.parametrize("belongs", [everyone, nobody])
def test_every_descriptor_that_comes_along_is_closed(notify_socket, belongs):
    before = open_descriptors()
    reader, writer = os.pipe()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(notify_socket.path)
        socket.send_fds(sender, [b"BARRIER=1"], [writer] * 200)
        socket.send_fds(sender, [b"FDSTORE=1\nFDNAME=x"], [writer])
    os.close(writer)
    heard = notify_socket.receive(belongs)
    assert os.read(reader, 1) == b"", "nobody holds the other end any more"
    os.close(reader)
    assert open_descriptors() == before
    assert (Barrier() in heard) is (belongs is everyone)


@pytest.fixture
def shell(notify_socket):
    process = subprocess.Popen(
        ["sh", "-c", 'systemd-notify --ready --status="up on 3000" && echo told; read line'],
        env=environment(notify_socket),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    yield process
    process.communicate(b"\n", timeout=LIMIT)


async def test_systemd_notify_in_a_shell_is_heard_and_not_kept_waiting(notify_socket, shell):
    ownership = Ownership(frozenset({shell.pid}), b"nothing")
    heard = await hear(notify_socket, lambda pid: is_of(ownership, pid), Barrier())
    # It writes that it gave up after five seconds, if nobody closes its descriptor.
    assert await trio.to_thread.run_sync(shell.stdout.readline) == b"told\n"
    assert set(heard) == {Ready(), Status("up on 3000"), Barrier()}
    assert heard[-1] == Barrier()


# -- whose it is ----------------------------------------------------------------------------------


def test_a_stranger_is_not_heard_and_named_once(notify_socket):
    asked = []

    def belongs(pid):
        asked.append(pid)
        return False

    send(notify_socket, b"READY=1", b"STATUS=x", b"READY=1")
    (stranger,) = notify_socket.receive(belongs)
    assert stranger == Stranger(os.getpid(), tree.command_line(os.getpid()))
    send(notify_socket, b"READY=1")
    assert notify_socket.receive(belongs) == []
    assert asked == [os.getpid()], "the answer does not change"


def test_the_mark_is_believed_from_whomever_it_comes(notify_socket):
    send(notify_socket, b"READY=1\nDEVRUN_INSTANCE=1:2/" + OWN.encode() + b"/3:4")
    send(notify_socket, b"READY=1\nDEVRUN_INSTANCE=1" + OWN.encode())
    heard = notify_socket.receive(nobody)
    assert heard[0] == Ready()
    assert [type(each) for each in heard] == [Ready, Stranger]


def test_a_sender_that_is_gone_is_believed(notify_socket):
    script = (
        "import socket, sys\n"
        "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", script, notify_socket.path], check=True)
    assert notify_socket.receive(nobody) == [Ready()]


def test_ready_and_then_exit_is_heard_though_nobody_has_reaped_it(notify_socket):
    script = (
        "import os, socket, sys\n"
        "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', sys.argv[1])\n"
        "os.close(1)\n"
        "os._exit(3)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, notify_socket.path],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    ownership = Ownership(frozenset({child.pid}), b"nothing")
    assert notify_socket.receive(lambda pid: is_of(ownership, pid)) == [Ready()]
    child.communicate()


def test_the_main_process_has_to_be_one_of_the_services(notify_socket):
    child = subprocess.Popen(["sleep", "100"], start_new_session=True)
    try:
        ownership = Ownership(frozenset({child.pid}), b"nothing")

        def belongs(pid):
            return pid == os.getpid() or is_of(ownership, pid)

        send(notify_socket, b"MAINPID=%d\nREADY=1" % child.pid, b"MAINPID=%d" % os.getppid())
        heard = notify_socket.receive(belongs)
    finally:
        child.kill()
        child.wait()
    assert heard[:2] == [MainPid(child.pid), Ready()]
    assert heard[2] == Stranger(os.getppid(), tree.command_line(os.getppid()))


@pytest.fixture
def family():
    """A shell below us, its child, and one in a session of its own; the variable is in all."""
    script = "sleep 100 & setsid sh -c 'echo ready; exec sleep 100' & wait"
    shell = subprocess.Popen(
        ["sh", "-c", script],
        stdout=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, MARK: f"1:1/{OWN}"},
    )
    shell.stdout.readline()
    pids = [shell.pid, *(process.pid for process in tree.descendants(shell.pid))]
    yield pids
    for process in tree.descendants(shell.pid):
        tree.send(process, signal.SIGKILL)
    shell.kill()
    shell.communicate()


def test_a_process_belongs_by_session_by_mark_or_by_ancestors(family):
    by_ancestors = Ownership(frozenset({family[0]}), b"nothing")
    by_mark = Ownership(frozenset(), OWN.encode())
    for ownership in (by_ancestors, by_mark):
        assert [is_of(ownership, pid) for pid in family] == [True, True, True]
        assert not is_of(ownership, os.getpid())
        assert not is_of(ownership, os.getppid())
        assert not is_of(ownership, 1)
    assert not is_of(Ownership(frozenset(), b"711:0"), family[0])


# -- devrun notify --------------------------------------------------------------------------------


def test_devrun_notify_is_heard_though_it_has_ended(notify_socket):
    for words in (["ready"], ["status", "half", "way"], ["extend", "30s"]):
        result = devrun_notify(notify_socket, *words, DEVRUN_INSTANCE=OWN)
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    expected = [Ready(), Status("half way"), ExtendTimeout(30.0)]
    assert notify_socket.receive(nobody) == expected


@pytest.fixture
def unmarked(notify_socket):
    """``devrun notify ready`` as below systemd."""
    environ = environment(notify_socket)
    environ.pop(MARK, None)
    process = subprocess.Popen([sys.executable, "-c", NOTIFY, "ready"], env=environ)
    yield process
    assert process.wait(LIMIT) == 0


async def test_devrun_notify_below_systemd_stays_until_it_has_been_read(notify_socket, unmarked):
    heard = await hear(notify_socket, lambda pid: pid == unmarked.pid, Barrier())
    assert heard == [Ready(), Barrier()]


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("", "NOTIFY_SOCKET is not set"),
        ("vsock:2:1234", "no address of a Unix socket"),
        ("/nowhere/at/all", "no such file or directory"),
        ("@nobody-listens-here", "connection refused"),
    ],
)
def test_devrun_notify_says_in_one_line_that_nobody_is_there(notify_socket, address, complaint):
    result = devrun_notify(notify_socket, "ready", NOTIFY_SOCKET=address)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("devrun: notify: ")
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1


def test_devrun_notify_explains_itself(notify_socket):
    result = devrun_notify(notify_socket, "--help", NOTIFY_SOCKET="")
    assert result.returncode == 0
    assert "status TEXT" in result.stdout


def test_devrun_notify_imports_nothing_that_takes_long(notify_socket):
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", NOTIFY, "ready"],
        env=environment(notify_socket, DEVRUN_INSTANCE=OWN),
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
    assert "socket" in imported
    assert not imported & {"trio", "typer", "subprocess", "json", "inspect", "typing", "logging"}


# -- the folder -----------------------------------------------------------------------------------


HOLD = """
import os, sys
from devrun.process.private_folder import PrivateFolder
from devrun.process.notify_socket import NotifySocket
folder = PrivateFolder.make(os.environ)
NotifySocket.open(folder, "0.1.notify", mark="x")
print(folder.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def place():
    """An empty folder with a short path, as a socket's has to be; ``tmp_path`` has a long one."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture
def runtime(place):
    """An environment with that as the place for sockets."""
    return {**os.environ, "XDG_RUNTIME_DIR": str(place)}


@pytest.fixture
def holder(runtime):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        env=runtime,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def test_what_a_killed_run_left_is_removed_by_the_next(runtime, holder):
    left = holder.stdout.readline().strip()
    assert str(holder.pid) in left
    PrivateFolder.make(runtime).remove()
    assert os.path.exists(left), "it is in use"
    holder.kill()
    holder.wait()
    assert os.path.exists(left)
    PrivateFolder.make(runtime).remove()
    assert not os.path.exists(left)


def test_the_folder_goes_with_all_that_is_in_it(runtime):
    folder = PrivateFolder.make(runtime)
    opened = NotifySocket.open(folder, "0.1.notify", mark=OWN)
    folder.remove()
    folder.remove()
    opened.close()
    assert os.listdir(os.path.dirname(folder.path)) == []


def test_two_runs_of_one_pid_do_not_share_a_folder(runtime):
    # As in two containers with one temporary folder.
    one, two = PrivateFolder.make(runtime), PrivateFolder.make(runtime)
    assert one.path != two.path
    one.remove()
    assert os.path.exists(two.path)
    two.remove()


MAKE_MANY = """
import os
from devrun.process.private_folder import PrivateFolder
from devrun.process.notify_socket import NotifySocket
for _ in range(100):
    folder = PrivateFolder.make(os.environ)
    NotifySocket.open(folder, "0.1.notify", mark="x").close()
    folder.remove()
"""


def test_runs_that_come_and_go_leave_each_others_folders_alone(place, runtime):
    runs = [subprocess.Popen([sys.executable, "-c", MAKE_MANY], env=runtime) for _ in range(4)]
    assert [run.wait(LIMIT) for run in runs] == [0, 0, 0, 0]
    assert os.listdir(place / "devrun") == []


@pytest.mark.parametrize("spoil", ["nothing", "mode", "file", "link"])
def test_a_folder_that_others_may_enter_is_not_used(place, runtime, spoil):
    base = place / "devrun"
    if spoil == "mode":
        base.mkdir()
        base.chmod(0o755)
    elif spoil == "file":
        base.write_text("")
    elif spoil == "link":
        (place / "other").mkdir(mode=0o700)
        base.symlink_to(place / "other")
    folder = PrivateFolder.make(runtime)
    assert folder.path.startswith(str(base)) is (spoil == "nothing")
    folder.remove()


def test_a_place_whose_name_is_too_long_for_a_socket_is_not_used(tmp_path):
    long = tmp_path / ("x" * 100)
    long.mkdir(mode=0o700)
    folder = PrivateFolder.make({"XDG_RUNTIME_DIR": str(long), "TMPDIR": str(long)})
    opened = NotifySocket.open(folder, "999.99999.notify", mark=OWN)
    assert opened.path.startswith(f"/tmp/devrun-{os.getuid()}/run.")
    opened.close()
    folder.remove()


def test_a_sender_that_ends_while_it_is_looked_at_is_heard(notify_socket):
    """As systemd-notify does: it waits for the barrier alone, which is over once it is read."""
    words = "import os, socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); "
    words += "s.sendto(b'READY=1', os.environ['NOTIFY_SOCKET']); input()"
    sender = subprocess.Popen(
        [sys.executable, "-c", words], env=environment(notify_socket), stdin=subprocess.PIPE
    )

    def belongs(_pid):
        sender.communicate(b"\n", timeout=LIMIT)
        return False

    while not (heard := notify_socket.receive(belongs)):
        assert sender.returncode is None
    assert heard == [Ready()]
