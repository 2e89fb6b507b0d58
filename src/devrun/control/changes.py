"""How a configuration differs from what runs; pure. Values of variables are compared, not shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from devrun.model import Service

_APART = frozenset(("index", "name", "env", "env_files", "argv"))
"""Fields of services that are shown otherwise, or are what services are told apart by."""

_OF_OTHERS = "OVERMIND_PROCESS_"
"""How variables begin that tell a Procfile's processes the ports of each other: one more process is
no reason to start the others anew."""

Environment = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs; everything is called by its label.

    Attributes:
        changed: Instances, each with the names of what is other.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        return not (self.added or self.removed or self.changed)


def renamed(present: Sequence[Service], wanted: Sequence[Service]) -> dict[int, str]:
    """Return what instances are called from now on that go on under another name, by index.

    ``web`` is ``web.1`` where it is to be one of several, and the other way round.
    """
    labels = {service.label for service in present}
    by_number = {(each.process, each.number): each.label for each in wanted}
    found = {
        each.index: by_number.get((each.process, each.number))
        for each in present
        if each.process is not None
    }
    return {index: label for index, label in found.items() if label and label not in labels}


def differences(
    present: Sequence[Service],
    wanted: Sequence[Service],
    started: Mapping[str, Environment],
    environments: Mapping[str, Environment],
) -> Difference:
    """Return how services that are wanted differ from those that are there.

    Args:
        started: The environments that those were started with which have been, by label.
        environments: Those that the wanted ones would be started with.
    """
    by_label = {service.label: service for service in present}
    labels = {service.label for service in wanted}
    changed: list[tuple[str, tuple[str, ...]]] = []
    for service in wanted:
        former = by_label.get(service.label)
        if former is None:
            continue
        label = service.label
        before = started.get(label, environments[label])
        names = (
            *_fields(former, service),
            *_variables(former, service, before, environments[label]),
        )
        if names:
            changed.append((label, names))
    return Difference(
        tuple(service.label for service in wanted if service.label not in by_label),
        tuple(label for label in by_label if label not in labels),
        tuple(changed),
    )


def _fields(former: Service, wanted: Service) -> Iterator[str]:
    for field in fields(Service):
        if field.name not in _APART and getattr(former, field.name) != getattr(wanted, field.name):
            yield field.name
    if former.argv != wanted.argv and former.command == wanted.command:
        yield "command"
    if former.env_files != wanted.env_files:
        yield "env_file"


def _variables(
    former: Service, wanted: Service, before: Environment, after: Environment
) -> Iterator[str]:
    """Yield ``env.NAME`` for each variable that is other; never what it holds."""
    own = _different(dict(former.env), dict(wanted.env))
    for name in sorted({*_different(before, after), *own}):
        yield f"env.{name}"


def _different(before: Environment, after: Environment) -> Iterable[str]:
    names = {name for name in (*before, *after) if not name.startswith(_OF_OTHERS)}
    return (name for name in names if before.get(name) != after.get(name))
