"""From a command line to the program that is executed.

A line that is a plain program with plain arguments is executed as it is; everything else is handed
to ``sh -c``, as the peers do. Without a shell in between, signals reach the program itself, one
process less exists, and a program that is missing can be told from one that failed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from devrun.errors import ExitCode, SpawnError
from devrun.model import Service, Shell, ShellKind

SHELL = "/bin/sh"

_SHELL_OPTIONS = {
    ShellKind.POSIX: ("-c",),
    ShellKind.POWERSHELL: ("-NoProfile", "-Command"),
    ShellKind.CMD: ("/d", "/s", "/c"),
}
"""What has a shell run one line; as concurrently and Node's ``child_process`` have it."""

_WORD = re.compile(r"(?:[\w@%+=:,./-]+|'[^']*'|\"[^\"$`\\]*\")+", re.ASCII)
"""A word in which no shell sees anything but itself: no expansion, no operator, no pattern."""

_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")

_BUILT_IN = frozenset(
    """
    . : [ alias bg break builtin case cd command continue declare do done echo elif else
    esac eval exec exit export false fc fg fi for function getopts hash help if in jobs kill
    let local printf pwd read readonly return select set shift source test then time times
    trap true type typeset ulimit umask unalias unset until wait while
    """.split()  # noqa: SIM905 - a list of words is read as words
)
"""What POSIX shells understand themselves (POSIX XCU 2.9.1.1, 2.4 and 2.14, and common more)."""


def is_built_in(word: str) -> bool:
    """Whether a shell understands a command's first word itself."""
    return word in _BUILT_IN


def argv_for(command: str, shell: Shell | None = None) -> list[str]:
    """Return the argument vector that runs ``command``.

    Args:
        shell: What runs every line, or None for ``/bin/sh`` where the line needs one.
    """
    if shell is not None:
        return [shell.program, *_SHELL_OPTIONS[shell.kind], command]
    words = _plain_words(command.strip(" \t"))
    if words is None or "=" in words[0] or words[0] in _BUILT_IN:
        return [SHELL, "-c", command]
    return words


def argv_of(service: Service) -> list[str]:
    """Return the argument vector of a service's main process."""
    if service.argv is not None:
        return list(service.argv)
    return argv_for(service.command, service.shell)


def runs_in_shell(service: Service) -> bool:
    """Whether a service's main process is a shell that runs its line."""
    if service.argv is not None:
        return False
    return service.shell is not None or argv_for(service.command)[0] == SHELL


def _plain_words(line: str) -> list[str] | None:
    """Return the words of a line that holds nothing but words and quotes, else None."""
    words: list[str] = []
    place = 0
    while place < len(line):
        match = _WORD.match(line, place)
        if match is None:
            return None
        words.append(_QUOTED.sub(lambda quoted: quoted[1] or quoted[2] or "", match[0]))
        place = match.end()
        blanks = len(line) - place - len(line[place:].lstrip(" \t"))
        if place < len(line) and not blanks:
            return None
        place += blanks
    return words or None


def find_program(name: str, *, cwd: str, env: Mapping[str, str]) -> str:
    """Return the path of the program that ``name`` means for a process in ``cwd`` with ``env``.

    Raises:
        SpawnError: It does not exist (127), or it may not be executed (126).
    """
    if "/" in name:
        _check_program(name, os.path.join(cwd, name))
        return name
    found: str | None = None
    for folder in os.get_exec_path({"PATH": env.get("PATH", os.defpath)}):
        path = os.path.join(cwd, folder, name)
        if os.path.isfile(path):
            if os.access(path, os.X_OK):
                return path
            found = found or path
    if found is not None:
        message = f'cannot execute "{found}": permission denied'
        raise SpawnError(message, ExitCode.NOT_EXECUTABLE)
    message = f'no such program: "{name}" is in no folder of PATH'
    raise SpawnError(message, ExitCode.NOT_FOUND)


def _check_program(name: str, path: str) -> None:
    if not os.path.exists(path):
        raise SpawnError(f'no such program: "{name}"', ExitCode.NOT_FOUND)
    if os.path.isdir(path):
        raise SpawnError(f'cannot execute "{name}": it is a folder', ExitCode.NOT_EXECUTABLE)
    if not os.access(path, os.X_OK):
        raise SpawnError(f'cannot execute "{name}": permission denied', ExitCode.NOT_EXECUTABLE)
