"""Whether as many services may run at a time as the dependencies among them need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from devrun.model import Service

_NAMED = 5
"""More names than that are no help."""


def too_few_places(services: Sequence[Service], most: int, place: str) -> str | None:
    """Return a warning if a service waits for more that goes on running than may run with it.

    Such a service would wait in silence until something of that ends. What is waited for until it
    has completed takes no place: it ends by itself.

    Args:
        most: How many may run at a time.
        place: Where that is said.
    """
    if not any(service.depends_on for service in services):
        return None
    needs = _needs(services)
    worst = max(needs, key=lambda name: sum(needs[name].values()))
    wanted = 1 + sum(needs[worst].values())
    if wanted <= most:
        return None
    chain = f'"{worst}" waits for {_listed(list(needs[worst]))}'
    run = "goes" if wanted == 2 else "go"
    return f"{place}: too few: {chain}, which {run} on running meanwhile; write {wanted} or more"


def _needs(services: Sequence[Service]) -> dict[str, dict[str, int]]:
    """Return for each service what has to go on running for it, and how many instances of that."""
    by_name: dict[str, list[Service]] = {}
    for service in services:
        by_name.setdefault(service.process or service.label, []).append(service)
    completed = {name for name, condition in _conditions(services) if condition == "completed"}
    return {
        name: {each: len(by_name[each]) for each in _below(name, by_name) if each not in completed}
        for name in by_name
    }


def _conditions(services: Sequence[Service]) -> Iterator[tuple[str, str]]:
    for service in services:
        yield from ((each.service, each.condition.value) for each in service.depends_on)


def _below(name: str, by_name: Mapping[str, Sequence[Service]]) -> list[str]:
    """Return all that a service waits for, the nearest first."""
    found: dict[str, None] = {}
    level = [name]
    while level:
        nearest = dict.fromkeys(
            each.service for above in level for each in by_name[above][0].depends_on
        )
        level = [each for each in nearest if each in by_name and each not in found]
        found |= dict.fromkeys(level)
    return [each for each in found if each != name]


def _listed(names: Sequence[str]) -> str:
    quoted = [f'"{name}"' for name in names[:_NAMED]]
    if len(names) > _NAMED:
        quoted.append(f"{len(names) - _NAMED} more")
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
