"""The words of ``devrun exec``: options, then one command that is none of devrun's business."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from devrun.config import procfile
from devrun.config.flags import Flag, Takes
from devrun.config.instances import PORT_STEP
from devrun.config.option_reader import OptionReader, Request
from devrun.config.rc_files import option_values, overmind_files
from devrun.config.resolve import environment_settings, root_folder
from devrun.config.selection import DISCOVERED
from devrun.config.settings import RunSettings, Value, with_values
from devrun.errors import UsageError
from devrun.model import EnvironmentSettings

EXEC_FLAGS = (
    Flag("files", ("--procfile", "-f", "--file"), Takes.LIST),
    Flag("root", ("--root", "-d", "--app-root")),
    Flag("only_files", ("--env", "-e"), Takes.LIST),
    Flag("env_files", ("--env-file",), Takes.LIST),
    Flag("env_override", ("--env-override",), Takes.NOTHING),
    Flag("no_env", ("--no-env",), Takes.NOTHING),
)
"""Options of ``devrun exec``; they stand before the command, for what follows is the command's."""

_BY_SHELL = re.compile(r"[\s;&|<>()$`*?\"'\\]")


@dataclass(frozen=True, slots=True)
class OneCommand:
    """What is to be executed.

    Attributes:
        words: The program and its arguments; or one shell command line, and the arguments for it.
        line: The first word is a line for ``sh -c``.
        cwd: Folder to run in.
        offset: How far its port is from the first, for a process of a file; else None.
    """

    words: tuple[str, ...]
    line: bool
    cwd: str
    environment: EnvironmentSettings
    offset: int | None = None


def read_exec_line(
    words: Sequence[str], environ: Mapping[str, str], *, cwd: str
) -> OneCommand | Request:
    """Return what the words mean.

    A single word is the name of a process of the Procfile, if there is one of that name, or a shell
    command line; several are a program and its arguments. ``.foreman`` and its like say where the
    files are, if no option does.

    Raises:
        UsageError: An option or a file is wrong, or there is no command.
    """
    reader = OptionReader(EXEC_FLAGS, "devrun exec")
    request = reader.read(words, up_to_first_word=True)
    if request is not None:
        return request
    command = (*reader.words, *reader.behind)
    if not command or not command[0]:
        raise UsageError("exec needs a command: devrun exec -- COMMAND, or the name of a process")
    _read_option_files(reader, cwd)
    said: dict[str, Value] = dict(reader.values)
    files = said.pop("only_files", None)
    if isinstance(files, tuple):
        listed = tuple(path for text in files for path in text.split(",") if path)
        said |= {"env_files": listed, "no_env": True}
    below = overmind_files(cwd, environ.get("HOME", ""))
    settings = with_values(RunSettings(env_below=tuple(below)), said)
    folder = root_folder(settings, cwd)
    environment = environment_settings(settings, folder)
    entry = _entry(command[0], settings.files, folder) if len(command) == 1 else None
    if entry is not None:
        path, line, place = entry
        beside = os.path.dirname(os.path.abspath(os.path.join(folder, path)))
        where = beside if settings.root is None else folder
        offset = PORT_STEP * place
        return OneCommand((line,), line=True, cwd=where, environment=environment, offset=offset)
    by_shell = len(command) == 1 and bool(_BY_SHELL.search(command[0]))
    return OneCommand(command, line=by_shell, cwd=folder, environment=environment)


def _read_option_files(reader: OptionReader, cwd: str) -> None:
    by_name = {name: flag for flag in EXEC_FLAGS for name in flag.names}
    said = set(reader.values)
    for file, option, text in option_values(cwd):
        flag = by_name.get(f"--{option}")
        if flag is None or flag.field in said:
            continue
        if flag.takes is Takes.LIST:
            reader.values[flag.field] = (text,)
        else:
            reader.take_variable(f"{file}: {option}", flag, text)


def _entry(name: str, files: Sequence[str], folder: str) -> tuple[str, str, int] | None:
    """Return file, command and place of a process, counted over all files, if it is one's name."""
    found = files or [f for f in DISCOVERED if os.path.isfile(os.path.join(folder, f))][:1]
    entries = [(path, entry) for path in found for entry in procfile.read(path, folder).entries]
    for place, (path, entry) in enumerate(entries):
        if entry.name == name:
            return path, entry.command, place
    return None
