"""From the words of the command line to the end of the process.

Typer takes 50 ms to import, which is most of what a run needs before its first service starts. So
the plainest command lines, commands and ``-f FILE``, are read without it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from devrun.cli.defect import report_defect
from devrun.cli.subcommands import SUBCOMMANDS
from devrun.config.selection import NothingToRun
from devrun.config.settings import RunSettings, option_variables
from devrun.errors import DevrunError, ExitCode, UsageError
from devrun.model import KillOthers
from devrun.output.complaint import complain
from devrun.process.ending import die_of
from devrun.process.signals import SIGPIPE
from devrun.runtime import Run, run
from devrun.sources.signals import SignalInbox

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from typing import NoReturn


def enter(argv: Sequence[str], *, inbox: SignalInbox, guardian: int | None) -> NoReturn:
    """Do what the command line says, and end the process.

    Args:
        argv: The words after the program's name.
        guardian: Pid of the guardian, if there is one.
    """
    sys.excepthook = report_defect
    try:
        code = _dispatch(argv, inbox, guardian)
        sys.stdout.flush()
    except DevrunError as error:
        if isinstance(error, NothingToRun):
            _show_help()
        complain(str(error))
        code = int(error.exit_code)
    except BrokenPipeError:
        die_of(SIGPIPE)
    os._exit(code)  # Nothing is left to be done, and unloading Python takes 20 ms.


def _show_help() -> None:
    """Show how devrun is used, beside the output: nobody asked for it."""
    from contextlib import redirect_stdout

    from devrun.cli.app import main

    with redirect_stdout(sys.stderr):
        main(["--help"])


def _dispatch(argv: Sequence[str], inbox: SignalInbox, guardian: int | None) -> int:
    settings = plain_settings(argv, os.environ)
    if settings is not None:
        return start(settings, inbox, guardian)
    from devrun.cli.app import main

    result = main(argv)
    return start(result, inbox, guardian) if isinstance(result, RunSettings) else result


def plain_settings(argv: Sequence[str], environ: Mapping[str, str]) -> RunSettings | None:
    """Return the settings of a command line of commands and ``-f FILE``; None if it says more.

    That is so if there is another word that looks like an option, a command of devrun's own, or a
    variable that sets an option.
    """
    if not argv or argv[0] in SUBCOMMANDS or not option_variables().isdisjoint(environ):
        return None
    if any(name.startswith("_DEVRUN_") for name in environ):
        return None  # A shell asks for completions.
    files: list[str] = []
    commands: list[str] = []
    words = iter(argv)
    for word in words:
        if word == "-f":
            files.append(next(words, "-"))
        else:
            commands.append(word)
    if any(word.startswith("-") for word in (*files, *commands)):
        return None
    return RunSettings(commands=tuple(commands), files=tuple(files))


def start(settings: RunSettings, inbox: SignalInbox, guardian: int | None) -> int:
    """Run a project; return devrun's exit code, unless a signal is what it ends with.

    Raises:
        UsageError: Something is wrong with the settings; nothing was started.
    """
    from devrun.config.resolve import resolve
    from devrun.output.color_level import color_level

    try:
        cwd = os.getcwd()
    except FileNotFoundError:
        raise UsageError("the current folder does not exist any more; change to another") from None
    level = color_level(os.environ, is_terminal=os.isatty(1), choice=settings.color)
    resolution = resolve(settings, cwd=cwd, environ=os.environ, color_level=level)
    for warning in resolution.warnings:
        complain(warning)
    project = resolution.project
    if settings.dry_run:
        from devrun.cli.describe import describe

        sys.stdout.write(describe(project))
        return ExitCode.OK
    default = project.kill_others is KillOthers.ALWAYS and not settings.kill_others
    hint = "--no-kill-others" if default else None
    verdict = run(Run(project, os.environ, inbox, guardian, hint))
    if verdict.signal is not None:
        die_of(verdict.signal)
    return verdict.code
