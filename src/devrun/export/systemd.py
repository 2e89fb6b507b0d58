"""systemd: a target, a unit for each process, and one for each of its sockets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from devrun.export.deployment import Deployment
from devrun.export.probes import HERE, SHELL_PROBES, probe_line, ready_probe
from devrun.export.process_type import Need, ProcessType, shell_line
from devrun.export.quoting import systemd_path, systemd_word
from devrun.export.render import ExportFile, Renderer
from devrun.export.restarting import signal_name
from devrun.export.values import environment_files, value_paths
from devrun.model import ExitStatus
from devrun.policies import DelayGate, HeldSocket, NotifyGate, OnRestart
from devrun.process.command import SHELL

_INSTANCE = "\ud800"
"""Stands for systemd's ``%i`` until all other per cent signs have been doubled; no text that was
read can have it."""

EXPRESSED = frozenset(
    (
        *("ready.port", "ready.http", "ready.status", "ready.exec", "ready.file", "ready.delay"),
        *("ready.notify", "ready.watchdog", "stop.command", 'restart = "no"'),
        *('restart = "on-failure"', "restart_on", "no_restart_on", "max_restarts", "min_uptime"),
        *("restart_delay", "restart_limit", "depends_on", "depends_on.on_restart"),
        *("depends_on.required = false", "start_delay", "max_memory", "nice", "limits"),
        *("sockets", "log", "log.error_file"),
    )
)
"""Settings that units have something for."""


@dataclass(frozen=True, slots=True)
class Commands:
    """Command lines of a unit besides that of the process; None where there is none."""

    before: str | None
    ready: str | None
    stop: str | None


def systemd(deployment: Deployment, render: Renderer, folder: str) -> Iterator[ExportFile]:
    """Yield the units; a template unit where there are instances."""
    yield from environment_files(deployment, render)
    units: list[str] = []
    for kind in deployment.processes:
        units += unit_names(deployment, kind)
        sockets = socket_units(deployment, kind)
        name = _base(deployment, kind)
        text = render(
            "process.service",
            process=kind,
            instance="%i" if kind.count > 1 else "1",
            line=_command(_line(deployment, kind), SHELL),
            env_files=_env_files(deployment, kind, folder),
            commands=_commands(deployment, kind),
            type=_type(kind),
            start_timeout=_start_timeout(kind),
            required=_needed(deployment, kind, required=True),
            wanted=_needed(deployment, kind, required=False),
            bound=_bound(deployment, kind),
            again=_ends(kind.restarts.again),
            never=_ends(kind.restarts.never),
            sockets=[unit for unit, _ in sockets],
            log=_logs(deployment, kind),
        )
        yield ExportFile(f"{name}@.service" if kind.count > 1 else f"{name}.service", text)
        for unit, held in sockets:
            streams = [_stream(each) for each in held]
            service = unit_names(deployment, kind)[0]
            text = render(
                "process.socket", process=kind, streams=streams, held=held, service=service
            )
            yield ExportFile(unit, text)
    yield ExportFile(f"{deployment.slug}.target", render("project.target", units=units))


def _base(deployment: Deployment, kind: ProcessType) -> str:
    return f"{deployment.slug}-{kind.slug}"


def unit_names(deployment: Deployment, kind: ProcessType) -> list[str]:
    """Return the names of the units of a process's instances."""
    name = _base(deployment, kind)
    if kind.count == 1:
        return [f"{name}.service"]
    return [f"{name}@{number}.service" for number in kind.instances]


# -- command lines ------------------------------------------------------------------------------


def _command(line: str, shell: str) -> str:
    return f"{shell} -c {systemd_word(line).replace(_INSTANCE, '%i')}"


def _line(deployment: Deployment, kind: ProcessType, line: str | None = None) -> str:
    """Return a line with the process's variables; ``%i`` in it is the instance's number."""
    number = _INSTANCE if kind.count > 1 else "1"
    # A devrun.toml's services are not told PS by devrun either.
    assignments = [] if kind.declared else [("PS", f"{kind.name}.{number}")]
    if kind.port is not None:
        # Not by Environment=: a PORT in an EnvironmentFile= would win.
        assignments.insert(0, ("PORT", _port(kind, number)))
    path = [] if deployment.path is None else [("PATH", deployment.path)]
    same, counted = _variables(kind)
    return shell_line(kind, [*assignments, *counted], variables=[*path, *same], line=line)


def _port(kind: ProcessType, number: str) -> str:
    if kind.count == 1 or not kind.port_step:
        return str(kind.port)
    offset = number if kind.port_step == 1 else f"{kind.port_step} * {number}"
    return f"$(({kind.port_of(0)} + {offset}))"


