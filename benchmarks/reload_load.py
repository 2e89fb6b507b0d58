"""Requests lost while generations of a server follow one another under load.

    python benchmarks/reload_load.py [--reloads 10] [--node PATH] [NAME…]

Each server is swapped so many times: the new generation starts, becomes ready, and then the old one
is stopped. 64 connections ask all the time, with a new connection per request and with connections
kept alive. "node, crash" is killed instead, and starts again 300 ms later. Needs Node and uvicorn.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import trio

from devrun.policies import HeldSocket
from devrun.process.held_sockets import Held, open_sockets
from devrun.process.node.channel import Channel, open_inherited, open_preloaded
from devrun.process.node.cluster import Listening
from devrun.process.node.primary import ClusterPrimary, Disconnected, Event
from devrun.process.socket_succession import SETTLE, hand_over, is_drained, retire, successor

CLIENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "load_client.py")
STOP_TIMEOUT = 10.0
BACKOFF = 0.3

ANSWER = """
const server = require('http').createServer((request, response) => {
  setTimeout(() => {
    response.setHeader('Content-Length', '2')
    response.end('ok')
  }, 20)
})
"""
NODE_ON_DESCRIPTOR = (
    ANSWER
    + """
let ending = false
server.prependListener('request', (_, response) => { if (ending) response.shouldKeepAlive = false })
process.on('SIGTERM', () => {
  ending = true
  require('net').Server.prototype.close.call(server, () => process.exit(0))
  setTimeout(() => server.closeIdleConnections(), 1000)
})
server.listen({ fd: 3 }, () => console.log('ready'))
"""
)
NODE_UNMODIFIED = ANSWER + "server.listen(Number(process.env.PORT))\n"

ASGI = """
import asyncio

async def app(scope, receive, send):
    if scope['type'] == 'lifespan':
        while (await receive())['type'] != 'lifespan.shutdown':
            await send({'type': 'lifespan.startup.complete'})
        await send({'type': 'lifespan.shutdown.complete'})
        return
    await asyncio.sleep(0.02)
    head = [(b'content-length', b'2')]
    await send({'type': 'http.response.start', 'status': 200, 'headers': head})
    await send({'type': 'http.response.body', 'body': b'ok'})
