"""Probing what really runs: ports and who holds them, commands, files; and probing repeatedly."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from itertools import pairwise

import pytest
import trio
import trio.testing

from devrun.policies import ExecProbe, FileProbe, HealthCheck, PortProbe
from devrun.process import tree
from devrun.process.exits import ChildExits
from devrun.process.group import Ownership, owned
from devrun.process.mark import MARK
from devrun.supervise.probes.answers import Failed, HeldByOther, Passed, Subject
from devrun.supervise.probes.asking import ask, until_passed, until_ready, watch, watch_health
from devrun.supervise.probes.health import Degraded, Healthy, Unhealthy

ENV = {key: value for key, value in os.environ.items() if key != MARK}

LISTENS = """
import socket, sys
server = socket.create_server((sys.argv[1], 0), family=int(sys.argv[2]))
print(server.getsockname()[1], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def subject(tmp_path):
    def build(**changed):
        fields = {
            "label": "web",
            "cwd": str(tmp_path),
            "env": ENV,
            "started_at": time.time(),
            "is_ours": lambda pid: pid == os.getpid(),
            "exits": ChildExits(),
        }
        return Subject(**{**fields, **changed})

    return build


@pytest.fixture
def listening(tmp_path):
    """Start a process that listens; returns it and its port."""
    with ExitStack() as stack:

        def start(words=(sys.executable,), address="127.0.0.1", code=LISTENS, **env):
            family = str(int(socket.AF_INET6 if ":" in address else socket.AF_INET))
            process = stack.enter_context(
                subprocess.Popen(
                    [*words, "-S", "-c", code, address, family],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    cwd=tmp_path,
                    env={**ENV, **env},
                )
            )
            return process, int(process.stdout.readline())

        yield start


@pytest.fixture
def fifo(tmp_path):
    """A FIFO to be written by a probe's processes: what they say, and its end when all are gone."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    yield descriptor
    os.close(descriptor)


async def read_fifo(descriptor) -> bytes:
    """Read once, when there is something to read; nothing when every writer has gone."""
    await trio.lowlevel.wait_readable(descriptor)
    return os.read(descriptor, 65536)


# -- ports ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "web.localhost", "0.0.0.0", ""])
async def test_a_port_that_the_service_listens_on_is_ready(subject, host):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert await ask(PortProbe(port, host), subject(), timeout=30) == Passed()
    answer = await ask(PortProbe(port, host), subject(), timeout=30)
    assert isinstance(answer, Failed)
    assert answer.reason.endswith(f":{port}: connection refused")


@pytest.mark.parametrize("host", ["localhost", "::1", "[::1]", "::"])
async def test_ipv6_will_do(subject, host):
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        probe = PortProbe(server.getsockname()[1], host)
        assert await ask(probe, subject(), timeout=30) == Passed()


async def test_a_server_on_all_addresses_is_found_behind_each(subject):
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        for host in ("localhost", "127.0.0.1", "::1"):
            probe = PortProbe(server.getsockname()[1], host)
            assert await ask(probe, subject(), timeout=30) == Passed()
            strange = await ask(probe, subject(is_ours=lambda _: False), timeout=30)
            assert isinstance(strange, HeldByOther)


async def test_a_port_that_another_process_holds_is_not_ready_and_says_whose_it_is(
    subject, listening, tmp_path
):
    process, port = listening()
    answer = await ask(PortProbe(port), subject(), timeout=30)
    assert isinstance(answer, HeldByOther)
    assert f"port {port} is held by {sys.executable}" in answer.reason
    assert f"(pid {process.pid}, in {tmp_path})" in answer.reason
    assert answer.reason.endswith(", not by web")
    assert "devrun" not in answer.holder.rpartition(")")[2]


async def test_a_stranger_on_ipv4_does_not_hide_the_service_on_ipv6(subject, listening):
    _, port = listening()
    with socket.create_server(("::1", port), family=socket.AF_INET6):
        assert await ask(PortProbe(port), subject(), timeout=30) == Passed()
        answer = await ask(PortProbe(port, "127.0.0.1"), subject(), timeout=30)
        assert isinstance(answer, HeldByOther)


@pytest.mark.parametrize(
    ("mark", "origin"),
    [
        ("999999999:0", "left by an earlier devrun"),
        ("{parent}:1/999999999:0", "left by an earlier devrun"),
        ("{parent}:0", "started by another devrun (pid {parent})"),
        ("999999999:0/{own}:3", "started by another service of this devrun"),
    ],
)
async def test_the_holder_may_be_another_devruns(subject, listening, mark, origin):
    pids = {"own": os.getpid(), "parent": os.getppid()}
    _, port = listening(**{MARK: mark.format(**pids)})
    answer = await ask(PortProbe(port), subject(), timeout=30)
    assert isinstance(answer, HeldByOther)
    assert answer.holder.endswith(f"), {origin.format(**pids)}")


async def test_a_server_beneath_wrappers_is_the_services(subject, listening):
    shell, port = listening(("sh", "-c", '"$0" "$@"; exit', sys.executable))
    ownership = Ownership(frozenset({shell.pid}), b"none")
    ours = subject(is_ours=lambda pid: pid in {process.pid for process in owned(ownership)})
    try:
        assert await ask(PortProbe(port), ours, timeout=30) == Passed()
    finally:
        for process in tree.descendants(shell.pid):
            tree.send(process, signal.SIGKILL)


@pytest.fixture
def shared():
    """A listening socket, and a process that has it too."""
    code = "import sys; print(flush=True); sys.stdin.read()"
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        subprocess.Popen(
            [sys.executable, "-S", "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[server.fileno()],
        ) as process,
    ):
        process.stdout.readline()
        yield server, process


async def test_of_processes_that_share_a_socket_one_of_the_services_will_do(subject, shared):
    server, process = shared
    ours = subject(is_ours=lambda pid: pid == process.pid)
    assert await ask(PortProbe(server.getsockname()[1]), ours, timeout=30) == Passed()


async def test_a_container_engine_listens_for_the_service_that_uses_it(
    subject, listening, tmp_path
):
    os.symlink(sys.executable, tmp_path / "docker-proxy")
    os.symlink(sys.executable, tmp_path / "docker")
    _, port = listening((str(tmp_path / "docker-proxy"),))
    assert isinstance(await ask(PortProbe(port), subject(), timeout=30), HeldByOther)
    client, _ = listening((str(tmp_path / "docker"),))
    ours = subject(is_ours=lambda pid: pid == client.pid)
    assert await ask(PortProbe(port), ours, timeout=30) == Passed()


ASKS_AS_NOBODY = """
import os, sys
from devrun.process import ports
ports.holders("127.0.0.1", 1)  # Loads what nobody might not be allowed to read.
if os.getuid() == 0:
    os.setuid(65534)
port, pid = map(int, sys.argv[1:])
print(ports.holders("127.0.0.1", port) == [ports.Listener(port)], pid in ports.possible_owners())
"""

UNSEEN = """
import ctypes
ctypes.CDLL(None).prctl(4, 0)  # PR_SET_DUMPABLE: only root may look at its descriptors.
"""


def test_a_process_that_may_not_be_looked_at_is_a_possible_owner(listening):
    process, port = listening(code=UNSEEN + LISTENS)
    words = [sys.executable, "-c", ASKS_AS_NOBODY, str(port), str(process.pid)]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert said == "True True\n"


async def test_a_host_that_is_none_is_an_answer(subject):
    for host in ("nosuch.invalid", "a" * 300, "x\ny", "\udc80"):
        answer = await ask(PortProbe(1, host), subject(), timeout=5)
        assert isinstance(answer, Failed)
        assert answer.reason.isprintable()


async def test_elsewhere_connecting_is_all_that_is_asked(subject, monkeypatch):
    from devrun.supervise.probes import hosts

    monkeypatch.setattr(hosts, "is_loopback", lambda address: False)
    strange = subject(is_ours=lambda pid: False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        probe = PortProbe(server.getsockname()[1], "127.0.0.1")
        assert await ask(probe, strange, timeout=30) == Passed()
    assert isinstance(await ask(probe, strange, timeout=30), Failed)


# -- commands ------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["true", "exit 0", ("true",), ("sh", "-c", "exit 0")])
async def test_a_command_that_exits_with_0_passes(subject, command):
    assert await ask(ExecProbe(command), subject(), timeout=30) == Passed()


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("exit 3", "exit code 3"),
        ("echo one; echo two >&2; echo; exit 1", "exit code 1: two"),
        ("printf '\\033[31mred\\033[0m \\r\\n  '; exit 1", "exit code 1: red"),
        ("kill -9 $$", "killed by SIGKILL"),
        (("sh", "-c", 'echo "$1"; exit 1', "x", "a 'b'\n\"c\" $HOME"), 'exit code 1: "c" $HOME'),
        ("pwd; exit 1", "exit code 1: {cwd}"),
        ("echo $GREETING; exit 1", "exit code 1: hello"),
        ("cat; exit 1", "exit code 1"),
        ("no-such", 'no such program: "no-such" is in no folder of PATH'),
    ],
)
async def test_why_a_command_fails_is_told_with_its_last_line(subject, tmp_path, command, reason):
    asked = subject(env={**ENV, "GREETING": "hello"})
    answer = await ask(ExecProbe(command), asked, timeout=30)
    assert answer == Failed(reason.format(cwd=tmp_path.resolve()))


async def test_a_folder_that_is_gone_is_an_answer(subject):
    answer = await ask(ExecProbe("true"), subject(cwd="/nowhere"), timeout=30)
    assert answer == Failed('no such folder: "/nowhere"')


async def test_a_flood_of_output_is_bounded(subject):
    command = "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end; exit 1"
    assert await ask(ExecProbe(command), subject(), timeout=60) == Failed("exit code 1: end")
    command = "head -c 3000000 /dev/zero | tr '\\0' x; exit 1"
    answer = await ask(ExecProbe(command), subject(), timeout=60)
    assert len(answer.reason) < 300


async def test_a_command_is_not_taken_for_one_of_the_services_processes(subject):
    own = f"{os.getpid()}:4"
    asked = subject(env={**ENV, MARK: f"77:1/{own}"})
    answer = await ask(ExecProbe(f"echo ${MARK}; exit 1"), asked, timeout=30)
    assert answer == Failed(f"exit code 1: 77:1/{os.getpid()}:-1:0")


HANGS = "echo waiting; exec 3>fifo; sleep 1000 & setsid sleep 1000 & echo started >&3; wait"
"""Says so in the FIFO, and has a child in its group and one in a session of its own."""


async def test_a_command_that_takes_too_long_is_killed_with_all_it_started(
    subject, fifo, mock_clock, nursery
):
    answers = []

    async def probe():
        answers.append(await ask(ExecProbe(HANGS), subject(), timeout=10))

    async with trio.open_nursery() as asking:
        asking.start_soon(probe)
        assert await read_fifo(fifo) == b"started\n"
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(10)
    assert answers == [Failed("still running after 10 s: waiting")]
    assert await read_fifo(fifo) == b"", "no process of it is left"


async def test_a_cancelled_command_is_killed_with_all_it_started(subject, fifo):
    before = tree.children(os.getpid())
    async with trio.open_nursery() as asking:
        asking.start_soon(lambda: ask(ExecProbe(HANGS), subject(), timeout=1000))
        assert await read_fifo(fifo) == b"started\n"
        asking.cancel_scope.cancel()
    assert await read_fifo(fifo) == b""
    assert tree.children(os.getpid()) == before, "it has been reaped"


async def test_what_a_command_leaves_behind_is_killed(subject, fifo):
    command = "exec 3>fifo; sleep 1000 & echo started >&3"
    assert await ask(ExecProbe(command), subject(), timeout=30) == Passed()
    assert await read_fifo(fifo) == b"started\n"
    assert await read_fifo(fifo) == b""


async def test_what_reaps_for_devrun_does_not_take_a_commands_exit_code(subject):
    asked = subject()
    answers = []

    async def probe():
        answers.append(await ask(ExecProbe("echo x; exit 3"), asked, timeout=30))

    async with trio.open_nursery() as asking:
        asking.start_soon(probe)
        while not answers:
            asked.exits.notify()
            await trio.lowlevel.checkpoint()
    assert answers == [Failed("exit code 3: x")]


async def test_no_descriptor_is_left(subject):
    before = os.listdir("/proc/self/fd")
    for command in ("true", "false", "no-such", "sleep 1000"):
        await ask(ExecProbe(command), subject(), timeout=0.01 if "sleep" in command else 30)
    assert os.listdir("/proc/self/fd") == before


# -- files ---------------------------------------------------------------------------------------


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)


@pytest.mark.parametrize(
    "make", [os.mkfifo, os.mkdir, make_socket, lambda path: open(path, "w").close()]
)
async def test_a_file_of_any_kind_passes_once_it_is_there(subject, tmp_path, monkeypatch, make):
    monkeypatch.chdir(tmp_path)
    probe = FileProbe(str(tmp_path / "x"))
    asked = subject()
    assert await ask(probe, asked, timeout=30) == Failed(f"there is no {tmp_path}/x")
    make("x")
    assert await ask(probe, asked, timeout=30) == Passed()
    later = subject(started_at=time.time() + 5)
    assert await ask(probe, later, timeout=30) == Failed(f"{tmp_path}/x is from before the start")


async def test_a_path_that_cannot_be_looked_at_is_an_answer(subject, tmp_path):
    (tmp_path / "file").touch()
    os.symlink("nowhere", tmp_path / "dangling")
    os.symlink("loop", tmp_path / "loop")
    for path in ("file/x", "dangling", "loop", "x\0y", "x" * 300):
        answer = await ask(FileProbe(str(tmp_path / path)), subject(), timeout=30)
        assert isinstance(answer, Failed)
        assert answer.reason.isprintable()


# -- until it is ready ---------------------------------------------------------------------------


async def test_tries_come_fast_at_first_and_then_every_second(autojump_clock):
    times = [trio.current_time()]

    async def question():
        times.append(trio.current_time())
        return Passed() if len(times) == 11 else Failed("no")

    await until_passed(question, publish=lambda answer: None)
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert waits == pytest.approx([0, 0.1, 0.15, 0.225, 0.3375, 0.50625, 0.759375, 1, 1, 1])


async def test_a_reason_is_told_when_it_is_another_one(autojump_clock):
    other = HeldByOther(1, "x", "web")
    answers = iter([Failed("a"), Failed("a"), other, Failed("a"), other, Failed("b"), Passed()])
    told = []

    async def question():
        return next(answers)

    await until_passed(question, publish=told.append)
    assert told == [Failed("a"), other, Failed("a"), other, Failed("b")]


@pytest.fixture
def starting():
    """A real server that may not listen yet, and its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        yield server, port
        server.kill()


async def test_a_real_server_becomes_ready(subject, starting):
    server, port = starting
    ours = subject(is_ours=lambda pid: pid == server.pid)
    told = []
    await until_ready(PortProbe(port), ours, publish=told.append)
    await until_ready(ExecProbe("true"), ours, publish=told.append)
    assert {answer.reason for answer in told} <= {f"localhost:{port}: connection refused"}


# -- while it is ready ---------------------------------------------------------------------------


async def health(check, answers, start_period=0.0):
    """Return when what was reported of answers, one of which may be an exception that ends it."""
    reports, began = [], trio.current_time()
    asked = []

    async def question():
        asked.append(round(trio.current_time() - began, 3))
        return answers.pop(0)

    with trio.CancelScope() as scope:

        def report(each):
            reports.append((round(trio.current_time() - began, 3), each))
            if not answers:
                scope.cancel()

        await watch(check, question, start_period=start_period, report=report)
    return asked, reports


async def test_health_is_asked_at_intervals_until_it_is_lost(autojump_clock):
    check = HealthCheck(FileProbe("/x"), interval=10, retries=2)
    answers = [Passed(), Failed("a"), Passed(), Passed(), Failed("b"), Failed("c"), Passed()]
    asked, reports = await health(check, answers)
    assert asked == [0, 10, 20, 30, 40, 50]
    assert reports == [
        (0, Healthy(again=False)),
        (10, Degraded("a", 1)),
        (20, Healthy(again=True)),
        (40, Degraded("b", 1)),
        (50, Unhealthy("c")),
    ]
    assert answers == [Passed()], "it has returned"


async def test_the_start_period_forgives_and_is_asked_more_often(autojump_clock):
    check = HealthCheck(FileProbe("/x"), interval=30, retries=1)
    asked, reports = await health(check, [Failed("a"), Failed("a"), Passed()], start_period=20)
    assert (asked, reports) == ([0, 5, 10], [(10, Healthy(again=False))])
    asked, reports = await health(check, [Failed("a")] * 5, start_period=20)
    assert (asked, reports) == ([0, 5, 10, 15, 20], [(20, Unhealthy("a"))])


async def test_the_start_period_counts_from_the_start_of_the_service(subject, tmp_path):
    check = HealthCheck(FileProbe(str(tmp_path / "x")), retries=1, start_period=100)
    reports = []
    long_ago = subject(started_at=time.time() - 101)
    await watch_health(check, long_ago, report=reports.append)
    assert reports == [Unhealthy(f"there is no {tmp_path}/x")]


async def test_a_real_service_falls_ill(subject, tmp_path):
    path = tmp_path / "alive"
    path.touch()
    check = HealthCheck(FileProbe(str(path)), interval=0.001, timeout=30, retries=2)
    reports = []

    def report(each):
        reports.append(each)
        path.unlink(missing_ok=True)

    await watch_health(check, subject(), report=report)
    reason = f"there is no {path}"
    assert reports == [Healthy(again=False), Degraded(reason, 1), Unhealthy(reason)]
