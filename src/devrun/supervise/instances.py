"""Further instances of services, and how two services of one name differ."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import islice

from devrun.config.own_port import with_port
from devrun.model import Service


def free_numbers(instances: Sequence[Service], count: int) -> list[int]:
    """Return the first numbers that no instance has."""
    taken = {service.number for service in instances}
    return list(islice((number for number in itertools.count(1) if number not in taken), count))


def instance(first: Service, name: str, number: int) -> Service:
    """Return another instance of a service, as a configuration with more of them would have it."""
    other = replace(first, name=f"{name}.{number}", number=number)
    if first.port is None or first.shares_ports or first.sockets:
        return other
    return with_port(other, first.port + number - first.number, in_texts=True)


def differences(present: Service, wanted: Service) -> tuple[str, ...]:
    """Return the names of what is not the same in two services of one name."""
    return tuple(
        field.name
        for field in fields(Service)
        if field.name not in ("index", "name")
        and getattr(present, field.name) != getattr(wanted, field.name)
    )