"""


@dataclass(slots=True)
class Generation:
    """A running server; ``stop`` ends it, and returns whether it had to be killed."""

    popen: subprocess.Popen[bytes]
    stop: Callable[[], Awaitable[bool]]


Start = Callable[[], Awaitable[Generation]]


async def wait_for_end(popen: subprocess.Popen[bytes]) -> bool:
    """Wait until a process has ended; kill it if that takes too long, and return whether."""
    with trio.move_on_after(STOP_TIMEOUT):
        await trio.to_thread.run_sync(popen.wait, abandon_on_cancel=True)
        return False
    os.killpg(popen.pid, signal.SIGKILL)
    await trio.to_thread.run_sync(popen.wait)
    return True


@dataclass(slots=True)
class Setting:
    """Where servers are started, and what they share."""

    folder: str
    node: str
    nursery: trio.Nursery
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def spawn(
        self, argv: list[str], variables: dict[str, str], inherit: tuple[int, ...] = ()
    ) -> subprocess.Popen[bytes]:
        popen = subprocess.Popen(
            argv,
            cwd=self.folder,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=inherit,
            start_new_session=True,
        )
        self.started.append(popen)
        return popen

    def write(self, name: str, text: str) -> None:
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)


def until_line(popen: subprocess.Popen[bytes], text: bytes) -> None:
    assert popen.stdout is not None
    seen = b""
    for line in popen.stdout:
        seen += line
        if text in line:
            return
    sys.exit(f"a generation ended before it was ready:\n{seen.decode(errors='replace')}")


def on_held_socket(
    setting: Setting, held: Held, argv: list[str], ready: bytes, *, twins: bool
) -> Start:
    present = held

    async def stop(popen: subprocess.Popen[bytes], own: Held) -> bool:
        if own is not present:
            hand_over(own, present)
            while not is_drained(own):  # noqa: ASYNC110 - the kernel does not tell
                await trio.sleep(0.005)
            await trio.sleep(SETTLE)
        os.killpg(popen.pid, signal.SIGTERM)
        killed = await wait_for_end(popen)
        if own is not present:
            retire(own, present)
        return killed

    async def start() -> Generation:
        nonlocal present
        if twins and setting.started:
            present = successor(present)
        own = present
        wrapped, numbers = own.wrapped(argv)
        popen = setting.spawn(wrapped, own.variables(), numbers)
        await trio.to_thread.run_sync(until_line, popen, ready)
        return Generation(popen, lambda: stop(popen, own))

    return start


def on_cluster(setting: Setting, port: int, argv: list[str], *, inherited: bool) -> Start:
    primary = ClusterPrimary()

    def open_channel() -> Channel:
        number = len(setting.started)
        if inherited:
            return open_inherited(1)
        return open_preloaded(1, os.path.join(setting.folder, f"{number}.sock"), os.environ)

    async def start() -> Generation:
        channel = open_channel()
        popen = setting.spawn(argv, {**channel.variables, "PORT": str(port)}, channel.descriptors)
        channel.started()
        send, receive = trio.open_memory_channel[Event](1000)
        setting.nursery.start_soon(primary.serve, channel, send.send_nowait)
        await until(receive, Listening)

        async def stop() -> bool:
            if primary.drain(channel):
                with trio.move_on_after(STOP_TIMEOUT):
                    await until(receive, Disconnected)
            if popen.poll() is None:
                os.killpg(popen.pid, signal.SIGTERM)
            killed = await wait_for_end(popen)
            channel.close()
            return killed

        return Generation(popen, stop)

    return start


async def until(events: trio.MemoryReceiveChannel[Event], kind: type[Event]) -> None:
    async for event in events:
        if isinstance(event, kind):
            return


# -- subjects -----------------------------------------------------------------------------------


@contextmanager
def subject(name: str, setting: Setting) -> Iterator[tuple[int, Start]]:
    """Make a server ready to be started; yields its port."""
    unmodified = name.startswith("node, unmodified")
    if unmodified:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        setting.write("app.js", NODE_UNMODIFIED)
        setting.write("package.json", json.dumps({"scripts": {"start": "node app.js"}}))
        argv = ["npm", "start"] if "npm" in name else [setting.node, "app.js"]
        yield port, on_cluster(setting, port, argv, inherited="inherited" in name)
        return
    held = open_sockets([HeldSocket("http", "127.0.0.1", 0)])
    [port] = held.ports
    assert port is not None
    try:
        if name.startswith("node"):
            setting.write("app.js", NODE_ON_DESCRIPTOR)
            argv, ready = [setting.node, "app.js"], b"ready"
            yield port, on_held_socket(setting, held, argv, ready, twins=False)
        else:
            setting.write("app.py", ASGI)
            argv, ready = PYTHON_SERVERS[name.partition(", ")[0]]
            command = [sys.executable, "-m", *argv]
            yield port, on_held_socket(setting, held, command, ready, twins="twin" in name)
    finally:
        held.close()


PYTHON_SERVERS = {
    "uvicorn --fd 3": (["uvicorn", "--fd", "3", "--no-access-log", "app:app"], b"startup complete"),
    "hypercorn --bind fd://3": (["hypercorn", "--bind", "fd://3", "app:app"], b"Running on"),
}
SUBJECTS = (
    "node, listen({fd: 3})",
    "node, unmodified",
    "node, unmodified, below npm",
    "node, unmodified, inherited channel",
    "uvicorn --fd 3",
    "uvicorn --fd 3, twin sockets",
    "hypercorn --bind fd://3",
    "hypercorn --bind fd://3, twin sockets",
    "node, crash",
)


async def swap(start: Start, reloads: int) -> int:
    """Swap generations; returns how many had to be killed."""
    killed = 0
    present = await start()
    yield_to_load = 0.3
    await trio.sleep(yield_to_load)
    for _ in range(reloads):
        following = await start()
        killed += await present.stop()
        present = following
    await trio.sleep(yield_to_load)
    return killed


async def crash(start: Start, times: int) -> int:
    present = await start()
    for _ in range(times):
        await trio.sleep(BACKOFF)
        os.killpg(present.popen.pid, signal.SIGKILL)
        await wait_for_end(present.popen)
        await trio.sleep(BACKOFF)
        present = await start()
    await trio.sleep(BACKOFF)
    return 0


async def measure(name: str, *, keep_alive: bool, reloads: int, node: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="devrun-load-") as folder:
        async with trio.open_nursery() as nursery:
            setting = Setting(folder, node, nursery)
            with subject(name, setting) as (port, start):
                first = await start()
                client = subprocess.Popen(  # noqa: ASYNC220 - it takes a millisecond
                    [sys.executable, CLIENT, str(port), *(["--keep-alive"] if keep_alive else [])],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
                began = trio.current_time()

                async def begin(generations: list[Generation]) -> Generation:
                    return generations.pop() if generations else await start()

                running = [first]
                lives = crash if name == "node, crash" else swap
                killed = await lives(lambda: begin(running), reloads)
                seconds = trio.current_time() - began
                output, _ = await trio.to_thread.run_sync(client.communicate)
                for popen in setting.started:
                    if popen.poll() is None:
                        os.killpg(popen.pid, signal.SIGKILL)
                    popen.wait()
                nursery.cancel_scope.cancel()
    return {**json.loads(output), "killed": killed, "per reload": seconds / reloads}


def row(name: str, *, keep_alive: bool, result: dict[str, float]) -> str:
    lost = ("refused", "reset", "eof", "wrong", "unanswered")
    failed = sum(int(result.get(each, 0)) for each in lost)
    what = ", ".join(f"{each} {int(result[each])}" for each in lost if result.get(each))
    connections = "keep-alive" if keep_alive else "new"
    cells = (
        f"{name:36} {connections:10} {int(result.get('ok', 0)):7} {failed:6}"
        f" {int(result.get('repeated', 0)):8} {int(result['killed']):6}"
        f" {result['per reload'] * 1000:8.0f} {result.get('p99', 0) * 1000:7.0f}"
    )
    return f"{cells}  {what}".rstrip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"which servers: {'; '.join(SUBJECTS)}")
    parser.add_argument("--reloads", type=int, default=10)
    parser.add_argument("--node", default=shutil.which("node") or "node")
    given = parser.parse_args()
    chosen = [name for name in SUBJECTS if not given.names or name in given.names]
    print(
        f"{'server':36} {'connection':10} {'ok':>7} {'failed':>6} {'repeated':>8} {'killed':>6}"
        f" {'ms each':>8} {'p99 ms':>7}"
    )
    for name in chosen:
        for keep_alive in (False, True):
            todo = partial(
                measure, name, keep_alive=keep_alive, reloads=given.reloads, node=given.node
            )
            result = trio.run(todo)
            print(row(name, keep_alive=keep_alive, result=result), flush=True)


if __name__ == "__main__":
    main()
