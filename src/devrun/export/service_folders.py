"""runit and s6: a service directory for each instance, its log beside it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from devrun.export.deployment import Deployment
from devrun.export.process_type import ProcessType
from devrun.export.render import ExportFile, Renderer
from devrun.export.users import check_user_name
from devrun.export.values import environment_files, value_paths
from devrun.export.words import instance_words
from devrun.model import ExitStatus, RestartWhen

_BOTH = frozenset(("restart_on", "no_restart_on", "nice", "limits")) | {
    'restart = "no"',
    'restart = "on-failure"',
}
RUNIT = _BOTH | {"stop.command"}
S6 = _BOTH | {"restart_limit"}
"""Settings that service directories have something for."""

_GIVEN = 'set -- "$DEVRUN_VALUES"; unset DEVRUN_VALUES; set -a; eval "$1"; set +a; set --; '
"""What a shell's line begins with that takes values from one variable, as what reads them has put
them there before it changed the user."""


_RUNIT_SIGNAL, _S6_SIGNAL = "-1", "256"
"""What ``finish`` gets for an exit code after an end by a signal (runsv(8), s6-supervise)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows the end of a process, as patterns of ``case`` for its code and its signal.

    Attributes:
        again: Ends that are followed by another start in any case.
        never: Ends that are not, in any case.
        others: ``again``, ``never``, or ``failures``: another start unless the code is 0.
    """

    again: tuple[str, ...]
    never: tuple[str, ...]
    others: str


def runit(deployment: Deployment, render: Renderer, folder: str) -> Iterator[ExportFile]:
    """Yield a service directory for each instance (runsv(8)), its log beside it."""
    check_user_name(deployment, "runit")
    yield from _service_folders(deployment, render, folder, by_signal=_RUNIT_SIGNAL)
    for kind in deployment.processes:
        for number in kind.instances:
            name = f"{deployment.slug}-{kind.slug}-{number}"
            text = render(
                "control",
                process=kind,
                name=name,
                stop=_stop_line(deployment, kind, number),
                values=value_paths(deployment, kind, folder),
                decides=_decides(kind, _RUNIT_SIGNAL),
            )
            yield ExportFile(f"{name}/control/t", text, executable=True)


def s6(deployment: Deployment, render: Renderer, folder: str) -> Iterator[ExportFile]:
    """Yield a service directory for each instance (s6-supervise), its log beside it.

    A ``timeout-kill`` of 0 milliseconds would mean never.
    """
    check_user_name(deployment, "s6")
    yield from _service_folders(deployment, render, folder, by_signal=_S6_SIGNAL)
    for kind in deployment.processes:
        for number in kind.instances:
            name = f"{deployment.slug}-{kind.slug}-{number}"
            wait = max(1, round(kind.stop_timeout * 1000))
            yield ExportFile(f"{name}/down-signal", f"{kind.stop_signal}\n", bare=True)
            yield ExportFile(f"{name}/timeout-kill", f"{wait}\n", bare=True)


def _service_folders(
    deployment: Deployment, render: Renderer, folder: str, *, by_signal: str
) -> Iterator[ExportFile]:
    yield from environment_files(deployment, render)
    for kind in deployment.processes:
        values = value_paths(deployment, kind, folder)
        for number in kind.instances:
            name = f"{deployment.slug}-{kind.slug}-{number}"
            words = instance_words(deployment, kind, number, values=_GIVEN)
            run = render(
                "run",
                process=kind,
                number=number,
                line=shlex.join(words),
                words=words,
                values=values,
                decides=_decides(kind, by_signal),
            )
            yield ExportFile(f"{name}/run", run, executable=True)
            log = render("log-run", process=kind, number=number, name=name)
            yield ExportFile(f"{name}/log/run", log, executable=True)
            if _decides(kind, by_signal):
                verdict = _verdict(kind, by_signal)
                text = render("finish", process=kind, verdict=verdict)
                yield ExportFile(f"{name}/finish", text, executable=True)


def _decides(kind: ProcessType, by_signal: str) -> bool:
    """Whether the end of a process says if it is started again; s6 counts ends, too."""
    if kind.declared and kind.service.restart.window is not None and by_signal == _S6_SIGNAL:
        return True
    return kind.restarts.when is not RestartWhen.ALWAYS or bool(kind.restarts.never)


def _verdict(kind: ProcessType, by_signal: str) -> Verdict:
    def patterns(ends: tuple[ExitStatus, ...]) -> tuple[str, ...]:
        return tuple(
            f"{end.code}:*" if end.code is not None else f"{by_signal}:{end.signal}" for end in ends
        )

    words = {
        RestartWhen.ALWAYS: "again",
        RestartWhen.NO: "never",
        RestartWhen.ON_FAILURE: "failures",
    }
    restarts = kind.restarts
    return Verdict(patterns(restarts.again), patterns(restarts.never), words[restarts.when])


def _stop_line(deployment: Deployment, kind: ProcessType, number: int) -> str:
    """Return the words that run a process's stop command, as a shell's line; or nothing."""
    command = kind.service.stop.command
    if command is None:
        return ""
    words = instance_words(deployment, kind, number, values=_GIVEN, limited=False, line=command)
    return shlex.join(words)
