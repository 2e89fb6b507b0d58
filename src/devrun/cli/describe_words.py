"""The policies of a service in words."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from signal import SIGINT, Signals
from typing import assert_never

from devrun.config.toml.texts import (
    address_text,
    age_text,
    exit_values,
    limit_value,
    shown_path,
    size_text,
    socket_text,
    status_values,
)
from devrun.model import ExitStatus, RestartPolicy, RestartWhen, StopPolicy, StopScope
from devrun.policies import (
    DelayGate,
    Dependency,
    ExecProbe,
    FileProbe,
    Gate,
    HealthCheck,
    HeldSocket,
    HttpProbe,
    IpcGate,
    ListenGate,
    LogFile,
    LogGate,
    MemoryLimit,
    NotifyGate,
    OnRestart,
    PortProbe,
    ProcessLimits,
    Readiness,
)
from devrun.supervise.restarting import delay_before

_MOST_DELAYS = 64
"""Restarts in a row after which no delay grows any more."""


def span(seconds: float) -> str:
    """Return a time: ``100 ms``, ``2.5 s``, ``5 min``."""
    if seconds and seconds < 1:
        return f"{seconds * 1000:g} ms"
    if seconds >= 120 and seconds % 60 == 0:
        return f"{seconds / 60:g} min"
    return f"{seconds:g} s"


# -- restarts -----------------------------------------------------------------------------------


def restart_words(policy: RestartPolicy) -> str:
    """Return when a service is started again, after how long, and when it has failed."""
    if policy.when is RestartWhen.NO and not policy.restart_on:
        return "no"
    parts = [f"{_when(policy)}: {_after_fast_ends(policy)}"]
    if policy.window is not None:
        count, seconds = policy.window
        parts.append(f"failed after more than {count} within {span(seconds)}")
    return "; ".join(parts)


def _when(policy: RestartPolicy) -> str:
    ends = f"exit {_ends(policy.restart_on)}"
    match policy.when:
        case RestartWhen.NO:
            when = f"after {ends}"
        case RestartWhen.ON_FAILURE:
            when = f"on failure, and after {ends}" if policy.restart_on else "on failure"
        case RestartWhen.ALWAYS:
            when = "always"
        case _:
            assert_never(policy.when)
    if policy.no_restart_on:
        when += f", but not after exit {_ends(policy.no_restart_on)}"
    return when


def _ends(ends: Iterable[ExitStatus]) -> str:
    return ", ".join(map(str, exit_values(ends)))


def _after_fast_ends(policy: RestartPolicy) -> str:
    """Return ``at once; after runs below 1 s in 100 ms, 200 ms … 30 s, failed after 16 in a row``.

    Without a time below which a run is too short, all are.
    """
    in_a_row = f"failed after {policy.tries} in a row" if policy.tries >= 0 else "for ever"
    if policy.tries == 0:
        in_a_row = "failed after the first"
    delays = "" if policy.tries == 0 else f"{_delays(policy)}, "
    if policy.min_uptime == inf:
        return f"{delays}{in_a_row}"
    calm = f"in {span(policy.calm_delay)}" if policy.calm_delay else "at once"
    return f"{calm}; after runs below {span(policy.min_uptime)} {delays}{in_a_row}"


def _delays(policy: RestartPolicy) -> str:
    """Return how long it waits: ``in 100 ms, 200 ms … 30 s (±20 %)``."""
    row = _rising(policy)
    if not any(row):
        return "at once"
    first, *rest = map(span, row)
    found = f"in {first}"
    if rest:
        found += f", {rest[0]}"
    if len(rest) > 1:
        found += f", {rest[1]}" if len(rest) == 2 else f" … {rest[-1]}"
    return f"{found} (±{policy.jitter * 100:g} %)" if policy.jitter else found


def _rising(policy: RestartPolicy) -> list[float]:
    """Return the delays of a row of restarts, up to the one that stays."""
    tries = _MOST_DELAYS if policy.tries < 0 else min(policy.tries, _MOST_DELAYS)
    return list(dict.fromkeys(delay_before(policy, retry + 1) for retry in range(tries)))


# -- ready and healthy --------------------------------------------------------------------------


def ready_words(ready: Readiness, root: str) -> str:
    """Return when a service may be depended on."""
    if isinstance(ready.gate, DelayGate):
        return gate_words(ready.gate, root)
    late = "then it counts as ready" if ready.continues else "else that is a failure"
    return f"{gate_words(ready.gate, root)} within {span(ready.timeout)}, {late}"


def health_words(check: HealthCheck, root: str) -> str:
    """Return what is asked of a service again and again."""
    often = f"every {span(check.interval)}, for {span(check.timeout)} at most"
    some = "one failure" if check.retries == 1 else f"{check.retries} failures in a row"
    start = f"; none counts in the first {span(check.start_period)}" if check.start_period else ""
    return f"{gate_words(check.probe, root)}: {often}; restarted after {some}{start}"


def gate_words(gate: Gate, root: str) -> str:
    """Return what has to be."""
    match gate:
        case PortProbe(port, host):
            default = host == PortProbe(port).host
            if default:
                return f"it listens on port {port}"
            return f"{address_text(host, port)} takes connections"
        case HttpProbe(url, statuses, body):
            found = f" and /{body}/ is found in the answer" if body is not None else ""
            listed = ", ".join(map(str, status_values(statuses)))
            return f"{url} answers with {listed}{found}"
        case ExecProbe(command):
            return f"`{command if isinstance(command, str) else _joined(command)}` exits with 0"
        case FileProbe(path):
            return f"the file {shown_path(path, root)} is made"
        case LogGate(pattern):
            return f"/{pattern}/ is found in a line of its output"
        case DelayGate(seconds):
            return f"it has run for {span(seconds)}"
        case NotifyGate():
            return "it says READY=1 (sd_notify, or devrun notify ready)"
        case IpcGate():
            return "it calls process.send('ready')"
        case ListenGate():
            return "it listens on a port"
        case _:
            assert_never(gate)


def _joined(words: Iterable[str]) -> str:
    from shlex import join

    return join(words)


# -- the others ---------------------------------------------------------------------------------


def dependency_words(dependency: Dependency) -> str:
    """Return what is waited for."""
    notes = []
    if not dependency.required:
        notes.append("does without it if it fails")
    match dependency.on_restart:
        case OnRestart.IGNORE:
            pass
        case OnRestart.RESTART:
            notes.append("restarts with it")
        case OnRestart.STOP:
            notes.append("stops when it goes down")
        case _:
            assert_never(dependency.on_restart)
    more = f" ({', '.join(notes)})" if notes else ""
    return f"{dependency.service} {dependency.condition.value}{more}"


def stop_words(stop: StopPolicy) -> str:
    """Return how a service is ended."""
    name = Signals(stop.signal).name
    how = "its main process alone: " if stop.scope is StopScope.MAIN else ""
    if stop.command is not None:
        how += f"`{stop.command}`, then "
    how += f"process 'shutdown' message, else {name}" if stop.message else name
    if stop.interrupt not in {stop.signal, SIGINT}:
        how += f" ({Signals(stop.interrupt).name} on Ctrl+C)"
    return f"{how}, SIGKILL after {stop.timeout:g} s"


def memory_words(limit: MemoryLimit) -> str:
    """Return what happens above which limit."""
    return f"{limit.action.value} above {size_text(limit.size)}, with all below it"


def limit_words(limits: ProcessLimits) -> str:
    """Return what the kernel holds the processes to."""
    found = [f"nice {limits.nice:+d}"] if limits.nice else []
    for name, soft, hard in limits.resources:
        both = "" if soft == hard else f" (hard {limit_value(hard)})"
        found.append(f"{name} {limit_value(soft)}{both}")
    return ", ".join(found) or "none"


def socket_words(sockets: Iterable[HeldSocket], root: str) -> str:
    """Return what is held and handed over."""
    return ", ".join(f"{socket_text(each, root)} as {each.name}" for each in sockets)


def log_words(log: LogFile, root: str) -> str:
    """Return where the output goes, and what becomes of it."""
    found = [shown_path(log.path, root)]
    if log.error_path is not None:
        found.append(f"stderr to {shown_path(log.error_path, root)}")
    if log.max_size is not None:
        found.append(f"rotated above {size_text(log.max_size)}")
    kept = [] if log.keep_seconds is None else [f"for {age_text(log.keep_seconds)}"]
    if log.keep_files is not None:
        kept.append(f"{log.keep_files} old files at most")
    if kept:
        found.append(f"kept: {', '.join(kept)}")
    if log.compress:
        found.append("old files compressed")
    if log.json:
        found.append("JSON lines")
    elif log.timestamps:
        found.append(f"times as {log.time_format}" if log.time_format else "with times")
    return "; ".join(found)
