"""One service of a TOML file: from its table to what is to be run."""

from __future__ import annotations

import re
from dataclasses import replace

from devrun.config.toml.ending import ENDINGS, restart_policy, stop_policy
from devrun.config.toml.owner import Owner, given
from devrun.config.toml.schema import ServiceTable
from devrun.config.toml.values import absolute, said_at, seconds, whole
from devrun.errors import UsageError
from devrun.model import Service, Shell, WatchRule

MAX = "max"
"""As many instances as there are processors."""

_MOST_INSTANCES = 1000
_NAME = re.compile(r"[A-Za-z0-9_@][A-Za-z0-9_@.:/-]*", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)


def service(
    table: ServiceTable, owner: Owner, *, index: int, cwd: str, watch: tuple[WatchRule, ...]
) -> Service:
    """Return a service, without what it depends on.

    Args:
        cwd: The folder it runs in.
        watch: What restarts it.

    Raises:
        UsageError: A value is wrong.
    """
    _check_name(owner)
    command, argv = _command(table, owner)
    port = None
    if table.port is not None:
        port = whole(table.port, owner.at("port"), least=1, most=65535)
    plain = Service(
        index=index,
        name=owner.name,
        command=command,
        cwd=cwd,
        env=_variables(table.env or {}, owner),
        process=owner.name,
        port=port,
        shell=shell(table.shell, owner, "shell", cwd=cwd) if argv is None else None,
        stop=stop_policy(table.stop, owner),
        restart=restart_policy(table, owner),
        watch=watch,
        raw=bool(table.raw),
        hidden=bool(table.hidden),
        kill_others=None if table.on_exit is None else ENDINGS[table.on_exit],
        argv=argv,
        env_files=files(table.env_file, owner, "env_file") or (),
        tty=None if table.tty == "auto" else table.tty,
        start_delay=given(table.start_delay, 0.0, seconds, owner.at("start_delay")),
        shares_ports=bool(table.cluster),
    )
    promises = (table.ready, table.health, table.max_memory, table.sockets, table.log)
    if all(said is None for said in (*promises, table.nice, table.limits)):
        return plain
    return _promising(plain, table, owner)


def _promising(plain: Service, table: ServiceTable, owner: Owner) -> Service:
    """Return a service with what has to be loaded for it alone."""
    from devrun.config.toml.probes import health_check, readiness
    from devrun.config.toml.resources import held_sockets, log_file, memory_limit, process_limits

    return replace(
        plain,
        ready=readiness(table.ready, owner),
        health=health_check(table.health, owner),
        max_memory=memory_limit(table.max_memory, owner),
        limits=process_limits(table, owner),
        sockets=held_sockets(table, owner),
        log=log_file(table.log, owner),
    )


def instances(table: ServiceTable, owner: Owner) -> int:
    """Return how many instances of a service run.

    Raises:
        UsageError: It is neither a number nor ``"max"``.
    """
    said = table.instances
    if said is None:
        return 1
    if said == MAX:
        from devrun.config.values import usable_processors

        return usable_processors()
    place = owner.at("instances")
    if isinstance(said, str) and not said.strip().isdecimal():
        raise UsageError(f'{place} = "{said}": must be a whole number or "{MAX}"')
    return whole(said, place, least=1, most=_MOST_INSTANCES)


def files(said: str | list[str] | None, owner: Owner, *path: str) -> tuple[str, ...] | None:
    """Return the absolute paths of files, or None where nothing is said.

    Raises:
        UsageError: One of them is an empty text.
    """
    if said is None:
        return None
    listed = [said] if isinstance(said, str) else said
    for number, each in enumerate(listed):
        if not each:
            raise UsageError(f'{owner.at(*path, number)} "": a path is missing')
    return tuple(absolute(each, owner.folder(*path)) for each in listed)


def folder_of(text: str | None, owner: Owner) -> str:
    """Return the folder that a service runs in.

    Raises:
        UsageError: It is an empty text.
    """
    if text is None:
        return owner.said.place.folder
    if not text:
        raise UsageError(f'{owner.at("cwd")} "": a folder is missing')
    return absolute(text, owner.folder("cwd"))


def shell(said: str | None, owner: Owner, *path: str, cwd: str) -> Shell | None:
    """Return the shell that runs a command line, or None for the system's own.

    Raises:
        UsageError: There is no such program.
    """
    if said is None:
        return None
    if not said:
        raise UsageError(f'{owner.at(*path)} "": a program is missing')
    from devrun.config.shells import chosen_shell

    with said_at(owner.at(*path), "--shell"):
        return chosen_shell(said, owner.environ, cwd=cwd)


def _check_name(owner: Owner) -> None:
    if not _NAME.fullmatch(owner.name):
        place = owner.said.place
        message = (
            f'{place}: services: "{owner.name}" is no name; use letters, digits and _ - . / : @'
        )
        raise UsageError(message)


def _command(table: ServiceTable, owner: Owner) -> tuple[str, tuple[str, ...] | None]:
    """Return what is shown as the command, and the program and arguments if they are given so."""
    said, place = table.command, owner.at("command")
    if said is None:
        raise UsageError(f'{owner.at()}: no command; write command = "…"')
    if not said or not (said if isinstance(said, str) else said[0]).strip():
        raise UsageError(f"{place}: the command is empty")
    if isinstance(said, str):
        return said.strip(), None
    if "shell" in owner.own:
        raise UsageError(f"{owner.at('shell')}: is for a command line, and command is a list")
    from shlex import join

    return join(said), tuple(said)


def _variables(
    said: dict[str, str | int | float | bool], owner: Owner
) -> tuple[tuple[str, str], ...]:
    for name in said:
        if not _VARIABLE.fullmatch(name):
            raise UsageError(f'{owner.at("env", name)}: "{name}" is no name of a variable')
    return tuple((name, _as_text(value)) for name, value in said.items())


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
