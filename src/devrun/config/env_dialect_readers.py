"""How other programs read a ``.env`` file: one small reader for each.

They are models of what those programs do, for ``env_dialects`` to compare with. foreman 0.87.2,
honcho 2.0.0, node's dotenv 17.4.2 and ``node --env-file`` of Node 20 are compared with their models
in tests/env_dialects; ``docker run --env-file`` was measured once, with the docker CLI 28.2.2; the
reader of docker compose, in ``env_compose_reader``, is modelled from its documentation.

A reader takes the text of a file, its byte order mark and line ends included, and knows of no
other variables: what a program would take from its own environment is not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

GO_BLANKS = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""What Go's ``unicode.IsSpace`` is true of."""

_JAVASCRIPT_BLANKS = GO_BLANKS.replace("\x85", "") + "\ufeff"
"""What ``\\s`` matches in JavaScript, and ``trim`` removes."""

_DOCKER_LINE_LIMIT = 65_536
"""Bytes that a line of ``docker run --env-file`` has to stay below."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a program reads in one place: the line of the name, the name and its value."""

    line: int
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """The program ends with an error, because of this line."""

    line: int


Reading = tuple[Assignment, ...] | Refusal
"""All assignments in their order, the last of a name counts; or none at all."""


# -- foreman ------------------------------------------------------------------------------------

_FOREMAN_LINE = re.compile(r"([A-Za-z_0-9]+)=(.*)", re.ASCII | re.DOTALL)


def read_as_foreman(text: str) -> Reading:
    """Read lines of nothing but ``NAME=value``, where a quote counts at both ends only."""
    lines = text.replace("\r\n", "\n").split("\n")
    return tuple(
        Assignment(number, match[1], _foreman_value(match[2]))
        for number, line in enumerate(lines, 1)
        if (match := _FOREMAN_LINE.fullmatch(line))
    )


def _foreman_value(raw: str) -> str:
    if len(raw) < 2 or raw[0] != raw[-1] or raw[0] not in "'\"":
        return raw
    inner = raw[1:-1]
    if raw[0] == "'":
        return inner
    return re.sub(r"\\(.)", r"\1", inner.replace(r"\n", "\n"))


# -- honcho -------------------------------------------------------------------------------------

_HONCHO_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]*", re.ASCII)


def read_as_honcho(text: str) -> Reading:
    """Read each line as shell words, then put the value's words together without blanks.

    It ends with a traceback where a quote is open at the end of a line.
    """
    import shlex

    found: list[Assignment] = []
    for number, line in enumerate(_universal(text).splitlines(), 1):
        try:
            words = list(shlex.shlex(line, posix=True))
        except ValueError:
            return Refusal(number)
        if len(words) > 2 and words[1] == "=" and _HONCHO_NAME.match(words[0]):
            value = "".join(words[2:]).replace(r"\n", "\n").replace(r"\t", "\t")
            found.append(Assignment(number, words[0], value))
    return tuple(found)


