"""``devrun scale web=3``: how many instances of services run."""

from __future__ import annotations

from devrun.cli.control.choice import runs_with
from devrun.cli.control.lifecycle import order
from devrun.cli.control.line import Line
from devrun.cli.control.saying import Result, say_results
from devrun.errors import UsageError

MOST = 1000


def scale(line: Line) -> int:
    """Have so many instances of each service; return the exit code.

    Raises:
        UsageError: A word is no count of a service, or a service has two.
    """
    wanted: dict[str, int] = {}
    for word in line.with_words("devrun scale web=3").words:
        name, count = _count(word)
        if name in wanted:
            raise UsageError(f'scale "{word}": there is {name}={wanted[name]} already; leave one')
        wanted[name] = count
    results: list[Result] = []
    for services, name in runs_with(line.place, list(wanted)):
        if name not in services.by_service:
            raise UsageError(f"scale {name}: that is one instance; write the name of the service")
        path = ("services", name, "scale")
        results += order(services.run, path, {"instances": wanted[name]})
    return say_results(results, as_json=line.as_json, words={})


def _count(word: str) -> tuple[str, int]:
    from devrun.config.values import whole_number

    name, equals, count = word.rpartition("=")
    if not equals or not name:
        raise UsageError(f'scale "{word}": write how many there are to be, as in {word or "web"}=3')
    if count.strip() == "0":
        raise UsageError(f'scale "{word}": devrun stop {name} ends all of them; 1 is the least')
    return name, whole_number(count, f"scale {name}", least=1, most=MOST)
