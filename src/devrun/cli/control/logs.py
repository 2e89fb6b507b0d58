"""``devrun logs``: what services said last, and what they say now."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from devrun.cli.control.choice import Services, answers, by_run, runs_with, services_of
from devrun.cli.control.line import Line
from devrun.cli.control.log_printer import Entry, Printer, entry_of
from devrun.cli.control.multiplex import multiplex
from devrun.control.answer import Query
from devrun.control.client import NotRunning, Stream
from devrun.errors import UsageError
from devrun.output.bounded_search import compiled
from devrun.output.complaint import complain

USUAL = 50
"""Lines that are shown if nobody says how many."""
MOST = 1_000_000
LONGEST_PATTERN = 1000
"""Characters; what the API takes."""

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

    def query(self, names: Sequence[str]) -> Query:
        """Return what to ask a run."""
        found = [("service", name) for name in names]
        if self.count is not None:
            found.append(("tail", str(self.count)))
        if self.since is not None:
            found.append(("since", repr(self.since)))
        if self.grep is not None:
            found.append(("grep", self.grep))
        if self.err:
            found.append(("stream", "err"))
        return [*found, ("follow", "true")] if self.follow else found


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
    if len(chosen) > 1:
        _print_merged(chosen, wanted, printer)
        return
    [(services, names)] = chosen
    with Stream(services.run, "GET", ("logs",), query=wanted.query(names)) as stream:
        while (found := stream.more_lines()) is not None:
            for text in found:
                printer.print(entry_of(text))
            printer.flush()


def _chosen(line: Line) -> Chosen:
    if line.words:
        return by_run(runs_with(line.place, line.words))
    return [(services, []) for _, services in answers(line.place, services_of)]


# -- several runs ---------------------------------------------------------------------------


def _print_merged(chosen: Chosen, wanted: Wanted, printer: Printer) -> None:
    """Print the last lines of several runs, by time, and then what each of them says."""
    with ExitStack() as opened:
        streams: list[Stream] = []
        for services, names in chosen:
            query = wanted.query(names)
            if wanted.follow:
                query = [*query, ("mark", "true")]
            streams.append(Stream(services.run, "GET", ("logs",), query=query))
            opened.enter_context(streams[-1])
        begun = [_up_to_now(stream) for stream in streams]
        merged = sorted((e for past, _ in begun for e in past), key=lambda entry: entry.at)
        for entry in _last(merged, wanted.count):
            printer.print(entry)
        for _, rest in begun:
            for entry in rest:
                printer.print(entry)
        printer.flush()
        if wanted.follow:
            multiplex(
                {stream: lambda text: printer.print(entry_of(text)) for stream in streams},
                printer.flush,
            )


def _up_to_now(stream: Stream) -> tuple[list[Entry], list[Entry]]:
    """Return what a run has said, up to the mark or the end, and what has come behind that.

    A notice is told where the line before it stands.
    """
    past: list[Entry] = []
    at = 0.0
    while (found := stream.more_lines()) is not None:
        for place, text in enumerate(found):
            entry = entry_of(text)
            if "mark" in entry.said:
                return past, [entry_of(text) for text in found[place + 1 :]]
            at = entry.at or at
            past.append(Entry(at, entry.said))
    return past, []


def _last(entries: Sequence[Entry], count: int | None) -> Iterator[Entry]:
    """Yield the last lines, and all notices: what is missing, and why there is no more."""
    lines = sum("line" in entry.said for entry in entries)
    surplus = 0 if count is None else max(0, lines - count)
    for entry in entries:
        if surplus and "line" in entry.said:
            surplus -= 1
        else:
            yield entry


# -- values ---------------------------------------------------------------------------------


def _count(text: str | None, usual: int | None) -> int | None:
    if text is None:
        return usual
    if text == "all":
        return None
    from devrun.config.values import whole_number

    return whole_number(text, "--lines", least=0, most=MOST)


def _pattern(text: str | None) -> str | None:
    if text is None:
        return None
    if len(text) > LONGEST_PATTERN:
        raise UsageError(
            f"--grep: {len(text)} characters are too many; {LONGEST_PATTERN} are possible"
        )
    try:
        compiled(text)
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
            return max(0.0, datetime.fromisoformat(text).timestamp())
    except (ValueError, OverflowError):
        message = f'--since "{text}": no moment; write for example 10m, 14:30 or 2026-01-31T14:30'
        raise UsageError(message) from None
    return now - duration(text, "--since")
