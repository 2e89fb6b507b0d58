"""``devrun exec``: become one command, in the project's environment.

devrun is replaced by the command (``execve(2)``), so that its terminal, its signals and its exit
code are the command's own: nothing stands between.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence

from devrun.config.environment import layers
from devrun.config.exec_line import OneCommand, read_exec_line
from devrun.config.instances import first_port
from devrun.config.option_reader import Request
from devrun.errors import DevrunError, ExitCode, SpawnError
from devrun.output.complaint import complain
from devrun.process.command import SHELL, argv_for, find_program

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from typing import NoReturn


def execute(words: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Become the command; end with 2, 126 or 127 if that cannot be.

    Args:
        words: ``exec`` or ``run-one``, and what stands behind it.
    """
    try:
        command = read_exec_line(words[1:], environ, cwd=os.getcwd())
        if isinstance(command, Request):
            sys.exit(_answer(command, words[0]))
        _become(command, environ)
    except FileNotFoundError:
        complain("the current folder does not exist any more; change to another")
        sys.exit(ExitCode.USAGE)
    except DevrunError as error:
        complain(str(error))
        sys.exit(int(error.exit_code))


def _answer(request: Request, name: str) -> int:
    from devrun import __version__
    from devrun.cli.app import main

    if request is Request.HELP:
        return main([name, "--help"])
    sys.stdout.write(f"devrun {__version__}\n")
    return ExitCode.OK


def _become(command: OneCommand, environ: Mapping[str, str]) -> NoReturn:
    variables = layers(command.environment, environ)
    env = {name: variable.value for name, variable in variables.items()}
    env |= dict(command.env)
    if command.port is not None:
        env["PORT"] = str(command.port)
    if command.offset is not None:
        env["PORT"] = str(first_port(variables) + command.offset)
    if command.line and command.shell is not None:
        argv = argv_for(command.words[0], command.shell)
    elif command.line:
        line, *arguments = command.words
        rest = ' "$@"' if arguments else ""
        argv = [SHELL, "-c", line + rest, *(["sh", *arguments] if arguments else [])]
    else:
        argv = list(command.words)
    program = find_program(argv[0], cwd=command.cwd, env=env)
    os.chdir(command.cwd)
    # Python ignores these, and what is ignored stays so in the program that is executed.
    for name in ("SIGPIPE", "SIGXFSZ"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execve(program, argv, env)
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise SpawnError(f'cannot execute "{argv[0]}": {reason}', ExitCode.NOT_EXECUTABLE) from None
