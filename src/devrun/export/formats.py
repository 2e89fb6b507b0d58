"""The formats of ``devrun export``, and what each cannot say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from devrun.config.nearest import choices
from devrun.errors import UsageError
from devrun.export import containers, local
from devrun.export.deployment import Deployment
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
    """

    files: Files
    templates: str
    notes: Callable[[Deployment], Iterator[str]]
    next: str
    shapes: tuple[str, ...]
    limits: Limits

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
    notes = [*deployment.notes, *lost, *chosen.notes(deployment)]
    deployment = replace(deployment, notes=tuple(notes))
    render = Renderer(chosen.templates, deployment, templates)
    render.define(user_units=name == "systemd-user")
    files = list(chosen.files(deployment, render, folder))
    check_files(files, deployment, name, chosen.limits)
    return files, notes


def _systemd_notes(deployment: Deployment) -> Iterator[str]:
    yield from _local_notes(deployment)
    if deployment.env_files and not deployment.options.include_secrets:
        yield from _read_otherwise(deployment)


def _local_notes(deployment: Deployment) -> Iterator[str]:
    if deployment.release is not None:
        yield f'"{deployment.release.name}" is left out: run it before each release'


def _supervisor_notes(deployment: Deployment) -> Iterator[str]:
    yield from _local_notes(deployment)
    if deployment.env_files and not deployment.options.include_secrets:
        reader = deployment.options.devrun[0]
        yield f"{reader} reads the .env files at each start; --include-secrets does without it"


def _launchd_notes(deployment: Deployment) -> Iterator[str]:
    yield from _supervisor_notes(deployment)
    for kind in deployment.processes:
        if kind.stop_signal != "SIGTERM":
            yield f"{kind.name}: launchd sends SIGTERM, not {kind.stop_signal}"


def _runit_notes(deployment: Deployment) -> Iterator[str]:
    yield from _supervisor_notes(deployment)
    for kind in deployment.processes:
        yield f"{kind.name}: sv waits 7 s before it kills; sv -w {kind.grace} waits for its time"


def _container_notes(deployment: Deployment) -> Iterator[str]:
    if any(kind.count > 1 for kind in deployment.processes):
        yield "all instances of a process have the same PORT: each has a network of its own"


def _compose_notes(deployment: Deployment) -> Iterator[str]:
    yield from _local_notes(deployment)
    yield from _container_notes(deployment)
    for kind in deployment.processes:
        if kind.serves and kind.count > 1:
            yield f"{kind.name}: {kind.count} instances cannot share port {kind.port} of the host"
    if deployment.env_files and not deployment.options.include_secrets:
        yield "docker compose reads .env files in its own way"


def _kubernetes_notes(deployment: Deployment) -> Iterator[str]:
    yield from _container_notes(deployment)
    for kind in deployment.processes:
        if kind.serves and not deployment.slug[0].isalpha():
            yield f"{deployment.slug}-{kind.slug}: a Service's name begins with a letter; say -a"
        if kind.stop_signal != "SIGTERM":
            yield f"{kind.name}: Kubernetes sends the image's STOPSIGNAL, not {kind.stop_signal}"
    if deployment.secrets and not deployment.options.include_secrets:
        names = ", ".join(name for name, _ in deployment.secrets)
        yield f"the Secret {deployment.slug} is not written and has to hold: {names}"


def _app_platform_notes(deployment: Deployment) -> Iterator[str]:
    yield from _container_notes(deployment)
    names = [deployment.slug, *(kind.slug for kind in deployment.processes)]
    for name in names:
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}[a-z0-9]", name):
            yield f'"{name}": App Platform takes names of 2 to 32 characters, a letter first'
    for kind in deployment.processes:
        if kind.stop_signal != "SIGTERM":
            yield f"{kind.name}: App Platform sends SIGTERM, not {kind.stop_signal}"
        if kind.grace > 600:
            yield f"{kind.name}: has 600 s to end there, not {kind.grace}"
    if deployment.secrets and not deployment.options.include_secrets:
        yield "secrets have names and no values: set them in the app's settings"


