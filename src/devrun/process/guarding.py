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
    from collections.abc import Iterable
    from typing import NoReturn

    from devrun.process.tree import Process

assert sys.platform == "linux"

UNKILLABLE_AFTER = 5.0
"""Seconds after which processes that survive SIGKILL (state D) are no longer waited for."""

OUT_OF_REACH_AFTER = 0.5
"""The same where the worker has ended by itself, so that it has waited for them."""

MOST_NAMED = 10
"""Processes that are named; a line that says more would not be read."""


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
    from devrun.process import heir  # The worker has no need of it.

    senders = Senders()
    stopping = False
    attributes = _terminal_attributes()
    next_guardian = heir.appoint(worker)
    # The worker may have ended already, and its SIGCHLD may be lost: POSIX discards what is pending
    # when a handler is replaced by an action that ignores it (sigaction(3p)).
    number, sender = int(signal.SIGCHLD), (0, 0)
    while True:
        if number == signal.SIGCHLD:
            status = _reap(worker)
            if status is not None and not os.WIFSTOPPED(status):
                if next_guardian is not None:
                    heir.dismiss(next_guardian)
                survivors = _kill_leftovers(signals, worker_status=status)
                if attributes is not None:
                    _restore_terminal(attributes)
                elif os.WIFSIGNALED(status) and os.WTERMSIG(status) not in signals:
                    _show_what_is_typed()
                _end_as(status, survivors)
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


def _show_what_is_typed() -> None:
    """Have lines again, and see them: the worker had keys, and was killed.

    What the terminal was like when devrun began is not known: it may have been another job's then.
    """
    import termios

    try:
        if os.tcgetpgrp(0) != os.getpgrp():
            return
        attributes = termios.tcgetattr(0)
        attributes[3] |= termios.ICANON | termios.ECHO
        termios.tcsetattr(0, termios.TCSADRAIN, attributes)
    except (OSError, termios.error):
        return  # It is no terminal, or has hung up.


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


def _kill_leftovers(signals: set[signal.Signals], *, worker_status: int) -> list[Process]:
    """Kill what the worker has left until nothing is; return what cannot be killed."""
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return []  # The usual end: nothing was left.
    from devrun.process import tree

    began = time.monotonic()
    was_killed = os.WIFSIGNALED(worker_status) and os.WTERMSIG(worker_status) == signal.SIGKILL
    while True:
        _reap(0)
        left = tree.descendants(os.getpid())
        waited = time.monotonic() - began
        if not left or waited > UNKILLABLE_AFTER:
            return left
        is_waited_for = waited > OUT_OF_REACH_AFTER and not was_killed
        if is_waited_for and all(map(tree.is_out_of_reach, left)):
            return left
        for process in left:
            tree.send(process, signal.SIGKILL)
        signal.sigtimedwait(signals, 0.005)


def _end_as(status: int, survivors: list[Process]) -> NoReturn:
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        rest = "" if survivors else "; every process it had started has been stopped"
        _say(f"killed by SIGKILL{rest}")
    if survivors:
        _say(f"could not be stopped: {'; '.join(_descriptions(survivors))}")
    if os.WIFEXITED(status):
        os._exit(os.WEXITSTATUS(status))
    die_of(os.WTERMSIG(status))


def _descriptions(survivors: list[Process]) -> Iterable[str]:
    from devrun.process import tree

    for process in survivors[:MOST_NAMED]:
        yield tree.described(process)
    if len(survivors) > MOST_NAMED:
        yield f"and {len(survivors) - MOST_NAMED} more"


def _say(text: str) -> None:
    """Tell the user, if somebody reads what is said."""
    poll = select.poll()
    poll.register(2, select.POLLOUT)
    if poll.poll(0):
        try:
            os.write(2, f"devrun: {text}\n".encode(errors="replace"))
        except OSError:
            return  # The reader, or the terminal, has gone.


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
