"""Asks a run that has begun, and may not have come to listening yet."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence

from devrun.control.client import PATIENCE, Killed, Unanswered, ask
from devrun.control.runs import Running
from devrun.process.run_locks import is_held

LISTENS_WITHIN = 10.0
"""Seconds in which a run that has begun has to listen."""

_LOOK_AGAIN = 0.05


def ask_when_it_listens(
    run: Running,
    method: str,
    path: Sequence[str],
    *,
    body: Mapping[str, object] | None = None,
    patience: float | None = PATIENCE,
) -> Mapping[str, object]:
    """Ask a run, as ``control.client.ask`` does.

    Raises:
        Refused: It says no.
        Unanswered: It went away, or says nothing.
    """
    until = time.monotonic() + min(LISTENS_WITHIN, LISTENS_WITHIN if patience is None else patience)
    while True:
        try:
            return ask(run, method, path, body=body, patience=patience)
        except Killed:
            lives = is_held(os.path.dirname(run.socket))
        if not lives or time.monotonic() > until:
            what = "does not listen" if lives else "has ended"
            raise Unanswered(f"the devrun of {run.root} (pid {run.pid}) {what}")
        time.sleep(_LOOK_AGAIN)
