"""The words of npm-run-all, run-p and run-s: which scripts they run, and how.

The meaning is that of npm-run-all 4 and npm-run-all2 (their ``bin/common/parse-cli-args.js`` where
the documentation is silent): groups of scripts, one group after another, the scripts of a group all
at once or in turn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from devrun.config.shell_line import ShellWord, simple_commands

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
_RUNNERS = ("npm", "pnpm", "yarn", "bun")
_PARALLEL_ONLY = {"race": "-r", "aggregate": "--aggregate-output"}

_PLACEHOLDER = re.compile(r"\{!?(?:[@*%]|\d+)[^}]*\}")
_GOOD_PLACEHOLDER = re.compile(r"\{(?:[@*]|[1-9]\d*)\}")
_PLAIN = re.compile(r"(?:[\w@%+=:,./$-]|\{(?:[@*]|[1-9]\d*)\})+")
_SHELL_PART = re.compile(r"""\\.|'[^']*'|"(?:\\.|[^"\\])*"|[^'"\\]+""", re.DOTALL)


class CannotConvert(Exception):  # noqa: N818 - an outcome, which becomes a note
    """A line means something that devrun has no words for; the message says what."""


@dataclass(frozen=True, slots=True)
class Task:
    """What one word asks for.

    Attributes:
        pattern: The name of a script, or a glob.
        arguments: What is given to the script, ready for a shell, with a blank in front.
    """

    pattern: str
    arguments: str

    @property
    def has_placeholder(self) -> bool:
        """Whether there are ``{1}``, ``{@}`` or ``{*}`` in the arguments."""
        return _GOOD_PLACEHOLDER.search(self.arguments) is not None


@dataclass(slots=True)
class Group:
    """Tasks that run all at once, or in turn."""

    parallel: bool
    tasks: list[Task] = field(default_factory=list)


@dataclass(slots=True)
class Invocation:
    """A line of npm-run-all.

    Attributes:
        switches: What is switched on, by the words of the table above.
        most: How many run at once, if that is limited.
        runner: The package manager that the line names, if it does.
        arguments: What stands behind ``--`` as it is written, or None if there is no ``--``.
    """

    groups: list[Group]
    switches: set[str] = field(default_factory=set)
    most: int | None = None
    runner: str | None = None
    arguments: list[str] | None = None


def read_npm_run_all(program: str, words: Sequence[ShellWord]) -> Invocation:
    """Return what a line means.

    Args:
        program: ``npm-run-all``, ``run-p`` or ``run-s``.
        words: What stands behind it.

    Raises:
        CannotConvert: Not even npm-run-all would run it, or devrun could not.
    """
    line = Invocation([Group(parallel=program == "run-p")])
    rest = list(_separated(words))
    while rest:
        text, word = rest.pop(0)
        if text == "--":
            line.arguments = [word.raw for _, word in rest]
            break
        if text in ("--max-parallel", "--npm-path", "--color-mode"):
            _take_value(line, text, rest.pop(0)[0] if rest else "")
        elif text.startswith("-"):
            _take_switch(line, text, is_single=program != "npm-run-all")
        else:
            line.groups[-1].tasks.append(_task(word))
    line.groups = [group for group in line.groups if group.tasks]
    _check(line)
    return line


def double_quoted(text: str) -> str:
    """Return text as one word for the shells of all systems; variables in it stay alive."""
    text = re.sub(r'\\+(?=["$`\n]|\Z)|\\{2,}', lambda backslashes: backslashes[0] * 2, text)
    return '"' + text.replace('"', '\\"') + '"'


def _separated(words: Sequence[ShellWord]) -> Iterator[tuple[str, ShellWord]]:
    """Yield the words, and flags that stand together one by one."""
    for word in words:
        if re.fullmatch(r"-[clnprs]{2,}", word.text):
            yield from ((f"-{letter}", word) for letter in word.text[1:])
        else:
            yield word.text, word


def _take_value(line: Invocation, option: str, value: str) -> None:
    if option == "--max-parallel":
        if not re.fullmatch(r"0*[1-9]\d*", value, re.ASCII):
            raise CannotConvert(f"--max-parallel {value} is no number of scripts")
        line.most = int(value)
    elif option == "--npm-path":
        if value not in _RUNNERS:
            raise CannotConvert(f"--npm-path {value}: devrun knows {', '.join(_RUNNERS)}")
        line.runner = value


def _take_switch(line: Invocation, text: str, *, is_single: bool) -> None:
    if is_single and text == "-s":
        line.switches.add("silent")
    elif not is_single and text in _GROUPS:
        line.groups.append(Group(_GROUPS[text]))
    elif text in _SWITCHES:
        line.switches.add(_SWITCHES[text])
    else:
        raise CannotConvert(f"there is no {text} in devrun")


def _task(word: ShellWord) -> Task:
    """Return what a word asks for: up to the first blank it is a name, behind it arguments."""
    _check_expansions(word)
    pattern, _, arguments = word.text.strip().partition(" ")
    for placeholder in _PLACEHOLDER.findall(word.text):
        if placeholder in pattern or not _GOOD_PLACEHOLDER.fullmatch(placeholder):
            raise CannotConvert(f"the placeholder {placeholder}")
    if "$" in pattern or "`" in pattern:
        raise CannotConvert(f'which script "{pattern}" is, only the shell knows')
    return Task(pattern, _for_shells(arguments))


def _check_expansions(word: ShellWord) -> None:
    """Refuse what a shell would come to expand only because the quotes around it are gone."""
    for part in _SHELL_PART.findall(word.raw):
        is_dead = part[0] in "'\\" or re.search(r"\\[$`]", part)
        if is_dead and ("$" in part or "`" in part):
            raise CannotConvert(f"the $ or ` in {word.raw}")


def _for_shells(arguments: str) -> str:
    """Return a script's arguments for a shell; npm-run-all itself expands nothing in them."""
    commands = simple_commands(arguments)
    if commands is None or len(commands) > 1 or any(c.before or c.after for c in commands):
        raise CannotConvert(f'the arguments "{arguments.strip()}"')
    words = commands[0].words if commands else ()
    return "".join(
        " " + (word.raw if _PLAIN.fullmatch(word.raw) else double_quoted(word.text))
        for word in words
    )


def _check(line: Invocation) -> None:
    if not line.groups:
        raise CannotConvert("it names no script")
    if not any(group.parallel for group in line.groups):
        for switch, flag in _PARALLEL_ONLY.items():
            if switch in line.switches:
                raise CannotConvert(f"{flag} is for scripts in parallel alone")
        if line.most is not None:
            raise CannotConvert("--max-parallel is for scripts in parallel alone")
    if {"race", "continue"} <= line.switches:
        raise CannotConvert("-r with -c ends the others after a success alone")
    wanting = [any(task.has_placeholder for task in group.tasks) for group in line.groups]
    if line.arguments is None and any(wanting):
        raise CannotConvert("a placeholder, and no -- behind which its value could stand")
    if line.arguments is not None and any(wanting[:-1]):
        raise CannotConvert("the arguments behind -- are for several commands")
