"""What runs in a container: commands, from the folder that the image begins in."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from devrun.export.process_type import ProcessType
from devrun.process.command import SHELL


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


def image_line(kind: ProcessType, line: str | None = None) -> str:
    """Return the shell line that becomes the process, from the folder that the image begins in.

    Args:
        line: What is run in place of the process, or None.
    """
    text = kind.line if line is None else line
    return f"cd {shlex.quote(kind.subfolder)} && {text}" if kind.subfolder else text


def image_argv(kind: ProcessType) -> list[str]:
    """Return the argument vector of the process."""
    return [SHELL, "-c", image_line(kind)] if kind.subfolder else list(kind.argv)
