"""One instance's terminal, shown to those who are attached to it; all of them may type.

The terminal has the size of the one that was attached, or changed its own size, last; when the last
one leaves it has its place in devrun's own again. Everybody gets the output as it is read; a line
feed is CR LF in a terminal, as far as the program wants that, and LF elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import trio

from devrun.control.outbox import Outbox
from devrun.control.subject import Subject
from devrun.events import Event, Exited, SpawnFailed, Started
from devrun.model import ExitStatus
from devrun.output.screen import Size
from devrun.process.spawn import Child, resize
from devrun.supervise.service import ServiceTask

REDRAWN_WITHIN = 0.3
"""Seconds in which a program answers another size; it is given the right one then."""

_RETRY = 0.02
"""Seconds after which a terminal that takes no more keys is tried again. It is not waited for: the
descriptor is not ours, and may be closed at any time."""

_CLEAR = b"\x1b[2J\x1b[H"


@dataclass(eq=False, slots=True)
class Shown:
    """A client that is attached.

    Attributes:
        size: Rows and columns of its terminal, or None if it has none.
    """

    outbox: Outbox
    size: Size | None


class Share:
    """An instance, and who is attached to it."""

    def __init__(self, subject: Subject, index: int) -> None:
        self.shown: list[Shown] = []
        """The one whose size counts comes last."""
        self._subject = subject
        self._index = index
        self._terminals = subject.supervisor.terminals
        self._returns = False
        self._ends: list[Callable[[], None]] = []
        self._asked = trio.Event()
        self._heard = trio.Event()

    @contextmanager
    def attached(self, shown: Shown) -> Iterator[None]:
        """Show the terminal to a client, beginning with what is there already."""
        if not self.shown:
            supervisor = self._subject.supervisor
            self._ends = [
                supervisor.tap(self._index, self._take),
                supervisor.news.subscribe(self._hear),
            ]
        self.shown.append(shown)
        shown.outbox.tell(self._generation())
        shown.outbox.put(self._so_far(shown))
        if shown.size is not None:
            self._fit()
        try:
            yield
        finally:
            self.shown.remove(shown)
            self._fit()
            if not self.shown:
                for end in self._ends:
                    end()

    def resized(self, shown: Shown, size: Size) -> None:
        """Hear of another size of a client's terminal."""
        shown.size = size
        self.shown.remove(shown)
        self.shown.append(shown)
        self._fit()

    async def type(self, keys: bytes) -> None:
        """Hand on what was typed, as fast as the program takes it; without one it is lost."""
        child, rest = self._task.child, memoryview(keys)
        while rest and child is not None and child is self._task.child and _takes_keys(child):
            try:
                rest = rest[os.write(child.input or 0, rest) :]
            except BlockingIOError:
                await trio.sleep(_RETRY)
            except OSError:
                return  # It has just ended.

    def ask_to_redraw(self) -> None:
        """Have a full-screen program draw all of its screen anew."""
        if self._is_full_screen:
            self._asked.set()

    async def redraw_when_asked(self) -> None:
        """Do so by another size for a moment; to be cancelled."""
        while True:
            await self._asked.wait()
            self._asked = trio.Event()
            child, (rows, columns) = self._task.child, self._terminals.size(self._index)
            if child is None:
                continue
            resize(child, (rows - 1 if rows > 1 else rows + 1, columns))
            self._heard = trio.Event()
            with trio.move_on_after(REDRAWN_WITHIN):
                await self._heard.wait()
            self._fit()

    # -- size -------------------------------------------------------------------------------

    def _fit(self) -> None:
        """Give the terminal the size that it is to have now."""
        sizes = [shown.size for shown in self.shown if shown.size is not None]
        if sizes:
            self._terminals.elsewhere[self._index] = sizes[-1]
        elif self._terminals.elsewhere.pop(self._index, None) is None:
            return
        child = self._task.child
        if child is not None:
            resize(child, self._terminals.size(self._index))

    # -- output -----------------------------------------------------------------------------

    def _take(self, data: bytes) -> None:
        """Hand on what has been read."""
        self._heard.set()
        child = self._task.child
        if child is not None:
            self._returns = child.returns
        forms = {
            True: data if self._returns else data.replace(b"\n", b"\r\n"),
            False: data.replace(b"\r\n", b"\n") if self._returns else data,
        }
        for shown in self.shown:
            shown.outbox.put(forms[shown.size is not None])

    def _so_far(self, shown: Shown) -> bytes:
        """Return the last lines for a terminal, or what a full-screen program begins with."""
        modes = self._terminals.modes(self._index)
        if shown.size is None:
            return b""
        if modes is not None and modes.is_full_screen:
            self._asked.set()
            return modes.setting() + _CLEAR
        history, only = self._subject.history, (self._index,)
        lines = [line.data + b"\n" for line in history.tail(max(1, shown.size[0] - 1), only)]
        begun = [chunk.data.removesuffix(b"\n") for chunk in history.unfinished(only)]
        text = b"".join((*lines, *begun, self._task.unpublished)).replace(b"\n", b"\r\n")
        return text if modes is None else text + modes.setting()

    @property
    def _is_full_screen(self) -> bool:
        modes = self._terminals.modes(self._index)
        return modes is not None and modes.is_full_screen

    # -- generations ------------------------------------------------------------------------

    @property
    def _task(self) -> ServiceTask:
        return self._subject.supervisor.members.tasks[self._index]

    def _hear(self, event: Event) -> None:
        """Tell of beginnings and ends, each behind the output that came before it."""
        if isinstance(event, Started) and event.instance == self._index:
            self._fit()
            self._task.telling.then(lambda: self._tell(self._generation()))
        elif isinstance(event, Exited | SpawnFailed) and event.instance == self._index:
            self._fit()  # After a reload it is another's terminal.
            stopped = isinstance(event, Exited) and event.stopped
            fault = event.fault if isinstance(event, Exited) else event.reason
            news = {
                "exit": fault or ("stopped" if stopped else _how(event.status)),
                "code": event.status.shell_code,
                "stopped": stopped,
                "final": event.final and event.generation == self._task.state.generation,
            }
            self._task.telling.then(lambda: self._tell(news))

    def _tell(self, news: dict[str, object]) -> None:
        for shown in self.shown:
            shown.outbox.tell(news)

    def _generation(self) -> dict[str, object]:
        """Return what is to be said of the present generation."""
        task, standing = self._task, self._subject.supervisor.standing(self._index)
        return {
            "generation": task.state.generation,
            "running": task.child is not None,
            "state": standing.word.value,
            "typing": self._why_not_typing(),
        }

    def _why_not_typing(self) -> str | None:
        child = self._task.child
        can_be_typed_at = self._terminals.modes(self._index) is not None
        if can_be_typed_at if child is None else _takes_keys(child):
            return None
        return "it has no terminal to type at; tty = true in its table, or --tty, gives it one"


def _takes_keys(child: Child) -> bool:
    return child.input is not None and child.terminal is not None


def _how(status: ExitStatus) -> str:
    return f"exit code {status}" if status.signal is None else str(status)
