"""Gates and probes that ask for a service's own port: each instance has another one.

``ready = { port = 3000 }`` of a service whose ``PORT`` is 3000 means the port of whichever instance
is asked. One that is not that of the instance cannot be right for several: of those that listen on
it, one is the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from devrun.model import Service

TYPE_CHECKING = False  # devrun.policies is for services that have any
if TYPE_CHECKING:
    from typing import TypeVar

    from devrun.policies import Gate, HttpProbe, PortProbe

    _Asked = TypeVar("_Asked", bound=Gate)

_URL = re.compile(r"(https?)://(?:[^/?#@]*@)?(\[[^\]]*\]|[^:/?#\[]*)(?::(\d{1,5}))?", re.IGNORECASE)
_USUAL = {"http": 80, "https": 443}
_LOCAL = re.compile(r"localhost|127\.[\d.]+|0\.0\.0\.0|::1?|", re.IGNORECASE)


def with_port(service: Service, port: int, *, in_texts: bool = False) -> Service:
    """Return a service with another port, for which its gate and its probe ask then.

    Args:
        in_texts: The former port stands also for itself in what they look for: ``${PORT}`` in a
            pattern has become its number when the file was read.
    """
    moved = replace(service, port=port)
    former = service.port
    if former is None or former == port:
        return moved
    if service.ready is not None:
        gate = _moved(service.ready.gate, former, port, in_texts=in_texts)
        moved = replace(moved, ready=replace(service.ready, gate=gate))
    if service.health is not None:
        probe = _moved(service.health.probe, former, port, in_texts=in_texts)
        moved = replace(moved, health=replace(service.health, probe=probe))
    return moved


def alien_ports(service: Service) -> Iterator[tuple[str, str, int]]:
    """Yield what asks this machine for a port that is not the service's own.

    That is a key (``ready``), the kind of what asks (``port``) and the port.
    """
    from devrun.policies import HttpProbe, PortProbe

    asked = (
        ("ready", service.ready and service.ready.gate),
        ("health", service.health and service.health.probe),
    )
    for key, probe in asked:
        if isinstance(probe, PortProbe | HttpProbe):
            port = _local_port(probe)
            if port not in (None, service.port):
                yield key, "port" if isinstance(probe, PortProbe) else "http", port or 0


def _local_port(probe: PortProbe | HttpProbe) -> int | None:
    """Return the port that is asked for, if that is on this machine."""
    from devrun.policies import PortProbe

    if isinstance(probe, PortProbe):
        return probe.port if _LOCAL.fullmatch(probe.host) else None
    found = _URL.match(probe.url)
    if found is None or not _LOCAL.fullmatch(found[2].strip("[]")):
        return None
    return int(found[3]) if found[3] else _USUAL[found[1].lower()]


def _moved(probe: _Asked, former: int, port: int, *, in_texts: bool) -> _Asked:
    from devrun.policies import ExecProbe, FileProbe, HttpProbe, LogGate, PortProbe

    def moved(text: str) -> str:
        return re.sub(rf"(?<!\d){former}(?!\d)", str(port), text) if in_texts else text

    if isinstance(probe, PortProbe) and _local_port(probe) == former:
        return replace(probe, port=port)
    if isinstance(probe, HttpProbe) and _local_port(probe) == former:
        found = _URL.match(probe.url)
        end = found.end(2) if found else 0
        rest = probe.url[found.end() if found else 0 :]
        return replace(probe, url=f"{probe.url[:end]}:{port}{rest}")
    if isinstance(probe, LogGate):
        return replace(probe, pattern=moved(probe.pattern))
    if isinstance(probe, FileProbe):
        return replace(probe, path=moved(probe.path))
    if isinstance(probe, ExecProbe):
        words = probe.command
        command = moved(words) if isinstance(words, str) else tuple(map(moved, words))
        return replace(probe, command=command)
    return probe
