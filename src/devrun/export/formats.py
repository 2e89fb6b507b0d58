"""The formats of ``devrun export``, and what each cannot say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from devrun.config.nearest import choices
from devrun.errors import UsageError
from devrun.export import (
    app_platform,
    compose,
    format_notes,
    kubernetes,
    launchd,
    service_folders,
    supervisord,
    systemd,
)
from devrun.export.deployment import Deployment
from devrun.export.format_notes import unsaid_notes
from devrun.export.limits import (
    NOT_UTF_8,
    NOT_XML,
    NOTHING,
    Limits,
    check_files,
    check_processes,
    without_lost_variables,
)
from devrun.export.render import ExportFile, Renderer

Files = Callable[[Deployment, Renderer, str], Iterator[ExportFile]]


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes:
        files: Yields its files.
        templates: Folder of its templates.
        notes: What it cannot say, of a certain deployment.
        next: What to do with the files; ``{folder}`` and ``{slug}`` are replaced.
        shapes: Patterns of ``glob`` for the files that it may have made; ``{slug}`` is replaced.
        limits: What it can hold of texts and of variables.
        expressed: Keys of the settings that it has something for.
    """

    files: Files
    templates: str
    notes: Callable[[Deployment], Iterator[str]]
    next: str
    shapes: tuple[str, ...]
    limits: Limits
    expressed: frozenset[str]

    def patterns(self, slug: str) -> tuple[str, ...]:
        """Return the patterns for an application's files."""
        return tuple(shape.format(slug=slug) for shape in self.shapes)


def make_files(
    name: str, deployment: Deployment, *, folder: str, templates: str | None
) -> tuple[list[ExportFile], list[str]]:
    """Return the files of an export, and the notes on it.

    Args:
        folder: Absolute path of the folder that they are for.
        templates: Folder of templates that replace the package's, or None.

    Raises:
        UsageError: There is no such format, it cannot hold what the project says, or a template
            is wrong.
    """
    chosen = FORMATS.get(name)
    if chosen is None:
        raise UsageError(f'no format "{name}"{choices(name, list(FORMATS))}')
    check_processes(deployment, name, chosen.limits)
    deployment, lost = without_lost_variables(deployment, name, chosen.limits)
    notes = [
        *deployment.notes,
        *lost,
        *chosen.notes(deployment),
        *unsaid_notes(deployment, name, chosen.expressed),
    ]
    deployment = replace(deployment, notes=tuple(notes))
    render = Renderer(chosen.templates, deployment, templates)
    render.define(user_units=name == "systemd-user")
    files = list(chosen.files(deployment, render, folder))
    check_files(files, deployment, name, chosen.limits)
    return files, notes


_SYSTEMD = "systemctl {who}daemon-reload && systemctl {who}enable --now {{slug}}.target"
_UNITS = ("{slug}*.env", "{slug}-*.service", "{slug}-*.socket", "{slug}.target")
_SERVICE_FOLDERS = (
    "{slug}*.env",
    "{slug}-*-[0-9]*/run",
    "{slug}-*-[0-9]*/finish",
    "{slug}-*-[0-9]*/log/run",
)
_SHELL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""A variable's name (POSIX, Base Definitions, 3.216): a shell drops all others that it is given."""

FORMATS = {
    "systemd": Format(
        systemd.systemd,
        "systemd",
        format_notes.systemd,
        "copy them to /etc/systemd/system; " + _SYSTEMD.format(who=""),
        _UNITS,
        Limits(lacks=NOT_UTF_8, names=_SHELL_NAME),
        systemd.EXPRESSED,
    ),
    "systemd-user": Format(
        systemd.systemd,
        "systemd",
        format_notes.systemd,
        "copy them to ~/.config/systemd/user; " + _SYSTEMD.format(who="--user "),
        _UNITS,
        Limits(lacks=NOT_UTF_8, names=_SHELL_NAME),
        systemd.EXPRESSED,
    ),
    "launchd": Format(
        launchd.launchd,
        "launchd",
        format_notes.launchd,
        "copy them to ~/Library/LaunchAgents; launchctl bootstrap gui/$UID FILE",
        ("{slug}.env", "{slug}.*.plist"),
        Limits(lacks=NOT_XML, names=_SHELL_NAME),
        launchd.EXPRESSED,
    ),
    "supervisord": Format(
        supervisord.supervisord,
        "supervisord",
        format_notes.supervisord,
        "copy them to /etc/supervisor/conf.d; supervisorctl update",
        ("{slug}.env", "{slug}.conf"),
        Limits(lacks=NOT_UTF_8, lacks_in_lines=NOTHING, names=_SHELL_NAME),
        supervisord.EXPRESSED,
    ),
    "runit": Format(
        service_folders.runit,
        "runit",
        format_notes.runit,
        "link them into /etc/service, or runsvdir {folder}",
        (*_SERVICE_FOLDERS, "{slug}-*-[0-9]*/control/t"),
        Limits(names=_SHELL_NAME),
        service_folders.RUNIT,
    ),
    "s6": Format(
        service_folders.s6,
        "s6",
        format_notes.s6,
        "s6-svscan {folder}",
        _SERVICE_FOLDERS,
        Limits(names=_SHELL_NAME),
        service_folders.S6,
    ),
    "compose": Format(
        compose.compose,
        "compose",
        format_notes.compose,
        "docker compose -p {slug} -f {folder}/compose.yaml up",
        ("compose.yaml",),
        Limits(lacks=NOT_UTF_8),
        compose.EXPRESSED,
    ),
    "kubernetes": Format(
        kubernetes.kubernetes,
        "kubernetes",
        format_notes.kubernetes,
        "kubectl apply -f {folder}",
        ("deployment-*.yaml", "service-*.yaml", "job-*.yaml", "configmap*.yaml", "secret*.yaml"),
        Limits(lacks=NOT_UTF_8, names=re.compile(r"[A-Za-z0-9_.-]+")),
        kubernetes.EXPRESSED,
    ),
    "app-platform": Format(
        app_platform.app_platform,
        "app-platform",
        format_notes.app_platform,
        "doctl apps create --spec {folder}/app.yaml",
        ("app.yaml",),
        Limits(lacks=NOT_UTF_8, names=_SHELL_NAME),
        app_platform.EXPRESSED,
    ),
}
"""The formats by their names, local ones first."""
