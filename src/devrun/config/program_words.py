"""Where in the words of a command concurrently or npm-run-all is run, however it is run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from devrun.config.shell_line import ShellWord

CONCURRENTLY = ("concurrently", "conc")
NPM_RUN_ALL = ("npm-run-all", "npm-run-all2", "run-p", "run-s")

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_WRAPPERS = ("cross-env", "cross-env-shell", "env")
_WRAPPERS_OF_ONE = ("exec", "time", "nice")
_WRAPPERS_WITH_DASHES = ("dotenv", "dotenvx", "env-cmd", "doppler", "infisical", "op")
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
    ("bun", "run"),
    ("pnpm",),
    ("yarn",),
    ("bun",),
)
_SCRIPTS_FIRST = (("yarn", "run"), ("bun", "run"), ("pnpm",), ("yarn",), ("bun",))
"""Runners to which a script of the name goes before a program of the name."""
_RUNNERS_OPTIONS = ("-y", "--yes", "--no", "--no-install", "--", "--bun", "-s", "--silent")
_MENTION = re.compile(r"(?<![\w.@-])(concurrently|conc|npm-run-all2?|run-p|run-s)(?![\w.-])")
_NAMERS = ("echo", "printf", "rm", "rimraf", "del")
_MANAGERS = ("npm", "pnpm", "yarn", "bun")
_NO_RUN = re.compile(
    r"i|install|add|ci|rm?|un|remove|uninstall|up|update|upgrade|run|run-script|ls|list|why|view"
)
"""What package managers do with a name other than to run the program of that name."""


@dataclass(frozen=True, slots=True)
class Found:
    """One of the programs in a command.

    Attributes:
        start: Where it begins in the line, or the runner in front of it that goes away with it.
        end: Where its name ends.
        arguments: The words behind it.
        version: What stands behind an ``@`` in the program's word, or nothing.
        is_repeatable: What stands before it may as well stand before several commands.
    """

    program: str
    start: int
    end: int
    arguments: tuple[ShellWord, ...]
    is_repeatable: bool
    version: str = ""


def find_program(words: Sequence[ShellWord], scripts: Sequence[str]) -> Found | None:
    """Return the program that a command runs, if it is one of those.

    Args:
        scripts: The names of all scripts; ``yarn conc`` runs the script of that name if there is.
    """
    start = _behind_wrappers(words)
    runner = _runner(words, start)
    place = _behind_options(words, start + len(runner))
    if place >= len(words):
        return None
    name = _program_name(words[place].text)
    if name not in CONCURRENTLY + NPM_RUN_ALL or (runner in _SCRIPTS_FIRST and name in scripts):
        return None
    before = {word.text for word in words[:start]}
    is_repeatable = before.isdisjoint(_WRAPPERS_OF_ONE)
    arguments = tuple(words[place + 1 :])
    _, _, version = words[place].text.rpartition("/")[2].partition("@")
    where = words[start].start, words[place].end
    return Found(name, *where, arguments, is_repeatable, version)


def mentioned_program(text: str) -> str | None:
    """Return the first of the programs of which a text speaks."""
    mention = _MENTION.search(text)
    return mention[1] if mention else None


def is_about_programs(words: Sequence[ShellWord]) -> bool:
    """Whether a command is given names of programs for another end than to run them."""
    first, second = words[0].text, words[1].text if len(words) > 1 else ""
    return first in _NAMERS or (first in _MANAGERS and _NO_RUN.fullmatch(second) is not None)


def _behind_wrappers(words: Sequence[ShellWord]) -> int:
    """Return the place behind assignments and programs that run what follows them."""
    texts = [word.text for word in words]
    place = 0
    while place < len(texts):
        behind = _behind_options(words, place + len(_runner(words, place)))
        wrapper = texts[behind] if behind < len(texts) else ""
        if wrapper in _WRAPPERS:
            place = behind + 1
        elif wrapper in _WRAPPERS_WITH_DASHES and "--" in texts[behind:]:
            place = texts.index("--", behind) + 1
        elif texts[place] in _WRAPPERS_OF_ONE or _ASSIGNMENT.fullmatch(texts[place]):
            place += 1
        else:
            break
    return place


def _runner(words: Sequence[ShellWord], place: int) -> tuple[str, ...]:
    for runner in _RUNNERS:
        if tuple(word.text for word in words[place : place + len(runner)]) == runner:
            return runner
    return ()


def _behind_options(words: Sequence[ShellWord], place: int) -> int:
    """Return the place behind the options of a runner that stands before ``place``."""
    while 0 < place < len(words) and words[place].text in _RUNNERS_OPTIONS:
        place += 1
    return place


def _program_name(word: str) -> str:
    """Return the name behind a path: of node_modules/.bin alone, for another is another program."""
    folder, slash, name = word.rpartition("/")
    if slash and not folder.endswith("node_modules/.bin"):
        return word
    return re.sub(r"@[\w.^~-]+\Z|\.cmd\Z", "", name)
