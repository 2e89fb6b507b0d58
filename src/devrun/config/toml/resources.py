"""What a service of a TOML file may use: memory, limits, sockets, log files."""

from __future__ import annotations

import re

from devrun.config.nearest import choices
from devrun.config.toml.owner import Owner, given
from devrun.config.toml.schema import ServiceTable
from devrun.config.toml.tables import Log, LogTable, Memory, MemoryTable
from devrun.config.toml.values import absolute, age, held_socket, resource_limit, size, whole
from devrun.errors import UsageError
from devrun.policies import HeldSocket, LogFile, MemoryLimit, OnLimit, ProcessLimits

_LEAST_MEMORY = 1024**2
_PLACEHOLDER = re.compile(r"\{\w+\}")
_PLACEHOLDERS = ("{name}", "{instance}")


def memory_limit(said: Memory | None, owner: Owner) -> MemoryLimit | None:
    """Return what a service's tree may use, or None.

    Raises:
        UsageError: A value is wrong, or no size is given.
    """
    if isinstance(said, bool) or said is None:
        _refuse_true(owner, "max_memory", '"500M"', said=bool(said))
        return None
    table = MemoryTable(size=said) if isinstance(said, str) else said
    place = owner.at("max_memory", "size")
    if table.size is None:
        if "max_memory" not in owner.own:
            return None
        raise UsageError(f'{owner.at("max_memory")}: a size is missing; write size = "500M"')
    most = size(table.size, place)
    if most < _LEAST_MEMORY:
        raise UsageError(f'{place} "{table.size}": less than any program needs; write "500M"')
    return MemoryLimit(most, OnLimit(table.action or "restart"))


def process_limits(table: ServiceTable, owner: Owner) -> ProcessLimits | None:
    """Return what the kernel holds a service to, or None.

    Raises:
        UsageError: A value is wrong.
    """
    if table.nice is None and not table.limits:
        return None
    nice = 0
    if table.nice is not None:
        nice = whole(table.nice, owner.at("nice"), least=-20, most=19)
    limits = (table.limits or {}).items()
    return ProcessLimits(
        nice, tuple(resource_limit(name, said, owner.at("limits", name)) for name, said in limits)
    )


def held_sockets(table: ServiceTable, owner: Owner) -> tuple[HeldSocket, ...]:
    """Return the sockets that are handed to a service.

    Raises:
        UsageError: One of them is none, or stands twice.
    """
    said = table.sockets or ()
    if isinstance(said, dict):
        found = [
            held_socket(text, name, owner.at("sockets", name), owner.folder("sockets", name))
            for name, text in said.items()
        ]
    else:
        listed = [said] if isinstance(said, str) else said
        folder, name = owner.folder("sockets"), socket_name(owner.name)
        found = [
            held_socket(text, name, owner.at("sockets", number), folder)
            for number, text in enumerate(listed)
        ]
    for number, socket in enumerate(found):
        for other in found[:number]:
            if socket.port != 0 and (socket.host, socket.port) == (other.host, other.port):
                raise UsageError(f"{owner.at('sockets')}: the same socket twice")
    return tuple(found)


def socket_name(service: str) -> str:
    """Return the name of a socket that has none of its own; a colon stands between names."""
    return service.replace(":", "-")


def log_file(said: Log | None, owner: Owner) -> LogFile | None:
    """Return where a service's output goes, or None.

    Raises:
        UsageError: A value is wrong, or no file is named.
    """
    if isinstance(said, bool) or said is None:
        _refuse_true(owner, "log", '"logs/{name}.log"', said=bool(said))
        return None
    table = LogTable(file=said) if isinstance(said, str) else said
    if table.file is None:
        if "log" not in owner.own:
            return None
        raise UsageError(f'{owner.at("log")}: no file; write file = "logs/{owner.name}.log"')
    max_size = given(table.max_size, None, size, owner.at("log", "max_size"))
    if max_size is not None and max_size < 1:
        raise UsageError(f'{owner.at("log", "max_size")} "{table.max_size}": is nothing')
    keep_seconds, keep_files = _kept(table.keep, owner)
    if table.time_format is not None and "%" not in table.time_format:
        message = f'{owner.at("log", "time_format")} "{table.time_format}": no time in it'
        raise UsageError(f"{message}; write for example %Y-%m-%d %H:%M:%S")
    return LogFile(
        path=_path(table.file, "file", owner),
        error_path=None
        if table.error_file is None
        else _path(table.error_file, "error_file", owner),
        max_size=max_size,
        keep_seconds=keep_seconds,
        keep_files=keep_files,
        compress=bool(table.compress),
        timestamps=table.time_format is not None if table.timestamps is None else table.timestamps,
        time_format=table.time_format,
        json=bool(table.json),
    )


def _refuse_true(owner: Owner, key: str, example: str, *, said: bool) -> None:
    if said:
        message = f"{owner.at(key)} = true: says too little; write {example}"
        raise UsageError(f"{message}, or false for none")


def _path(text: str, key: str, owner: Owner) -> str:
    if not text.strip() or text.endswith("/"):
        raise UsageError(f'{owner.at("log", key)} "{text}": no name of a file')
    for placeholder in _PLACEHOLDER.findall(text):
        if placeholder not in _PLACEHOLDERS:
            message = f'{owner.at("log", key)} "{text}": unknown placeholder "{placeholder}"'
            raise UsageError(f"{message}{choices(placeholder, _PLACEHOLDERS)}")
    return absolute(text.replace("{name}", owner.name), owner.folder("log", key))


def _kept(
    said: int | str | list[int | str] | None, owner: Owner
) -> tuple[float | None, int | None]:
    """Return for how many seconds and how many files are kept."""
    listed = said if isinstance(said, list) else [] if said is None else [said]
    ages: list[float] = []
    counts: list[int] = []
    for number, each in enumerate(listed):
        place = owner.at("log", "keep", number)
        if isinstance(each, str):
            ages.append(age(each, place))
        else:
            counts.append(whole(each, place, least=0, most=10**6))
    if len(ages) > 1 or len(counts) > 1:
        place = owner.at("log", "keep")
        raise UsageError(f'{place}: write a time, a number of files, or one of each: ["14d", 30]')
    return ages[0] if ages else None, counts[0] if counts else None
