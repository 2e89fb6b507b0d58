"""From concurrently and npm-run-all to devrun, one script's line at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from devrun.config.command_line import read_command_line
from devrun.config.flags import FLAGS, Takes
from devrun.config.npm_run_all import CannotConvert, double_quoted
from devrun.config.program_words import (
    CONCURRENTLY,
    NPM_RUN_ALL,
    Found,
    find_program,
    is_about_programs,
    mentioned_program,
)
from devrun.config.script_runs import Runs, runs_instead
from devrun.config.shell_line import ShellWord, SimpleCommand, simple_commands
from devrun.errors import UsageError

_BEFORE_SEVERAL = ("", "&&", ";", "\n", "(", "&")
_BEHIND_SEVERAL = ("", "&&", "||", ";", "\n", ")", "&")
_MOVERS = ("cd", "chdir", "pushd")
_VALUED = frozenset(
    name
    for flag in FLAGS
    if flag.takes is not Takes.NOTHING and flag.field != "teardown"
    for name in flag.names
)


@dataclass(frozen=True, slots=True)
class Migration:
    """What became of a line.

    Attributes:
        line: The line, changed or not.
        notes: What the user should know: what was left alone and why, and what is different now.
        uses: Which of the programs it still uses, or may use.
    """

    line: str
    notes: tuple[str, ...] = ()
    uses: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Edit:
    """New text between two places of the line."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class _Context:
    """What is the same for all commands of a line, and what is found out about them.

    Attributes:
        moved_at: From where on they run in another folder, where other scripts are.
    """

    line: str
    scripts: Sequence[str]
    runner: str
    moved_at: int
    edits: list[_Edit]
    notes: list[str]
    uses: set[str]


def migrate(line: str, *, scripts: Sequence[str], runner: str) -> Migration:
    """Return a script's line with devrun in place of concurrently and npm-run-all.

    Args:
        scripts: The names of all scripts, in the order of the file.
        runner: What runs scripts: ``npm``, ``pnpm``, ``yarn`` or ``bun``.
    """
    return _migrate(line, scripts, runner, is_moved=False)


def _migrate(line: str, scripts: Sequence[str], runner: str, *, is_moved: bool) -> Migration:
    """Do the same for a line that may run in another folder than the package's."""
    commands = simple_commands(line)
    if commands is None:
        return _unreadable(line)
    moves = [c.words[0].start for c in commands if c.words[0].text in _MOVERS]
    moved_at = 0 if is_moved else min(moves, default=len(line))
    context = _Context(line, scripts, runner, moved_at, [], [], set())
    for place, command in enumerate(commands, 1):
        follower = commands[place] if place < len(commands) else None
        found = find_program(command.words, scripts)
        if found is None:
            _look_for_mention(context, command)
            continue
        try:
            _convert(context, command, found, follower)
        except CannotConvert as reason:
            context.uses.add(found.program)
            context.notes.append(f"{found.program} is left alone: {reason}")
    return Migration(_edited(context), tuple(dict.fromkeys(context.notes)), frozenset(context.uses))


def _edited(context: _Context) -> str:
    line = context.line
    for edit in sorted(context.edits, key=lambda edit: (edit.start, edit.end), reverse=True):
        line = line[: edit.start] + edit.text + line[edit.end :]
    return line


def _unreadable(line: str) -> Migration:
    program = mentioned_program(line)
    if program is None:
        return Migration(line)
    note = f"{program} is left alone: the quotes in the line cannot be read"
    return Migration(line, (note,), frozenset({program}))


def _look_for_mention(context: _Context, command: SimpleCommand) -> None:
    """Note a program that another one seems to run: ``nodemon -x run-p``, ``sh -c "run-p a"``."""
    by = command.words[0].text
    for word in command.words:
        program = mentioned_program(word.text)
        if program is not None:
            context.uses.add(program)
            if not is_about_programs(command.words):
                context.notes.append(f"{program} is left alone: it is among the words of {by}")


