"""From the words of a command that asks a running devrun to the end of the process."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

from devrun.cli.control.line import Line, read_line
from devrun.cli.control.saying import Unwritable, flush, put
from devrun.errors import DevrunError, ExitCode

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from types import TracebackType
    from typing import NoReturn


def enter(words: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Do what the words say, and end the process.

    Args:
        words: The command, and what stands behind it.
    """
    sys.excepthook = _report
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Quietly, and at once.
    try:
        code = _do(words[0], words[1:], environ)
        flush()
    except DevrunError as error:
        from devrun.output.complaint import complain

        _flush_quietly()
        complain(str(error))
        code = int(error.exit_code)
    except BrokenPipeError:
        from devrun.process.ending import die_of
        from devrun.process.signals import SIGPIPE

        die_of(SIGPIPE)
    os._exit(code)  # Nothing is left to be done, and unloading Python takes time.


def _flush_quietly() -> None:
    with suppress(BrokenPipeError, Unwritable):
        flush()


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    from devrun.cli.defect import report_defect

    report_defect(kind, error, trace)


def _do(command: str, words: Sequence[str], environ: Mapping[str, str]) -> int:
    line = read_line(command, words, environ)
    if isinstance(line, Line):
        return _answer(line)
    from devrun import __version__
    from devrun.config.option_reader import Request

    if line is Request.HELP:
        from devrun.cli.app import main

        try:
            return main([command, "--help"])
        except BrokenPipeError:
            raise
        except OSError as error:
            raise Unwritable(error) from error
    put(f"devrun {__version__}")
    return ExitCode.OK


def _answer(line: Line) -> int:
    match line.command:
        case "ps":
            from devrun.cli.control.ps import ps as do
        case "logs":
            from devrun.cli.control.logs import logs as do
        case "restart":
            from devrun.cli.control.lifecycle import restart as do
        case "stop":
            from devrun.cli.control.lifecycle import stop as do
        case "reload":
            from devrun.cli.control.lifecycle import reload as do
        case "down":
            from devrun.cli.down import down as do
        case "scale":
            from devrun.cli.control.scaling import scale as do
        case "signal":
            from devrun.cli.control.signalling import send as do
        case "show":
            from devrun.cli.control.show import show as do
        case "events":
            from devrun.cli.control.events import events as do
        case "attach":
            from devrun.cli.control.attach import attach as do
        case _:
            from devrun.cli.control.waiting import wait as do
    return do(line)
