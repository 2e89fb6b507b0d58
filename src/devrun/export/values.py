"""Where processes on this machine have the values of ``.env`` files from."""

from __future__ import annotations

import os
from collections.abc import Iterator

from devrun.export.deployment import Deployment
from devrun.export.process_type import ProcessType, Variables
from devrun.export.render import ExportFile, Renderer


def writes_values(deployment: Deployment, kind: ProcessType) -> bool:
    """Whether values of a process's ``.env`` files stand in files of the export."""
    return deployment.options.include_secrets and bool(deployment.files_of(kind))


def value_files(deployment: Deployment) -> Iterator[tuple[str, Variables]]:
    """Yield names and contents of the files for values: the project's, and processes' own."""
    include = deployment.options.include_secrets
    if include and deployment.env_files:
        yield f"{deployment.slug}.env", deployment.written
    for kind in deployment.processes:
        if include and kind.env_files:
            yield f"{deployment.slug}-{kind.slug}.env", kind.public + kind.secrets


def value_paths(deployment: Deployment, kind: ProcessType, folder: str) -> list[str]:
    """Return the paths of those of these files that are for a process, lowest layer first."""
    if not deployment.options.include_secrets:
        return []
    project = [f"{deployment.slug}.env"] if deployment.env_files else []
    own = [f"{deployment.slug}-{kind.slug}.env"] if kind.env_files else []
    return [os.path.join(folder, name) for name in (*project, *own)]


def environment_files(deployment: Deployment, render: Renderer) -> Iterator[ExportFile]:
    """Yield the files."""
    for name, variables in value_files(deployment):
        yield ExportFile(name, render("project.env", variables=variables), private=True)
