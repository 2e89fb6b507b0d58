#!/usr/bin/env python3
"""Measure reloads, broken builds and crashes under load: the requests that they cost.

64 connections ask all the time, with a new connection for each request or with connections that
are kept alive, while ``devrun reload`` and SIGKILL do their work on a project of one service.
Exit code 1: a request has failed that must not, a reload has ended with another exit code than
it should, or a new process has come too late.

    python benchmarks/reload.py --reloads 10 --crashes 15 "uvicorn --fd 3"
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from measuring import median, spread
from servers import BACKOFF, DESCRIPTOR, SERVERS, project
from subjects import compiled
from workloads import Bench

HERE = Path(__file__).parent

FAILURES = ("refused", "reset", "eof", "wrong", "unanswered")
"""What the client counts as failed; ``load_client.py`` says what each is."""

ALLOWED = 50.0
"""Milliseconds that the new process may come later than that, in the median."""

WARMTH = 0.3
"""Seconds under load before something happens, and after it."""


@dataclass
class Load:
    """What became of the requests, once the load is over."""

    counts: dict[str, float] = field(default_factory=dict)

    def of(self, *kinds: str) -> int:
        return sum(int(self.counts.get(kind, 0)) for kind in kinds)

    @property
    def requests(self) -> int:
        return self.of("ok", *FAILURES)

    @property
    def failed(self) -> int:
        return self.of(*FAILURES)

    @property
    def kinds(self) -> str:
        """What has failed, for people; empty if nothing has."""
        return ", ".join(f"{self.of(kind)} {kind}" for kind in FAILURES if self.of(kind))


@contextmanager
def load(port: int, *, keep_alive: bool) -> Iterator[Load]:
    """Have 64 connections ask while the body runs, and for a moment before and after it."""
    found = Load()
    words = [sys.executable, str(HERE / "load_client.py"), str(port)]
    client = subprocess.Popen(
        [*words, *(["--keep-alive"] if keep_alive else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        time.sleep(WARMTH)
        yield found
        time.sleep(WARMTH)
    finally:
        output, _ = client.communicate()
    found.counts |= json.loads(output)


@dataclass
class Report:
    """The rows of one table, and what went wrong."""

    titles: Sequence[str]
    problems: list[str] = field(default_factory=list)

    def head(self) -> None:
        print("\n| " + " | ".join(self.titles) + " |")
        print("|---|---|" + "---:|" * (len(self.titles) - 2), flush=True)

    def row(self, *cells: object) -> None:
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)

    def expect(self, what: str, *, holds: bool) -> None:
        if not holds:
            self.problems.append(what)


def kind(*, keep_alive: bool) -> str:
    return "keep-alive" if keep_alive else "new"


def reloads(bench: Bench, names: Sequence[str], times: int) -> list[str]:
    """Reload each server so many times, with both kinds of connections."""
    report = Report(
        ("reload", "connections", "requests", "failed", "asked again", "ms a reload", "p99 ms")
    )
    report.head()
    for name in names:
        for keep_alive in (False, True):
            seconds: list[float] = []
            with (
                project(bench, SERVERS[name]) as web,
                load(web.port, keep_alive=keep_alive) as sent,
            ):
                for _ in range(times):
                    began = time.monotonic()
                    run = web.reload()
                    seconds.append(time.monotonic() - began)
                    replaced = run.stdout.count(": reloaded") == web.server.instances
                    report.expect(
                        f"{name}: reload ended with {run.returncode}: {run.stdout.strip()}",
                        holds=run.returncode == 0 and replaced,
                    )
            how = kind(keep_alive=keep_alive)
            again, p99 = sent.of("repeated"), sent.counts.get("p99", 0) * 1000
            each = f"{median(seconds) * 1000:.0f}"
            report.row(name, how, sent.requests, sent.failed, again, each, f"{p99:.0f}")
            report.expect(f"{name}, {how}: {sent.kinds}", holds=not sent.failed)
            report.expect(f"{name}, {how}: no answer", holds=sent.of("ok") > 0)
    return report.problems


def broken_builds(bench: Bench, names: Sequence[str]) -> list[str]:
    """Reload each server with a build that exits at once."""
    report = Report(("broken build", "connections", "requests", "failed", "exit code of reload"))
    report.head()
    for name in names:
        with project(bench, SERVERS[name]) as web:
            (web.bench.folder / "broken").touch()
            with load(web.port, keep_alive=False) as sent:
                run = web.reload()
            with load(web.port, keep_alive=False) as after:
                pass
        how = kind(keep_alive=False)
        requests, failed = sent.requests + after.requests, sent.failed + after.failed
        report.row(name, how, requests, failed, run.returncode)
        report.expect(f"{name}, broken build: {sent.kinds} {after.kinds}", holds=not failed)
        report.expect(f"{name}, broken build: no answer after the reload", holds=after.of("ok") > 0)
        report.expect(f"{name}, broken build: {run.stdout.strip()}", holds=run.returncode == 1)
    return report.problems


def crashes(bench: Bench, times: int) -> list[str]:
    """Kill a server on a held socket so many times; requests that it had begun die with it."""
    report = Report(
        ("crash", "connections", "requests", "refused", "died with it", "ms beyond the backoff")
    )
    report.head()
    for keep_alive in (False, True):
        late: list[float] = []
        with (
            project(bench, SERVERS[DESCRIPTOR]) as web,
            load(web.port, keep_alive=keep_alive) as sent,
        ):
            for number in range(times):
                time.sleep(WARMTH)
                killed = time.monotonic_ns()
                os.kill(web.present_process(), signal.SIGKILL)
                web.wait_for_ready(number + 2)
                late.append((web.last_start() - killed) / 1e6 - BACKOFF)
        how, middle = kind(keep_alive=keep_alive), median(late)
        died, never = sent.of("reset", "eof", "repeated"), sent.of("refused", "wrong", "unanswered")
        refused, cell = sent.of("refused"), f"{middle:.1f} ({spread(late)})"
        report.row(DESCRIPTOR, how, sent.requests, refused, died, cell)
        report.expect(f"crash, {how}: {sent.kinds}", holds=not never)
        report.expect(f"crash, {how}: no answer", holds=sent.of("ok") > 0)
        report.expect(
            f"crash, {how}: the new process came {middle:.0f} ms after the backoff",
            holds=middle <= ALLOWED,
        )
    return report.problems


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help=f"which servers: {'; '.join(SERVERS)}")
    parser.add_argument("--reloads", type=int, default=10)
    parser.add_argument("--crashes", type=int, default=15)
    options = parser.parse_args()
    if unknown := set(options.names) - set(SERVERS):
        parser.error(f"no such server: {', '.join(sorted(unknown))}")
    if not shutil.which("node"):
        raise SystemExit("benchmarks: reloads are measured with Node")
    names = [name for name in SERVERS if not options.names or name in options.names]
    with tempfile.TemporaryDirectory(prefix="devrun-bench-") as folder:
        bench = Bench(Path(folder), compiled(Path(folder)))
        problems = reloads(bench, names, options.reloads)
        problems += broken_builds(bench, names)
        problems += crashes(bench, options.crashes)
    print("".join(f"\nNOT AS IT MUST BE: {problem}" for problem in problems))
    return int(bool(problems))


if __name__ == "__main__":
    if platform.system() != "Linux":
        raise SystemExit("benchmarks: they read /proc, so they need Linux")
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # What was started is ended then, too.
    sys.exit(main())
