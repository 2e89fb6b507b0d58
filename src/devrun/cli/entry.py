"""From the words of the command line to the end of the process.

Typer takes 50 ms to import, which is most of what a run needs before its first service starts. So
it serves the help, the completion and the other commands, and a run is read without it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from devrun import __version__
from devrun.cli.defect import report_defect
from devrun.cli.loading import current_folder
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

    from devrun.process.service_notify import ServiceManager

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
    from devrun.cli.overview import in_short

    sys.stderr.write(in_short() + "\n")


def _dispatch(argv: Sequence[str], inbox: SignalInbox, guardian: int | None) -> int:
    words = command_first(argv)
    if words[:1] == ["check"]:
        from devrun.cli.check.command import check

        return check(words[1:], os.environ)
    if is_typers(words):
        from devrun.cli.app import main

        return main(words)
    if words[:1] == ["export"]:
        from devrun.cli.export import export

        return export(words[1:], os.environ)
    if words[:1] == ["startup"]:
        from devrun.cli.startup import startup

        return startup(words[1:], os.environ)
    named = words[:1] in (["run"], ["start"], ["up"])
    command = words.pop(0) if named else "run"
    if command == "start":
        from devrun.config.start_line import read_start_line

        reading = read_start_line(words, os.environ, cwd=current_folder())
    elif command == "up":
        from devrun.config.up_line import read_up_line

        line = read_up_line(words, os.environ, folder=current_folder())
        reading = line if isinstance(line, Request) else line.reading
    else:
        reading = read_command_line(words, os.environ)
    if reading is Request.HELP:
        from devrun.cli.app import main

        return main([command, "--help"] if named else ["--help"])
    if reading is Request.VERSION:
        sys.stdout.write(f"devrun {__version__}\n")
        return ExitCode.OK
    for warning in reading.warnings:
        complain(warning)
    try:
        return start(reading.settings, inbox, guardian, managed=command == "up")
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


def is_typers(words: Sequence[str]) -> bool:
    """Whether a command line is not a run: it begins with a command, or is about completion."""
    first = words[0] if words else ""
    return first in SUBCOMMANDS or first.partition("=")[0] in COMPLETION_OPTIONS


def _manager() -> ServiceManager | None:
    """Return who runs devrun and wants to be told how it is doing."""
    if "NOTIFY_SOCKET" not in os.environ:
        return None
    from devrun.process.service_notify import take_manager

    return take_manager(os.environ)


def start(
    settings: RunSettings, inbox: SignalInbox, guardian: int | None, *, managed: bool = False
) -> int:
    """Run a project; return devrun's exit code, unless a signal is what it ends with.

    Args:
        managed: There can be no second run of this folder and name, whatever it is of.

    Raises:
        UsageError: Something is wrong with the settings; nothing was started.
    """
    from devrun.cli.foreground_keys import companions_of
    from devrun.cli.loading import describer, loader, resolution_of

    cwd = current_folder()
    terminal = os.isatty(1)
    resolution = resolution_of(settings, cwd=cwd, terminal=terminal)
    for warning in resolution.warnings:
        complain(warning)
    project = resolution.project
    if settings.dry_run:
        from devrun.cli.check.command import text_of

        text = text_of(settings, resolution, os.environ, cwd=cwd)
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        return ExitCode.OK
    if not project.services:
        return ExitCode.OK  # --allow-empty
    if project.focus is not None and not (os.isatty(0) and os.isatty(1)):
        raise UsageError("--focus needs a terminal as stdin and stdout")
    default = project.kill_others is KillOthers.ALWAYS and not settings.kill_others
    hint = "--no-kill-others" if default else None
    this = Run(
        project,
        os.environ,
        inbox,
        guardian,
        hint,
        managed=managed or (resolution.defined is not None and not project.procfile),
        load=loader(cwd, terminal=terminal, finish=lambda wanted: wanted),
        describe=describer(settings, resolution, cwd=cwd),
        companions=companions_of(project),
        manager=_manager(),
    )
    verdict = run(this)
    if verdict.signal is not None:
        die_of(verdict.signal)
    return verdict.code
