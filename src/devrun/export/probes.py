"""What asks a process whether it is ready, or works: as a shell's line, or as Kubernetes asks."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from math import ceil
from typing import assert_never

from devrun.export.process_type import ProcessType
from devrun.export.settings import gate_keys
from devrun.model import Shell
from devrun.policies import ExecProbe, FileProbe, Gate, HttpProbe, PortProbe, Probe
from devrun.supervise.probes.asking import EXEC_LIMIT, LIMIT
from devrun.supervise.probes.url import Target, parse_url

SHELL_PROBES = frozenset(("port", "http", "status", "exec", "file"))
"""What a line can ask for; bash is asked to connect to ports."""

LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1", "0.0.0.0", "::", ""))  # noqa: S104 - names
"""Hosts of a probe that are the machine that it is on, or the container."""

BASH = "/bin/bash"
_SH = "/bin/sh"


@dataclass(frozen=True, slots=True)
class Line:
    """A line that ends with 0 if a probe succeeds.

    Attributes:
        shell: What has to run it.
    """

    text: str
    shell: str


def as_probe(gate: Gate | None, kinds: frozenset[str]) -> Probe | None:
    """Return a gate that asks from outside, if all it asks for is among these kinds."""
    if not isinstance(gate, PortProbe | HttpProbe | ExecProbe | FileProbe):
        return None
    must = gate_keys(gate) - {"body", "status"}
    return gate if must <= kinds else None


def ready_probe(kind: ProcessType, kinds: frozenset[str]) -> Probe | None:
    """Return what tells that a process is ready, if that is a probe of these kinds."""
    ready = kind.service.ready
    return None if ready is None else as_probe(ready.gate, kinds)


def health_probe(kind: ProcessType, kinds: frozenset[str]) -> Probe | None:
    """Return what tells that a process works, if it is of these kinds."""
    health = kind.service.health
    return None if health is None else as_probe(health.probe, kinds)


def probe_line(probe: Probe, kind: ProcessType, *, path_of: PathOf) -> Line:
    """Return a line for a shell in which ``PORT`` is set, if the process has one.

    Args:
        path_of: Where a file of the project is for the process.
    """
    match probe:
        case PortProbe(port, host):
            return Line(f": < /dev/tcp/{_host(host)}/{_port(port, kind)}", BASH)
        case HttpProbe():
            return Line(_http_line(probe, kind), BASH)
        case ExecProbe(command):
            return Line(_command_line(command, kind.service.shell), _SH)
        case FileProbe(path):
            return Line(f"test -e {shlex.quote(path_of(path))}", _SH)
        case _:
            assert_never(probe)


class PathOf:
    """Where files of the project are for a process: on this machine, or in an image.

    In an image the project's folder is the one that commands begin in.

    Args:
        root: The project's folder if that is to be left out; else nothing.
    """

    def __init__(self, root: str = "") -> None:
        self._root = root

    def __call__(self, path: str) -> str:
        """Return the path of a file."""
        if self._root and path.startswith(f"{self._root}/"):
            return os.path.relpath(path, self._root)
        return path


HERE = PathOf()


def _command_line(command: str | tuple[str, ...], shell: Shell | None) -> str:
    if isinstance(command, tuple):
        return shlex.join(command)
    return command if shell is None else shlex.join((shell.program, "-c", command))


def _host(host: str) -> str:
    return "localhost" if host in LOOPBACK - {"127.0.0.1", "::1"} else host


def _port(port: int, kind: ProcessType) -> str:
    """Return a port; the process's own as a variable, for each instance has another one."""
    return '"$PORT"' if port == kind.port else str(port)


def _http_line(probe: HttpProbe, kind: ProcessType) -> str:
    """Return a line that asks for a URL and looks at the status; redirects are not followed."""
    target = parse_url(probe.url, kind.folder)
    accepted = " || ".join(
        f"test $code -ge {first} -a $code -le {last}" for first, last in probe.statuses
    )
    request = f"GET {target.path} HTTP/1.1\\r\\nHost: {target.authority}\\r\\n"
    request = f"{request}Connection: close\\r\\n\\r\\n".replace("%", "%%")
    place = f"/dev/tcp/{_host(target.host)}/{_port(target.port, kind)}"
    asks = f"printf {shlex.quote(request)} >&3; read -t 5 -r _ code _ <&3; {accepted}"
    return f"{{ {asks}; }} 3<> {place}"


