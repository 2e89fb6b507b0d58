"""``devrun up -d``: start the same program in the background, or change the one that runs.

Everything is read and checked before there is a second process: what is wrong is said where it was
asked for, and nothing was started. Then the process forks. The child leads a session of its own,
which no terminal's end reaches, and becomes what ``devrun`` is in the foreground, guardian and all.
The parent waits at a pipe until every service is there or has failed.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence

from devrun.cli.defect import report_defect
from devrun.cli.loading import current_folder, describer, loader, resolution_of
from devrun.config.option_reader import Request
from devrun.config.up_line import UpLine, read_up_line
from devrun.errors import DevrunError, ExitCode, UsageError
from devrun.output.complaint import complain
from devrun.process.detaching import CAN_DETACH, fork, ignore_hangups

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from typing import NoReturn

    from devrun.control.description import Describe
    from devrun.control.runs import Running
    from devrun.model import Project
    from devrun.parts import Inside


def may_detach(words: Sequence[str]) -> bool:
    """Whether ``-d`` may be among the words, before they are read; cheap."""
    return any(
        word.startswith(("--d", "-d")) or (word[:1] == "-" and word[1:2] != "-" and "d" in word)
        for word in words
    )


def up(words: Sequence[str], environ: Mapping[str, str]) -> None:
    """Do what the words say and end the process; return if that is a run in the foreground.

    Args:
        words: What stands behind ``up``.
    """
    sys.excepthook = report_defect
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Quietly, and at once.
    try:
        line = read_up_line(words, environ, folder=current_folder())
        if isinstance(line, Request):
            return
        if line.settings.dry_run and _running(line, environ) is None:
            return
        if not line.detach and not line.settings.dry_run:
            return
        code = _change_or_start(line, environ)
        sys.stdout.flush()
    except DevrunError as error:
        sys.stdout.flush()
        complain(str(error))
        code = int(error.exit_code)
    except BrokenPipeError:
        code = ExitCode.FAILURE
    os._exit(code)


def _running(line: UpLine, environ: Mapping[str, str]) -> Running | None:
    """Return the run of this folder and name, if there is one."""
    from devrun.config.resolve import root_folder, run_name
    from devrun.control.runs import running
    from devrun.process.run_locks import is_held

    root = os.path.realpath(root_folder(line.settings, current_folder()))
    name = run_name(line.settings)
    found = (
        run
        for run in running(environ)
        if run.managed
        and run.folder == root
        and run.name == name
        and is_held(os.path.dirname(run.socket))
    )
    return next(found, None)


def _change_or_start(line: UpLine, environ: Mapping[str, str]) -> int:
    """Change the run that there is, or start one; return the exit code."""
    while True:
        run = _running(line, environ)
        code = _start(line, environ) if run is None else _change(run, line)
        if code is not None:
            return code


def _change(run: Running, line: UpLine) -> int | None:
    """Have a run become what a line says; return the exit code, or None if it has ended."""
    from devrun.cli.changing import Ending, change
    from devrun.cli.down import processes_of
    from devrun.process.ended import wait_until_ended

    processes = processes_of(run)
    try:
        return change(run, line, folder=current_folder())
    except Ending:
        if line.settings.dry_run:
            complain(f"the project is ending (pid {run.pid}), so that nothing differs from it")
            return ExitCode.FAILURE
        complain(f"the project is ending (pid {run.pid}); it is started anew when it has ended")
        wait_until_ended(processes)
        return None


def _start(line: UpLine, environ: Mapping[str, str]) -> int | None:
    """Start the project in the background; return the exit code once it is known how that went.

    Returns:
        The exit code; None if somebody else has begun it at the same moment.

    Raises:
        UsageError: Something is wrong; nothing was started.
    """
    if not CAN_DETACH:
        raise UsageError("up -d is not to be had on Windows; leave out --detach")
    from devrun.cli.waiting_for_up import wait_until_up
    from devrun.control.background import in_background, make_folders
    from devrun.control.state_folder import state_folder
    from devrun.process.run_locks import take_turn

    for warning in line.reading.warnings:
        complain(warning)
    cwd = current_folder()
    try:
        resolution = resolution_of(line.settings, cwd=cwd, terminal=False)
    except UsageError as error:
        raise UsageError(line.reading.in_their_words(str(error))) from error
    for warning in resolution.warnings:
        complain(warning)
    if not resolution.project.services:
        return ExitCode.OK  # --allow-empty
    state = state_folder(resolution.project.root, resolution.project.name, environ)
    make_folders(state)
    turn = take_turn(state)
    if _running(line, environ) is not None:
        os.close(turn)
        return None
    project = in_background(resolution.project, state)
    sys.stdout.flush()
    reader, writer = os.pipe()
    child = fork()
    if not child:
        os.close(reader)
        describe = describer(line.settings, resolution, cwd=cwd)
        _run(project, cwd, state, writer, turn, describe)
    os.close(writer)
    os.close(turn)
    return wait_until_up(child, reader, state)


def _run(
    project: Project, cwd: str, state: str, writer: int, turn: int, describe: Describe
) -> NoReturn:
    """Become the run; its guardian comes first, as in the foreground.

    Args:
        writer: Where whoever waits is told how the run comes up.
        turn: Kept until the run has said which it is, so that no other begins meanwhile.
    """
    from devrun.control.background import (
        OwnLog,
        close_inherited,
        in_background,
        move_to_background,
    )
    from devrun.process import guardian
    from devrun.process.ending import die_of
    from devrun.process.service_notify import take_manager
    from devrun.runtime import Run, run
    from devrun.sources.signals import SignalInbox

    close_inherited(keep=(writer, turn))
    inbox = SignalInbox()

    def before_guarding() -> None:
        os.close(writer)  # Its end says that the run is over.
        os.close(turn)
        inbox.uninstall()

    async def beside(inside: Inside) -> None:
        from devrun.control.detached import report_by_pipe

        os.close(turn)
        inside.bus.subscribe(OwnLog(state))
        await report_by_pipe(writer, inside.supervisor, inside.bus, inside.last_lines)

    try:
        move_to_background(state)
        inbox.install()
        guarded_by = guardian.start(before_guarding=before_guarding)
        ignore_hangups()
        take_manager(os.environ)  # It is for the process that was waited for, if for any.
        load = loader(cwd, terminal=False, finish=lambda wanted: in_background(wanted, state))
        verdict = run(
            Run(
                project,
                os.environ,
                inbox,
                guarded_by,
                managed=True,
                detached=True,
                load=load,
                describe=describe,
                companions=(beside,),
            )
        )
    except DevrunError as error:
        _refuse(writer, error)
        os._exit(error.exit_code)
    if verdict.signal is not None:
        die_of(verdict.signal)
    os._exit(verdict.code)


def _refuse(writer: int, error: DevrunError) -> None:
    """Tell whoever waits why nothing was started."""
    import json

    complain(str(error))
    os.write(writer, json.dumps({"refused": str(error)}).encode("ascii") + b"\n")
