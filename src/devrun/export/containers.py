"""Containers: docker compose, Kubernetes, DigitalOcean's App Platform."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from devrun.export.deployment import Deployment, ProcessType
from devrun.export.render import ExportFile, Renderer
from devrun.process.command import SHELL


def compose(deployment: Deployment, render: Renderer, folder: str) -> Iterator[ExportFile]:
    """Yield one file for ``docker compose``; a ``$`` begins a variable in it.

    Values that are to be written stand in it, for its versions read .env files in several ways.
    """
    include = deployment.options.include_secrets
    env_files = [] if include else [_beside(path, folder) for path in deployment.env_files]
    variables = deployment.written if include else ()
    argv = {
        kind.slug: [word.replace("$", "$$") for word in _argv(kind)]
        for kind in deployment.processes
    }
    has_dockerfile = os.path.isfile(os.path.join(deployment.root, "Dockerfile"))
    build = _beside(deployment.root, folder) if has_dockerfile else ""
    text = render("compose.yaml", argv=argv, env_files=env_files, build=build, variables=variables)
    yield ExportFile("compose.yaml", text, private=include)


def kubernetes(deployment: Deployment, render: Renderer, _folder: str) -> Iterator[ExportFile]:
    """Yield a Deployment for each process, a Service for what serves, and their variables."""
    for kind in deployment.processes:
        text = render("deployment.yaml", process=kind, argv=_kubernetes_argv(kind))
        yield ExportFile(f"deployment-{kind.slug}.yaml", text)
        if kind.serves:
            yield ExportFile(f"service-{kind.slug}.yaml", render("service.yaml", process=kind))
    release = deployment.release
    if release is not None:
        text = render("job.yaml", process=release, argv=_kubernetes_argv(release))
        yield ExportFile(f"job-{release.slug}.yaml", text)
    if deployment.public:
        text = render("variables.yaml", kind="ConfigMap", variables=deployment.public)
        yield ExportFile("configmap.yaml", text)
    if deployment.secrets and deployment.options.include_secrets:
        text = render("variables.yaml", kind="Secret", variables=deployment.secrets)
        yield ExportFile("secret.yaml", text, private=True)


def app_platform(deployment: Deployment, render: Renderer, _folder: str) -> Iterator[ExportFile]:
    """Yield an app specification: services for what serves, workers for the rest."""
    image = parse_image(deployment.image)
    release = () if deployment.release is None else (deployment.release,)
    sections = [
        ("services", [kind for kind in deployment.processes if kind.serves]),
        ("workers", [kind for kind in deployment.processes if not kind.serves]),
        ("jobs", list(release)),
    ]
    kinds = (*deployment.processes, *release)
    text = render(
        "app.yaml",
        sections=[section for section in sections if section[1]],
        lines={kind.slug: _line(kind) for kind in kinds},
        registry=image.registry,
        owner=image.owner,
        repository=image.repository,
        tag=image.tag,
    )
    yield ExportFile("app.yaml", text, private=deployment.options.include_secrets)


@dataclass(frozen=True, slots=True)
class Image:
    """A container image as App Platform names it.

    Attributes:
        registry: ``DOCR``, ``GHCR`` or ``DOCKER_HUB``.
        owner: Whose it is; nothing for DigitalOcean's own registry.
    """

    registry: str
    owner: str
    repository: str
    tag: str


def parse_image(text: str) -> Image:
    """Return the parts of ``[host/][owner/]repository[:tag]``."""
    path, _, tag = text.partition(":")
    *owner, repository = path.split("/")
    if owner[:1] == ["ghcr.io"]:
        return Image("GHCR", "/".join(owner[1:]), repository, tag or "latest")
    if not owner or owner[:1] == ["registry.digitalocean.com"]:
        return Image("DOCR", "", repository, tag or "latest")
    owner = owner[1:] if owner[0] == "docker.io" else owner
    return Image("DOCKER_HUB", "/".join(owner) or "library", repository, tag or "latest")


def _line(kind: ProcessType) -> str:
    """Return the shell line that becomes the process, from the folder that the image begins in."""
    if not kind.subfolder:
        return kind.line
    return f"cd {shlex.quote(kind.subfolder)} && {kind.line}"


def _argv(kind: ProcessType) -> list[str]:
    return [SHELL, "-c", _line(kind)] if kind.subfolder else list(kind.argv)


def _kubernetes_argv(kind: ProcessType) -> list[str]:
    """Return the argument vector, in which Kubernetes would replace ``$(NAME)``."""
    return [word.replace("$(", "$$(") for word in _argv(kind)]


def _beside(path: str, folder: str) -> str:
    relative = os.path.relpath(path, folder)
    return relative if relative.startswith("..") else f"./{relative}"
