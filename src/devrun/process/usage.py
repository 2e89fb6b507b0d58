"""What instances use: memory and processor time of their whole process trees.

One pass for all instances. On Linux that is the list of ``/proc`` and one read of
``/proc/PID/stat`` for each of devrun's descendants, which holds all that is needed (``proc(5)``);
walking ``/proc/PID/task/TID/children`` instead takes several times as long, because it opens a file
for each thread. Elsewhere psutil is asked.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from devrun.process.group import Ownership
from devrun.process.mark import LASTING_MARK, MARK

REFRESH = 30.0
"""Seconds after which processes that were not devrun's are looked at again, because the number of
one may have become that of another between two samples."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one process has used.

    Attributes:
        start: When it started, in the platform's own units; tells a reused pid.
        threads: 0 for a zombie.
        rss: Bytes of memory in use, those shared with others included.
        cpu_seconds: Of the process, and of its children that it has waited for.
    """

    pid: int
    parent: int
    session: int
    start: float
    threads: int
    rss: int
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Usage:
    """What all processes of an instance use together.

    Attributes:
        processes: How many there are, zombies left out.
        threads: How many they have.
        rss: Bytes of memory, counted once for each process that uses it.
        cpu_seconds: Processor time, user and system, of what lives and of what its parents have
            waited for. It falls when a process ends that devrun has to reap.
        members: What it is the sum of, parents before children.
        pss: Bytes of memory, shared pages divided among those that share them; None unless asked
            for (``with_shared_once``).
    """

    processes: int
    threads: int
    rss: int
    cpu_seconds: float
    members: tuple[Reading, ...] = ()
    pss: int | None = None

    @property
    def memory(self) -> int:
        """Bytes in use, as exactly as they are known."""
        return self.rss if self.pss is None else self.pss


def total(members: Sequence[Reading]) -> Usage:
    """Return what processes use together."""
    return Usage(
        processes=sum(member.threads > 0 for member in members),
        threads=sum(member.threads for member in members),
        rss=sum(member.rss for member in members),
        cpu_seconds=sum(member.cpu_seconds for member in members),
        members=tuple(members),
    )


def cpu_percent(before: Usage, after: Usage, seconds: float) -> float:
    """Return the percentage of one core used between two samples that lie ``seconds`` apart.

    Several cores make it more than 100. It is never below 0, though the time used may have fallen:
    after a restart, or when a process has ended that only devrun could wait for.
    """
    if seconds <= 0:
        return 0.0
    return max(0.0, 100 * (after.cpu_seconds - before.cpu_seconds) / seconds)


class Sampler:
    """Reads what instances use; remembers between samples what cannot change.

    Not for two threads at a time.
    """

    def __init__(self) -> None:
        self._source = _Source()
        self._marks: dict[tuple[int, float], bytes] = {}

    def sample(self, owners: Sequence[Ownership]) -> tuple[Usage, ...]:
        """Return what each instance uses, without its ``pss``.

        Processes belong to instances as ``process.group.owned`` has it: by parent, session or mark.
        """
        me = os.getpid()
        below = self._source.below(me)
        found = assign(below, me, owners, self._mark)
        living = {(reading.pid, reading.start) for reading in below}
        self._marks = {key: mark for key, mark in self._marks.items() if key in living}
        return tuple(total(members) for members in found)

    def _mark(self, reading: Reading) -> bytes:
        key = reading.pid, reading.start
        mark = self._marks.get(key)
        if mark is None:
            environment = _environment(reading.pid)
            if not environment:
                return b""  # Being executed just now, perhaps: it may be there the next time.
            rest = b""
            for name in (LASTING_MARK, MARK):
                rest = rest or (b"\0" + environment).partition(f"\0{name}=".encode())[2]
            mark = self._marks[key] = rest.partition(b"\0")[0]
        return mark


def assign(
    below: Iterable[Reading],
    root: int,
    owners: Sequence[Ownership],
    mark_of: Callable[[Reading], bytes],
) -> list[list[Reading]]:
    """Return each owner's processes, parents before children.

    Args:
        root: Pid below which all of them are.
        mark_of: Value of the variable with the marks that a process was started with; asked only
            where neither parent nor session tells.
    """
    found: list[list[Reading]] = [[] for _ in owners]
    by_session = {pid: place for place, owner in enumerate(owners) for pid in owner.sessions}
    by_mark = {owner.mark: place for place, owner in enumerate(owners)}
    children = _by_parent(below)
    queue: list[tuple[int, int | None]] = [(root, None)]
    for parent, inherited in queue:
        for reading in children.get(parent, ()):
            place = inherited
            if place is None:
                place = by_session.get(reading.pid, by_session.get(reading.session))
            if place is None:
                marks = mark_of(reading).split(b"/")
                place = next((by_mark[mark] for mark in marks if mark in by_mark), None)
            if place is not None:
                found[place].append(reading)
            queue.append((reading.pid, place))
    return found


def _by_parent(readings: Iterable[Reading]) -> dict[int, list[Reading]]:
    children: dict[int, list[Reading]] = {}
    for reading in readings:
        children.setdefault(reading.parent, []).append(reading)
    return children


if sys.platform == "linux":
    _TICKS = os.sysconf("SC_CLK_TCK")
    _PAGE = os.sysconf("SC_PAGE_SIZE")

    def parse_stat(pid: int, stat: bytes) -> Reading:
        """Return what a line of ``/proc/PID/stat`` says."""
        # The second field is the name in brackets and may hold anything, brackets included.
        fields = stat[stat.rindex(b")") + 2 :].split()
        user, system, waited_user, waited_system = map(int, fields[11:15])
        return Reading(
            pid=pid,
            parent=int(fields[1]),
            session=int(fields[3]),
            start=float(fields[19]),
            threads=0 if fields[0] in b"ZX" else int(fields[17]),
            rss=int(fields[21]) * _PAGE,
            cpu_seconds=(user + system + waited_user + waited_system) / _TICKS,
        )

    class _Source:
        """Reads a process's descendants; passes over what was seen not to be one."""

        def __init__(self) -> None:
            self._others: set[int] = set()
            self._since = -REFRESH

        def below(self, root: int) -> list[Reading]:
            """Return every descendant, zombies included."""
            now = time.monotonic()
            if now - self._since >= REFRESH:
                self._others, self._since = set(), now
            pids = _pids()
            self._others &= pids
            readings = [
                reading
                for pid in pids - self._others - {root}
                if (reading := _read(pid)) is not None
            ]
            children = _by_parent(readings)
            # One whose parent ended meanwhile is in neither tree, and is looked at again.
            self._others.update(r.pid for r in _reachable(children, [0, *self._others]))
            return _reachable(children, [root])

    def _reachable(children: dict[int, list[Reading]], roots: list[int]) -> list[Reading]:
        found: list[Reading] = []
        queue = roots
        for pid in queue:
            below = children.get(pid, ())
            found += below
            queue += [reading.pid for reading in below]
        return found

    def _pids() -> set[int]:
        try:
            return {int(name) for name in os.listdir("/proc") if name.isdigit()}
        except OSError:
            return set()  # No descriptor is left; the next sample may have one.

    def _read(pid: int) -> Reading | None:
        # Without a file object, which takes as long again as the system calls.
        try:
            descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            return parse_stat(pid, os.read(descriptor, 4096))
        except ProcessLookupError:
            return None
        finally:
            os.close(descriptor)

    def _environment(pid: int) -> bytes:
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                return file.read()
        except OSError:
            return b""

    def with_shared_once(usage: Usage) -> Usage:
        """Return the usage with ``pss``, where the platform can tell it.

        This takes about 12 ms for each GiB in pages of 4 KiB, because the kernel looks at every
        page; and it waits for a process that is being dumped.
        """
        return replace(usage, pss=sum(_shared_once(member) for member in usage.members))

    def _shared_once(member: Reading) -> int:
        try:
            with open(f"/proc/{member.pid}/smaps_rollup", "rb") as file:
                _, _, rest = file.read().partition(b"\nPss:")
            return int(rest.split(maxsplit=1)[0]) * 1024
        except (FileNotFoundError, ProcessLookupError):
            # Gone, or a kernel before 4.14, which has no such file.
            return member.rss if os.path.exists(f"/proc/{member.pid}") else 0
        except (OSError, IndexError):
            return member.rss  # Another user's, or without memory of its own just now.

