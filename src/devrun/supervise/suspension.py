"""Signals that are for the services as much as for devrun: stop, continue, user signals."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

from devrun.model import Service
from devrun.process import tree
from devrun.process.command import argv_of, runs_in_shell
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

    A shell that runs a line would die of them; what it runs is meant, unless it has become that
    (``exec``).

    Returns:
        The pids of the processes that it was sent to.
    """
    below = _living(tree.children(child.pid)) if _is_shell(service, child) else []
    found = below or _living([child.pid])
    return [process.pid for process in found if tree.send(process, number)]


def _is_shell(service: Service, child: Child) -> bool:
    """Whether a shell runs a service's line still: one that has become a program is that program.

    Its arguments are others then (``execve(2)``).
    """
    if not runs_in_shell(service):
        return False
    began = b" ".join(map(os.fsencode, argv_of(service))).decode(errors="replace")
    return tree.command_line(child.pid).rstrip(" ") == began.rstrip(" ")


def _living(pids: Iterable[int]) -> list[tree.Process]:
    found = filter(None, map(tree.look_up, pids))
    return [process for process in found if not process.is_zombie]
