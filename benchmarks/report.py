"""Tables of medians, ratios, and the targets."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path

from measuring import median, spread
from subjects import Subject

Results = dict[str, dict[str, dict[str, list[float]]]]
"""Values by workload, subject and figure."""


def machine() -> str:
    """Return a line about the machine."""
    memory = Path("/proc/meminfo").read_text().split()[1]
    return (
        f"{os.cpu_count()} processors, {int(memory) // 1024 // 1024} GiB, "
        f"{platform.system()} {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}"
    )


def table(results: Results, versions: dict[str, str]) -> str:
    """Return a Markdown table: a row a figure, a column a subject, medians with the ratio."""
    names = list(dict.fromkeys(name for found in results.values() for name in found))
    titles = [f"{name} {versions.get(name, '')}".strip() for name in names]
    lines = ["| | " + " | ".join(titles) + " |", "|---|" + "---:|" * len(names)]
    for workload, by_subject in results.items():
        figures = dict.fromkeys(f for found in by_subject.values() for f in found)
        for figure in figures:
            cells = [_cell(by_subject, name, figure) for name in names]
            lines.append(f"| {workload}: {figure} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(by_subject: dict[str, dict[str, list[float]]], name: str, figure: str) -> str:
    values = by_subject.get(name, {}).get(figure)
    if not values:
        return ""
    own = by_subject.get("devrun", {}).get(figure)
    ratio = ""
    if own and name != "devrun" and median(own):
        ratio = f" ×{median(values) / median(own):.2g}"
    return (
        f"{_short(median(values))}{ratio} ({spread(values)})"
        if len(values) > 1
        else (f"{_short(median(values))}{ratio}")
    )


def _short(value: float) -> str:
    if abs(value) >= 1_000_000:
        return f"{value / 1_000_000:.2f} M"
    if abs(value) >= 10_000:
        return f"{value / 1000:.0f} k"
    return f"{value:.3g}"


def targets(results: Results, subjects: Sequence[Subject]) -> str:
    """Return a line a target: what was to be reached, what was, and whether that is enough."""
    procfile = [subject.name for subject in subjects if subject.is_procfile_runner]

    def value(workload: str, figure: str, name: str = "devrun") -> float | None:
        found = results.get(workload, {}).get(name, {}).get(figure)
        return median(found) if found else None

    def ratio(workload: str, figure: str, name: str) -> float | None:
        own, other = value(workload, figure), value(workload, figure, name)
        return own / other if own is not None and other else None

    pipe = "throughput, 3 children to a pipe"
    rows: list[tuple[str, float | None, bool, float]] = [
        ("throughput ≥ 3 × concurrently", ratio(pipe, "lines/s", "concurrently"), True, 3),
        ("throughput ≥ 0.4 × C poll/writev", ratio(pipe, "lines/s", "C poll/writev"), True, 0.4),
    ]
    rows += [
        (f"throughput ≥ 8 × {name}", ratio(pipe, "lines/s", name), True, 8) for name in procfile
    ]
    idle, flooded = "latency, idle", "latency, beside a flood"
    rows += [
        ("latency p50 ≤ concurrently's", ratio(idle, "p50 ms", "concurrently"), False, 1),
        ("latency p99 beside a flood ≤ 10 ms", value(flooded, "p99 ms"), False, 10),
        (
            "start ≤ 0.5 × concurrently",
            ratio("start, 1 child", "first ms", "concurrently"),
            False,
            0.5,
        ),
        ("start not behind honcho", ratio("start, 1 child", "first ms", "honcho"), False, 1),
        ("idle with 3 children ≤ 30 MiB PSS", value("idle with 3 children", "PSS MiB"), False, 30),
        ("idle: no wake-ups", value("idle with 3 children", "wake-ups/s"), False, 0),
        ("1 GB adds < 5 MiB", value("1 GB of output", "after 1 GB: PSS MiB more"), False, 5),
        ("stop of 50 ≤ 300 ms", value("50 children", "stop ms"), False, 300),
        (
            "save to new process ≤ 150 ms",
            value("file change", "save to new process ms"),
            False,
            150,
        ),
        ("lines lost", value("every line in and out", "lost"), False, 0),
        ("lines torn", value("every line in and out", "torn"), False, 0),
    ]
    lines = []
    for text, reached, more_is_better, bound in rows:
        if reached is None:
            continue
        met = reached >= bound if more_is_better else reached <= bound
        lines.append(f"{'met   ' if met else 'MISSED'}  {text}: {reached:.3g}")
    return "\n".join(lines)
