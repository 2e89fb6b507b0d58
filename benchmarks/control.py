#!/usr/bin/env python3
"""Measure what it costs to ask a running project: ``ps``, the API's memory, and many followers.

``devrun ps`` is compared with ``pm2 ls`` and ``overmind ps`` where these are installed, with as
many services each, interleaved. Exit code 1: a target is missed.

    python benchmarks/control.py --rounds 21 --seconds 60 --peer pm2=/somewhere/pm2
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from log_followers import connected
from measuring import descendants, median, memory, spread
from report import machine
from subjects import compiled
from workloads import LIMIT

DEVRUN = [sys.executable, "-m", "devrun"]
SLEEPS = "sleep 86400"
PYTHON = "Python's own start"
FOLLOWERS = Path(__file__).parent / "log_followers.py"

PS = 80.0
"""Milliseconds that ``devrun ps`` may take."""

MORE = 15.0
"""MiB that devrun may take more once the API has been used."""

SLOWER = 20.0
"""Percent of its throughput that a service may lose to those who follow its logs."""

FLAT = 5.0
"""MiB that memory may grow by from one half of the time of following to the other."""

STALLED = 30.0
"""Seconds within which a client that takes nothing has been cut off; devrun gives it 10 s twice."""


def running_environment(folder: Path) -> dict[str, str]:
    """Return this environment, with folders of its own, and with compiled Python kept."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("DEVRUN_")}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    return env | {
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
        "XDG_RUNTIME_DIR": str(folder),
        "XDG_STATE_HOME": str(folder / "state"),
        "PM2_HOME": str(folder / "pm2"),
    }


# -- ps ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """A runner whose services run, and the command that shows them."""

    name: str
    words: Sequence[str]
    folder: Path
    env: dict[str, str]

    def ask(self) -> tuple[float, float]:
        """Return the milliseconds that it takes, and those of the processor."""
        used, began = _used_by_children(), time.perf_counter()
        done = subprocess.run(
            self.words, cwd=self.folder, env=self.env, capture_output=True, text=True, check=True
        )
        took = time.perf_counter() - began
        if "s1" not in done.stdout and self.name != PYTHON:
            raise SystemExit(f"benchmarks: {self.name} does not show its services:\n{done.stdout}")
        return took * 1000, (_used_by_children() - used) * 1000


def _used_by_children() -> float:
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found.ru_utime + found.ru_stime


@contextmanager
def devrun_runs(folder: Path, services: dict[str, str]) -> Iterator[Path]:
    """Have devrun run services; yield its socket."""
    lines = (f"{name} = {json.dumps(command)}\n" for name, command in services.items())
    (folder / "devrun.toml").write_text("[services]\n" + "".join(lines))
    env = running_environment(folder)
    run = subprocess.Popen(
        DEVRUN,
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        limit = time.monotonic() + LIMIT
        while not (found := [*folder.glob("devrun/run.*/control.sock")]):
            if run.poll() is not None or time.monotonic() > limit:
                raise SystemExit("benchmarks: devrun does not listen")
            time.sleep(0.02)
        yield found[0]
    finally:
        run.send_signal(signal.SIGTERM)
        run.wait(LIMIT)


@contextmanager
def pm2_runs(folder: Path, program: str, names: Sequence[str]) -> Iterator[Asked]:
    env = running_environment(folder)
    apps = [{"name": name, "script": "/bin/sh", "args": ["-c", SLEEPS]} for name in names]
    (folder / "ecosystem.json").write_text(json.dumps({"apps": apps}))
    words = [program, "start", str(folder / "ecosystem.json")]
    subprocess.run(words, env=env, stdout=subprocess.DEVNULL, check=True)
    try:
        yield Asked("pm2 ls", [program, "ls"], folder, env)
    finally:
        subprocess.run([program, "kill"], env=env, stdout=subprocess.DEVNULL, check=True)


@contextmanager
def overmind_runs(folder: Path, program: str, names: Sequence[str]) -> Iterator[Asked]:
    env = running_environment(folder)
    (folder / "Procfile").write_text("".join(f"{name}: {SLEEPS}\n" for name in names))
    run = subprocess.Popen([program, "start"], cwd=folder, env=env, stdout=subprocess.DEVNULL)
    try:
        limit = time.monotonic() + LIMIT
        while not (folder / ".overmind.sock").exists():
            if time.monotonic() > limit:
                raise SystemExit("benchmarks: overmind does not listen")
            time.sleep(0.02)
        yield Asked("overmind ps", [program, "ps"], folder, env)
    finally:
        run.terminate()
        run.wait(LIMIT)


PEERS = {"pm2": pm2_runs, "overmind": overmind_runs}


def ps(folder: Path, named: dict[str, str], rounds: int, services: int) -> list[str]:
    """Compare the commands that show what runs; return what is missed."""
    names = [f"s{number}" for number in range(1, services + 1)]
    with ExitStack() as stack:
        stack.enter_context(devrun_runs(folder, dict.fromkeys(names, SLEEPS)))
        env = running_environment(folder)
        asked = [
            Asked("devrun ps", [*DEVRUN, "ps"], folder, env),
            Asked(PYTHON, [sys.executable, "-c", "pass"], folder, env),
        ]
        for name, runs in PEERS.items():
            if program := named.get(name) or shutil.which(name):
                asked.append(stack.enter_context(runs(folder, program, names)))
        took: dict[str, list[tuple[float, float]]] = {each.name: [] for each in asked}
        for each in asked:
            each.ask()  # Bytecode is written, files are read.
        for _ in range(rounds):
            random.shuffle(asked)
            for each in asked:
                took[each.name].append(each.ask())
    elapsed = {name: [each for each, _ in values] for name, values in took.items()}
    own = median(elapsed["devrun ps"])
    print(f"\n| {services} services | ms | × devrun | ms of the processor |\n|---|---:|---:|---:|")
    for name, values in elapsed.items():
        used = median([each for _, each in took[name]])
        ratio = median(values) / own
        print(f"| {name} | {median(values):.0f} ({spread(values)}) | {ratio:.2f} | {used:.0f} |")
    peers = [name for name in elapsed if name not in ("devrun ps", PYTHON)]
    return [
        *([f"devrun ps takes {own:.0f} ms"] if own > PS else []),
        *(f"{name} is faster" for name in peers if median(elapsed[name]) <= own),
    ]


# -- memory --------------------------------------------------------------------------------------


def own_processes(path: Path) -> list[int]:
    """Return the pids of devrun itself, by the run's socket."""
    worker = int(path.parent.name.removeprefix("run."))
    guardian = int(Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[1])
    services = {pid for child in _children(worker) for pid in descendants(child)}
    return [pid for pid in descendants(guardian) if pid not in services]


def _children(pid: int) -> list[int]:
    paths = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(word) for path in paths for word in path.read_text().split()]


