"""``devrun attach``: a service's terminal in this one."""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Mapping
from enum import Enum
from types import FrameType

from devrun.cli.control.attachable import OVER, instance, refuse_inside, say_over
from devrun.cli.control.detaching import USUAL, DetachKeys
from devrun.cli.control.line import Line
from devrun.cli.control.own_terminal import STDIN, OwnTerminal
from devrun.control.runs import Running
from devrun.control.terminal_stream import ENOUGH, TerminalStream
from devrun.errors import ExitCode
from devrun.output.complaint import complain
from devrun.process.ending import die_of
from devrun.process.signals import CONTINUE, RESIZE, STOP, SUSPEND

_AT_ONCE = 16 * 1024
_ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
_HANG_UP: int = getattr(signal, "SIGHUP", signal.SIGTERM)


class _Ended(Exception):  # noqa: N818 - a signal, not a defect
    """A signal says to end.

    Args:
        number: Which one.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class _Pause(Enum):
    """Why a session is over although the user wants to go on."""

    SUSPENDED = "suspended"
    CONTINUED = "continued"


def attach(line: Line) -> int:
    """Show an instance's terminal here, until the keys are typed that detach, or it has ended.

    Returns:
        The exit code: that of the service if it has ended, 0 after detaching.

    Raises:
        UsageError: There is no such instance, it is one of several, or this is its own terminal.
    """
    said = line.text("detach_keys")
    keys = DetachKeys(USUAL if said is None else said)
    run, label = instance(line)
    refuse_inside(run, label, line.environ)
    terminal, signals = OwnTerminal(), _Signals()
    try:
        try:
            while True:
                result = _Session(run, label, terminal, signals, keys, line).run()
                if not isinstance(result, _Pause):
                    return result
                terminal.release()
                if result is _Pause.SUSPENDED:
                    os.kill(os.getpid(), STOP)
                signals.take()
        finally:
            signals.ignore_ends()
            terminal.release()
    except _Ended as ended:
        signals.ignore_ends()
        terminal.release()  # It may have come while that was being done.
        die_of(ended.number)


class _Signals:
    """The signals that we hear: some end us at once, others are told one after another."""

    def __init__(self) -> None:
        self._reader, writer = socket.socketpair()
        self._reader.settimeout(0)
        writer.settimeout(0)
        self._writer = writer  # Kept: nobody else does.
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        self._ends = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
        for number in self._ends:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, _end)
        for number in (SUSPEND, CONTINUE, RESIZE):
            if number > 0:
                signal.signal(number, _noted)

    def fileno(self) -> int:
        """Return what can be read when there is one."""
        return self._reader.fileno()

    def take(self) -> bytes:
        """Return the numbers of those that have come."""
        try:
            return self._reader.recv(64)
        except BlockingIOError:
            return b""

    def ignore_ends(self) -> None:
        """Let nothing stand in the way of what is done at the end."""
        for number in self._ends:
            signal.signal(number, signal.SIG_IGN)


def _end(number: int, _frame: FrameType | None) -> None:
    raise _Ended(number)


def _noted(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: its number has been written to the wake-up descriptor."""


