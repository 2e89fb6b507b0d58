"""The words of ``devrun start``: foreman's, honcho's, overmind's and hivemind's letters.

They disagree about some: ``-c`` is honcho's concurrency here, neither foreman's colour nor
overmind's can-die; ``-t`` is seconds, as with all of them. What a letter does is done by the same
settings that ``devrun run`` has.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from devrun.config.command_line import Reading, said_places
from devrun.config.definitions import IN_PRODUCTION, discovered
from devrun.config.environment import layers
from devrun.config.flags import FLAGS, Flag, Takes
from devrun.config.option_reader import OptionReader, Request
from devrun.config.rc_files import option_values, overlay, overmind_files
from devrun.config.root_file import find_root_file
from devrun.config.settings import RunSettings, Value, with_values
from devrun.errors import UsageError
from devrun.model import EnvironmentSettings

_ONLY_HERE = (
    Flag("only_files", ("--env", "-e"), Takes.LIST),
    Flag("processes", ("--processes", "-l")),
    Flag("seconds", ("--timeout", "-t")),
    Flag("silent", ("--quiet", "-q")),
    Flag("no_prefix", ("--no-prefix",), Takes.NOTHING),
    Flag("any_can_die", ("--any-can-die",), Takes.NOTHING),
    Flag("palette", ("--colors", "-b")),
    Flag("title", ("--title", "-w")),
)
_SPELLED = {
    "files": "--procfile -f --file",
    "root": "--root -d --app-root",
    "formation": "--formation -m --concurrency -c --scale",
    "port": "--port -p",
    "port_step": "--port-step -P",
    "formation_port_step": "--formation-port-step",
    "no_port": "--no-port -N",
    "excepted": "--ignored-processes -x --except",
    "can_die": "--can-die",
    "auto_restart": "--auto-restart -r",
    "stop_signals": "--stop-signals -i",
    "timestamps": "--timestamp -T --timestamps --show-timestamps --print-timestamps",
    "color": "--color --colour",
    "shell": "--shell -H",
}
_REPLACED = frozenset(("env", "quiet", "names", "name_separator", "passthrough_arguments"))
"""Fields of ``devrun run`` that are spelled otherwise here, or are for commands alone."""


def _flags() -> tuple[Flag, ...]:
    table: list[Flag] = list(_ONLY_HERE)
    for flag in FLAGS:
        if flag.field in _REPLACED:
            continue
        spelled = _SPELLED.get(flag.field)
        own = spelled.split() if spelled else [n for n in flag.names if n.startswith("--")]
        table.append(replace(flag, names=tuple(own)))
    return tuple(table)


START_FLAGS = _flags()

_OVERRULED_BY = {
    "seconds": {"stop_timeout", "kill_timeout"},
    "stop_timeout": {"seconds", "kill_timeout"},
    "kill_timeout": {"seconds", "stop_timeout"},
    "no_prefix": {"prefix"},
    "prefix": {"no_prefix"},
    "palette": {"prefix_colors"},
    "prefix_colors": {"palette"},
    "any_can_die": {"kill_others", "kill_others_on_fail"},
    "kill_others": {"any_can_die"},
    "no_port": {"port"},
    "port": {"no_port"},
    "port_step": {"no_port"},
}
"""Fields that mean the same, or the opposite: what is said nearer to the user leaves them out."""

_MEANING = {"seconds": "stop_timeout", "silent": "hide", "palette": "prefix_colors"}
"""Fields that are translated, and those of a run that they become."""

_PREFIXES = ("DEVRUN_", "OVERMIND_", "HIVEMIND_", "FOREMAN_")
_COUNT = re.compile(r"[^=\s]+=\d+(,[^=\s]+=\d+)*", re.ASCII)
_NUMBER = re.compile(r"\d+(\.\d+)?", re.ASCII)


def read_start_line(
    words: Sequence[str], environ: Mapping[str, str], *, cwd: str
) -> Reading | Request:
    """Return the settings that the words of ``devrun start`` mean.

    Variables stand in where no word says otherwise: ``DEVRUN_``, ``OVERMIND_``, ``HIVEMIND_`` and
    ``FOREMAN_`` with the long name of an option behind, in this order; and honcho's ``PROCFILE``.
    Behind these come the same in ``.env`` files, and what ``.foreman`` says.

    Raises:
        UsageError: An option is unknown, stands twice, or has no value or a wrong one.
    """
    reader = OptionReader(START_FLAGS, "devrun start")
    request = reader.read(words)
    if request is not None:
        return request
    named = _take_counts(reader)
    _read_variables(reader, environ, named)
    below = overmind_files(cwd, environ.get("HOME", ""))
    skipped = "OVERMIND_SKIP_ENV" in {**_values(below), **environ}
    folder = os.path.join(cwd, os.path.expanduser(str(reader.values.get("root", ""))))
    in_files = _variables_of_files(reader, below, folder, skipped=skipped)
    _read_variables(reader, in_files, named)
    warnings = _read_option_files(reader, cwd, named)
    if "files" not in reader.values:
        usual = IN_PRODUCTION if reader.values.get("prod") else ()
        said_file = environ.get("PROCFILE") or in_files.get("PROCFILE")
        reader.values["files"] = (said_file or discovered(folder, usual) or "Procfile",)
    said = dict(reader.values)
    settings, more = _translated(said, named)
    settings = replace(settings, env_below=tuple(below), no_env=settings.no_env or skipped)
    settings = with_values(settings, said)
    found = said_places(reader, _MEANING)
    overlaid, others = _overlaid(settings, cwd)
    for name, field in (("--formation", "formation"), ("--stop-signals", "stop_signals")):
        if getattr(overlaid, field) != getattr(settings, field):
            found[name] = f"{overlaid.files[-1]}.options"
    return Reading(overlaid, (*warnings, *more, *others), found)


def _variables_of_files(
    reader: OptionReader, below: Sequence[str], folder: str, *, skipped: bool
) -> Mapping[str, str]:
    """Return the variables of the run's ``.env`` files, where there are any."""
    listed = reader.values.get("only_files")
    if isinstance(listed, tuple):
        files = [path for text in listed for path in _listed(text)]
    else:
        root = None if skipped or reader.values.get("no_env") else find_root_file(folder)
        files = [root] if root else []
    paths = [*below, *(os.path.join(folder, os.path.expanduser(path)) for path in files)]
    return _values([path for path in paths if os.path.isfile(path)])  # Others are said later.