_SYSTEMD = "systemctl {who}daemon-reload && systemctl {who}enable --now {{slug}}.target"
_UNITS = ("{slug}.env", "{slug}-*.service", "{slug}.target")
_SERVICE_FOLDERS = ("{slug}.env", "{slug}-*-[0-9]*/run", "{slug}-*-[0-9]*/log/run")
_SHELL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""A variable's name (POSIX, Base Definitions, 3.216): a shell drops all others that it is given."""

FORMATS = {
    "systemd": Format(
        local.systemd,
        "systemd",
        _systemd_notes,
        "copy them to /etc/systemd/system; " + _SYSTEMD.format(who=""),
        _UNITS,
        Limits(lacks=NOT_UTF_8, names=_SHELL_NAME),
    ),
    "systemd-user": Format(
        local.systemd,
        "systemd",
        _systemd_notes,
        "copy them to ~/.config/systemd/user; " + _SYSTEMD.format(who="--user "),
        _UNITS,
        Limits(lacks=NOT_UTF_8, names=_SHELL_NAME),
    ),
    "launchd": Format(
        local.launchd,
        "launchd",
        _launchd_notes,
        "copy them to ~/Library/LaunchAgents; launchctl bootstrap gui/$UID FILE",
        ("{slug}.env", "{slug}.*.plist"),
        Limits(lacks=NOT_XML, names=_SHELL_NAME),
    ),
    "supervisord": Format(
        local.supervisord,
        "supervisord",
        _supervisor_notes,
        "copy them to /etc/supervisor/conf.d; supervisorctl update",
        ("{slug}.env", "{slug}.conf"),
        Limits(lacks=NOT_UTF_8, lacks_in_lines=NOTHING, names=_SHELL_NAME),
    ),
    "runit": Format(
        local.runit,
        "runit",
        _runit_notes,
        "link them into /etc/service, or runsvdir {folder}",
        (*_SERVICE_FOLDERS, "{slug}-*-[0-9]*/control/t"),
        Limits(names=_SHELL_NAME),
    ),
    "s6": Format(
        local.s6,
        "s6",
        _supervisor_notes,
        "s6-svscan {folder}",
        _SERVICE_FOLDERS,
        Limits(names=_SHELL_NAME),
    ),
    "compose": Format(
        containers.compose,
        "compose",
        _compose_notes,
        "docker compose -p {slug} -f {folder}/compose.yaml up",
        ("compose.yaml",),
        Limits(lacks=NOT_UTF_8),
    ),
    "kubernetes": Format(
        containers.kubernetes,
        "kubernetes",
        _kubernetes_notes,
        "kubectl apply -f {folder}",
        ("deployment-*.yaml", "service-*.yaml", "job-*.yaml", "configmap.yaml", "secret.yaml"),
        Limits(lacks=NOT_UTF_8, names=re.compile(r"[A-Za-z0-9_.-]+")),
    ),
    "app-platform": Format(
        containers.app_platform,
        "app-platform",
        _app_platform_notes,
        "doctl apps create --spec {folder}/app.yaml",
        ("app.yaml",),
        Limits(lacks=NOT_UTF_8, names=_SHELL_NAME),
    ),
}
"""The formats by their names, local ones first."""

_SAME_EVERYWHERE = re.compile(
    r"""[ \t]*(\#.*)?|[A-Za-z_][A-Za-z0-9_]*=([^\s"'\\$`\#;]*|"[^"\\$`]*"|'[^'\\$`]*')"""
)
"""A line of a .env file that systemd reads as python-dotenv does (systemd.exec(5))."""


def _read_otherwise(deployment: Deployment) -> Iterator[str]:
    for path in deployment.env_files:
        with open(path, encoding="utf-8-sig") as file:
            lines = [
                str(number)
                for number, line in enumerate(file, 1)
                if not _SAME_EVERYWHERE.fullmatch(line.rstrip())
            ]
        if lines:
            which = f"line{'s' if len(lines) > 1 else ''} {', '.join(lines)}"
            yield f"{path}: systemd may read {which} otherwise; --include-secrets writes values"