else:

    def with_shared_once(usage: Usage) -> Usage:
        """Return the usage as it is: nobody tells there what is shared."""
        return usage

    class _Source:
        """Reads a process's descendants with psutil."""

        def below(self, root: int) -> list[Reading]:
            """Return every descendant, zombies included where their numbers can be read."""
            import psutil

            try:
                children = psutil.Process(root).children(recursive=True)
            except psutil.Error:
                return []
            readings = (_read(child.pid) for child in children)
            return [reading for reading in readings if reading is not None]

    def _read(pid: int) -> Reading | None:
        import psutil

        try:
            process = psutil.Process(pid)
            with process.oneshot():
                times = process.cpu_times()
                return Reading(
                    pid=pid,
                    parent=process.ppid(),
                    session=_session(pid),
                    start=process.create_time(),
                    threads=process.num_threads(),
                    rss=process.memory_info().rss,
                    cpu_seconds=times.user + times.system,
                )
        except psutil.Error:
            return None

    def _session(pid: int) -> int:
        if sys.platform == "win32":
            return pid
        try:
            return os.getsid(pid)
        except OSError:
            return 0

    def _environment(pid: int) -> bytes:
        import psutil

        try:
            variables = psutil.Process(pid).environ()
        except psutil.Error:
            return b""
        return b"".join(os.fsencode(f"{name}={value}\0") for name, value in variables.items())
