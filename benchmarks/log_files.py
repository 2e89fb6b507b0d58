#!/usr/bin/env python3
"""Measure what the log files cost: the sink against writing the same chunks with ``os.write``.

Everything runs interleaved in one process; medians, spread and the ratio to plain writing are
printed. Needs nothing but devrun. Exit code 1: a line is lost.

    python benchmarks/log_files.py --rounds 9 --megabytes 200
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

import trio

from devrun.events import Output, Piece
from devrun.output.log_desk import LoggedService
from devrun.output.log_files import LogFiles
from devrun.policies import LogFile
from measuring import median, spread

CHUNK = 64 * 1024
LINE = b"2026-01-31T12:00:00 GET /api/items/%07d 200 12 ms - served from the cache\n"

SETTINGS: dict[str, LogFile] = {
    "as it is": LogFile(""),
    "rotated at 10 MB": LogFile("", max_size=10_000_000),
    "with times": LogFile("", timestamps=True),
    "JSON": LogFile("", json=True),
}


def chunks(megabytes: int) -> list[bytes]:
    """Return chunks of whole lines, as a pump publishes them."""
    lines = (LINE % n for n in range(megabytes * 1_000_000 // len(LINE % 0)))
    found: list[bytes] = []
    pending: list[bytes] = []
    size = 0
    for line in lines:
        pending.append(line)
        size += len(line)
        if size >= CHUNK:
            found.append(b"".join(pending))
            pending, size = [], 0
    return [*found, b"".join(pending)]


def plain(data: Iterable[bytes], folder: str) -> None:
    """Write chunks to one file."""
    descriptor = os.open(os.path.join(folder, "plain"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for chunk in data:
        os.write(descriptor, chunk)
    os.close(descriptor)


def sink(log: LogFile) -> Callable[[Iterable[bytes], str], None]:
    """Return what hands chunks to the sink and closes it."""

    async def write(data: Iterable[bytes], folder: str) -> None:
        service = LoggedService("web", replace(log, path=os.path.join(folder, "web.log")))
        files = LogFiles({0: service}, notice=sys.exit)
        for chunk in data:
            await files.room(0)
            files(Output(0, 1, Piece.LINES, chunk))
            await trio.lowlevel.checkpoint()  # As a pump does.
        await files.close()

    return lambda data, folder: trio.run(write, data, folder)


def measured(write: Callable[[list[bytes], str], None], data: list[bytes]) -> tuple[float, int]:
    """Return the seconds that writing takes, and how many lines there are afterwards."""
    folder = tempfile.mkdtemp()
    try:
        began = time.perf_counter()
        write(data, folder)
        seconds = time.perf_counter() - began
        names = [os.path.join(folder, name) for name in os.listdir(folder)]
        return seconds, sum(map(count_lines, names))
    finally:
        shutil.rmtree(folder)


def count_lines(path: str) -> int:
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--megabytes", type=int, default=100)
    options = parser.parse_args()
    data = chunks(options.megabytes)
    expected = sum(chunk.count(b"\n") for chunk in data)
    subjects = {"os.write": plain} | {name: sink(log) for name, log in SETTINGS.items()}
    seconds: dict[str, list[float]] = {name: [] for name in subjects}
    lost = 0
    for _ in range(options.rounds):
        for name, write in subjects.items():
            taken, lines = measured(write, data)
            seconds[name].append(taken)
            lost += expected - lines
    print("| | MB/s | lines/s | × plain writing |\n|---|---:|---:|---:|")
    base = median(seconds["os.write"])
    for name, times in seconds.items():
        rates = [options.megabytes / taken for taken in times]
        middle = median(times)
        print(
            f"| {name} | {median(rates):.0f} ({spread(rates)}) "
            f"| {expected / middle / 1e6:.1f} M | {middle / base:.2f} |"
        )
    if lost:
        print(f"{lost} lines are lost")
    return bool(lost)


if __name__ == "__main__":
    sys.exit(main())
