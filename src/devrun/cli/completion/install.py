"""``devrun --show-completion`` and ``devrun --install-completion``."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from devrun.cli.completion.scripts import SCRIPTS, SHELLS
from devrun.config.nearest import choices
from devrun.errors import ExitCode, UsageError

_ZSH_LINE = "fpath+=({folder}); autoload -Uz compinit; compinit"


def completion(words: Sequence[str], environ: Mapping[str, str]) -> int:
    """Do what the words say, of which the first is the option.

    Raises:
        UsageError: No shell is named and none is found, or it is one that devrun has no script
            for; or a file cannot be written.
    """
    option, equals, value = words[0].partition("=")
    said = [value, *words[1:]] if equals else [*words[1:]]
    if len(said) > 1:
        raise UsageError(f'{option}: nothing can follow the shell; there is "{said[1]}"')
    shell = said[0] if said else _shell_around(option, environ)
    if shell not in SCRIPTS:
        raise UsageError(f'{option}: no completion for "{shell}"{choices(shell, SHELLS)}')
    if option == "--show-completion":
        sys.stdout.write(SCRIPTS[shell])
        return ExitCode.OK
    try:
        written, said_at_start = _install(shell, environ)
    except OSError as error:
        raise UsageError(f"{option}: {error.filename}: {error.strerror}") from error
    changed = f", and a line in {said_at_start}" if said_at_start else ""
    sys.stdout.write(f"wrote {written}{changed}; it works in new shells\n")
    return ExitCode.OK


def _shell_around(option: str, environ: Mapping[str, str]) -> str:
    """Return the shell that devrun was started from, or else the user's login shell."""
    import shellingham  # type: ignore[import-untyped]  # it has no types; Typer needs it, too

    try:
        name, _ = shellingham.detect_shell()
    except shellingham.ShellDetectionFailure:
        name = os.path.basename(environ.get("SHELL", ""))
    if not name:
        raise UsageError(f"{option}: which shell? Write {option} bash, zsh or fish")
    return str(name)


def _install(shell: str, environ: Mapping[str, str]) -> tuple[str, str | None]:
    """Put a script where the shell finds it.

    Returns:
        The file of the script, and the shell's own file if that had to be changed.
    """
    home = os.path.expanduser("~")
    config = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    match shell:
        case "fish":
            path = os.path.join(config, "fish", "completions", "devrun.fish")
            start = line = None
        case "zsh":
            path = os.path.join(home, ".zfunc", "_devrun")
            start = os.path.join(environ.get("ZDOTDIR") or home, ".zshrc")
            line = _ZSH_LINE.format(folder=_quoted(os.path.dirname(path)))
        case _:
            data = environ.get("XDG_DATA_HOME") or os.path.join(home, ".local", "share")
            path = os.path.join(data, "devrun", "completion.bash")
            start = os.path.join(home, ".bashrc")
            line = f"source {_quoted(path)}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(SCRIPTS[shell])
    if start is None or line is None or not _append(start, line):
        return path, None
    return path, start


def _quoted(path: str) -> str:
    from shlex import quote

    return quote(path)


def _append(path: str, line: str) -> bool:
    """Append a line to a file that does not have it; return whether it did not."""
    content = b""
    if os.path.exists(path):
        with open(path, "rb") as file:
            content = file.read()
    said = os.fsencode(line)
    if said in content.splitlines():
        return False
    end = b"\n" if content and not content.endswith(b"\n") else b""
    with open(path, "ab") as file:
        file.write(end + said + b"\n")
    return True
