"""Servers that can be reloaded, and the projects of one service in which devrun runs them."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from subjects import devrun
from workloads import LIMIT, Bench, environment, started

PROGRAMS = Path(__file__).parent / "programs"

BACKOFF = 300.0
"""Milliseconds that the project lets pass between a crash and the next start."""

POLICY = f"""
restart = "always"
backoff = {{ initial = "{BACKOFF:g}ms", factor = 1, jitter = 0 }}
max_restarts = -1
min_uptime = "1m"
"""
"""Every end is a fast one, so that the wait is always the same."""


@dataclass(frozen=True)
class Server:
    """A server, and how devrun.toml has it.

    Attributes:
        keys: What its table says; ``%d`` is for the port.
        files: What is copied from the folder ``programs``.
    """

    command: str
    keys: str
    files: tuple[str, ...]
    instances: int = 1


PYTHON = f'exec "{sys.executable}" -m'
HELD = 'sockets = ["tcp:%d"]\n'
SHARED = 'cluster = true\ninstances = 2\nenv = { PORT = "%d" }\n'
DESCRIPTOR = "node, listen({fd: 3})"

SERVERS = {
    DESCRIPTOR: Server(
        "exec node by_descriptor.js", HELD + "ready = { ipc = true }", ("by_descriptor.js",)
    ),
    "node, unmodified, 2 instances": Server(
        "exec node unmodified.js", SHARED, ("unmodified.js",), instances=2
    ),
    "node, unmodified, 2 below npm": Server(
        "exec npm start", SHARED, ("unmodified.js", "package.json"), instances=2
    ),
    "uvicorn --fd 3": Server(
        f"{PYTHON} uvicorn --fd 3 --no-access-log asgi:app",
        HELD + 'ready = { log = "Uvicorn running" }',
        ("asgi.py",),
    ),
    "hypercorn --bind fd://3": Server(
        f"{PYTHON} hypercorn --bind fd://3 asgi:app",
        HELD + 'ready = { log = "Running on" }',
        ("asgi.py",),
    ),
}


@dataclass(frozen=True)
class Project:
    """A project that runs, in a folder of its own."""

    bench: Bench
    server: Server
    port: int
    process: subprocess.Popen[bytes]

    def output(self) -> str:
        return (self.bench.folder / "output").read_text(errors="replace")

    def wait_for_ready(self, times: int) -> None:
        """Wait until so many processes of the service have become ready, in all.

        Raises:
            SystemExit: They do not.
        """
        limit = time.monotonic() + LIMIT / 3
        while self.output().count("ready after") < times:
            if self.process.poll() is not None or time.monotonic() > limit:
                end = "\n".join(self.output().splitlines()[-20:])
                raise SystemExit(f"benchmarks: the server did not become ready:\n{end}")
            time.sleep(0.005)

    def reload(self) -> subprocess.CompletedProcess[str]:
        """Run ``devrun reload web``."""
        return subprocess.run(
            devrun().start(["reload", "web"], self.bench.folder),
            cwd=self.bench.folder,
            env=environment(self.bench),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT,
            check=False,
        )

    def present_process(self) -> int:
        """Return the pid of the process that became ready last."""
        return int(re.findall(r"^(\d+) .*ready after", self.output(), re.MULTILINE)[-1])

    def last_start(self) -> int:
        """Return when the newest process began, in nanoseconds of the monotonic clock."""
        return int((self.bench.folder / "stamps").read_text().split()[-1])


@contextmanager
def project(bench: Bench, server: Server) -> Iterator[Project]:
    """Run a project until its service is ready, and stop it afterwards."""
    own = replace(bench, folder=Path(tempfile.mkdtemp(dir=bench.folder)))
    port = free_port()
    for name in server.files:
        shutil.copy(PROGRAMS / name, own.folder)
    command = f"{bench.programs['stamp']} stamps; {server.command}"
    (own.folder / "devrun.toml").write_text(
        f"[services.web]\ncommand = '{command}'\n{server.keys % port}{POLICY}"
    )
    words = ["--prefix", "{pid} {name}"]
    with (
        open(own.folder / "output", "wb") as output,
        started(own, devrun(), words, output.fileno(), subprocess.STDOUT) as process,
    ):
        found = Project(own, server, port, process)
        found.wait_for_ready(server.instances)
        yield found
        process.send_signal(signal.SIGTERM)
        process.wait(LIMIT)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
