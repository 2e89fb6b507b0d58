"""What npm-run-all does, said with devrun and the package manager's ``run``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from devrun.config.npm_run_all import (
    CannotConvert,
    Group,
    Invocation,
    Task,
    double_quoted,
    read_npm_run_all,
)
from devrun.config.script_globs import is_glob, matching_scripts
from devrun.config.shell_line import ShellWord

PREFIXES = (
    "devrun puts names before the lines, which {program} without -l does not; "
    "--raw leaves output and input to the scripts"
)
_NOT_YET = '"{pattern}" is now the scripts that there are: one added later is not picked up'
_IN_ORDER = "--group shows output in the order of the scripts, not in that of their ends"
_SILENT_NAMES = "-n with -s: the names are what {runner} prints, which also says what failed"

_BUILT_IN = ("restart", "env")
_PLAIN = re.compile(r"[\w@%+:,./-]+")
_NAME = re.compile(r"(?![A-Z_][A-Z0-9_]*\Z)[A-Za-z0-9_@][A-Za-z0-9_@.:/-]*", re.ASCII)
_NO_MINIMATCH = re.compile(r"!\([^)]*\)\*")
_STAR = re.compile(r"([^*]*)\*\*?([^*]*)")


@dataclass(frozen=True, slots=True)
class Runs:
    """Commands that run scripts, one after the other as long as none fails.

    Attributes:
        notes: What the user should know about them.
    """

    commands: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Job:
    """A task, and the scripts that it runs."""

    task: Task
    scripts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Writer:
    """What is the same for all groups of a line."""

    line: Invocation
    program: str
    runner: str
    scripts: Sequence[str]
    notes: list[str]


def runs_instead(
    program: str, words: Sequence[ShellWord], scripts: Sequence[str], runner: str
) -> Runs:
    """Return what a line of one of the three programs becomes.

    Args:
        program: ``npm-run-all``, ``run-p`` or ``run-s``.
        words: What stands behind it.
        scripts: The names of all scripts, in the order of the file.
        runner: What runs scripts: ``npm``, ``pnpm``, ``yarn`` or ``bun``.

    Raises:
        CannotConvert: It cannot be said.
    """
    line = read_npm_run_all(program, words)
    writer = _Writer(line, program, line.runner or runner, scripts, [])
    last = line.groups[-1]
    commands = [c for group in line.groups for c in _group(writer, group, is_last=group is last)]
    return Runs(tuple(commands), tuple(dict.fromkeys(writer.notes)))


def _group(writer: _Writer, group: Group, *, is_last: bool) -> Iterator[str]:
    line = writer.line
    jobs = _jobs(group, writer.scripts)
    takes_arguments = is_last and line.arguments is not None
    is_one = sum(len(job.scripts) for job in jobs) == 1
    in_turn = not line.switches & {"continue", "label"} or is_one
    if not group.parallel and in_turn and not takes_arguments:
        yield from _one_by_one(writer, jobs)
        return
    if "label" not in line.switches:
        writer.notes.append(PREFIXES.format(program=writer.program))
    parts = ["devrun", *(_parallel(writer) if group.parallel else _sequential(line))]
    parts += ["-P"] if takes_arguments else []
    parts += map(double_quoted, _items(writer, jobs))
    parts += ["--", *(line.arguments or ())] if takes_arguments else []
    yield " ".join(parts)


# -- which scripts --------------------------------------------------------------------------------


def _jobs(group: Group, scripts: Sequence[str]) -> list[_Job]:
    """Return the scripts of each task; one that an earlier task runs is not run again.

    That is npm-run-all's rule: ``build:js build:*`` runs ``build:js`` once, ``a a`` runs it twice.
    """
    first: dict[str, str] = {}
    jobs: list[_Job] = []
    for task in group.tasks:
        found = _found(task.pattern, scripts)
        pattern = task.pattern
        kept = [s for s in found if first.setdefault(s + task.arguments, pattern) == pattern]
        jobs.append(_Job(task, tuple(kept)))
    return jobs


def _found(pattern: str, scripts: Sequence[str]) -> list[str]:
    if _NO_MINIMATCH.search(pattern):
        raise CannotConvert(f'the pattern "{pattern}"')
    found = matching_scripts(pattern, scripts)
    if not found and pattern in _BUILT_IN:
        return [pattern]
    if not found:
        hint = "; a ! in front leaves nothing out" if pattern.startswith("!") else ""
        raise CannotConvert(f'there is no script "{pattern}"{hint}')
    for script in found:
        if not _PLAIN.fullmatch(script):
            raise CannotConvert(f'the name of the script "{script}"')
    return found


# -- one after the other --------------------------------------------------------------------------


def _one_by_one(writer: _Writer, jobs: Sequence[_Job]) -> Iterator[str]:
    switches = writer.line.switches
    is_silent = "silent" in switches and "name" not in switches
    if {"silent", "name"} <= switches:
        writer.notes.append(_SILENT_NAMES.format(runner=writer.runner))
    for job in jobs:
        _note_glob(writer, job)
        for script in job.scripts:
            yield _run(writer.runner, script, job.task.arguments, is_silent=is_silent)


def _run(runner: str, script: str, arguments: str, *, is_silent: bool) -> str:
    return f"{runner} run{' --silent' if is_silent else ''} {script}{arguments}"


def _note_glob(writer: _Writer, job: _Job) -> None:
    if is_glob(job.task.pattern):
        writer.notes.append(_NOT_YET.format(pattern=job.task.pattern))


# -- by devrun ------------------------------------------------------------------------------------


def _parallel(writer: _Writer) -> list[str]:
    line = writer.line
    flags = [] if "continue" in line.switches else ["--kill-others-on-fail"]
    if "race" in line.switches:
        flags = ["--kill-others", "--success first"]
    if line.most is not None:
        flags.append(f"--max-processes {line.most}")
    if "aggregate" in line.switches:
        flags.append("--group")
        writer.notes.append(_IN_ORDER)
    return flags


def _sequential(line: Invocation) -> list[str]:
    return ["-m 1"] if "continue" in line.switches else ["-m 1", "--kill-others-on-fail"]


def _items(writer: _Writer, jobs: Sequence[_Job]) -> list[str]:
    """Return the commands; a pattern stays one where devrun's means the same."""
    items: list[str] = []
    stars = {} if "silent" in writer.line.switches else _stars(writer, jobs)
    names = [script for job in jobs for script in job.scripts]
    for job in jobs:
        if job.task in stars:
            items.append(f"{writer.runner}:{stars[job.task]}{job.task.arguments}")
            continue
        _note_glob(writer, job)
        for script in job.scripts:
            is_named = names.count(script) == 1 and _NAME.fullmatch(script) is not None
            items.append(_item(writer, script, job.task.arguments, is_named=is_named))
    return items


