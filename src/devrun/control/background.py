"""What is other in a run without a terminal: files in place of it. Usable before trio is imported.

``devrun.log`` in the project's state folder gets devrun's own lines, and ``logs/NAME.log`` what a
service writes that has no log file of its own. All of it is this user's alone.
"""

from __future__ import annotations

import os
from collections.abc import Container
from contextlib import suppress
from dataclasses import replace

from devrun.control.state_folder import LOGS
from devrun.errors import DevrunError, ExitCode
from devrun.events import Event, Output
from devrun.model import Project
from devrun.policies import LogFile

LOG = "devrun.log"

MAX_SIZE = 10 * 1024 * 1024
"""Bytes of a service's log file, of which so many are kept:"""
KEEP_FILES = 5

FORMER = 3
"""Logs of devrun's own that are kept of former runs, or from before it had become too long."""

LOOK_AFTER = 1000
"""Lines of devrun's own after which it looks how long its log is."""


class NoPlace(DevrunError):  # noqa: N818 - a state, not a defect
    """There is no place for the log files; ``str`` says why in one line."""

    exit_code = ExitCode.FAILURE


def in_background(project: Project, state: str) -> Project:
    """Return a project as it runs without a terminal.

    Args:
        state: The project's state folder.
    """
    log = LogFile(
        os.path.join(state, LOGS, "{label}.log"),  # A service that is scaled has another label.
        max_size=MAX_SIZE,
        keep_files=KEEP_FILES,
        timestamps=True,
    )
    services = tuple(
        # The terminal that a raw one would share is not there.
        replace(service, log=service.log or log, raw=False)
        for service in project.services
    )
    prefix = replace(project.output.prefix, timestamps=True)
    return replace(project, services=services, output=replace(project.output, prefix=prefix))


def make_folders(state: str) -> None:
    """Make the state folder, which is this user's alone.

    Raises:
        NoPlace: It cannot be made.
    """
    above = os.path.dirname(state)
    try:
        os.makedirs(os.path.dirname(above), exist_ok=True)
        for folder in (above, state, os.path.join(state, LOGS)):
            with suppress(FileExistsError):
                os.mkdir(folder, 0o700)
    except OSError as error:
        raise _no_place(error) from error


def move_to_background(state: str) -> None:
    """Give this process an empty stdin and, as stdout and stderr, a new ``devrun.log``.

    Raises:
        NoPlace: It cannot be written.
    """
    path = os.path.join(state, LOG)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    try:
        _rotate(path)
        log = os.open(path, flags, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
    except OSError as error:
        raise _no_place(error) from error
    for own, descriptor in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(own, descriptor)
    os.close(nothing)
    os.close(log)


def close_inherited(keep: Container[int]) -> None:
    """Close what whoever has started this process has left open: a lock, or the end of a pipe.

    Sockets that were handed over (sd_listen_fds(3)) are among it, for they were meant for the
    process that ``LISTEN_PID`` names, which is not this one.

    Args:
        keep: Descriptors that are its own.
    """
    for name in os.listdir("/dev/fd"):
        if int(name) > 2 and int(name) not in keep:
            with suppress(OSError):  # That of the folder itself is gone already.
                os.close(int(name))
    for variable in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        os.environ.pop(variable, None)


class OwnLog:
    """Begins ``devrun.log`` anew when it has become too long; to be handed every event.

    The guardian stays with the former one; what it has to say is the last word of a run.

    Args:
        state: The project's state folder.
        most: Bytes above which it is too long.
    """

    def __init__(self, state: str, *, most: int = MAX_SIZE) -> None:
        self._state = state
        self._most = most
        self._events = 0

    def __call__(self, event: Event) -> None:
        """Take an event into account, which may have become a line."""
        self._events += not isinstance(event, Output)
        if self._events < LOOK_AFTER:
            return
        self._events = 0
        try:
            if os.fstat(1).st_size > self._most:
                move_to_background(self._state)
        except (OSError, NoPlace):
            return  # The old one stays; there will be another look.


def end_of_log(state: str, most: int = 20) -> list[str]:
    """Return the last lines of ``devrun.log``."""
    try:
        with open(os.path.join(state, LOG), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 64 * 1024))
            return file.read().decode(errors="replace").splitlines()[-most:]
    except OSError:
        return []


def _rotate(path: str) -> None:
    for number in range(FORMER, 0, -1):
        former = path if number == 1 else f"{path}.{number - 1}"
        with suppress(FileNotFoundError):
            os.replace(former, f"{path}.{number}")


def _no_place(error: OSError) -> NoPlace:
    reason = (error.strerror or str(error)).lower()
    message = f"{error.filename}: {reason}: no place for the log files of a run in the background"
    return NoPlace(f"{message}; set XDG_STATE_HOME to a folder of your own")
