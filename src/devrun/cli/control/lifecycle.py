"""``devrun restart``, ``stop`` and ``reload``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from devrun.cli.control.choice import by_run, runs_with, the_run
from devrun.cli.control.line import Line
from devrun.cli.control.saying import Result, say_results
from devrun.control.client import NotRunning, Refused, ask
from devrun.control.runs import Running
from devrun.errors import ExitCode, UsageError
from devrun.output.complaint import complain

_STOP_WORDS = {"unchanged": "does not run"}


def restart(line: Line) -> int:
    """Start services anew, also those that are stopped; without a name, all of them.

    They are restarted one after another, in the order of their names in the line, and each is ready
    before the next one's turn comes.
    """
    if not line.words:
        found = order(the_run(line.place, "is to be restarted").run, ("restart",))
        return say_results(found, as_json=line.as_json, words={})
    results: list[Result] = []
    for services, name in runs_with(line.place, line.words):
        results += order(services.run, ("services", name, "restart"))
    return say_results(results, as_json=line.as_json, words={})


def stop(line: Line) -> int:
    """Stop services, dependants first; what does not run is no failure.

    Raises:
        UsageError: None is named.
    """
    if not line.words:
        message = "stop needs the name of a service: devrun stop web"
        raise UsageError(f"{message}; devrun down stops the whole project")
    try:
        return _together(line, "stop", _STOP_WORDS)
    except NotRunning as error:
        if line.as_json:
            say_results((), as_json=True, words={})
        complain(f"{error.what}; nothing is to be stopped")
        return ExitCode.OK


def reload(line: Line) -> int:
    """Replace services by new generations that are ready before the old ones are stopped.

    They are reloaded one after another; once one has failed, the others are left as they are.
    """
    return _together(line.with_words("devrun reload web"), "reload", {})


def _together(line: Line, what: str, words: Mapping[str, str]) -> int:
    """Have each run do something to all that is named of it, as one order."""
    results: list[Result] = []
    for services, names in by_run(runs_with(line.place, line.words)):
        if len(names) > 1:
            results += order(services.run, (what,), {"services": names})
        else:
            results += order(services.run, ("services", names[0], what))
    return say_results(results, as_json=line.as_json, words=words)


def order(
    run: Running, path: Sequence[str], body: Mapping[str, object] | None = None
) -> list[Result]:
    """Have a run do something that takes its time; return what has become of each instance.

    Raises:
        Refused: Nothing was done.
    """
    try:
        said = ask(run, "POST", path, body=body, patience=None)
    except Refused as refused:
        if "results" not in refused.said:
            raise
        said = refused.said
    results = said.get("results")
    return [each for each in results if isinstance(each, dict)] if isinstance(results, list) else []
