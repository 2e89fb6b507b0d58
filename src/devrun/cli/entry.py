"""From the words of the command line to the end of the process.

Typer takes 50 ms to import, which is most of what a run needs before its first service starts. So
it serves the help, the completion and the other commands, and a run is read without it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from devrun import __version__
from devrun.cli.defect import report_defect
from devrun.cli.subcommands import COMPLETION_OPTIONS, SUBCOMMANDS
from devrun.config.command_line import read_command_line
from devrun.config.option_reader import Request
from devrun.config.selection import NothingToRun
from devrun.config.settings import RunSettings
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

_MOVABLE = frozenset(("start", "export", "exec"))


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
        main(["run", "--help"])


def _dispatch(argv: Sequence[str], inbox: SignalInbox, guardian: int | None) -> int:
    words = command_first(argv)
    if words[:1] == ["reload"] and words[1:2] not in (["--help"], ["-h"]):
        from devrun.cli.reload import reload

        return reload(words[1:], os.environ)
    if words[:1] == ["check"]:
        from devrun.cli.check.command import check

        return check(words[1:], os.environ)
    if is_typers(words, os.environ):
        from devrun.cli.app import main

        return main(words)
    if words[:1] == ["export"]:
        from devrun.cli.export import export

        return export(words[1:], os.environ)
    command = words.pop(0) if words[:1] in (["run"], ["start"]) else "run"
    if command == "start":
        from devrun.config.start_line import read_start_line

        reading = read_start_line(words, os.environ, cwd=_current_folder())
    else:
        reading = read_command_line(words, os.environ)
    if reading is Request.HELP:
        from devrun.cli.app import main

        return main([command, "--help"])
    if reading is Request.VERSION:
        sys.stdout.write(f"devrun {__version__}\n")
        return ExitCode.OK
    for warning in reading.warnings:
        complain(warning)
    try:
        return start(reading.settings, inbox, guardian)
    except NothingToRun:
        raise
    except UsageError as error:
        raise UsageError(reading.in_their_words(str(error))) from error


def command_first(argv: Sequence[str]) -> list[str]:
    """Return the words with the command before its options, as ``honcho -f FILE start`` has them.

    Only where the options are the command's: ``devrun -k start`` runs a program of that name.
    """
    words = list(argv)
    if not words or not words[0].startswith("-") or _MOVABLE.isdisjoint(words):
        return words
    from devrun.config.exec_line import EXEC_FLAGS
    from devrun.config.export_line import EXPORT_FLAGS
    from devrun.config.option_reader import OptionReader
    from devrun.config.start_line import START_FLAGS

    tables = {"start": START_FLAGS, "export": EXPORT_FLAGS, "exec": EXEC_FLAGS}
    for command, flags in tables.items():
        reader = OptionReader(flags)
        try:
            request = reader.read(words, up_to_first_word=True)
        except UsageError:
            continue
        if request is None and reader.words == [command]:
            place = len(words) - len(reader.behind) - 1
            return [command, *words[:place], *reader.behind]
    return words


def _current_folder() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        raise UsageError("the current folder does not exist any more; change to another") from None


def is_typers(words: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether a command line is not a run: it begins with a command, or a shell completes it."""
    first = words[0] if words else ""
    return first in (*SUBCOMMANDS, *COMPLETION_OPTIONS) or "_DEVRUN_COMPLETE" in environ


def start(settings: RunSettings, inbox: SignalInbox, guardian: int | None) -> int:
    """Run a project; return devrun's exit code, unless a signal is what it ends with.

    Raises:
        UsageError: Something is wrong with the settings; nothing was started.
    """
    from devrun.config.resolve import resolve
    from devrun.output.color_level import color_level

    cwd = _current_folder()
    level = color_level(os.environ, is_terminal=os.isatty(1), choice=settings.color)
    resolution = resolve(settings, cwd=cwd, environ=os.environ, color_level=level)
    for warning in resolution.warnings:
        complain(warning)
    project = resolution.project
    if settings.dry_run:
        from devrun.cli.check.command import text_of

        text = text_of(settings, project, os.environ, cwd=cwd)
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        return ExitCode.OK
    if not project.services:
        return ExitCode.OK  # --allow-empty
    if project.focus is not None and not (os.isatty(0) and os.isatty(1)):
        raise UsageError("--focus needs a terminal as stdin and stdout")
    default = project.kill_others is KillOthers.ALWAYS and not settings.kill_others
    hint = "--no-kill-others" if default else None
    verdict = run(Run(project, os.environ, inbox, guardian, hint))
    if verdict.signal is not None:
        die_of(verdict.signal)
    return verdict.code
