"""Scripts of the package in the current folder, expanded from ``npm:watch-*`` and its kin."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from devrun.config.words import Word
from devrun.errors import UsageError

_SHORTCUT = re.compile(r"(npm|yarn|pnpm|bun|node|deno):(\S+)(.*)", re.DOTALL)
_RUNNERS = {"node": "node --run", "deno": "deno task"}
_DENO = "deno task"

_OMISSION = re.compile(r"\(!([^)]+)\)")
_RUN = re.compile(
    r"""
    (?<![\w./@-]) (?P<runner> (?:npm|yarn|pnpm|bun)\ run | node\ --run | deno\ task ) \ +
    (?P<script> (?: "[^"\s]*" | '[^'\s]*' | \(![^)]+\) | [^\s;&|()<>"'] )+ )
    """,
    re.VERBOSE,
)
_PLAIN = re.compile(r"[\w@%+=:,./-]+")


@dataclass(frozen=True, slots=True)
class _Glob:
    """A script with a wildcard, where it stands in a command line."""

    runner: str
    text: str
    start: int
    end: int


def expand(words: Sequence[Word], *, cwd: str, allow_empty: bool) -> tuple[Word, ...]:
    """Return the commands with shortcuts written out, and one for each script a wildcard matches.

    ``npm:build`` stands for ``npm run build`` and is called ``build``. In ``npm run watch-*`` the
    first ``*`` stands for anything; what it stands for is the name, behind the name that the
    command was given. ``(!…)`` in the script leaves out those that the regular expression is found
    in. All of this is concurrently's; the text around the script is kept, as its later versions do.

    Args:
        allow_empty: A wildcard that matches nothing is no error.

    Raises:
        UsageError: A wildcard matches nothing, its omission is no regular expression, or the file
            with the scripts is missing or broken.
    """
    expanded: list[Word] = []
    names: dict[str, tuple[str, ...]] = {}
    for word in map(_written_out, words):
        glob = _glob_in(word.command)
        if glob is None:
            expanded.append(word)
            continue
        if glob.runner not in names:
            found = script_names(glob.runner, cwd)
            if found is None and not allow_empty:
                raise UsageError(f'no package.json in this folder to find "{glob.text}" in')
            names[glob.runner] = tuple(found or ())
        matches = _matches(glob, names[glob.runner])
        if not matches and not allow_empty:
            raise UsageError(_no_match(glob, names[glob.runner]))
        expanded += [_for_script(word, glob, script, match) for script, match in matches]
    return tuple(_distinct(expanded))


def _written_out(word: Word) -> Word:
    found = _SHORTCUT.fullmatch(word.command)
    if found is None:
        return word
    runner = _RUNNERS.get(found[1], f"{found[1]} run")
    command = f"{runner} {found[2]}{found[3]}"
    if word.name is not None:
        return replace(word, command=command)
    return Word(found[2], command, derived=True)


def _glob_in(command: str) -> _Glob | None:
    """Return the first script of the line with a wildcard that is not inside of quotes."""
    for found in _RUN.finditer(command):
        if "*" in found["script"] and not _is_quoted(command[: found.start()]):
            text = found["script"].replace('"', "").replace("'", "")
            if command[found.end() :].startswith("("):
                raise UsageError(f'"{text}(": write (!…) with a regular expression in it')
            return _Glob(found["runner"], text, found.start("script"), found.end("script"))
    return None


def _is_quoted(before: str) -> bool:
    """Whether what follows ``before`` stands inside of quotes."""
    quote = ""
    for character in before:
        if not quote and character in "\"'":
            quote = character
        elif character == quote:
            quote = ""
    return bool(quote)


def _matches(glob: _Glob, scripts: Iterable[str]) -> list[tuple[str, str]]:
    """Return the scripts that a wildcard matches, each with what the star stands for."""
    omission = _OMISSION.search(glob.text)
    head, _, tail = _OMISSION.sub("", glob.text, count=1).partition("*")
    left_out = _omitted(omission[1], glob) if omission else None
    return [
        (script, script[len(head) : len(script) - len(tail)])
        for script in scripts
        if len(script) >= len(head) + len(tail)
        and script.startswith(head)
        and script.endswith(tail)
        and not (left_out and left_out.search(script))
    ]


def _omitted(text: str, glob: _Glob) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise UsageError(f'"{glob.text}": (!{text}) is no regular expression: {error}') from None


def _for_script(word: Word, glob: _Glob, script: str, match: str) -> Word:
    command = word.command[: glob.start] + _quoted(script) + word.command[glob.end :]
    if word.derived or word.name is None:
        return Word(match or None, command, derived=True)
    return Word(word.name + match, command)


def _quoted(script: str) -> str:
    if _PLAIN.fullmatch(script):
        return script
    from shlex import quote

    return quote(script)


def _distinct(words: Sequence[Word]) -> list[Word]:
    """Return the commands with a number behind names that scripts gave to several of them."""
    taken = {word.name for word in words if not word.derived}
    distinct: list[Word] = []
    for word in words:
        name, number = word.name, 1
        while word.derived and name is not None and name in taken:
            number += 1
            name = f"{word.name}:{number}"
        taken.add(name)
        distinct.append(replace(word, name=name))
    return distinct


# -- where scripts are written --------------------------------------------------------------------


def _no_match(glob: _Glob, scripts: Sequence[str]) -> str:
    from devrun.config.nearest import choices

    where = "deno.json and package.json" if glob.runner == _DENO else "package.json"
    known = choices(glob.text, scripts) if scripts else "; there are none"
    return f'no script in {where} matches "{glob.text}"{known} (--allow-empty lets that pass)'


def script_names(runner: str, cwd: str) -> Iterable[str] | None:
    """Return the names of the scripts that a runner finds, each once; None if there is no file.

    Raises:
        UsageError: The file is broken.
    """
    scripts = _names_in(cwd, ("package.json", "package.json5"), "scripts")
    if runner != _DENO:
        return scripts
    # deno runs a script of package.json where it has no task of that name.
    tasks = _names_in(cwd, ("deno.json", "deno.jsonc"), "tasks")
    if tasks is None and scripts is None:
        return None
    return dict.fromkeys((*(tasks or ()), *(scripts or ())))


def _names_in(cwd: str, files: Sequence[str], key: str) -> tuple[str, ...] | None:
    """Return the names below ``key`` in the first of the files that exists, or None."""
    for name in files:
        path = os.path.join(cwd, name)
        if os.path.isfile(path):
            content = _parsed(path, name)
            section = content.get(key) if isinstance(content, dict) else None
            return tuple(map(str, section)) if isinstance(section, dict) else ()
    return None


def _parsed(path: str, name: str) -> object:
    """Return the content of a JSON file, which may have comments and trailing commas."""
    import json

    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{name}: cannot be read: {reason}") from None
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        import json5  # Much slower, and needed for little.

    try:
        return json5.loads(text)
    except ValueError as error:
        reason = " ".join(str(error).split()).removeprefix("<string>:")
        line, _, what = reason.partition(" ")
        raise UsageError(f"{name}:{line}: {what}") from None
