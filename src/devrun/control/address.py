"""Where a run listens, what it says of itself there, and that there is one of a kind."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from devrun.control.runs import PROJECT, SOCKET
from devrun.errors import UsageError

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from devrun.control.runs import Running

__all__ = ("PROJECT", "SOCKET", "AlreadyRuns", "Identity", "claim")


class AlreadyRuns(UsageError):  # noqa: N818 - a state, not a defect
    """There is such a run already; ``str`` says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a run says of itself.

    Attributes:
        root: Absolute path of the project's folder.
        name: What ``--name`` has called it, or None.
        source: Where its services came from: "devrun.toml", "the command line".
        since: When it started, in seconds since the epoch.
        managed: It is the run of its folder and name; there can be no second one.
        detached: It runs without a terminal.
    """

    root: str
    name: str | None
    source: str
    since: float
    managed: bool = False
    detached: bool = False


def claim(folder: str, identity: Identity, environ: Mapping[str, str]) -> None:
    """Say in a run's private folder which run it is; before anything of it has been started.

    Raises:
        AlreadyRuns: It is managed, and another one of its folder and name lives.
        OSError: There is no room.
    """
    from devrun.process.private_folder import usual_base
    from devrun.process.run_locks import one_at_a_time

    # Runs of one user may be in different folders, and all of them know the usual one.
    with one_at_a_time(filter(None, (os.path.dirname(folder), usual_base()))):
        if identity.managed:
            _refuse_a_second(folder, identity, environ)
        _announce(folder, identity)


def _refuse_a_second(folder: str, identity: Identity, environ: Mapping[str, str]) -> None:
    from devrun.control.runs import running
    from devrun.process.run_locks import is_held

    root = os.path.realpath(identity.root)
    for run in running(environ):
        if not run.managed or run.name != identity.name or run.folder != root:
            continue
        where = os.path.dirname(run.socket)
        if where != folder and is_held(where):
            raise AlreadyRuns(_already_runs(run))


def _already_runs(run: Running) -> str:
    import time

    since, now = time.localtime(run.since), time.localtime()
    shown = time.strftime("%H:%M" if since[:3] == now[:3] else "%Y-%m-%d %H:%M", since)
    if run.name is None:
        way_out = "--name gives a second one a name of its own"
    else:
        way_out = f'another --name than "{run.name}" gives a second one a name of its own'
    return f"this project runs already (pid {run.pid}, since {shown}, {run.source}); {way_out}"


def _announce(folder: str, identity: Identity) -> None:
    import json

    said = {
        "root": identity.root,
        "name": identity.name,
        "source": identity.source,
        "pid": os.getpid(),
        "since": identity.since,
        "managed": identity.managed,
        "detached": identity.detached,
    }
    path = os.path.join(folder, PROJECT)
    new = f"{path}.new"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        # Names that are no UTF-8 come back as they were: the file is ASCII.
        file.write(json.dumps(said).encode("ascii"))
    os.replace(new, path)  # Whoever looks finds all of it or nothing.
