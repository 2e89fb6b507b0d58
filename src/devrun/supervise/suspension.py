"""Signals that are for the services as much as for devrun: stop, continue, user signals."""

from __future__ import annotations

import os
import time

from devrun.model import Service
from devrun.process import tree
from devrun.process.command import runs_in_shell
from devrun.process.signals import CONTINUE, STOP
from devrun.process.spawn import Child


def suspend() -> float:
    """Stop every process, then devrun; go on in the reverse order.

    SIGSTOP, because a process group without a parent in its session ignores SIGTSTP (POSIX 2.4.3),
    and services lead sessions of their own.

    Returns:
        Seconds for which devrun itself was stopped.
    """
    for process in tree.descendants(os.getpid()):
        tree.send(process, STOP)
    before = time.monotonic()
    os.kill(os.getpid(), STOP)
    paused = time.monotonic() - before
    for process in tree.descendants(os.getpid()):
        tree.send(process, CONTINUE)
    return paused


def pass_on(number: int, service: Service, child: Child) -> list[int]:
    """Pass a signal on to a service's program, as foreman does with SIGUSR1 and SIGUSR2.

    A shell that runs a line would die of them; what it runs is meant. One that has become its
    program (``exec``) has nothing below it.

    Returns:
        The pids of the processes that it was sent to.
    """
    below = tree.children(child.pid) if runs_in_shell(service) else []
    found = [process for pid in below or [child.pid] if (process := tree.look_up(pid)) is not None]
    for process in found:
        tree.send(process, number)
    return [process.pid for process in found]
