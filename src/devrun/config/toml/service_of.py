"""A resolved service as the table that reads back as the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

from devrun.config.toml.ending import ENDINGS, restart_base
from devrun.config.toml.resources import socket_name
from devrun.config.toml.texts import (
    address_text,
    age_text,
    duration_text,
    exit_values,
    limit_value,
    shown_path,
    signal_text,
    size_text,
    socket_text,
    status_values,
)
from devrun.config.toml.variables import escaped
from devrun.errors import UsageError
from devrun.model import (
    MASK,
    Project,
    RestartPolicy,
    RestartWhen,
    Service,
    StopPolicy,
    WatchRule,
    WatchSettings,
)
from devrun.policies import (
    DelayGate,
    Dependency,
    ExecProbe,
    FileProbe,
    Gate,
    HealthCheck,
    HttpProbe,
    IpcGate,
    ListenGate,
    LogFile,
    LogGate,
    MemoryLimit,
    NotifyGate,
    OnLimit,
    OnRestart,
    PortProbe,
    ProcessLimits,
    Readiness,
)

Table = dict[str, object]


def service_table(
    project: Project, name: str, instances: Sequence[Service], *, show_values: bool
) -> Table:
    """Return the table of a service's instances, which differ in number and port only.

    Args:
        show_values: Show the values of its variables, which may be secrets.
    """
    service, root = instances[0], project.root
    found: Table = {"command": service.command if service.argv is None else list(service.argv)}
    _set(found, "cwd", escaped(shown_path(service.cwd, root)), unless=".")
    if service.shell is not None:
        found["shell"] = escaped(service.shell.program)
    if service.env:
        found["env"] = {key: escaped(value) if show_values else MASK for key, value in service.env}
    if service.env_files:
        found["env_file"] = [escaped(shown_path(path, root)) for path in service.env_files]
    _set(found, "port", service.port, unless=None)
    if service.sockets:
        found["sockets"] = _sockets(service, name, root)
    _set(found, "instances", len(instances), unless=1)
    _set(found, "cluster", service.shares_ports, unless=False)
    if service.depends_on:
        found["depends_on"] = {each.service: _dependency(each) for each in service.depends_on}
    found |= _supervision(service, root)
    watch = _watch(service, project.watch, root)
    _set(found, "watch", watch, unless=None)
    if service.log is not None:
        found["log"] = _log(service.log, root)
    _set(found, "tty", service.tty, unless=None)
    _set(found, "raw", service.raw, unless=False)
    _set(found, "hidden", service.hidden, unless=False)
    return found


def _set(table: Table, key: str, value: object, *, unless: object) -> None:
    """Say what is not assumed anyway."""
    if value != unless:
        table[key] = value


def _sockets(service: Service, name: str, root: str) -> object:
    texts = [escaped(socket_text(socket, root)) for socket in service.sockets]
    names = [socket.name for socket in service.sockets]
    if all(each == socket_name(name) for each in names):
        return texts
    return dict(zip(names, texts, strict=True))


def _dependency(dependency: Dependency) -> object:
    found: Table = {"condition": dependency.condition.value}
    _set(found, "on_restart", dependency.on_restart.value, unless=OnRestart.IGNORE.value)
    _set(found, "required", dependency.required, unless=True)
    return found if len(found) > 1 else dependency.condition.value


def _supervision(service: Service, root: str) -> Table:
    found: Table = {}
    if service.ready is not None and not isinstance(service.ready.gate, ListenGate):
        found["ready"] = _readiness(service.ready, root)
    if service.health is not None:
        found["health"] = _health(service.health, root)
    if service.start_delay:
        found["start_delay"] = duration_text(service.start_delay)
    found |= _restart(service.restart)
    for word, kind in ENDINGS.items():
        if service.kill_others is kind:
            found["on_exit"] = word
    stop = _stop(service.stop)
    _set(found, "stop", stop, unless={})
    if service.max_memory is not None:
        found["max_memory"] = _memory(service.max_memory)
    if service.limits is not None:
        found |= _limits(service.limits)
    return found


# -- probes -------------------------------------------------------------------------------------


def _gate(gate: Gate, root: str) -> Table:
    match gate:
        case PortProbe(port, host):
            default = host == PortProbe(port).host
            return {"port": port if default else escaped(address_text(host, port))}
        case HttpProbe():
            return _http(gate)
        case ExecProbe(command):
            return {"exec": command if isinstance(command, str) else list(command)}
        case FileProbe(path):
            return {"file": escaped(shown_path(path, root))}
        case LogGate(pattern):
            return {"log": escaped(pattern)}
        case DelayGate(seconds):
            return {"delay": duration_text(seconds)}
        case NotifyGate(watchdog):
            every = {} if watchdog is None else {"watchdog": duration_text(watchdog)}
            return {"notify": True, **every}
        case IpcGate():
            return {"ipc": True}
        case ListenGate():
            return {}  # It goes without saying, where ports are shared.
        case _:
            assert_never(gate)


def _http(probe: HttpProbe) -> Table:
    found: Table = {"http": escaped(probe.url)}
    if probe.statuses != HttpProbe(probe.url).statuses:
        found["status"] = status_values(probe.statuses)
    if probe.body is not None:
        found["body"] = escaped(probe.body)
    return found


def _readiness(ready: Readiness, root: str) -> Table:
    found = {**_gate(ready.gate, root), "timeout": duration_text(ready.timeout)}
    _set(found, "on_timeout", "continue" if ready.continues else "fail", unless="fail")
    return found


def _health(check: HealthCheck, root: str) -> Table:
    return {
        **_gate(check.probe, root),
        "interval": duration_text(check.interval),
        "timeout": duration_text(check.timeout),
        "retries": check.retries,
        "start_period": duration_text(check.start_period),
    }


# -- ending -------------------------------------------------------------------------------------


def _restart(policy: RestartPolicy) -> Table:
    base = restart_base(policy.when, restarts=bool(policy.restart_on))
    found: Table = {}
    _set(found, "restart", policy.when.value, unless=RestartWhen.NO.value)
    _set(found, "restart_on", exit_values(policy.restart_on), unless=[])
    _set(found, "no_restart_on", exit_values(policy.no_restart_on), unless=[])
    backoff: Table = {}
    if policy.delay != base.delay:
        backoff["initial"] = duration_text(policy.delay)
    if policy.factor != base.factor:
        backoff["factor"] = policy.factor
    if policy.cap != max(base.cap, policy.delay):
        backoff["max"] = duration_text(policy.cap)
    if policy.jitter != base.jitter:
        backoff["jitter"] = policy.jitter
    _set(found, "backoff", backoff, unless={})
    _set(found, "max_restarts", policy.tries, unless=base.tries)
    if policy.min_uptime != base.min_uptime:
        found["min_uptime"] = duration_text(policy.min_uptime)
    if policy.calm_delay != base.calm_delay:
        found["restart_delay"] = duration_text(policy.calm_delay)
    if policy.window is not None:
        count, seconds = policy.window
        found["restart_limit"] = f"{count}/{duration_text(seconds)}"
    return found


def _stop(policy: StopPolicy) -> Table:
    default = StopPolicy()
    found: Table = {}
    if (policy.signal, policy.interrupt) != (default.signal, default.interrupt):
        found["signal"] = signal_text(policy.signal)
        if policy.interrupt != policy.signal:
            found["interrupt"] = signal_text(policy.interrupt)
    if policy.timeout != default.timeout:
        found["timeout"] = duration_text(policy.timeout)
    _set(found, "command", policy.command, unless=None)
    _set(found, "message", policy.message, unless=False)
    _set(found, "scope", policy.scope.value, unless=default.scope.value)
    return found


# -- resources ----------------------------------------------------------------------------------


def _memory(limit: MemoryLimit) -> object:
    size = size_text(limit.size)
    if limit.action is OnLimit.RESTART:
        return size
    return {"size": size, "action": limit.action.value}


def _limits(limits: ProcessLimits) -> Table:
    found: Table = {}
    _set(found, "nice", limits.nice, unless=0 if limits.resources else None)
    resources: Mapping[str, object] = {
        name: limit_value(soft) if soft == hard else [limit_value(soft), limit_value(hard)]
        for name, soft, hard in limits.resources
    }
    _set(found, "limits", resources, unless={})
    return found


def _log(log: LogFile, root: str) -> Table:
    found: Table = {"file": escaped(shown_path(log.path, root))}
    if log.error_path is not None:
        found["error_file"] = escaped(shown_path(log.error_path, root))
    if log.max_size is not None:
        found["max_size"] = size_text(log.max_size)
    keep: list[int | str] = [] if log.keep_seconds is None else [age_text(log.keep_seconds)]
    if log.keep_files is not None:
        keep.append(log.keep_files)
    if keep:
        found["keep"] = keep[0] if len(keep) == 1 else keep
    _set(found, "compress", log.compress, unless=False)
    _set(found, "timestamps", log.timestamps, unless=log.time_format is not None)
    if log.time_format is not None:
        found["time_format"] = escaped(log.time_format)
    _set(found, "json", log.json, unless=False)
    return found


def _watch(service: Service, settings: WatchSettings, root: str) -> object:
    """Return what is watched, with what holds for this service alone."""
    if not service.watch:
        return None
    sources = dict.fromkeys(_source(rule, root) for rule in service.watch)
    paths: object = [escaped(source) for source in sources]
    if [(rule.root, rule.pattern) for rule in service.watch] == [(service.cwd, None)]:
        paths = True
    own = settings.of(service.process)
    found: Table = {}
    if own.ignore != settings.ignore:
        found["ignore"] = [escaped(pattern) for pattern in _added(settings.ignore, own.ignore)]
    if own.quiet != WatchSettings().quiet:
        found["debounce"] = duration_text(own.quiet)
    _set(found, "poll", settings.poll, unless=False)
    return {"paths": paths, **found} if found else paths


def _added(for_all: Sequence[str], own: Sequence[str]) -> Sequence[str]:
    """Return what has to be said of a service's patterns besides those for all."""
    both = zip(for_all, own, strict=False)
    different = (place for place, (one, other) in enumerate(both) if one != other)
    return own[next(different, len(for_all)) :]


def _source(rule: WatchRule, root: str) -> str:
    """Return a text that means the rule: what the user wrote, if that means the same from here."""
    from devrun.config.watching import parse_watch

    try:
        (found,) = parse_watch([f"watch={rule.source}"], ["watch"], root)
    except UsageError:
        found = ()
    if rule in found:
        return rule.source
    path = rule.root if rule.pattern is None else f"{rule.root}/{rule.pattern.removeprefix('/')}"
    return shown_path(path, root)
