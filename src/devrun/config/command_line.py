"""The words of ``devrun run`` and the variables that stand for them: text to settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from devrun.config.flags import FLAGS, concurrently_flag, variables
from devrun.config.option_reader import OptionReader, Request
from devrun.config.settings import RunSettings, with_values


@dataclass(frozen=True, slots=True)
class Reading:
    """What a command line says.

    Attributes:
        warnings: What the user should know about how it was read.
        places: For options that were said in other words, or elsewhere: these, by the option's
            name in messages.
    """

    settings: RunSettings
    warnings: tuple[str, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)

    def in_their_words(self, message: str) -> str:
        """Return a message with the option that it begins with as it was said."""
        name, _, _ = message.partition(" ")
        name = name.rstrip(":")
        return self.places.get(name, name) + message[len(name) :]


def said_places(reader: OptionReader, meaning: Mapping[str, str]) -> dict[str, str]:
    """Return the places for a ``Reading``.

    Args:
        meaning: Fields that are translated to others.
    """
    flags = {flag.field: flag for flag in FLAGS}
    found: dict[str, str] = {}
    for said, place in reader.places.items():
        flag = flags.get(meaning.get(said, said))
        if flag is not None and place not in flag.names:
            found[flag.name] = place
    return found


def read_command_line(words: Sequence[str], environ: Mapping[str, str]) -> Reading | Request:
    """Return the settings that the words mean, and variables where no word says otherwise.

    Raises:
        UsageError: An option is unknown, stands twice, or has no value or a wrong one.
    """
    reader = OptionReader(FLAGS)
    request = reader.read(words)
    return reading_of(reader, environ) if request is None else request


def reading_of(reader: OptionReader, environ: Mapping[str, str]) -> Reading:
    """Return the settings that words mean which have been read.

    Raises:
        UsageError: A variable has a wrong value.
    """
    warnings = _read_variables(reader, environ)
    passed_on = bool(reader.values.get("passthrough_arguments"))
    commands = reader.words if passed_on else [*reader.words, *reader.behind]
    arguments = reader.behind if passed_on else []
    settings = RunSettings(commands=tuple(commands), arguments=tuple(arguments))
    places = said_places(reader, {})
    return Reading(with_values(settings, reader.values), warnings, places)


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
