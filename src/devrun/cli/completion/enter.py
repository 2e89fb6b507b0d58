"""How a shell asks what may stand where its cursor is, and how it is told."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from devrun.cli.completion.before import Before
from devrun.cli.completion.candidates import candidates
from devrun.cli.completion.scripts import SHELLS
from devrun.cli.overview import COMMANDS
from devrun.cli.subcommands import COMPLETION_OPTIONS

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from typing import NoReturn

_BREAKS = "=:"
"""Where bash divides words, beside blanks: only what follows is replaced there."""


def enter(words: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Say what may stand there, a line for each, and end the process.

    Args:
        words: What zsh and fish have passed: the words up to the one that is completed. bash has
            its own variables for that.
    """
    shell = environ["_DEVRUN_COMPLETE"].removeprefix("complete_")
    before, word = ([*words[:-1]], words[-1] if words else "")
    if shell == "bash":
        before, word = _of_bash(environ)
    found = _found(before, word, environ)
    if shell == "bash":
        found = _behind_breaks(found, word, environ)
    else:
        found = _with_texts(found, before, shell)
    output = "".join(f"{line}\n" for line in found)
    sys.stdout.buffer.write(output.encode("utf-8", "surrogateescape"))
    sys.stdout.flush()
    os._exit(0)  # Nothing is left to be done, and unloading Python takes time.


def _found(before: Sequence[str], word: str, environ: Mapping[str, str]) -> list[str]:
    if before and before[-1] in COMPLETION_OPTIONS:
        return [shell for shell in SHELLS if shell.startswith(word)]
    return candidates(Before(before), word, first=not before, environ=environ)


def _of_bash(environ: Mapping[str, str]) -> tuple[list[str], str]:
    """Return the words before the one that is completed, and that one."""
    from shlex import shlex

    line = environ.get("COMP_LINE")
    if line is None:
        divided = environ.get("COMP_WORDS", "").split()
        place = int(environ.get("COMP_CWORD", "1"))
        return divided[1:place], divided[place] if place < len(divided) else ""
    line = line[: int(environ.get("COMP_POINT", len(line)))]  # In characters, since bash 4.3.
    reader = shlex(line, posix=True)
    reader.whitespace_split, reader.commenters = True, ""
    words: list[str] = []
    try:
        words.extend(reader)
    except ValueError:
        words.append(reader.token)  # A quotation mark is open.
    else:
        if line[-1:].isspace():
            words.append("")
    return words[1:-1], words[-1] if len(words) > 1 else ""


def _behind_breaks(found: Sequence[str], word: str, environ: Mapping[str, str]) -> list[str]:
    breaks = [each for each in _BREAKS if each in environ.get("COMP_WORDBREAKS", "")]
    kept = max((word.rfind(each) + 1 for each in breaks), default=0)
    return [each[kept:] for each in found]


def _with_texts(found: Sequence[str], before: Sequence[str], shell: str) -> list[str]:
    """Return what is found with what it means, as ``complete`` and ``_describe`` want it."""
    texts: Mapping[str, str] = {} if before[:1] not in ([], ["help"]) else COMMANDS
    if any(each.startswith("--") for each in found):
        from devrun.cli.completion.texts import texts_of

        texts = texts_of(Before(before))
    lines = []
    for each in found:
        text = texts.get(each, "")
        if shell == "zsh":
            value = each.replace("\\", "\\\\").replace(":", "\\:")
            lines.append(f"{value}:{text}" if text else value)
        else:
            lines.append(f"{each}\t{text}" if text else each)
    return lines
