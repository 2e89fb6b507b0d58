"""The settings of a service, and which of them a format has nothing for.

Every field of the types that ``devrun.model`` and ``devrun.policies`` have for a service is that of
a setting here, or is among those that mean nothing elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import assert_never

from devrun.config.toml.ending import restart_base
from devrun.export.process_type import ProcessType
from devrun.model import RestartWhen
from devrun.policies import (
    DelayGate,
    ExecProbe,
    FileProbe,
    Gate,
    HttpProbe,
    IpcGate,
    ListenGate,
    LogGate,
    NotifyGate,
    OnLimit,
    OnRestart,
    PortProbe,
)

EVERYWHERE = frozenset(
    [
        "Service.index",
        "Service.name",
        "Service.command",
        "Service.argv",
        "Service.shell",
        "Service.cwd",
        "Service.env",
        "Service.env_files",
        "Service.process",
        "Service.number",
        "Service.port",
        "StopPolicy.signal",
        "StopPolicy.timeout",
        "StopPolicy.scope",
        "Service.stop",
        "Service.restart",
        "RestartPolicy.delay",
    ]
)
"""Fields that every format expresses, or says in notes of its own."""

NOWHERE = {
    "Service.hidden": "what a terminal shows",
    "StopPolicy.interrupt": "Ctrl+C",
    "RestartPolicy.cap": "part of backoff",
    "RestartPolicy.jitter": "part of backoff",
    "Dependency.service": "part of depends_on",
    "MemoryLimit.size": "part of max_memory",
    "HeldSocket.name": "part of sockets",
    "HeldSocket.host": "part of sockets",
    "HeldSocket.port": "part of sockets",
    "LogFile.path": "part of log",
    "LogFile.time_format": "part of log.timestamps",
    "Service.concealed": "what messages do not show",
    "Service.watch": "noted for all formats",
    "Service.kill_others": "noted for all formats",
}
"""Fields that have no setting of their own here, and why."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that some formats express.

    Attributes:
        key: As devrun.toml has it.
        fields: The fields of the model that it stands for.
        is_used: Whether a process says so.
    """

    key: str
    fields: tuple[str, ...]
    is_used: Callable[[ProcessType], bool]


def gate_keys(gate: Gate) -> frozenset[str]:
    """Return what of a gate, or of a probe, a format may not have: its kind, and its details."""
    match gate:
        case PortProbe():
            return frozenset(("port",))
        case HttpProbe():
            return frozenset(_http_keys(gate))
        case ExecProbe():
            return frozenset(("exec",))
        case FileProbe():
            return frozenset(("file",))
        case LogGate():
            return frozenset(("log",))
        case DelayGate():
            return frozenset(("delay",))
        case NotifyGate(watchdog):
            return frozenset(("notify",) if watchdog is None else ("notify", "watchdog"))
        case IpcGate():
            return frozenset(("ipc",))
        case ListenGate():
            return frozenset()  # Ports that are shared are a setting of their own.
        case _:
            assert_never(gate)


def _http_keys(probe: HttpProbe) -> Iterable[str]:
    yield probe.url.strip().partition(":")[0].lower()
    if probe.statuses != HttpProbe("").statuses:
        yield "status"
    if probe.body is not None:
        yield "body"
    if "@" in probe.url.partition("//")[2].partition("/")[0]:
        yield "password"


def _gate(part: str) -> Setting:
    def is_used(kind: ProcessType) -> bool:
        ready = kind.service.ready
        return ready is not None and part in gate_keys(ready.gate)

    return Setting(f"ready.{part}", ("Service.ready", "Readiness.gate"), is_used)


def _probe(part: str) -> Setting:
    def is_used(kind: ProcessType) -> bool:
        health = kind.service.health
        return health is not None and part in gate_keys(health.probe)

    fields = ("Service.health", *(f"HealthCheck.{name}" for name in _OF_HEALTH))
    return Setting(f"health.{part}", fields, is_used)


_OF_HEALTH = ("probe", "interval", "timeout", "retries", "start_period")
_PROBES = ("port", "http", "https", "unix", "status", "body", "password", "exec", "file")
_GATES = (*_PROBES, "log", "delay", "notify", "watchdog", "ipc")


def _is_no(kind: ProcessType) -> bool:
    return kind.declared and kind.restarts.when is RestartWhen.NO and not kind.once


def _differs(*fields: str) -> Callable[[ProcessType], bool]:
    """Return what tells whether a service says something of its restarts that is not assumed."""

    def is_used(kind: ProcessType) -> bool:
        policy = kind.service.restart
        base = restart_base(policy.when, restarts=bool(policy.restart_on))
        return kind.declared and any(getattr(policy, x) != getattr(base, x) for x in fields)

    return is_used


def _backs_off(kind: ProcessType) -> bool:
    """Whether waits grow in a way that is said; those of PM2's apps stay below 0.1 s."""
    return kind.service.restart.cap > 0.1 and _differs("factor", "cap", "jitter")(kind)


