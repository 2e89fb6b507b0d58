"""How long a new generation has to have lived before the old one is stopped for it."""

from __future__ import annotations

from math import inf

from devrun.model import Service

USUAL = 1.0
LONGEST = 10.0
"""Seconds; a service's ``min_uptime`` counts up to that."""


def seconds_of_trial(service: Service, *, is_apart: bool) -> float:
    """Return how many seconds after its start a generation may be taken for a working one.

    A gate that only a generation itself can open is proof enough. Without one, living for a while
    is all there is to go by; and what is asked from outside may be the old generation's answer.

    Args:
        is_apart: What connects to its sockets reaches this generation and no other.
    """
    if service.ready is not None and _is_proof(service, is_apart=is_apart):
        return 0.0
    uptime = service.restart.min_uptime
    return USUAL if uptime == inf else min(uptime, LONGEST)


def _is_proof(service: Service, *, is_apart: bool) -> bool:
    from devrun.policies import ExecProbe, HttpProbe, PortProbe

    gate = None if service.ready is None else service.ready.gate
    match gate:
        case HttpProbe():
            return is_apart and _asks_held_socket(service, gate.url)
        case PortProbe():
            return is_apart or not service.sockets
        case ExecProbe():
            return False
        case _:
            return True


def _asks_held_socket(service: Service, url: str) -> bool:
    from devrun.supervise.probes.url import parse_url

    try:
        target = parse_url(url, service.cwd)
    except ValueError:
        return False
    if not service.sockets and not service.shares_ports:
        return True
    return target.socket is None and target.port in {each.port for each in service.sockets}
