"""Counting lines, reading /proc, and the statistics of a few runs."""

from __future__ import annotations

import os
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Tally:
    """What became of the lines that were written.

    Attributes:
        lost: Lines that did not arrive.
        torn: Lines that arrived in pieces, glued to another, or twice.
    """

    expected: int
    lost: int
    torn: int


def tally(output: Iterable[bytes], expected: dict[bytes, int]) -> Tally:
    """Count the flood's lines, ``ID NUMBER xxx…``, behind whatever prefixes a runner adds.

    Args:
        output: The runner's output, line by line.
        expected: How many lines each ID wrote.
    """
    seen: Counter[bytes] = Counter()
    torn = 0
    for line in output:
        content = _content(line)
        if content is None:
            torn += b"xxxx" in line
            continue
        seen[content] += 1
    arrived = sum(1 for content in seen if int(content.split()[1]) < expected[content.split()[0]])
    doubled = sum(count - 1 for count in seen.values())
    total = sum(expected.values())
    return Tally(total, total - arrived, torn + doubled)


def _content(line: bytes) -> bytes | None:
    """Return ``ID NUMBER`` of a whole line of the flood, or None."""
    words = line.rstrip(b"\r\n").split(b" ")
    if len(words) < 3 or not words[-1] or words[-1].strip(b"x") or not words[-2].isdigit():
        return None
    content = b" ".join(words[-3:-1])
    if len(words[-2]) != 10 or len(content) + len(words[-1]) + 2 != 80:
        return None
    return content


class LineCount:
    """Counts the lines of a file that is being written; what was counted is not read again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._place = 0
        self._lines = 0

    def now(self) -> int:
        """Return how many lines there are by now."""
        with open(self._path, "rb") as file:
            file.seek(self._place)
            while piece := file.read(1 << 20):
                self._place += len(piece)
                self._lines += piece.count(b"\n")
        return self._lines


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that ``percent`` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def spread(values: Sequence[float]) -> str:
    """Return lowest and highest, for people."""
    return f"{min(values):.3g}–{max(values):.3g}"


@dataclass(frozen=True)
class Memory:
    """Memory in MiB, summed over processes."""

    rss: float
    pss: float


def memory(pids: Iterable[int]) -> Memory:
    """Return the memory of processes, from ``smaps_rollup`` (proc(5))."""
    rss = pss = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        rss += int(text.partition("\nRss:")[2].split()[0])
        pss += int(text.partition("\nPss:")[2].split()[0])
    return Memory(rss / 1024, pss / 1024)


def switches(pids: Iterable[int]) -> int:
    """Return how often the threads of processes have been switched to and from."""
    total = 0
    for pid in pids:
        for status in Path(f"/proc/{pid}/task").glob("*/status"):
            for line in status.read_text().splitlines():
                if "ctxt_switches" in line:
                    total += int(line.split()[1])
    return total


def descendants(pid: int) -> list[int]:
    """Return the pids of a process and all below it."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:
                continue
    return found


def own_processes(pid: int, workload: str) -> list[int]:
    """Return a runner's own processes: not those that run the workload, nor their shells."""
    return [each for each in descendants(pid) if workload not in _command(each)]


def _command(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    is_shell = os.path.basename(words[0]) in (b"sh", b"dash", b"bash") and b"-c" in words[:3]
    is_program = os.path.sep.encode() in words[0] and len(words) < 5
    return b" ".join(words).decode(errors="replace") if is_shell or is_program else ""
