"""``${PORT}`` in ``ready`` and ``health``: the port of the instance that is asked.

Everywhere else, it is the variable of the environment as any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from devrun.config.toml.owner import Owner
from devrun.config.toml.reader import Said
from devrun.config.toml.schema import ServiceTable
from devrun.config.toml.values import whole
from devrun.config.toml.variables import Variables
from devrun.model import Service

TYPE_CHECKING = False  # devrun.policies is for services that have any
if TYPE_CHECKING:
    from devrun.policies import HealthCheck, HeldSocket, Readiness

GATES = frozenset(("ready", "health"))
"""The keys of a service in which ``${PORT}`` is its own."""

PORT = "PORT"

ForPort = Callable[[int | None], ServiceTable]
"""Gives a service's table, as it is for an instance with that port."""


@dataclass(frozen=True, slots=True)
class OwnGates:
    """What a service says of its readiness and health, with ``${PORT}`` in it."""

    table: ForPort
    owner: Owner

    def of(self, instance: Service) -> tuple[Readiness | None, HealthCheck | None]:
        """Return when an instance is ready, and what is asked of it then.

        Raises:
            UsageError: It has no port, and no variable of that name is set.
        """
        from devrun.config.toml.probes import health_check, readiness

        table = self.table(_port(instance.sockets, instance.port))
        return readiness(table.ready, self.owner), health_check(table.health, self.owner)


def mentions_port(service: Said) -> bool:
    """Whether the gate or the probe of a service has ``${PORT}`` in it, or may have."""
    inside = service.table or {}
    return any(key in GATES and "${PORT" in repr(said.plain()) for key, said in inside.items())


def own_port(table: ServiceTable, owner: Owner) -> int | None:
    """Return the port of a service's first instance, or None.

    Raises:
        UsageError: Its port or one of its sockets is wrong.
    """
    sockets: tuple[HeldSocket, ...] = ()
    if table.sockets is not None:
        from devrun.config.toml.resources import held_sockets

        sockets = held_sockets(table, owner)
    port = None
    if table.port is not None:
        port = whole(table.port, owner.at("port"), least=1, most=65535)
    return _port(sockets, port)


def _port(sockets: Iterable[HeldSocket], port: int | None) -> int | None:
    """Return what an instance finds as ``PORT``: the port of its only TCP socket, or its own."""
    held = [each.port for each in sockets if each.port]
    return held[0] if len(held) == 1 else port


def with_port(variables: Variables, port: int | None) -> Variables:
    """Return variables among which ``PORT`` is a service's own, if it has one."""
    if port is None:
        return variables

    text = str(port)
    return lambda: _WithPort(text, variables())


class _WithPort(Mapping[str, str]):
    """Variables with another ``PORT``; whoever counts what is asked for still can."""

    def __init__(self, port: str, variables: Mapping[str, str]) -> None:
        self._port = port
        self._variables = variables

    def __getitem__(self, name: str) -> str:
        return self._port if name == PORT else self._variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._variables, PORT: self._port})

    def __len__(self) -> int:
        return len({*self._variables, PORT})
