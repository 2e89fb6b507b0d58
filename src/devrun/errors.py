"""What may go wrong in a way that the user can mend, and the exit codes that say so."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of devrun's own; every other code is that of the process which caused it."""

    OK = 0
    FAILURE = 1
    """The success condition failed without a process whose code could be passed on."""
    USAGE = 2
    """Bad command line or configuration: nothing was started."""
    INTERNAL = 70
    """A defect of devrun itself (``EX_SOFTWARE`` of sysexits.h); nothing is left running."""
    SYSTEM = 71
    """The system has no more files or processes to give (``EX_OSERR``); nothing is left running."""
    NOT_EXECUTABLE = 126
    """A program was found but may not be executed (POSIX shell convention)."""
    NOT_FOUND = 127
    """A program was not found (POSIX shell convention)."""
    SIGNAL_BASE = 128
    """Added to a signal's number where a signal ended a process (shell convention)."""


class DevrunError(Exception):
    """An error that is the user's to mend: one line, naming the place and the way out."""

    exit_code = ExitCode.FAILURE


class UsageError(DevrunError):
    """A wrong flag, value, file or name. Raised before anything has been started."""

    exit_code = ExitCode.USAGE


class SpawnError(DevrunError):
    """A process could not be started.

    ``exit_code`` is 127 where the program or its folder does not exist and 126 where it may not
    be executed, as POSIX shells have it.
    """

    def __init__(self, message: str, exit_code: ExitCode) -> None:
        super().__init__(message)
        self.exit_code = exit_code
