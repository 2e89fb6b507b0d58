"""docker compose: one file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from devrun.export.deployment import Deployment
from devrun.export.images import image_argv
from devrun.export.probes import (
    SHELL_PROBES,
    PathOf,
    health_probe,
    probe_words,
    ready_probe,
)
from devrun.export.process_type import Need, ProcessType
from devrun.export.render import ExportFile, Renderer
from devrun.model import RestartWhen
from devrun.policies import Condition
from devrun.supervise.probes.asking import EXEC_LIMIT

EXPRESSED = (
    frozenset(f"ready.{part}" for part in SHELL_PROBES)
    | frozenset(f"health.{part}" for part in SHELL_PROBES)
    | {"max_restarts", "depends_on", "max_memory", "limits", "tty"}
    | {'restart = "no"', 'restart = "on-failure"'}
)
"""Settings that compose has something for."""

_READY_INTERVAL, _READY_RETRIES = 2.0, 3
"""How a check asks for what devrun asks until it succeeds; compose asks for ever."""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A check that compose repeats; seconds.

    Attributes:
        test: ``CMD`` and an argument vector.
    """

    test: tuple[str, ...]
    interval: float
    timeout: float
    retries: int
    start_period: float


def compose(deployment: Deployment, render: Renderer, folder: str) -> Iterator[ExportFile]:
    """Yield one file for ``docker compose``; a ``$`` begins a variable in it.

    Values that are to be written stand in it, for its versions read .env files in several ways.
    """
    include = deployment.options.include_secrets
    kinds = deployment.processes
    has_dockerfile = os.path.isfile(os.path.join(deployment.root, "Dockerfile"))
    text = render(
        "compose.yaml",
        argv={kind.slug: [_escaped(word) for word in image_argv(kind)] for kind in kinds},
        env_files={kind.slug: _env_files(deployment, kind, folder) for kind in kinds},
        variables={kind.slug: deployment.written_for(kind) if include else () for kind in kinds},
        checks={kind.slug: health_check(kind, deployment.root) for kind in kinds},
        conditions={
            kind.slug: [(need.on.slug, condition(need, deployment.root)) for need in kind.needs]
            for kind in kinds
        },
        restarts={kind.slug: _restart(kind) for kind in kinds},
        build=_beside(deployment.root, folder) if has_dockerfile else "",
    )
    yield ExportFile("compose.yaml", text, private=include)


def _env_files(deployment: Deployment, kind: ProcessType, folder: str) -> list[str]:
    if deployment.options.include_secrets:
        return []
    return [_beside(path, folder) for path in deployment.files_of(kind)]


def _restart(kind: ProcessType) -> str:
    restarts = kind.restarts
    match restarts.when:
        case RestartWhen.NO:
            return '"no"'
        case RestartWhen.ALWAYS:
            return "unless-stopped"
        case RestartWhen.ON_FAILURE:
            return "on-failure" if restarts.tries < 1 else f"on-failure:{restarts.tries}"


def health_check(kind: ProcessType, root: str) -> HealthCheck | None:
    """Return the check of a process: that of ``health``, else that of ``ready``."""
    health, ready = kind.service.health, kind.service.ready
    probe = health_probe(kind, SHELL_PROBES)
    if health is not None and probe is not None:
        words = probe_words(probe, kind, PathOf(root))
        start = max(health.start_period, _start_of(kind))
        return HealthCheck(
            ("CMD", *map(_escaped, words)), health.interval, health.timeout, health.retries, start
        )
    probe = ready_probe(kind, SHELL_PROBES)
    if ready is None or probe is None:
        return None
    words = probe_words(probe, kind, PathOf(root))
    return HealthCheck(
        ("CMD", *map(_escaped, words)), _READY_INTERVAL, EXEC_LIMIT, _READY_RETRIES, ready.timeout
    )


def _start_of(kind: ProcessType) -> float:
    """Return the seconds in which it need not be healthy, for it need not be ready yet."""
    ready = kind.service.ready
    return 0.0 if ready is None else ready.timeout


def condition(need: Need, root: str) -> str:
    """Return what compose waits for, if it knows how to ask for it."""
    match need.dependency.condition:
        case Condition.COMPLETED:
            return "service_completed_successfully"
        case Condition.STARTED:
            return "service_started"
        case Condition.READY | Condition.HEALTHY:
            has_check = health_check(need.on, root) is not None
            return "service_healthy" if has_check else "service_started"


def _escaped(word: str) -> str:
    return word.replace("$", "$$")


def _beside(path: str, folder: str) -> str:
    relative = os.path.relpath(path, folder)
    return relative if relative.startswith("..") else f"./{relative}"
