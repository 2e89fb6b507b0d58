"""Fixtures of the end-to-end tests."""

from __future__ import annotations

import os

import pytest
from running import MARK, Run, no_survivors

_UNWANTED = (
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLORTERM",
    "PORT",
    "TERM",
    "PYTHONUNBUFFERED",
)


@pytest.fixture(autouse=True)
def leaves_nothing(mark):
    """Look for what is left behind each test, devrun or not."""


@pytest.fixture
def devrun(tmp_path, mark):
    """Start devrun in an empty folder; afterwards nothing that it started may be left."""
    runs: list[Run] = []
    env = {
        name: value
        for name, value in os.environ.items()
        if name not in _UNWANTED and not name.startswith("DEVRUN_")
    }
    env |= {MARK: mark, "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}

    def start(*arguments, env_added=None, cwd=None, terminal=None, stdout=None, before=()):
        run = Run(
            [str(argument) for argument in arguments],
            cwd=cwd or tmp_path,
            env=env | (env_added or {}),
            terminal=terminal,
            stdout=stdout,
            before=before,
        )
        runs.append(run)
        return run

    yield start
    try:
        if all(run.process.poll() is not None for run in runs):
            no_survivors(mark)
    finally:
        for run in runs:
            run.close()
