"""The words of ``devrun startup``: those of a run, and what becomes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from devrun.config.command_line import Reading, reading_of
from devrun.config.flags import FLAGS, Flag, Takes
from devrun.config.option_reader import OptionReader, Request
from devrun.errors import UsageError

_OWN = (
    Flag("remove", ("--remove",), Takes.NOTHING),
    Flag("print", ("--print",), Takes.NOTHING),
)
_LEFT_OUT = frozenset(("dry_run", "focus", "handle_input", "default_input_target"))
"""What makes no sense where nobody sits before the run."""

STARTUP_FLAGS = (*_OWN, *(flag for flag in FLAGS if flag.field not in _LEFT_OUT))


@dataclass(frozen=True, slots=True)
class StartupLine:
    """What was said.

    Attributes:
        remove: What was written is to be taken away.
        print: What would be written is to be shown.
        words: Those of the run.
    """

    reading: Reading
    remove: bool
    print: bool
    words: tuple[str, ...]


def read_startup_line(words: Sequence[str]) -> StartupLine | Request:
    """Return what the words behind ``startup`` mean.

    Variables count for nothing: those of this shell are not there when the machine starts.

    Raises:
        UsageError: An option is unknown, stands twice, has a wrong value, or would have the value
            of a variable written down.
    """
    reader = OptionReader(STARTUP_FLAGS, "devrun startup")
    request = reader.read(words)
    if request is not None:
        return request
    remove, prints = (reader.values.pop(flag.field, False) is True for flag in _OWN)
    if remove and prints:
        raise UsageError("--remove and --print contradict each other; leave one out")
    reading = reading_of(reader, {})
    if any("=" in text for text in reading.settings.env):
        message = "--env: its values would be written down"
        raise UsageError(f"{message}; put them into a .env file, which is read at each start")
    own = {name for flag in _OWN for name in flag.names}
    return StartupLine(reading, remove, prints, tuple(word for word in words if word not in own))
