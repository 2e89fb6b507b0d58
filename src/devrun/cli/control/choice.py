"""Which run is asked: those of the nearest folder, of them the one that has the services named."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence

from devrun.control.client import Killed, NotRunning, ask
from devrun.control.runs import Running, nearest_first, running
from devrun.errors import DevrunError, UsageError

LISTENS_WITHIN = 5.0
"""Seconds after its start in which a run has to listen."""

_BETWEEN_LOOKS = 0.02
"""Seconds."""

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")


class Place:
    """Where a run is looked for.

    Attributes:
        folder: The run's folder, or one below it.
        name: What ``--name`` says: the name or the pid of the run; or None.
    """

    __slots__ = ("environ", "folder", "name")

    def __init__(self, folder: str, environ: Mapping[str, str], name: str | None = None) -> None:
        self.folder = folder
        self.environ = environ
        self.name = name


class Services:
    """What a run has.

    Attributes:
        by_service: The labels of each service's instances.
        said: The whole answer.
    """

    __slots__ = ("by_service", "run", "said")

    def __init__(self, run: Running, said: Mapping[str, object]) -> None:
        self.run = run
        self.said = said
        self.by_service: dict[str, list[str]] = {}
        listed = said.get("services")
        for each in listed if isinstance(listed, list) else ():
            self.by_service[str(each["name"])] = [str(label) for label in each["instances"]]

    @property
    def labels(self) -> list[str]:
        """The labels of all instances, in order."""
        return [label for labels in self.by_service.values() for label in labels]

    def has(self, name: str) -> bool:
        """Whether a service or an instance is called so."""
        return name in self.by_service or name in self.labels

    def service_of(self, name: str) -> str:
        """Return the service that is called so, or whose instance is."""
        if name in self.by_service:
            return name
        return next(service for service, labels in self.by_service.items() if name in labels)


def services_of(run: Running) -> Services:
    """Ask a run what it has."""
    return Services(run, ask(run, "GET", ("services",)))


def answers(place: Place, what: Callable[[Running], T]) -> list[tuple[Running, T]]:
    """Ask the runs of the nearest folder upwards that has any which answers.

    Raises:
        NotRunning: There is none.
        UsageError: ``--name`` means none of them, nor one further up.
    """
    known = running(place.environ)
    for runs in nearest_first(known, place.folder):
        wanted = [run for run in runs if place.name is None or run.is_called(place.name)]
        if found := each_asked(wanted, what):
            return found
    raise _none(place, known)


def each_asked(runs: Sequence[Running], what: Callable[[Running], T]) -> list[tuple[Running, T]]:
    """Ask runs, several of them at once: one that is slow keeps no other waiting.

    Returns:
        What those say that still run.

    Raises:
        DevrunError: One of them refuses, or does not answer; the first in their order.
    """
    if len(runs) < 2:
        return [said for run in runs if (said := _asked(run, what)) is not None]
    from threading import Thread

    answered: dict[int, tuple[Running, T] | None] = {}
    failed: dict[int, DevrunError] = {}

    def do(place: int) -> None:
        try:
            answered[place] = _asked(runs[place], what)
        except DevrunError as error:
            failed[place] = error

    threads = [Thread(target=do, args=(place,), daemon=True) for place in range(len(runs))]
    for thread in threads:
        thread.start()
    for place, thread in enumerate(threads):
        thread.join()
        if place in failed:
            raise failed[place]
    return [said for place in range(len(runs)) if (said := answered[place]) is not None]


def _asked(run: Running, what: Callable[[Running], T]) -> tuple[Running, T] | None:
    """Ask a run; return None if it has ended."""
    while True:
        try:
            return run, what(run)
        except Killed:
            if not is_about_to_listen(run):
                return None


def is_about_to_listen(run: Running) -> bool:
    """Whether a run at whose place nobody listens has only just begun; wait a moment if so."""
    from devrun.process.run_locks import is_held

    if time.time() - run.since > LISTENS_WITHIN or not is_held(os.path.dirname(run.socket)):
        return False
    time.sleep(_BETWEEN_LOOKS)
    return True


def the_run(place: Place, why: str) -> Services:
    """Return the only run there is.

    Args:
        why: What wants a single one, for the message if there are several.

    Raises:
        NotRunning: There is none.
        UsageError: There are several.
    """
    found = [services for _, services in answers(place, services_of)]
    if len(found) > 1:
        message = f"{len(found)} devruns run here; say which one {why}: {_choice(found)}"
        raise UsageError(message)
    return found[0]


def runs_with(place: Place, names: Sequence[str]) -> list[tuple[Services, str]]:
    """Return the run of each named service or instance, in the order of the names.

    Raises:
        NotRunning: There is no run.
        UsageError: A name means nothing, or something in several runs.
    """
    found = [services for _, services in answers(place, services_of)]
    chosen: list[tuple[Services, str]] = []
    for name in dict.fromkeys(names):
        having = [services for services in found if services.has(name)]
        if len(having) > 1:
            message = f'"{name}" runs in {len(having)} devruns here; say which one is meant'
            raise UsageError(f"{message}: {_choice(having)}")
        if not having:
            from devrun.config.nearest import choices

            every = [*dict.fromkeys(each for services in found for each in services.by_service)]
            instances = [label for services in found for label in services.labels]
            near = choices(name, every) if every else ""
            if name.partition(".")[0] in every:
                near = choices(name, instances)
            raise UsageError(f'no service "{name}" runs{near}')
        chosen.append((having[0], name))
    return chosen


def by_run(chosen: Sequence[tuple[Services, str]]) -> list[tuple[Services, list[str]]]:
    """Return the names of each run."""
    found: dict[int, tuple[Services, list[str]]] = {}
    for services, name in chosen:
        found.setdefault(id(services), (services, []))[1].append(name)
    return list(found.values())


def _choice(found: Sequence[Services]) -> str:
    return " or ".join(f"--name {each.run.name or each.run.pid}" for each in found)


def _none(place: Place, known: Sequence[Running]) -> NotRunning:
    folder = os.path.realpath(place.folder)
    if place.name is not None:
        return NotRunning(f'no devrun that is called "{place.name}" runs in {folder}')
    from devrun.process.run_locks import is_held

    elsewhere = any(is_held(os.path.dirname(run.socket)) for run in known)
    hint = "devrun ps --all shows those elsewhere" if elsewhere else ""
    return NotRunning(f"no devrun runs in {folder}", hint)