def _item(writer: _Writer, script: str, arguments: str, *, is_named: bool) -> str:
    if "silent" not in writer.line.switches:
        return f"{writer.runner}:{script}{arguments}"
    command = _run(writer.runner, script, arguments, is_silent=True)
    return f"{script}={command}" if is_named else command


def _stars(writer: _Writer, jobs: Sequence[_Job]) -> dict[Task, str]:
    """Return the patterns that can stay: devrun's star, too, matches just these scripts.

    devrun's star is concurrently's: it matches colons as well, and what it matches is the name. So
    none stays if two commands would get the same name.
    """
    stars: dict[Task, str] = {}
    names: list[str] = []
    for job in jobs:
        halves = _STAR.fullmatch(job.task.pattern)
        if halves and not is_glob(halves[1] + halves[2]):
            head, tail = halves[1], halves[2]
            if _starred(head, tail, writer.scripts) == job.scripts:
                stars[job.task] = f"{head}*{tail}"
                names += [script[len(head) : len(script) - len(tail)] for script in job.scripts]
                continue
        names += job.scripts
    return stars if len(set(names)) == len(names) else {}


def _starred(head: str, tail: str, scripts: Sequence[str]) -> tuple[str, ...]:
    shortest = len(head) + len(tail)
    return tuple(
        s for s in scripts if len(s) >= shortest and s.startswith(head) and s.endswith(tail)
    )
