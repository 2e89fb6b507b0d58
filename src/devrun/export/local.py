"""Init systems and supervisors of the machine that the project is on."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator

from devrun.export.deployment import Deployment, ProcessType, shell_line
from devrun.export.quoting import systemd_word
from devrun.export.render import ExportFile, Renderer
from devrun.process.command import SHELL

_INSTANCE = "\x1a"
"""Stands for systemd's ``%i`` until all other per cent signs have been doubled."""


def systemd(deployment: Deployment, render: Renderer, folder: str) -> Iterator[ExportFile]:
    """Yield a target and a unit for each process, a template unit where it has instances."""
    yield from _environment_file(deployment, render)
    units: list[str] = []
    for kind in deployment.processes:
        name = f"{deployment.slug}-{kind.slug}"
        several = kind.count > 1
        units += [f"{name}@{n}.service" for n in kind.instances] if several else [f"{name}.service"]
        text = render(
            "process.service",
            process=kind,
            instance="%i" if several else "1",
            line=_systemd_line(deployment, kind),
            env_files=_systemd_env_files(deployment, folder),
        )
        yield ExportFile(f"{name}@.service" if several else f"{name}.service", text)
    yield ExportFile(f"{deployment.slug}.target", render("project.target", units=units))


def _systemd_line(deployment: Deployment, kind: ProcessType) -> str:
    """Return the words of ``ExecStart=``; ``%i`` in them is the instance's number."""
    number = _INSTANCE if kind.count > 1 else "1"
    assignments = [("PS", f"{kind.name}.{number}")]
    if kind.port is not None:
        # Not by Environment=: a PORT in an EnvironmentFile= would win.
        offset = number if kind.port_step == 1 else f"{kind.port_step} * {number}"
        port = f"$(({kind.port_of(0)} + {offset}))" if kind.count > 1 else str(kind.port)
        assignments.insert(0, ("PORT", port))
    line = shell_line(kind, assignments, variables=_own(deployment, kind))
    return f"{SHELL} -c {systemd_word(line).replace(_INSTANCE, '%i')}"


def _systemd_env_files(deployment: Deployment, folder: str) -> list[str]:
    if deployment.options.include_secrets and deployment.env_files:
        return [os.path.join(folder, _env_name(deployment))]
    return list(deployment.env_files)


def launchd(deployment: Deployment, render: Renderer, folder: str) -> Iterator[ExportFile]:
    """Yield a property list for each instance (launchd.plist(5))."""
    yield from _environment_file(deployment, render)
    for kind in deployment.processes:
        for number in kind.instances:
            label = f"{deployment.slug}.{kind.slug}.{number}"
            words = _words(deployment, kind, number, folder)
            text = render("process.plist", process=kind, number=number, label=label, words=words)
            yield ExportFile(f"{label}.plist", text)


def supervisord(deployment: Deployment, render: Renderer, folder: str) -> Iterator[ExportFile]:
    """Yield one file with a program for each instance and a group for all."""
    yield from _environment_file(deployment, render)
    programs = [
        (
            f"{deployment.slug}-{kind.slug}-{number}",
            kind,
            number,
            _words(deployment, kind, number, folder),
        )
        for kind in deployment.processes
        for number in kind.instances
    ]
    yield ExportFile(f"{deployment.slug}.conf", render("project.conf", programs=programs))


def runit(deployment: Deployment, render: Renderer, folder: str) -> Iterator[ExportFile]:
    """Yield a service directory for each instance (runsv(8)), its log beside it."""
    yield from _service_folders(deployment, render, folder)
    for kind in deployment.processes:
        for number in kind.instances:
            name = f"{deployment.slug}-{kind.slug}-{number}"
            text = render("control", process=kind, name=name)
            yield ExportFile(f"{name}/control/t", text, executable=True)


def s6(deployment: Deployment, render: Renderer, folder: str) -> Iterator[ExportFile]:
    """Yield a service directory for each instance (s6-supervise), its log beside it."""
    yield from _service_folders(deployment, render, folder)
    for kind in deployment.processes:
        for number in kind.instances:
            name = f"{deployment.slug}-{kind.slug}-{number}"
            yield ExportFile(f"{name}/down-signal", f"{kind.stop_signal}\n")
            yield ExportFile(f"{name}/timeout-kill", f"{round(kind.stop_timeout * 1000)}\n")


def _service_folders(deployment: Deployment, render: Renderer, folder: str) -> Iterator[ExportFile]:
    yield from _environment_file(deployment, render)
    for kind in deployment.processes:
        for number in kind.instances:
            name = f"{deployment.slug}-{kind.slug}-{number}"
            words = _words(deployment, kind, number, folder)
            run = render("run", process=kind, number=number, line=shlex.join(words), words=words)
            yield ExportFile(f"{name}/run", run, executable=True)
            log = render("log-run", process=kind, number=number, name=name)
            yield ExportFile(f"{name}/log/run", log, executable=True)


def _words(deployment: Deployment, kind: ProcessType, number: int, folder: str) -> tuple[str, ...]:
    """Return the argument vector of one instance, which sets its variables itself.

    Values that are written stand in a file of their own, never in a command line, which everybody
    may read; where they are not written, ``devrun exec`` reads the ``.env`` files at each start.
    """
    assignments = [("PS", shlex.quote(f"{kind.name}.{number}"))]
    port = kind.port_of(number)
    if port is not None:
        assignments.insert(0, ("PORT", str(port)))
    line = shell_line(kind, assignments, variables=_own(deployment, kind))
    if not deployment.env_files:
        return SHELL, "-c", line
    if deployment.options.include_secrets:
        path = shlex.quote(os.path.join(folder, _env_name(deployment)))
        return SHELL, "-c", f"set -a; . {path}; set +a; {line}"
    files = [word for file in deployment.env_files for word in ("--env-file", file)]
    reader = (*deployment.options.devrun, "exec", "--root", deployment.root, "--no-env", *files)
    return (*reader, "--", SHELL, "-c", f"cd {shlex.quote(kind.folder)} && {line}")


def _own(deployment: Deployment, kind: ProcessType) -> list[tuple[str, str]]:
    path = [] if deployment.path is None else [("PATH", deployment.path)]
    return [*path, *kind.variables]


def _env_name(deployment: Deployment) -> str:
    return f"{deployment.slug}.env"


def _environment_file(deployment: Deployment, render: Renderer) -> Iterator[ExportFile]:
    if deployment.options.include_secrets and deployment.env_files:
        yield ExportFile(_env_name(deployment), render("project.env"), private=True)
