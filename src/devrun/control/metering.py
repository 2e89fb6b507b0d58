"""What instances use just now, for those who ask."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import trio

from devrun.control.subject import Subject
from devrun.process.group import Ownership
from devrun.process.listening_ports import listening_ports
from devrun.process.usage import Sampler, Usage, cpu_percent, with_shared_once

FRESH = 0.1
"""Seconds for which a sample serves everybody."""

SHORTEST = 0.5
"""Seconds between samples that are compared: processor time is counted in steps of 10 ms."""

CHEAP = 512 * 1024 * 1024
"""Bytes of all instances up to which shared pages are told apart, which takes 12 ms for a GiB."""


@dataclass(frozen=True, slots=True)
class Metered:
    """What an instance uses.

    Attributes:
        percent: Of one core, since the sample before or, without one, since its start.
        ports: TCP ports that it listens on.
    """

    usage: Usage
    percent: float
    ports: list[int]


@dataclass(frozen=True, slots=True)
class _Sample:
    """What all used at a time; by index and generation."""

    at: float
    usages: dict[tuple[int, int], Usage]
    ports: dict[tuple[int, int], list[int]]


class Meter:
    """Reads what a run's instances use, in a thread."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._sampler = Sampler()
        self._lock = trio.Lock()
        self._in_thread = threading.Lock()
        self._samples = deque([_Sample(0.0, {}, {})])

    async def read(self) -> dict[int, Metered]:
        """Return what each instance that has a process uses, by index."""
        async with self._lock:
            if time.monotonic() - self._samples[-1].at > FRESH:
                await self._sample()
            last = self._samples[-1]
        return {
            key[0]: Metered(usage, self._percent(key, usage), last.ports[key])
            for key, usage in last.usages.items()
        }

    async def _sample(self) -> None:
        keys: list[tuple[int, int]] = []
        owners: list[Ownership] = []
        for task in [*self._subject.supervisor.members.tasks]:
            if task.state.alive:
                keys.append((task.spec.index, task.state.generation))
                owners.append(self._subject.launcher.ownership(task.spec, task.state.generation))
        usages, ports = await trio.to_thread.run_sync(self._read, owners, abandon_on_cancel=True)
        now = time.monotonic()
        by_key = dict(zip(keys, usages, strict=True)), dict(zip(keys, ports, strict=True))
        self._samples.append(_Sample(now, *by_key))
        while len(self._samples) > 2 and now - self._samples[1].at >= SHORTEST:
            self._samples.popleft()

    def _read(self, owners: Sequence[Ownership]) -> tuple[list[Usage], list[list[int]]]:
        with self._in_thread:  # One that was given up may still be at it.
            usages = [*self._sampler.sample(owners)]
        if sum(usage.rss for usage in usages) <= CHEAP:
            usages = [with_shared_once(usage) for usage in usages]
        ports = listening_ports([[member.pid for member in usage.members] for usage in usages])
        return usages, ports

    def _percent(self, key: tuple[int, int], usage: Usage) -> float:
        first, last = self._samples[0], self._samples[-1]
        before = first.usages.get(key)
        if before is not None and last.at - first.at >= SHORTEST:
            return round(cpu_percent(before, usage, last.at - first.at), 1)
        started = self._subject.supervisor.lives[key[0]].started_at
        uptime = 0.0 if started is None else time.time() - started
        return round(100 * usage.cpu_seconds / uptime, 1) if uptime > 0 else 0.0