# -- Kubernetes ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ContainerProbe:
    """A probe of a container (Kubernetes, Probe v1 core).

    Attributes:
        name: ``readinessProbe``, for example.
        action: ``httpGet``, ``tcpSocket`` or ``exec``.
        what: What is asked for.
        times: Whole seconds and counts, by their names.
    """

    name: str
    action: str
    what: dict[str, object]
    times: dict[str, int]


CONTAINER_PROBES = frozenset(("port", "http", "https", "exec", "file"))
"""What Kubernetes can ask for."""


def container_probes(kind: ProcessType, path_of: PathOf) -> list[ContainerProbe]:
    """Return the probes of a process.

    Until ``ready`` has succeeded once, within its time, nothing else is asked; then a restart
    follows only when ``health`` fails.
    """
    found: list[ContainerProbe] = []
    ready, health = kind.service.ready, kind.service.health
    probe = ready_probe(kind, CONTAINER_PROBES)
    if ready is not None and probe is not None:
        action, what = _action(probe, kind, path_of)
        limit = ceil(EXEC_LIMIT if isinstance(probe, ExecProbe) else LIMIT)
        times = {"periodSeconds": 1, "timeoutSeconds": limit}
        if not ready.continues:
            count = max(1, ceil(ready.timeout))
            starting = {**times, "failureThreshold": count}
            found.append(ContainerProbe("startupProbe", action, what, starting))
        times = {**times, "periodSeconds": 2}
        found.append(ContainerProbe("readinessProbe", action, what, times))
    probe = health_probe(kind, CONTAINER_PROBES)
    if health is not None and probe is not None:
        action, what = _action(probe, kind, path_of)
        delay = {"initialDelaySeconds": ceil(health.start_period)} if health.start_period else {}
        times = {
            **delay,
            "periodSeconds": max(1, ceil(health.interval)),
            "timeoutSeconds": max(1, ceil(health.timeout)),
            "failureThreshold": health.retries,
        }
        found.append(ContainerProbe("livenessProbe", action, what, times))
    return found


def _action(probe: Probe, kind: ProcessType, path_of: PathOf) -> tuple[str, dict[str, object]]:
    match probe:
        case PortProbe(port, host):
            return "tcpSocket", {"port": port, **_other_host(host)}
        case HttpProbe(url):
            return "httpGet", _http_get(parse_url(url, kind.folder))
        case ExecProbe() | FileProbe():
            words = probe_words(probe, kind, path_of)
            return "exec", {"command": [word.replace("$(", "$$(") for word in words]}
        case _:
            assert_never(probe)


def probe_words(probe: Probe, kind: ProcessType, path_of: PathOf) -> list[str]:
    """Return the argument vector that asks within an image."""
    if isinstance(probe, FileProbe):
        return ["test", "-e", path_of(probe.path)]
    if isinstance(probe, ExecProbe) and not isinstance(probe.command, str) and not kind.subfolder:
        return list(probe.command)
    line = probe_line(probe, kind, path_of=path_of)
    program = _SH if line.shell == _SH else "bash"
    before = f"cd {shlex.quote(kind.subfolder)} && " if kind.subfolder else ""
    return [program, "-c", before + line.text]


def _http_get(target: Target) -> dict[str, object]:
    """Return what asks a container for what devrun asks for.

    The header is the one that devrun sends: a server may answer to the names that it knows only.
    """
    return {
        "path": target.path,
        "port": target.port,
        "scheme": target.scheme.upper(),
        **_other_host(target.host),
        "httpHeaders": [{"name": "Host", "value": target.authority}],
    }


def _other_host(host: str) -> dict[str, object]:
    """Return the host, if it is another machine: a container is asked at its own address."""
    return {} if host in LOOPBACK else {"host": host}
