"""``devrun check --env NAME``: a service's variables, and where each comes from."""

from __future__ import annotations

import os
import sys

from devrun.config.env_dialects import differences, sentence
from devrun.config.env_text import env_text
from devrun.config.environment import describe, env_file_text, env_files, shown
from devrun.model import MASK, Project, Service
from devrun.output.complaint import complain


def find_named(project: Project, name: str) -> Service | None:
    """Return the service, or the first instance of the one, of that name."""
    for service in project.services:
        if name in {service.label, service.process}:
            return service
    return None


def print_variables(project: Project, service: Service, style: str, *, show_values: bool) -> None:
    """Print a service's variables as a table, or as a file of variables.

    Args:
        style: ``env`` for a file.
        show_values: Show the values, which may be secrets.

    Raises:
        UsageError: A file of variables cannot be read.
    """
    rows = describe(project, service, os.environ)
    for path in (*env_files(project.environment), *service.env_files):
        for difference in differences(env_file_text(path)):
            words = sentence(difference, show_values=show_values)
            complain(f"{shown(path)}:{difference.line}: {words}")
    if style == "env":
        text = env_text({row.name: row.value for row in rows})
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        return
    width = max((len(row.name) for row in rows), default=0)
    origins = max((len(row.origin) for row in rows), default=0)
    for row in rows:
        value = row.value if show_values else MASK
        sys.stdout.write(f"{row.name:<{width}}  {row.origin:<{origins}}  {value}\n")
