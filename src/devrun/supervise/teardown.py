"""``--teardown``: commands that run when all services have ended, one after another."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import inf

import trio

from devrun.errors import SpawnError
from devrun.events import Event, Notice
from devrun.model import ExitStatus, Project, Service, StopPolicy
from devrun.output.journal import Journal
from devrun.process.exits import ChildExits
from devrun.process.group import signal_group
from devrun.process.signals import CHILD, KILL
from devrun.process.spawn import Child
from devrun.sources.signals import STOP_SIGNALS, SignalInbox, StopRequests
from devrun.supervise.launch import Launcher

NOBODY = -1
"""The index in the mark of processes that belong to no service."""


class TeardownSequence:
    """Runs a project's teardown commands, with devrun's own standard streams.

    As with concurrently a command's failure is said and changes nothing else; a signal is passed on
    to the one that runs, and those behind it are not run. A second signal kills it.
    """

    def __init__(
        self,
        project: Project,
        *,
        launcher: Launcher,
        journal: Journal,
        exits: ChildExits,
        signals: SignalInbox,
        publish: Callable[[Event], None],
    ) -> None:
        self._project = project
        self._launcher = launcher
        self._journal = journal
        self._exits = exits
        self._signals = signals
        self._publish = publish
        self._requests = StopRequests()
        self._interrupted = False
        self._running: Child | None = None

    async def run(self) -> None:
        """Run the commands; returns when the last has ended."""
        token = trio.lowlevel.current_trio_token()
        self._signals.subscribe(partial(token.run_sync_soon, self._take_signals, idempotent=True))
        for command in self._project.teardown.commands:
            if self._interrupted:
                break
            await self._run(command)

    async def _run(self, command: str) -> None:
        self._publish(Notice(f'Running teardown command "{command}"'))
        await self._journal.flush()  # The command writes to the same place.
        teardown = self._project.teardown
        service = Service(NOBODY, None, command, self._project.root, shell=teardown.shell, raw=True)
        try:
            self._running = child = self._launcher.launch(service, generation=0)
        except SpawnError as error:
            self._publish(Notice(f'Teardown command "{command}" errored: {error}'))
            return
        status = await self._end_of(child, command)
        self._running = None
        self._publish(Notice(f'Teardown command "{command}" exited with code {status}'))

    async def _end_of(self, child: Child, command: str) -> ExitStatus:
        """Wait for the end of a command; ask it to end, and then kill it, if it takes too long."""
        policy = StopPolicy()
        limit = self._project.teardown.timeout
        for seconds, number in ((limit, policy.signal), (policy.timeout, KILL), (inf, KILL)):
            with trio.move_on_after(seconds):
                return await self._exits.wait(child)
            self._publish(Notice(f'Teardown command "{command}" takes longer than {limit:g} s'))
            signal_group(child.pid, number)
        raise AssertionError("for ever is long enough")

    def _take_signals(self) -> None:
        for number in self._signals.take():
            if number == CHILD:
                self._exits.notify()
            elif number in STOP_SIGNALS:
                self._interrupt(number)

    def _interrupt(self, number: int) -> None:
        again = self._requests.is_another(number)
        if self._running is not None and (again or not self._interrupted):
            signal_group(self._running.pid, KILL if again else number)
        self._interrupted = True
