"""Ports and sockets that services want: which are wanted twice, and which others have already."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from devrun.errors import DevrunError
from devrun.model import Project, Service
from devrun.policies import HeldSocket, PortProbe
from devrun.process.ports import Listener, hides_its_owner, left_by, listener

_LOCAL = frozenset(("localhost", "127.0.0.1", "::1", "0.0.0.0", "::", ""))  # noqa: S104 - names


@dataclass(frozen=True, slots=True)
class Claim:
    """A port that is wanted.

    Attributes:
        label: Who wants it, for messages.
        owner: Who may want it twice: a service, or one of its instances.
        gate: It is only said that it is ready when it listens there.
        held: devrun itself is to listen.
    """

    port: int
    label: str
    owner: str
    gate: bool = False
    held: bool = False


def port_problems(project: Project) -> Iterator[tuple[str, str]]:
    """Yield the label of a service, and what is wrong with a port or a socket that it wants."""
    claims = list(dict.fromkeys(each for s in project.services for each in _claims(s)))
    first: dict[int, Claim] = {}
    for claim in claims:
        other = first.setdefault(claim.port, claim)
        if other.owner != claim.owner and other.label != claim.label:
            yield claim.label, f"port {claim.port} is that of {other.label} too"
    yield from _taken(claims)
    for label, held in _held(project).items():
        for each in held:
            if (problem := _held_problem(each)) is not None:
                yield label, problem


def _claims(service: Service) -> Iterator[Claim]:
    name = service.process or service.label
    for each in service.sockets:
        if each.port:
            yield Claim(each.port, name, name, held=True)
    label = name if service.sockets else service.label
    owner = name if service.sockets or service.shares_ports else label
    if service.port is not None and not service.sockets:
        yield Claim(service.port, label, owner)
    gate = service.ready.gate if service.ready is not None else None
    if isinstance(gate, PortProbe) and gate.host in _LOCAL:
        yield Claim(gate.port, label, owner, gate=True)


def _taken(claims: list[Claim]) -> Iterator[tuple[str, str]]:
    """Yield who has ports that services are to listen on; for held ones a trial says it."""
    done = {claim.port for claim in claims if claim.held}
    for claim in claims:
        if claim.port in done:
            continue
        done.add(claim.port)
        found = listener(claim.port)
        # A container's port may be served by an engine that runs already, and all the same be ours.
        if found is not None and not (claim.gate and hides_its_owner(found)):
            yield claim.label, f"port {claim.port} is taken by {_who(found)}"


def _who(found: Listener) -> str:
    origin = left_by(found)
    return f"{found}, {origin}" if origin else str(found)


# -- sockets that devrun holds ------------------------------------------------------------------


def _held(project: Project) -> dict[str, tuple[HeldSocket, ...]]:
    return {s.process or s.label: s.sockets for s in project.services if s.sockets}


def _held_problem(held: HeldSocket) -> str | None:
    if held.port is None:
        return _unix_problem(held.host)
    from devrun.process.held_sockets import open_sockets

    try:
        # For a moment, as a run would: only that tells whether it may, and in which words it fails.
        open_sockets((held,)).close()
    except DevrunError as error:
        return str(error)
    return None


def _unix_problem(path: str) -> str | None:
    """Return what keeps devrun from listening there; nothing is made or removed."""
    refused = f'cannot listen on "{path}"'
    family = getattr(socket, "AF_UNIX", None)  # Windows has none.
    if family is None:
        return f"{refused}: there are no Unix sockets on this system"
    folder = os.path.dirname(path)
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)  # A run makes those that are missing.
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"{refused}: the folder is not writable"
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except FileNotFoundError:
            return None
        except ConnectionRefusedError:
            is_socket = stat.S_ISSOCK(os.lstat(path).st_mode)
            return None if is_socket else f"{refused}: the file exists and is no socket"
        except OSError as error:  # For example: the path is too long.
            return f"{refused}: {(error.strerror or str(error)).lower()}"
    return f"{refused}: another program listens on it"
