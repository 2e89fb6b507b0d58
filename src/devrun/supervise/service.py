"""One service's task: take an input, ask the machine, perform the actions."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from typing import assert_never

import trio

from devrun.errors import SpawnError
from devrun.events import Event, Notice, Output, Started
from devrun.model import ExitStatus, Service
from devrun.output.journal import Journal
from devrun.output.pump import Pump
from devrun.process.exits import ChildExits
from devrun.process.spawn import Child, close_input
from devrun.supervise import machine
from devrun.supervise.launch import Launcher
from devrun.supervise.messages import (
    Action,
    Ask,
    AwaitReady,
    BecameReady,
    CheckHealth,
    Clear,
    Deadline,
    Emit,
    Ended,
    Gone,
    Input,
    Kill,
    NotSpawned,
    Spawn,
    Spawned,
)
from devrun.supervise.process_tree import ProcessTree
from devrun.supervise.state import Phase, State

TYPE_CHECKING = False  # output.focus is not for every run
if TYPE_CHECKING:
    from devrun.output.focus import Focused
    from devrun.output.log_files import LogFiles
    from devrun.process.node.channel import Channel
    from devrun.supervise.attention import Attention
    from devrun.supervise.shared_ports import SharedPorts


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every service of a run shares.

    Attributes:
        publish: Hands an event to all who show or record it, in the order of the output.
        over: Hears of a service all of whose events have been published.
        observe: Hands an event or a change of state to the supervisor, at once.
        focused: What shows one service's output at once while it has the terminal, if there is one.
        logs: What writes output to files, if any service has one.
        adopted: First generations that were started before the event loop, by index.
    """

    launcher: Launcher
    journal: Journal
    exits: ChildExits
    publish: Callable[[Event], None]
    over: Callable[[int], None]
    observe: Callable[[int, Event | State], None]
    adopted: dict[int, Child | SpawnError]
    focused: Focused | None = None
    logs: LogFiles | None = None


@dataclass(frozen=True, slots=True)
class Behind:
    """Where a service waits, among what it has to say, until an event is set."""

    event: trio.Event


Told = Event | Pump | Behind | trio.Event
"""What a service has to say, and between that: output to wait for, others to wait for, and what
to set when all before it has been said."""


