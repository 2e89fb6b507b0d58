"""What must be true of a run, whatever was done to it: ``ps`` says what /proc says."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from api import Api

MARK = b"DEVRUN_INSTANCE="


def parent(pid: int) -> int:
    """Return the pid of a process's parent."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def below(pid: int) -> list[int]:
    """Return the living descendants of a process."""
    found: list[int] = []
    queue = [pid]
    while queue:
        for child in _children(queue.pop()):
            if _state(child) not in ("Z", "X", ""):
                found.append(child)
            queue.append(child)
    return found


def _children(pid: int) -> list[int]:
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
        texts = [Path(f"/proc/{pid}/task/{task}/children").read_text() for task in tasks]
    except OSError:
        return []
    return [int(word) for text in texts for word in text.split()]


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def _instance_of(pid: int) -> str:
    """Return which instance a process belongs to, as devrun marks them; without the generation."""
    try:
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return ""
    marks = [each.removeprefix(MARK).decode() for each in variables if each.startswith(MARK)]
    return marks[0].rpartition("/")[2].rpartition(":")[0] if marks else ""


def inconsistencies(path: Path, worker: int) -> list[str]:
    """Return in what ``ps`` and /proc differ, once; services that start meanwhile may differ."""
    api = Api(path)
    try:
        instances = {each["name"]: each for each in api.get("/v1/instances")["instances"]}
    finally:
        api.close()
    trees: dict[str, set[int]] = {}
    for pid in below(worker):
        trees.setdefault(_instance_of(pid), set()).add(pid)
    return [*_differences(instances.values(), trees)]


def _differences(instances: Iterable[Mapping], trees: dict[str, set[int]]):
    claimed: dict[str, str] = {}
    for each in instances:
        name, pid, state = each["name"], each["pid"], each["state"]
        if pid is None:
            if state in ("running", "ready", "degraded", "starting"):
                yield f"{name} is {state} without a process"
            continue
        if state in ("completed", "stopped", "failed", "skipped", "backoff", "idle", "blocked"):
            yield f"{name} is {state} with a process, {pid}"
        mark = _instance_of(pid)
        tree = trees.get(mark, set())
        if pid not in tree:
            yield f"{name}: pid {pid} is not there"
        elif len(tree) != each["processes"]:
            yield f"{name}: {each['processes']} processes, but there are {len(tree)}"
        if mark in claimed:
            yield f"{name} and {claimed[mark]} are the same"
        claimed[mark] = name
    for mark in set(trees) - set(claimed):
        yield f"nobody's, as ps has it: {sorted(trees[mark])} ({mark})"
