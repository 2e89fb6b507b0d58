"""Kubernetes: a Deployment or a Job for each process, Services, ConfigMaps, Secrets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from devrun.export.deployment import Deployment
from devrun.export.images import image_argv, image_line
from devrun.export.probes import CONTAINER_PROBES, PathOf, container_probes
from devrun.export.process_type import ProcessType, Variables
from devrun.export.render import ExportFile, Renderer
from devrun.model import RestartWhen
from devrun.process.command import SHELL

EXPRESSED = (
    frozenset(f"ready.{part}" for part in CONTAINER_PROBES)
    | frozenset(f"health.{part}" for part in CONTAINER_PROBES)
    | {"ready.on_timeout", "stop.command", "max_memory", "tty", "cluster"}
)
"""Settings that manifests have something for."""

OF_JOBS = frozenset(("max_restarts",)) | {'restart = "on-failure"'}
"""The same for what runs to its end."""

_MOST_TRIES = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Source:
    """A ConfigMap or a Secret that variables are from.

    Attributes:
        key: How a container refers to it.
    """

    key: str
    name: str


def kubernetes(deployment: Deployment, render: Renderer, _folder: str) -> Iterator[ExportFile]:
    """Yield a Deployment for each process, a Service for what serves, and their variables."""
    release = () if deployment.release is None else (deployment.release,)
    for kind in (*deployment.processes, *release):
        is_job = kind.once or kind.is_release
        style = "job" if is_job else "deployment"
        text = render(
            f"{style}.yaml",
            process=kind,
            argv=_escaped(image_argv(kind)),
            sources=_sources(deployment, kind),
            probes=[] if is_job else container_probes(kind, PathOf(deployment.root)),
            stop=_stop(kind),
            again=kind.declared and kind.restarts.when is not RestartWhen.NO,
            tries=kind.restarts.tries if kind.restarts.tries >= 0 else _MOST_TRIES,
        )
        yield ExportFile(f"{style}-{kind.slug}.yaml", text)
        if kind.listens:
            yield ExportFile(f"service-{kind.slug}.yaml", render("service.yaml", process=kind))
    yield from _variables(deployment, render)


def _sources(deployment: Deployment, kind: ProcessType) -> list[Source]:
    """Return what a container's variables are from; later ones win."""
    project, own = deployment.slug, f"{deployment.slug}-{kind.slug}"
    named = (
        ("configMapRef", project, deployment.public),
        ("secretRef", project, deployment.secrets),
        ("configMapRef", own, kind.public),
        ("secretRef", own, kind.secrets),
    )
    return [Source(key, name) for key, name, variables in named if variables]


def _variables(deployment: Deployment, render: Renderer) -> Iterator[ExportFile]:
    named: list[tuple[str, str, Variables, Variables]] = [
        ("", deployment.slug, deployment.public, deployment.secrets)
    ]
    for kind in deployment.processes:
        name = f"{deployment.slug}-{kind.slug}"
        named.append((f"-{kind.slug}", name, kind.public, kind.secrets))
    for end, name, public, secrets in named:
        if public:
            text = render("variables.yaml", kind="ConfigMap", name=name, variables=public)
            yield ExportFile(f"configmap{end}.yaml", text)
        if secrets and deployment.options.include_secrets:
            text = render("variables.yaml", kind="Secret", name=name, variables=secrets)
            yield ExportFile(f"secret{end}.yaml", text, private=True)


def _stop(kind: ProcessType) -> list[str]:
    """Return what is run before a container is told to end; its time is part of the whole."""
    command = kind.service.stop.command
    return [] if command is None else [SHELL, "-c", image_line(kind, command)]


def _escaped(words: list[str]) -> list[str]:
    """Return an argument vector, in which Kubernetes would replace ``$(NAME)``."""
    return [word.replace("$(", "$$(") for word in words]