class ServiceTask:
    """Lives one service's life; ``send`` tells it something, ``run`` ends when it is over.

    Args:
        after: The generation that its first one follows.
    """

    def __init__(self, spec: Service, around: Surroundings, *, after: int = 0) -> None:
        self.spec = spec
        self.state = State(generation=after)
        self._around = around
        self._send, self._inbox = trio.open_memory_channel[Input](inf)
        self._told, self._to_tell = trio.open_memory_channel[Event | Pump | Behind | trio.Event](
            inf
        )
        self._child: Child | None = None
        self._pumps: tuple[Pump, ...] = ()
        self.told_all = trio.Event()
        """Set once all that the service said has been published."""
        self._announced = trio.Event()
        self._heard = trio.Event()
        self._tree = self._new_tree(after)
        self._waiting = trio.CancelScope()
        self._attention: Attention | None = None

    def send(self, message: Input) -> None:
        """Tell the service something; it answers in the order of what it was told."""
        self._send.send_nowait(message)

    def tell(self, event: Event) -> None:
        """Publish an event behind all that this service has said so far."""
        self._told.send_nowait(event)

    def tell_behind(self, other: ServiceTask) -> None:
        """Publish what comes behind all that another service has said, which is over."""
        self._told.send_nowait(Behind(other.told_all))

    def take_over(self, spec: Service, around: Surroundings) -> None:
        """Go on as another configuration of the service has it, and as others hear of it."""
        self.spec = spec
        self._around = around

    async def drain(self) -> bool:
        """Have the present generation finish what it has begun; False if it cannot be told to."""
        ports = None if self._attention is None else self._attention.ports
        if ports is None or not ports.drain():
            return False
        await ports.drained.wait()
        return True

    def release_unused(self) -> None:
        """Close ports that no generation of the service uses any more."""
        if self._attention is not None and self._attention.ports is not None:
            self._attention.ports.release_unused()

    @property
    def child(self) -> Child | None:
        """The main process of the present generation, while it has not ended."""
        return self._child

    async def run(self, pumps: trio.Nursery) -> None:
        """Live; returns when nothing can follow.

        Args:
            pumps: Where the output is carried. That may take longer than the service lives: what
                it left behind may go on writing, and the reader of the output may be slow.
        """
        pumps.start_soon(self._tell)
        try:
            async with trio.open_nursery() as nursery:
                while not self.state.over:
                    self._step(await self._next(), nursery, pumps)
                nursery.cancel_scope.cancel()  # Nobody waits for what could not be killed.
        finally:
            self._told.close()

    def _step(self, message: Input, nursery: trio.Nursery, pumps: trio.Nursery) -> None:
        self.state, actions = machine.step(self.spec, self.state, message, trio.current_time())
        for action in actions:
            self._perform(action, nursery, pumps)
        if isinstance(message, Spawned):
            self._heard.set()
        elif isinstance(message, BecameReady) and self.state.ready and self._attention is not None:
            self._attention.expect_life(nursery)
        self._around.observe(self.spec.index, self.state)

    async def _next(self) -> Input:
        deadline = inf if self._waits_for_reader else self.state.deadline
        with trio.CancelScope(deadline=deadline) as self._waiting:
            return await self._inbox.receive()
        return Deadline()

    @property
    def _waits_for_reader(self) -> bool:
        """Whether a restart has to wait until what was written before it has been taken.

        Otherwise a service that restarts and restarts would pile up pipes that nobody reads.
        """
        return self.state.phase is Phase.PAUSING and not self._is_read

    @property
    def _is_read(self) -> bool:
        return all(pump.drained.is_set() for pump in self._pumps)

    def end_output_soon(self) -> None:
        """Say that no process of the run is left that could write."""
        for pump in self._pumps:
            pump.end_soon()

    def add_pause(self, seconds: float) -> None:
        """Move the deadline by the time for which devrun itself was stopped (Ctrl+Z)."""
        state = self.state
        self.state = replace(
            state,
            deadline=state.deadline + seconds,
            since=state.since + seconds,
            asked_at=state.asked_at + seconds,
        )
        self._waiting.deadline = self.state.deadline

    def _perform(self, action: Action, nursery: trio.Nursery, pumps: trio.Nursery) -> None:
        match action:
            case Spawn():
                self._spawn(action.generation, nursery, pumps)
            case Ask():
                self._ask(action, nursery)
            case Clear():
                nursery.start_soon(self._clear, action, self._tree)
            case Kill():
                nursery.start_soon(self._kill, action, self._tree)
            case AwaitReady():
                if self._attention is not None:
                    self._attention.await_ready(nursery)
            case CheckHealth():
                if self._attention is not None:
                    self._attention.check_health(nursery)
            case Emit():
                self._around.observe(self.spec.index, action.event)
                self._told.send_nowait(action.event)
                if isinstance(action.event, Started):
                    self._told.send_nowait(self._announced)
            case _:
                assert_never(action)

    # -- processes --------------------------------------------------------------------------

    def _ask(self, action: Ask, nursery: trio.Nursery) -> None:
        if self._attention is not None:
            self._attention.stop_probing()
        if self.spec.stop.command is None:
            self._tree.ask(action.signal)
        else:
            nursery.start_soon(self._tree.stop_by_command, self.spec.stop.command, action.signal)

    def _spawn(self, generation: int, nursery: trio.Nursery, pumps: trio.Nursery) -> None:
        self._tree = self._new_tree(generation)
        try:
            child = self._adopt_or_launch(generation)
        except SpawnError as error:
            status = ExitStatus(code=int(error.exit_code))
            self.send(NotSpawned(generation, status, str(error)))
            return
        self._child = self._tree.child = child
        self._announced = trio.Event()
        self._around.exits.manage(child)
        self._pumps = tuple(
            self._new_pump(descriptor, child, generation)
            for descriptor in (child.output, child.errors)
            if descriptor is not None
        )
        for pump in self._pumps:
            pumps.start_soon(pump.run)
        since = trio.current_time() - (time.monotonic() - child.started_at)
        self._heard = trio.Event()
        self._attend(child, generation, nursery)
        self.send(Spawned(generation, child.pid, since))
        nursery.start_soon(self._wait_for, child, generation)

    def _new_pump(self, descriptor: int, child: Child, generation: int) -> Pump:
        pump = Pump(
            descriptor,
            instance=self.spec.index,
            generation=generation,
            journal=self._around.journal,
            publish=self._publish_output,
            after=self._announced,
            terminal=child.terminal is not None,
        )
        pump.is_error = descriptor == child.errors
        if self._around.logs is not None:
            pump.room_elsewhere = self._around.logs.room
        if self._around.focused is not None:
            pump.at_once = self._has_terminal
        return pump

    def _attend(self, child: Child, generation: int, nursery: trio.Nursery) -> None:
        """Ask and hear a generation whose service wants that; plain commands do not."""
        spec = self.spec
        if spec.ready is None and spec.health is None and child.channels is None:
            return
        from devrun.supervise.attention import Attention

        self._attention = Attention(
            spec,
            generation,
            subject=self._tree.subject,
            owned=self._tree.ownership,
            channels=child.channels,
            send=self.send,
            notice=self._notice,
        )
        if child.channels is not None and child.channels.cluster is not None:
            self._attention.ports = self._shared_ports(child.channels.cluster, generation)
        self._attention.listen(nursery)

    def _shared_ports(self, channel: Channel, generation: int) -> SharedPorts:
        from devrun.policies import ListenGate
        from devrun.supervise.shared_ports import SharedPorts

        ready = self.spec.ready

        def listening() -> None:
            if ready is not None and isinstance(ready.gate, ListenGate):
                self.send(BecameReady(generation))

        return SharedPorts(
            self._around.launcher.primary_of(self.spec),
            channel,
            listening=listening,
            notice=self._notice,
        )

    def _notice(self, text: str) -> None:
        self.tell(Notice(text, self.spec.index))

    def _new_tree(self, generation: int) -> ProcessTree:
        return ProcessTree(
            self.spec,
            generation,
            launcher=self._around.launcher,
            exits=self._around.exits,
            tell=self.tell,
            message=lambda: self._attention is not None and self._attention.ask_to_stop(),
        )

    def _has_terminal(self) -> bool:
        """Whether the service has devrun's terminal for itself."""
        focused = self._around.focused
        return focused is not None and focused.holding and focused.service == self.spec.index

    def _adopt_or_launch(self, generation: int) -> Child:
        adopted = self._around.adopted.pop(self.spec.index, None)
        if isinstance(adopted, SpawnError):
            raise adopted
        return (
            adopted if adopted is not None else self._around.launcher.launch(self.spec, generation)
        )

    async def _wait_for(self, child: Child, generation: int) -> None:
        heard, tree, pumps = self._heard, self._tree, self._pumps
        status = await self._around.exits.wait(child)
        successor = None if self._attention is None else self._attention.main_process()
        if successor is not None and successor != child.pid:
            tree.successor = successor
            status = await self._around.exits.wait_adopted(successor)
        await heard.wait()  # The start is told first, however soon the end has come.
        self._child = tree.child = None
        if self._attention is not None:
            self._attention.end()
            self._attention = None
        if child.input != child.output:
            close_input(child)
        if child.terminal is not None:
            os.close(child.terminal)
            child.terminal = None
        for pump in pumps:
            pump.process_ended()
            self._told.send_nowait(pump)
        noticed = time.monotonic()
        before = 0.0 if child.ended_at is None else noticed - child.ended_at
        self.send(Ended(generation, status, before))

    async def _clear(self, action: Clear, tree: ProcessTree) -> None:
        await tree.clear(action.signal, was_asked=self.state.stopped)
        self._gone(action.generation)

    async def _kill(self, action: Kill, tree: ProcessTree) -> None:
        await tree.kill(action.after)
        self._gone(action.generation)

    def _gone(self, generation: int) -> None:
        if self.state.generation == generation:
            self._around.launcher.forget_session(self.spec, generation)
            self.send(Gone(generation, self._is_read))

    # -- events, in the order of the output -------------------------------------------------

    def _publish_output(self, event: Output) -> None:
        if self._attention is not None and self._attention.generation == event.generation:
            self._attention.take(event)
        self._around.publish(event)

    async def _tell(self) -> None:
        """Publish events, each behind the output before it and ahead of the output after it."""
        async for item in self._to_tell:
            if isinstance(item, Pump):
                await item.drained.wait()
                if self.state.phase is Phase.PAUSING:
                    self._waiting.deadline = self.state.deadline
            elif isinstance(item, Behind):
                await item.event.wait()
            elif isinstance(item, trio.Event):
                item.set()
            else:
                await self._around.journal.room(self)
                self._around.publish(item)
        self.told_all.set()
        self._around.over(self.spec.index)
