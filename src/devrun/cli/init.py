"""``devrun init``: change the scripts of a package.json to devrun, or show how they would."""

from __future__ import annotations

import json
import os
import sys
from difflib import unified_diff

from devrun.config.migration import CONCURRENTLY, NPM_RUN_ALL, migrate
from devrun.config.package_json import Script, read_scripts, with_commands
from devrun.errors import ExitCode, UsageError
from devrun.output.complaint import complain

_LOCK_FILES = (
    ("pnpm-lock.yaml", "pnpm"),
    ("yarn.lock", "yarn"),
    ("bun.lock", "bun"),
    ("bun.lockb", "bun"),
)
_DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies")


def init(source: str, *, write: bool) -> int:
    """Show the change as a diff, or make it; what has to be left alone is said on stderr.

    Args:
        source: Path of the package.json.
        write: Make the change.

    Returns:
        The exit code.

    Raises:
        UsageError: The file cannot be read, is no JSON, or cannot be written.
    """
    text = _read(source)
    scripts = read_scripts(text, source)
    runner = _runner(text, source)
    commands = _migrated(scripts, runner)
    changed = with_commands(text, scripts, commands)
    if changed == text:
        sys.stdout.write(f"{source}: nothing to change\n")
        return ExitCode.OK
    if write:
        _write(source, changed)
        count = sum(script.command != commands[script.name] for script in scripts)
        sys.stdout.write(f"{source}: {count} script{'' if count == 1 else 's'} changed\n")
    else:
        lines = text.splitlines(keepends=True), changed.splitlines(keepends=True)
        sys.stdout.writelines(unified_diff(*lines, source, source, n=1))
        sys.stdout.write(f"(nothing is written; devrun init --from {source} --write does it)\n")
    _say_what_is_unused(changed, commands)
    return ExitCode.OK


def _migrated(scripts: tuple[Script, ...], runner: str) -> dict[str, str]:
    names = [script.name for script in scripts]
    commands: dict[str, str] = {}
    for script in scripts:
        migration = migrate(script.command, scripts=names, runner=runner)
        commands[script.name] = migration.line
        for note in migration.notes:
            complain(f'script "{script.name}": {note}')
    return commands


def _runner(text: str, source: str) -> str:
    """Return the package manager that the package says, or whose lock file lies beside it."""
    said = json.loads(text.removeprefix("\ufeff")).get("packageManager")
    if isinstance(said, str) and said.partition("@")[0] in ("npm", "pnpm", "yarn", "bun"):
        return said.partition("@")[0]
    folder = os.path.dirname(source)
    return next((r for f, r in _LOCK_FILES if os.path.exists(os.path.join(folder, f))), "npm")


def _say_what_is_unused(text: str, commands: dict[str, str]) -> None:
    content = json.loads(text.removeprefix("\ufeff"))
    everything = "\n".join(commands.values())
    for name in (*CONCURRENTLY[:1], *NPM_RUN_ALL[:2]):
        programs = CONCURRENTLY if name in CONCURRENTLY else NPM_RUN_ALL
        if any(program in everything for program in programs):
            continue
        for section in _DEPENDENCIES:
            listed = content.get(section)
            if isinstance(listed, dict) and name in listed:
                complain(f"{name} is not used by the scripts any more: see {section}")


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
    import tempfile

    path = os.path.realpath(source)
    try:
        mode = os.stat(path).st_mode & 0o777
        handle, new = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".package.json.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            os.chmod(new, mode)
            os.replace(new, path)
        except OSError:
            os.unlink(new)
            raise
    except OSError as error:
        raise UsageError(f"{source}: cannot be written: {(error.strerror or '').lower()}") from None
