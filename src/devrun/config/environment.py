"""Variables for services: the shared root ``.env``, further files, devrun's own environment.

From lowest to highest: the shared root ``.env``; files of ``--env-file`` in their order; files of
the service; the environment that devrun was started with; the service's own variables; what devrun
assigns. Files win over the environment with ``--env-override``. They are read anew at every call,
so that an edit and a restart suffice.

python-dotenv is the reader, and its rules are the dialect's: ``${NAME}`` and ``${NAME:-default}``
are replaced, in single quotes too; a bare ``$NAME`` is not; ``export`` is allowed; ``#`` begins a
comment after a blank. It looks values up in what is known where the line stands: devrun's own
environment, earlier files and earlier lines, in the order of precedence above.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from devrun.appearance import ColorLevel
from devrun.config.flags import is_option_variable
from devrun.errors import UsageError
from devrun.model import EnvironmentSettings, Project, Service

INHERITED = "environment"
"""Origin of variables that devrun was started with."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable and where its value comes from: a file and line, or what gave it."""

    name: str
    value: str
    origin: str


def layers(settings: EnvironmentSettings, environ: Mapping[str, str]) -> dict[str, Variable]:
    """Return the files' and the environment's variables, with the origin of each.

    Raises:
        UsageError: A file cannot be read, or has a line that cannot be understood; nothing of
            that file is used then.
    """
    inherited = {
        name: Variable(name, value, INHERITED)
        for name, value in environ.items()
        if not is_option_variable(name)
    }
    from_files: dict[str, Variable] = {}
    for path in env_files(settings):
        from_files |= _read(path, inherited, from_files, override=settings.override)
    if settings.override:
        return inherited | from_files
    return from_files | inherited


def env_files(settings: EnvironmentSettings) -> list[str]:
    """Return the paths of all files, lowest first."""
    root = [settings.root_file] if settings.root_file is not None else []
    return [*root, *settings.files]


def _read(
    path: str,
    inherited: Mapping[str, Variable],
    before: Mapping[str, Variable],
    *,
    override: bool,
) -> dict[str, Variable]:
    text = env_file_text(path).removeprefix("\ufeff")
    known = {**before, **inherited} if not override else {**inherited, **before}
    values = {name: variable.value for name, variable in known.items()}
    found: dict[str, Variable] = {}
    for name, raw, line in bindings(text, path):
        value = interpolated(raw, values)
        found[name] = Variable(name, value, f"{shown(path)}:{line}")
        if override or name not in inherited:
            values[name] = value
    return found


def env_file_text(path: str) -> str:
    """Return what is in a file, its byte order mark and line ends as they are.

    Raises:
        UsageError: It cannot be read, or is not UTF-8.
    """
    try:
        with open(path, "rb") as file:
            return file.read().decode()
    except FileNotFoundError:
        if os.path.islink(path):
            message = f"{shown(path)}: a link to {os.readlink(path)}, which does not exist"
            raise UsageError(message) from None
        raise UsageError(f"{shown(path)}: no such file") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UsageError(f"{shown(path)}:{line}: not UTF-8") from None
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise UsageError(f"{shown(path)}: cannot be read: {reason}") from None


def bindings(text: str, path: str) -> list[tuple[str, str, int]]:
    """Return name, value before replacement of ``${…}``, and line of each assignment.

    Args:
        text: The file's text, without byte order mark.
        path: Where it is from, for messages.

    Raises:
        UsageError: A line cannot be understood.
    """
    import io

    from dotenv.parser import parse_stream

    found: list[tuple[str, str, int]] = []
    broken: list[int] = []
    # newline=None: CR LF and CR become LF, as in a file that python-dotenv itself has opened.
    for binding in parse_stream(io.StringIO(text, newline=None)):
        line = _first_line(binding.original.string, binding.original.line)
        if binding.error or (binding.key is not None and binding.value is None):
            broken.append(line)
        elif binding.key is not None and binding.value is not None:
            _check(binding.key, binding.value, path, line)
            found.append((binding.key, binding.value, line))
    if broken:
        lines = ", ".join(map(str, broken[1:]))
        more = f" (and {'lines' if len(broken) > 2 else 'line'} {lines})" if lines else ""
        message = f"{shown(path)}:{broken[0]}: cannot be read as NAME=value{more}"
        raise UsageError(f"{message}; nothing of the file is used")
    return found


def _first_line(original: str, line: int) -> int:
    """The parser counts from the blank lines before a binding."""
    blank = original[: len(original) - len(original.lstrip())]
    return line + blank.count("\n")


def _check(name: str, value: str, path: str, line: int) -> None:
    if "\0" in name + value or "=" in name:
        raise UsageError(f"{shown(path)}:{line}: a variable cannot hold that character")


def interpolated(raw: str, values: Mapping[str, str]) -> str:
    """Return a value with ``${NAME}`` and ``${NAME:-default}`` replaced."""
    if "${" not in raw:
        return raw
    from dotenv.variables import parse_variables

    return "".join(atom.resolve(values) for atom in parse_variables(raw))


def shown(path: str) -> str:
    """Return a path for messages: relative to the current folder if it is inside."""
    try:
        relative = os.path.relpath(path)
    except (OSError, ValueError):  # the current folder is gone, or is on another drive
        return path
    return path if relative.startswith("..") else relative


def service_variables(
    project: Project, service: Service, environ: Mapping[str, str]
) -> dict[str, Variable]:
    """Return all variables of a service, with the origin of each.

    Raises:
        UsageError: As ``layers``.
    """
    settings = project.environment
    if service.env_files:
        settings = replace(settings, files=(*settings.files, *service.env_files))
    variables = layers(settings, environ)
    for name, value in service.env:
        variables[name] = Variable(name, value, "service")
    for name, value in _assigned(project, service, variables):
        variables[name] = Variable(name, value, "devrun")
    return variables


def _assigned(
    project: Project, service: Service, variables: Mapping[str, Variable]
) -> Iterator[tuple[str, str]]:
    if service.port is not None:
        yield "PORT", str(service.port)
    if service.process is not None and project.procfile:
        yield from _peers_variables(project, service)
    if "PYTHONUNBUFFERED" not in variables:
        yield "PYTHONUNBUFFERED", "1"
    level = project.output.color
    colors_said = any(name in variables for name in ("FORCE_COLOR", "NO_COLOR"))
    if level is not ColorLevel.NONE and not colors_said:
        yield "FORCE_COLOR", str(int(level))


def _peers_variables(project: Project, service: Service) -> Iterator[tuple[str, str]]:
    """Yield what foreman, honcho and overmind tell the processes of a file about themselves."""
    name = f"{service.process}.{service.number}"
    for variable in ("PS", "HONCHO_PROCESS_NAME", "FOREMAN_WORKER_NAME"):
        yield variable, name
    for other in project.services:
        if other.port is not None and other.name and other.index != service.index:
            key = "".join(letter if letter.isalnum() else "_" for letter in other.name)
            yield f"OVERMIND_PROCESS_{key}_PORT", str(other.port)


def service_environment(
    project: Project, service: Service, environ: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment that a service is started with.

    Raises:
        UsageError: As ``layers``.
    """
    variables = service_variables(project, service, environ)
    return {name: variable.value for name, variable in variables.items()}


def describe(
    project: Project, service: Service, environ: Mapping[str, str]
) -> tuple[Variable, ...]:
    """Return a service's variables by name, for ``devrun check --env``.

    Raises:
        UsageError: As ``layers``.
    """
    variables = service_variables(project, service, environ)
    return tuple(variables[name] for name in sorted(variables))
