"""``devrun down``: end the project that runs here, and wait until nothing is left of it."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from math import inf

from devrun.cli.control.choice import Place
from devrun.cli.control.line import Line
from devrun.cli.control.saying import put
from devrun.control.client import Refused, Unanswered
from devrun.control.listening import ask_when_it_listens
from devrun.control.runs import Running, nearest_first, running
from devrun.errors import DevrunError, ExitCode, UsageError
from devrun.output.complaint import complain
from devrun.process.ended import wait_until_ended
from devrun.process.run_locks import is_held
from devrun.process.signals import CONTINUE, KILL

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from collections.abc import Sequence

ANSWERS_WITHIN = 5.0
"""Seconds in which a run has to answer before it gets a signal; fewer if there is less time."""

AT_LEAST = 0.1
"""Seconds for that in any case."""

STILL_THERE = 5.0
"""Seconds after that signal after which it is said that the run is still there."""

KILLED_WITHIN = 5.0
"""Seconds in which a run that is told to kill everything, or is killed, has to have ended."""

_ITS_OWN_MATTER = 500
"""HTTP statuses from this one on are not about what was asked."""


class Undying(DevrunError):  # noqa: N818 - a state, not a defect
    """A run does not end, whatever is done; ``str`` says so in one line."""

    exit_code = ExitCode.FAILURE


def down(line: Line) -> int:
    """End a run as SIGTERM does; what does not run is no failure. Return the exit code.

    Raises:
        UsageError: There are several, or the time is no time.
    """
    line.without_words()
    seconds = _seconds(line.text("kill_after"))
    run = _the_run(line.place)
    if run is None:
        if line.as_json:
            _put_json(None, killed=False)
        where = os.path.realpath(line.place.folder)
        complain(f"no devrun runs in {where}; nothing is to be ended")
        return ExitCode.OK
    killed = _end(run, seconds)
    if line.as_json:
        _put_json(run, killed=killed)
    elif killed:
        complain(f"the project did not end within {seconds:g} s and was killed")
    else:
        put("the project has ended")
    return ExitCode.OK


def _seconds(text: str | None) -> float:
    if text is None:
        return inf
    from devrun.config.values import duration

    return duration(text, "--timeout")


def _the_run(place: Place) -> Running | None:
    """Return the run that is meant, of those of the nearest folder; None if there is none.

    Of several it is the one that ``up`` and files have, because there can be one of these only.
    """
    for runs in nearest_first(running(place.environ), place.folder):
        found = [
            run
            for run in runs
            if (place.name is None or run.is_called(place.name))
            and is_held(os.path.dirname(run.socket))
        ]
        unnamed = [run for run in found if run.managed and run.name is None]
        if len(found) > 1 and len(unnamed) != 1:
            choice = " or ".join(f"--name {run.name or run.pid}" for run in found)
            raise UsageError(f"{len(found)} devruns run here; say which one is to end: {choice}")
        if found:
            return unnamed[0] if unnamed else found[0]
    return None


def _end(run: Running, seconds: float) -> bool:
    """End a run; return whether it had to be killed.

    Raises:
        Undying: Not even that has ended it.
    """
    until = time.monotonic() + seconds
    pids = processes_of(run)
    if not _is_asked(run, max(AT_LEAST, min(seconds, ANSWERS_WITHIN)), kill=False):
        # It is ending and has stopped listening, or has too many clients, or hangs: a signal is
        # heard nevertheless, by one that hangs as soon as it goes on.
        _send(run.pid, signal.SIGTERM)
        if seconds == inf and not wait_until_ended(pids, at_most=STILL_THERE):
            complain(f"pid {run.pid} does not answer; it has got SIGTERM, --timeout 10s would kill")
    if wait_until_ended(pids, at_most=max(0.0, until - time.monotonic())):
        return False
    if _is_asked(run, KILLED_WITHIN, kill=True) and wait_until_ended(pids, at_most=KILLED_WITHIN):
        return True
    _kill(pids)
    if not wait_until_ended(pids, at_most=2 * KILLED_WITHIN):
        raise Undying(f"pid {run.pid} has been killed, and has not ended; ps -l may say why")
    return True


def _kill(pids: Sequence[int]) -> None:
    """Kill a run's worker; what it has started goes with it.

    Args:
        pids: The worker's, and that of the guardian if there is one.
    """
    from devrun.process.tree import descendants, send

    worker, *guardian = pids
    left = [] if guardian else descendants(worker)
    _send(worker, KILL)
    for process in left:
        send(process, KILL)
    for pid in guardian:
        _send(pid, CONTINUE)  # Whoever has stopped the worker may have stopped both.


def _is_asked(run: Running, patience: float, *, kill: bool) -> bool:
    """Ask a run to end; return whether it has heard that.

    Raises:
        Refused: It does not want to.
    """
    try:
        ask_when_it_listens(run, "POST", ("shutdown",), body={"kill": kill}, patience=patience)
    except Unanswered:
        return not is_held(os.path.dirname(run.socket))
    except Refused as refused:
        if refused.status < _ITS_OWN_MATTER:
            raise
        return False
    return True


def _send(pid: int, number: int) -> None:
    if pid <= 0:
        return  # Others than the one process would get it (kill(2)).
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def processes_of(run: Running) -> list[int]:
    """Return the processes of devrun itself: the run's, and the one that guards it."""
    from devrun.process.tree import command_line, look_up

    worker = look_up(run.pid)
    if worker is None:
        return [run.pid]
    is_guardian = worker.parent > 1 and command_line(worker.parent) == command_line(run.pid)
    return [run.pid, worker.parent] if is_guardian else [run.pid]


def _put_json(run: Running | None, *, killed: bool) -> None:
    from devrun.cli.control.saying import VERSION, put_json

    pid = None if run is None else run.pid
    put_json({"version": VERSION, "ended": run is not None, "pid": pid, "killed": killed})
