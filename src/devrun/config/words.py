"""The words of the command line: ``name=command``, or a bare command."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from devrun.errors import UsageError

_NAMED = re.compile(r"([A-Za-z0-9_@][A-Za-z0-9_@.:/-]*)=(.*)", re.ASCII | re.DOTALL)
_ASSIGNMENT = re.compile(r"[A-Z_][A-Z0-9_]*", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Word:
    """One command.

    Attributes:
        name: Its name, if it has one.
        command: Its command line.
        derived: The name is that of the script which it runs, and nobody's choice.
    """

    name: str | None
    command: str
    derived: bool = False


def parse_words(
    words: Sequence[str], names: str | None, *, separator: str = ","
) -> tuple[Word, ...]:
    """Return the commands of a command line.

    Args:
        words: One shell command line each, as ``name=command`` or bare. A name in capitals is an
            assignment to a variable and belongs to the command.
        names: The value of ``--names``: names by position, blanks around them left out; an empty
            one leaves its command without a name. With it nothing is split.
        separator: What stands between names.

    Raises:
        UsageError: A command or a name is empty or impossible, a name stands twice, or there are
            more names than commands.
    """
    if names is None:
        parsed = [_split(_unwrapped(text), place) for place, text in enumerate(words, 1)]
    else:
        parsed = _with_names(words, names, separator)
    for place, word in enumerate(parsed, 1):
        _check_command(word, place)
    check_unique(parsed)
    return tuple(parsed)


def _split(text: str, place: int) -> Word:
    match = _NAMED.fullmatch(text)
    if match is None or _ASSIGNMENT.fullmatch(match[1]):
        return Word(None, text)
    if not match[2].strip():
        message = f'command {place}: the name "{match[1]}" has no command'
        raise UsageError(f"{message}; write {match[1]}=COMMAND")
    return Word(match[1], _unwrapped(match[2]))


def _with_names(words: Sequence[str], names: str, separator: str) -> list[Word]:
    listed = [name.strip() for name in names.split(separator)]
    if len(listed) > len(words):
        some = "1 command" if len(words) == 1 else f"{len(words)} commands"
        raise UsageError(f'--names "{names}": {len(listed)} names for {some}')
    for name in listed:
        if _CONTROL.search(name):
            raise UsageError(f"--names: {name!r} has a control character in it")
    listed += [""] * (len(words) - len(listed))
    return [Word(name or None, _unwrapped(text)) for name, text in zip(listed, words, strict=True)]


def _unwrapped(text: str) -> str:
    """Return the text without one pair of quotes around it, if that quote is nowhere inside.

    As concurrently 10 has it: ``npm`` scripts written for Windows carry quotes along.
    """
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'" and text[0] not in text[1:-1]:
        return text[1:-1]
    return text


def _check_command(word: Word, place: int) -> None:
    if not word.command.strip():
        raise UsageError(f"command {place} is empty")
    if "\0" in word.command:
        raise UsageError(f"command {place} has a NUL character in it")


def check_unique(words: Sequence[Word]) -> None:
    """Refuse a name that stands at two commands, for then it names neither.

    Raises:
        UsageError: There is one.
    """
    places: dict[str, int] = {}
    for place, word in enumerate(words, 1):
        if word.name is None:
            continue
        if word.name in places:
            first = places[word.name]
            raise UsageError(f'the name "{word.name}" stands at commands {first} and {place}')
        places[word.name] = place
