"""``devrun logs`` where nothing runs: what the log files hold.

They are those that the folder's configuration names and those that a detached run has written to
its own folder. Lines are merged by their times where a file has them (``timestamps`` or ``json`` in
the configuration); a file that has none counts as written when it was last.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice

from devrun.cli.control.choice import Place
from devrun.cli.control.line import Line
from devrun.cli.control.log_printer import Entry, Printer
from devrun.cli.control.log_reader import LogSource, newest_first
from devrun.config.nearest import choices
from devrun.control.client import NotRunning
from devrun.errors import UsageError
from devrun.output.ansi import without_sequences
from devrun.output.bounded_search import BoundedSearch, TookTooLong
from devrun.output.complaint import complain
from devrun.policies import LogFile

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from devrun.cli.control.logs import Wanted


def past_logs(line: Line, wanted: Wanted, none_runs: NotRunning) -> int:
    """Show the last lines of log files; return the exit code.

    Raises:
        NotRunning: There is no log file.
        UsageError: No log file is that of a named service.
    """
    place = line.place
    sources = [source for source in _sources(place) if _is_there(source)]
    if not sources:
        raise NotRunning(f"{none_runs.what}, and there is no log file of an earlier run")
    chosen = [each for each in sources if not wanted.names or _is_wanted(each, wanted)]
    _check_names(wanted, sources)
    if wanted.err:
        for each in chosen:
            if each.stream is None and not each.log.json:
                complain(f"{each.path} does not tell stderr from stdout")
    complain(f"{none_runs.what}; these are the log files of an earlier run")
    printer = Printer(line, ())
    entries = merge(
        *(newest_first(each, wanted.since) for each in chosen),
        key=lambda entry: entry.at,
        reverse=True,
    )
    for entry in _found(entries, wanted):
        printer.print(entry)
    printer.flush()
    return printer.code


def _found(entries: Iterable[Entry], wanted: Wanted) -> list[Entry]:
    """Return the lines that are wanted, the oldest first, and why there are not more."""
    pattern = None if wanted.grep is None else BoundedSearch(wanted.grep)
    found: list[Entry] = []
    cut_off: list[Entry] = []
    try:
        matching = (each for each in entries if _matches(each, wanted, pattern))
        for entry in islice(matching, wanted.count):
            found.append(entry)  # noqa: PERF402 - what was found before it took too long stays
    except TookTooLong:
        cut_off = [Entry(0.0, {"cut_off": "the regular expression takes too long"})]
    return [*reversed(found), *cut_off]


def _is_there(source: LogSource) -> bool:
    from devrun.output.log_archive import archive_of

    if os.path.lexists(source.path):
        return True
    try:
        return bool(archive_of(source.path).files)
    except NotADirectoryError:
        return False
    except OSError:
        return True  # Which is told when it is read.


def _is_wanted(source: LogSource, wanted: Wanted) -> bool:
    return bool({source.service, source.instance} & {*wanted.names})


def _check_names(wanted: Wanted, sources: list[LogSource]) -> None:
    known = [*dict.fromkeys(each.service for each in sources)]
    for name in wanted.names:
        if name not in known and name not in [each.instance for each in sources]:
            raise UsageError(f'no log file is that of a service "{name}"{choices(name, known)}')


def _matches(entry: Entry, wanted: Wanted, pattern: BoundedSearch | None) -> bool:
    """Whether a line is wanted.

    Raises:
        TookTooLong: The pattern needs more time than there is for it.
    """
    said = entry.said
    if wanted.names and not {said["service"], said["instance"]} & {*wanted.names}:
        return False
    if wanted.err and said["stream"] != "err":
        return False
    return pattern is None or bool(pattern.search(_plain(str(said["line"]))))


def _plain(text: str) -> str:
    """Return what there is of a line without its colours, as a running devrun has it."""
    if "\x1b" not in text:
        return text
    return without_sequences(text.encode("utf-8", "replace")).decode("utf-8", "replace")


# -- which files there are ------------------------------------------------------------------


def _sources(place: Place) -> Iterator[LogSource]:
    found: dict[str, LogSource] = {}
    for source in (*_configured(place), *_detached(place)):
        found.setdefault(source.path, source)
    yield from found.values()


def _configured(place: Place) -> Iterator[LogSource]:
    """Yield the log files of the configuration of the nearest folder that has any."""
    from devrun.appearance import ColorLevel
    from devrun.config.definitions import discovered
    from devrun.config.resolve import resolve
    from devrun.config.settings import RunSettings

    folder = place.folder
    while (file := discovered(folder)) is None:
        above = os.path.dirname(folder)
        if above == folder:
            return
        folder = above
    settings = RunSettings(files=(file,))
    try:
        services = resolve(
            settings, cwd=folder, environ=place.environ, color_level=ColorLevel.NONE
        ).project.services
    except UsageError as error:
        complain(f"{error}; its log files are left out")
        return
    for service in services:
        log = service.log
        if log is None:
            continue
        name = service.process or service.label
        path = log.path.replace("{instance}", str(service.number))
        shared = "{instance}" not in log.path
        label = name if shared else service.label
        yield LogSource(os.path.realpath(path), name, label, log)
        if log.error_path is not None:
            path = log.error_path.replace("{instance}", str(service.number))
            yield LogSource(os.path.realpath(path), name, label, log, "err")


def _detached(place: Place) -> Iterator[LogSource]:
    """Yield the log files that a detached run of this folder, or one above it, has written."""
    from devrun.control.state_folder import LOGS, state_folder
    from devrun.output.log_desk import label_of

    folder = os.path.realpath(place.folder)
    while True:
        logs = os.path.join(state_folder(folder, place.name, place.environ), LOGS)
        if os.path.isdir(logs):
            for name in _listed(logs):
                if name.endswith(".log"):
                    yield _of_name(os.path.join(logs, name), label_of(name.removesuffix(".log")))
            return
        above = os.path.dirname(folder)
        if above == folder:
            return
        folder = above


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        complain(f"{folder} cannot be read: {(error.strerror or str(error)).lower()}")
        return []


def _of_name(path: str, label: str) -> LogSource:
    service, dot, number = label.rpartition(".")
    name = service if dot and number.isdigit() else label
    # How it is written is seen from its lines.
    return LogSource(os.path.realpath(path), name, label, LogFile(path, timestamps=True, json=True))
