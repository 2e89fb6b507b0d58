"""What whole trees of real processes use, and being told when that is too much."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
import trio

from devrun.process import tree
from devrun.process.group import Ownership, owned
from devrun.process.mark import MARK, mark_for
from devrun.process.usage import Sampler, cpu_percent, with_shared_once
from devrun.supervise.memory import HeldBack, OverLimit, Watched, watch_memory

MIB = 1024 * 1024

HOLDS_64_MIB = """
import sys
held = b"x" * (64 << 20)
print("ready", flush=True)
sys.stdin.read()
"""

SHARES_64_MIB = """
import mmap, os, sys
memory = mmap.mmap(-1, 64 << 20)
def touch():
    for place in range(0, len(memory), 4096):
        memory[place] = 1
touch()
reader, writer = os.pipe()
for _ in range(3):
    if os.fork() == 0:
        touch()
        os.write(writer, b"x")
        sys.stdin.read()
        os._exit(0)
got = 0
while got < 3:
    got += len(os.read(reader, 3))
print("ready", flush=True)
sys.stdin.read()
"""


def quoted(program: str) -> str:
    return f"{sys.executable} -c '{program}'"


@pytest.fixture
def start():
    """Start a program in a session of its own; everything below it is gone afterwards."""
    started = []

    def begin(*argv, index=7, env=None, wait=True):
        marks = {MARK: mark_for(index, 1, None)[1]}
        process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, **(marks if env is None else env)},
        )
        started.append(process)
        if wait:
            assert process.stdout.readline() == b"ready\n"
        return process

    yield begin
    for process in started:
        for below in tree.descendants(process.pid):
            tree.send(below, signal.SIGKILL)
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def owner_of(process) -> Ownership:
    return Ownership(frozenset({process.pid}), b"no mark")


def sample_one(process):
    [usage] = Sampler().sample([owner_of(process)])
    return usage


# -- whose, and how much ------------------------------------------------------------------------


def test_the_memory_of_a_server_behind_a_wrapper_counts(start):
    wrapper = start("sh", "-c", f"{quoted(HOLDS_64_MIB)}; true")
    usage = sample_one(wrapper)
    main = next(member for member in usage.members if member.pid == wrapper.pid)
    assert usage.processes == 2
    assert usage.rss > 64 * MIB
    assert main.rss < 16 * MIB, "the wrapper alone would never be over a limit"


def test_memory_that_a_tree_shares_counts_once(start):
    master = start(sys.executable, "-c", SHARES_64_MIB)
    usage = sample_one(master)
    assert usage.processes == 4
    assert usage.pss is None, "the exact number is taken only where it is needed"
    exact = with_shared_once(usage)
    assert usage.rss > 4 * 64 * MIB
    assert 60 * MIB < exact.memory < 150 * MIB
    assert exact.rss == usage.rss


def test_a_child_in_a_session_of_its_own_counts(start):
    shell = start("sh", "-c", f"exec 3<&0; setsid {quoted(HOLDS_64_MIB)} <&3 & wait")
    usage = sample_one(shell)
    assert usage.rss > 64 * MIB
    assert len({member.session for member in usage.members}) == 2


def test_a_process_that_only_its_mark_tells_counts(start):
    _, value = mark_for(7, 1, "1:2")
    daemon = f"exec 3<&0; env {MARK}={value} setsid {quoted(HOLDS_64_MIB)} <&3 & wait"
    shell = start("sh", "-c", daemon, env={MARK: ""})
    by_mark = Ownership(frozenset(), mark_for(7, 1, None)[0].encode())
    stranger = Ownership(frozenset(), mark_for(8, 1, None)[0].encode())
    usage, other = Sampler().sample([by_mark, stranger])
    assert usage.processes == 1
    assert usage.members[0].pid != shell.pid
    assert other.processes == 0


def test_each_instance_gets_its_own_in_one_pass(start):
    small = start("sh", "-c", "echo ready; exec cat")
    large = start("sh", "-c", f"{quoted(HOLDS_64_MIB)}; true")
    sampler = Sampler()
    first, second = sampler.sample([owner_of(small), owner_of(large)])
    assert first.rss < 64 * MIB < second.rss
    for process, usage in ((small, first), (large, second)):
        assert {m.pid for m in usage.members} == {p.pid for p in owned(owner_of(process))}


def test_what_starts_after_a_sample_is_in_the_next(start):
    sampler = Sampler()
    shell = start("sh", "-c", "echo ready; read x; sh -c 'echo ready; read y'; true")
    [before] = sampler.sample([owner_of(shell)])
    shell.stdin.write(b"go\n")
    shell.stdin.flush()
    assert shell.stdout.readline() == b"ready\n"
    [after] = sampler.sample([owner_of(shell)])
    assert (before.processes, after.processes) == (1, 2)


def test_what_has_ended_is_in_no_sample(start):
    cat = start("sh", "-c", "echo ready; exec cat")
    sampler = Sampler()
    assert sampler.sample([owner_of(cat)])[0].processes == 1
    cat.stdin.close()
    os.waitid(os.P_PID, cat.pid, os.WEXITED | os.WNOWAIT)
    assert sampler.sample([owner_of(cat)])[0].processes == 0, "a zombie"
    cat.wait()
    [gone] = sampler.sample([owner_of(cat)])
    assert (gone.members, gone.rss, with_shared_once(gone).pss) == ((), 0, 0)


def test_a_process_that_ends_before_its_shared_memory_is_read_counts_nothing(start):
    server = start(sys.executable, "-c", HOLDS_64_MIB)
    usage = sample_one(server)
    server.kill()
    server.wait()
    assert with_shared_once(usage).memory == 0


def test_the_time_of_children_that_have_ended_counts(start):
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    script = f"echo ready; read x; {quoted(busy)}; echo ready; cat"
    shell = start("sh", "-c", script)
    sampler = Sampler()
    [before] = sampler.sample([owner_of(shell)])
    shell.stdin.write(b"go\n")
    shell.stdin.flush()
    assert shell.stdout.readline() == b"ready\n"
    [after] = sampler.sample([owner_of(shell)])
    assert after.cpu_seconds - before.cpu_seconds >= 0.25
    assert cpu_percent(before, after, 2.0) >= 12.5


# -- being told ---------------------------------------------------------------------------------


async def told_by(watched: Callable, *, until: Callable) -> list:
    """Watch with next to no interval until that is so; return what was told."""
    told: list = []
    looks = 0

    def count():
        nonlocal looks
        looks += 1
        if until(told, looks):
            nursery.cancel_scope.cancel()
        return watched(looks)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(
            lambda: watch_memory(count, lambda *news: told.append(news), interval=0.001)
        )
    return told


async def test_a_tree_over_its_limit_is_told_once_with_what_it_uses(start):
    shell = start("sh", "-c", f"{quoted(HOLDS_64_MIB)}; true")
    instance = Watched(3, 5, owner_of(shell), 32 * MIB)
    [(index, generation, news)] = await told_by(
        lambda looks: [instance] if looks < 4 else [], until=lambda told, looks: looks == 10
    )
    assert (index, generation) == (3, 5)
    assert isinstance(news, OverLimit)
    assert news.limit == 32 * MIB
    assert 64 * MIB < news.used < 128 * MIB


async def test_a_tree_that_shares_memory_is_not_over_its_limit(start):
    master = start(sys.executable, "-c", SHARES_64_MIB)
    instance = Watched(0, 1, owner_of(master), 160 * MIB)
    assert sample_one(master).rss > instance.limit
    told = await told_by(lambda _: [instance], until=lambda told, looks: looks == 8)
    assert told == []


async def test_an_instance_that_stays_over_its_limit_is_held_back(start):
    server = start(sys.executable, "-c", HOLDS_64_MIB)
    told = await told_by(
        lambda looks: [Watched(0, looks // 4, owner_of(server), 32 * MIB)],
        until=lambda told, looks: looks == 20,
    )
    assert [type(news) for _, _, news in told] == [OverLimit, HeldBack]


async def test_nothing_is_told_of_what_stays_below(start):
    server = start(sys.executable, "-c", HOLDS_64_MIB)
    instance = Watched(0, 1, owner_of(server), 640 * MIB)
    assert await told_by(lambda _: [instance], until=lambda told, looks: looks == 6) == []
