"""Files in which people keep the options of a Procfile runner.

``.foreman`` (and ``.honcho``, in the same form) has long options as YAML, ``.goreman`` names of
its own; ``.overmind.env``, in the home folder and in the project, has ``OVERMIND_*`` variables
and others for the processes; ``Procfile.options`` and ``Procfile.local`` are procodile's, with
what holds for each process.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from devrun.config.flags import Flag, Takes
from devrun.config.option_reader import OptionReader
from devrun.errors import UsageError

_OF_GOREMAN = {"procfile": "procfile", "basedir": "root", "baseport": "port"}
"""What goreman calls options of ours; its ``port`` is that of its remote control."""
OPTION_FILES: Mapping[str, Mapping[str, str] | None] = {
    ".foreman": None,
    ".honcho": None,
    ".goreman": _OF_GOREMAN,
}
"""Files with options, and which of their names mean what; None: all are our long options."""
OVERMIND = ".overmind.env"
OVERLAYS = (".options", ".local")
"""What stands behind the name of a Procfile; the second is for one machine and wins."""

_OF_EXPORTS = frozenset(("app", "log", "run", "user", "template"))
"""Keys of ``.foreman`` that are for ``foreman export``."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """What an overlay says of a Procfile's processes, as options would have it.

    Attributes:
        formation: ``web=2,worker=1``, or nothing.
        stop_signals: ``web=TERM``, or nothing.
        env: ``KEY=VALUE`` and ``web:KEY=VALUE``.
        warnings: What of it has no meaning here.
    """

    formation: str = ""
    stop_signals: str = ""
    env: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def overmind_files(folder: str, home: str) -> list[str]:
    """Return the ``.overmind.env`` files that there are, the project's last."""
    paths = [os.path.join(place, OVERMIND) for place in (home, folder) if place]
    return [path for path in dict.fromkeys(paths) if os.path.isfile(path)]


def option_values(folder: str, *, of_exports: bool = False) -> Iterator[tuple[str, str, str]]:
    """Yield file, long option without its dashes, and value as text, of files with options.

    Args:
        of_exports: Those too that are for an export alone.

    Raises:
        UsageError: A file is no YAML, or not one of names and plain values.
    """
    for name, renamed in OPTION_FILES.items():
        path = os.path.join(folder, name)
        if not os.path.isfile(path):
            continue
        for key, value in _mapping(path, name).items():
            option = key if renamed is None else renamed.get(key)
            if isinstance(value, Mapping) or option is None:
                continue  # foreman passes over what is nested.
            if option in _OF_EXPORTS and not of_exports:
                continue
            if not isinstance(value, str | int | float | bool):
                raise UsageError(f'{name}: "{key}" has to be one plain value')
            text = str(value).lower() if isinstance(value, bool) else str(value)
            yield name, option.replace("_", "-"), text


def take_option_files(
    reader: OptionReader, flags: Sequence[Flag], folder: str, *, of_exports: bool = False
) -> None:
    """Take what files say of options that the command line says nothing of.

    Args:
        flags: The command's options; what the files say of others is for other commands.
        of_exports: Options for an export count, too.
    """
    by_name = {name: flag for flag in flags for name in flag.names}
    said = set(reader.values)
    for file, option, text in option_values(folder, of_exports=of_exports):
        flag = by_name.get(f"--{option}")
        if flag is None or flag.field in said:
            continue
        if flag.takes is Takes.LIST:
            reader.values[flag.field] = (text,)  # One path, blanks and all.
        else:
            reader.take_variable(f"{file}: {option}", flag, text)


def overlay(procfile: str) -> Overlay:
    """Return what ``Procfile.options`` and ``Procfile.local`` say beside a Procfile.

    Raises:
        UsageError: One is no YAML, or has another shape.
    """
    quantities: dict[str, str] = {}
    signals: dict[str, str] = {}
    env: list[str] = []
    warnings: list[str] = []
    for suffix in OVERLAYS:
        path, name = procfile + suffix, os.path.basename(procfile) + suffix
        if not os.path.isfile(path):
            continue
        content = _mapping(path, name)
        env += _assignments(content.pop("env", None), f"{name}: env", "")
        processes = _expect_mapping(content.pop("processes", None), f"{name}: processes")
        warnings += [f"{name}: {key} has no meaning here" for key in content]
        for process, value in processes.items():
            options = dict(_expect_mapping(value, f"{name}: {process}"))
            env += _assignments(options.pop("env", None), f"{name}: {process}.env", f"{process}:")
            if (quantity := options.pop("quantity", None)) is not None:
                quantities[process] = str(quantity)
            if (number := options.pop("term_signal", None)) is not None:
                signals[process] = str(number)
            warnings += [f"{name}: {process}.{key} has no meaning here" for key in options]
    return Overlay(_pairs(quantities), _pairs(signals), tuple(env), tuple(warnings))


def _pairs(values: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in values.items())


def _assignments(value: object, place: str, target: str) -> list[str]:
    return [
        f"{target}{name}={_plain(text, place)}"
        for name, text in _expect_mapping(value, place).items()
    ]


def _plain(value: object, place: str) -> str:
    if not isinstance(value, str | int | float | bool):
        raise UsageError(f"{place}: values have to be plain")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _expect_mapping(value: object, place: str) -> Mapping[str, object]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise UsageError(f"{place}: has to be names with values")
    return {str(name): content for name, content in value.items()}


def _mapping(path: str, name: str) -> dict[str, object]:
    import yaml

    try:
        with open(path, "rb") as file:
            return dict(_expect_mapping(yaml.safe_load(file), name))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{name}:{mark.line + 1}" if mark is not None else name
        reason = getattr(error, "problem", None) or "a character that YAML has not"
        raise UsageError(f"{place}: is no YAML: {reason}") from None
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {(error.strerror or '').lower()}") from None
