"""What a TOML file says of the run as a whole: groups, colours, success, teardown, prefixes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from devrun.config import values
from devrun.config.nearest import choices
from devrun.config.toml.owner import Owner, given
from devrun.config.toml.schema import GroupTable, ProjectTable, ServiceTable
from devrun.config.toml.service import shell
from devrun.config.toml.tables import TeardownTable
from devrun.config.toml.values import said_at, seconds
from devrun.errors import UsageError
from devrun.model import Teardown

TYPE_CHECKING = False  # devrun.policies is for services that have any
if TYPE_CHECKING:
    from devrun.policies import Group, Strategy

_NAME = re.compile(r"[A-Za-z0-9_@][A-Za-z0-9_@.:/-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class RunTexts:
    """Checked texts that mean the same as the options of these names; None where nothing is said.

    Attributes:
        max_processes: How many services may run at a time.
        timestamps: Put the time before every prefix.
    """

    success: str | None = None
    max_processes: int | None = None
    prefix: str | None = None
    timestamps: bool | None = None
    timestamp_format: str | None = None


def run_texts(table: ProjectTable, owner: Owner, names: Sequence[str]) -> RunTexts:
    """Return what is said of the run, checked as the options of the command line are.

    Args:
        names: The services' names.

    Raises:
        UsageError: A value is wrong.
    """
    if table.success is not None:
        from devrun.config.success import parse_success

        with said_at(owner.at("success"), "--success"):
            parse_success(table.success, names)
    timestamps = table.timestamps
    if table.prefix is not None:
        _check_prefix(table.prefix, owner)
    if isinstance(timestamps, str):
        from devrun.config.time_format import parse_time_format

        parse_time_format(timestamps, owner.at("timestamps"))
    return RunTexts(
        success=table.success,
        max_processes=_process_count(table.max_processes, owner.at("max_processes")),
        prefix=table.prefix,
        timestamps=True if isinstance(timestamps, str) else timestamps,
        timestamp_format=timestamps if isinstance(timestamps, str) else None,
    )


def _process_count(said: int | str | None, place: str) -> int | None:
    return None if said is None else values.process_count(str(said), place)


def _check_prefix(text: str, owner: Owner) -> None:
    from devrun.appearance import ColorLevel
    from devrun.config.prefixes import prefix_settings
    from devrun.config.settings import RunSettings

    if not text:
        raise UsageError(f'{owner.at("prefix")} "": write "none" for no prefix')
    with said_at(owner.at("prefix"), "--prefix"):
        prefix_settings(RunSettings(prefix=text), [], ColorLevel.NONE, padded=False)


def teardown(
    said: str | list[str] | TeardownTable | None, owner: Owner, *, cwd: str
) -> Teardown | None:
    """Return what runs when all services have ended, or None where nothing is said.

    Raises:
        UsageError: A command is empty or missing, or a value is wrong.
    """
    if said is None:
        return None
    table = said if isinstance(said, TeardownTable) else TeardownTable(commands=said)
    commands = [table.commands] if isinstance(table.commands, str) else table.commands
    if commands is None:
        raise UsageError(f"{owner.at('teardown')}: commands are missing")
    for number, command in enumerate(commands):
        if not command.strip():
            place = owner.at("teardown", "commands", number).removesuffix(".commands")
            raise UsageError(f"{place}: the command is empty")
    return Teardown(
        tuple(commands),
        given(table.timeout, Teardown().timeout, seconds, owner.at("teardown", "timeout")),
        shell(table.shell, owner, "teardown", "shell", cwd=cwd),
    )


def color(said: str | None, owner: Owner) -> str | None:
    """Return the colour of a service's prefix, as ``--prefix-colors`` has it, or None.

    Raises:
        UsageError: It is none.
    """
    if said is None:
        return None
    from devrun.appearance import ColorLevel
    from devrun.config.colors import parse_prefix_colors

    if "," in re.sub(r"\([^()]*\)", "", said):
        raise UsageError(f'{owner.at("color")} "{said}": one colour is enough')
    with said_at(owner.at("color"), "--prefix-colors"):
        parse_prefix_colors(said, 1, ColorLevel.TRUE)
    return said


def groups(
    project: ProjectTable,
    owner: Owner,
    tables: Mapping[str, ServiceTable],
    owners: Mapping[str, Owner],
) -> tuple[Group, ...]:
    """Return the groups, whose members are named by them, or name them, or both.

    Raises:
        UsageError: There is no such service or group.
    """
    said = project.groups or {}
    members: dict[str, dict[str, None]] = {name: {} for name in said}
    for group, table in said.items():
        if not _NAME.fullmatch(group):
            place = owner.at("groups", group)
            raise UsageError(f"{place}: is no name; use letters, digits and _ - . / : @")
        for number, name in enumerate(table.services or ()):
            if name not in tables:
                place = owner.at("groups", group, "services", number)
                raise UsageError(f'{place}: no service "{name}"{choices(name, list(tables))}')
            members[group][name] = None
    for name, service in tables.items():
        if service.group is None:
            continue
        if service.group not in members:
            raise UsageError(_no_such_group(service.group, owners[name], list(said)))
        members[service.group][name] = None
    if not members:
        return ()
    from devrun.policies import Group

    return tuple(
        Group(group, _in_order(found, tables), _strategy(said[group]))
        for group, found in members.items()
    )


def _no_such_group(name: str, owner: Owner, known: Sequence[str]) -> str:
    message = f'{owner.at("group")}: no group "{name}"'
    return message + (choices(name, known) if known else f"; write [groups.{name}]")


def _in_order(names: Mapping[str, None], tables: Mapping[str, ServiceTable]) -> tuple[str, ...]:
    return tuple(name for name in tables if name in names)


def _strategy(table: GroupTable) -> Strategy:
    from devrun.policies import Strategy

    return Strategy(table.strategy or Strategy.ONE_FOR_ONE.value)
