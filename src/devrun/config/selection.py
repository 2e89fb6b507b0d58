"""What to run: files and commands of the command line, and which of a file's processes."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from devrun.config import procfile
from devrun.config.settings import RunSettings
from devrun.config.words import check_unique, parse_words
from devrun.errors import UsageError
from devrun.model import Service

DISCOVERED = ("Procfile.dev", "Procfile")
"""What is run if nothing is said: the first of them that exists."""

RELEASE = "release"
"""The process that Heroku runs once before a release; it is no service."""


class NothingToRun(UsageError):  # noqa: N818 - an outcome that the command line answers with help
    """Neither commands nor a file were named, and the folder has no Procfile."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for, in the order in which it was written.

    Attributes:
        entries: All processes of the files, those too that are not to run.
        commands: Commands of the command line.
        wanted: Names of the processes to run.
        source: Where all this came from, for messages.
        warnings: What the user should know about the files.
    """

    entries: tuple[Service, ...]
    commands: tuple[Service, ...]
    wanted: frozenset[str]
    source: str
    warnings: tuple[str, ...] = ()

    @property
    def from_file(self) -> bool:
        """Whether there is a file, whose conventions then hold."""
        return bool(self.entries)

    def chosen(
        self, entries: Sequence[Service], commands: Sequence[Service]
    ) -> tuple[Service, ...]:
        """Return the services to run, numbered anew, of these entries and commands."""
        kept = [entry for entry in entries if entry.name in self.wanted]
        both = [*kept, *commands]
        return tuple(replace(service, index=index) for index, service in enumerate(both))


def select(settings: RunSettings, cwd: str) -> Selection:
    """Read what the settings name.

    Raises:
        NothingToRun: They name nothing, and there is no Procfile in the folder.
        UsageError: A file or a word is wrong.
    """
    files = files_of(settings, cwd)
    if not files:
        commands = _commands(settings.commands, settings, cwd)
        return Selection((), commands, frozenset(), "the command line")
    if settings.names:
        raise UsageError("--names is for commands; the processes of a file have their names")
    entries, places, warnings = _entries(files, cwd, together=settings.root is not None)
    names = [entry.name for entry in entries if entry.name]
    chosen = [word for word in settings.commands if not is_command(word)]
    _check_names(chosen, names, files)
    commands = _commands([w for w in settings.commands if is_command(w)], settings, cwd)
    for command in commands:
        if command.name in places:
            file = places[command.name].rpartition(":")[0]
            message = f'the name "{command.name}" stands in {file} and as a command'
            raise UsageError(f"{message}; see {places[command.name]}")
    wanted, more = _wanted(chosen, names, with_release=settings.with_release)
    wanted -= _excepted(settings.excepted, names, files)
    if not wanted and not commands:
        raise UsageError(f'--except "{settings.excepted}": nothing is left to run')
    source = ", ".join(files)
    return Selection(entries, commands, wanted, source, (*warnings, *more))


def files_of(settings: RunSettings, cwd: str) -> tuple[str, ...]:
    """Return the files that the settings mean; none if all comes from the command line.

    Raises:
        NothingToRun: There is no command, and no Procfile in the folder.
    """
    return settings.files or (() if settings.commands else _discovered(cwd))


def _discovered(cwd: str) -> tuple[str, ...]:
    for name in DISCOVERED:
        if os.path.isfile(os.path.join(cwd, name)):
            return (name,)
    message = f"nothing to run: no command, no -f, and no {' or '.join(DISCOVERED)} in this folder"
    raise NothingToRun(message)


def _commands(words: Sequence[str], settings: RunSettings, cwd: str) -> tuple[Service, ...]:
    separator = settings.name_separator or ","
    parsed = parse_words(words, settings.names or None, separator=separator)
    if any(":" in word.command or "*" in word.command for word in parsed):
        from devrun.config.scripts import expand

        parsed = expand(parsed, cwd=cwd, allow_empty=settings.allow_empty)
        check_unique(parsed)
    return tuple(Service(place, w.name, w.command, cwd) for place, w in enumerate(parsed))


def _entries(
    files: Sequence[str], cwd: str, *, together: bool
) -> tuple[tuple[Service, ...], dict[str | None, str], list[str]]:
    """Read the files: their processes, the place of each name, and warnings.

    A process runs in the folder of its file, as with most of the peers; or, with ``together``, as
    ``--root`` has it, all run in ``cwd``.
    """
    services: list[Service] = []
    places: dict[str | None, str] = {}
    warnings: list[str] = []
    for path in files:
        found = procfile.read(path, cwd)
        folder = cwd if together else os.path.dirname(os.path.abspath(os.path.join(cwd, path)))
        warnings += found.warnings
        for entry in found.entries:
            place = f"{path}:{entry.line}"
            if entry.name in places:
                message = f'{place}: a second process named "{entry.name}"'
                raise UsageError(f"{message}; the first is {places[entry.name]}")
            places[entry.name] = place
            services.append(
                Service(len(services), entry.name, entry.command, folder, process=entry.name)
            )
    return tuple(services), places, warnings


def is_command(word: str) -> bool:
    """Whether a word behind the files is a command, rather than the name of a process."""
    return bool(re.search(r"[=\s]|\A(npm|pnpm|yarn|bun|node|deno):", word))


def _check_names(
    words: Sequence[str], names: Sequence[str], files: Sequence[str], *, before: str = ""
) -> None:
    for word in words:
        if word not in names:
            from devrun.config.nearest import choices

            message = f'{before}no process "{word}" in {", ".join(files)}{choices(word, names)}'
            raise UsageError(message)


def _excepted(text: str | None, names: Sequence[str], files: Sequence[str]) -> frozenset[str]:
    words = [word.strip() for word in (text or "").split(",")]
    _check_names([word for word in words if word], names, files, before="--except: ")
    return frozenset(words)


def _wanted(
    chosen: Sequence[str], names: Sequence[str], *, with_release: bool
) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the processes to run: those named, or all but ``release``."""
    if chosen:
        return frozenset(chosen), ()
    if RELEASE not in names or len(names) == 1 or with_release:
        return frozenset(names), ()
    warning = f'"{RELEASE}" is not run: it is a step before a release; name it to run it'
    return frozenset(names) - {RELEASE}, (warning,)
