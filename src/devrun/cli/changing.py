"""``devrun up -d`` where the project runs already: only what has changed is started anew."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from devrun.config.up_line import UpLine
from devrun.control.client import Refused
from devrun.control.listening import ask_when_it_listens
from devrun.control.runs import Running
from devrun.errors import ExitCode
from devrun.output.complaint import complain

_UP = frozenset(("starting", "running", "ready", "reloading", "completed", "idle", "mixed"))
"""States that call for nothing to be done."""


def change(run: Running, line: UpLine, *, folder: str) -> int:
    """Have a run become what a line says, and show what differs; return the exit code.

    Raises:
        Refused: The line, or a file, is wrong; nothing was touched.
        Unanswered: The run went away.
    """
    dry_run = line.settings.dry_run
    body = {"words": [*line.words], "folder": folder, "dry_run": dry_run}
    try:
        said = ask_when_it_listens(run, "POST", ("apply",), body=body, patience=None)
    except Refused as refused:
        if "changed" not in refused.said:
            raise
        said = refused.said
    something = _show_difference(said)
    for name in _listed(said, "later"):
        hint = "it comes into effect after devrun down, with devrun up"
        complain(f"{str(name).replace('_', '-')} of the whole run is another now; {hint}")
    if not something:
        _put(f"nothing has changed (pid {run.pid})")
        _show_what_is_not_up(run)
        return ExitCode.OK
    if dry_run:
        _put("nothing was touched; without --dry-run this is put into effect")
        return ExitCode.OK
    return _show_results(said)


def _show_what_is_not_up(run: Running) -> None:
    said = ask_when_it_listens(run, "GET", ("services",))
    down = [
        f"{each['name']} ({each['state']})"
        for each in _listed(said, "services")
        if isinstance(each, dict) and each["state"] not in _UP
    ]
    if down:
        complain(f"not up: {', '.join(down)}; devrun restart NAME starts one anew")


def _show_difference(said: Mapping[str, object]) -> bool:
    lines = [f"  added    {name}" for name in _listed(said, "added")]
    lines += [f"  removed  {name}" for name in _listed(said, "removed")]
    for each in _listed(said, "changed"):
        if isinstance(each, dict):
            lines.append(f"  changed  {each['name']}: {', '.join(map(str, each['what']))}")
    for line in lines:
        _put(line)
    return bool(lines)


def _show_results(said: Mapping[str, object]) -> int:
    code = ExitCode.OK
    for each in _listed(said, "results"):
        if not isinstance(each, dict):
            continue
        reason = f": {each['reason']}" if each["reason"] else ""
        text = f"{each['name']}: {each['outcome']}{reason}"
        if each["outcome"] in ("failed", "skipped"):
            code = ExitCode.FAILURE
            complain(text)
        else:
            _put(text)
    if code:
        complain("the rest goes on: devrun ps and devrun logs show more")
    return code


def _listed(said: Mapping[str, object], name: str) -> list[object]:
    found = said.get(name)
    return found if isinstance(found, list) else []


def _put(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
