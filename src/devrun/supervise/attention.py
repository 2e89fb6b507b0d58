"""What is asked of one generation of a service, and what it says of itself.

Probes run while it runs and is not being stopped; channels are heard until its end.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import assert_never

import trio

from devrun.events import Output, Piece
from devrun.model import MASK, Service
from devrun.policies import (
    DelayGate,
    ExecProbe,
    FileProbe,
    HealthCheck,
    HttpProbe,
    IpcGate,
    ListenGate,
    LogGate,
    NotifyGate,
    PortProbe,
    Probe,
)
from devrun.process import notifications
from devrun.process.channels import Channels
from devrun.process.group import Ownership
from devrun.process.node import ipc as node_ipc
from devrun.process.node.ipc import NodeIpc
from devrun.process.notify_socket import NotifySocket, is_of
from devrun.supervise.messages import (
    BecameReady,
    Extend,
    Failing,
    Faulty,
    Input,
    Probed,
    StillClosed,
)
from devrun.supervise.probes.answers import Failed, HeldByOther, Subject, one_line

TYPE_CHECKING = False  # most services share no ports
if TYPE_CHECKING:
    from devrun.supervise.shared_ports import SharedPorts

MOST_HOLDERS = 8
"""Other holders of its port that are told of one generation."""

LAST_LOOK = 1.0
"""Seconds that may be spent on finding out why a generation ended that was not ready."""

STATUS_CHANGES = 8
"""Lines of ``STATUS=`` that are shown of one generation; more would be a log of its own."""


class Attention:
    """One generation's.

    Args:
        subject: What probes are told of it.
        owned: How its processes are recognised.
        channels: How it talks to devrun, if it does.
        send: Tells its machine something.
        notice: Shows a line.
    """

    def __init__(
        self,
        spec: Service,
        generation: int,
        *,
        subject: Callable[[], Subject],
        owned: Callable[[], Ownership],
        channels: Channels | None,
        send: Callable[[Input], None],
        notice: Callable[[str], None],
    ) -> None:
        self._spec = spec
        self.generation = generation
        self._subject = subject
        self._owned = owned
        self._channels = channels or Channels()
        self.ports: SharedPorts | None = None
        """Set where a Node program's ports are shared."""
        self._send = send
        self._notice = notice
        self._probing: list[trio.CancelScope] = []
        self._in_peace = self._was_asked = False
        self._main_pid: int | None = None
        self._statuses = 0
        self._holders: set[str] = set()
        self._is_ready = spec.ready is None
        self._watchdog: trio.CancelScope | None = None
        self._interval = inf
        gate = None if spec.ready is None else spec.ready.gate
        if isinstance(gate, NotifyGate) and gate.watchdog is not None:
            self._interval = gate.watchdog
        self._pattern = None
        self._passed_over = False
        if spec.ready is not None and isinstance(spec.ready.gate, LogGate):
            from devrun.output.log_pattern import LogPattern

            self._pattern = LogPattern(spec.ready.gate.pattern)

    def listen(self, nursery: trio.Nursery) -> None:
        """Begin to hear what the generation says of itself."""
        if self._channels.notify is not None:
            nursery.start_soon(self._hear_notifications, self._channels.notify)
        if self._channels.ipc is not None:
            nursery.start_soon(self._hear_node, self._channels.ipc)
        if self.ports is not None:
            nursery.start_soon(self.ports.serve)

    def take(self, event: Output) -> None:
        """Look at a piece of its output."""
        if self._pattern is None or event.piece is Piece.PROGRESS:
            return  # The state of a line that is redrawn comes again, in full.
        found = self._pattern.feed(event.data)
        if self._pattern.took_too_long and not self._passed_over:
            self._say_passed_over()
        # A part is shown when it has been quiet for a while: it may be a prompt.
        if found or (event.piece is Piece.PART and self._pattern.search_unfinished()):
            self._pattern = None
            self._became_ready()

    def _say_passed_over(self) -> None:
        self._passed_over = True
        gate = None if self._spec.ready is None else self._spec.ready.gate
        if isinstance(gate, LogGate):
            pattern = self._concealed(one_line(gate.pattern))
            reason = f'searching a line for "{pattern}" took too long'
            self._notice(f"{reason}: it is passed over")
            self._send(StillClosed(self.generation, reason))

    def await_ready(self, nursery: trio.Nursery) -> None:
        """Find out when it is ready."""
        if self._spec.ready is None:
            return
        match gate := self._spec.ready.gate:
            case PortProbe() | HttpProbe() | ExecProbe() | FileProbe():
                nursery.start_soon(self._probe_until_ready, gate)
            case LogGate() | DelayGate() | NotifyGate() | IpcGate() | ListenGate():
                return  # That is heard, or comes with time.
            case _:
                assert_never(gate)

    def check_health(self, nursery: trio.Nursery) -> None:
        """Ask it again and again."""
        if self._spec.health is not None:
            nursery.start_soon(self._watch_health, self._spec.health)

    def expect_life(self, nursery: trio.Nursery) -> None:
        """Expect signs of life from now on, if they were asked for."""
        if self._interval < inf:
            nursery.start_soon(self._watch_for_life)

    def stop_probing(self) -> None:
        """Leave it in peace: it is being stopped."""
        self._in_peace = True
        if self.ports is not None:
            self.ports.retire()
        for scope in self._probing:
            scope.cancel()

    def _scope(self) -> trio.CancelScope:
        """Return a scope that lasts until the generation is stopped."""
        scope = trio.CancelScope()
        self._probing.append(scope)
        if self._in_peace:
            scope.cancel()
        return scope

    def end(self) -> None:
        """The main process has ended, or a new generation begins."""
        self.stop_probing()
        self._channels.close()

    def ask_to_stop(self) -> bool:
        """Send Node's 'shutdown', once; False if nobody listens for it."""
        if not self._was_asked and self._channels.ipc is not None:
            self._was_asked = self._channels.ipc.send_nowait("shutdown")
        return self._was_asked

    @property
    def hears_output(self) -> bool:
        """Whether its output may still say that it is ready."""
        return self._pattern is not None

    async def look_once_more(self) -> None:
        """Say who has its port, if somebody else has: that may be why it ended before it was ready.

        What cannot listen ends before it is asked, as a rule.
        """
        gate = None if self._spec.ready is None else self._spec.ready.gate
        if self._is_ready or self._in_peace or not isinstance(gate, PortProbe | HttpProbe):
            return
        from devrun.supervise.probes.asking import ask

        answer = await ask(gate, self._subject(), timeout=LAST_LOOK)
        if isinstance(answer, HeldByOther):
            self._say_why_not(answer)

    def _became_ready(self) -> None:
        self._is_ready = True
        self._send(BecameReady(self.generation))

    # -- probes -----------------------------------------------------------------------------

    async def _probe_until_ready(self, probe: Probe) -> None:
        from devrun.supervise.probes.asking import until_ready

        with self._scope():
            await until_ready(probe, self._subject(), publish=self._say_why_not)
            self._became_ready()

    def _say_why_not(self, answer: Failed | HeldByOther) -> None:
        """Remember it; say what will not pass by itself: somebody else has the port."""
        reason = self._concealed(answer.reason)
        self._send(StillClosed(self.generation, reason))
        if not isinstance(answer, HeldByOther) or reason in self._holders:
            return
        if len(self._holders) < MOST_HOLDERS:
            self._holders.add(reason)
            self._notice(reason)

    def _concealed(self, text: str) -> str:
        """Return a text without the values of variables that the file has put into questions."""
        for value in self._spec.concealed:
            text = text.replace(value, MASK)
        return text

    async def _watch_health(self, check: HealthCheck) -> None:
        from devrun.supervise.probes.asking import watch_health
        from devrun.supervise.probes.health import Degraded, Health, Healthy, Unhealthy

        def report(health: Health) -> None:
            match health:
                case Healthy():
                    self._send(Probed(self.generation))
                case Degraded():
                    count, most = health.failures, check.retries
                    reason = self._concealed(health.reason)
                    self._send(Failing(self.generation, reason, count, most))
                case Unhealthy():
                    reason = self._concealed(health.reason)
                    self._send(Faulty(self.generation, f"unhealthy: {reason}"))
                case _:
                    assert_never(health)

        with self._scope():
            while True:  # An unhealthy one that is not restarted may recover.
                await watch_health(check, self._subject(), report=report)
                await trio.sleep(check.interval)

    async def _watch_for_life(self) -> None:
        with self._scope():
            with trio.CancelScope(deadline=trio.current_time() + self._interval) as self._watchdog:
                await trio.sleep_forever()
            reason = f"no sign of life (WATCHDOG=1) within {self._interval:g} s"
            self._send(Faulty(self.generation, reason))

    # -- channels ---------------------------------------------------------------------------

    async def _hear_notifications(self, socket: NotifySocket) -> None:
        while said := await socket.hear(self._belongs):
            for notification in said:
                self._take_notification(notification)

    def main_process(self) -> int | None:
        """Return the process that the service says is its main one, with what was said till now."""
        if self._channels.notify is not None:
            for notification in self._channels.notify.receive(self._belongs):
                self._take_notification(notification)
        return self._main_pid

    def _belongs(self, pid: int) -> bool:
        return is_of(self._owned(), pid)

    def _take_notification(self, said: notifications.Notification) -> None:
        match said:
            case notifications.Ready():
                self._became_ready()
            case notifications.Watchdog():
                self._move_watchdog()
            case notifications.WatchdogInterval():
                self._interval = said.seconds
                self._move_watchdog()
            case notifications.Stopping():
                self.stop_probing()
            case notifications.ExtendTimeout():
                self._send(Extend(self.generation, said.seconds))
            case notifications.WatchdogTrigger():
                self._send(Faulty(self.generation, "asked to be stopped (WATCHDOG=trigger)"))
            case notifications.MainPid():
                self._main_pid = said.pid
            case notifications.Barrier():
                return
            case _:
                self._say(said)

    def _say(
        self,
        said: notifications.Status
        | notifications.Reloading
        | notifications.Errno
        | notifications.Stranger,
    ) -> None:
        """Show what is for people."""
        match said:
            case notifications.Status():
                self._statuses += 1
                if self._statuses <= STATUS_CHANGES:
                    self._notice(said.text)
            case notifications.Reloading():
                self._notice("reloading itself")
            case notifications.Errno():
                self._notice(f"reports error {said.number}")
            case notifications.Stranger():
                self._notice(f"pid {said.pid}, which is none of its processes, spoke in its name")
            case _:
                assert_never(said)

    def _move_watchdog(self) -> None:
        if self._watchdog is not None:
            self._watchdog.deadline = trio.current_time() + self._interval

    async def _hear_node(self, ipc: NodeIpc) -> None:
        while said := await ipc.hear():
            for message in said:
                match message:
                    case node_ipc.Ready():
                        self._became_ready()
                    case node_ipc.Closed(reason) if reason is not None:
                        self._notice(f"its channel has been closed: {reason}")
                    case node_ipc.Closed() | node_ipc.Message():
                        continue
                    case _:
                        assert_never(message)
