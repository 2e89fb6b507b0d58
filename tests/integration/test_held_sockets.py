"""Sockets that devrun holds, inherited by real programs."""

from __future__ import annotations

import http.client
import os
import select
import signal
import socket
import stat
import subprocess
import sys

import pytest

from devrun.errors import DevrunError, UsageError
from devrun.policies import HeldSocket
from devrun.process.held_sockets import open_sockets
from devrun.process.spawn import _TAKE_TERMINAL

NODE = """
const server = require('http').createServer((request, response) => response.end('from node'))
server.listen({ fd: 3 }, () => console.log('ready', server.address().port))
"""

PLAIN = """
import socket
held = socket.socket(fileno=3)
print('ready', held.getsockname()[1], flush=True)
while True:
    connection, _ = held.accept()
    connection.recv(65536)
    connection.sendall(b'HTTP/1.0 200 OK\\r\\n\\r\\nfrom python')
    connection.close()
"""

SYSTEMD_AWARE = """
import os, socket
assert os.environ['LISTEN_PID'] == str(os.getpid()), 'the sockets are meant for another process'
names = os.environ['LISTEN_FDNAMES'].split(':')
sockets = [socket.socket(fileno=3 + place) for place in range(len(names))]
for name, each in zip(names, sockets):
    print(name, each.getsockname(), flush=True)
print('count', os.environ['LISTEN_FDS'], flush=True)
print('open', sorted(n for n in range(3, 40) if os.path.exists(f'/proc/self/fd/{n}')), flush=True)
"""

ASGI = """
async def app(scope, receive, send):
    if scope['type'] == 'lifespan':
        while (await receive())['type'] != 'lifespan.shutdown':
            await send({'type': 'lifespan.startup.complete'})
        await send({'type': 'lifespan.shutdown.complete'})
        return
    await send({'type': 'http.response.start', 'status': 200, 'headers': []})
    await send({'type': 'http.response.body', 'body': b'from asgi'})
"""

WSGI = """
def app(environ, start_response):
    start_response('200 OK', [])
    return [b'from wsgi']
"""


@pytest.fixture
def hold():
    kept = []

    def begin(*specs):
        kept.append(open_sockets(specs))
        return kept[-1]

    yield begin
    for held in kept:
        held.close()


