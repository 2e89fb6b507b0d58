"""launchd: a property list for each instance."""

from __future__ import annotations

from collections.abc import Iterator

from devrun.export.deployment import Deployment
from devrun.export.process_type import ProcessType
from devrun.export.render import ExportFile, Renderer
from devrun.export.users import check_user_name
from devrun.export.values import writes_values
from devrun.export.words import UNLIMITED, instance_log, instance_words
from devrun.model import RestartWhen

EXPRESSED = frozenset(("restart_delay", "nice", "limits", "log", "log.error_file")) | {
    'restart = "no"',
    'restart = "on-failure"',
}
"""Settings that property lists have something for."""

RESOURCES = {
    "core": "Core",
    "cpu": "CPU",
    "data": "Data",
    "fsize": "FileSize",
    "memlock": "MemoryLock",
    "nofile": "NumberOfFiles",
    "nproc": "NumberOfProcesses",
    "rss": "ResidentSetSize",
    "stack": "Stack",
}
"""Limits as ``SoftResourceLimits`` calls them (launchd.plist(5))."""


def launchd(deployment: Deployment, render: Renderer, _folder: str) -> Iterator[ExportFile]:
    """Yield a property list for each instance (launchd.plist(5)), with the values in it."""
    check_user_name(deployment, "launchd")
    for kind in deployment.processes:
        writes = writes_values(deployment, kind)
        for number in kind.instances:
            label = f"{deployment.slug}.{kind.slug}.{number}"
            text = render(
                "process.plist",
                process=kind,
                number=number,
                label=label,
                words=instance_words(deployment, kind, number, limited=False),
                variables=deployment.written_for(kind) if writes else (),
                keep_alive=_keep_alive(kind),
                limits=_limits(kind),
                log=_log(deployment, kind, number, label),
            )
            yield ExportFile(f"{label}.plist", text, private=writes)


def _keep_alive(kind: ProcessType) -> str:
    """Return ``always``, ``never`` or ``failure``: after which ends it is started again."""
    match kind.restarts.when:
        case RestartWhen.ALWAYS:
            return "always"
        case RestartWhen.ON_FAILURE:
            return "failure"
        case RestartWhen.NO:
            return "never"


def _limits(kind: ProcessType) -> list[tuple[str, list[tuple[str, int]]]]:
    """Return soft and hard limits; what is not there is as launchd itself has it."""
    limits = kind.service.limits
    known = [each for each in (limits.resources if limits else ()) if each[0] in RESOURCES]
    soft = [(RESOURCES[name], each) for name, each, _ in known if each != UNLIMITED]
    hard = [(RESOURCES[name], each) for name, _, each in known if each != UNLIMITED]
    both = [("SoftResourceLimits", soft), ("HardResourceLimits", hard)]
    return [(key, values) for key, values in both if values]


def _log(
    deployment: Deployment, kind: ProcessType, number: int, label: str
) -> tuple[str, str] | None:
    if deployment.options.logs:
        path = f"{deployment.options.logs}/{label}.log"
        return path, path
    log = instance_log(kind, number)
    return None if log is None else (log[0], log[1] or log[0])
