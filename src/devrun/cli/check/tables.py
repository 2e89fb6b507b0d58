"""A resolved project as tables in which nothing is left unsaid, for programs to read.

The keys are those of devrun.toml. Where the file has several forms of a value, here it is always
the longest: a table rather than a text, a list rather than one of its members. What a service has
not is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from devrun.cli.describe import by_process
from devrun.config.toml.ending import ENDINGS
from devrun.config.toml.service_of import service_table
from devrun.config.toml.tables_of import NO_COLORS, project_tables
from devrun.config.toml.texts import duration_text, shown_path, signal_text, size_text
from devrun.model import Project, RestartPolicy, Service, StopPolicy, WatchSettings
from devrun.policies import LogFile, Readiness

Table = dict[str, object]

_COMMANDS = frozenset(("command", "commands", "exec"))
"""Keys whose texts are left alone by what replaces variables, so that no dollar in them is two."""

_ABSENT = (
    *("shell", "port", "ready", "health", "restart_limit", "on_exit", "max_memory", "log"),
    "color",
)


def whole_tables(
    project: Project, *, show_values: bool, colors: Mapping[str, str] = NO_COLORS
) -> Table:
    """Return the tables of a project.

    Args:
        show_values: Show the values of variables, which may be secrets.
        colors: Of prefixes, by service.
    """
    said = project_tables(project, show_values=show_values)
    environment = project.environment
    files = [environment.root_file, *environment.files]
    found: Table = {
        "env_file": [shown_path(path, project.root) for path in files if path is not None],
        "env_override": environment.override,
        "on_exit": _on_exit(project),
        "success": said.get("success", "all"),
        "max_processes": project.max_processes,
        "teardown": said.get("teardown"),
        "shutdown_timeout": said.get("shutdown_timeout"),
        "watch_ignore": said.get("watch_ignore", []),
        "prefix": said.get("prefix"),
        "timestamps": said.get("timestamps", False),
    }
    services = {
        name: whole_table(project, name, instances, show_values=show_values)
        | {"color": colors.get(name)}
        for name, instances in by_process(project).items()
    }
    return {**_plain(found), "services": services, "groups": said.get("groups", {})}


def whole_table(
    project: Project, name: str, instances: Sequence[Service], *, show_values: bool
) -> Table:
    """Return the table of a service's instances, which differ in number and port only."""
    service = instances[0]
    said = service_table(project, name, instances, show_values=show_values)
    found: Table = {
        "command": said["command"],
        "cwd": said.get("cwd", "."),
        "env": said.get("env", {}),
        "env_file": said.get("env_file", []),
        "sockets": _sockets(service, said),
        "instances": len(instances),
        "cluster": service.shares_ports,
        "depends_on": _dependencies(service),
        "start_delay": duration_text(service.start_delay),
        **_restart(service.restart, said),
        "stop": _stop(service.stop),
        "nice": said.get("nice", 0),
        "limits": said.get("limits", {}),
        "watch": _watch(said),
        "tty": "auto" if service.tty is None else service.tty,
        "raw": service.raw,
        "hidden": service.hidden,
    }
    found |= {key: said.get(key) for key in _ABSENT}
    if service.ready is not None and "ready" in said:
        found["ready"] = _ready(service.ready, said)
    if service.max_memory is not None:
        action = service.max_memory.action.value
        found["max_memory"] = {"size": size_text(service.max_memory.size), "action": action}
    if service.log is not None:
        found["log"] = _log(service.log, said)
    return _plain(found)


def _on_exit(project: Project) -> str:
    (word,) = (word for word, kind in ENDINGS.items() if kind is project.kill_others)
    return word


def _sockets(service: Service, said: Mapping[str, object]) -> object:
    texts = said.get("sockets", [])
    if isinstance(texts, dict):
        return texts
    names = [socket.name for socket in service.sockets]
    # Several without names of their own share that of the service, and stay a list.
    if isinstance(texts, list) and len(set(names)) == len(names):
        return dict(zip(names, texts, strict=True))
    return texts


def _dependencies(service: Service) -> Table:
    return {
        each.service: {
            "condition": each.condition.value,
            "on_restart": each.on_restart.value,
            "required": each.required,
        }
        for each in service.depends_on
    }


def _ready(ready: Readiness, said: Mapping[str, object]) -> Table:
    table = said["ready"]
    late = "continue" if ready.continues else "fail"
    return {**(table if isinstance(table, dict) else {}), "on_timeout": late}


def _restart(policy: RestartPolicy, said: Mapping[str, object]) -> Table:
    return {
        "restart": policy.when.value,
        "restart_on": said.get("restart_on", []),
        "no_restart_on": said.get("no_restart_on", []),
        "backoff": {
            "initial": duration_text(policy.delay),
            "factor": policy.factor,
            "max": duration_text(policy.cap),
            "jitter": policy.jitter,
        },
        "max_restarts": policy.tries,
        "min_uptime": duration_text(policy.min_uptime),
        "restart_delay": duration_text(policy.calm_delay),
    }


def _stop(stop: StopPolicy) -> Table:
    return {
        "signal": signal_text(stop.signal),
        "interrupt": signal_text(stop.interrupt),
        "timeout": duration_text(stop.timeout),
        "command": stop.command,
        "message": stop.message,
        "scope": stop.scope.value,
    }


def _log(log: LogFile, said: Mapping[str, object]) -> Table:
    table = said["log"]
    absent = {"file": None, "error_file": None, "max_size": None, "keep": None, "time_format": None}
    switches = {"compress": log.compress, "timestamps": log.timestamps, "json": log.json}
    return {**absent, **switches, **(table if isinstance(table, dict) else {})}


def _watch(said: Mapping[str, object]) -> object:
    found = said.get("watch")
    if found is None:
        return None
    usual = {"ignore": [], "debounce": duration_text(WatchSettings().quiet), "poll": False}
    return {"paths": found, **usual} if not isinstance(found, dict) else {**usual, **found}


def _plain(table: Mapping[str, object]) -> Table:
    """Return a table in which a dollar is one: a devrun.toml has two where none is replaced."""
    return {key: value if key in _COMMANDS else _one_dollar(value) for key, value in table.items()}


def _one_dollar(value: object) -> object:
    match value:
        case str():
            return value.replace("$$", "$")
        case list():
            return [_one_dollar(each) for each in value]
        case dict():
            return _plain(value)
        case _:
            return value
