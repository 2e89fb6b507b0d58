"""What of a shell line can be checked without running it: its programs and its variables."""

from __future__ import annotations

import re
from collections.abc import Collection

from devrun.config.shell_line import SimpleCommand, simple_commands

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=.*", re.DOTALL | re.ASCII)
_CONDITIONAL = re.compile(
    r"\|\||\(\s*\)|\bPATH=|(?:^|[;&|(\n])\s*(?:\[|test)\s|(?:^|[;&|(\n])\s*(?:if|while|until|case|function|command|which|type|eval|\.|source)\s"
)
_PLAIN = re.compile(r"[\w@%+:,./-]+", re.ASCII)
_SINGLE_QUOTED = re.compile(r"""("(?:\\.|[^"\\])*")|'[^']*'|\\.""", re.DOTALL)
_VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})", re.ASCII)


def programs(line: str) -> list[str]:
    """Return the programs that a line certainly runs, in their order.

    Nothing is said of what a variable, a pattern or a substitution would give, nor of a line with
    conditions, or with another folder or another ``PATH`` from some place on.
    """
    commands = simple_commands(line)
    if commands is None or _CONDITIONAL.search(_SINGLE_QUOTED.sub(" ", line)):
        return []
    found = [_program(command) for command in commands]
    moves = any(_moves(command) for command in commands)
    return [name for name in found if name is not None and not ("/" in name and moves)]


def _moves(command: SimpleCommand) -> bool:
    return command.words[0].text in ("cd", "pushd")


def _program(command: SimpleCommand) -> str | None:
    if set(command.before) & set("<>") or command.after == "(":
        return None  # The word is a file, or the name of a function.
    for word in command.words:
        if _ASSIGNMENT.fullmatch(word.raw):
            continue
        return word.text if _PLAIN.fullmatch(word.raw) else None
    return None


def unset_variables(line: str, names: Collection[str]) -> list[str]:
    """Return the variables that a line uses plainly, and that neither it nor ``names`` has.

    ``${NAME:-default}`` and its like are meant for what is not set.
    """
    text = _SINGLE_QUOTED.sub(lambda found: found[1] or " ", line)
    used = dict.fromkeys(found[1] or found[2] for found in _VARIABLE.finditer(text))
    return [name for name in used if name not in names and not _is_set(name, text)]


def _is_set(name: str, text: str) -> bool:
    """Whether the line gives the variable a value somewhere, by whatever means."""
    return bool(re.search(rf"(?<![$\w{{]){re.escape(name)}\b", text))