def _values(paths: Sequence[str]) -> dict[str, str]:
    found = layers(EnvironmentSettings(None, tuple(paths)), {}) if paths else {}
    return {name: variable.value for name, variable in found.items()}


def _take_counts(reader: OptionReader) -> tuple[str, ...]:
    """Take words such as ``web=2`` as a formation, and return the processes that words name.

    Raises:
        UsageError: There is an option for the same, too.
    """
    words = [*reader.words, *reader.behind]
    counts = [word for word in words if _COUNT.fullmatch(word)]
    if counts:
        if "formation" in reader.values:
            raise UsageError(f'"{counts[0]}" and --formation mean the same; leave one out')
        reader.values["formation"] = ",".join(counts)
    named: list[str] = []
    for word in words:
        pairs = word.split(",") if word in counts else ()
        named += [pair.partition("=")[0] for pair in pairs] or [word]
    return tuple(dict.fromkeys(named))


def _read_option_files(reader: OptionReader, cwd: str, named: Sequence[str]) -> tuple[str, ...]:
    """Take what ``.foreman`` says and nobody else has; return what is to be told."""
    by_name = {name: flag for flag in START_FLAGS for name in flag.names}
    said = set(reader.values)
    warnings: list[str] = []
    for file, option, text in option_values(cwd):
        flag = by_name.get(f"--{option}")
        if flag is None:
            warnings.append(f'{file}: there is no option "{option}"')
        elif not _is_overruled(flag.field, said, named):
            _take(reader, f"{file}: {option}", flag, text, named)
    return tuple(warnings)


