"""Where a running project listens, and how it is found."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from devrun.process.private_folder import run_folders

SOCKET = "control.sock"
PROJECT = "project"
"""The file that holds the project's folder."""


@dataclass(frozen=True, slots=True)
class Running:
    """A run that may be listening.

    Attributes:
        root: Absolute path of the project's folder.
        socket: Path of its socket.
    """

    root: str
    socket: str


def announce(folder: str, root: str) -> None:
    """Say in a run's private folder which project it is."""
    descriptor = os.open(os.path.join(folder, PROJECT), os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(os.fsencode(root))


def running(environ: Mapping[str, str]) -> Iterator[Running]:
    """Yield this user's runs; some may have been killed."""
    for folder in run_folders(environ):
        with suppress(OSError), open(os.path.join(folder, PROJECT), "rb") as file:
            yield Running(os.fsdecode(file.read()), os.path.join(folder, SOCKET))
