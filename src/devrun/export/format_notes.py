"""What each format cannot say, of a certain deployment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

from devrun.export import compose as composed
from devrun.export import kubernetes as manifests
from devrun.export.app_platform import PROBES, health_check
from devrun.export.deployment import Deployment
from devrun.export.launchd import RESOURCES
from devrun.export.probes import SHELL_PROBES, health_probe, ready_probe
from devrun.export.process_type import ProcessType
from devrun.export.project_notes import missing_needs, restarted_along
from devrun.export.settings import gate_keys, unsaid
from devrun.export.systemd import socket_units, varying
from devrun.export.words import shell_limits
from devrun.model import RestartWhen
from devrun.policies import Condition, FileProbe

_SAID_OF_CONTAINERS = frozenset(('restart = "no"', 'restart = "on-failure"'))
"""What a note of their own is about."""

_LONGEST_GRACE = 600
"""Seconds that App Platform gives a process to end, at the most."""


def unsaid_notes(deployment: Deployment, style: str, expressed: frozenset[str]) -> Iterator[str]:
    """Yield what each service says that the format has nothing for, by the keys of devrun.toml."""
    for kind in deployment.processes:
        known = expressed
        if kind.once:
            known |= manifests.OF_JOBS if style == "kubernetes" else frozenset()
        elif style in {"kubernetes", "app-platform"}:
            known |= _SAID_OF_CONTAINERS
        if kind.count == 1:
            known |= {"cluster"}
        keys = unsaid(kind, known) if kind.declared else []
        if keys:
            yield f"{kind.name}: {style} has nothing for {', '.join(keys)}"
        missing = missing_needs(kind)
        if missing:
            yield f"{kind.name}: does not wait for what is not exported: {', '.join(missing)}"


# -- this machine -------------------------------------------------------------------------------


def systemd(deployment: Deployment) -> Iterator[str]:
    """Yield what units cannot say."""
    yield from _release(deployment)
    if deployment.env_files and not deployment.options.include_secrets:
        yield from _read_otherwise(deployment.env_files)
    for kind in deployment.processes:
        if not deployment.options.include_secrets:
            yield from _read_otherwise(kind.env_files)
        yield from _systemd_of(deployment, kind)
    yield from _log_folders(deployment)
    restarted = [kind.name for kind in deployment.processes if restarted_along(kind)]
    if restarted:
        names = ", ".join(restarted)
        yield f"systemd restarts these with what they depend on (Requires=): {names}"


def _systemd_of(deployment: Deployment, kind: ProcessType) -> Iterator[str]:
    policy = kind.service.restart
    if kind.declared and policy.window is not None and policy.tries >= 0:
        yield f"{kind.name}: restart_limit counts all starts, and max_restarts is left out"
    if kind.service.max_memory is not None and kind.restarts.when is RestartWhen.NO:
        yield f'{kind.name}: above max_memory it is killed, and with restart = "no" stays so'
    if any(socket.port == 0 for socket in kind.service.sockets):
        yield f"{kind.name}: a socket on any free port is left out"
    units = socket_units(deployment, kind)
    if units and not kind.direct:
        yield f"{kind.name}: the sockets are its shell's: LISTEN_PID is that one's; write exec"
    if len(units) > 1:
        yield f"{kind.name}: tell its sockets apart by LISTEN_FDNAMES: their order may differ"
    if isinstance(ready_probe(kind, SHELL_PROBES), FileProbe):
        yield f"{kind.name}: a ready.file from before the start counts, too"
    for name in varying(kind):
        yield f"{kind.name}: all instances have the {name} of the first"
    yield from _waits_in_vain(kind, frozenset(f"ready.{part}" for part in SHELL_PROBES))


def _waits_in_vain(kind: ProcessType, expressed: frozenset[str]) -> Iterator[str]:
    """Yield what a process waits for that is never asked."""
    for need in kind.needs:
        condition = need.dependency.condition
        if condition is Condition.HEALTHY:
            yield f"{kind.name}: waits for {need.on.name} to be ready, not healthy"
        elif condition is Condition.READY and need.on.service.ready is not None:
            keys = {f"ready.{part}" for part in gate_keys(need.on.service.ready.gate)}
            keys -= {"ready.body", "ready.watchdog", "ready.notify", "ready.delay"}
            if keys - expressed:
                yield f"{kind.name}: waits for {need.on.name} to be started, not ready"


def launchd(deployment: Deployment) -> Iterator[str]:
    """Yield what property lists cannot say."""
    yield from _supervisor(deployment)
    for kind in deployment.processes:
        if kind.stop_signal != "SIGTERM":
            yield f"{kind.name}: launchd sends SIGTERM, not {kind.stop_signal}"
        limits = kind.service.limits
        unknown = [name for name, *_ in (limits.resources if limits else ())]
        unknown = [name for name in unknown if name not in RESOURCES]
        if unknown:
            yield f"{kind.name}: launchd has no limits called {', '.join(unknown)}"
    yield from _log_folders(deployment)


def supervisord(deployment: Deployment) -> Iterator[str]:
    """Yield what programs cannot say."""
    yield from _supervisor(deployment)
    yield from _shell_limits(deployment)
    yield from _log_folders(deployment)
    for kind in deployment.processes:
        yield from _supervisord_of(kind)


def _supervisord_of(kind: ProcessType) -> Iterator[str]:
    restarts = kind.restarts
    ends = [str(end) for end in restarts.never if end.code is None]
    if restarts.when is RestartWhen.NO:
        ends += [str(end) for end in restarts.again]
    if ends:
        yield f"{kind.name}: supervisord cannot tell by these ends what follows: {', '.join(ends)}"
    if restarts.when is RestartWhen.ON_FAILURE:
        yield f"{kind.name}: ending with 0 within startsecs is a failure for supervisord"
    if kind.needs:
        names = ", ".join(need.on.name for need in kind.needs)
        yield f"{kind.name}: starts after {names} (priority), and waits for nothing"
    log = kind.service.log
    if log is not None and log.keep_seconds is not None:
        yield f"{kind.name}: log.keep: supervisord counts files, and not how old they are"


def runit(deployment: Deployment) -> Iterator[str]:
    """Yield what service directories of runit cannot say."""
    yield from _supervisor(deployment)
    yield from _shell_limits(deployment)
    for kind in deployment.processes:
        yield f"{kind.name}: sv waits 7 s before it kills; sv -w {kind.grace} waits for its time"


def s6(deployment: Deployment) -> Iterator[str]:
    """Yield what service directories of s6 cannot say."""
    yield from _supervisor(deployment)
    yield from _shell_limits(deployment)


def _release(deployment: Deployment) -> Iterator[str]:
    if deployment.release is not None:
        yield f'"{deployment.release.name}" is left out: run it before each release'


def _supervisor(deployment: Deployment) -> Iterator[str]:
    yield from _release(deployment)
    has_files = any(deployment.files_of(kind) for kind in deployment.processes)
    if has_files and not deployment.options.include_secrets:
        reader = deployment.options.devrun[0]
        yield f"{reader} reads the .env files at each start; --include-secrets does without it"


def _shell_limits(deployment: Deployment) -> Iterator[str]:
    for kind in deployment.processes:
        _, unknown = shell_limits(kind)
        if unknown:
            yield f"{kind.name}: a shell cannot set the limits {', '.join(unknown)}"


def _log_folders(deployment: Deployment) -> Iterator[str]:
    if deployment.options.logs:
        return
    logs = [kind.service.log for kind in deployment.processes if kind.service.log is not None]
    paths = [path for log in logs for path in (log.path, log.error_path) if path]
    folders = dict.fromkeys(os.path.dirname(path) for path in paths)
    if folders:
        yield f"folders of log files have to be there: {', '.join(folders)}"


# -- containers ---------------------------------------------------------------------------------


def _containers(deployment: Deployment, at: str) -> Iterator[str]:
    """Yield what holds for all containers.

    Args:
        at: The host name that others find a process at, with ``{}`` for its own.
    """
    if any(kind.count > 1 for kind in deployment.processes):
        yield "all instances of a process have the same PORT: each has a network of its own"
    for kind in deployment.processes:
        if kind.declared and not kind.signals_main:
            yield f"{kind.name}: a shell gets the stop signal and passes none on; write exec"
        if kind.listens and kind.depended_on:
            yield f"{kind.name}: is at {at.format(kind.slug)}:{kind.port} there, not at localhost"
        for name in sorted({name for name, _ in kind.variables}):
            if any(dict(each).get(name) != dict(kind.variables)[name] for each in kind.further):
                yield f"{kind.name}: all instances have the {name} of the first"


def compose(deployment: Deployment) -> Iterator[str]:
    """Yield what compose cannot say."""
    yield from _release(deployment)
    yield from _containers(deployment, "{}")
    for kind in deployment.processes:
        if kind.serves and kind.count > 1:
            yield f"{kind.name}: {kind.count} instances cannot share port {kind.port} of the host"
        yield from _compose_of(deployment, kind)
    has_files = any(deployment.files_of(kind) for kind in deployment.processes)
    if has_files and not deployment.options.include_secrets:
        yield "docker compose reads .env files in its own way"


def _compose_of(deployment: Deployment, kind: ProcessType) -> Iterator[str]:
    check = composed.health_check(kind, deployment.root)
    if check is not None and check.test[1] == "bash":
        yield f"{kind.name}: its health is asked for by bash, which has to be in the image"
    if health_probe(kind, SHELL_PROBES) and kind.service.ready is not None:
        yield f"{kind.name}: compose asks for its health, and not besides whether it is ready"
    if kind.service.health is not None and check is not None:
        yield f"{kind.name}: compose tells that it is unhealthy, and does not restart it"
    for need in kind.needs:
        wanted = need.dependency.condition in {Condition.READY, Condition.HEALTHY}
        if wanted and composed.condition(need, deployment.root) == "service_started":
            yield f"{kind.name}: waits for {need.on.name} to be started, not ready"


def kubernetes(deployment: Deployment) -> Iterator[str]:
    """Yield what manifests cannot say."""
    yield from _containers(deployment, f"{deployment.slug}-{{}}")
    for kind in deployment.processes:
        if kind.listens and not deployment.slug[0].isalpha():
            yield f"{deployment.slug}-{kind.slug}: a Service's name begins with a letter; say -a"
        if kind.stop_signal != "SIGTERM":
            yield f"{kind.name}: Kubernetes sends the image's STOPSIGNAL, not {kind.stop_signal}"
        yield from _kubernetes_of(kind)
    if not deployment.options.include_secrets:
        yield from _secrets(deployment.slug, deployment.secrets)
        for kind in deployment.processes:
            yield from _secrets(f"{deployment.slug}-{kind.slug}", kind.secrets)


def _kubernetes_of(kind: ProcessType) -> Iterator[str]:
    if kind.declared and not kind.once and kind.restarts.when is not RestartWhen.ALWAYS:
        yield f"{kind.name}: a Deployment starts it again after every end, for ever"
    if kind.once and kind.count > 1:
        yield f"{kind.name}: a Job runs it once, not {kind.count} times"


def _secrets(name: str, secrets: Sequence[tuple[str, str]]) -> Iterator[str]:
    if secrets:
        names = ", ".join(key for key, _ in secrets)
        yield f"the Secret {name} is not written and has to hold: {names}"


def app_platform(deployment: Deployment) -> Iterator[str]:
    """Yield what an app specification cannot say."""
    yield from _containers(deployment, "{}")
    names = [deployment.slug, *(kind.slug for kind in deployment.processes)]
    for name in names:
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}[a-z0-9]", name):
            yield f'"{name}": App Platform takes names of 2 to 32 characters, a letter first'
    for kind in deployment.processes:
        if kind.stop_signal != "SIGTERM":
            yield f"{kind.name}: App Platform sends SIGTERM, not {kind.stop_signal}"
        if kind.grace > _LONGEST_GRACE:
            yield f"{kind.name}: has {_LONGEST_GRACE} s to end there, not {kind.grace}"
        if kind.declared and not kind.once and kind.restarts.when is not RestartWhen.ALWAYS:
            yield f"{kind.name}: App Platform starts it again after every end, for ever"
        if health_probe(kind, PROBES) and kind.service.ready is not None:
            yield f"{kind.name}: App Platform asks for its health, and not besides for ready"
        asks = health_probe(kind, PROBES) or ready_probe(kind, PROBES)
        if asks and not (kind.listens and health_check(kind)):
            yield f"{kind.name}: App Platform asks none but a service with a port, at its own"
    serving = [kind.name for kind in deployment.processes if kind.serves]
    if len(serving) > 1:
        yield f"give them routes, for each of them is at /: {', '.join(serving)}"
    secrets = [*deployment.secrets, *(s for kind in deployment.processes for s in kind.secrets)]
    if secrets and not deployment.options.include_secrets:
        yield "secrets have names and no values: set them in the app's settings"


_SAME_EVERYWHERE = re.compile(
    r"""[ \t]*(\#.*)?|[A-Za-z_][A-Za-z0-9_]*=([^\s"'\\$`\#;]*|"[^"\\$`]*"|'[^'\\$`]*')"""
)
"""A line of a .env file that systemd reads as python-dotenv does (systemd.exec(5))."""


def _read_otherwise(paths: Sequence[str]) -> Iterator[str]:
    for path in paths:
        with open(path, encoding="utf-8-sig") as file:
            lines = [
                str(number)
                for number, line in enumerate(file, 1)
                if not _SAME_EVERYWHERE.fullmatch(line.rstrip())
            ]
        if lines:
            which = f"line{'s' if len(lines) > 1 else ''} {', '.join(lines)}"
            yield f"{path}: systemd may read {which} otherwise; --include-secrets writes values"
