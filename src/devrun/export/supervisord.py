"""supervisord: one file with a program for each instance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, isfinite

from devrun.export.dependants import levels
from devrun.export.deployment import Deployment
from devrun.export.process_type import ProcessType
from devrun.export.quoting import environment_value, printed_line, printf_text
from devrun.export.render import ExportFile, Renderer
from devrun.export.values import writes_values
from devrun.export.words import instance_log, instance_words
from devrun.model import RestartWhen
from devrun.policies import DelayGate

EXPRESSED = frozenset(
    (
        *("ready.delay", 'restart = "no"', 'restart = "on-failure"', "no_restart_on"),
        *("max_restarts", "min_uptime", "depends_on", "nice", "limits"),
        *("log", "log.error_file", "log.max_size", "log.keep"),
    )
)
"""Settings that programs have something for."""

FOR_EVER = 1_000_000

PRINTED = (
    'set -- "$(printf %b "$DEVRUN_VALUES")"; '
    'unset DEVRUN_VALUES; set -a; eval "$1"; set +a; set --; '
)
"""What a shell's line begins with that takes values from one variable, as what reads them has put
them there before it changed the user."""


@dataclass(frozen=True, slots=True)
class Program:
    """What is said of one program.

    Attributes:
        values: All values of ``.env`` files, as one word for ``printf %b``; or nothing.
        priority: Those with a lower one start first and stop last; or None.
    """

    name: str
    process: ProcessType
    number: int
    words: Sequence[str]
    values: str
    priority: int | None
    again: str
    expected: str
    seconds: int
    tries: int
    log: tuple[str, str | None] | None


def supervisord(deployment: Deployment, render: Renderer, _folder: str) -> Iterator[ExportFile]:
    """Yield one file with a program for each instance and a group for all.

    ``environment=`` can hold no value with quotes of both kinds, and no line break: all values
    stand there in one.
    """
    programs = [
        _program(deployment, kind, number)
        for kind in deployment.processes
        for number in kind.instances
    ]
    is_private = any(writes_values(deployment, kind) for kind in deployment.processes)
    text = render("project.conf", programs=programs)
    yield ExportFile(f"{deployment.slug}.conf", text, private=is_private)


def _program(deployment: Deployment, kind: ProcessType, number: int) -> Program:
    *before, line = instance_words(deployment, kind, number, values=PRINTED)
    depth = levels(deployment.processes)
    again, expected = _again(kind)
    return Program(
        name=f"{deployment.slug}-{kind.slug}-{number}",
        process=kind,
        number=number,
        words=(*before, printed_line(line)),
        values=_values(deployment, kind),
        priority=10 * (depth[kind.name] + 1) if any(depth.values()) else None,
        again=again,
        expected=expected,
        seconds=_seconds(kind),
        tries=FOR_EVER if kind.restarts.tries < 0 else kind.restarts.tries,
        log=None if deployment.options.logs else instance_log(kind, number),
    )


def _values(deployment: Deployment, kind: ProcessType) -> str:
    if not writes_values(deployment, kind):
        return ""
    pairs = deployment.written_for(kind)
    return printf_text("".join(f"{name}={environment_value(value)}\n" for name, value in pairs))


def _again(kind: ProcessType) -> tuple[str, str]:
    """Return ``autorestart``, and the exit codes that no restart follows."""
    never = [end.code for end in kind.restarts.never if end.code is not None]
    match kind.restarts.when:
        case RestartWhen.NO:
            return "false", ""
        case RestartWhen.ALWAYS:
            return ("unexpected" if never else "true"), ",".join(map(str, never))
        case RestartWhen.ON_FAILURE:
            again = {end.code for end in kind.restarts.again}
            codes = [code for code in dict.fromkeys((0, *never)) if code not in again]
            return "unexpected", ",".join(map(str, codes))


def _seconds(kind: ProcessType) -> int:
    """Return ``startsecs``: an end before that is followed by a retry, whatever its code was.

    With 0 seconds none is, and what ``autorestart`` says holds for all ends.
    """
    ready = kind.service.ready
    least = 1
    if ready is not None and isinstance(ready.gate, DelayGate):
        least = ceil(ready.gate.seconds)
    if not kind.declared:
        return least
    if kind.restarts.when is RestartWhen.NO:
        return 0
    uptime = kind.service.restart.min_uptime
    return max(least, ceil(uptime) if isfinite(uptime) else 1)
