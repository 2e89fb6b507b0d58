"""``devrun up -d`` where the project runs already: only what has changed is started anew."""

from __future__ import annotations

import json
import os
import select
from collections.abc import Mapping

from devrun.cli.waiting_for_up import (
    IN_THE_BACKGROUND,
    NEXT,
    Rising,
    Said,
    say,
    say_that_it_is_over,
    say_what_failed,
    waiting,
)
from devrun.config.up_line import UpLine
from devrun.control.client import Refused, Stream, Unanswered
from devrun.control.listening import ask_when_it_listens
from devrun.control.runs import Running
from devrun.errors import ExitCode
from devrun.output.complaint import complain
from devrun.process.run_locks import is_held

PATIENCE = 10.0
"""Seconds in which a run has to answer where nothing is to be waited for."""


class Ending(Exception):  # noqa: N818 - a state
    """The run is ending, so that nothing can be changed any more."""


def change(run: Running, line: UpLine, *, folder: str) -> int:
    """Have a run become what a line says, show what differs, and wait; return the exit code.

    Ctrl+C ends the waiting, and nothing else.

    Raises:
        Ending: The run is ending, or has ended; nothing was touched.
        Refused: The line, or a file, is wrong; nothing was touched.
        Unanswered: The run does not answer, or went away.
    """
    return waiting(lambda: _change(run, line, folder), where=_where(run))


def _change(run: Running, line: UpLine, folder: str) -> int:
    dry_run = line.settings.dry_run
    _check_that_it_goes_on(run)
    body = {
        "words": [*line.words],
        "folder": folder,
        "dry_run": dry_run,
        "others_stay": line.names_services,
        "wait": False,
    }
    try:
        said = ask_when_it_listens(run, "POST", ("apply",), body=body, patience=None)
    except (Refused, Unanswered):
        _check_that_it_goes_on(run)
        raise
    something = _show_difference(said)
    for name in _listed(said, "later"):
        hint = "it comes into effect after devrun down, with devrun up"
        complain(f"{str(name).replace('_', '-')} of the whole run is another now; {hint}")
    if not something:
        say(f"nothing has changed (pid {run.pid})")
    if dry_run:
        if something:
            say("nothing was touched; without --dry-run this is put into effect")
        return ExitCode.OK
    return _wait(run, Rising(_begun(said)))


def _check_that_it_goes_on(run: Running) -> None:
    """See that a run answers, and has not begun to end.

    Raises:
        Ending: It has.
        Unanswered: It does not.
    """
    try:
        said = ask_when_it_listens(run, "GET", ("project",), patience=PATIENCE)
    except Unanswered:
        if is_held(os.path.dirname(run.socket)):
            raise
        raise Ending from None
    if said.get("stopping") is True:
        raise Ending


def _show_difference(said: Said) -> bool:
    lines = [f"  added    {name}" for name in _listed(said, "added")]
    lines += [f"  removed  {name}" for name in _listed(said, "removed")]
    for each in _listed(said, "changed"):
        if isinstance(each, dict):
            lines.append(f"  changed  {each['name']}: {', '.join(map(str, each['what']))}")
    for line in lines:
        say(line)
    return bool(lines)


def _begun(said: Said) -> Mapping[str, str]:
    """Return what those are that were begun; say what is not part of the run any more."""
    found: dict[str, str] = {}
    for each in _listed(said, "results"):
        if isinstance(each, dict):
            found[str(each["name"])] = str(each["outcome"])
    for name in [name for name, outcome in found.items() if outcome == "removed"]:
        say(f"{name}: {found.pop(name)}")
    return found


def _wait(run: Running, rising: Rising) -> int:
    """Wait until everything is there or has failed, and show that; return the exit code."""
    with Stream(run, "GET", ("rise",), patience=PATIENCE) as stream:
        while (lines := _more_lines(run, stream)) is not None:
            for line in lines:
                said: Said = json.loads(line)
                if "cut_off" in said:
                    raise Unanswered(f"pid {run.pid} has cut this off: {said['cut_off']}")
                if "over" in said:
                    return _say_how_it_is(run, rising, said)
                rising.take(said)
    raise Unanswered(f"the devrun of {run.root} (pid {run.pid}) has ended")


def _more_lines(run: Running, stream: Stream) -> list[bytes] | None:
    """Return what has arrived; None at the end.

    Raises:
        Unanswered: The run hangs, or went away.
    """
    while not stream.has_more and not select.select([stream], [], [], PATIENCE)[0]:
        ask_when_it_listens(run, "GET", ("project",), patience=PATIENCE)
    return stream.more_lines()


def _say_how_it_is(run: Running, rising: Rising, said: Said) -> ExitCode:
    if said["stopping"]:
        rising.never = [str(name) for name in _listed(said, "waiting")]
        return say_that_it_is_over(rising)
    by_hand = rising.in_state("stopped", "degraded")
    if by_hand:
        complain(f"not up: {', '.join(by_hand)}; devrun restart NAME starts one anew")
    if not say_what_failed(rising, said):
        return ExitCode.OK
    complain(f"the rest goes on{_where(run)} (pid {run.pid}): {NEXT}")
    return ExitCode.FAILURE


def _where(run: Running) -> str:
    return IN_THE_BACKGROUND if run.detached else ""


def _listed(said: Said, name: str) -> list[object]:
    found = said.get(name)
    return found if isinstance(found, list) else []
