"""How docker compose reads a file of ``env_file:``, by its documentation.

Modelled from "Syntax for environment files in Docker Compose" and "Interpolation" in the manual of
compose v2, and from what its parser's published tests expect; it is not compared with a real one.
Variables of the environment, which would come first, are none here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from devrun.config.env_dialect_readers import GO_BLANKS, Assignment, Reading, Refusal

_BLANKS_OF_LINE = "\t\v\f\r \x85\xa0"
_EXPORT = re.compile(r"export(?=[\t\n\f\r ])")
_ESCAPE = re.compile(r'\\(0\d{0,3}|[abcfnrtv$"\\])', re.ASCII)
_MEANT = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_NAME = r"[A-Za-z_][A-Za-z_0-9]*"
_REFERENCE = re.compile(
    rf"\$(?:(?P<dollar>\$)|(?P<plain>{_NAME})|(?P<brace>\{{)(?P<inner>{_NAME}(?:\}}|:?[-+?].*\}}))?)"
)
_OPERATOR = re.compile(rf"({_NAME})(:?)([-+?])(.*)\Z", re.DOTALL)


class _WrongError(Exception):
    """Compose refuses this."""


def read_as_docker_compose(text: str) -> Reading:
    """Read assignments with ``=`` or ``:``, quotes over lines, and ``$NAME`` replaced.

    Nothing is replaced within single quotes. A character that no name has, a quote that is not
    closed and a ``${`` without a name are errors.
    """
    text = text.removeprefix("\ufeff")
    found: list[Assignment] = []
    values: dict[str, str] = {}
    start = 0
    while (start := _next_statement(text, start)) < len(text):
        line = text.count("\n", 0, start) + 1
        try:
            name, begin, is_bare = _name(text, start)
            if is_bare:
                start = begin
                continue
            value, start = _value(text, begin, values)
        except (_WrongError, RecursionError):
            return Refusal(line)
        values[name] = value
        found.append(Assignment(line, name, value))
    return tuple(found)


def _next_statement(text: str, start: int) -> int:
    while start < len(text):
        if text[start] in GO_BLANKS:
            start += 1
        elif text[start] == "#":
            end = text.find("\n", start)
            start = len(text) if end < 0 else end
        else:
            break
    return start


def _name(text: str, start: int) -> tuple[str, int, bool]:
    """Return a name, what stands behind it, and whether that is nothing."""
    if match := _EXPORT.match(text, start):
        start = _skip_blanks(text, match.end())
        if start == len(text):
            raise _WrongError
    for place in range(start, len(text)):
        letter = text[place]
        if letter in "=:\n":
            name = text[start:place].rstrip(GO_BLANKS)
            if " " in name:
                raise _WrongError
            return name, _skip_blanks(text, place + 1), letter == "\n"
        if not (letter.isalnum() or letter in "_.-[]" or letter in _BLANKS_OF_LINE):
            raise _WrongError
    return "", len(text), True


def _skip_blanks(text: str, start: int) -> int:
    while start < len(text) and text[start] in _BLANKS_OF_LINE:
        start += 1
    return start


def _value(text: str, start: int, values: Mapping[str, str]) -> tuple[str, int]:
    """Return the value that begins in a place, and where the next statement may begin."""
    quote = text[start : start + 1]
    if quote == '"':
        inner, end = _quoted(text, start)
        return _replaced(_ESCAPE.sub(_unescaped, inner), values), end
    if quote == "'":
        return _quoted(text, start)
    line, _, rest = text[start:].partition("\n")
    value = line.partition(" #")[0].rstrip(GO_BLANKS)
    return _replaced(value, values), len(text) - len(rest)


def _quoted(text: str, start: int) -> tuple[str, int]:
    quote = text[start]
    match = re.compile(rf"((?:\\.|[^\\{quote}])*){quote}", re.DOTALL).match(text, start + 1)
    if match is None:
        raise _WrongError
    escaped = f"\\{quote}"
    inner = re.sub(
        r"\\.",
        lambda pair: quote if pair[0] == escaped else pair[0],
        match[1],
        flags=re.DOTALL,
    )
    return inner, match.end()


def _unescaped(match: re.Match[str]) -> str:
    letter = match[1]
    if letter == "$":
        return "$$"
    if not letter.startswith("0"):
        return _MEANT.get(letter, match[0] if letter == "c" else letter)
    digits = letter[1:]
    if len(digits) == 3 and not set(digits) & {"8", "9"} and (code := int(digits, 8)) < 256:
        return chr(code)
    return "\\" + digits


def _replaced(text: str, values: Mapping[str, str]) -> str:
    done = ""
    while match := _REFERENCE.search(text):
        value, end = _replacement(match, values)
        done += text[: match.start()] + value
        text = text[end:]
    return done + text


def _replacement(match: re.Match[str], values: Mapping[str, str]) -> tuple[str, int]:
    """Return what stands for a reference, and where it ends."""
    if match["dollar"]:
        return "$", match.end()
    if match["plain"]:
        return values.get(match["plain"], ""), match.end()
    if match["inner"] is None:
        raise _WrongError
    end = _closing_brace(match[0])
    return _braced(match[0][2:end], values), match.start() + end + 1


def _closing_brace(text: str) -> int:
    """Return where the first brace is closed, or the last one if it is not."""
    depth, place = 0, 0
    while place < len(text):
        if text[place] == "}":
            depth -= 1
            if depth == 0:
                return place
        elif text[place] == "{":
            depth += 1
            place += 1
        place += 1
    return len(text) - 1


def _braced(inner: str, values: Mapping[str, str]) -> str:
    match = _OPERATOR.match(inner)
    if match is None:
        return values.get(inner, "")
    name, colon, operator, word = match.groups()
    is_there = bool(values.get(name)) if colon else name in values
    match operator:
        case "+":
            return _replaced(word, values) if is_there else values.get(name, "")
        case "-":
            return values[name] if is_there else _replaced(word, values)
        case _ if is_there:
            return values[name]
        case _:
            raise _WrongError