def api_memory(folder: Path, rounds: int) -> list[str]:
    """Measure what the API takes once it has been used; return what is missed."""
    before, after = [], []
    for _ in range(rounds):
        with devrun_runs(folder, {"s1": SLEEPS, "s2": SLEEPS, "s3": SLEEPS}) as path:
            time.sleep(1)
            pids = own_processes(path)
            before.append(memory(pids).pss)
            for words in (["ps"], ["logs"], ["show", "s1"], ["restart", "s1"], ["ps"]):
                env = running_environment(folder)
                subprocess.run(
                    [*DEVRUN, *words], cwd=folder, env=env, stdout=subprocess.DEVNULL, check=True
                )
            time.sleep(1)
            after.append(memory(pids).pss)
    more = median([b - a for a, b in zip(before, after, strict=True)])
    print("\n| memory of devrun itself, 3 idle services | MiB PSS |\n|---|---:|")
    print(f"| the API was never used | {median(before):.1f} ({spread(before)}) |")
    print(f"| after ps, logs, show and restart | {median(after):.1f} ({spread(after)}) |")
    print(f"| more | {more:.1f} |")
    return [f"the API takes {more:.1f} MiB"] if more >= MORE else []


# -- followers -----------------------------------------------------------------------------------


@dataclass
class Flood:
    """A run whose only service writes as fast as it can.

    Attributes:
        path: Of the socket.
        writer: Pid of what writes.
    """

    path: Path
    writer: int

    def written(self) -> int:
        """Return the bytes that the service has written (proc(5))."""
        text = Path(f"/proc/{self.writer}/io").read_text()
        return int(text.partition("wchar: ")[2].split()[0])

    def rate(self, seconds: float, sizes: list[float] | None = None) -> tuple[float, float]:
        """Return the service's lines per second, by the clock and of devrun's processor time.

        Args:
            sizes: Takes devrun's memory meanwhile, in MiB.
        """
        pids = own_processes(self.path)
        began, used, first = time.perf_counter(), _used_by(pids), self.written()
        while time.perf_counter() - began < seconds:
            time.sleep(min(0.5, seconds / 10))
            if sizes is not None:
                sizes.append(memory(pids).pss)
        lines = (self.written() - first) / 80
        return lines / (time.perf_counter() - began), lines / (_used_by(pids) - used)


def _used_by(pids: Sequence[int]) -> float:
    """Return the seconds of the processor that processes have used (proc(5), stat)."""
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")


@contextmanager
def flood(folder: Path, program: str) -> Iterator[Flood]:
    with devrun_runs(folder, {"flood": f"exec {program} 1000000000000 a"}) as path:
        worker = int(path.parent.name.removeprefix("run."))
        limit = time.monotonic() + LIMIT
        while not (children := _children(worker)):
            if time.monotonic() > limit:
                raise SystemExit("benchmarks: the flood does not start")
            time.sleep(0.02)
        yield Flood(path, children[0])


