"""Shells: which one runs the lines, and how words are quoted for it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from devrun.errors import UsageError
from devrun.model import Shell, ShellKind

VARIABLE = "npm_config_script_shell"
"""What npm tells its scripts of its ``script-shell`` setting; concurrently obeys it too."""

_PLACEHOLDER = re.compile(r"\\?\{([@*]|[1-9]\d*)\}", re.ASCII)
_CMD_META = re.compile(r'([()%!^"<>&|])')
_BACKSLASHES = re.compile(r'(\\*)("|\Z)')


def chosen_shell(said: str | None, environ: Mapping[str, str], *, cwd: str) -> Shell | None:
    """Return the shell that ``--shell`` or npm's setting names, or None for the system's own.

    Raises:
        UsageError: There is no such program.
    """
    program = said or environ.get(VARIABLE)
    if not program:
        return None
    from shutil import which

    place = f'--shell "{program}"' if said else f'{VARIABLE} "{program}"'
    path = os.path.join(cwd, program) if os.sep in program else program
    if which(path, path=environ.get("PATH")) is None:
        raise UsageError(f"{place}: no such program")
    return Shell(program, _kind(program))


def _kind(program: str) -> ShellKind:
    name = re.split(r"[/\\]", program)[-1].lower().removesuffix(".exe")
    if name in ("powershell", "pwsh"):
        return ShellKind.POWERSHELL
    return ShellKind.CMD if name == "cmd" else ShellKind.POSIX


def with_arguments(command: str, arguments: Sequence[str], kind: ShellKind) -> str:
    r"""Return the command with the arguments in place of ``{1}``, ``{@}`` and ``{*}``.

    Each argument stays one word for the shell, whatever is in it: ``{1}`` is the first, ``{@}`` all
    of them one by one, ``{*}`` all as one word. What has no argument becomes nothing; ``\{1}``
    stays as ``{1}``.
    """

    def value(match: re.Match[str]) -> str:
        if match[0].startswith("\\"):
            return match[0][1:]
        if match[1] == "@":
            return " ".join(quoted(argument, kind) for argument in arguments)
        if match[1] == "*":
            return quoted(" ".join(arguments), kind) if arguments else ""
        place = int(match[1])
        return quoted(arguments[place - 1], kind) if place <= len(arguments) else ""

    return _PLACEHOLDER.sub(value, command)


def quoted(word: str, kind: ShellKind) -> str:
    """Return a word so that the shell sees it as it is, and as one."""
    if kind is ShellKind.POSIX:
        from shlex import quote

        return quote(word)
    if kind is ShellKind.POWERSHELL:
        return "'" + word.replace("'", "''") + "'"
    # What programs undo first (CommandLineToArgvW: backslashes count only before a quote) is done
    # first; the caret then keeps cmd.exe from seeing anything in it.
    inside = _BACKSLASHES.sub(lambda m: m[1] * 2 + ('\\"' if m[2] else ""), word)
    return _CMD_META.sub(r"^\1", f'"{inside}"')