def _universal(text: str) -> str:
    """Return text as files are read in Python."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


# -- node's dotenv ------------------------------------------------------------------------------

_DOTENV_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_EXPORT = re.compile(f"export[{_JAVASCRIPT_BLANKS}]+")
_BLANKS = re.compile(f"[{_JAVASCRIPT_BLANKS}]*")
_REST = re.compile(r"[^#\n]*")
_END = re.compile(f"[{_JAVASCRIPT_BLANKS}]*?(#|$)", re.MULTILINE)


def read_as_node_dotenv(text: str) -> Reading:
    """Read what looks like an assignment at the start of a line; the rest is passed over.

    A value in quotes ends at a quote with nothing but a comment behind it, lines later if need be;
    failing that, the value is what stands before ``#``.
    """
    return tuple(_dotenv_assignments(_universal(text)))


def _dotenv_assignments(text: str) -> Iterator[Assignment]:
    start = 0
    while start <= len(text):
        name = _dotenv_name(text, _after(_BLANKS, text, start))
        if name is not None:
            value, start = _dotenv_value(text, name[1])
            yield Assignment(text.count("\n", 0, name[0].start()) + 1, name[0][0], value)
        end = text.find("\n", start)
        start = len(text) + 1 if end < 0 else end + 1


def _after(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    return match.end() if match else start


def _dotenv_name(text: str, start: int) -> tuple[re.Match[str], int] | None:
    """Return the name, and where its value begins; ``export`` may be a name too."""
    for begin in dict.fromkeys((_after(_EXPORT, text, start), start)):
        if not (name := _DOTENV_NAME.match(text, begin)):
            continue
        equal = _after(_BLANKS, text, name.end())
        if text.startswith("=", equal):
            return name, equal + 1
        blank = text[name.end() + 1 : name.end() + 2]
        if text.startswith(":", name.end()) and blank and blank in _JAVASCRIPT_BLANKS:
            return name, name.end() + 2
    return None


def _dotenv_value(text: str, start: int) -> tuple[str, int]:
    """Return the value that begins in a place, and where it ends."""
    end = _dotenv_quoted_end(text, _after(_BLANKS, text, start)) or _after(_REST, text, start)
    value = text[start:end].strip(_JAVASCRIPT_BLANKS)
    is_double = value.startswith('"')
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"`":
        value = value[1:-1]
    if is_double:
        value = value.replace(r"\n", "\n").replace(r"\r", "\r")
    return value, end


def _dotenv_quoted_end(text: str, start: int) -> int | None:
    r"""Return where a quoted value ends.

    That is behind the first quote without a backslash, or behind the last of those with one that
    stand before it.
    """
    quote = text[start : start + 1]
    if not quote or quote not in "'\"`":
        return None
    closing = re.compile(rf"(?<!\\){quote}").search(text, start + 1)
    last = closing.end() if closing else len(text)
    # Without one, and from the last on, any quote will do.
    while last > start + 1:
        if text[last - 1] == quote and _END.match(text, last):
            return last
        last = text.rfind(quote, start + 1, last - 1) + 1
    return None


# -- node --env-file ----------------------------------------------------------------------------


def read_as_node_env_file(text: str) -> Reading:
    """Read names up to the next ``=``, even over lines, and values up to a quote or ``#``.

    So a line without ``=``, an indented comment or a blank line with blanks in it becomes part of
    the next name. Only spaces count as blanks; no backslash keeps a quote from ending a value.
    """
    return tuple(_env_file_assignments(text.replace("\r", "").strip(" ")))


def _env_file_assignments(text: str) -> Iterator[Assignment]:
    start = 0
    while start < len(text):
        if text[start] in "\n#" and (end := text.find("\n", start)) >= 0:
            start = end + 1
            continue
        equal = text.find("=", start)
        name = text[start:equal].strip(" ").removeprefix("export ")
        if equal in {-1, start}:
            return
        found = _env_file_value(text, equal + 1)
        if found is None:
            return
        value, start = found
        yield Assignment(text.count("\n", 0, equal) + 1, name, value)


def _env_file_value(text: str, start: int) -> tuple[str, int] | None:
    """Return the value that begins in a place, and where its line ends; None: all else is lost."""
    while text.startswith(" ", start):
        start += 1
    end = text.find("\n", start)
    quote = text[start : start + 1]
    if not quote or quote not in "'\"`":
        line = text[start:] if end < 0 else text[start:end]
        return line.partition("#")[0].strip(" "), len(text) if end < 0 else end
    closing = text.find(quote, start + 1)
    if closing < 0:
        return None if end < 0 else (text[start:end], end)
    value = text[start + 1 : closing]
    end = text.find("\n", closing + 1)
    return (
        value.replace(r"\n", "\n") if quote == '"' else value,
        len(text) if end < 0 else end,
    )


# -- docker run ---------------------------------------------------------------------------------


def read_as_docker_run(text: str) -> Reading:
    """Read lines of ``NAME=value`` with nothing special in the value, not even its blanks.

    A blank in a name, or no name, is an error; a name without a value is that of the environment.
    """
    found: list[Assignment] = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if len(line.encode("utf-8", "surrogatepass")) >= _DOCKER_LINE_LIMIT:
            return Refusal(number)
        stripped = line.removesuffix("\r").lstrip(GO_BLANKS)
        if not stripped or stripped.startswith("#"):
            continue
        name, equal, value = stripped.partition("=")
        if not name or " " in name or "\t" in name:
            return Refusal(number)
        if equal:
            found.append(Assignment(number, name, value))
    return tuple(found)
