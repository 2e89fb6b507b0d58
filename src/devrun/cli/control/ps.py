"""``devrun ps``: how the services of what runs here are doing."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from devrun.cli.control.choice import Place, answers, each_asked
from devrun.cli.control.line import Line
from devrun.cli.control.saying import VERSION, flush, put, put_json
from devrun.control.client import NotRunning, Refused, Unanswered, ask
from devrun.control.runs import Running, running
from devrun.errors import DevrunError, ExitCode, UsageError
from devrun.output.complaint import complain, escaped

Instance = Mapping[str, object]

PATIENCE = 2.0
"""Seconds without a word after which a run is shown as one that does not answer."""


class Snapshot:
    """A run, as it is at a moment.

    Attributes:
        error: Why nothing is known of its instances, or None.
    """

    __slots__ = ("error", "instances", "run")

    def __init__(
        self, run: Running, instances: Sequence[Instance] = (), error: str | None = None
    ) -> None:
        self.run = run
        self.instances = instances
        self.error = error


def ps(line: Line) -> int:
    """Show every instance of the runs of this folder, or of all; return the exit code.

    Raises:
        NotRunning: There is none.
        UsageError: There is no service of a name, or the options contradict each other.
    """
    if line.has("watch"):
        return _watch(line)
    try:
        found = look(line)
    except NotRunning:
        if line.as_json:
            put_json({"version": VERSION, "runs": []})
            flush()
        raise
    if line.as_json:
        put_json({"version": VERSION, "runs": [_as_json(each) for each in found]})
    else:
        for text in lines_of(line, found, sys.stdout.isatty()):
            put(text)
    flush()
    for each in found:
        if each.error is not None:
            complain(each.error)
    return ExitCode.FAILURE if any(each.error for each in found) else ExitCode.OK


def look(line: Line) -> list[Snapshot]:
    """Ask what there is to be asked.

    Raises:
        NotRunning: Nothing runs.
        UsageError: There is no service of a name.
    """
    found = _everywhere(line.place) if line.has("all") else _here(line.place)
    return _only(found, line.words) if line.words else found


def lines_of(line: Line, found: Sequence[Snapshot], is_terminal: bool) -> list[str]:  # noqa: FBT001
    """Return the table, or one for each run."""
    from devrun.cli.control.ps_table import heading, table

    colored = has_color(line, is_terminal=is_terminal)
    width = columns() if is_terminal else None
    lines: list[str] = []
    for each in found:
        if len(found) > 1 or line.has("all"):
            lines += [*([""] if lines else []), heading(each.run)]
        if each.error is not None and line.has("watch"):
            lines.append(f"devrun: {escaped(each.error)}")
        if each.instances:
            lines += table(each.instances, width, colored=colored)
    return lines


def has_color(line: Line, *, is_terminal: bool) -> bool:
    """Whether there is to be colour: what was asked for, then conventions, then the terminal."""
    environ = line.environ
    forced = "FORCE_COLOR" in environ or "CLICOLOR_FORCE" in environ
    if line.color is None and not is_terminal and not forced:
        return False
    from devrun.output.color_level import color_level

    return bool(color_level(environ, is_terminal=is_terminal, choice=line.color))


def columns() -> int | None:
    """Return the width of stdout, if it is a terminal."""
    try:
        return os.get_terminal_size(1).columns or None
    except OSError:
        return None


def _here(place: Place) -> list[Snapshot]:
    return [snapshot for _, snapshot in answers(place, _snapshot_of)]


def _snapshot_of(run: Running) -> Snapshot:
    """Ask a run for its instances; if it gives no answer, that is what is shown.

    Raises:
        Killed: Nothing listens there.
    """
    try:
        listed = ask(run, "GET", ("instances",), patience=PATIENCE).get("instances")
    except (Unanswered, Refused) as error:
        return Snapshot(run, error=str(error))
    if not isinstance(listed, list):
        return Snapshot(run)
    return Snapshot(run, [each for each in listed if isinstance(each, dict)])


def _everywhere(place: Place) -> list[Snapshot]:
    wanted = [
        run for run in running(place.environ) if place.name is None or run.is_called(place.name)
    ]
    found = [snapshot for _, snapshot in each_asked(wanted, _snapshot_of)]
    if not found:
        called = "" if place.name is None else f' that is called "{place.name}"'
        raise NotRunning(f"no devrun{called} of yours runs")
    return found


def _only(found: Sequence[Snapshot], names: Sequence[str]) -> list[Snapshot]:
    known = {str(each[key]) for s in found for each in s.instances for key in ("service", "name")}
    for name in names:
        if name not in known:
            from devrun.config.nearest import choices

            services = dict.fromkeys(str(e["service"]) for s in found for e in s.instances)
            raise UsageError(f'no service "{name}" runs{choices(name, [*services])}')
    wanted = frozenset(names)
    chosen = [
        Snapshot(each.run, [i for i in each.instances if {i["service"], i["name"]} & wanted])
        for each in found
    ]
    return [each for each in chosen if each.instances]


def _as_json(snapshot: Snapshot) -> Mapping[str, object]:
    run = snapshot.run
    return {
        "name": run.name,
        "root": run.root,
        "source": run.source,
        "pid": run.pid,
        "since": run.since,
        "managed": run.managed,
        "detached": run.detached,
        "error": snapshot.error,
        "instances": list(snapshot.instances),
    }


def _watch(line: Line) -> int:
    if line.as_json:
        raise UsageError("--watch and --json contradict each other; leave one out")
    if not sys.stdout.isatty():
        raise UsageError("--watch needs a terminal as stdout")
    from devrun.cli.control.redrawing import redraw

    def shown() -> list[str]:
        try:
            return lines_of(line, look(line), is_terminal=True)
        except UsageError:
            raise
        except DevrunError as error:
            return [f"devrun: {error}"]

    shown()  # What is wrong with the line is said before the screen changes.
    return redraw(shown)
