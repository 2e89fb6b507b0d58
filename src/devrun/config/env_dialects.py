"""Where other programs read a ``.env`` file differently from devrun.

What each reads is modelled in ``env_dialect_readers`` and ``env_compose_reader``. All read the file
by itself: what devrun or another would take from its environment is the same for all of them, and
may be a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from devrun.config.env_compose_reader import read_as_docker_compose
from devrun.config.env_dialect_readers import (
    Assignment,
    Reading,
    Refusal,
    read_as_docker_run,
    read_as_foreman,
    read_as_honcho,
    read_as_node_dotenv,
    read_as_node_env_file,
)
from devrun.config.env_difference_words import in_words
from devrun.config.environment import (
    bindings,
    interpolated,
)
from devrun.errors import UsageError

DIALECTS: tuple[tuple[str, Callable[[str], Reading]], ...] = (
    ("foreman", read_as_foreman),
    ("honcho", read_as_honcho),
    ("node dotenv", read_as_node_dotenv),
    ("node --env-file", read_as_node_env_file),
    ("docker run", read_as_docker_run),
    ("docker compose", read_as_docker_compose),
)
"""The programs by the names that they have in messages, each with its reader."""

REFUSED = "refuses the file"


@dataclass(frozen=True, slots=True)
class Difference:
    """An assignment that some programs read differently.

    Attributes:
        line: The assignment's first line, from 1.
        name: The variable's name; empty if a program refuses the file because of a line that is
            nothing to devrun.
        value: What devrun reads; it may be a secret.
        readings: Each program that differs, and what it reads; None if the variable is not set
            then. It may be a secret.
        words: The same programs in the same order, and what each does, without any value.
    """

    line: int
    name: str
    value: str
    readings: tuple[tuple[str, str | None], ...]
    words: tuple[tuple[str, str], ...]


def differences(text: str) -> tuple[Difference, ...]:
    """Return what programs read differently, in the order of lines.

    Only the last of several assignments of a name is compared, as only that counts. A program that
    refuses the file is named once, for the line because of which it does. A file that devrun itself
    refuses has no differences: that is an error, which whoever uses the file gets.

    Args:
        text: The whole file, its byte order mark and its line ends as they are.
    """
    own = read_as_devrun(text)
    if own is None:
        return ()
    found: dict[Assignment, list[tuple[str, str | None, str]]] = {}
    for dialect, reader in DIALECTS:
        for assignment, value, words in _of_dialect(own, reader(text)):
            found.setdefault(assignment, []).append((dialect, value, words))
    ordered = sorted(found, key=lambda assignment: assignment.line)
    return tuple(_difference(assignment, found[assignment]) for assignment in ordered)


def read_as_devrun(text: str) -> tuple[Assignment, ...] | None:
    """Read a file as devrun does if its environment is empty; None if it refuses the file."""
    try:
        own = bindings(text.removeprefix("\ufeff"), "")
    except UsageError:
        return None
    values: dict[str, str] = {}
    found: list[Assignment] = []
    for name, raw, line in own:
        values[name] = interpolated(raw, values)
        found.append(Assignment(line, name, values[name]))
    return tuple(found)


def sentence(difference: Difference, *, show_values: bool = False) -> str:
    """Return a difference as a line for a message, programs that do the same together.

    Args:
        difference: What to say.
        show_values: Show what is read, which may be a secret, where otherwise words stand.
    """
    groups: dict[str, list[str]] = {}
    for (dialect, words), (_, value) in zip(difference.words, difference.readings, strict=True):
        shown = repr(value) if show_values and value is not None else words
        groups.setdefault(shown, []).append(dialect)
    others = "; ".join(f"{', '.join(names)} ({shown})" for shown, names in groups.items())
    what = difference.name or "the line"
    own = f"{difference.value!r} here, " if show_values and difference.name else ""
    return f"{what} is {own}read differently by {others}"


def _of_dialect(
    own: Sequence[Assignment], reading: Reading
) -> Iterator[tuple[Assignment, str | None, str]]:
    """Yield the assignments that a program reads differently, what it reads, and words for it."""
    if isinstance(reading, Refusal):
        yield _at(own, reading.line), None, REFUSED
        return
    theirs = {assignment.name: assignment for assignment in reading}
    for assignment in {assignment.name: assignment for assignment in own}.values():
        other = theirs.get(assignment.name)
        if other is None:
            yield assignment, None, "not set"
        elif other.value != assignment.value:
            yield assignment, other.value, _words(own, assignment, other)


def _at(own: Sequence[Assignment], line: int) -> Assignment:
    """Return the assignment that stands in a line; one without a name if there is none."""
    before = [assignment for assignment in own if assignment.line <= line]
    return before[-1] if before else Assignment(line, "", "")


def _words(own: Sequence[Assignment], assignment: Assignment, other: Assignment) -> str:
    for earlier in own:
        if earlier.name == other.name and earlier.line == other.line != assignment.line:
            return f"takes line {other.line}"
    return in_words(assignment.value, other.value)


def _difference(assignment: Assignment, rows: Sequence[tuple[str, str | None, str]]) -> Difference:
    return Difference(
        assignment.line,
        assignment.name,
        assignment.value,
        tuple((dialect, value) for dialect, value, _ in rows),
        tuple((dialect, words) for dialect, _, words in rows),
    )
