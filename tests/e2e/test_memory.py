"""Limits of memory: of whole trees, told twice, acted upon once."""

from __future__ import annotations

import re
import signal
import sys

import pytest
from running import program, until
from supervised import in_order, python, said_by, toml

EATS = """
import os, signal, sys, time
os.makedirs("runs", exist_ok=True)
number = len(os.listdir("runs"))
open(f"runs/{number}", "w").close()
signal.alarm(120)
size = int(sys.argv[1 + min(number, len(sys.argv) - 2)])
block = bytearray(size << 20)
block[::4096] = b"x" * len(block[::4096])
print("holds", size, "MiB", flush=True)
signal.pause()
"""


def stop(run, number=signal.SIGTERM):
    run.signal(number)
    assert run.wait() == -number


@pytest.mark.parametrize(
    "wrapper",
    ["{program}; true", "sh -c '{program} & wait'; true", "setsid --wait {program}; true"],
    ids=["shell", "background", "session"],
)
def test_the_memory_of_a_program_behind_a_shell_counts(devrun, tmp_path, wrapper):
    """The first run is over the limit, the second is not."""
    (tmp_path / "eats.py").write_text(EATS)
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "{wrapper.format(program=f"{sys.executable} eats.py 200 1")}"
        max_memory = "100M"
        """,
    )
    run = devrun().wait_for("holds 200 MiB", "holds 1 MiB")
    used = re.search(r"uses (\d+) MiB, more than its 100 MiB", run.text)
    assert 200 <= int(used[1]) < 260
    in_order(run.text, "holds 200 MiB", "uses ", "restarted", "holds 1 MiB")
    stop(run)
    assert "failed" not in run.text, "it is no crash"


def test_the_memory_of_several_processes_is_added_up(devrun, tmp_path):
    """Each is below the limit; together they are not."""
    (tmp_path / "eats.py").write_text(EATS)
    one = f"{sys.executable} eats.py 70 70 1"
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "{one} & {one} & wait"
        max_memory = "110M"
        """,
    )
    run = devrun().wait_for("more than its 110 MiB", "holds 1 MiB")
    stop(run)


def test_edge_54_what_processes_share_counts_once(devrun, tmp_path):
    """Three processes share 90 MiB; a second service tells when both have been looked at."""
    shares = """
    block = bytearray(90 << 20)
    block[::4096] = b"x" * len(block[::4096])
    signal.alarm(120)
    for _ in range(2):
        if os.fork() == 0:
            signal.alarm(120)
            signal.pause()
    print("shares", flush=True)
    signal.pause()
    """
    (tmp_path / "eats.py").write_text(EATS)
    toml(
        tmp_path,
        f"""
        [services.web]
        command = {python(shares)}
        max_memory = "150M"
        [services.greedy]
        command = "{sys.executable} eats.py 200 1"
        max_memory = "100M"
        depends_on = ["web"]
        """,
    )
    run = devrun().wait_for("shares", "holds 1 MiB")
    stop(run)
    assert not [line for line in said_by(run, "web") if line.startswith("uses")]


def test_below_the_limit_nothing_happens(devrun, tmp_path):
    (tmp_path / "eats.py").write_text(EATS)
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "{program("says_signals")}"
        max_memory = "150M"
        [services.greedy]
        command = "{sys.executable} eats.py 200 1"
        max_memory = "100M"
        """,
    )
    run = devrun().wait_for("READY", "holds 1 MiB")
    stop(run)
    assert run.count("READY") == 1


def test_edge_53_a_limit_below_the_need_at_the_start_makes_no_storm(devrun, tmp_path):
    """The second restart within a short time is put off, and that is said."""
    (tmp_path / "eats.py").write_text(EATS)
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "{sys.executable} eats.py 100"
        max_memory = "50M"
        """,
    )
    run = devrun().wait_for("uses too much memory again: restarting in")
    until(lambda: run.count("holds 100 MiB") == 2, "the second run")
    stop(run)
    assert run.count("more than its 50 MiB") == 1


def test_a_restart_for_memory_stops_with_one_signal(devrun, tmp_path):
    code = """
    def end(number, frame):
        os.write(1, b"got " + b"SIGTERM" + b"\\n")
        os._exit(0)
    signal.signal(signal.SIGTERM, end)
    block = bytearray((200 if not os.path.exists("ran") else 1) << 20)
    block[::4096] = b"x" * len(block[::4096])
    open("ran", "w").close()
    print("holds", len(block) >> 20, flush=True)
    signal.alarm(120)
    while True: signal.pause()
    """
    toml(tmp_path, f'[services.web]\ncommand = {python(code)}\nmax_memory = "100M"')
    run = devrun().wait_for("holds 200", "holds 1\n")
    assert run.count("[web] got SIGTERM") == 1
    stop(run)


@pytest.mark.parametrize("value", ["500", "'500'", "'1K'", "'much'"])
def test_a_limit_without_sense_is_refused(devrun, tmp_path, value):
    toml(tmp_path, f'[services.web]\ncommand = "touch started"\nmax_memory = {value}')
    run = devrun()
    assert run.wait() == 2
    assert len(run.lines) == 1
    assert "max_memory" in run.lines[0]
    assert "500M" in run.lines[0]
    assert not (tmp_path / "started").exists()


def test_what_the_kernel_is_to_hold_it_to(devrun, tmp_path):
    toml(
        tmp_path,
        """
        [services.web]
        command = "ulimit -n; ulimit -Hn; nice"
        limits = { nofile = [64, 128] }
        nice = 5
        """,
    )
    run = devrun()
    assert run.wait() == 0
    assert said_by(run, "web")[:3] == ["64", "128", "5"]
