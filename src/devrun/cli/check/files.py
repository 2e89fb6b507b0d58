"""What is wrong with the files that services read and write: folders, log files, variables."""

from __future__ import annotations

import os
from collections.abc import Iterator

from devrun.model import Service


def log_problems(service: Service) -> Iterator[str]:
    """Yield why a service's log files cannot be written; nothing is made."""
    if service.log is None:
        return
    for path in (service.log.path, service.log.error_path):
        if path is not None:
            problem = _unwritable(path.replace("{instance}", str(service.number)))
            if problem is not None:
                yield f"log: {problem}"


def _unwritable(path: str) -> str | None:
    """Return why a file cannot be written, or made with the folders that it is in."""
    if os.path.isdir(path):
        return f"{path} is a folder; name a file in it"
    if os.path.lexists(path):
        return None if os.access(path, os.W_OK) else f"{path} is not writable"
    folder = os.path.dirname(path)
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    if not os.path.isdir(folder):
        return f"{path} cannot be made: {folder} is no folder"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"{path} cannot be made: {folder} is not writable"
    return None