def _variables(kind: ProcessType) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return variables that are the same for all instances, and those that count them."""
    same: list[tuple[str, str]] = []
    counted: list[tuple[str, str]] = []
    for name, value in kind.variables:
        others = [dict(each).get(name) for each in kind.further]
        first = int(value) if re.fullmatch(r"\d{1,9}", value, re.ASCII) else None
        if (
            others
            and first is not None
            and others == [str(first + n + 1) for n, _ in enumerate(others)]
        ):
            counted.append((name, f"$(({first - 1} + {_INSTANCE}))"))
        else:
            same.append((name, value))
    return same, counted


def varying(kind: ProcessType) -> list[str]:
    """Return the names of variables that differ between instances in no way a unit can say."""
    same, _ = _variables(kind)
    return [
        name for name, value in same if any(dict(each).get(name) != value for each in kind.further)
    ]


def _commands(deployment: Deployment, kind: ProcessType) -> Commands:
    delay = kind.service.start_delay
    before = f"/bin/sleep {delay:g}" if delay else None
    command = kind.service.stop.command
    stop = None
    if command is not None:
        # systemd runs it after each end of the process, devrun only where it is to be stopped.
        line = _line(deployment, kind, f'[ -n "$MAINPID" ] || exit 0; {command}')
        stop = _command(line, SHELL)
    return Commands(before, _ready(deployment, kind), stop)


def _ready(deployment: Deployment, kind: ProcessType) -> str | None:
    """Return what waits until a process is ready; whoever comes after it waits for that, too."""
    ready = kind.service.ready
    if ready is not None and isinstance(ready.gate, DelayGate) and not kind.once:
        return f"/bin/sleep {ready.gate.seconds:g}"
    probe = ready_probe(kind, SHELL_PROBES)
    if probe is None or kind.once:
        return None
    asks = probe_line(probe, kind, path_of=HERE)
    loop = f"until ({asks.text}\n) > /dev/null 2>&1; do sleep 0.5; done"
    return _command(_line(deployment, kind, loop), asks.shell)


# -- what is said of a unit ---------------------------------------------------------------------


def _type(kind: ProcessType) -> str:
    ready = kind.service.ready
    if ready is not None and isinstance(ready.gate, NotifyGate):
        return "notify"
    return "oneshot" if kind.once else "exec"


def _start_timeout(kind: ProcessType) -> int | None:
    """Return the whole seconds that a start may take, if the unit waits for anything."""
    ready = kind.service.ready
    if ready is None or kind.once:
        return None
    waits = isinstance(ready.gate, NotifyGate | DelayGate) or ready_probe(kind, SHELL_PROBES)
    return ceil(ready.timeout + kind.service.start_delay) if waits else None


def _units(deployment: Deployment, needs: Sequence[Need]) -> list[str]:
    return [name for need in needs for name in unit_names(deployment, need.on)]


def _needed(deployment: Deployment, kind: ProcessType, *, required: bool) -> list[str]:
    needs = [need for need in kind.needs if need.dependency.required is required]
    return _units(deployment, needs)


def _bound(deployment: Deployment, kind: ProcessType) -> list[str]:
    """Return units whose end ends a process, which then starts again if these do."""
    needs = [need for need in kind.needs if need.dependency.on_restart is not OnRestart.IGNORE]
    return _units(deployment, needs)


def _ends(ends: Sequence[ExitStatus]) -> str:
    return " ".join(str(end.code) if end.code is not None else signal_name(end) for end in ends)


def _env_files(deployment: Deployment, kind: ProcessType, folder: str) -> list[str]:
    if deployment.options.include_secrets:
        return value_paths(deployment, kind, folder)
    return list(deployment.files_of(kind))


def _logs(deployment: Deployment, kind: ProcessType) -> tuple[str, str | None] | None:
    """Return the files for both outputs; ``%i`` in them is the instance's number."""
    number = "%i" if kind.count > 1 else "1"
    if deployment.options.logs:
        end = "-%i" if kind.count > 1 else ""
        folder = systemd_path(deployment.options.logs)
        return f"{folder}/{_base(deployment, kind)}{end}.log", None
    log = kind.service.log
    if log is None:
        return None
    paths = [
        None if path is None else systemd_path(path).replace("{instance}", number)
        for path in (log.path, log.error_path)
    ]
    return paths[0] or "", paths[1]


# -- sockets ------------------------------------------------------------------------------------


def socket_units(
    deployment: Deployment, kind: ProcessType
) -> list[tuple[str, tuple[HeldSocket, ...]]]:
    """Return the names of a process's socket units, and what each of them holds.

    All sockets of a unit have one name. Ports that the system chooses are left out.
    """
    held: dict[str, list[HeldSocket]] = {}
    for each in kind.service.sockets:
        if each.port != 0:
            held.setdefault(each.name, []).append(each)
    name = _base(deployment, kind)
    return [
        (f"{name}.socket" if number == 0 else f"{name}-{number + 1}.socket", tuple(sockets))
        for number, sockets in enumerate(held.values())
    ]


def _stream(socket: HeldSocket) -> str:
    if socket.port is None:
        return systemd_path(socket.host)
    if not socket.host:
        return str(socket.port)
    host = f"[{socket.host}]" if ":" in socket.host else socket.host
    return f"{host}:{socket.port}"
