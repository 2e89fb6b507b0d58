"""``devrun logs``: what services said last, and what they say now."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence

from devrun.cli.control.choice import Services, answers, by_run, runs_with, services_of
from devrun.cli.control.line import Line
from devrun.cli.control.log_printer import Entry, Printer, entry_of
from devrun.cli.control.multiplex import multiplex
from devrun.control.answer import Query
from devrun.control.client import NotRunning, Stream
from devrun.errors import UsageError
from devrun.output.complaint import complain

USUAL = 50
"""Lines that are shown if nobody says how many."""
MOST = 1_000_000

Chosen = list[tuple[Services, list[str]]]


class Wanted:
    """What is to be shown.

    Attributes:
        count: How many lines at most, the last ones; None for all.
        since: The earliest moment, in seconds since the epoch; or None.
        grep: A regular expression that has to be found in a line, or None.
        err: Only what was written to stderr.
    """

    __slots__ = ("count", "err", "follow", "grep", "names", "since")

    def __init__(self, line: Line, now: float) -> None:
        self.names = line.words
        self.follow = line.has("follow")
        self.err = line.has("err")
        self.since = _moment(line.text("since"), now)
        self.count = _count(line.text("lines"), USUAL if self.since is None else None)
        self.grep = _pattern(line.text("grep"))

    def query(
        self, names: Sequence[str], *, follow: bool, count: int | None, since: float | None
    ) -> Query:
        """Return what to ask a run."""
        found = [("service", name) for name in names]
        if count is not None:
            found.append(("tail", str(count)))
        if since is not None:
            found.append(("since", repr(since)))
        if self.grep is not None:
            found.append(("grep", self.grep))
        if self.err:
            found.append(("stream", "err"))
        return [*found, ("follow", "true")] if follow else found


def logs(line: Line) -> int:
    """Show lines, and go on with that if asked to; return the exit code.

    Raises:
        NotRunning: Nothing runs that could be followed, and no log file has anything.
        UsageError: There is no such service, or an option has a wrong value.
    """
    wanted = Wanted(line, time.time())
    try:
        chosen = _chosen(line)
    except NotRunning as error:
        if wanted.follow:
            raise
        from devrun.cli.control.past_logs import past_logs

        return past_logs(line, wanted, error)
    printer = Printer(line, [services for services, _ in chosen])
    _print(chosen, wanted, printer)
    if wanted.err and not printer.has_printed:
        complain("no line of stderr; it comes apart from stdout where log has an error_file")
    return printer.code


def _print(chosen: Chosen, wanted: Wanted, printer: Printer) -> None:
    if len(chosen) == 1:
        (services, names), since = chosen[0], wanted.since
        query = wanted.query(names, follow=wanted.follow, count=wanted.count, since=since)
        with Stream(services.run, "GET", ("logs",), query=query) as stream:
            while (found := stream.more_lines()) is not None:
                for text in found:
                    printer.print(entry_of(text))
                printer.flush()
        return
    last = _print_merged(chosen, wanted, printer)
    if wanted.follow:
        _follow(chosen, wanted, printer, last)


def _chosen(line: Line) -> Chosen:
    if line.words:
        return by_run(runs_with(line.place, line.words))
    return [(services, []) for _, services in answers(line.place, services_of)]


# -- several runs ---------------------------------------------------------------------------


def _print_merged(chosen: Chosen, wanted: Wanted, printer: Printer) -> list[list[Entry]]:
    """Print the last lines of several runs, by time; return what each has said."""
    said: list[list[Entry]] = []
    for services, names in chosen:
        query = wanted.query(names, follow=False, count=wanted.count, since=wanted.since)
        with Stream(services.run, "GET", ("logs",), query=query) as stream:
            said.append([entry_of(text) for text in stream.lines() if text])
    merged = sorted((entry for each in said for entry in each), key=lambda entry: entry.at)
    for entry in merged if wanted.count is None else merged[max(0, len(merged) - wanted.count) :]:
        printer.print(entry)
    printer.flush()
    return said


def _follow(
    chosen: Chosen, wanted: Wanted, printer: Printer, said: Sequence[Sequence[Entry]]
) -> None:
    """Go on where each run's last lines ended."""
    start = time.time()
    streams: dict[Stream, Callable[[bytes], None]] = {}
    try:
        for (services, names), entries in zip(chosen, said, strict=True):
            since = max((entry.at for entry in entries), default=start)
            known = sum(entry.at == since for entry in entries)
            query = wanted.query(names, follow=True, count=None, since=since)
            stream = Stream(services.run, "GET", ("logs",), query=query)
            streams[stream] = _Rest(printer, since, known).take
        multiplex(streams, printer.flush)
    finally:
        for stream in streams:
            stream.close()


class _Rest:
    """Prints what has not been printed yet: of a moment some lines may have been."""

    def __init__(self, printer: Printer, since: float, known: int) -> None:
        self._printer = printer
        self._since = since
        self._known = known

    def take(self, text: bytes) -> None:
        entry = entry_of(text)
        if self._known and entry.at == self._since:
            self._known -= 1
            return
        self._printer.print(entry)


# -- values ---------------------------------------------------------------------------------


def _count(text: str | None, usual: int | None) -> int | None:
    if text is None:
        return usual
    if text == "all":
        return None
    from devrun.config.values import whole_number

    return whole_number(text, "--lines", least=0, most=MOST)


def _pattern(text: str | None) -> str | None:
    if text is not None:
        try:
            re.compile(text)
        except re.error as error:
            raise UsageError(f'--grep "{text}": no regular expression: {error}') from None
    return text


def _moment(text: str | None, now: float) -> float | None:
    """Return seconds since the epoch for ``10m`` ago, a date, a time of today, or ISO 8601.

    Raises:
        UsageError: It is none of these.
    """
    if text is None:
        return None
    from datetime import datetime
    from datetime import time as time_of_day

    from devrun.config.values import duration

    try:
        if ":" in text and "-" not in text.partition(":")[0] and "T" not in text:
            today = datetime.fromtimestamp(now).astimezone()
            return datetime.combine(today, time_of_day.fromisoformat(text)).timestamp()
        if "-" in text:
            return datetime.fromisoformat(text).timestamp()
    except ValueError:
        message = f'--since "{text}": no moment; write for example 10m, 14:30 or 2026-01-31T14:30'
        raise UsageError(message) from None
    return now - duration(text, "--since")
