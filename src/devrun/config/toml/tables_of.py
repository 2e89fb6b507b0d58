"""A resolved project as the tables of a devrun.toml: what was left unsaid is said where it matters.

The opposite of reading: values become texts that mean exactly them, and what a reader would assume
anyway is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

from devrun.appearance import PrefixSettings, PrefixStyle
from devrun.config.toml.ending import ENDINGS
from devrun.config.toml.service_of import service_table
from devrun.config.toml.texts import duration_text, shown_path, time_format_text
from devrun.config.toml.variables import escaped
from devrun.model import Project, Service, SuccessKind, Teardown
from devrun.policies import Strategy

Tables = dict[str, object]

NO_COLORS: Mapping[str, str] = {}


def project_tables(
    project: Project, *, show_values: bool, colors: Mapping[str, str] = NO_COLORS
) -> Tables:
    """Return the tables that read back as the project.

    Args:
        show_values: Show the values of variables, which may be secrets.
        colors: Of prefixes, by service; the project has only what a terminal is told.
    """
    found = _run(project)
    found["services"] = {
        name: service_table(project, name, instances, show_values=show_values)
        | ({"color": escaped(colors[name])} if name in colors else {})
        for name, instances in _by_name(project.services).items()
    }
    if project.groups:
        found["groups"] = {
            group.name: _group(group.members, group.strategy) for group in project.groups
        }
    return found


def _by_name(services: Iterable[Service]) -> Mapping[str, Sequence[Service]]:
    found: dict[str, list[Service]] = {}
    for service in services:
        found.setdefault(service.process or service.label, []).append(service)
    return found


def _group(members: Sequence[str], strategy: Strategy) -> Tables:
    return {"strategy": strategy.value, "services": list(members)}


def _run(project: Project) -> Tables:
    found: Tables = {}
    environment = project.environment
    root = [environment.root_file] if environment.root_file is not None else []
    if environment.files or not root:
        files = [*root, *environment.files]
        found["env_file"] = [escaped(shown_path(path, project.root)) for path in files]
    if environment.override:
        found["env_override"] = True
    for word, kind in ENDINGS.items():
        if project.kill_others is kind and word != "ignore":
            found["on_exit"] = word
    success = _success(project)
    if success is not None:
        found["success"] = success
    if project.max_processes is not None:
        found["max_processes"] = project.max_processes
    if project.teardown != Teardown():
        found["teardown"] = _teardown(project.teardown)
    if project.shutdown_timeout is not None:
        found["shutdown_timeout"] = duration_text(project.shutdown_timeout)
    if project.watch.ignore:
        found["watch_ignore"] = [escaped(pattern) for pattern in project.watch.ignore]
    return found | _prefix(project)


def _prefix(project: Project) -> Tables:
    prefix = project.output.prefix
    found: Tables = {}
    if prefix.style is not None:
        style = prefix.style
        found["prefix"] = style.value if isinstance(style, PrefixStyle) else escaped(style)
    if prefix.timestamps:
        usual = prefix.time_format == PrefixSettings().time_format
        found["timestamps"] = usual or escaped(time_format_text(prefix.time_format))
    return found


def _success(project: Project) -> str | None:
    match project.success.kind:
        case SuccessKind.ALL:
            return None
        case SuccessKind.FIRST:
            return "first"
        case SuccessKind.LAST:
            return "last"
        case SuccessKind.COMMAND:
            return f"command-{_target(project)}"
        case SuccessKind.NOT_COMMAND:
            return f"!command-{_target(project)}"
        case _:
            assert_never(project.success.kind)


def _target(project: Project) -> str:
    """Return the word that stands for the services of the success condition."""
    targets = [project.services[index] for index in sorted(project.success.targets)]
    one = targets[0]
    return escaped(one.label if len(targets) == 1 else one.process or one.label)


def _teardown(teardown: Teardown) -> Tables:
    found: Tables = {"commands": list(teardown.commands)}
    if teardown.timeout != Teardown().timeout:
        found["timeout"] = duration_text(teardown.timeout)
    if teardown.shell is not None:
        found["shell"] = escaped(teardown.shell.program)
    return found
