"""Events to the bytes that appear on stdout: prefixes, unfinished lines, devrun's own lines.

Pure: the presenter knows which line is open on the screen and whose it is, and nothing of the
screen itself. Its rules:

* A whole line is never interrupted. An unfinished one is, if another process writes: it is ended
  there, and its rest gets a new prefix.
* On a terminal a line that is being redrawn is replaced in place; elsewhere only its final state
  is written, so there its intermediate states are passed over.
* devrun's own lines use concurrently's wording where it has one, so that scripts that read them
  go on working.
"""

from __future__ import annotations

import signal
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import assert_never

from devrun.events import (
    Changed,
    Event,
    Exited,
    Failed,
    Healthy,
    Killed,
    LeftBehind,
    Notice,
    Output,
    OverMemory,
    Piece,
    Ready,
    Restarted,
    Retrying,
    Skipped,
    SpawnFailed,
    Started,
    Stopping,
    Unhealthy,
)
from devrun.model import Project
from devrun.output.ansi import Hygiene
from devrun.output.prefix import Prefixes, event_text, global_line
from devrun.output.timings import milliseconds
from devrun.output.wording import of_run, of_service

Buffer = bytes | memoryview

_REDRAW = b"\r\x1b[K"
"""Back to the first column, erase to the end of the line (ECMA-48 CR, EL)."""


def _nothing(_instance: int) -> Sequence[str]:
    return ()