def _is_overruled(field: str, said: AbstractSet[str], named: Sequence[str]) -> bool:
    if field == "processes" and named:
        return True
    return field in said or not said.isdisjoint(_OVERRULED_BY.get(field, ()))


def _take(reader: OptionReader, place: str, flag: Flag, text: str, named: Sequence[str]) -> None:
    """Take what a variable or a file says, below the words of the command line."""
    if flag.takes is Takes.LIST and not place.startswith("DEVRUN_"):
        reader.places[flag.field] = place
        reader.values[flag.field] = (text,)  # One path with the peers, blanks and all.
    elif flag.field == "formation" and named:
        # A process that is named runs, whatever the file says.
        pairs = [pair.strip() for pair in text.split(",")]
        none = {f"{name}=0" for name in named}
        reader.take_variable(place, flag, ",".join(pair for pair in pairs if pair not in none))
    else:
        reader.take_variable(place, flag, text)


def _overlaid(settings: RunSettings, cwd: str) -> tuple[RunSettings, tuple[str, ...]]:
    """Add what stands in ``Procfile.options``; words and variables win."""
    folder = os.path.join(cwd, os.path.expanduser(settings.root or ""))
    warnings: list[str] = []
    for path in settings.files:
        found = overlay(os.path.join(folder, path))
        settings = replace(
            settings,
            formation=settings.formation or found.formation or None,
            stop_signals=settings.stop_signals or found.stop_signals or None,
            env=(*found.env, *settings.env),
        )
        warnings += found.warnings
    return settings, tuple(warnings)


def _read_variables(reader: OptionReader, environ: Mapping[str, str], named: Sequence[str]) -> None:
    said = set(reader.values)
    for prefix in _PREFIXES:
        for flag in START_FLAGS:
            names = [n for n in flag.names if n.startswith("--")]
            for name in (prefix + n[2:].replace("-", "_").upper() for n in names):
                if environ.get(name) and not _is_overruled(flag.field, said, named):
                    _take(reader, name, flag, environ[name], named)
                    said.add(flag.field)


def _translated(
    said: dict[str, Value], named: Sequence[str]
) -> tuple[RunSettings, tuple[str, ...]]:
    """Return the settings that only this command has words for, taking them out of ``said``."""
    chosen = [*_listed(said.pop("processes", "")), *named]
    settings = RunSettings(commands=tuple(dict.fromkeys(chosen)))
    files = said.pop("only_files", None)
    if isinstance(files, tuple):
        listed = tuple(path for text in files for path in _listed(text))
        settings = replace(settings, env_files=listed, no_env=True)
    if "seconds" in said:
        seconds = str(said.pop("seconds"))
        said["stop_timeout"] = f"{seconds}s" if _NUMBER.fullmatch(seconds) else seconds
    if "silent" in said:
        said["hide"] = ",".join((*_listed(said.pop("silent")), *_listed(said.get("hide", ""))))
    if said.pop("no_prefix", False):
        said["prefix"] = "none"
    if said.pop("any_can_die", False):
        said["kill_others"] = False
    if "palette" in said:
        said["prefix_colors"] = _palette(str(said.pop("palette")))
    warnings = ("--title: devrun does not set the title of the terminal",) * ("title" in said)
    said.pop("title", None)
    return settings, warnings


def _listed(text: Value) -> list[str]:
    return [word.strip() for word in str(text).split(",") if word.strip()]


def _palette(text: str) -> str:
    """Return overmind's colours, numbers of the 256, as prefix colours."""
    for word in text.split(","):
        if not _NUMBER.fullmatch(word.strip()):
            raise UsageError(f'--colors "{text}": write numbers from 0 to 255, as in 2,3,4')
    return ",".join(f"ansi256({word.strip()})" for word in text.split(","))
