"""All services of a run together: who starts, who ends whom, and the end of the run.

The supervisor hears signals, file changes and the ends of services, and answers with messages to
the services' tasks. Stopping is such a message, and has a reason; cancellation means that devrun
itself failed, or was told a third time. Either way nothing is left running.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import trio

from devrun.events import Event, LeftBehind, Notice, StopReason
from devrun.model import Project, Roster
from devrun.output.screen import Size
from devrun.sources.signals import SignalInbox
from devrun.supervise.endings import Endings
from devrun.supervise.interrupts import Interrupts, stop_signal
from devrun.supervise.last_processes import clear_up, kill_everything
from devrun.supervise.lives import Lives
from devrun.supervise.members import Members
from devrun.supervise.messages import Level, Skip, Start
from devrun.supervise.news import News
from devrun.supervise.outcome import Verdict
from devrun.supervise.service import ServiceTask
from devrun.supervise.shutdown import Shutdown
from devrun.supervise.side_tasks import SideTasks
from devrun.supervise.state import Phase, State
from devrun.supervise.surroundings import Surroundings
from devrun.supervise.terminals import Terminals
from devrun.supervise.turns import Turns

TYPE_CHECKING = False  # output.focus is not for every run
if TYPE_CHECKING:
    from devrun.sources.keyboard import Keyboard
    from devrun.supervise.orders import Orders
    from devrun.supervise.reload import Reloads
    from devrun.supervise.standing import Standing


class Supervisor:
    """Runs a project's services to their end.

    Args:
        services: The project's, which may become more.
        signals: Where signals are recorded.
        guardian: Pid of the guardian, if there is one.
        size_for: Rows and columns for a service's pseudo-terminal, as they are now.
        policy_hint: The flag that keeps the others running, if ending them is a default.
    """

    def __init__(
        self,
        project: Project,
        services: Roster,
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
        self._size_for = size_for
        self.terminals = Terminals(project, around.taps, size_for)
        """The services' terminals."""
        self.terminals.follow(services)
        self.lives = Lives(trio.current_time)
        """What has become of each service so far."""
        self.members = Members(
            services,
            around,
            self.lives,
            turns=partial(Turns, project),
            renamed=around.renamed,
        )
        self._tasks = self.members.tasks
        self.news = News()
        """Who hears at once what happens to services."""
        self.shutdown = Shutdown(
            self.members,
            around,
            self.news,
            candidates=self._candidates,
            hint=policy_hint,
        )
        """The end of the run."""
        self._interrupts = Interrupts(
            signals,
            self._tasks,
            around.exits,
            candidates=self._candidates,
            guardian=guardian,
            size_for=self.terminals.size,
            shutdown=self.shutdown,
        )
        self._reloads: Reloads | None = None
        self._orders: Orders | None = None
        self._side_tasks = SideTasks(
            project,
            self._tasks,
            around,
            interrupts=self._interrupts,
            size_for=self.terminals.size,
            reloads=lambda: self.reloads,
            is_reloading=self._is_reloading,
        )
        self._endings = Endings(project)
        self._seen: dict[int, Phase] = {}
        self._has_ended = False
        for listener in (self.terminals.take, self._endings.hear, self.lives.take):
            self.news.subscribe(listener)
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
        wake = partial(token.run_sync_soon, self._interrupts.take, idempotent=True)
        try:
            with self.shutdown.everything:
                async with trio.open_nursery() as sources:
                    await self._start(sources, wake, pumps)
                    sources.cancel_scope.cancel()
                await self._clear_up()
                self.orderly = self.shutdown.reason is not StopReason.GUARDIAN_GONE
        finally:
            kill_everything()
        self.over.set()
        for task in self._tasks:
            task.end_output_soon()

    def verdict(self) -> Verdict:
        """Return how devrun ends."""
        reason, received = self.shutdown.reason, self.shutdown.received
        return self._endings.verdict(reason, received, but=self.members.removed)

    def observe(self, index: int, news: Event | State) -> None:
        """Hear what happens to a service, at once, however slow the reader of the output is."""
        if not isinstance(news, State):
            self.news.publish(news)
            return
        before = self._seen.get(index, Phase.WAITING)
        self._seen[index] = news.phase
        if self._reloads is not None:
            self._reloads.hear(index, news)
        self.news.wake()
        ends_others = self._endings.take(index, news, trio.current_time())
        if ends_others and self.shutdown.level is None:
            self.shutdown.stop(StopReason.OTHER_EXITED, cause=index)
        if self.shutdown.level is not None:
            self.shutdown.go_on()
            return
        self._tell_others(index, before, news)
        self.fill_slots()

    def _tell_others(self, index: int, before: Phase, state: State) -> None:
        """Have those go down with a service that are to, and those know that wait for it."""
        turns = self.members.turns
        if turns.dependencies is None:
            return
        states = self._states()
        if before is Phase.RUNNING and state.phase is not Phase.RUNNING:
            for other, order in turns.went_down(index, states, trio.current_time()):
                self._tasks[other].send(order)
        for other, order in turns.of_waves(states):
            self._tasks[other].send(order)
        has_failed = state.status is not None and not state.status.ok
        if state.phase is Phase.IDLE and before is not Phase.IDLE and has_failed:
            label = self._tasks[index].spec.label
            for other in turns.left_waiting(index, states):
                self._tasks[other].telling.tell(Notice(f"waits for {label} (failed)", other))

    # -- what is asked of the run ------------------------------------------------------------

    @property
    def is_stopping(self) -> bool:
        """Whether nothing can be started any more."""
        return self.shutdown.level is not None or self._has_ended

    @property
    def is_grouped(self) -> bool:
        """Whether the output is shown service by service, so that none can be added."""
        return self._project.output.group

    @property
    def orders(self) -> Orders:
        """What carries out what is asked of the run."""
        if self._orders is None:
            from devrun.supervise.orders import Orders

            self._orders = Orders(self)
        return self._orders

    def standing(self, index: int) -> Standing:
        """Return how a service stands."""
        from devrun.supervise.standing import standing

        task, dependencies = self._tasks[index], self.members.turns.dependencies
        waits_for = () if dependencies is None else dependencies.missing(index, self._states())
        return standing(
            task.spec,
            task.state,
            self.lives[index],
            waits_for=waits_for,
            is_reloading=self._is_reloading(index),
        )

    def tap(self, index: int, listener: Callable[[bytes], None]) -> Callable[[], None]:
        """Hand on what a service writes, as it is read, from now on; return how to end that."""
        taps = self._around.taps[index]
        taps.append(listener)
        return lambda: taps.remove(listener)

    def size_for(self, index: int) -> Size:
        """Return the rows and columns that a service's terminal has in devrun's own."""
        return self._size_for(index)

    @property
    def guardian(self) -> int | None:
        """Pid of the guardian, if there is one."""
        return self._interrupts.guardian

    def lend_terminal(self, keyboard: Keyboard) -> None:
        """Have the terminal put back while devrun is stopped."""
        self._interrupts.keyboard = keyboard

    async def services_changed(self) -> None:
        """Begin what services need that were added, or are others now."""
        self.terminals.follow(self.members.services)
        self._around.launcher.keep_only(self.members.present())
        await self._side_tasks.services_changed()

    def say_if_all_are_stopped(self) -> None:
        """Say that the run goes on, if nothing runs in it because a user has stopped it."""
        if self.members.held and all(task.state.over for task in self._tasks):
            how = "devrun restart NAME starts a service again, devrun down ends the run"
            self._around.publish(Notice(f"everything is stopped: {how}"))

    def _states(self) -> list[State]:
        return self.members.states()

    async def _stay(self) -> None:
        """Keep the run alive while a service runs, or could be started again by who stopped it."""
        while self.shutdown.level is None and (
            self.members.held or not all(task.state.over for task in self._tasks)
        ):
            await self.news.changed()
        self._has_ended = True

    # -- starting ---------------------------------------------------------------------------

    async def _start(
        self, sources: trio.Nursery, wake: Callable[[], None], pumps: trio.Nursery
    ) -> None:
        async with trio.open_nursery() as services:
            if self._signals.stop_requested:
                self._start_adopted()
            else:
                self.fill_slots()
            self._signals.subscribe(wake)
            self._interrupts.take()  # Before any service gets to run: stopping beats starting.
            self.members.run_task = lambda task: services.start_soon(task.run, pumps)
            services.start_soon(self._stay)
            for task in [*self._tasks]:
                services.start_soon(task.run, pumps)
                # A step ahead of the next, so that what is there at once comes in their order.
                await trio.lowlevel.checkpoint()
            await self._side_tasks.begin(sources)
            if self._project.shutdown_timeout is not None:
                sources.start_soon(self.shutdown.kill_in_time, self._project.shutdown_timeout)

    def _start_adopted(self) -> None:
        """Take over what runs already, though a stop was asked for before there was a loop."""
        for task in self._tasks:
            if task.spec.index in self._around.adopted:
                task.send(Start())

    def fill_slots(self) -> None:
        """Start what waits for its turn, as far as slots and dependencies allow."""
        if self.shutdown.level is None:
            for index, message in self.members.turns.starts(self._states()):
                if isinstance(message, Skip) and message.cause is not None:
                    self._tasks[index].telling.behind(self._tasks[message.cause].telling)
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
                start=self.members.run_task,
                is_stopping=lambda: self.shutdown.level is not None,
                settled=self._reloaded,
                changed=self.news.changed,
            )
            self._reloads = Reloads(stage)
        return self._reloads

    def _candidates(self) -> Iterable[ServiceTask]:
        """Return those that reloads have begun and not finished."""
        return () if self._reloads is None else self._reloads.candidates

    def _is_reloading(self, index: int) -> bool:
        return self._reloads is not None and self._reloads.is_reloading(index)

    def _reloaded(self, index: int) -> None:
        self._seen[index] = self._tasks[index].state.phase
        self.fill_slots()
        self._side_tasks.settled(index)

    # -- the end ----------------------------------------------------------------------------

    async def _clear_up(self) -> None:
        """Stop what services left running when they ended."""
        timeout = max(service.stop.timeout for service in self._project.services)
        now = trio.current_time()
        # What is left had as long as the services, if they took their time; a second at least.
        since = now if self.shutdown.since is None else self.shutdown.since
        self.left_behind += await clear_up(
            self._around.exits,
            number=stop_signal(self._project.services[0], self.shutdown.received),
            deadline=min(now + timeout, max(since + timeout, now + 1.0)),
            kills=lambda: self.shutdown.level is Level.KILL,
        )
