"""``devrun down``: end the project that runs here, and wait until nothing is left of it."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from math import inf

from devrun.cli.control.choice import Place
from devrun.cli.control.line import Line
from devrun.control.client import Unanswered
from devrun.control.listening import ask_when_it_listens
from devrun.control.runs import Running, nearest_first, running
from devrun.errors import ExitCode, UsageError
from devrun.output.complaint import complain
from devrun.process.ended import wait_until_ended
from devrun.process.run_locks import is_held


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
        sys.stdout.write("the project has ended\n")
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
    """End a run; return whether it had to be killed."""
    pids = _processes(run)
    _ask(run, kill=False)
    if wait_until_ended(pids, at_most=seconds):
        return False
    _ask(run, kill=True)
    wait_until_ended(pids)
    return True


def _ask(run: Running, *, kill: bool) -> None:
    try:
        ask_when_it_listens(run, "POST", ("shutdown",), body={"kill": kill})
    except Unanswered:
        # It is ending and has stopped listening, or it hangs: signals are heard in either case.
        if is_held(os.path.dirname(run.socket)):
            with suppress(ProcessLookupError):
                os.kill(run.pid, signal.SIGTERM)


def _processes(run: Running) -> list[int]:
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