class Presenter:
    """Renders one run's events for one sink.

    Args:
        terminal: The sink is a terminal: control sequences that would disturb other lines are
            taken out, and progress bars move.
        wall_clock: Seconds since the epoch, for prefixes that show the time.
        clock: Seconds on the clock of the events.
        last_lines: Returns what a service has said last, for when it is given up.
    """

    def __init__(
        self,
        project: Project,
        *,
        prefixes: Prefixes,
        terminal: bool,
        wall_clock: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        last_lines: Callable[[int], Sequence[str]] = _nothing,
    ) -> None:
        self._services = project.services
        self._color = project.output.color
        self._quiet = project.output.quiet
        self._timings = project.output.timings and not project.output.quiet
        self._terminal = terminal
        self._wall_clock = wall_clock
        self._clock = clock
        self._prefixes = prefixes
        self._last_lines = last_lines
        self._fixed: dict[int, bytes] = {}
        self._pids: dict[int, int] = {}
        self._hygiene: defaultdict[int, Hygiene] = defaultdict(Hygiene)
        self._open: int | None = None
        self._open_is_state = False

    def render(self, event: Event) -> Sequence[Buffer]:
        """Return what the event adds to the output; nothing for many events."""
        if isinstance(event, Output):
            return self._output(event)
        if self._quiet and not isinstance(event, Started | SpawnFailed | Changed):
            return self._end_output(event)
        ending = self._end_output(event)
        lines = [*ending, *(line for text in self._texts(event) for line in self._own_line(text))]
        if self._terminal and isinstance(event, Stopping) and event.received == signal.SIGINT:
            return [_REDRAW, *lines]  # Over the ^C that the terminal has echoed.
        return lines

    def renamed(self, instance: int) -> None:
        """Hear that a service is called otherwise."""
        self._fixed.pop(instance, None)

    def finish(self, lines: Sequence[str]) -> Sequence[Buffer]:
        """Return the end of the output: the open line ended, then ``lines`` of devrun's own."""
        return [*self._end_line(), *(self._global_line(line) + b"\n" for line in lines)]

    # -- what processes wrote ---------------------------------------------------------------

    def _output(self, event: Output) -> Sequence[Buffer]:
        instance = event.instance
        if self._services[instance].hidden:
            return ()
        if event.piece is Piece.PROGRESS and not self._terminal:
            return ()
        closing = b""
        data = event.data
        if self._terminal:
            hygiene = self._hygiene[instance]
            if self._open == instance and (self._open_is_state or event.piece is Piece.PROGRESS):
                closing = hygiene.redraw()
            data = hygiene.clean(data)
        if not data:
            return (closing,) if closing else ()
        prefix = self._prefix(instance)
        start = self._start_line(instance, prefix, event.piece)
        start = [closing, *start] if closing else start
        if event.piece is not Piece.LINES:
            self._open, self._open_is_state = instance, event.piece is Piece.PROGRESS
            return [*start, data]
        self._open = None
        if not prefix:
            return [*start, data]
        # The prefix that replace() puts behind the last line feed is left out again: a view is
        # cheaper than a copy, and replace() is the cheapest way over the lines that Python has.
        body = data.replace(b"\n", b"\n" + prefix)
        return [*start, memoryview(body)[: -len(prefix)]]

    def _end_output(self, event: Event) -> Sequence[Buffer]:
        """Return what hygiene has kept back of a generation that has ended."""
        if not (self._terminal and isinstance(event, Exited)):
            return ()
        instance = event.instance
        rest = self._hygiene[instance].finish()
        if not rest or self._services[instance].hidden:
            return ()
        if self._open == instance:
            return (rest,)
        start = self._start_line(instance, self._prefix(instance), Piece.PART)
        self._open, self._open_is_state = instance, False
        return [*start, rest]

    def _start_line(self, instance: int, prefix: bytes, piece: Piece) -> list[Buffer]:
        """Return what comes before a piece: nothing if it continues its own open line."""
        if self._open is None:
            return [prefix]
        if self._open != instance:
            return [*self._end_line(), prefix]
        if self._open_is_state or piece is Piece.PROGRESS:
            return [_REDRAW, prefix]
        return []

    def _end_line(self) -> list[Buffer]:
        """End the open line, if any, with the attributes of its process closed."""
        if self._open is None:
            return []
        instance, self._open = self._open, None
        if not self._terminal:
            return [b"\n"]
        return [self._hygiene[instance].suspend() + b"\n"]

    def _prefix(self, instance: int) -> bytes:
        fixed = self._fixed.get(instance)
        if fixed is not None:
            return fixed
        pid = self._pids.get(instance)
        prefix = self._prefixes.render(instance, pid=pid, now=self._wall_clock())
        if self._prefixes.is_static:
            self._fixed[instance] = prefix
        return prefix

    # -- devrun's own lines -----------------------------------------------------------------

    def _own_line(self, text: tuple[int | None, str]) -> list[Buffer]:
        instance, words = text
        if instance is not None and self._services[instance].hidden:
            return []
        if instance is None and not words:
            line = b""  # Room that somebody wants.
        elif instance is None:
            line = self._global_line(words)
        else:
            line = self._prefix(instance) + event_text(words, self._color)
        return [*self._end_line(), line + b"\n"]

    def _global_line(self, words: str) -> bytes:
        return self._prefixes.stamp(self._wall_clock()) + global_line(words, self._color)

    def _texts(self, event: Event) -> list[tuple[int | None, str]]:
        """Return the lines that an event is worth, each with the instance whose prefix it gets."""
        match event:
            case Started():
                self._pids[event.instance] = event.pid
                return self._timed(event, "started")
            case Exited():
                command = self._services[event.instance].command
                exited = (event.instance, f"{command} exited with code {event.status}")
                return [*self._timed(event, "stopped"), exited]
            case SpawnFailed():
                command = self._services[event.instance].command
                failed = (event.instance, event.reason)
                return [failed, (event.instance, f"{command} exited with code {event.status}")]
            case Failed():
                return self._failed(event)
            case (
                Restarted()
                | Ready()
                | Unhealthy()
                | Healthy()
                | Retrying()
                | Skipped()
                | OverMemory()
                | Changed()
                | Notice()
            ):
                return [(event.instance, of_service(event, self._services))]
            case Stopping() | Killed() | LeftBehind():
                return [(None, line) for line in of_run(event, self._services)]
            case Output():
                return []
            case _:
                assert_never(event)

    def _failed(self, event: Failed) -> list[tuple[int | None, str]]:
        """Return the words for what has been given up, and what it said last."""
        lines = self._last_lines(event.instance)
        said = "; it said last:" if lines else ""
        words = f"{self._services[event.instance].label} failed: {event.reason}{said}"
        return [(None, words), *((None, f"  | {line}".rstrip()) for line in lines)]

    def _timed(self, event: Started | Exited, verb: str) -> list[tuple[int | None, str]]:
        """Return the line of ``--timings``; the time is that of the event, not of the showing."""
        if not self._timings:
            return []
        at = self._prefixes.time(self._wall_clock() - (self._clock() - event.at))
        text = f"{self._services[event.instance].command} {verb} at {at}"
        if isinstance(event, Exited):
            text += f" after {milliseconds(event.uptime)}ms"
        return [(event.instance, text)]
