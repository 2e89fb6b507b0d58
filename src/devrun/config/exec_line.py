"""The words of ``devrun exec``: options, then one command that is none of devrun's business."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from devrun.config.definitions import Definitions, Format, discovered, format_of, read_definitions
from devrun.config.definitions import Request as FileRequest
from devrun.config.environment import layers
from devrun.config.flags import Flag, Takes
from devrun.config.instances import PORT_STEP
from devrun.config.option_reader import OptionReader, Request
from devrun.config.rc_files import overmind_files, take_option_files
from devrun.config.resolve import environment_settings, root_folder, with_own_files
from devrun.config.settings import RunSettings, Value, with_values
from devrun.errors import UsageError
from devrun.model import EnvironmentSettings, Service, Shell

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
        line: The first word is a line for a shell.
        shell: What runs the line, or None for ``sh``.
        cwd: Folder to run in.
        env: Variables of its own.
        port: Its port, if that is said.
        offset: How far its port is from the first, for a process of a Procfile; else None.
    """

    words: tuple[str, ...]
    line: bool
    cwd: str
    environment: EnvironmentSettings
    env: tuple[tuple[str, str], ...] = ()
    port: int | None = None
    offset: int | None = None
    shell: Shell | None = None


def read_exec_line(
    words: Sequence[str], environ: Mapping[str, str], *, cwd: str
) -> OneCommand | Request:
    """Return what the words mean.

    A single word is the name of a process of the project's file, if there is one of that name, or a
    shell command line; several are a program and its arguments. ``.foreman`` and its like say where
    the files are, if no option does. A TOML file says which files of variables a project has, so it
    is read for every command; others only for a name.

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
    take_option_files(reader, EXEC_FLAGS, cwd)
    said: dict[str, Value] = dict(reader.values)
    files = said.pop("only_files", None)
    if isinstance(files, tuple):
        listed = tuple(path for text in files for path in text.split(",") if path)
        said |= {"env_files": listed, "no_env": True}
    below = overmind_files(cwd, environ.get("HOME", ""))
    settings = with_values(RunSettings(env_below=tuple(below)), said)
    folder = root_folder(settings, cwd)
    by_shell = len(command) == 1 and bool(_BY_SHELL.search(command[0]))
    is_name = len(command) == 1 and not by_shell
    defined = _defined(settings, folder, environ, for_name=is_name)
    toml = None if defined is None else defined.toml
    environment = environment_settings(settings, folder, toml)
    found = _service(command[0], defined) if is_name and defined is not None else None
    if found is None:
        return OneCommand(command, line=by_shell, cwd=folder, environment=environment)
    service, offset = found
    return OneCommand(
        service.argv or (service.command,),
        line=service.argv is None,
        cwd=service.cwd,
        environment=replace(environment, files=(*environment.files, *service.env_files)),
        env=service.env,
        port=service.port,
        offset=offset,
        shell=service.shell,
    )


def _defined(
    settings: RunSettings, folder: str, environ: Mapping[str, str], *, for_name: bool
) -> Definitions | None:
    """Return what the project's files define, as far as that matters.

    Args:
        for_name: A service may be meant.
    """
    files = settings.files
    if not files:
        found = discovered(folder)
        files = () if found is None else (found,)
    if not files or not (for_name or any(format_of(path) is Format.TOML for path in files)):
        return None

    def layered(env_files: tuple[str, ...] | None, override: bool | None) -> dict[str, str]:  # noqa: FBT001 - the reader's form
        # Texts of the file want its variables, whatever files the command is to have.
        usual = replace(settings, no_env=False)
        own = with_own_files(usual, folder, env_files, override=bool(override))
        return {name: variable.value for name, variable in layers(own, environ).items()}

    request = FileRequest(
        folder,
        environ,
        together=settings.root is not None,
        with_release=True,
        layered=layered,
    )
    return read_definitions(files, request)


def _service(name: str, defined: Definitions) -> tuple[Service, int | None] | None:
    """Return the service of a name and how far its port is from the first, if there is one."""
    for service in defined.services:
        if service.name == name:
            return service, PORT_STEP * service.index if defined.procfile else None
    return None
