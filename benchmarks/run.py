#!/usr/bin/env python3
"""Measure devrun and the installed peers on the same work, in one interleaved run.

Prints medians with their spread, the ratios to devrun, and whether each target is met. Needs Python
and a C compiler. Exit code 1: devrun has lost or torn a line.

    python benchmarks/run.py --only latency --rounds 9 --peer honcho=/somewhere/honcho
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import report
import workloads
from subjects import Subject, compiled, installed, version
from workloads import Bench, Workload

PIPE = "throughput, 3 children to a pipe"
WORKLOADS: dict[str, Workload] = {
    PIPE: workloads.throughput(3),
    "throughput, 1 child to a pipe": workloads.throughput(1),
    "throughput, 20 children to a pipe": workloads.throughput(20),
    "throughput, 3 children to a file": workloads.throughput(3, to_file=True),
    "throughput, 3 children, a write a line": workloads.throughput(3, single=True),
    "every line in and out": workloads.lossless,
    "every line of one that ends": workloads.lossless_at_the_end,
    "latency, idle": workloads.latency(flooded=False),
    "latency, beside a flood": workloads.latency(flooded=True),
    "start, 1 child": workloads.start(1),
    "start, 3 children": workloads.start(3),
    "start, 50 children": workloads.start(50),
    "idle with 3 children": workloads.stop_and_memory(3),
    "50 children": workloads.stop_and_memory(50),
    "1 GB of output": workloads.growth,
    "file change": workloads.save_to_restart,
}
SLOW = (
    "idle with 3 children",
    "50 children",
    "1 GB of output",
    "file change",
    "every line in and out",
    "every line of one that ends",
)
"""Workloads that need no more than three rounds."""


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="devrun-bench-") as folder:
        bench = Bench(Path(folder), compiled(Path(folder)))
        named = dict(word.split("=", 1) for word in options.peer)
        subjects = [
            subject
            for subject in installed(named, bench.programs.get("poll_writev"))
            if not options.subjects or subject.name in options.subjects.split(",")
        ]
        results = _measure(bench, subjects, options)
        versions = {subject.name: version(subject, bench.folder) for subject in subjects}
    print(report.machine())
    print(report.table(results, versions))
    print(report.targets(results, subjects))
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1))
    counted = [found["devrun"] for name, found in results.items() if name.startswith("every")]
    return int(any(sum(figures["lost"]) + sum(figures["torn"]) for figures in counted))


def _measure(bench: Bench, subjects: list[Subject], options: argparse.Namespace) -> report.Results:
    results: report.Results = {}
    for name, workload in WORKLOADS.items():
        if options.only and options.only not in name:
            continue
        rounds = min(options.rounds, 3) if name in SLOW else options.rounds
        for turn in range(rounds):
            first = turn % len(subjects)
            for subject in subjects[first:] + subjects[:first]:
                if not _concerns(name, subject):
                    continue
                figures = _one(bench, subject, workload)
                for figure, value in figures.items():
                    by_subject = results.setdefault(name, {}).setdefault(subject.name, {})
                    by_subject.setdefault(figure, []).append(value)
        print(f"measured: {name}", file=sys.stderr)
    return results


def _concerns(name: str, subject: Subject) -> bool:
    """Whether a subject takes part; pm2-runtime ends 12 s after its last process, so in less."""
    if subject.is_reference:
        return name.startswith(("throughput", "every"))
    if subject.name == "pm2-runtime":
        return name == PIPE or not name.startswith("throughput")
    return True


def _one(bench: Bench, subject: Subject, workload: Workload) -> workloads.Figures:
    try:
        return workload(bench, subject)
    except subprocess.TimeoutExpired:
        print(f"{subject.name} hangs", file=sys.stderr)
        return {}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", help="only workloads with this in their name")
    parser.add_argument("--subjects", help="only these, separated by commas")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PROGRAM")
    parser.add_argument("--json", help="write all figures to this file")
    return parser.parse_args()


if __name__ == "__main__":
    os.environ.setdefault("PYTHONHASHSEED", "0")
    if platform.system() != "Linux":
        raise SystemExit("benchmarks: they read /proc, so they need Linux")
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # What was started is ended then, too.
    sys.exit(main())
