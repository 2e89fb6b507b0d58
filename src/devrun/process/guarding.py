"""What the guardian does after it has forked: pass signals on, and clear up (Linux)."""

from __future__ import annotations

import os
import select
import signal
import sys
import time

from devrun.process.ending import die_of
from devrun.process.guardian import Senders

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from typing import NoReturn

assert sys.platform == "linux"

UNKILLABLE_AFTER = 5.0
"""Seconds after which processes that survive SIGKILL (state D) are no longer waited for."""


def guarded_signals() -> set[signal.Signals]:
    """Return the signals that the guardian passes on, and SIGCHLD."""
    return {
        signal.SIGINT,
        signal.SIGTERM,
        signal.SIGHUP,
        signal.SIGQUIT,
        signal.SIGTSTP,
        signal.SIGCONT,
        signal.SIGWINCH,
        signal.SIGUSR1,
        signal.SIGUSR2,
        signal.SIGCHLD,
    }


def guard(worker: int, signals: set[signal.Signals]) -> NoReturn:
    """Pass signals on until the worker is gone, kill what it left, end as it ended."""
    senders = Senders()
    stopping = False
    attributes = _terminal_attributes()
    # The worker may have ended already, and its SIGCHLD may be lost: POSIX discards what is pending
    # when a handler is replaced by an action that ignores it (sigaction(3p)).
    number, sender = int(signal.SIGCHLD), (0, 0)
    while True:
        if number == signal.SIGCHLD:
            status = _reap(worker)
            if status is not None and not os.WIFSTOPPED(status):
                _kill_leftovers(signals)
                if attributes is not None:
                    _restore_terminal(attributes)
                _end_as(status)
            if status is not None and stopping:
                os.kill(os.getpid(), signal.SIGSTOP)
            stopping = stopping and status is None
        else:
            if number == signal.SIGTSTP:
                stopping = _has_job_control()
            is_for_worker = number != signal.SIGTSTP or stopping
            if is_for_worker and senders.is_new(number, sender, time.monotonic()):
                _send(worker, number)
        info = signal.sigwaitinfo(signals)
        number, sender = info.si_signo, (info.si_code, info.si_pid)


def _terminal_attributes() -> list[int | list[bytes | int]] | None:
    """Return how the terminal is set, where ``--focus`` is going to set it otherwise."""
    if not any(word.startswith("--focus") for word in sys.argv[1:]):
        return None
    import termios

    try:
        return list(termios.tcgetattr(0))
    except termios.error:
        return None


def _restore_terminal(attributes: list[int | list[bytes | int]]) -> None:
    import termios

    try:
        termios.tcsetattr(0, termios.TCSADRAIN, attributes)
    except termios.error:
        return  # It has hung up.


def _reap(worker: int) -> int | None:
    """Reap everything that has ended; return the worker's wait status if it has one."""
    result = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
        except ChildProcessError:
            return result
        if pid == 0:
            return result
        if pid == worker:
            result = status


def _kill_leftovers(signals: set[signal.Signals]) -> None:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return  # The usual end: nothing was left.
    from devrun.process import tree

    give_up = time.monotonic() + UNKILLABLE_AFTER
    while True:
        _reap(0)
        left = tree.descendants(os.getpid())
        if not left or time.monotonic() > give_up:
            return
        for process in left:
            tree.send(process, signal.SIGKILL)
        signal.sigtimedwait(signals, 0.005)


def _end_as(status: int) -> NoReturn:
    if os.WIFEXITED(status):
        os._exit(os.WEXITSTATUS(status))
    if os.WTERMSIG(status) == signal.SIGKILL:
        message = "devrun: killed by SIGKILL; every process it had started has been stopped\n"
        poll = select.poll()
        poll.register(2, select.POLLOUT)
        if poll.poll(0):  # Nobody may be reading.
            os.write(2, message.encode())
    die_of(os.WTERMSIG(status))


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # It has just ended; SIGCHLD says so next.


def _has_job_control() -> bool:
    """Whether some shell of this session could continue us (POSIX: group not orphaned)."""
    from devrun.process import tree

    session, group = os.getsid(0), os.getpgrp()
    process = tree.look_up(os.getppid())
    while process is not None and process.session == session:
        if process.group != group:
            return True
        process = tree.look_up(process.parent)
    return False