@contextmanager
def followed(path: Path, count: int) -> Iterator[dict[str, float]]:
    """Have clients follow; afterwards the result says what they got."""
    found: dict[str, float] = {}
    words = [sys.executable, str(FOLLOWERS), str(path), str(count)]
    clients = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert clients.stdout is not None
        if clients.stdout.readline() != b"connected\n":
            raise SystemExit("benchmarks: the followers do not get on")
        yield found
    finally:
        output, _ = clients.communicate(timeout=LIMIT)
    found |= json.loads(output)


def last_word(client: socket.socket) -> str:
    """Return why a client that has taken nothing was cut off, or nothing if it was not."""
    client.settimeout(LIMIT)
    data = b""
    while piece := client.recv(1 << 20):
        data = data[-10_000:] + piece
    _, found, reason = data.rpartition(b'{"cut_off":')
    return reason.split(b'"')[1].decode() if found else ""


def followers(folder: Path, program: str, seconds: float, count: int) -> list[str]:
    """Measure a flood that is followed, against the same one that is not; return what is missed.

    The time is cut into pieces in which it is followed and in which it is not, in turns.
    """
    alone, watched, sizes = [], [], []
    pieces = max(3, int(seconds / 3))
    ended, gaps, size, cpu = 0.0, 0.0, 0.0, 0.0
    with flood(folder, program) as run:
        run.rate(1)
        for _ in range(pieces):
            alone.append(run.rate(seconds / pieces))
            with followed(run.path, count) as found:
                watched.append(run.rate(seconds / pieces, sizes))
            ended, gaps = ended + found["ended"], gaps + found["gaps"]
            size, cpu = size + found["bytes"], cpu + found["cpu"]
        with followed(run.path, count - 1) as found, connected(str(run.path)) as stalled:
            began = time.monotonic()
            run.rate(max(0.0, STALLED - (time.monotonic() - began)), sizes)
            reason = last_word(stalled)
        ended += found["ended"]
    slower, dearer = (
        (1 - median([w[by] / a[by] for w, a in zip(watched, alone, strict=True)])) * 100
        for by in (0, 1)
    )
    half = len(sizes) // 2
    grown = max(sizes[half:]) - max(sizes[:half])
    print(f"\n| a flood, {count} clients follow | |\n|---|---:|")
    for what, rates in (("nobody follows", alone), ("followed", watched)):
        print(f"| lines/s, {what} | {_millions([each for each, _ in rates])} |")
        print(f"| the same of devrun's processor | {_millions([each for _, each in rates])} |")
    print(f"| fewer lines/s | {slower:.1f} % |")
    print(f"| fewer of devrun's processor | {dearer:.1f} % |")
    print(f"| memory of devrun, followed | {median(sizes):.1f} MiB ({spread(sizes)}) |")
    print(f"| grown by | {grown:.1f} MiB |")
    print(f"| read by the clients | {size / 1e6 / seconds:.1f} MB/s, {gaps:.0f} notices of gaps |")
    print(f"| processor, for the clients themselves | {cpu / seconds * 100:.0f} % |")
    print(f"| the one who takes nothing | {reason or 'still connected'} |")
    return [
        *([f"followers cost {slower:.1f} % of the throughput"] if slower >= SLOWER else []),
        *([f"memory grows by {grown:.1f} MiB"] if grown >= FLAT else []),
        *([f"{ended:.0f} clients who read were cut off"] if ended else []),
        *([] if reason else ["the client who takes nothing is not cut off with a notice"]),
    ]


def _millions(values: Sequence[float]) -> str:
    return f"{median(values) / 1e6:.2f} M ({spread([each / 1e6 for each in values])})"


PARTS = ("ps", "memory", "followers")


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", help=f"which of {', '.join(PARTS)}; default: all")
    parser.add_argument("--rounds", type=int, default=21, help="of ps")
    parser.add_argument("--services", type=int, default=10, help="that ps shows")
    parser.add_argument("--seconds", type=float, default=60, help="of following, and of none")
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PROGRAM")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    wanted = options.parts or PARTS
    missed: list[str] = []
    print(machine())
    with tempfile.TemporaryDirectory(prefix="devrun-bench-", dir="/tmp") as name:
        folder = Path(name)
        if "ps" in wanted:
            named = dict(word.split("=", 1) for word in options.peer)
            missed += ps(folder, named, options.rounds, options.services)
        if "memory" in wanted:
            missed += api_memory(folder, 3)
        if "followers" in wanted:
            program = compiled(folder)["flood"]
            missed += followers(folder, program, options.seconds, options.clients)
    print("".join(f"\nMISSED: {each}" for each in missed))
    return int(bool(missed))


if __name__ == "__main__":
    if platform.system() != "Linux":
        raise SystemExit("benchmarks: they read /proc, so they need Linux")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # What was started is ended, too.
    sys.exit(main())
