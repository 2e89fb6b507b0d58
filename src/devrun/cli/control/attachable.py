"""Which instance ``devrun attach`` is for, and whether there is anything to attach to."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence

from devrun.cli.control.choice import runs_with
from devrun.cli.control.line import Line
from devrun.control.client import ask
from devrun.control.runs import Running
from devrun.errors import ExitCode, UsageError
from devrun.output.complaint import complain
from devrun.process.mark import LASTING_MARK, MARK

OVER = frozenset(("completed", "failed", "skipped"))
"""States in which nothing but an order starts an instance again. One that was stopped is waited
for: whoever has stopped it has an order in mind."""


def instance(line: Line) -> tuple[Running, str]:
    """Return the instance that is named, and its run.

    Raises:
        UsageError: There is none, or there are several.
    """
    if len(line.words) > 1:
        raise UsageError(f"attach takes one name; there is {line.words[1]} too")
    line.with_words("devrun attach web")
    services, name = runs_with(line.place, line.words)[0]
    labels = services.by_service.get(name, [name])
    if len(labels) > 1:
        listed = f"{', '.join(labels[:-1])} or {labels[-1]}"
        raise UsageError(f"{name} has {len(labels)} instances; say which one: {listed}")
    return services.run, labels[0]


def refuse_inside(run: Running, label: str, environ: Mapping[str, str]) -> None:
    """Refuse to show an instance in its own terminal, which would show that without end.

    Raises:
        UsageError: What runs this is part of the instance.
    """
    own = _places_in(run, (environ.get(MARK) or environ.get(LASTING_MARK, "")).split("/"))
    if not own:
        return
    pid = ask(run, "GET", ("instances", label)).get("pid")
    if not isinstance(pid, int):
        return
    from devrun.process.mark import marks

    if own & _places_in(run, [mark.decode(errors="replace") for mark in marks(pid)]):
        message = f"attach: this is {label}'s own terminal, which would show itself for ever"
        raise UsageError(f"{message}; write it in another one")


def _places_in(run: Running, marks: Sequence[str]) -> frozenset[str]:
    """Return which services of a run marks are of, whatever their generation."""
    return frozenset(m.rpartition(":")[0] for m in marks if m.startswith(f"{run.pid}:"))


def say_over(run: Running, label: str) -> int:
    """Say that an instance will not run by itself again; return the exit code that it had."""
    said = ask(run, "GET", ("instances", label))
    state, reason, last = said.get("state"), said.get("reason"), said.get("last_exit")
    why = f"{state}: {reason}" if reason else state
    way = f"devrun restart {label} starts it, devrun logs {label} shows what it said"
    complain(f"{label} does not run ({why}); {way}")
    if state == "completed":
        return ExitCode.OK
    code, name = (last.get("code"), last.get("signal")) if isinstance(last, dict) else (None, None)
    if isinstance(code, int) and code:
        return code
    number = getattr(signal, str(name), None)
    return ExitCode.FAILURE if number is None else ExitCode.SIGNAL_BASE + int(number)
