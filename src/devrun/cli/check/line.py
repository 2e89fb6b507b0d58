"""The words of ``devrun check``: those of a run, and what is to be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from devrun.config.command_line import Reading, read_command_line
from devrun.config.flags import FLAGS, Flag, Takes
from devrun.config.nearest import choices
from devrun.config.option_reader import OptionReader, Request
from devrun.config.settings import RunSettings, Value, with_values
from devrun.errors import UsageError

STYLES = ("text", "toml", "json", "procfile", "env")

_OWN = (
    Flag("style", ("--format",)),
    Flag("origins", ("--origins",), Takes.NOTHING),
    Flag("show_values", ("--show-values",), Takes.NOTHING),
    Flag("schema", ("--schema",), Takes.NOTHING),
)
_LEFT_OUT = frozenset(("dry_run",))

CHECK_FLAGS = (*_OWN, *(flag for flag in FLAGS if flag.field not in _LEFT_OUT))
"""Options of ``devrun check``: its own, and those of a run, so that a run's line can be checked."""


@dataclass(frozen=True, slots=True)
class CheckLine:
    """What is to be checked and shown.

    Attributes:
        reading: What a run would make of the words.
        in_variables: The settings that variables of the environment are for, without the words.
        names: Values of ``--env`` that set no variable: a service's name, or PM2's ``--env NAME``.
        style: One of ``STYLES``.
        origins: Show where each value is from.
        show_values: Show the values of variables, which may be secrets.
        schema: Show the JSON Schema of devrun.toml, and nothing else.
    """

    reading: Reading
    in_variables: RunSettings
    names: tuple[str, ...]
    style: str = "text"
    origins: bool = False
    show_values: bool = False
    schema: bool = False

    @property
    def settings(self) -> RunSettings:
        """The settings of the run."""
        return self.reading.settings


def read_check_line(words: Sequence[str], environ: Mapping[str, str]) -> CheckLine | Request:
    """Return what the words behind ``check`` mean; variables stand in for options as in a run.

    Raises:
        UsageError: An option is unknown, stands twice, has no value or a wrong one, or contradicts
            another.
    """
    reader = OptionReader(CHECK_FLAGS, "devrun check")
    request = reader.read(words)
    if request is not None:
        return request
    said = dict(reader.values)
    own = {flag.field: said.pop(flag.field) for flag in _OWN if flag.field in said}
    in_variables = read_command_line([], environ)
    if isinstance(in_variables, Request):
        raise TypeError(in_variables)  # No words ask for nothing.
    settings = with_values(in_variables.settings, {**said, **_words(reader, said)})
    reading = replace(in_variables, settings=_for_a_check(settings))
    style = own.get("style")
    line = CheckLine(
        reading,
        _for_a_check(in_variables.settings),
        tuple(text for text in settings.env if "=" not in text),
        style=style if isinstance(style, str) else "text",
        origins=bool(own.get("origins")),
        show_values=bool(own.get("show_values")),
        schema=bool(own.get("schema")),
    )
    _check(line)
    return line


def _words(reader: OptionReader, said: Mapping[str, Value]) -> dict[str, Value]:
    if said.get("passthrough_arguments"):
        return {"commands": tuple(reader.words), "arguments": tuple(reader.behind)}
    return {"commands": (*reader.words, *reader.behind)}


def _for_a_check(settings: RunSettings) -> RunSettings:
    """Return the settings of a run with all of a file's processes, and variables that are set."""
    env = tuple(text for text in settings.env if "=" in text)
    return replace(settings, env=env, with_release=True)


def _check(line: CheckLine) -> None:
    if line.style not in STYLES:
        raise UsageError(f"--format {line.style}: no such format{choices(line.style, STYLES)}")
    if line.style == "env" and not (line.names and line.show_values):
        raise UsageError("--format env needs --env NAME and --show-values: it shows all values")
