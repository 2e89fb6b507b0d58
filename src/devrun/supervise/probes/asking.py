"""Ask a service from outside: once, until it is ready, or again and again.

Every kind of probe has a module of its own, which is loaded when such a probe is first made.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import assert_never

import trio

from devrun.policies import ExecProbe, FileProbe, HealthCheck, HttpProbe, PortProbe, Probe
from devrun.supervise.probes.answers import Answer, Failed, HeldByOther, Passed, Subject, one_line
from devrun.supervise.probes.health import Health, Record, Unhealthy, judge, pause_after

FIRST_PAUSE = 0.1
PAUSE_FACTOR = 1.5
LONGEST_PAUSE = 1.0
"""Seconds between two tries while a service is starting; what starts fast is seen fast."""

LIMIT = 1.0
EXEC_LIMIT = 10.0
"""Seconds that one such try may take."""


async def ask(probe: Probe, subject: Subject, *, timeout: float) -> Answer:  # noqa: ASYNC109
    """Probe once.

    Whatever goes wrong is an answer, not an error. If it is cancelled, nothing is left of it.

    Args:
        timeout: Seconds it may take.
    """
    if isinstance(probe, ExecProbe):
        from devrun.supervise.probes.exec import ask_command

        return await ask_command(probe, subject, timeout)
    with trio.move_on_after(timeout):
        return await _ask(probe, subject)
    return Failed(f"{_place(probe, subject)}: no answer within {timeout:g} s")


async def _ask(probe: PortProbe | HttpProbe | FileProbe, subject: Subject) -> Answer:
    match probe:
        case PortProbe():
            from devrun.supervise.probes.port import ask_port

            return await ask_port(probe, subject)
        case HttpProbe():
            from devrun.supervise.probes.http import ask_http

            return await ask_http(probe, subject)
        case FileProbe():
            from devrun.supervise.probes.file import ask_file

            return await ask_file(probe, subject)
        case _:
            assert_never(probe)


def _place(probe: PortProbe | HttpProbe | FileProbe, subject: Subject) -> str:
    match probe:
        case PortProbe():
            return one_line(f"{probe.host}:{probe.port}")
        case HttpProbe():
            from devrun.supervise.probes.url import parse_url

            return one_line(str(parse_url(probe.url, subject.cwd)))
        case FileProbe():
            return one_line(probe.path)
        case _:
            assert_never(probe)


async def until_ready(
    probe: Probe, subject: Subject, *, publish: Callable[[Failed | HeldByOther], None]
) -> None:
    """Probe until it succeeds, every 100 ms at first and every second in the end.

    Args:
        publish: Told why it did not, unless that is what was told last.
    """
    limit = EXEC_LIMIT if isinstance(probe, ExecProbe) else LIMIT
    await until_passed(partial(ask, probe, subject, timeout=limit), publish=publish)


async def until_passed(
    question: Callable[[], Awaitable[Answer]], *, publish: Callable[[Failed | HeldByOther], None]
) -> None:
    """Ask until the answer is ``Passed``; see ``until_ready``."""
    told: str | None = None
    for pause in pauses():
        answer = await question()
        if isinstance(answer, Passed):
            return
        if answer.reason != told:
            told = answer.reason
            publish(answer)
        await trio.sleep(pause)


def pauses() -> Iterator[float]:
    """Yield the seconds between tries, for ever."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * PAUSE_FACTOR, LONGEST_PAUSE)


async def watch_health(
    check: HealthCheck, subject: Subject, *, report: Callable[[Health], None]
) -> None:
    """Probe again and again, and report changes; returns once the service is unhealthy."""
    question = partial(ask, check.probe, subject, timeout=check.timeout)
    elapsed = max(0.0, time.time() - subject.started_at)
    await watch(check, question, start_period=check.start_period - elapsed, report=report)


async def watch(
    check: HealthCheck,
    question: Callable[[], Awaitable[Answer]],
    *,
    start_period: float,
    report: Callable[[Health], None],
) -> None:
    """Ask again and again; see ``watch_health``.

    Args:
        start_period: What is left of it, in seconds. A probe that begins in it does not count.
    """
    over = trio.current_time() + start_period
    record = Record()
    while True:
        starting = trio.current_time() < over
        record, health = judge(check, record, await question(), counts=not starting)
        if health is not None:
            report(health)
        if isinstance(health, Unhealthy):
            return
        await trio.sleep(pause_after(check, record, starting=starting))