@pytest.fixture
def start(tmp_path):
    running = []

    def begin(held, argv, **options):
        command, numbers = held.wrapped(argv)
        popen = subprocess.Popen(
            command,
            cwd=tmp_path,
            env={**os.environ, **held.variables()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=numbers,
            start_new_session=True,
            **options,
        )
        running.append(popen)
        return popen

    yield begin
    for popen in running:
        with_group(popen, signal.SIGKILL)
        popen.wait()
        popen.stdout.close()


def with_group(popen, number) -> None:
    try:
        os.killpg(popen.pid, number)
    except ProcessLookupError:
        assert popen.poll() is not None


def tcp(port: int = 0, host: str = "127.0.0.1", name: str = "web") -> HeldSocket:
    return HeldSocket(name, host, port)


def read_until(popen, text: str) -> str:
    for line in popen.stdout:
        if text in line.decode():
            return line.decode()
    raise AssertionError(f"ended without {text!r}")


def read_all(connection: socket.socket) -> str:
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data.decode()


def get(port: int, host: str = "127.0.0.1") -> str:
    connection = http.client.HTTPConnection(host, port, timeout=20)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


# -- programs -----------------------------------------------------------------------------------


def test_node_serves_on_descriptor_3(hold, start):
    held = hold(tcp())
    popen = start(held, ["/usr/bin/env", "node", "-e", NODE])
    assert read_until(popen, "ready") == f"ready {held.ports[0]}\n"
    assert get(held.ports[0]) == "from node"


def test_plain_python_accepts_on_descriptor_3(hold, start):
    held = hold(tcp())
    read_until(start(held, [sys.executable, "-c", PLAIN]), "ready")
    assert get(held.ports[0]) == "from python"


@pytest.mark.parametrize(
    ("argv", "code", "answer"),
    [
        (["-m", "uvicorn", "--fd", "3", "program:app"], ASGI, "from asgi"),
        (["-m", "hypercorn", "--bind", "fd://3", "program:app"], ASGI, "from asgi"),
        (["-m", "gunicorn", "program:app"], WSGI, "from wsgi"),  # by LISTEN_FDS
    ],
    ids=["uvicorn", "hypercorn", "gunicorn"],
)
def test_a_python_server_takes_the_socket_and_a_request_that_was_there_before_it(
    hold, start, tmp_path, argv, code, answer
):
    (tmp_path / "program.py").write_text(code)
    held = hold(tcp())
    with socket.create_connection(("127.0.0.1", held.ports[0]), timeout=30) as early:
        early.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        start(held, [sys.executable, *argv])
        assert answer in read_all(early)


def test_gunicorn_takes_descriptor_3_below_a_shell(hold, start, tmp_path):
    (tmp_path / "program.py").write_text(WSGI)
    held = hold(tcp())
    line = f"'{sys.executable}' -m gunicorn --bind fd://3 program:app; true"
    with socket.create_connection(("127.0.0.1", held.ports[0]), timeout=30) as early:
        early.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        start(held, ["/bin/sh", "-c", line])
        assert "from wsgi" in read_all(early)


def test_a_program_that_follows_systemd_finds_all_sockets_and_no_other_descriptor(
    hold, start, tmp_path
):
    path = str(tmp_path / "s")
    held = hold(tcp(), HeldSocket("admin", path, None), tcp(host="::1", name="six"))
    output = start(held, [sys.executable, "-c", SYSTEMD_AWARE]).stdout.read().decode()
    assert output.splitlines() == [
        f"web ('127.0.0.1', {held.ports[0]})",
        f"admin {path}",
        f"six ('::1', {held.ports[2]}, 0, 0)",
        "count 3",
        "open [3, 4, 5]",
    ]


HANDING_OVER = """
import os, sys
from devrun.policies import HeldSocket
from devrun.process.held_sockets import open_sockets
while (last := os.open('/dev/null', os.O_RDONLY)) < int(sys.argv[1]) - 1:
    pass
held = open_sockets([HeldSocket('a', '127.0.0.1', 0), HeldSocket('b', '::1', 0)])
argv, numbers = held.wrapped(sys.argv[2:])
for number in numbers:
    os.set_inheritable(number, True)
os.execve(argv[0], argv, {**os.environ, **held.variables()})
"""


@pytest.mark.parametrize("number", [4, 8, 9, 37])
def test_sockets_with_any_numbers_arrive_as_descriptors_3_and_4(number):
    program = [sys.executable, "-c", SYSTEMD_AWARE]
    argv = [sys.executable, "-c", HANDING_OVER, str(number), *program]
    lines = subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()
    assert lines[0].startswith("a ('127.0.0.1', ")
    assert lines[1].startswith("b ('::1', ")
    assert lines[2:] == ["count 2", "open [3, 4]"]


def test_the_main_process_of_a_line_with_exec_is_the_one_that_the_sockets_are_for(hold, start):
    held = hold(tcp())
    line = 'cd / && exec "$PYTHON" -c "$CODE"'
    variables = f'PYTHON="{sys.executable}"; CODE=$(cat <<"E"\n{SYSTEMD_AWARE}\nE\n); '
    output = start(held, ["/bin/sh", "-c", variables + line]).stdout.read().decode()
    assert "count 1" in output


def test_below_a_shell_descriptor_3_is_there_and_the_pid_is_the_shells(hold, start):
    held = hold(tcp())
    code = (
        "import os, socket; print(socket.socket(fileno=3).getsockname()[1],"
        "os.environ['LISTEN_PID'] == str(os.getppid()), os.environ['DEVRUN_LISTEN_FDS'])"
    )
    line = f"'{sys.executable}' -c \"{code}\"; true"
    output = start(held, ["/bin/sh", "-c", line]).stdout.read().decode()
    assert output == f"{held.ports[0]} True 1\n"


def test_a_terminal_and_held_sockets_go_together(hold):
    held = hold(tcp())
    leader, terminal = os.openpty()
    code = (
        "import os; print(os.isatty(0), os.isatty(1), os.environ['LISTEN_PID'] == str(os.getpid()),"
        "os.path.exists('/proc/self/fd/3'), os.open('/dev/tty', os.O_RDWR) > 3)"
    )
    argv, numbers = held.wrapped([sys.executable, "-c", code])
    wrapped = ["/bin/sh", "-c", _TAKE_TERMINAL, os.ttyname(terminal), *argv]
    popen = subprocess.Popen(
        wrapped,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        pass_fds=numbers,
        start_new_session=True,
        env={**os.environ, **held.variables()},
    )
    os.close(terminal)
    try:
        assert popen.wait(20) == 0
        assert os.read(leader, 4096).split() == [b"True"] * 5
    finally:
        os.close(leader)


# -- between generations ------------------------------------------------------------------------


def test_nobody_is_refused_between_a_crash_and_the_next_generation(hold, start):
    held = hold(tcp())
    first = start(held, [sys.executable, "-c", PLAIN])
    read_until(first, "ready")
    first.kill()
    first.wait()
    with socket.create_connection(("127.0.0.1", held.ports[0]), timeout=20) as waiting:
        waiting.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert select.select([waiting], [], [], 0)[0] == []
        start(held, [sys.executable, "-c", PLAIN])
        assert "from python" in read_all(waiting)


def test_two_generations_accept_on_the_same_socket(hold, start):
    held = hold(tcp())
    old = start(held, [sys.executable, "-c", PLAIN])
    read_until(old, "ready")
    read_until(start(held, [sys.executable, "-c", PLAIN]), "ready")
    old.kill()
    old.wait()
    assert get(held.ports[0]) == "from python"


def test_after_closing_connections_are_refused(hold):
    held = hold(tcp())
    [port] = held.ports
    held.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=20)