def _of_log(field: str) -> Callable[[ProcessType], bool]:
    def is_used(kind: ProcessType) -> bool:
        return bool(kind.service.log and getattr(kind.service.log, field))

    return is_used


def _memory_action(kind: ProcessType) -> bool:
    limit = kind.service.max_memory
    return limit is not None and limit.action is OnLimit.RELOAD


def _on_restart(kind: ProcessType) -> bool:
    return any(each.on_restart is not OnRestart.IGNORE for each in kind.service.depends_on)


SETTINGS = (
    *map(_gate, _GATES),
    Setting(
        "ready.on_timeout",
        ("Readiness.continues", "Readiness.timeout"),
        lambda kind: bool(
            kind.service.ready
            and kind.service.ready.continues
            and gate_keys(kind.service.ready.gate)
        ),
    ),
    *map(_probe, _PROBES),
    Setting(
        "stop.command", ("StopPolicy.command",), lambda kind: kind.service.stop.command is not None
    ),
    Setting("stop.message", ("StopPolicy.message",), lambda kind: kind.service.stop.message),
    Setting('restart = "no"', ("RestartPolicy.when",), _is_no),
    Setting(
        'restart = "on-failure"',
        ("RestartPolicy.when",),
        lambda kind: kind.declared and kind.restarts.when is RestartWhen.ON_FAILURE,
    ),
    Setting("restart_on", ("RestartPolicy.restart_on",), lambda kind: bool(kind.restarts.again)),
    Setting(
        "no_restart_on", ("RestartPolicy.no_restart_on",), lambda kind: bool(kind.restarts.never)
    ),
    Setting("backoff", ("RestartPolicy.factor",), _backs_off),
    Setting("max_restarts", ("RestartPolicy.tries",), _differs("tries")),
    Setting("min_uptime", ("RestartPolicy.min_uptime",), _differs("min_uptime")),
    Setting("restart_delay", ("RestartPolicy.calm_delay",), _differs("calm_delay")),
    Setting("restart_limit", ("RestartPolicy.window",), _differs("window")),
    Setting(
        "depends_on", ("Service.depends_on", "Dependency.condition"), lambda kind: bool(kind.needs)
    ),
    Setting(
        "depends_on.on_restart",
        ("Dependency.on_restart",),
        _on_restart,
    ),
    Setting(
        "depends_on.required = false",
        ("Dependency.required",),
        lambda kind: not all(each.required for each in kind.service.depends_on),
    ),
    Setting("start_delay", ("Service.start_delay",), lambda kind: kind.service.start_delay > 0),
    Setting(
        "max_memory", ("Service.max_memory",), lambda kind: kind.service.max_memory is not None
    ),
    Setting("max_memory.action", ("MemoryLimit.action",), _memory_action),
    Setting(
        "nice",
        ("Service.limits", "ProcessLimits.nice"),
        lambda kind: bool(kind.service.limits and kind.service.limits.nice),
    ),
    Setting(
        "limits",
        ("ProcessLimits.resources",),
        lambda kind: bool(kind.service.limits and kind.service.limits.resources),
    ),
    Setting("sockets", ("Service.sockets",), lambda kind: bool(kind.service.sockets)),
    Setting("cluster", ("Service.shares_ports",), lambda kind: kind.service.shares_ports),
    Setting("log", ("Service.log",), lambda kind: kind.service.log is not None),
    Setting("log.error_file", ("LogFile.error_path",), _of_log("error_path")),
    Setting("log.max_size", ("LogFile.max_size",), _of_log("max_size")),
    Setting(
        "log.keep",
        ("LogFile.keep_seconds", "LogFile.keep_files"),
        lambda kind: _of_log("keep_files")(kind) or _of_log("keep_seconds")(kind),
    ),
    Setting("log.compress", ("LogFile.compress",), _of_log("compress")),
    Setting("log.timestamps", ("LogFile.timestamps",), _of_log("timestamps")),
    Setting("log.json", ("LogFile.json",), _of_log("json")),
    Setting("tty", ("Service.tty",), lambda kind: kind.service.tty is True),
    Setting("raw", ("Service.raw",), lambda kind: kind.service.raw),
)
"""All settings that a format may have nothing for."""

KEYS = frozenset(setting.key for setting in SETTINGS)


def unsaid(kind: ProcessType, expressed: frozenset[str]) -> list[str]:
    """Return the keys of a process's settings that are not among those a format expresses.

    What belongs to one that is not expressed goes without saying.
    """
    keys = [each.key for each in SETTINGS if each.is_used(kind) and each.key not in expressed]
    return [key for key in keys if key.rpartition(".")[0] not in keys]
