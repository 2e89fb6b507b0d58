"""One service's task: take an input, ask the machine, perform the actions."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from math import inf
from typing import assert_never

import trio

from devrun.errors import SpawnError
from devrun.events import Event, Notice, Output, Started
from devrun.model import ExitStatus, Service
from devrun.output.pump import DRAIN, Pump
from devrun.process.spawn import Child, close_input
from devrun.supervise import machine
from devrun.supervise.messages import (
    Abandon,
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
from devrun.supervise.surroundings import Surroundings
from devrun.supervise.telling import Telling

TYPE_CHECKING = False  # output.focus is not for every run
if TYPE_CHECKING:
    from devrun.process.node.channel import Channel
    from devrun.supervise.attention import Attention
    from devrun.supervise.shared_ports import SharedPorts


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
        self._child: Child | None = None
        self._pumps: tuple[Pump, ...] = ()
        self.telling = Telling(
            publish=self._publish,
            room=lambda: self._around.journal.room(self),
            drained=self._drained,
        )
        """What it has to say."""
        self._announced = trio.Event()
        self._heard = trio.Event()
        self._tree = self._new_tree(after)
        self._waiting = trio.CancelScope()
        self._attention: Attention | None = None

    def send(self, message: Input) -> None:
        """Tell the service something; it answers in the order of what it was told."""
        self._send.send_nowait(message)

    @property
    def unpublished(self) -> bytes:
        """What has been read of the output, and is held back until its line ends."""
        return b"".join(pump.unpublished for pump in self._pumps)

    def take_over(self, spec: Service, around: Surroundings) -> None:
        """Go on as another configuration of the service has it, and as others hear of it."""
        self.spec = spec
        self._around = around

    async def drain(self) -> bool:
        """Have the present generation finish what it has begun; False if it cannot be told to.

        One that is stopped by a message gets that first, and is not waited for: it may end when it
        is drained, and would hear nothing any more.
        """
        attention = self._attention
        if attention is None or attention.ports is None:
            return False
        was_asked = self.spec.stop.message and attention.ask_to_stop()
        if not attention.ports.drain():
            return False
        if not was_asked:
            await attention.ports.drained.wait()
        return True

    def release_unused(self) -> None:
        """Close ports that no generation of the service uses any more."""
        if self._attention is not None and self._attention.ports is not None:
            self._attention.ports.release_unused()

    async def sweep(self) -> None:
        """End what the last generation has left behind, of a service that is over."""
        tree, stop = self._tree, self.spec.stop
        with trio.move_on_after(stop.timeout) as patience:
            await tree.clear(stop.signal, was_asked=self.state.stopped)
        if patience.cancelled_caught:
            with trio.move_on_after(machine.UNKILLABLE_AFTER):
                await tree.kill(stop.timeout)
        self._around.launcher.forget_session(self.spec, self.state.generation)

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
        pumps.start_soon(self._tell_all)
        try:
            async with trio.open_nursery() as nursery:
                while not self.state.over:
                    self._step(await self._next(), nursery, pumps)
                nursery.cancel_scope.cancel()  # Nobody waits for what could not be killed.
        finally:
            self.telling.close()

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
            case Abandon():
                self._notice(f"cannot be killed: {self._tree.described()}")
            case AwaitReady():
                if self._attention is not None:
                    self._attention.await_ready(nursery)
            case CheckHealth():
                if self._attention is not None:
                    self._attention.check_health(nursery)
            case Emit():
                self._around.observe(self.spec.index, action.event)
                self.telling.tell(action.event)
                if isinstance(action.event, Started):
                    self.telling.mark(self._announced)
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
        self._pumps = tuple(self._pumps_of(child, generation))
        for pump in self._pumps:
            pumps.start_soon(pump.run)
        since = trio.current_time() - (time.monotonic() - child.started_at)
        self._heard = trio.Event()
        self._attend(child, generation, nursery)
        self.send(Spawned(generation, child.pid, since))
        nursery.start_soon(self._wait_for, child, generation)

    def _pumps_of(self, child: Child, generation: int) -> Iterator[Pump]:
        for descriptor in (child.output, child.errors):
            if descriptor is None:
                continue
            terminal = child.terminal is not None
            pump = self._new_pump(descriptor, generation, terminal=terminal)
            pump.is_error = descriptor == child.errors
            pump.drops_returns = child.returns
            if self._around.focused is not None:
                pump.at_once = self._has_terminal
            yield pump

    def _new_pump(self, descriptor: int, generation: int, *, terminal: bool) -> Pump:
        pump = Pump(
            descriptor,
            instance=self.spec.index,
            generation=generation,
            journal=self._around.journal,
            publish=self._publish_output,
            after=self._announced,
            terminal=terminal,
        )
        pump.taps = self._around.taps[self.spec.index]
        if self._around.logs.files is not None:
            pump.room_elsewhere = self._around.logs.files.room
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
        self.telling.tell(Notice(text, self.spec.index))

    def _new_tree(self, generation: int) -> ProcessTree:
        return ProcessTree(
            self.spec,
            generation,
            launcher=self._around.launcher,
            exits=self._around.exits,
            tell=self.telling.tell,
            message=lambda: self._attention is not None and self._attention.ask_to_stop(),
            show=lambda output: self._new_pump(output, generation, terminal=False),
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
            for pump in pumps:
                pump.process_ended()
            await self._find_out(self._attention, pumps)
            self._attention.end()
            self._attention = None
        if child.input != child.output:
            close_input(child)
        if child.terminal is not None:
            os.close(child.terminal)
            child.terminal = None
        for pump in pumps:
            pump.process_ended()
            self.telling.after(pump)
        noticed = time.monotonic()
        before = 0.0 if child.ended_at is None else noticed - child.ended_at
        self.send(Ended(generation, status, before))

    async def _find_out(self, attention: Attention, pumps: tuple[Pump, ...]) -> None:
        """Hear what a generation said last, and why it ended before it was ready, if it did."""
        if attention.hears_output:
            with trio.move_on_after(DRAIN):
                for pump in pumps:
                    await pump.drained.wait()
        await attention.look_once_more()

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

    def _publish(self, event: Event) -> None:
        self._around.publish(event)

    def _drained(self) -> None:
        if self.state.phase is Phase.PAUSING:
            self._waiting.deadline = self.state.deadline

    async def _tell_all(self) -> None:
        await self.telling.run()
        self._around.over(self.spec.index)
