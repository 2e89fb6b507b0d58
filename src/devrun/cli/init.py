"""``devrun init``: change the scripts of a package.json to devrun, or show how they would."""

from __future__ import annotations

import contextlib
import os
import shlex
import stat
import sys
import tempfile
from collections.abc import Mapping, Sequence
from difflib import unified_diff

from devrun.config.migration import Migration, migrate
from devrun.config.package_json import Package, Script, read_package, with_commands
from devrun.config.program_words import CONCURRENTLY, NPM_RUN_ALL
from devrun.errors import ExitCode, UsageError
from devrun.output.complaint import complain

_RUNNERS = ("npm", "pnpm", "yarn", "bun")
_LOCK_FILES = (
    ("pnpm-lock.yaml", "pnpm"),
    ("yarn.lock", "yarn"),
    ("bun.lock", "bun"),
    ("bun.lockb", "bun"),
)
_PACKAGES = {
    "concurrently": CONCURRENTLY,
    "npm-run-all": NPM_RUN_ALL,
    "npm-run-all2": NPM_RUN_ALL,
}
"""Packages, and the programs that come with them."""


def init(source: str, *, write: bool) -> int:
    """Show the change as a diff, or make it; what the user should know of it goes to stderr.

    Args:
        source: Path of the package.json.
        write: Make the change.

    Returns:
        The exit code.

    Raises:
        UsageError: The file cannot be read, is no JSON, or cannot be written.
    """
    text = _read(source)
    package = read_package(text, source)
    migrations = _migrations(package.scripts, _runner(package, source))
    commands = {name: migration.line for name, migration in migrations.items()}
    changed = with_commands(text, package.scripts, commands)
    if changed == text:
        _say(f"{source}: nothing to change\n")
    elif write:
        _write(source, changed)
        count = sum(script.command != commands[script.name] for script in package.scripts)
        _say(f"{source}: {count} script{'' if count == 1 else 's'} changed\n")
    else:
        _say(_diff(text, changed, source))
        command = f"devrun init --from {shlex.quote(source)} --write"
        _say(f"(nothing is written; {command} does it)\n")
    sys.stdout.flush()
    _complain_of_scripts(migrations)
    if changed != text:
        used = {program for migration in migrations.values() for program in migration.uses}
        _complain_of_packages(package, used, is_done=write)
    return ExitCode.OK


def _migrations(scripts: Sequence[Script], runner: str) -> dict[str, Migration]:
    names = [script.name for script in scripts]
    return {s.name: migrate(s.command, scripts=names, runner=runner) for s in scripts}


def _runner(package: Package, source: str) -> str:
    """Return the package manager that the package says, or whose lock file lies beside it."""
    if package.package_manager in _RUNNERS:
        return package.package_manager
    folder = os.path.dirname(source)
    return next((r for f, r in _LOCK_FILES if os.path.exists(os.path.join(folder, f))), "npm")


# -- saying ---------------------------------------------------------------------------------------


def _say(text: str) -> None:
    """Write to stdout; what its encoding has not is shown as an escape."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))


def _diff(before: str, after: str, source: str) -> str:
    """Return the change with one line around it."""
    lines = unified_diff(_lines(before), _lines(after), source, source, n=1)
    unended = "\n\\ No newline at end of file\n"
    return "".join(line if line.endswith("\n") else line + unended for line in lines)


def _lines(text: str) -> list[str]:
    """Return the lines as editors count them: a JSON string may hold other separators as well."""
    lines = [line + "\n" for line in text.split("\n")]
    last = lines.pop().removesuffix("\n")
    return [*lines, last] if last else lines


def _complain_of_scripts(migrations: Mapping[str, Migration]) -> None:
    """Say what there is to know, once for all scripts that it is about."""
    about: dict[str, list[str]] = {}
    for name, migration in migrations.items():
        for note in migration.notes:
            about.setdefault(note, []).append(f'"{name}"')
    for note, names in about.items():
        complain(f"script{'' if len(names) == 1 else 's'} {', '.join(names)}: {note}")


def _complain_of_packages(package: Package, used: set[str], *, is_done: bool) -> None:
    """Name the packages that no script uses any more."""
    for name, programs in _PACKAGES.items():
        for section, names in package.dependencies.items():
            if name in names and used.isdisjoint(programs):
                when = "" if is_done else "with that, "
                complain(f"{when}no script uses {name}: it can be removed from {section}")


# -- files ----------------------------------------------------------------------------------------


def _read(source: str) -> str:
    try:
        with open(source, encoding="utf-8", newline="") as file:
            return file.read()
    except UnicodeDecodeError:
        raise UsageError(f"{source}: cannot be read: it is not UTF-8") from None
    except OSError as error:
        raise UsageError(f"{source}: cannot be read: {(error.strerror or '').lower()}") from None


def _write(source: str, text: str) -> None:
    """Replace the file in one step, so that it is never half written."""
    path = os.path.realpath(source)
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
        handle, new = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".package.json.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            os.chmod(new, mode)
            os.replace(new, path)
        finally:
            with contextlib.suppress(FileNotFoundError):  # It has taken its place.
                os.unlink(new)
    except OSError as error:
        raise UsageError(f"{source}: cannot be written: {(error.strerror or '').lower()}") from None
