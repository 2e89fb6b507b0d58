"""The runs of this user, as they have announced themselves, and those of a folder."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from devrun.process.private_folder import run_folders

SOCKET = "control.sock"
PROJECT = "project"
"""The file that says which run it is, as JSON; ``control.address`` writes it."""


class Running:
    """A run that may be listening; it may have been killed as well.

    No dataclass, because importing those takes 9 ms: a third of all that ``devrun ps`` takes.

    Raises:
        KeyError: The file has no root.
        OSError, OverflowError, ValueError: What it says can not be.

    Attributes:
        root: Absolute path of the project's folder.
        name: What ``--name`` has called it, or None.
        source: Where its services came from: "devrun.toml", "the command line".
        pid: Of devrun's worker.
        since: When it started, in seconds since the epoch.
        managed: It is the run of its folder and name; there can be no second one.
        detached: It runs without a terminal.
        socket: Path of its socket.
    """

    __slots__ = ("detached", "managed", "name", "pid", "root", "since", "socket", "source")

    def __init__(self, said: Mapping[str, object], socket: str) -> None:
        name, pid, since = said.get("name"), said.get("pid"), said.get("since")
        self.root = str(said["root"])
        if "\0" in self.root:
            raise ValueError(self.root)  # No path (path_resolution(7)).
        self.name = name if isinstance(name, str) else None
        self.source = str(said.get("source", ""))
        self.pid = pid if isinstance(pid, int) and pid > 0 else 0
        self.since = float(since) if isinstance(since, int | float) else 0.0
        time.localtime(self.since)  # Raises what is no moment.
        self.managed = said.get("managed") is True
        self.detached = said.get("detached") is True
        self.socket = socket

    @property
    def folder(self) -> str:
        """The project's folder without links."""
        return os.path.realpath(self.root)

    def is_called(self, name: str) -> bool:
        """Whether ``--name`` means this one: by its name, or by its pid."""
        return name in (self.name, str(self.pid))


def running(environ: Mapping[str, str]) -> list[Running]:
    """Return this user's runs, the oldest first; some may have been killed."""
    import json

    found: list[Running] = []
    for folder in run_folders(environ):
        # What is no file of devrun's is passed over, whatever is wrong with it.
        with suppress(OSError, ValueError, KeyError, OverflowError, RecursionError):
            with open(os.path.join(folder, PROJECT), "rb") as file:
                said = json.loads(file.read().decode("utf-8", "surrogateescape"))
            if isinstance(said, dict):
                found.append(Running(said, os.path.join(folder, SOCKET)))
    return sorted(found, key=lambda run: (run.since, run.pid))


def nearest_first(runs: Iterable[Running], folder: str) -> Iterator[list[Running]]:
    """Yield the runs of a folder, then those of the one above it, up to the root."""
    by_folder: dict[str, list[Running]] = {}
    for run in runs:
        by_folder.setdefault(run.folder, []).append(run)
    place = os.path.realpath(folder)
    while True:
        if place in by_folder:
            yield by_folder[place]
        above = os.path.dirname(place)
        if above == place:
            return
        place = above
