"""The words behind one of the commands that ask a running devrun."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from devrun.cli.control.choice import Place
from devrun.errors import UsageError

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from devrun.config.option_reader import Request
    from devrun.config.settings import Value


class Line:
    """What was said.

    No dataclass, because importing those takes 9 ms.

    Attributes:
        command: The command, for messages.
        words: What is no option.
    """

    __slots__ = ("_values", "command", "environ", "words")

    def __init__(
        self,
        command: str,
        environ: Mapping[str, str],
        words: Sequence[str] = (),
        values: Mapping[str, Value] | None = None,
    ) -> None:
        self.command = command
        self.environ = environ
        self.words = words
        self._values = values or {}

    def has(self, field: str) -> bool:
        """Whether a switch is on."""
        return self._values.get(field) is True

    def text(self, field: str) -> str | None:
        """Return the value of an option, or None."""
        value = self._values.get(field)
        return value if isinstance(value, str) else None

    @property
    def as_json(self) -> bool:
        """Whether programs are to read what is said."""
        return self.has("json")

    @property
    def color(self) -> bool | None:
        """What ``--color`` says, or None."""
        value = self._values.get("color")
        return value if isinstance(value, bool) else None

    @property
    def place(self) -> Place:
        """Where the run is looked for.

        Raises:
            UsageError: The current folder is gone.
        """
        try:
            return Place(os.getcwd(), self.environ, self.text("project"))
        except FileNotFoundError:
            message = "the current folder does not exist any more; change to another"
            raise UsageError(message) from None

    def without_words(self) -> Line:
        """Return this line.

        Raises:
            UsageError: There are words.
        """
        if self.words:
            raise UsageError(f'{self.command}: nothing can follow; there is "{self.words[0]}"')
        return self

    def with_words(self, example: str) -> Line:
        """Return this line.

        Raises:
            UsageError: There is no word; the message shows an example.
        """
        if not self.words:
            raise UsageError(f"{self.command} needs the name of a service: {example}")
        return self


def read_line(command: str, words: Sequence[str], environ: Mapping[str, str]) -> Line | Request:
    """Return what the words behind a command mean.

    Raises:
        UsageError: An option is unknown, stands twice, or has no value or a wrong one.
    """
    if not words:
        return Line(command, environ)
    from devrun.cli.control.options import TABLES
    from devrun.config.option_reader import OptionReader

    reader = OptionReader(TABLES[command], f"devrun {command}")
    request = reader.read(words)
    if request is not None:
        return request
    return Line(command, environ, (*reader.words, *reader.behind), reader.values)
