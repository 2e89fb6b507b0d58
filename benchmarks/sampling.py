#!/usr/bin/env python3
"""Measure what it costs to know the memory and processor time of every service's process tree.

Starts services of three processes each, a shell with two programs below it, and prints medians.
Exit code 1: the samples take half a percent of a core or more.

    python benchmarks/sampling.py --services 20 --rounds 101
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from devrun.process.group import Ownership
from devrun.process.mark import MARK, mark_for
from devrun.process.usage import REFRESH, Sampler, with_shared_once
from devrun.supervise.memory import INTERVAL
from measuring import median, spread

ALLOWED = 0.5
"""Percent of one core that sampling may take."""

PROGRAM = (
    "import os, sys; held = b'x' * {bytes}; os.write(1, b'ready' + bytes([10])); sys.stdin.read()"
)


@dataclass(frozen=True)
class Cost:
    """Milliseconds of one thing done several times: by the clock, and of the processor."""

    elapsed: list[float]
    cpu: list[float]

    @property
    def percent(self) -> float:
        """Percent of one core, if it is done once in each interval."""
        return median(self.cpu) / (INTERVAL * 1000) * 100


def cost(of: Callable[[], object], rounds: int) -> Cost:
    elapsed, cpu = [], []
    for _ in range(rounds):
        began, used = time.perf_counter(), time.process_time()
        of()
        elapsed.append((time.perf_counter() - began) * 1000)
        cpu.append((time.process_time() - used) * 1000)
    return Cost(elapsed, cpu)


@contextmanager
def services(count: int, mebibytes: int) -> Iterator[list[Ownership]]:
    """Start the trees; yield how each is recognised."""
    program = f'{sys.executable} -c "{PROGRAM.format(bytes=mebibytes << 20)}"'
    started: list[subprocess.Popen[bytes]] = []
    try:
        for index in range(count):
            child = subprocess.Popen(
                ["sh", "-c", f"exec 3<&0; {program} <&3 & {program} <&3; wait"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
                env={**os.environ, MARK: mark_for(index, 1, None)[1]},
            )
            started.append(child)
        for child in started:
            if child.stdout is None or child.stdout.read(12) != b"ready\n" * 2:
                raise SystemExit("a service did not start")
        yield [
            Ownership(frozenset({child.pid}), mark_for(index, 1, None)[0].encode())
            for index, child in enumerate(started)
        ]
    finally:
        for child in started:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()


def first_sample(owners: Sequence[Ownership]) -> None:
    """Sample as at the start and once in ``REFRESH`` seconds: every process is looked at."""
    Sampler().sample(owners)


def report(count: int, mebibytes: int, rounds: int) -> bool:
    """Measure and print; whether it is cheap enough."""
    with services(count, mebibytes) as owners:
        sampler = Sampler()
        usages = sampler.sample(owners)
        if any(usage.processes != 3 for usage in usages):
            raise SystemExit("a process was not found")
        rows = {
            "a sample": cost(lambda: sampler.sample(owners), rounds),
            f"each {REFRESH:g} s": cost(lambda: first_sample(owners), rounds),
            "shared pages of one service": cost(lambda: with_shared_once(usages[0]), rounds),
        }
        others = sum(name.isdigit() for name in os.listdir("/proc")) - 3 * count
    print(f"{count} services of 3 processes, {2 * mebibytes} MiB each; {others} other processes")
    for name, measured in rows.items():
        elapsed = f"{median(measured.elapsed):.2f} ms ({spread(measured.elapsed)})"
        print(f"  {name:30}{elapsed:28}{median(measured.cpu):.2f} ms of the processor")
    usual, whole = rows["a sample"].percent, rows[f"each {REFRESH:g} s"].percent
    share = usual + (whole - usual) * INTERVAL / REFRESH
    print(f"  one sample per {INTERVAL:g} s: {share:.3f} % of one core")
    return share < ALLOWED


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--services", type=int, default=20)
    parser.add_argument("--mebibytes", type=int, default=8, help="held by each program")
    parser.add_argument("--rounds", type=int, default=101)
    options = parser.parse_args()
    return 0 if report(options.services, options.mebibytes, options.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
