"""Unmodified Node programs whose ports devrun holds, alone and below wrappers."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
from contextlib import asynccontextmanager

import pytest
import trio
import trio.lowlevel

from devrun.process.held_sockets import open_sockets
from devrun.process.node.channel import open_inherited, open_preloaded
from devrun.process.node.cluster import AddressType
from devrun.process.node.primary import (
    ClusterPrimary,
    Disconnected,
    Listening,
    Message,
    Online,
    Unreadable,
    Unsupported,
)
from devrun.process.node.program import node_major

WEB = """
const http = require('http')
const server = http.createServer((request, response) => response.end(`${process.pid}`))
server.on('error', (error) => { console.log(error.message); process.exit(9) })
server.listen(Number(process.env.PORT), process.env.HOST)
"""

WRAPPERS = {
    "directly": ["node", "app.js"],
    "below a shell": ["sh", "-c", "node app.js; true"],
    "below npm": ["npm", "start", "--silent"],
}

BOTH = pytest.mark.parametrize("way", ["inherited", "preloaded"])


class Program:
    """A running generation and what was told of it."""

    def __init__(self, channel, popen) -> None:
        self.channel = channel
        self.popen = popen
        self._send, self._told = trio.open_memory_channel(100)

    def tell(self, event) -> None:
        self._send.send_nowait(event)

    async def told(self, kind):
        """Wait for the next event of a kind; others are passed over."""
        with trio.fail_after(30):
            while True:
                event = await self._told.receive()
                if isinstance(event, kind):
                    return event

    async def ended(self) -> int:
        with trio.fail_after(30):
            return await trio.to_thread.run_sync(self.popen.wait, abandon_on_cancel=True)

    async def output(self) -> str:
        data = await trio.to_thread.run_sync(self.popen.stdout.read)
        return data.decode()


class Setting:
    """A folder with an application, its primary, and all that was started."""

    def __init__(self, folder, nursery, inherited=()) -> None:
        self.folder = folder
        self.primary = ClusterPrimary(inherited)
        self._nursery = nursery
        self._programs = []

    def start(self, code=WEB, *, way="inherited", argv=("node", "app.js"), **variables) -> Program:
        (self.folder / "app.js").write_text(code)
        number = len(self._programs) + 1
        env = {**os.environ, "HOST": "127.0.0.1", "PORT": "0", **variables}
        if way == "inherited":
            channel = open_inherited(number)
        else:
            channel = open_preloaded(number, str(self.folder / f"{number}.sock"), env)
        popen = subprocess.Popen(
            argv,
            cwd=self.folder,
            env={**env, **channel.variables},
            pass_fds=channel.descriptors,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        channel.started()
        program = Program(channel, popen)
        self._programs.append(program)
        self._nursery.start_soon(self.primary.serve, channel, program.tell)
        return program

    def close(self) -> None:
        for program in self._programs:
            if program.popen.poll() is None:
                os.killpg(program.popen.pid, signal.SIGKILL)
            program.popen.wait()
            program.popen.stdout.close()
            program.channel.close()
        self.primary.close()


@pytest.fixture
def setting(tmp_path):
    package = {"name": "app", "version": "1.0.0", "scripts": {"start": "node app.js"}}
    (tmp_path / "package.json").write_text(json.dumps(package))

    @asynccontextmanager
    async def begin(inherited=()):
        async with trio.open_nursery() as nursery:
            made = Setting(tmp_path, nursery, inherited)
            try:
                yield made
            finally:
                made.close()
                nursery.cancel_scope.cancel()

    return begin


def free_port(kind=socket.SOCK_STREAM) -> int:
    with socket.socket(type=kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def get(port: int, host: str = "127.0.0.1") -> str:
    def ask() -> str:
        connection = http.client.HTTPConnection(host, port, timeout=20)
        try:
            connection.request("GET", "/")
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    return await trio.to_thread.run_sync(ask)


def is_refused(port: int, host: str = "127.0.0.1") -> bool:
    try:
        socket.create_connection((host, port), timeout=20).close()
    except ConnectionRefusedError:
        return True
    return False


# -- serving ------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrapper", WRAPPERS)
async def test_a_program_listens_on_a_socket_of_devruns(setting, wrapper):
    way = "inherited" if wrapper == "directly" else "preloaded"
    port = free_port()
    async with setting() as here:
        web = here.start(way=way, argv=WRAPPERS[wrapper], PORT=str(port))
        listening = await web.told(Listening)
        assert listening == Listening("127.0.0.1", port, AddressType.TCP4)
        pid = int(await get(port))
        assert (pid == web.popen.pid) == (wrapper == "directly")
        os.killpg(web.popen.pid, signal.SIGKILL)
        await web.told(Disconnected)
        assert not is_refused(port)
    assert is_refused(port)


@BOTH
async def test_a_connection_waits_from_a_crash_to_the_next_generation(setting, way):
    port = free_port()
    async with setting() as here:
        first = here.start(way=way, PORT=str(port))
        await first.told(Listening)
        first.popen.kill()
        await first.told(Disconnected)
        with socket.create_connection(("127.0.0.1", port), timeout=20) as waiting:
            waiting.sendall(b"GET / HTTP/1.0\r\n\r\n")
            second = here.start(way=way, PORT=str(port))
            answer = await trio.to_thread.run_sync(waiting.recv, 65536)
            assert answer.endswith(str(second.popen.pid).encode())


@BOTH
async def test_instances_share_a_port(setting, way):
    port = free_port()
    async with setting() as here:
        both = [here.start(way=way, PORT=str(port)) for _ in range(2)]
        for each in both:
            await each.told(Listening)
        first, second = (str(each.popen.pid) for each in both)
        assert await get(port) in {first, second}
        both[0].popen.kill()
        await both[0].ended()
        assert await get(port) == second


@BOTH
async def test_any_port_is_the_same_one_for_all_generations(setting, way):
    async with setting() as here:
        ports = []
        for _ in range(2):
            program = here.start(way=way)
            ports.append((await program.told(Listening)).port)
        assert ports[0] == ports[1] > 0


SEVERAL = """
const net = require('net')
for (const answer of ['a', 'b']) {
  const server = net.createServer((connection) => connection.end(answer))
  server.listen(0, '127.0.0.1')
}
"""


@BOTH
async def test_two_servers_that_ask_for_any_port_get_two_and_keep_their_order(setting, way):
    async with setting() as here:
        ports = []
        for _ in range(2):
            program = here.start(SEVERAL, way=way)
            ports.append([(await program.told(Listening)).port for _ in range(2)])
            await trio.to_thread.run_sync(os.killpg, program.popen.pid, signal.SIGKILL)
            await program.told(Disconnected)
        assert sorted(ports[0]) == sorted(ports[1])
        assert len(set(ports[0])) == 2


SECURE = """
const fs = require('fs'), http = require('http'), https = require('https'), net = require('net')
const [plain, secure, raw] = process.env.PORT.split(',').map(Number)
http.createServer((_, response) => response.end('plain')).listen(plain)
https.createServer({ key: fs.readFileSync('key'), cert: fs.readFileSync('cert') },
  (_, response) => response.end('secure')).listen(secure, '::1')