def test_a_port_that_another_program_shares_is_not_taken(hold):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(DevrunError, match="the port is used by"):
            hold(tcp(other.getsockname()[1]))


# -- addresses ----------------------------------------------------------------------------------


def test_without_a_host_both_address_families_are_heard(hold):
    held = hold(tcp(host=""))
    for host in ("127.0.0.1", "::1"):
        socket.create_connection((host, held.ports[0]), timeout=20).close()


def test_the_address_of_one_family_leaves_the_other_alone(hold):
    held = hold(tcp(host="::"))
    hold(tcp(held.ports[0], host="0.0.0.0"))
    socket.create_connection(("::1", held.ports[0]), timeout=20).close()


def test_a_port_that_is_taken_is_said_with_its_holder(hold):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(DevrunError) as caught:
            hold(tcp(port))
        message = str(caught.value)
    assert message.startswith(f"cannot listen on 127.0.0.1:{port}: the port is used by ")
    assert f"(pid {os.getpid()}, in {os.getcwd()})" in message
    assert "\n" not in message


def test_a_failure_leaves_no_socket_behind(hold):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with pytest.raises(DevrunError):
            hold(tcp(port), tcp(other.getsockname()[1]))
    hold(tcp(port))


def test_an_address_of_another_machine_is_said(hold):
    with pytest.raises(UsageError, match=r'"192\.0\.2\.1" is no address of this machine'):
        hold(tcp(host="192.0.2.1"))


def test_a_host_without_an_address_is_said(hold):
    with pytest.raises(UsageError, match=r'no such host: "no\.\.such"'):
        hold(tcp(host="no..such"))


# -- Unix sockets -------------------------------------------------------------------------------


def test_a_unix_socket_is_for_its_owner_alone(hold, tmp_path):
    path = str(tmp_path / "s")
    hold(HeldSocket("s", path, None))
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)


def test_the_file_of_a_unix_socket_goes_with_it(hold, tmp_path):
    path = str(tmp_path / "s")
    hold(HeldSocket("s", path, None)).close()
    assert not os.path.exists(path)


def test_a_unix_socket_that_another_made_in_its_place_stays(hold, tmp_path):
    path = str(tmp_path / "s")
    held = hold(HeldSocket("s", path, None))
    os.unlink(path)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(path)
        held.close()
        assert os.path.exists(path)


def test_a_unix_socket_that_a_killed_program_left_is_replaced(hold, tmp_path):
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(path)
        left.listen()
    hold(HeldSocket("s", path, None))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)


def test_a_unix_socket_that_another_listens_on_is_left_alone(hold, tmp_path):
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(path)
        other.listen()
        with pytest.raises(DevrunError, match="another program listens on it"):
            hold(HeldSocket("s", path, None))
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)


def test_a_file_that_is_no_socket_is_left_alone(hold, tmp_path):
    path = tmp_path / "s"
    path.write_text("precious")
    with pytest.raises(DevrunError, match="the file exists and is no socket"):
        hold(HeldSocket("s", str(path), None))
    assert path.read_text() == "precious"


def test_a_path_that_is_too_long_is_said(hold, tmp_path):
    with pytest.raises(DevrunError, match="too long"):
        hold(HeldSocket("s", str(tmp_path / ("s" * 120)), None))