def _convert(
    context: _Context, command: SimpleCommand, found: Found, follower: SimpleCommand | None
) -> None:
    if found.program in CONCURRENTLY:
        _check_options(found)
        context.edits.append(_Edit(found.start, found.end, "devrun"))
        if found.version and not found.version.startswith("10"):
            context.notes.append(
                f"version {found.version} was asked for; devrun has the defaults of version 10"
            )
        _convert_inner(context, found)
        return
    if found.start >= context.moved_at:
        raise CannotConvert("the line changes the folder, and there are other scripts there")
    if follower and re.search("[<>]", command.after) and len(follower.words) > 1:
        raise CannotConvert("there are words of it behind a redirection")
    program = "npm-run-all" if found.program in NPM_RUN_ALL[:2] else found.program
    runs = runs_instead(program, found.arguments, context.scripts, context.runner)
    end = found.arguments[-1].end if found.arguments else found.end
    context.edits.append(_Edit(found.start, end, _joined(context.line, command, found, runs)))
    if len(runs.commands) > 1 and not _is_free(command):
        start = command.words[0].start  # All of them are what one was: cmd.exe knows this too.
        context.edits.extend((_Edit(start, start, "("), _Edit(end, end, ")")))
    context.notes.extend(runs.notes)


def _check_options(found: Found) -> None:
    """Refuse a line that devrun would refuse; concurrently swallows what it does not know."""
    try:
        read_command_line([word.text for word in found.arguments], {})
    except UsageError as error:
        raise CannotConvert(f"devrun would say: {error}") from None


def _is_free(command: SimpleCommand) -> bool:
    """Whether several commands with && between them may stand where this one stands."""
    return command.before in _BEFORE_SEVERAL and command.after in _BEHIND_SEVERAL


def _joined(line: str, command: SimpleCommand, found: Found, runs: Runs) -> str:
    """Return the commands in a row, each behind what stood before the program."""
    if len(runs.commands) == 1:
        return runs.commands[0]
    if not found.is_repeatable:
        raise CannotConvert(f"it becomes several commands, and {command.words[0].text} is for one")
    between = line[command.words[0].start : found.start]
    return f" && {between}".join(runs.commands)


# -- commands inside of concurrently's words ------------------------------------------------------


def _convert_inner(context: _Context, found: Found) -> None:
    """Convert the commands that concurrently runs: they may use these programs too."""
    for word in _commands(found.arguments):
        inner = _inside(word)
        if inner is None:
            _note_unread(context, word)
            continue
        is_moved = word.start >= context.moved_at
        migration = _migrate(inner, context.scripts, context.runner, is_moved=is_moved)
        context.notes.extend(migration.notes)
        context.uses.update(migration.uses)
        if migration.line != inner:
            # Single quotes stay right: none are inside, and a migration adds none.
            is_single = word.raw[0] == "'"
            text = f"'{migration.line}'" if is_single else double_quoted(migration.line)
            context.edits.append(_Edit(word.start, word.end, text))


def _note_unread(context: _Context, word: ShellWord) -> None:
    program = mentioned_program(word.text) if word.raw != word.text else None
    if program is not None:
        context.uses.add(program)
        context.notes.append(f"{program} is left alone: the quotes in {word.raw}")


def _commands(words: Sequence[ShellWord]) -> Iterator[ShellWord]:
    """Yield the words that are not options, nor their values."""
    before = ""
    for word in words:
        if before not in _VALUED and not word.text.startswith("-"):
            yield word
        before = word.text


def _inside(word: ShellWord) -> str | None:
    """Return what stands in a word's quotes, or None if the word is not one quoted text.

    Other escapes than those of quotes would have to be undone and done again: such a text is left.
    """
    inner = word.raw[1:-1]
    if word.raw[:1] == "'" and word.raw[-1] == "'" and "'" not in inner:
        return inner
    plain = inner.replace('\\"', "")
    if word.raw[:1] == '"' and word.raw[-1] == '"' and '"' not in plain and "\\" not in plain:
        return inner.replace('\\"', '"')
    return None
