"""The words of ``devrun exec``: options, then one command that is none of devrun's business."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from devrun.config.definitions import Request as FileRequest
from devrun.config.definitions import discovered, read_definitions
from devrun.config.flags import Flag, Takes
from devrun.config.instances import PORT_STEP
from devrun.config.option_reader import OptionReader, Request
from devrun.config.rc_files import overmind_files, take_option_files
from devrun.config.resolve import environment_settings, root_folder
from devrun.config.settings import RunSettings, Value, with_values
from devrun.errors import UsageError
from devrun.model import EnvironmentSettings, Service

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
    take_option_files(reader, EXEC_FLAGS, cwd)
    said: dict[str, Value] = dict(reader.values)
    files = said.pop("only_files", None)
    if isinstance(files, tuple):
        listed = tuple(path for text in files for path in text.split(",") if path)
        said |= {"env_files": listed, "no_env": True}
    below = overmind_files(cwd, environ.get("HOME", ""))
    settings = with_values(RunSettings(env_below=tuple(below)), said)
    folder = root_folder(settings, cwd)
    environment = environment_settings(settings, folder)
    by_shell = len(command) == 1 and bool(_BY_SHELL.search(command[0]))
    found = None
    if len(command) == 1 and not by_shell:
        found = _service(command[0], settings, folder, environ)
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
    )


def _service(
    name: str, settings: RunSettings, folder: str, environ: Mapping[str, str]
) -> tuple[Service, int | None] | None:
    """Return the service of a name and how far its port is from the first, if there is one."""
    files = settings.files
    if not files:
        found = discovered(folder)
        files = () if found is None else (found,)
    if not files:
        return None
    request = FileRequest(folder, environ, together=settings.root is not None, with_release=True)
    defined = read_definitions(files, request)
    for service in defined.services:
        if service.name == name:
            return service, PORT_STEP * service.index if defined.procfile else None
    return None
