"""What to run: files and commands of the command line, and which of a file's processes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from devrun.config.definitions import (
    DISCOVERED,
    IN_PRODUCTION,
    PYPROJECT,
    RELEASE,
    Definitions,
    discovered,
)
from devrun.config.settings import RunSettings
from devrun.config.words import check_unique, parse_words
from devrun.errors import UsageError
from devrun.model import Service

COMMAND_LINE = "the command line"
"""The source of services that no file has."""


class NothingToRun(UsageError):  # noqa: N818 - an outcome that the command line answers with help
    """Neither commands nor a file were named, and the folder has none that could be meant."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for, in the order in which it was written.

    Attributes:
        defined: What the files define, those services too that are not to run; None without files.
        commands: Commands of the command line.
        wanted: Names of the processes to run.
        source: Where all this came from, for messages.
        warnings: What the user should know about the files.
        chosen_by_hand: What is left out is not waited for: whoever leaves it out has it elsewhere.
    """

    defined: Definitions | None
    commands: tuple[Service, ...]
    wanted: frozenset[str]
    source: str
    warnings: tuple[str, ...] = ()
    chosen_by_hand: bool = False

    @property
    def entries(self) -> tuple[Service, ...]:
        """All services of the files."""
        return () if self.defined is None else self.defined.services

    @property
    def from_procfile(self) -> bool:
        """Whether there is a Procfile, whose conventions then hold."""
        return self.defined is not None and self.defined.procfile

    def _without_needs(self, service: Service) -> Service:
        """Return a service that waits only for what runs."""
        needs = [need for need in service.depends_on if need.service in self.wanted]
        return replace(service, depends_on=tuple(needs))

    def chosen(
        self, entries: Sequence[Service], commands: Sequence[Service]
    ) -> tuple[Service, ...]:
        """Return the services to run, numbered anew, of these entries and commands."""
        kept = [entry for entry in entries if entry.name in self.wanted]
        if self.chosen_by_hand:
            kept = [self._without_needs(entry) for entry in kept]
        both = [*kept, *commands]
        return tuple(replace(service, index=index) for index, service in enumerate(both))


def select(settings: RunSettings, cwd: str, defined: Definitions | None) -> Selection:
    """Return what the settings mean of what there is.

    Args:
        defined: What the files define, if there are any.

    Raises:
        UsageError: A word is wrong, or nothing is left to run.
    """
    if defined is None:
        commands = _commands(settings.commands, settings, cwd)
        return Selection(None, commands, frozenset(), COMMAND_LINE)
    if settings.names:
        raise UsageError("--names is for commands; the processes of a file have their names")
    files = files_of(settings, cwd)
    names = list(defined.places)
    chosen = [word for word in settings.commands if not is_command(word)]
    _check_names(chosen, names, files)
    commands = _commands([w for w in settings.commands if is_command(w)], settings, cwd)
    for name in (command.name for command in commands):
        if name is not None and name in defined.places:
            file = defined.places[name].rpartition(":")[0]
            message = f'the name "{name}" stands in {file} and as a command'
            raise UsageError(f"{message}; see {defined.places[name]}")
    wanted, warnings = _wanted(settings, chosen, defined, files)
    if not wanted and not commands:
        raise UsageError(f'--except "{settings.excepted}": nothing is left to run')
    if defined.problems:
        from devrun.config.ecosystem.project import check_runnable

        check_runnable(defined.problems, wanted)
    source, told = ", ".join(files), (*defined.warnings, *warnings)
    by_hand = bool(settings.only or settings.excepted)
    return Selection(defined, commands, wanted, source, told, chosen_by_hand=by_hand)


def files_of(settings: RunSettings, cwd: str) -> tuple[str, ...]:
    """Return the files that the settings mean; none if all comes from the command line.

    Raises:
        NothingToRun: There is no command, and no Procfile in the folder.
    """
    if settings.files or settings.commands:
        return settings.files
    return _discovered(cwd, IN_PRODUCTION if settings.prod else DISCOVERED)


def _discovered(cwd: str, candidates: Sequence[str]) -> tuple[str, ...]:
    found = discovered(cwd, candidates)
    if found is not None:
        return (found,)
    names = ", ".join(name for name in candidates if name != PYPROJECT)
    raise NothingToRun(f"nothing to run: no command, no -f, and none of {names} in this folder")


def _commands(words: Sequence[str], settings: RunSettings, cwd: str) -> tuple[Service, ...]:
    separator = settings.name_separator or ","
    parsed = parse_words(words, settings.names or None, separator=separator)
    if any(":" in word.command or "*" in word.command for word in parsed):
        from devrun.config.scripts import expand

        parsed = expand(parsed, cwd=cwd, allow_empty=settings.allow_empty)
        check_unique(parsed)
    return tuple(Service(place, w.name, w.command, cwd) for place, w in enumerate(parsed))


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


def _listed(
    text: str | None, option: str, names: Sequence[str], files: Sequence[str]
) -> frozenset[str]:
    words = [word.strip() for word in (text or "").split(",")]
    found = [word for word in words if word]
    _check_names(found, names, files, before=f"{option}: ")
    return frozenset(found)


def _wanted(
    settings: RunSettings, chosen: Sequence[str], defined: Definitions, files: Sequence[str]
) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the services to run: those named and what they need, or those of the file's default.

    With ``--only`` what they need is left out as well.
    """
    names = list(defined.places)
    only = _listed(settings.only, "--only", names, files)
    excepted = _listed(settings.excepted, "--except", names, files)
    warnings: tuple[str, ...] = ()
    _check_enabled([*chosen, *only], defined)
    wanted = _named(chosen, defined) if chosen else defined.wanted
    if only:
        wanted = only if not chosen else wanted & only
    elif not chosen and defined.procfile and RELEASE in frozenset(names) - wanted:
        warnings = (f'"{RELEASE}" is not run: it is a step before a release; name it to run it',)
    return wanted - excepted, warnings


def _named(names: Sequence[str], defined: Definitions) -> frozenset[str]:
    """Return the services that are named, and what they need; not what never runs."""
    disabled = frozenset() if defined.toml is None else frozenset(defined.toml.disabled)
    return with_needs(frozenset(names), defined.services, without=disabled)


def _check_enabled(names: Sequence[str], defined: Definitions) -> None:
    disabled: Mapping[str, str] = {} if defined.toml is None else defined.toml.disabled
    for name in names:
        if name in disabled:
            message = f'{disabled[name]}: "{name}" never runs; take that out to run it'
            raise UsageError(message)


def with_needs(
    names: frozenset[str], services: Sequence[Service], *, without: frozenset[str] = frozenset()
) -> frozenset[str]:
    """Return services by name with all that they cannot do without.

    Args:
        without: What is not run though it is needed.
    """
    by_name = {service.name: service for service in services}
    found, queue = set(names), list(names)
    while queue:
        service = by_name[queue.pop()]
        for dependency in service.depends_on:
            name = dependency.service
            if dependency.required and name not in found and name not in without:
                found.add(name)
                queue.append(name)
    return frozenset(found)
