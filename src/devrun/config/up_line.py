"""The words of ``devrun up``: those of a run, and whether it goes on in the background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from devrun.config.command_line import Reading, reading_of
from devrun.config.definitions import DISCOVERED, IN_PRODUCTION, discovered
from devrun.config.flags import FLAGS, Flag, Takes
from devrun.config.option_reader import OptionReader, Request
from devrun.config.resolve import root_folder
from devrun.config.selection import is_command
from devrun.config.settings import RunSettings
from devrun.errors import UsageError

DETACH = Flag("detach", ("--detach", "-d"), Takes.NOTHING)

UP_FLAGS = (DETACH, *FLAGS)

_NEEDS_A_TERMINAL = (
    ("focus", "--focus"),
    ("handle_input", "--handle-input"),
    ("group", "--group"),
    ("raw", "--raw"),
    ("raw_only", "--raw-only"),
    ("timings", "--timings"),
)


@dataclass(frozen=True, slots=True)
class UpLine:
    """What was said.

    Attributes:
        words: What says which services run and how, as ``devrun`` itself takes it.
    """

    reading: Reading
    detach: bool
    words: tuple[str, ...]

    @property
    def settings(self) -> RunSettings:
        """Those of the run."""
        return self.reading.settings

    @property
    def names_services(self) -> bool:
        """Whether it is about services of a file that it names, and not about the others."""
        settings = self.settings
        return bool(settings.files) and not all(map(is_command, settings.commands))


def read_up_line(
    words: Sequence[str], environ: Mapping[str, str], *, folder: str | None = None
) -> UpLine | Request:
    """Return what the words behind ``up`` mean.

    Args:
        folder: Where they were said: words that are no commands are names of services of the file
            that is there. None: it does not matter which services are meant.

    Raises:
        UsageError: An option is unknown, stands twice, has a wrong value, or needs a terminal that
            there is not.
    """
    reader = OptionReader(UP_FLAGS, "devrun up")
    request = reader.read(words)
    if request is not None:
        return request
    detach = reader.values.pop(DETACH.field, False) is True
    reading = reading_of(reader, environ)
    if detach:
        for field, option in _NEEDS_A_TERMINAL:
            if getattr(reading.settings, field):
                raise UsageError(f"{option} is for a terminal; leave out {option} or --detach")
    if folder is not None:
        settings = naming_services(reading.settings, folder)
        reading = replace(reading, settings=settings)
    return UpLine(reading, detach, tuple(words))


def naming_services(settings: RunSettings, folder: str) -> RunSettings:
    """Return the settings with the folder's own file, where words are names of its services.

    Raises:
        UsageError: ``--root`` is no folder.
    """
    if settings.files or settings.names or all(map(is_command, settings.commands)):
        return settings
    usual = IN_PRODUCTION if settings.prod else DISCOVERED
    found = discovered(root_folder(settings, folder), usual)
    return settings if found is None else replace(settings, files=(found,))
