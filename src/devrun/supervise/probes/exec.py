"""Ask by running a command, which leaves nothing behind however it ends."""

from __future__ import annotations

import os
from collections.abc import Callable

import trio

from devrun.errors import SpawnError
from devrun.model import ExitStatus
from devrun.output.ansi import without_sequences
from devrun.output.pump import DRAIN, Pump
from devrun.policies import ExecProbe
from devrun.process import tree
from devrun.process.command import argv_for
from devrun.process.exits import ChildExits
from devrun.process.group import signal_group
from devrun.process.mark import LASTING_MARK, MARK, mark_for
from devrun.process.signals import KILL
from devrun.process.spawn import Child, Stdio, spawn
from devrun.supervise.probes.answers import Answer, Failed, Passed, Subject, one_line

Show = Callable[[int], Pump]

KEPT = 8 * 1024
"""Bytes of the command's last output that are kept."""

READ_SIZE = 64 * 1024

MOST_IN_FLIGHT = 1024 * 1024
"""Bytes that the pipe can hold at most when the command ends (pipe(7): pipe-max-size)."""

LAST_WAIT = 2.0
"""Seconds for which the end of a killed command is waited for; one in state D may take for ever."""

NOBODY = -1
"""The index in the mark of processes that belong to no service."""


async def ask_command(
    probe: ExecProbe, subject: Subject, seconds: float, show: Show | None = None
) -> Answer:
    """Pass if the command exits with 0 in time; then, or when cancelled, its tree is killed.

    Args:
        show: Returns what carries the output of a descriptor to those who show it; if nothing is
            said, the output is for the reason alone.
    """
    try:
        child = _start(probe, subject)
    except SpawnError as error:
        return Failed(one_line(str(error)))
    subject.exits.manage(child)
    said = _LastOutput()
    try:
        with trio.move_on_after(seconds):
            return _answer(await _run(child, subject.exits, said, show), said)
        return Failed(said.after(f"still running after {seconds:g} s"))
    finally:
        with trio.move_on_after(LAST_WAIT, shield=True):
            await _clear(child, subject.exits)
        if child.output is not None:
            os.close(child.output)


def _start(probe: ExecProbe, subject: Subject) -> Child:
    """Start the command with a mark of its own, so that it is not taken for the service's."""
    env = dict(subject.env)
    ours = f"{os.getpid()}:"
    outer = "/".join(
        mark for mark in env.get(MARK, "").split("/") if mark and not mark.startswith(ours)
    )
    _, env[MARK] = mark_for(NOBODY, 0, outer or None)
    env[LASTING_MARK] = env[MARK]
    command = probe.command
    argv = argv_for(command, subject.shell) if isinstance(command, str) else list(command)
    return spawn(argv, cwd=subject.cwd, env=env, stdio=Stdio.PIPE)


async def _run(child: Child, exits: ChildExits, said: _LastOutput, show: Show | None) -> ExitStatus:
    if show is not None and child.output is not None:
        pump = show(child.output)
        child.output = None  # The pump closes it.
        pump.taps = (*pump.taps, said.hear)
        return await _run_shown(child, exits, pump)
    async with trio.open_nursery() as nursery:
        if child.output is not None:
            nursery.start_soon(said.read, child.output)
        status = await exits.wait(child)
        nursery.cancel_scope.cancel()
    if child.output is not None:
        said.read_rest(child.output)
    return status


async def _run_shown(child: Child, exits: ChildExits, pump: Pump) -> ExitStatus:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pump.run)
        status = await exits.wait(child)
        pump.process_ended()
        with trio.move_on_after(DRAIN):
            await pump.drained.wait()
        nursery.cancel_scope.cancel()
    return status


async def _clear(child: Child, exits: ChildExits) -> None:
    """Kill what is left of the command, in its group and below it, and reap it."""
    has_ended = child.popen.returncode is not None
    below = [] if has_ended else tree.descendants(child.pid)
    signal_group(child.pid, KILL)
    for process in below:
        tree.send(process, KILL)
    if not has_ended:
        exits.manage(child)
        await exits.wait(child)


def _answer(status: ExitStatus, said: _LastOutput) -> Answer:
    if status.ok:
        return Passed()
    how = f"exit code {status}" if status.code is not None else f"killed by {status}"
    return Failed(said.after(how))


class _LastOutput:
    """The end of what a command has written."""

    def __init__(self) -> None:
        self._kept = b""

    async def read(self, descriptor: int) -> None:
        """Read until nobody can write any more."""
        is_open = True
        while is_open:
            await trio.lowlevel.wait_readable(descriptor)
            is_open = self._take(descriptor) is not None

    def read_rest(self, descriptor: int) -> None:
        """Read what is in the pipe."""
        for _ in range(MOST_IN_FLIGHT // READ_SIZE):
            if not self._take(descriptor):
                return

    def _take(self, descriptor: int) -> int | None:
        """Read once; return how many bytes, or None at the end."""
        try:
            chunk = os.read(descriptor, READ_SIZE)
        except BlockingIOError:
            return 0
        self.hear(chunk)
        return len(chunk) or None

    def hear(self, chunk: bytes) -> None:
        """Take what the command has written."""
        self._kept = (self._kept + chunk)[-KEPT:]

    def after(self, what: str) -> str:
        """Return what happened, with the last line that is not empty."""
        text = without_sequences(self._kept).decode(errors="replace")
        lines = [line for line in map(one_line, text.splitlines()) if line]
        return f"{what}: {lines[-1]}" if lines else what
