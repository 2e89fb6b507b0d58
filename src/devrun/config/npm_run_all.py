"""npm-run-all, run-p and run-s: what their words mean, said with devrun and ``npm run``.

The meaning is that of the documentation of npm-run-all 4 and npm-run-all2: scripts run in groups,
one after another or all at once; a failure ends what runs, and what would follow is not run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

_SWITCHES = {
    "-c": "continue",
    "--continue-on-error": "continue",
    "-l": "label",
    "--print-label": "label",
    "-n": "name",
    "--print-name": "name",
    "-r": "race",
    "--race": "race",
    "--silent": "silent",
    "--aggregate-output": "aggregate",
    "--color": "color",
    "--no-color": "color",
}
_GROUPS = {"-p": True, "--parallel": True, "-s": False, "--sequential": False, "--serial": False}
_PLACEHOLDER = re.compile(r"\{([@*%]|\d+)([^}]*)\}")
_UNKNOWN_GLOB = re.compile(r"[?\[\]{}()+@!]")
_UNSAFE = re.compile(r'["$`\\!%]')


class CannotConvert(Exception):  # noqa: N818 - an outcome, which becomes a note
    """A line means something that devrun has no words for; the message says what."""


@dataclass(slots=True)
class _Group:
    parallel: bool
    tasks: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Line:
    groups: list[_Group]
    switches: set[str] = field(default_factory=set)
    most: str | None = None
    has_arguments: bool = False


def converted(program: str, words: Sequence[str], scripts: Sequence[str], runner: str) -> str:
    """Return what a line of one of the three programs becomes.

    Args:
        program: ``npm-run-all``, ``run-p`` or ``run-s``.
        words: What stands behind it.
        scripts: The names of all scripts, in the order of the file.
        runner: What runs scripts: ``npm``, ``pnpm``, ``yarn`` or ``bun``.

    Raises:
        CannotConvert: It cannot be said.
    """
    line = _read(program, words)
    groups = [group for group in line.groups if group.tasks]
    if not groups:
        raise CannotConvert("it names no script")
    if "continue" in line.switches and len(groups) > 1:
        raise CannotConvert("-c goes on with the next group after a failure")
    return " && ".join(_group(line, group, scripts, runner) for group in groups)


# -- reading --------------------------------------------------------------------------------------


def _read(program: str, words: Sequence[str]) -> _Line:
    line = _Line([_Group(parallel=program == "run-p")])
    single = program != "npm-run-all"
    rest = list(_separated(words))
    while rest:
        word = rest.pop(0)
        if word == "--":
            if rest:
                raise CannotConvert("words behind -- that are not the user's")
            line.has_arguments = True
        elif word == "--max-parallel":
            line.most = rest.pop(0) if rest else ""
        elif single and word == "-s":
            line.switches.add("silent")
        elif not single and word in _GROUPS:
            line.groups.append(_Group(_GROUPS[word]))
        elif word in _SWITCHES:
            line.switches.add(_SWITCHES[word])
        elif word.startswith("-"):
            raise CannotConvert(f"there is no {word} in devrun")
        else:
            line.groups[-1].tasks.append(word)
    return line


def _separated(words: Iterable[str]) -> Iterator[str]:
    for word in words:
        if re.fullmatch(r"-[clnprs]{2,}", word):
            yield from (f"-{letter}" for letter in word[1:])
        else:
            yield word


# -- writing --------------------------------------------------------------------------------------


def _group(line: _Line, group: _Group, scripts: Sequence[str], runner: str) -> str:
    _check_placeholders(group.tasks)
    takes = line.has_arguments and any(_PLACEHOLDER.search(task) for task in group.tasks)
    plain = not (line.switches & {"continue", "label"}) and not takes
    if not group.parallel and (plain or (len(group.tasks) == 1 and not takes)):
        return " && ".join(
            f"{_run(runner, line)} {script}{arguments}"
            for task in group.tasks
            for script, arguments in _matching(task, scripts)
        )
    flags = _parallel_flags(line) if group.parallel else _sequential_flags(line)
    if takes:
        flags.append("-P")
    items = [item for task in group.tasks for item in _items(task, line, scripts, runner)]
    return " ".join(["devrun", *flags, *map(_quoted, items), *(["--"] if takes else [])])


def _run(runner: str, line: _Line) -> str:
    return f"{runner} run -s" if "silent" in line.switches else f"{runner} run"


def _parallel_flags(line: _Line) -> list[str]:
    flags = [] if "continue" in line.switches else ["--kill-others-on-fail"]
    if "race" in line.switches:
        if "continue" in line.switches:
            raise CannotConvert("-r with -c stops the others after a success alone")
        flags = ["--kill-others", "--success first"]
    if line.most is not None:
        flags.append(f"--max-processes {line.most}")
    if "aggregate" in line.switches:
        flags.append("--group")
    return flags


def _sequential_flags(line: _Line) -> list[str]:
    return ["-m 1"] if "continue" in line.switches else ["-m 1", "--kill-others-on-fail"]


def _items(task: str, line: _Line, scripts: Sequence[str], runner: str) -> Iterator[str]:
    """Yield the commands of a task; a pattern stays one where devrun's means the same."""
    pattern, blank, arguments = task.strip().partition(" ")
    rest = blank + arguments
    found = [script for script, _ in _matching(task, scripts)]
    if "silent" in line.switches:
        yield from (f"{script}={_run(runner, line)} {script}{rest}" for script in found)
        return
    star = pattern.replace("**", "*")
    if "*" in pattern and star.count("*") == 1 and _starred(star, scripts) == found:
        yield f"{runner}:{star}{rest}"
        return
    yield from (f"{runner}:{script}{rest}" for script in found)


def _starred(pattern: str, scripts: Sequence[str]) -> list[str]:
    """Return what devrun's own star matches: anything, colons too."""
    head, _, tail = pattern.partition("*")
    most = len(head) + len(tail)
    return [s for s in scripts if len(s) >= most and s.startswith(head) and s.endswith(tail)]


def _matching(task: str, scripts: Sequence[str]) -> list[tuple[str, str]]:
    """Return the scripts that a task means, each with the task's arguments behind it."""
    pattern, blank, arguments = task.strip().partition(" ")
    if _UNKNOWN_GLOB.search(pattern):
        raise CannotConvert(f'the pattern "{pattern}"')
    glob = _as_regex(pattern)
    found = [script for script in scripts if glob.fullmatch(script)]
    if not found:
        raise CannotConvert(f'there is no script "{pattern}"')
    return [(script, blank + arguments) for script in found]


def _as_regex(pattern: str) -> re.Pattern[str]:
    """Return a pattern in which ``*`` ends at a colon, and ``**`` does not."""
    text = re.escape(pattern).replace(r"\*\*", "\0").replace(r"\*", "[^:]*")
    return re.compile(text.replace("\0:", "(?:.*:)?").replace("\0", ".*"))


def _check_placeholders(tasks: Iterable[str]) -> None:
    for task in tasks:
        for name, suffix in _PLACEHOLDER.findall(task):
            if suffix or name == "%":
                raise CannotConvert(f"the placeholder {{{name}{suffix}}}")


def _quoted(item: str) -> str:
    if _UNSAFE.search(item):
        from shlex import quote

        return quote(item)
    return f'"{item}"'
