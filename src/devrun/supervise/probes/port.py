"""Ask whether a port is served, and by whom."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial

import trio

from devrun.policies import PortProbe
from devrun.process import ports, tree
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
from devrun.supervise.probes.threads import in_thread

LONGEST_COMMAND = 120
"""Characters of a command line that are shown."""


async def ask_port(probe: PortProbe, subject: Subject) -> Answer:
    """Pass if connections are accepted; on loopback, by a process of the service.

    Of several loopback addresses (``localhost`` has two) one has to do.
    """
    try:
        host = await look_up(probe.host)
    except CONNECT_ERRORS as error:
        return Failed(f"{one_line(probe.host)}: {error_text(error)}")
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
    return failed or await _ask_for_owner(address, port, subject)


async def _connect(host: Host, port: int) -> Failed | None:
    try:
        stream = await connect(host, port)
    except CONNECT_ERRORS as error:
        return Failed(f"{host.name}:{port}: {error_text(error)}")
    await trio.aclose_forcefully(stream)
    return None


async def _ask_for_owner(address: str, port: int, subject: Subject) -> Answer:
    """Pass if a process of the service accepts there, or may be behind what does.

    Those below devrun are looked at first, because that is much less to look at. Where nothing is
    seen to listen the kernel itself forwards, as it does for containers.
    """
    near = await in_thread(partial(_holders_below_devrun, address, port))
    if any(subject.is_ours(each.pid) for each in near if each.pid is not None):
        return Passed()
    holders = await in_thread(partial(ports.holders, address, port))
    if not holders or any(subject.is_ours(each.pid) for each in holders if each.pid is not None):
        return Passed()
    if any(map(ports.hides_its_owner, holders)):
        possible = await in_thread(ports.possible_owners)
        if any(map(subject.is_ours, possible)):
            return Passed()
    return HeldByOther(port, await in_thread(partial(_describe, holders[0])), subject.label)


def _holders_below_devrun(address: str, port: int) -> list[ports.Listener]:
    below = [process.pid for process in tree.descendants(os.getpid())]
    return ports.holders(address, port, below)


def _describe(listener: ports.Listener) -> str:
    who = str(replace(listener, command=one_line(listener.command, LONGEST_COMMAND)))
    origin = ports.left_by(listener)
    return f"{who}, {origin}" if origin else who
