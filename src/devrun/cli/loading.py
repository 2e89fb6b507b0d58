"""Reads a project's configuration for a run, at its start and whenever it is to be read anew."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from devrun.config.option_reader import Request
from devrun.config.settings import RunSettings
from devrun.errors import UsageError

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from devrun.config.resolve import Resolution
    from devrun.control.applying import Load
    from devrun.control.description import Describe, Description
    from devrun.model import Project, Service


def current_folder() -> str:
    """Return the current folder.

    Raises:
        UsageError: It is gone.
    """
    try:
        return os.getcwd()
    except FileNotFoundError:
        raise UsageError("the current folder does not exist any more; change to another") from None


def resolution_of(settings: RunSettings, *, cwd: str, terminal: bool) -> Resolution:
    """Return the project that settings mean for this process.

    Args:
        terminal: stdout is one.

    Raises:
        UsageError: Something is wrong with them.
    """
    from devrun.config.production import is_for_a_terminal
    from devrun.config.resolve import resolve
    from devrun.output.color_level import color_level

    is_terminal = terminal and is_for_a_terminal(settings)
    level = color_level(os.environ, is_terminal=is_terminal, choice=settings.color)
    return resolve(settings, cwd=cwd, environ=os.environ, color_level=level)


def describer(settings: RunSettings, resolution: Resolution, *, cwd: str) -> Describe:
    """Return what describes the services of a run, for those who ask; it is loaded only then."""

    def describe(
        name: str, instances: Sequence[Service], variables: Mapping[str, str]
    ) -> Description:
        from devrun.cli.control.describing import describer as describer_of

        return describer_of(settings, resolution, os.environ, cwd=cwd)(name, instances, variables)

    return describe


def loader(cwd: str, *, terminal: bool, finish: Callable[[Project], Project]) -> Load:
    """Return what reads the configuration of a running project anew.

    Args:
        cwd: The run's own folder, for words that were not said elsewhere.
        finish: Makes of a project what the run has made of its own.
    """

    def load(words: Sequence[str], folder: str | None) -> Project:
        return finish(_load(words, os.environ, folder or cwd, terminal=terminal))

    return load


def _load(
    words: Sequence[str], environ: Mapping[str, str], folder: str, *, terminal: bool
) -> Project:
    from devrun.config.up_line import read_up_line

    line = read_up_line(words, environ, folder=folder)
    if isinstance(line, Request):
        raise UsageError("words of a run are wanted")
    try:
        return resolution_of(line.settings, cwd=folder, terminal=terminal).project
    except UsageError as error:
        raise UsageError(line.reading.in_their_words(str(error))) from error
