"""``devrun signal web HUP``: a signal for the programs of services."""

from __future__ import annotations

import signal

from devrun.cli.control.choice import runs_with
from devrun.cli.control.lifecycle import order
from devrun.cli.control.line import Line
from devrun.cli.control.saying import VERSION, Result, flush, put, put_json
from devrun.errors import ExitCode, UsageError
from devrun.output.complaint import complain


def send(line: Line) -> int:
    """Send a signal; return the exit code, 1 if there was no process that could get it.

    Raises:
        UsageError: There is no such service, or no such signal.
    """
    if len(line.words) < 2:
        raise UsageError("signal needs a service and a signal: devrun signal web HUP")
    *names, word = line.words
    name_of_signal = _signal(word)
    results: list[Result] = []
    for services, name in runs_with(line.place, names):
        path = ("services", name, "signal")
        results += order(services.run, path, {"signal": name_of_signal})
    lacking = [each for each in results if not _pids(each)]
    if line.as_json:
        put_json({"version": VERSION, "results": results})
    for each in results:
        if each not in lacking and not line.as_json:
            pids = _pids(each)
            some = f"pid{'s' if len(pids) > 1 else ''} {', '.join(map(str, pids))}"
            put(f"{each.get('name')}: SIG{name_of_signal} sent to {some}")
    flush()
    for each in lacking:
        complain(f"{each.get('name')}: {each.get('reason') or 'does not run'}")
    return ExitCode.FAILURE if lacking or not results else ExitCode.OK


def _pids(result: Result) -> list[object]:
    """Return the processes that got the signal; a devrun that is older knows the first alone."""
    pids, first = result.get("pids"), result.get("pid")
    if isinstance(pids, list):
        return pids
    return [] if first is None else [first]


def _signal(word: str) -> str:
    """Return the name of a signal without SIG."""
    from devrun.config.nearest import hint

    known = [name.removeprefix("SIG") for name in signal.Signals.__members__]
    if word.isascii() and word.isdigit():
        number = int(word)
        if number in {*signal.Signals}:
            return signal.Signals(number).name.removeprefix("SIG")
        raise UsageError(f"signal {word}: there is no signal of that number")
    name = word.upper().removeprefix("SIG")
    if name not in known:
        raise UsageError(f'signal "{word}": no such signal{hint(name, known)}')
    return name
