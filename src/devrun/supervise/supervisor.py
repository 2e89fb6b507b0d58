"""All services of a run together: who starts, who ends whom, and the end of the run.

The supervisor hears signals, file changes and the ends of services, and answers with messages to
the services' tasks. Stopping is such a message, and has a reason; cancellation means that devrun
itself failed, or was told a third time. Either way nothing is left running.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import partial

import trio

from devrun.events import (
    Event,
    Exited,
    LeftBehind,
    SpawnFailed,
    Stopping,
    StopReason,
)
from devrun.model import KillOthers, Project
from devrun.output.screen import Size
from devrun.process.signals import CHILD, CONTINUE, RESIZE, SUSPEND
from devrun.process.spawn import Child, resize
from devrun.sources.keyboard import Keyboard
from devrun.sources.signals import STOP_SIGNALS, SignalInbox, StopRequests
from devrun.supervise.last_processes import clear_up, kill_everything
from devrun.supervise.messages import Level, Restart, Skip, Start, Stop
from devrun.supervise.outcome import Ending, Verdict, ends_others, verdict
from devrun.supervise.service import ServiceTask, Surroundings
from devrun.supervise.state import Phase, State, Then
from devrun.supervise.suspension import pass_on, suspend
from devrun.supervise.turns import Turns

TYPE_CHECKING = False  # output.focus is not for every run
if TYPE_CHECKING:
    from devrun.output.focus import Focused
    from devrun.supervise.reload import Reloads
    from devrun.supervise.watching import Watching


def _not_running(_task: ServiceTask) -> None:
    raise AssertionError("services are started within run()")


class Supervisor:
    """Runs a project's services to their end.

    Args:
        signals: Where signals are recorded.
        guardian: Pid of the guardian, if there is one.
        size_for: Rows and columns for a service's pseudo-terminal, as they are now.
        policy_hint: The flag that keeps the others running, if ending them is a default.
    """

    def __init__(
        self,
        project: Project,
        around: Surroundings,
        *,
        signals: SignalInbox,
        guardian: int | None,
        size_for: Callable[[int], Size],
        policy_hint: str | None,
    ) -> None:
        self._project = project
        self._around = around
        self._signals = signals
        self._guardian = guardian
        self._size_for = size_for
        self._policy_hint = policy_hint
        self._tasks = [ServiceTask(service, around) for service in project.services]
        self._turns = Turns(project)
        self._reloads: Reloads | None = None
        self._watching: Watching | None = None
        self._keyboard = Keyboard()
        self._endings: dict[int, Ending] = {}
        self._seen = [Phase.WAITING] * len(self._tasks)
        self._exited_at: dict[int, float] = {}
        self._level: Level | None = None
        self._reason: StopReason | None = None
        self._received: int | None = None
        self._requests = StopRequests()
        self._stopping_since: float | None = None
        self._everything = trio.CancelScope()
        self._run_task: Callable[[ServiceTask], None] = _not_running
        self._stop_begun = trio.Event()
        self.signalled = trio.Event()
        """Set once a signal has told the run to stop."""
        self.left_behind: list[LeftBehind] = []
        """What services had left running at the end of the run, to be published after all else."""
        self.over = trio.Event()
        """Set once no process is left."""
        self.orderly = False
        """Whether the run has come to its end without being broken off."""
        for child in around.adopted.values():
            if not isinstance(child, Exception):
                around.exits.manage(child)

    async def run(self, pumps: trio.Nursery) -> None:
        """Run until every service is over and nothing they started is left.

        Args:
            pumps: Where output is read, until after the end of this.
        """
        token = trio.lowlevel.current_trio_token()
        wake = partial(token.run_sync_soon, self._take_signals, idempotent=True)
        try:
            with self._everything:
                async with trio.open_nursery() as sources:
                    await self._start(sources, wake, pumps)
                    sources.cancel_scope.cancel()
                await self._clear_up()
                self.orderly = self._reason is not StopReason.GUARDIAN_GONE
        finally:
            kill_everything()
        self.over.set()
        for task in self._tasks:
            task.end_output_soon()

    def verdict(self) -> Verdict:
        """Return how devrun ends."""
        return verdict(
            self._project,
            list(self._endings.values()),
            reason=self._reason,
            received=self._received,
        )

    def stop(
        self,
        reason: StopReason,
        level: Level = Level.ASK,
        *,
        received: int | None = None,
        cause: int | None = None,
    ) -> None:
        """Stop everything; a second call can only make it more urgent."""
        first = self._level is None
        if self._reason is None or received is not None:
            self._reason = reason
        self._level = max(level, self._level or level)
        if first:
            self._stopping_since = trio.current_time()
            running = [t for t in self._tasks if t.state.alive or self._is_adopted(t)]
            signals = dict.fromkeys(self._signal_for(t, received) for t in running or self._tasks)
            hint = self._policy_hint if reason is StopReason.OTHER_EXITED else None
            event = Stopping(reason, tuple(signals), len(running), cause, received, hint)
            if cause is None:
                self._around.publish(event)
            else:
                self._tasks[cause].tell(event)  # Behind the exit that it follows from.
            self._stop_begun.set()
        candidates = () if self._reloads is None else tuple(self._reloads.candidates)
        for task in candidates:
            task.send(Stop(level, self._signal_for(task, received)))
        if level is Level.KILL:
            for task in self._tasks:
                task.send(Stop(level, self._signal_for(task, received)))
        else:
            self._stop_in_order()

    def _stop_in_order(self) -> None:
        """Ask those to stop on which nothing depends any more."""
        for index in self._turns.stops(self._states()):
            task = self._tasks[index]
            task.send(Stop(Level.ASK, self._signal_for(task, self._received)))

    async def _kill_in_time(self, seconds: float) -> None:
        """Kill what is left when the time for stopping the whole project is over."""
        await self._stop_begun.wait()
        await trio.sleep(seconds)
        if self._reason is not None:
            self.stop(self._reason, Level.KILL)

    def _states(self) -> list[State]:
        return [task.state for task in self._tasks]

    def observe(self, index: int, news: Event | State) -> None:
        """Hear what happens to a service, at once, however slow the reader of the output is."""
        if isinstance(news, Exited | SpawnFailed):
            self._exited_at[index] = news.at
        if not isinstance(news, State):
            return
        before, self._seen[index] = self._seen[index], news.phase
        if news.phase is Phase.ENDED and index not in self._endings and news.status is not None:
            at = self._exited_at.get(index, trio.current_time())
            ending = Ending(index, news.status, news.stopped, at)
            self._endings[index] = ending
            if self._level is None and ends_others(self._policy(index), ending):
                self.stop(StopReason.OTHER_EXITED, cause=index)
        if self._level is not None:
            self._stop_in_order()
            return
        if before is Phase.RUNNING and news.phase is not Phase.RUNNING:
            self._tell_dependants(index, news)
        self._fill_slots()

    def _tell_dependants(self, index: int, state: State) -> None:
        """Have those go down with a service that went down that are to."""
        if self._turns.dependencies is None:
            return
        from devrun.policies import OnRestart

        restarts = state.phase is not Phase.ENDED and state.then is not Then.END
        failed = state.then is Then.PAUSE or state.fault is not None
        label = self._tasks[index].spec.label
        follow = self._turns.dependencies.follow(index, restarts=restarts, failed=failed)
        for other, what in follow:
            task = self._tasks[other]
            if what is OnRestart.RESTART:
                task.send(Restart(f"restarting with {label}", at_once=False))
            else:
                task.send(Stop(Level.ASK, task.spec.stop.signal))

    def _policy(self, index: int) -> KillOthers:
        return self._project.services[index].kill_others or self._project.kill_others

    # -- starting ---------------------------------------------------------------------------

    async def _start(
        self, sources: trio.Nursery, wake: Callable[[], None], pumps: trio.Nursery
    ) -> None:
        async with trio.open_nursery() as services:
            if self._signals.stop_requested:
                self._start_adopted()
            else:
                self._fill_slots()
            self._signals.subscribe(wake)
            self._take_signals()  # Before any service gets to run: stopping beats starting.
            self._run_task = lambda task: services.start_soon(task.run, pumps)
            for task in self._tasks:
                services.start_soon(task.run, pumps)
                # A step ahead of the next, so that what is there at once comes in their order.
                await trio.lowlevel.checkpoint()
            if self._project.shutdown_timeout is not None:
                sources.start_soon(self._kill_in_time, self._project.shutdown_timeout)
            if self._project.input_target is not None:
                sources.start_soon(self._pass_input_on)
            if self._around.focused is not None:
                sources.start_soon(self._pass_keys_on, self._around.focused)
            if any(service.max_memory for service in self._project.services):
                from devrun.supervise.memory_guard import guard_memory

                sources.start_soon(
                    guard_memory,
                    self._tasks,
                    self._around.launcher,
                    lambda index: sources.start_soon(self.reloads.reload, [index]),
                )
            if any(service.watch for service in self._project.services):
                from devrun.supervise.watching import Watching

                self._watching = Watching(
                    self._project, self._tasks, self._around, is_reloading=self._is_reloading
                )
                await self._watching.begin(sources)

    def _start_adopted(self) -> None:
        """Take over what runs already, though a stop was asked for before there was a loop."""
        for task in self._tasks:
            if task.spec.index in self._around.adopted:
                task.send(Start())

    def _is_adopted(self, task: ServiceTask) -> bool:
        """Whether its first generation runs, and it has not been told of it yet."""
        return isinstance(self._around.adopted.get(task.spec.index), Child)

    def _fill_slots(self) -> None:
        """Start what waits for its turn, as far as slots and dependencies allow."""
        if self._level is None:
            for index, message in self._turns.starts(self._states()):
                if isinstance(message, Skip) and message.cause is not None:
                    self._tasks[index].tell_behind(self._tasks[message.cause])
                self._tasks[index].send(message)

    @property
    def reloads(self) -> Reloads:
        """What reloads services."""
        if self._reloads is None:
            from devrun.supervise.reload import Reloads, Stage

            stage = Stage(
                self._tasks,
                self._around,
                self._around.launcher,
                start=self._run_task,
                is_stopping=lambda: self._level is not None,
                settled=self._reloaded,
            )
            self._reloads = Reloads(stage)
        return self._reloads

    def instances_of(self, name: str) -> list[int]:
        """Return the indices of a service's instances, or of the one instance of that name."""
        services = [task.spec for task in self._tasks]
        own = [service.index for service in services if service.label == name]
        return own or [service.index for service in services if service.process == name]

    def _is_reloading(self, index: int) -> bool:
        return self._reloads is not None and self._reloads.is_reloading(index)

    def _reloaded(self, index: int) -> None:
        self._seen[index] = self._tasks[index].state.phase
        self._fill_slots()
        if self._watching is not None:
            self._watching.settled(index)

    async def _pass_input_on(self) -> None:
        from devrun.sources.standard_input import lines
        from devrun.supervise.input import InputRouter

        router = InputRouter(
            self._project,
            launcher=self._around.launcher,
            child=lambda index: self._tasks[index].child,
            publish=self._around.publish,
        )
        await router.run(lines())

    async def _pass_keys_on(self, focused: Focused) -> None:
        from devrun.supervise.focus import pass_keys_on

        await pass_keys_on(
            focused,
            self._tasks[focused.service].spec,
            keyboard=self._keyboard,
            child=lambda: self._tasks[focused.service].child,
            publish=self._around.publish,
            size=lambda: self._size_for(focused.service),
        )

    # -- signals ----------------------------------------------------------------------------

    def _take_signals(self) -> None:
        for number in self._signals.take():
            if number in STOP_SIGNALS:
                self._stop_by(number)
            elif number == CHILD:
                self._around.exits.notify()
            elif number == SUSPEND:
                self._suspend()
            elif number == CONTINUE:
                self._check_guardian()
            elif number == RESIZE:
                self._resize()
            else:
                self._pass_on(number)

    def _stop_by(self, number: int) -> None:
        """First ask; then, at a second Ctrl+C or a later SIGTERM, kill; then leave."""
        again = self._requests.is_another(number)
        if self._received is None:
            self._received = number
        self.signalled.set()
        if again and self._level is Level.KILL:
            self._everything.cancel()
        self.stop(StopReason.SIGNAL, Level.KILL if again else Level.ASK, received=self._received)

    def _stop_signal(self, received: int | None) -> int:
        policy = self._project.services[0].stop
        return policy.interrupt if received == signal.SIGINT else policy.signal

    def _signal_for(self, task: ServiceTask, received: int | None) -> int:
        policy = task.spec.stop
        return policy.interrupt if received == signal.SIGINT else policy.signal

    def _check_guardian(self) -> None:
        """SIGCONT is also what the death of the guardian sends (see ``process.guardian``)."""
        if self._guardian is not None and os.getppid() != self._guardian:
            self.signalled.set()
            self.stop(StopReason.GUARDIAN_GONE, Level.KILL)

    def _suspend(self) -> None:
        """Stop every process, then devrun, until it is continued (Ctrl+Z and ``fg``)."""
        if self._around.focused is not None:
            self._keyboard.leave()
        paused = suspend()
        if self._around.focused is not None:
            self._keyboard.enter()
        for task in self._tasks:
            task.add_pause(paused)

    def _resize(self) -> None:
        for task in self._tasks:
            if task.child is not None:
                resize(task.child, self._size_for(task.spec.index))

    def _pass_on(self, number: int) -> None:
        for task in self._tasks:
            if task.child is not None:
                pass_on(number, task.spec, task.child)

    # -- the end ----------------------------------------------------------------------------

    async def _clear_up(self) -> None:
        """Stop what services left running when they ended."""
        timeout = max(service.stop.timeout for service in self._project.services)
        now = trio.current_time()
        # What is left had as long as the services, if they took their time; a second at least.
        since = now if self._stopping_since is None else self._stopping_since
        self.left_behind += await clear_up(
            self._around.exits,
            number=self._stop_signal(self._received),
            deadline=min(now + timeout, max(since + timeout, now + 1.0)),
            kills=lambda: self._level is Level.KILL,
        )
