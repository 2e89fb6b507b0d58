"""One instance's processes: signalling them, and finding what is left of them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from devrun.process import tree
from devrun.process.mark import marks


@dataclass(frozen=True, slots=True)
class Ownership:
    """How a process is recognised as an instance's.

    Attributes:
        sessions: Pids of the main processes of its generations; each led a session.
        mark: The instance's part of the variable ``DEVRUN_INSTANCE``.
    """

    sessions: frozenset[int]
    mark: bytes


def signal_group(pid: int, number: int) -> None:
    """Send a signal once to the process group that ``pid`` leads, gone or not.

    A group that is stopped is continued, or the signal would wait for ever.
    """
    if sys.platform == "win32":
        os.kill(pid, number)
        return
    if pid <= 1:
        return  # Unknown: 0 would be our own group, 1 is not ours to signal.
    leader = tree.look_up(pid)
    members = [] if leader is None else [leader, *tree.descendants(pid)]
    is_stopped = any(process.state == "T" and process.group == pid for process in members)
    try:
        os.killpg(pid, number)
        if is_stopped and number != signal.SIGKILL:
            os.killpg(pid, signal.SIGCONT)
    except (ProcessLookupError, PermissionError):
        return  # Gone, or macOS's answer for a group of zombies (kill(2) there).


def signal_process(pid: int, number: int) -> None:
    """Send a signal to one process, gone or not; one that is stopped is continued."""
    process = tree.look_up(pid)
    if process is None or not tree.send(process, number):
        return
    if process.state == "T" and sys.platform != "win32":
        tree.send(process, signal.SIGCONT)


class Asking:
    """Asks leftovers to end, each process group once.

    Only groups with an orphan in them are asked: a process whose parent lives is the parent's to
    end, and may be stopping in an order of its own (another devrun, a process manager).

    What ignores the signal gets SIGTERM: a shell without job control starts ``command &`` with
    SIGINT ignored (POSIX, Shell Command Language, 2.11).

    Args:
        asked: Groups that had a signal already.
        by: That signal.
    """

    def __init__(self, asked: frozenset[int] = frozenset(), by: int = 0) -> None:
        self._asked = dict.fromkeys(asked, by)
        self._deaf: set[int] = set()

    def ask(self, left: Sequence[tree.Process], number: int) -> tuple[tuple[int, str], ...]:
        """Send a signal to what is left and was not asked before.

        Returns:
            Pid and command line of those that nobody had asked before.
        """
        me = os.getpid()
        orphaned = {process.group for process in left if process.parent == me}
        fresh = orphaned - self._asked.keys()
        self._asked.update(dict.fromkeys(fresh, number))
        asked = tuple(
            (process.pid, tree.command_line(process.pid))
            for process in left
            if process.group in fresh
        )
        for group in fresh:
            signal_group(group, number)
        for process in left:
            if process.group in orphaned and process.pid not in self._deaf:
                self._ask_the_deaf(process)
        return asked

    def _ask_the_deaf(self, process: tree.Process) -> None:
        number = self._asked[process.group]
        if number not in (0, signal.SIGTERM) and tree.ignores(process.pid, number):
            self._deaf.add(process.pid)
            tree.send(process, signal.SIGTERM)


def owned(ownership: Ownership) -> list[tree.Process]:
    """Return every living process of an instance, below devrun.

    A process belongs to it by its parent, by its session, or by its mark; so a daemon that has
    left the session is found as long as it kept its environment.
    """
    mine: set[int] = set()
    found: list[tree.Process] = []
    for process in tree.descendants(os.getpid()):
        if (
            process.parent in mine
            or process.pid in ownership.sessions
            or process.session in ownership.sessions
            or ownership.mark in marks(process.pid)
        ):
            mine.add(process.pid)
            found.append(process)
    return found
