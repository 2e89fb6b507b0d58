"""The words of a shell command line, with the places where they stand, so that it can be edited."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<blank> [ \t]+ )
    | (?P<operator> && | \|\| | \|& | [;|&()\n] | [0-9]*[<>]+&? )
    | (?P<comment> (?<![^ \t\n;|&()]) \# [^\n]* )
    | (?P<word> (?: \\. | '[^']*' | "(?:\\.|[^"\\])*" | [^ \t\n;|&()<>'"\\] )+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_PART = re.compile(r"""\\(.)|'([^']*)'|"((?:\\.|[^"\\])*)"|([^'"\\]+)""", re.DOTALL)
_IN_QUOTES = re.compile(r'\\([$`"\\\n])')


@dataclass(frozen=True, slots=True)
class ShellWord:
    """One word.

    Attributes:
        text: What the program sees of it, expansions aside.
        raw: How it is written.
        start: Where it begins in the line.
        end: Where it ends.
    """

    text: str
    raw: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SimpleCommand:
    """Words between two operators.

    Attributes:
        before: The operator in front of it, or nothing.
        after: The operator behind it, or nothing.
    """

    words: tuple[ShellWord, ...]
    before: str
    after: str


def simple_commands(line: str) -> tuple[SimpleCommand, ...] | None:
    """Return the commands of a line, or None if its quotes do not match up."""
    found: list[SimpleCommand] = []
    words: list[ShellWord] = []
    before = ""
    for kind, raw, start in _tokens(line):
        if kind == "word":
            words.append(ShellWord(_unquoted(raw), raw, start, start + len(raw)))
        elif kind == "operator":
            found.append(SimpleCommand(tuple(words), before, raw))
            words, before = [], raw
        elif kind == "error":
            return None
    found.append(SimpleCommand(tuple(words), before, ""))
    return tuple(command for command in found if command.words)


def _tokens(line: str) -> Iterator[tuple[str, str, int]]:
    place = 0
    while place < len(line):
        match = _TOKEN.match(line, place)
        if match is None or match.lastgroup is None:
            yield "error", "", place
            return
        yield match.lastgroup, match[0], place
        place = match.end()


def _unquoted(raw: str) -> str:
    parts: list[str] = []
    for escaped, single, double, plain in _PART.findall(raw):
        parts.append(escaped or single or _IN_QUOTES.sub(r"\1", double) or plain)
    return "".join(parts)
