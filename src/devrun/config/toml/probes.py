"""``ready`` and ``health``: when a service may be depended on, and whether it works."""

from __future__ import annotations

import re

from devrun.config.toml.gates import GATES, PROBES
from devrun.config.toml.owner import Owner, given
from devrun.config.toml.tables import Health, ProbeTable, Ready, ReadyTable
from devrun.config.toml.values import absolute, address, pattern, seconds, status_range, whole
from devrun.errors import UsageError
from devrun.policies import (
    DelayGate,
    ExecProbe,
    FileProbe,
    Gate,
    HealthCheck,
    HttpProbe,
    IpcGate,
    LogGate,
    NotifyGate,
    PortProbe,
    Probe,
    Readiness,
)

_BELONG_TO = {"status": "http", "body": "http", "watchdog": "notify"}
_TIMEOUT = 60.0
_URL = re.compile(r"https?://[^\s/?#]+[^\s]*", re.IGNORECASE)


def readiness(table: Ready | None, owner: Owner) -> Readiness | None:
    """Return when a service may be depended on, or None for as soon as it runs.

    Raises:
        UsageError: None or several gates are named, or a value is wrong.
    """
    if isinstance(table, bool):
        _refuse_true(owner, "ready", {"port": 3000}, said=table)
        return None
    if table is None or _named(table, GATES, "ready", owner) is None:
        return None
    gate = _gate(table, owner)
    longest = _TIMEOUT
    if isinstance(gate, DelayGate) and gate.seconds >= _TIMEOUT:
        longest += gate.seconds
    place = owner.at("ready", "timeout")
    timeout = given(table.timeout, longest, seconds, place)
    if isinstance(gate, DelayGate) and timeout <= gate.seconds:
        raise UsageError(f'{place} "{table.timeout}": is over before the delay')
    return Readiness(gate, timeout, continues=table.on_timeout == "continue")


def health_check(table: Health | None, owner: Owner) -> HealthCheck | None:
    """Return what is asked again and again, or None.

    Raises:
        UsageError: None or several probes are named, or a value is wrong.
    """
    if isinstance(table, bool):
        _refuse_true(owner, "health", {"port": 3000}, said=table)
        return None
    if table is None or _named(table, PROBES, "health", owner) is None:
        return None
    probe = _probe(table, "health", owner)
    if probe is None:
        return None
    default = HealthCheck(probe)
    retries = default.retries
    if table.retries is not None:
        retries = whole(table.retries, owner.at("health", "retries"), least=1, most=1000)
    return HealthCheck(
        probe,
        interval=given(table.interval, default.interval, seconds, owner.at("health", "interval")),
        timeout=given(table.timeout, default.timeout, seconds, owner.at("health", "timeout")),
        retries=retries,
        start_period=given(
            table.start_period, default.start_period, seconds, owner.at("health", "start_period")
        ),
    )


def _refuse_true(owner: Owner, key: str, example: dict[str, int], *, said: bool) -> None:
    if said:
        ((name, value),) = example.items()
        message = f"{owner.at(key)} = true: says too little; write {{ {name} = {value} }}"
        raise UsageError(f"{message}, or false for none")


def _named(table: ProbeTable, keys: tuple[str, ...], owned: str, owner: Owner) -> str | None:
    """Return the only one of some keys that is set; None if what is inherited has none."""
    found = [key for key in keys if _is_set(table, key)]
    if len(found) > 1:
        message = f"{owner.at(owned, found[1])} and {found[0]} contradict each other"
        raise UsageError(f"{message}; leave one out")
    if not found and owned in owner.own:
        listed = f"{', '.join(keys[:-1])} or {keys[-1]}"
        raise UsageError(f"{owner.at(owned)}: nothing to wait for; write one of {listed}")
    for key, what in _BELONG_TO.items():
        if found and found != [what] and getattr(table, key, None) is not None:
            raise UsageError(f"{owner.at(owned, key)}: is for {what}, not for {found[0]}")
    return found[0] if found else None


def _is_set(table: ProbeTable, key: str) -> bool:
    value: object = getattr(table, key)
    return value is not None and value is not False


def _gate(table: ReadyTable, owner: Owner) -> Gate:
    if table.log is not None:
        return LogGate(pattern(table.log, owner.at("ready", "log")))
    if table.delay is not None:
        return DelayGate(seconds(table.delay, owner.at("ready", "delay")))
    if table.ipc:
        return IpcGate()
    probe = _probe(table, "ready", owner)
    if probe is not None:
        return probe
    return NotifyGate(given(table.watchdog, None, _interval, owner.at("ready", "watchdog")))


def _interval(text: str, place: str) -> float:
    found = seconds(text, place)
    if found <= 0:
        raise UsageError(f'{place} "{text}": no time to give a sign of life in')
    return found


def _probe(table: ProbeTable, owned: str, owner: Owner) -> Probe | None:
    if table.port is not None:
        host, port = address(table.port, owner.at(owned, "port"))
        return PortProbe(port, host) if host else PortProbe(port)
    if table.http is not None:
        return _http(table, table.http, owned, owner)
    if table.exec is not None:
        return _exec(table.exec, owner.at(owned, "exec"))
    if table.file is not None:
        if not table.file:
            raise UsageError(f"{owner.at(owned, 'file')}: a path is missing")
        return FileProbe(absolute(table.file, owner.folder(owned, "file")))
    return None


def _http(table: ProbeTable, url: str, owned: str, owner: Owner) -> HttpProbe:
    if not _URL.fullmatch(url):
        message = f'{owner.at(owned, "http")} "{url}": no URL; write http://localhost:3000/health'
        raise UsageError(message)
    body = given(table.body, None, pattern, owner.at(owned, "body"))
    return HttpProbe(url, _statuses(table, owned, owner) or HttpProbe(url).statuses, body)


def _statuses(table: ProbeTable, owned: str, owner: Owner) -> tuple[tuple[int, int], ...]:
    said = table.status
    if said is None:
        return ()
    if not isinstance(said, list):
        return (status_range(said, owner.at(owned, "status")),)
    if not said:
        raise UsageError(f"{owner.at(owned, 'status')}: a status code is missing")
    listed = enumerate(said)
    return tuple(status_range(each, owner.at(owned, "status", number)) for number, each in listed)


def _exec(command: str | list[str], place: str) -> ExecProbe:
    if not command or (isinstance(command, str) and not command.strip()):
        raise UsageError(f"{place}: the command is empty")
    return ExecProbe(command if isinstance(command, str) else tuple(command))
