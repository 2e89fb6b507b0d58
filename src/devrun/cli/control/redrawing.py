"""A screen that is drawn again and again in place, and put back as it was at the end."""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress

from devrun.cli.control.saying import Unwritable, flush, put_bytes
from devrun.output.columns import cut, display_width
from devrun.process.ending import die_of
from devrun.process.signals import CONTINUE, RESIZE, STOP, SUSPEND

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

EVERY = 1.0
"""Seconds between two drawings."""

_ENTER = "\x1b[?1049h\x1b[?25l"
_LEAVE = "\x1b[?25h\x1b[?1049l"
_HOME, _TO_LINE_END, _TO_SCREEN_END = "\x1b[H", "\x1b[K", "\x1b[J"
_ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")


def redraw(lines: Callable[[], Sequence[str]]) -> NoReturn:
    """Draw lines every second on the terminal's other screen, until a signal ends it.

    Raises:
        DevrunError: What ``lines`` raised; the screen is as it was then.
    """
    reader, writer = socket.socketpair()
    writer.settimeout(0)
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    for name in _ENDING:
        _handle(getattr(signal, name, 0), _end)
    for number in (SUSPEND, CONTINUE, RESIZE):
        _handle(number, _noted)
    _show(_ENTER)
    try:
        while True:
            _draw(lines())
            if SUSPEND in _signals(reader):
                _pause()
    except _Ended as ended:
        with suppress(Unwritable):  # The terminal may be what has gone.
            _show(_LEAVE)
        die_of(ended.number)
    finally:
        _show(_LEAVE)


class _Ended(BaseException):
    """A signal ends it, in the midst of whatever it waits for."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _handle(number: int, handler: Callable[[int, FrameType | None], None]) -> None:
    if number > 0 and signal.getsignal(number) is not signal.SIG_IGN:
        signal.signal(number, handler)


def _end(number: int, _frame: FrameType | None) -> None:
    raise _Ended(number)


def _noted(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: its number has been written to the wake-up descriptor."""


def _signals(reader: socket.socket) -> bytes:
    """Wait for a signal, or until it is time to draw; return the signals' numbers."""
    ready, _, _ = select.select([reader], [], [], EVERY)
    return reader.recv(64) if ready else b""


def _pause() -> None:
    """Stop as Ctrl+Z has it, on the screen that was there before."""
    _show(_LEAVE)
    os.kill(os.getpid(), STOP)
    _show(_ENTER)


def _draw(lines: Sequence[str]) -> None:
    try:
        columns, rows = os.get_terminal_size(1)
    except OSError:
        columns, rows = 80, 24
    shown = list(lines[:rows]) if rows else list(lines)
    if len(lines) > len(shown):
        shown[-1] = f"… {len(lines) - rows + 1} more"
    fitting = [
        text if "\x1b" in text or display_width(text) <= columns else cut(text, columns)
        for text in shown
    ]
    end = _TO_LINE_END + "\r\n"
    _show(_HOME + end.join(fitting) + _TO_LINE_END + (_TO_SCREEN_END if len(shown) < rows else ""))


def _show(text: str) -> None:
    put_bytes(text.encode("utf-8", "replace"))
    flush()
