"""From concurrently and npm-run-all to devrun, one script's line at a time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from devrun.config.npm_run_all import CannotConvert, converted
from devrun.config.shell_line import ShellWord, SimpleCommand, simple_commands

CONCURRENTLY = ("concurrently", "conc")
NPM_RUN_ALL = ("npm-run-all", "npm-run-all2", "run-p", "run-s")

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_WRAPPERS = ("cross-env", "cross-env-shell", "env", "exec", "time")
_RUNNERS = (
    ("npx",),
    ("bunx",),
    ("pnpx",),
    ("npm", "exec"),
    ("npm", "x"),
    ("pnpm", "exec"),
    ("pnpm", "dlx"),
    ("yarn", "exec"),
    ("yarn", "dlx"),
    ("yarn", "run"),
    ("bun", "x"),
    ("pnpm",),
    ("yarn",),
)
_RUNNERS_OPTIONS = ("-y", "--yes", "--no", "--no-install", "--", "--bun", "-s", "--silent")
_ALONE = ("", "&&", "||", ";", "\n")


@dataclass(frozen=True, slots=True)
class Migration:
    """What became of a line.

    Attributes:
        line: The line, changed or not.
        notes: What was left alone, and why.
        uses: Which of the programs it still uses.
    """

    line: str
    notes: tuple[str, ...] = ()
    uses: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Found:
    """One of the programs in a command; ``start`` is where it or its runner begins."""

    program: str
    start: int
    end: int
    arguments: tuple[ShellWord, ...]


def migrate(line: str, *, scripts: Sequence[str], runner: str) -> Migration:
    """Return a script's line with devrun in place of concurrently and npm-run-all.

    Args:
        scripts: The names of all scripts, in the order of the file.
        runner: What runs scripts: ``npm``, ``pnpm``, ``yarn`` or ``bun``.
    """
    commands = simple_commands(line)
    if commands is None:
        return Migration(line)
    edits: list[tuple[int, int, str]] = []
    notes: list[str] = []
    uses: set[str] = set()
    for command in commands:
        found = _find(command.words)
        if found is None:
            continue
        if found.program in CONCURRENTLY:
            edits.append((found.start, found.end, "devrun"))
            edits += _inner_edits(found, scripts, runner)
            continue
        try:
            edits.append(_npm_run_all_edit(command, found, scripts, runner))
        except CannotConvert as reason:
            uses.add(found.program)
            notes.append(f"{found.program}: left alone: {reason}")
    for start, end, text in sorted(edits, reverse=True):
        line = line[:start] + text + line[end:]
    return Migration(line, tuple(notes), frozenset(uses))


def _inner_edits(found: _Found, scripts: Sequence[str], runner: str) -> list[tuple[int, int, str]]:
    """Return the edits of commands that concurrently runs: they may use it too."""
    edits: list[tuple[int, int, str]] = []
    for word in found.arguments:
        inner = word.raw[1:-1]
        if word.raw[:1] in ("'", '"') and word.raw[0] == word.raw[-1] and "\\" not in inner:
            migration = migrate(inner, scripts=scripts, runner=runner)
            if migration.line != inner and word.raw[0] not in migration.line:
                edits.append((word.start + 1, word.end - 1, migration.line))
    return edits


def _npm_run_all_edit(
    command: SimpleCommand, found: _Found, scripts: Sequence[str], runner: str
) -> tuple[int, int, str]:
    program = "npm-run-all" if found.program == "npm-run-all2" else found.program
    text = converted(program, [word.text for word in found.arguments], scripts, runner)
    last = found.arguments[-1].end if found.arguments else found.end
    is_alone = command.before in _ALONE and command.after in _ALONE
    is_first = found.start == command.words[0].start
    if " && " in text and not (is_alone and is_first):
        raise CannotConvert("it becomes several commands, and what is around it is for one")
    return found.start, last, text


def _find(words: Sequence[ShellWord]) -> _Found | None:
    """Return the program that a command runs, if it is one of those."""
    place = _behind_wrappers(words)
    start = place
    for runner in _RUNNERS:
        texts = tuple(word.text for word in words[place : place + len(runner)])
        if texts == runner:
            place += len(runner)
            while place < len(words) and words[place].text in _RUNNERS_OPTIONS:
                place += 1
            break
    if place >= len(words):
        return None
    name = _program_name(words[place].text)
    if name not in CONCURRENTLY + NPM_RUN_ALL:
        return None
    return _Found(name, words[start].start, words[place].end, tuple(words[place + 1 :]))


def _behind_wrappers(words: Sequence[ShellWord]) -> int:
    place = 0
    while place < len(words) and (
        words[place].text in _WRAPPERS or _ASSIGNMENT.fullmatch(words[place].text)
    ):
        place += 1
    return place


def _program_name(word: str) -> str:
    """Return the name behind a path: of node_modules/.bin alone, for another is another program."""
    folder, slash, name = word.rpartition("/")
    if slash and not folder.endswith("node_modules/.bin"):
        return word
    return re.sub(r"@[\w.^~-]+\Z|\.cmd\Z", "", name)
