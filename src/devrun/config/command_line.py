"""The words of ``devrun run`` and the variables that stand for them: text to settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from devrun.config.flags import FLAGS, concurrently_flag, variables
from devrun.config.option_reader import OptionReader, Request
from devrun.config.settings import RunSettings, with_values


@dataclass(frozen=True, slots=True)
class Reading:
    """What a command line says, and what the user should know about how it was read."""

    settings: RunSettings
    warnings: tuple[str, ...] = ()


def read_command_line(words: Sequence[str], environ: Mapping[str, str]) -> Reading | Request:
    """Return the settings that the words mean, and variables where no word says otherwise.

    Raises:
        UsageError: An option is unknown, stands twice, or has no value or a wrong one.
    """
    reader = OptionReader(FLAGS)
    request = reader.read(words)
    if request is not None:
        return request
    warnings = _read_variables(reader, environ)
    passed_on = bool(reader.values.get("passthrough_arguments"))
    commands = reader.words if passed_on else [*reader.words, *reader.behind]
    arguments = reader.behind if passed_on else []
    settings = RunSettings(commands=tuple(commands), arguments=tuple(arguments))
    return Reading(with_values(settings, reader.values), warnings)


def _read_variables(reader: OptionReader, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Take from the environment what was not said; devrun's own variables go first."""
    said = set(reader.values)
    for name, flag in variables().items():
        if flag.field not in said and environ.get(name):
            reader.take_variable(name, flag, environ[name])
            said.add(flag.field)
    theirs: list[str] = []
    for name in environ:
        if not name.startswith("CONCURRENTLY_") or not environ[name]:
            continue
        found = concurrently_flag(name)
        if found is not None and found.field not in said:
            reader.take_variable(name, found, environ[name])
            theirs.append(f"{name} is taken for {found.variable}")
    return ("; ".join(theirs),) if theirs else ()