http.createServer().on('upgrade', (request, connection) => {
  connection.end('HTTP/1.1 101 Switching Protocols\\r\\n\\r\\nupgraded')
}).listen({ port: raw, host: '127.0.0.1' })
"""


@BOTH
async def test_http_https_and_websocket_servers_of_one_program(setting, way, tmp_path):
    import ssl

    key = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    files = ["-keyout", tmp_path / "key", "-out", tmp_path / "cert"]
    await trio.run_process([*key, *files], stderr=subprocess.DEVNULL)
    ports = [free_port() for _ in range(3)]
    async with setting() as here:
        for _ in range(2):
            program = here.start(SECURE, way=way, PORT=",".join(map(str, ports)))
            for _ in range(3):
                await program.told(Listening)
        assert await get(ports[0], "::1") == await get(ports[0], "127.0.0.1") == "plain"

        def ask_securely() -> str:
            context = ssl._create_unverified_context()
            connection = http.client.HTTPSConnection("::1", ports[1], timeout=20, context=context)
            connection.request("GET", "/")
            answer = connection.getresponse().read().decode()
            connection.close()
            return answer

        assert await trio.to_thread.run_sync(ask_securely) == "secure"
        async with await trio.open_tcp_stream("127.0.0.1", ports[2]) as stream:
            head = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
            await stream.send_all(head)
            assert b"".join([piece async for piece in stream]).endswith(b"upgraded")


# -- Unix sockets, UDP, descriptors -------------------------------------------------------------

ON_PATH = """
const fs = require('fs')
if (process.env.UNLINK && fs.existsSync('web.sock')) fs.unlinkSync('web.sock')
require('net').createServer((connection) => connection.end(`${process.pid}`)).listen('web.sock')
"""


def ask_path(path) -> str:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(os.path.relpath(path))
        return client.recv(100).decode()


@BOTH
@pytest.mark.parametrize("unlinks", ["", "yes"])
async def test_a_unix_socket_is_there_in_every_generation(setting, way, unlinks, tmp_path):
    path = tmp_path / "web.sock"
    async with setting() as here:
        for _ in range(2):
            program = here.start(ON_PATH, way=way, UNLINK=unlinks)
            assert (await program.told(Listening)).type is AddressType.PATH
            assert stat.S_ISSOCK(path.stat().st_mode)
            assert await trio.to_thread.run_sync(ask_path, path) == str(program.popen.pid)
            program.popen.kill()
            await program.told(Disconnected)
    assert not path.exists()


DATAGRAMS = """
const socket = require('dgram').createSocket('udp4')
socket.on('message', (message, from) => socket.send(`${process.pid}`, from.port, from.address))
socket.bind(Number(process.env.PORT), '127.0.0.1')
"""


async def test_datagrams_wait_from_one_generation_to_the_next(setting):
    port = free_port(socket.SOCK_DGRAM)
    async with setting() as here:
        first = here.start(DATAGRAMS, PORT=str(port))
        assert (await first.told(Listening)).type is AddressType.UDP4
        first.popen.kill()
        await first.told(Disconnected)
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            client.settimeout(20)
            client.sendto(b"hello", ("127.0.0.1", port))
            second = here.start(DATAGRAMS, PORT=str(port))
            answer = await trio.to_thread.run_sync(client.recv, 100)
            assert answer.decode() == str(second.popen.pid)


ON_DESCRIPTOR = """
const server = require('http').createServer((request, response) => response.end('held'))
server.on('error', (error) => { console.log(error.message); process.exit(9) })
server.listen({ fd: 3 })
"""


@pytest.mark.parametrize("wrapper", WRAPPERS)
async def test_descriptor_3_is_the_first_held_socket_wherever_the_program_is(setting, wrapper):
    from devrun.policies import HeldSocket

    held = open_sockets([HeldSocket("web", "127.0.0.1", 0)])
    way = "inherited" if wrapper == "directly" else "preloaded"
    try:
        async with setting(held.sockets) as here:
            program = here.start(ON_DESCRIPTOR, way=way, argv=WRAPPERS[wrapper], **held.variables())
            await program.told(Listening)
            assert await get(held.ports[0]) == "held"
        assert not is_refused(held.ports[0])
    finally:
        held.close()


# -- failures -----------------------------------------------------------------------------------


@BOTH
async def test_a_port_of_another_program_is_an_error_as_without_devrun(setting, way):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        async with setting() as here:
            program = here.start(way=way, PORT=str(port))
            assert await program.ended() == 9
            assert f"EADDRINUSE: address already in use 127.0.0.1:{port}" in (
                await program.output()
            ).replace("bind EADDRINUSE 127", "EADDRINUSE: address already in use 127")


TWICE = """
const net = require('net')
const port = Number(process.env.PORT)
net.createServer().listen(port, '127.0.0.1', () => {
  const second = net.createServer()
  second.on('error', (error) => { console.log(error.code); process.exit(0) })
  second.on('listening', () => { console.log('both listen'); process.exit(1) })
  second.listen(port, '127.0.0.1')
})
"""


async def test_a_program_cannot_listen_twice_on_a_port(setting):
    async with setting() as here:
        program = here.start(TWICE, PORT=str(free_port()))
        assert await program.ended() == 0
        assert await program.output() == "EADDRINUSE\n"


PROBING = """
const net = require('net')
const port = Number(process.env.PORT)
const probe = net.createServer().listen(port, '127.0.0.1', () => probe.close(() => {
  const http = require('http')
  http.createServer((request, response) => response.end('served')).listen(port)
}))
"""


@BOTH
async def test_a_program_may_try_a_port_before_it_listens_on_all_addresses(setting, way):
    port = free_port()
    async with setting() as here:
        program = here.start(PROBING, way=way, PORT=str(port))
        while (await program.told(Listening)).host is not None:
            pass  # Node itself does not tell of a server that is closed in its first moment.
        assert await get(port, "::1") == "served"


CLOSING = """
const server = require('http').createServer().listen(Number(process.env.PORT), '127.0.0.1')
server.on('listening', () => setImmediate(() => server.close()))
setInterval(() => {}, 1000)
"""


@BOTH
async def test_a_port_that_a_living_program_closed_is_refused_again(setting, way, monkeypatch):
    monkeypatch.setattr("devrun.process.node.primary.RELEASE_AFTER", 0)
    port = free_port()
    async with setting() as here:
        program = here.start(CLOSING, way=way, PORT=str(port))
        await program.told(Listening)
        with trio.fail_after(30):
            while not is_refused(port):
                await trio.lowlevel.checkpoint()
        assert program.popen.poll() is None


LEAVING = """
const server = require('http').createServer((request, response) => response.end('x'))
server.listen(Number(process.env.PORT), '127.0.0.1')
process.on('SIGTERM', () => server.close(() => process.exit(0)))
"""


@BOTH
async def test_a_port_that_an_ending_program_closed_is_kept_for_its_successor(setting, way):
    port = free_port()
    async with setting() as here:
        program = here.start(LEAVING, way=way, PORT=str(port))
        await program.told(Listening)
        program.popen.terminate()
        assert await program.ended() == 0
        await program.told(Disconnected)
        assert not is_refused(port)
        here.primary.release_unused()
        assert is_refused(port)


# -- messages -----------------------------------------------------------------------------------

TALKING = """
process.send('ready')
process.send({ cmd: 'NODE_INTERNAL', secret: 1 })
process.send({ port: require('cluster').isWorker, id: require('cluster').worker.id })
process.on('message', (message) => {
  if (message === 'shutdown') process.exit(7)
  process.send({ heard: message })
})
"""


async def test_messages_go_both_ways_over_the_same_channel(setting):
    async with setting() as here:
        program = here.start(TALKING)
        await program.told(Online)
        assert await program.told(Message) == Message("ready")
        assert await program.told(Message) == Message({"port": True, "id": 1})
        big = {"text": "ä" * 300_000}
        assert here.primary.send(program.channel, big)
        assert await program.told(Message) == Message({"heard": big})
        assert here.primary.send(program.channel, "shutdown")
        assert await program.ended() == 7
        await program.told(Disconnected)
        assert not here.primary.send(program.channel, "too late")


async def test_a_program_that_reads_nothing_blocks_nobody(setting):
    async with setting() as here:
        busy = "process.send('ready'); process.on('message', () => {}); for (;;);"
        program = here.start(busy)
        await program.told(Message)
        sent = 0
        while here.primary.send(program.channel, "x" * 100_000):
            sent += 1
            assert sent < 100


async def test_a_message_without_end_is_passed_over(setting):
    async with setting() as here:
        program = here.start("process.send('x'.repeat(3 << 20)); process.send('after')")
        assert "more than" in (await program.told(Unreadable)).reason
        assert await program.told(Message) == Message("after")


async def test_a_socket_that_a_program_passes_is_closed_and_acknowledged(setting):
    code = """
    const server = require('net').createServer()
    server.listen({ port: 0, host: '127.0.0.1', exclusive: true }, () => {
      process.send('take this', server, () => {})
      process.send('and this', server, () => {})
    })
    """
    async with setting() as here:
        program = here.start(code)
        assert await program.told(Message) == Message("take this")
        assert await program.told(Message) == Message("and this")


async def test_a_worker_that_disconnects_itself_ends(setting):
    code = "require('http').createServer().listen(0, () => require('cluster').worker.disconnect())"
    async with setting() as here:
        program = here.start(code)
        assert await program.ended() == 0


async def test_a_program_that_asks_for_no_port_ends_as_without_devrun(setting):
    async with setting() as here:
        program = here.start("console.log('done')", way="preloaded")
        assert await program.ended() == 0
        assert await program.output() == "done\n"


async def test_without_devrun_a_preloaded_program_listens_by_itself(setting):
    port = free_port()
    async with setting() as here:
        program = here.start("", way="preloaded")
        await program.ended()
        program.channel.close()
        env = {**os.environ, **program.channel.variables, "PORT": str(port), "HOST": "127.0.0.1"}
        code = WEB + "server.on('listening', () => { console.log('listens'); process.exit() })"
        result = await trio.run_process(["node", "-e", code], env=env, capture_stdout=True)
        assert result.stdout == b"listens\n"


async def test_an_unknown_node_listens_by_itself_and_says_its_version(setting):
    code = "Object.defineProperty(process.versions, 'node', { value: '99.1.2' });"
    code += "Object.defineProperty(process, 'version', { value: 'v99.1.2' });"
    port = free_port()
    async with setting() as here:
        (here.folder / "future.cjs").write_text(code)
        program = here.start(
            way="preloaded", argv=["node", "-r", "./future.cjs", "app.js"], PORT=str(port)
        )
        assert await program.told(Unsupported) == Unsupported("v99.1.2")
        await program.told(Disconnected)


# -- draining -----------------------------------------------------------------------------------

SLOW = """
const server = require('http').createServer((request, response) => {
  process.send ? process.send('request') : console.log('request')
  process.on('SIGUSR2', () => response.end('answered'))
})
server.listen(Number(process.env.PORT), '127.0.0.1')
"""


@BOTH
async def test_what_was_begun_is_finished_when_a_generation_is_drained(setting, way):
    port = free_port()
    async with setting() as here:
        program = here.start(SLOW, way=way, PORT=str(port))
        await program.told(Listening)
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            if way == "inherited":
                await program.told(Message)
            else:
                await trio.to_thread.run_sync(program.popen.stdout.readline)
            assert here.primary.drain(program.channel)
            successor = here.start(WEB, way=way, PORT=str(port))
            await successor.told(Listening)
            assert await get(port) == str(successor.popen.pid)
            program.popen.send_signal(signal.SIGUSR2)
            answer = await stream.receive_some()
            assert answer.endswith(b"answered\r\n0\r\n\r\n") or b"\r\n\r\nanswered" in answer
        await program.told(Disconnected)


async def test_a_connection_that_is_kept_alive_is_closed_with_an_answer(setting):
    port = free_port()
    async with setting() as here:
        program = here.start(way="preloaded", PORT=str(port))
        await program.told(Listening)
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
            await stream.send_all(request)
            assert b"keep-alive" in await stream.receive_some()
            assert here.primary.drain(program.channel)
            await trio.lowlevel.checkpoint()
            successor = here.start(way="preloaded", PORT=str(port))
            await successor.told(Listening)
            await stream.send_all(request)
            answer = b"".join([piece async for piece in stream])
            assert b"Connection: close" in answer
            assert answer.endswith(str(program.popen.pid).encode())
        await program.told(Disconnected)


def test_a_node_tells_its_major_version(tmp_path):
    env = {**os.environ, "NODE_OPTIONS": "--no-such-option", "NODE_CHANNEL_FD": "99"}
    found = node_major(shutil.which("node"), cwd=str(tmp_path), env=env)
    [told] = re.findall(r"v(\d+)", subprocess.check_output(["node", "--version"], text=True))
    assert found == int(told)
    assert node_major("./node", cwd=str(tmp_path), env=env) is None


def test_the_modules_that_start_a_process_do_without_trio():
    code = (
        "import sys, devrun.process.node.channel, devrun.process.node.program,"
        "devrun.process.held_sockets; sys.exit('trio' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
