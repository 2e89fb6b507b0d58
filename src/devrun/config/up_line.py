"""The words of ``devrun up``: those of a run, and whether it goes on in the background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from devrun.config.command_line import Reading, reading_of
from devrun.config.flags import FLAGS, Flag, Takes
from devrun.config.option_reader import OptionReader, Request
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


def read_up_line(words: Sequence[str], environ: Mapping[str, str]) -> UpLine | Request:
    """Return what the words behind ``up`` mean.

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
    return UpLine(reading, detach, tuple(words))
