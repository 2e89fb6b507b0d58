"""Names that a command line may have: of services, runs and scripts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from devrun.cli.control.choice import Place, answers, services_of
from devrun.control.runs import nearest_first
from devrun.control.runs import running as runs_of
from devrun.errors import DevrunError

RUNNERS = ("npm", "pnpm", "yarn", "bun", "node", "deno")


def running(environ: Mapping[str, str], name: str | None = None) -> dict[str, list[str]]:
    """Return the services of what runs here, with the labels of their instances.

    Args:
        name: What ``--name`` says, or None.
    """
    try:
        found = answers(Place(os.getcwd(), environ, name), services_of)
    except (DevrunError, OSError):
        return {}
    return {
        service: labels for _, services in found for service, labels in services.by_service.items()
    }


def instances_too(services: Mapping[str, Sequence[str]], word: str) -> list[str]:
    """Return the services, and the instances if a word has the service already."""
    begun = word.rstrip(".0123456789") in services
    labels = (label for instances in services.values() for label in instances)
    return [*dict.fromkeys([*services, *(labels if begun else ())])]


def run_names(environ: Mapping[str, str]) -> list[str]:
    """Return what ``--name`` can say of what runs here: names, and pids where there is none."""
    for found in nearest_first(runs_of(environ), os.getcwd()):
        return [run.name or str(run.pid) for run in found]
    return []


def defined(files: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """Return the services of files, or of the file that is in the current folder."""
    from devrun.config.definitions import (
        Format,
        Request,
        discovered,
        format_of,
        read_definitions,
    )

    found = discovered(os.getcwd())
    names: list[str] = []
    for path in files or ([found] if found else []):
        try:
            if format_of(path) is not Format.ECOSYSTEM:  # Reading it would be running it.
                names += read_definitions([path], Request(os.getcwd(), environ)).places
        except (DevrunError, OSError):
            continue
    return names


def scripts(word: str) -> Iterable[str]:
    """Return the package's scripts as ``npm:NAME``, if the word begins so."""
    runner, colon, _ = word.partition(":")
    if not colon or runner not in RUNNERS:
        return ()
    from devrun.config.scripts import script_names

    try:
        return [f"{runner}:{name}" for name in script_names(runner, os.getcwd()) or ()]
    except (DevrunError, OSError):
        return ()
