"""What two services of a TOML file cannot both have: names, ports, sockets, log files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from devrun.config.toml.owner import Owner
from devrun.errors import UsageError
from devrun.model import Service


def check_clashes(
    services: Sequence[Service], counts: Mapping[str, int], owners: Mapping[str, Owner]
) -> None:
    """Refuse services that get in each other's way.

    Args:
        counts: How many instances of each service there are.

    Raises:
        UsageError: Two services have the same name, port, socket or log file.
    """
    taken: dict[tuple[str, object], tuple[str, str]] = {}
    for service in services:
        name = service.process or service.label
        owner = owners[name]
        for key, what, shown in _uses(service, counts[name]):
            other, there = taken.setdefault((shown, what), (name, key))
            if other != name:
                first = owners[other].said.at((there,)).place
                message = f'{owner.at(key)}: {shown} is that of "{other}" too'
                raise UsageError(f"{message}; see {first}")


def ports_of(service: Service, count: int) -> range:
    """Return the ports of a service's instances: one for each, or one that all share."""
    if service.port is None:
        return range(0)
    shared = bool(service.sockets) or service.shares_ports
    return range(service.port, service.port + (1 if shared else count))


def _uses(service: Service, count: int) -> Iterator[tuple[str, object, str]]:
    """Yield the key, the thing itself and its name for messages."""
    name = service.process or service.label
    names = [name, *(f"{name}.{number}" for number in range(1, count + 1) if count > 1)]
    for each in names:
        yield "", each, f'the name "{each}"'
    for port in ports_of(service, count):
        yield "port", port, f"port {port}"
    for socket in service.sockets:
        if socket.port is None:
            yield "sockets", socket.host, f"the socket {socket.host}"
        elif socket.port:
            yield "sockets", socket.port, f"port {socket.port}"
    if service.log is not None:
        for path in {service.log.path, service.log.error_path} - {None}:
            yield "log", path, f"the file {path}"