class _Session:
    """One connection, from the first line to the last."""

    def __init__(
        self,
        run: Running,
        label: str,
        terminal: OwnTerminal,
        signals: _Signals,
        keys: DetachKeys,
        line: Line,
    ) -> None:
        self._run = run
        self._label = label
        self._terminal = terminal
        self._signals = signals
        self._keys = keys
        self._stream = TerminalStream(run, label, terminal.size)
        self._reads = not line.has("no_stdin")
        self._is_keyboard = os.isatty(STDIN)
        self._why_not: str | None = None
        self._has_refused = False
        self._generation = -1
        self._result: int | _Pause | None = None

    def run(self) -> int | _Pause:
        """Show and type; return the exit code, or why this is to be begun anew.

        Raises:
            Unanswered: The run went away.
            _Ended: The terminal did.
        """
        try:
            while self._result is None:
                self._step()
                if self._terminal.is_gone:
                    raise _Ended(_HANG_UP)
            return self._result
        finally:
            self._stream.close()

    def _step(self) -> None:
        stream, signals = self._stream.fileno(), self._signals.fileno()
        reading = [stream, signals]
        if self._reads and self._generation >= 0 and self._stream.waiting < ENOUGH:
            reading.append(STDIN)
        if self._stream.has_more:
            self._receive()
            return
        ready, room, _ = select.select(reading, [stream] if self._stream.waiting else [], [])
        if signals in ready:
            self._hear()
        if room:
            self._stream.flush()
        if stream in ready:
            self._receive()
        if STDIN in ready and self._result is None:
            self._read()

    def _hear(self) -> None:
        for number in self._signals.take():
            if number == SUSPEND:
                self._result = _Pause.SUSPENDED
            elif number == CONTINUE:
                self._result = _Pause.CONTINUED
            elif number == RESIZE and (size := self._terminal.size) is not None:
                self._stream.tell({"resize": size})

    # -- what comes ---------------------------------------------------------------------------

    def _receive(self) -> None:
        for message in self._stream.receive():
            if self._result is not None:
                return
            if isinstance(message, bytes):
                self._terminal.show(message)
            else:
                self._take(message)
        if self._stream.is_closed and self._result is None:
            self._terminal.say("the run has ended")
            self._result = ExitCode.OK

    def _take(self, news: Mapping[str, object]) -> None:
        if "generation" in news:
            self._begin(news)
        elif "exit" in news:
            self._end(news)
        elif "gap" in news:
            if self._terminal.is_full_screen:
                return  # It is drawn anew.
            if news["gap"]:
                how = "they came faster than they were read"
                self._terminal.say(f"{news['gap']} bytes are missing here: {how}")
        elif "cut_off" in news:
            self._terminal.say(f"cut off: {news['cut_off']}")
            self._result = ExitCode.FAILURE

    def _begin(self, news: Mapping[str, object]) -> None:
        reason, generation = news.get("typing"), news.get("generation")
        self._why_not = str(reason) if reason is not None else None
        is_first, self._generation = self._generation < 0, int(str(generation or 0))
        if is_first and not news.get("running") and news.get("state") in OVER:
            self._result = say_over(self._run, self._label)
            return
        types = self._reads and self._why_not is None
        state = "" if news.get("running") else f", which does not run ({news.get('state')})"
        if self._reads and self._is_keyboard:
            self._terminal.hold(keys=types)  # Before it is said: who reads that may type at once.
        if not is_first:
            self._terminal.say(f"{self._label} has started again")
        elif types and self._is_keyboard:
            out = f"; {self._keys.shown} detaches" if self._keys.shown else ""
            self._terminal.say(f"attached to {self._label}{state}{out}")
        else:
            self._terminal.say(f"the output of {self._label}{state}; Ctrl+C ends this")

    def _end(self, news: Mapping[str, object]) -> None:
        self._terminal.say(f"{self._label}: {news['exit']}")
        if news.get("final"):
            code = news.get("code")
            failed = not news.get("stopped") and isinstance(code, int)
            self._result = int(str(code)) if failed else ExitCode.OK

    # -- what goes ----------------------------------------------------------------------------

    def _read(self) -> None:
        try:
            typed = os.read(STDIN, _AT_ONCE)
        except OSError:
            typed = b""  # The terminal has hung up.
        if not typed:
            self._reads = False
            if self._is_keyboard and not os.isatty(STDIN):
                raise _Ended(_HANG_UP)
            if self._is_keyboard:
                self._result = ExitCode.OK
            return
        detached = False
        if self._is_keyboard:
            typed, detached = self._keys.feed(typed)
        if typed and self._why_not is not None:
            self._refuse()
        elif typed:
            self._stream.send(typed)
        if detached:
            self._terminal.say(f"detached from {self._label}")
            self._result = ExitCode.OK

    def _refuse(self) -> None:
        """Say why nothing can be typed; once, and for what is piped in it is a failure."""
        text = f"nothing can be typed at {self._label}: {self._why_not}"
        if not self._is_keyboard:
            complain(text)
            self._result = ExitCode.FAILURE
        elif not self._has_refused:
            self._has_refused = True
            self._terminal.say(text)
