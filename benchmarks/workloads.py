"""What is measured: each workload runs one subject once and returns its figures by name."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import measuring
from subjects import Subject

LIMIT = 60.0
"""Seconds after which a runner that should have ended is recorded as hanging."""


@dataclass(frozen=True)
class Bench:
    """Where to work, and the compiled programs by name."""

    folder: Path
    programs: dict[str, str]


Figures = dict[str, float]
Workload = Callable[[Bench, Subject], Figures]


def environment(bench: Bench) -> dict[str, str]:
    """Return the environment of runners: this one, without what is meant for devrun or pm2."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("DEVRUN_")}
    return env | {"PM2_HOME": str(bench.folder / "pm2")}


@contextmanager
def started(
    bench: Bench,
    subject: Subject,
    commands: list[str],
    stdout: int,
    stderr: int = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a subject in a session of its own, and end everything in it afterwards."""
    arguments = subject.start(commands, bench.folder)
    process = subprocess.Popen(
        arguments,
        cwd=bench.folder,
        env=environment(bench),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        running = process.poll() is None
        for pid in reversed(measuring.descendants(process.pid)) if running else ():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        process.wait()


def throughput(children: int, *, to_file: bool = False, single: bool = False) -> Workload:
    """Lines per second, from the first line that comes out to the last."""

    def run(bench: Bench, subject: Subject) -> Figures:
        count = max(1000, subject.pace // children // (10 if single else 1))
        words = "single stay" if single else "stay"
        flood = bench.programs["flood"]
        commands = [f"{flood} {count} {name} {words}" for name in range(children)]
        timed = _timed_to_file if to_file else _timed
        took = timed(bench, subject, commands, count * children)
        return {"lines/s": count * children / took} if took else {}

    return run


def _timed(bench: Bench, subject: Subject, commands: list[str], expected: int) -> float | None:
    reader = subprocess.Popen(
        [bench.programs["drain"], str(expected)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert reader.stdin is not None
    assert reader.stdout is not None
    with started(bench, subject, commands, reader.stdin.fileno()):
        reader.stdin.close()
        ready = select.select([reader.stdout], [], [], LIMIT / 3)[0]
        took = int(reader.stdout.readline()) if ready else None
    reader.stdout.close()
    reader.wait(LIMIT)
    return None if took is None else took / 1e9


def _timed_to_file(
    bench: Bench, subject: Subject, commands: list[str], expected: int
) -> float | None:
    """The same into a file, which is looked at every few milliseconds."""
    path = bench.folder / "output"
    lines = measuring.LineCount(path)
    with open(path, "wb") as output, started(bench, subject, commands, output.fileno()):
        _wait_until(lambda: lines.now() > 0)
        began = time.monotonic()
        while lines.now() < expected:
            if time.monotonic() - began > LIMIT / 3:
                return None
            time.sleep(0.003)
        return time.monotonic() - began


def lossless(bench: Bench, subject: Subject) -> Figures:
    """Count every line in and out of three floods that go on living."""
    count = max(2000, min(subject.pace, 600_000) // 3)
    flood = bench.programs["flood"]
    return _counted(bench, subject, [f"{flood} {count} {name} stay" for name in range(3)], count)


def lossless_at_the_end(bench: Bench, subject: Subject) -> Figures:
    """Count every line of a process that writes and ends at once."""
    count = max(2000, min(subject.pace, 300_000))
    return _counted(bench, subject, [f"{bench.programs['flood']} {count} 0"], count)


def _counted(bench: Bench, subject: Subject, commands: list[str], count: int) -> Figures:
    path = bench.folder / "output"
    expected = {b"%d" % name: count for name in range(len(commands))}
    with open(path, "wb") as kept:
        copier = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=kept)
        assert copier.stdin is not None
        with started(bench, subject, commands, copier.stdin.fileno()) as process:
            copier.stdin.close()
            _wait_until_quiet(path, process)
        copier.wait(LIMIT)
    with open(path, "rb") as lines:
        result = measuring.tally(lines, expected)
    return {"lines": result.expected, "lost": result.lost, "torn": result.torn}


def _wait_until_quiet(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until nothing has come for a second and a half, or the runner has ended."""
    size, since = -1, time.monotonic()
    while process.poll() is None and time.monotonic() - since < 1.5:
        now = path.stat().st_size
        if now != size:
            size, since = now, time.monotonic()
        time.sleep(0.02)


def latency(*, flooded: bool) -> Workload:
    """Milliseconds from a line's writing to its appearance, alone or beside a flood."""

    def run(bench: Bench, subject: Subject) -> Figures:
        commands = [f"{bench.programs['ping']} 150 10"]
        if flooded:
            commands.append(f"{bench.programs['flood']} 2000000000 f")
        reader, writer = os.pipe()
        with started(bench, subject, commands, writer):
            os.close(writer)
            delays = _delays(reader, 150)
        os.close(reader)
        if not delays:
            return {}
        return {
            "p50 ms": measuring.percentile(delays, 50),
            "p99 ms": measuring.percentile(delays, 99),
        }

    return run


def _delays(reader: int, count: int) -> list[float]:
    delays: list[float] = []
    rest = b""
    limit = time.monotonic() + LIMIT / 3
    while len(delays) < count and time.monotonic() < limit:
        if not select.select([reader], [], [], 1)[0]:
            continue
        piece = os.read(reader, 1 << 18)
        now = time.monotonic_ns()
        if not piece:
            break
        if b"ping " not in rest[-64:] + piece:
            rest = piece[-200:]
            continue
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            stamp = line.partition(b"ping ")[2].strip()
            if stamp.isdigit():
                delays.append((now - int(stamp)) / 1e6)
    return delays


def start(children: int) -> Workload:
    """Milliseconds from the runner's start to the first instruction of its first child."""

    def run(bench: Bench, subject: Subject) -> Figures:
        stamps = bench.folder / "stamps"
        stamps.unlink(missing_ok=True)
        began = time.monotonic_ns()
        commands = [f"{bench.programs['stamp']} {stamps}"] * children
        with (
            open(os.devnull, "wb") as nowhere,
            started(bench, subject, commands, nowhere.fileno()) as process,
        ):
            _wait_until(lambda: stamps.exists() and stamps.read_text().count("\n") >= 1)
            process.wait(LIMIT) if subject.name != "pm2-runtime" else None
        times = [int(line) for line in stamps.read_text().split()]
        return {"first ms": (min(times) - began) / 1e6}

    return run


def _wait_until(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + LIMIT / 3
    while not condition() and time.monotonic() < limit:
        time.sleep(0.005)


def stop_and_memory(children: int) -> Workload:
    """Memory and context switches while nothing happens; then the time that a Ctrl+C takes."""

    def run(bench: Bench, subject: Subject) -> Figures:
        stamps = bench.folder / "stamps"
        stamps.unlink(missing_ok=True)
        stamp = bench.programs["stamp"]
        commands = [f"{stamp} {stamps} 1000"] * children
        with (
            open(os.devnull, "wb") as nowhere,
            started(bench, subject, commands, nowhere.fileno()) as process,
        ):
            _wait_until(lambda: stamps.exists() and stamps.read_text().count("\n") >= children)
            time.sleep(1.5)
            own = measuring.own_processes(process.pid, stamp)
            before = measuring.switches(own)
            time.sleep(2)
            wakeups = (measuring.switches(own) - before) / 2
            held = measuring.memory(own)
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            process.wait(LIMIT)
            stop = (time.monotonic() - began) * 1000
        return {"RSS MiB": held.rss, "PSS MiB": held.pss, "wake-ups/s": wakeups, "stop ms": stop}

    return run


def growth(bench: Bench, subject: Subject) -> Figures:
    """MiB that the runner's memory grows by while 1 GB of lines goes through."""
    flood = bench.programs["flood"]
    stamp = bench.programs["stamp"]
    quiet = f"{stamp} {bench.folder / 'stamps'} 1000"
    with (
        open(os.devnull, "wb") as nowhere,
        started(bench, subject, [f"{flood} 12500000 a", quiet], nowhere.fileno()) as process,
    ):
        time.sleep(0.7)
        own = measuring.own_processes(process.pid, str(bench.folder))
        before = measuring.memory(own)
        _wait_until(lambda: not _runs(process.pid, flood))
        if _runs(process.pid, flood):
            return {}  # It did not get through in time.
        after = measuring.memory(own)
    return {"after 1 GB: PSS MiB more": after.pss - before.pss}


def _runs(pid: int, program: str) -> bool:
    for each in measuring.descendants(pid):
        try:
            words = Path(f"/proc/{each}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0] == program.encode():
            return True
    return False


def save_to_restart(bench: Bench, subject: Subject) -> Figures:
    """Milliseconds from a save to the first instruction of the new process (devrun alone)."""
    if subject.name != "devrun":
        return {}
    watched = bench.folder / "watched"
    watched.mkdir(exist_ok=True)
    stamps = bench.folder / "stamps"
    stamps.unlink(missing_ok=True)
    command = ["--watch", str(watched), f"{bench.programs['stamp']} {stamps} 1000"]
    delays: list[float] = []
    with open(os.devnull, "wb") as nowhere, started(bench, subject, command, nowhere.fileno()):
        _wait_until(lambda: stamps.exists() and "\n" in stamps.read_text())
        time.sleep(1)
        for number in range(8):
            seen = stamps.read_text().count("\n")
            saved = time.monotonic_ns()
            (watched / "file").write_text(str(number))
            _wait_until(lambda seen=seen: stamps.read_text().count("\n") > seen)  # type: ignore[misc]
            delays.append((int(stamps.read_text().split()[-1]) - saved) / 1e6)
            time.sleep(0.5)
    return {"save to new process ms": measuring.median(delays)}
