"""A checked project in the formats of ``devrun check``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from devrun.cli.check.problems import Findings
from devrun.cli.check.source import Source
from devrun.cli.describe import View, describe
from devrun.errors import UsageError
from devrun.model import Project

VERSION = 1
"""Of the form of the JSON; what it has keeps its name and meaning, more may come."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A project, and what there is to be told of it.

    Attributes:
        origins: As of ``origins_of``; None if nobody wants them.
        warnings: What the user was told when it was read.
        show_values: Show the values of variables, which may be secrets.
    """

    project: Project
    source: Source
    findings: Findings
    origins: dict[str, object] | None = None
    warnings: Sequence[str] = ()
    show_values: bool = False


def as_text(checked: Checked) -> str:
    """Return the project for people to read."""
    view = View(
        left_out=checked.source.left_out,
        places=checked.source.places,
        origins=_origins_in_words(checked),
        show_values=checked.show_values,
    )
    return describe(checked.project, view)


def as_toml(checked: Checked) -> str:
    """Return the project as a devrun.toml."""
    from devrun.config.toml.text import to_toml

    origins = _origins_in_words(checked)
    return to_toml(
        checked.project,
        show_values=checked.show_values,
        colors=checked.source.colors,
        origins=origins,
    )


def _origins_in_words(checked: Checked) -> dict[tuple[str, str], str]:
    if checked.origins is None:
        return {}
    from devrun.cli.check.origins import in_words

    return in_words(checked.origins)


def as_json(checked: Checked) -> str:
    """Return the project for programs to read, with the origin of each value."""
    import json

    from devrun.cli.check.tables import whole_tables

    project = checked.project
    findings = checked.findings
    whole = {
        "version": VERSION,
        "root": project.root,
        "source": project.source,
        "project": whole_tables(
            project, show_values=checked.show_values, colors=checked.source.colors
        ),
        "origins": checked.origins,
        "instances": [
            {
                "name": service.label,
                "service": service.process or service.label,
                "number": service.number,
                "port": service.port,
            }
            for service in project.services
        ],
        "not_run": [
            {"service": name, "reason": reason} for name, reason in checked.source.left_out.items()
        ],
        "problems": [{"service": each.service, "text": each.text} for each in findings.problems],
        "warnings": [
            *({"service": "", "text": text} for text in checked.warnings),
            *({"service": each.service, "text": each.text} for each in findings.doubts),
        ],
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def as_procfile(project: Project) -> str:
    """Return the project's processes as one Procfile.

    Raises:
        UsageError: One has no name, or a line end in its command.
    """
    lines: list[str] = []
    for service in project.services:
        name = service.process or service.name
        if name is None or "\n" in service.command:
            why = "has no name" if name is None else "has a line end in it"
            raise UsageError(f'--format procfile: the command "{service.command}" {why}')
        lines.append(f"{name}: {service.command}\n")
    return "".join(dict.fromkeys(lines))
