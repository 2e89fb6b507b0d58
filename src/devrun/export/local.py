"""Init systems and supervisors of the machine that the project is on."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator

from devrun.errors import UsageError
from devrun.export.deployment import Deployment, ProcessType, shell_line
from devrun.export.quoting import environment_value, printed_line, printf_text, systemd_word
from devrun.export.render import ExportFile, Renderer
from devrun.process.command import SHELL

_INSTANCE = "\x1a"
"""Stands for systemd's ``%i`` until all other per cent signs have been doubled."""

_SET_VALUES = 'unset DEVRUN_VALUES; set -a; eval "$1"; set +a; set --; '
_GIVEN = f'set -- "$DEVRUN_VALUES"; {_SET_VALUES}'
_PRINTED = f'set -- "$(printf %b "$DEVRUN_VALUES")"; {_SET_VALUES}'
"""What a shell's line begins with that takes values from one variable, as what reads them has put
them there before it changed the user."""


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
    if _writes_values(deployment):
        return [os.path.join(folder, _env_name(deployment))]
    return list(deployment.env_files)


def launchd(deployment: Deployment, render: Renderer, _folder: str) -> Iterator[ExportFile]:
    """Yield a property list for each instance (launchd.plist(5)), with the values in it."""
    _check_user(deployment, "launchd")
    writes = _writes_values(deployment)
    variables = deployment.written if writes else ()
    for kind in deployment.processes:
        for number in kind.instances:
            label = f"{deployment.slug}.{kind.slug}.{number}"
            words = _words(deployment, kind, number)
            text = render(
                "process.plist",
                process=kind,
                number=number,
                label=label,
                words=words,
                variables=variables,
            )
            yield ExportFile(f"{label}.plist", text, private=writes)


def supervisord(deployment: Deployment, render: Renderer, _folder: str) -> Iterator[ExportFile]:
    """Yield one file with a program for each instance and a group for all.

    ``environment=`` can hold no value with quotes of both kinds, and no line break: all values
    stand there in one.
    """
    writes = _writes_values(deployment)
    lines = "".join(f"{name}={environment_value(value)}\n" for name, value in deployment.written)
    programs = []
    for kind in deployment.processes:
        for number in kind.instances:
            *before, line = _words(deployment, kind, number, values=_PRINTED)
            name = f"{deployment.slug}-{kind.slug}-{number}"
            programs.append((name, kind, number, (*before, printed_line(line))))
    text = render("project.conf", programs=programs, values=printf_text(lines) if writes else "")
    yield ExportFile(f"{deployment.slug}.conf", text, private=writes)


def runit(deployment: Deployment, render: Renderer, folder: str) -> Iterator[ExportFile]:
    """Yield a service directory for each instance (runsv(8)), its log beside it."""
    _check_user(deployment, "runit")
    yield from _service_folders(deployment, render, folder)
    for kind in deployment.processes:
        for number in kind.instances:
            name = f"{deployment.slug}-{kind.slug}-{number}"
            text = render("control", process=kind, name=name)
            yield ExportFile(f"{name}/control/t", text, executable=True)


def s6(deployment: Deployment, render: Renderer, folder: str) -> Iterator[ExportFile]:
    """Yield a service directory for each instance (s6-supervise), its log beside it.

    A ``timeout-kill`` of 0 milliseconds would mean never.
    """
    _check_user(deployment, "s6")
    yield from _service_folders(deployment, render, folder)
    for kind in deployment.processes:
        for number in kind.instances:
            name = f"{deployment.slug}-{kind.slug}-{number}"
            wait = max(1, round(kind.stop_timeout * 1000))
            yield ExportFile(f"{name}/down-signal", f"{kind.stop_signal}\n", bare=True)
            yield ExportFile(f"{name}/timeout-kill", f"{wait}\n", bare=True)


def _service_folders(deployment: Deployment, render: Renderer, folder: str) -> Iterator[ExportFile]:
    yield from _environment_file(deployment, render)
    values = os.path.join(folder, _env_name(deployment)) if _writes_values(deployment) else ""
    for kind in deployment.processes:
        for number in kind.instances:
            name = f"{deployment.slug}-{kind.slug}-{number}"
            words = _words(deployment, kind, number, values=_GIVEN)
            line = shlex.join(words)
            run = render("run", process=kind, number=number, line=line, words=words, values=values)
            yield ExportFile(f"{name}/run", run, executable=True)
            log = render("log-run", process=kind, number=number, name=name)
            yield ExportFile(f"{name}/log/run", log, executable=True)


def _check_user(deployment: Deployment, style: str) -> None:
    user = deployment.options.user
    if user is not None and user.isdecimal():
        raise UsageError(f"--user {user}: {style} takes the name of a user, not the number")


def _words(
    deployment: Deployment, kind: ProcessType, number: int, *, values: str = ""
) -> tuple[str, ...]:
    """Return the argument vector of one instance, which sets its variables itself.

    Values that are written never stand in a command line, which everybody may read; where they are
    not written, ``devrun exec`` reads the ``.env`` files at each start.

    Args:
        values: What the shell's line begins with to take values that are written.
    """
    assignments = [("PS", shlex.quote(f"{kind.name}.{number}"))]
    port = kind.port_of(number)
    if port is not None:
        assignments.insert(0, ("PORT", str(port)))
    line = shell_line(kind, assignments, variables=_own(deployment, kind))
    if not deployment.env_files:
        return SHELL, "-c", line
    if deployment.options.include_secrets:
        return SHELL, "-c", values + line
    files = [word for file in deployment.env_files for word in ("--env-file", file)]
    reader = (*deployment.options.devrun, "exec", "--root", deployment.root, "--no-env", *files)
    return (*reader, "--", SHELL, "-c", f"cd {shlex.quote(kind.folder)} && {line}")


def _own(deployment: Deployment, kind: ProcessType) -> list[tuple[str, str]]:
    path = [] if deployment.path is None else [("PATH", deployment.path)]
    return [*path, *kind.variables]


def _env_name(deployment: Deployment) -> str:
    return f"{deployment.slug}.env"


def _writes_values(deployment: Deployment) -> bool:
    return deployment.options.include_secrets and bool(deployment.env_files)


def _environment_file(deployment: Deployment, render: Renderer) -> Iterator[ExportFile]:
    if _writes_values(deployment):
        yield ExportFile(_env_name(deployment), render("project.env"), private=True)
