"""What options mean, for shells that show it beside them."""

from __future__ import annotations

from collections.abc import Mapping

from devrun.cli import options as o
from devrun.cli.completion.before import Before
from devrun.cli.control_help import MEANINGS as CONTROL_MEANINGS
from devrun.cli.subcommands import CONTROL_COMMANDS

_OF_COMMANDS: Mapping[str, Mapping[str, o.Meaning]] = {
    "start": o.START_MEANINGS,
    "exec": o.EXEC_MEANINGS,
    "run-one": o.EXEC_MEANINGS,
    "up": o.UP_MEANINGS,
    "startup": o.STARTUP_MEANINGS,
    "check": o.CHECK_MEANINGS,
    "export": o.EXPORT_MEANINGS,
    **dict.fromkeys(CONTROL_COMMANDS, CONTROL_MEANINGS),
}


def texts_of(before: Before) -> dict[str, str]:
    """Return what each option of a command means, by all its spellings."""
    meanings = _OF_COMMANDS.get(before.command, o.MEANINGS)
    return {
        name: meanings[flag.field].text
        for flag in before.flags
        if flag.field in meanings
        for name in flag.names
    }
