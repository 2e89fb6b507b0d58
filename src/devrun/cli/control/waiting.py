"""``devrun wait web --for ready --timeout 30s``: for scripts that go on when a service is there."""

from __future__ import annotations

import re
import time

from devrun.cli.control.choice import Services, by_run, runs_with, the_run
from devrun.cli.control.line import Line
from devrun.cli.control.saying import VERSION, flush, put, put_json
from devrun.control.client import NotRunning, Refused, ask
from devrun.errors import ExitCode, UsageError
from devrun.output.complaint import complain

_BETWEEN_LOOKS = 0.05
"""Seconds."""

_WITHIN = re.compile(r"\bwithin [0-9.e+-]+ s\Z")
"""The end of the API's sentence about what did not happen in time."""

STATES = ("ready", "running", "healthy", "stopped", "exited")


def wait(line: Line) -> int:
    """Wait for services, or for all; return the exit code: 1 if it did not or cannot happen.

    Raises:
        UsageError: There is no such service, or nothing that could be waited for.
    """
    what = line.text("what") or "ready"
    if what not in STATES:
        from devrun.config.nearest import choices

        raise UsageError(f'--for "{what}": that cannot be waited for{choices(what, STATES)}')
    patience = line.text("timeout")
    deadline = _deadline(patience)
    chosen = _chosen(line, deadline)
    reason: str | None = None
    for services, names in chosen:
        reason = reason or _wait_for(services, names, what, deadline)
    if reason is not None and patience is not None:
        # What was asked for is what was left of it.
        reason = _WITHIN.sub(lambda _: f"within {patience}", reason)
    every = [name for _, names in chosen for name in names]
    if line.as_json:
        said = {"version": VERSION, "for": what, "services": every, "reached": reason is None}
        put_json({**said, "reason": reason})
    elif reason is None:
        put(f"{', '.join(every)}: {what}")
    flush()
    if reason is not None:
        complain(reason)
    return ExitCode.OK if reason is None else ExitCode.FAILURE


def _chosen(line: Line, deadline: float | None) -> list[tuple[Services, list[str]]]:
    """Return the runs and the services; with a deadline, a run may still be about to start.

    Raises:
        NotRunning: Nothing runs here, not even now.
    """
    while True:
        try:
            if line.words:
                return by_run(runs_with(line.place, line.words))
            services = the_run(line.place, "is meant")
            return [(services, list(services.by_service))]
        except NotRunning:
            if deadline is None or time.monotonic() >= deadline:
                raise
            time.sleep(_BETWEEN_LOOKS)


def _deadline(text: str | None) -> float | None:
    if text is None:
        return None
    from devrun.config.values import duration

    return time.monotonic() + duration(text, "--timeout")


def _wait_for(
    services: Services, names: list[str], what: str, deadline: float | None
) -> str | None:
    """Wait for services of one run; return why it did not happen, or None if it did."""
    query = [*(("service", name) for name in names), ("for", what)]
    if deadline is not None:
        query.append(("timeout", f"{max(0.0, deadline - time.monotonic()):.3f}"))
    try:
        ask(services.run, "GET", ("wait",), query=query, patience=None)
    except Refused as refused:
        if refused.status not in (408, 409):
            raise
        return str(refused)
    return None
