"""Ask whether a port is served, and by whom."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import trio

from devrun.policies import PortProbe
from devrun.process.accepting import is_accepted
from devrun.supervise.probes.answers import (
    Answer,
    Failed,
    HeldByOther,
    Passed,
    Subject,
    error_text,
    one_line,
)
from devrun.supervise.probes.hosts import CONNECT_ERRORS, Host, connect, look_up
from devrun.supervise.probes.owner import other_holder
from devrun.supervise.probes.threads import in_thread

TYPE_CHECKING = False  # most services have no sockets of devrun's
if TYPE_CHECKING:
    from devrun.process.listeners import Approach

ACCEPTED_WITHIN = 0.8
LOOK_AGAIN = 0.02
"""Seconds that a server may take to accept, and between two looks at whether it has."""


async def ask_port(probe: PortProbe, subject: Subject) -> Answer:
    """Pass if connections are accepted; on loopback, by a process of the service.

    Of several loopback addresses (``localhost`` has two) one has to do.
    """
    try:
        host = await look_up(probe.host)
    except CONNECT_ERRORS as error:
        return Failed(f"{one_line(probe.host)}: {error_text(error)}")
    if subject.sockets is not None and subject.sockets.holds(probe.port):
        return await _wait_for_acceptance(host, probe.port, subject.sockets)
    if not host.is_local:
        return await _connect(host, probe.port) or Passed()
    answers: list[Answer] = []
    for address in host.addresses:
        answers.append(await _ask_address(host, address, probe.port, subject))
        if isinstance(answers[-1], Passed):
            break
    return min(answers, key=_rank)


def _rank(answer: Answer) -> int:
    return (Passed, HeldByOther, Failed).index(type(answer))


async def _ask_address(host: Host, address: str, port: int, subject: Subject) -> Answer:
    failed = await _connect(replace(host, addresses=(address,)), port)
    return failed or await other_holder(address, port, subject) or Passed()


async def _connect(host: Host, port: int) -> Failed | None:
    try:
        stream = await connect(host, port)
    except CONNECT_ERRORS as error:
        return Failed(f"{host.name}:{port}: {error_text(error)}")
    await trio.aclose_forcefully(stream)
    return None


async def _wait_for_acceptance(host: Host, port: int, sockets: Approach) -> Answer:
    """Pass once a connection has been accepted: devrun itself listens, which proves nothing."""
    try:
        stream = await connect(host, port, sockets)
    except CONNECT_ERRORS as error:
        return Failed(f"{host.name}:{port}: {error_text(error)}")
    try:
        source = stream.socket.getsockname()[1]
        with trio.move_on_after(ACCEPTED_WITHIN):
            while not await in_thread(partial(is_accepted, port, source)):  # noqa: ASYNC110
                await trio.sleep(LOOK_AGAIN)
            return Passed()
        return Failed(f"{host.name}:{port}: nobody accepts what is connected")
    finally:
        await trio.aclose_forcefully(stream)
