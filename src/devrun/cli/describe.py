"""A resolved project as text, for ``--dry-run`` and ``devrun check``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from devrun.cli.describe_service import Row, service_rows
from devrun.config.toml.texts import shown_path
from devrun.model import Project, Service

_Origins = Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class View:
    """What is shown besides the project.

    Attributes:
        left_out: Services that are not part of the run, and why.
        places: File and line of each service.
        origins: In words where the values of a service (an empty name: of the project) and key are
            from; with any, they are shown.
        show_values: Show the values of variables, which may be secrets.
    """

    left_out: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    origins: _Origins = field(default_factory=dict)
    show_values: bool = False


_PLAIN = View()


def describe(project: Project, view: View = _PLAIN) -> str:
    """Return what would run and how, for people to read."""
    blocks = [_table([*_heading(project, view)], "", view)]
    for name, instances in by_process(project).items():
        rows = [*service_rows(project, instances, show_values=view.show_values)]
        if name in view.places:
            rows.insert(0, Row("defined", view.places[name]))
        blocks.append(f"[{name}]\n{_table(rows, name, view)}")
    return "\n\n".join(blocks) + "\n"


def by_process(project: Project) -> dict[str, list[Service]]:
    """Return the instances of each service, by its name."""
    found: dict[str, list[Service]] = {}
    for service in project.services:
        found.setdefault(service.process or service.label, []).append(service)
    return found


def _heading(project: Project, view: View) -> Iterator[Row]:
    count, instances = len(by_process(project)), len(project.services)
    several = f" ({instances} instances)" if instances > count else ""
    yield Row("services", f"{count}{several}, from {project.source}")
    if view.left_out:
        listed = [f"{name} ({why})" for name, why in view.left_out.items()]
        yield Row("not run", ", ".join(listed))
    files = [project.environment.root_file, *project.environment.files]
    read = ", ".join(shown_path(path, project.root) for path in files if path) or "none"
    wins = " (win over the environment)" if project.environment.override else ""
    yield Row("env files", read + wins, ("env_file", "env_override"))
    yield Row("kill others", project.kill_others.value, ("on_exit",))
    yield Row("success", project.success.kind.value, ("success",))
    yield Row("at a time", str(project.max_processes or "all"), ("max_processes",))
    for group in project.groups:
        words = f"{group.name}: {group.strategy.value} of {', '.join(group.members)}"
        yield Row("group", words, ("groups",))
    if project.shutdown_timeout is not None:
        yield Row("shutdown", f"within {project.shutdown_timeout:g} s", ("shutdown_timeout",))
    for command in project.teardown.commands:
        yield Row("teardown", command, ("teardown",))
    if project.input_target is not None:
        yield Row("input", f"lines go to {project.services[project.input_target].label}")


def _table(rows: Sequence[Row], owner: str, view: View) -> str:
    width = max(len(row.name) for row in rows)
    return "\n".join(
        f"  {row.name:<{width}}  {_one_line(row.text)}{_origin(row, owner, view.origins)}"
        for row in rows
    )


def _one_line(text: str) -> str:
    """Return a text in which what would break the table, such as a line end, is written out."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def _origin(row: Row, owner: str, origins: _Origins) -> str:
    found = {key: origins[owner, key] for key in row.keys if (owner, key) in origins}
    distinct = dict.fromkeys(found.values())
    if not distinct:
        return ""
    if len(distinct) == 1:
        return f"  # {next(iter(distinct))}"
    said = [f"{key}: {origin}" for key, origin in found.items() if origin != "default"]
    return f"  # {'; '.join(said)}"
