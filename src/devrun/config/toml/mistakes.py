"""Several mistakes at once: a run needs the first one only, ``devrun check`` tells them all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from devrun.errors import UsageError


class Mistakes(UsageError):  # noqa: N818 - there is more than one
    """What is wrong with files; as an error, it is the first of them.

    Attributes:
        messages: All that is wrong, a line each.
    """

    def __init__(self, messages: Sequence[str]) -> None:
        super().__init__(messages[0])
        self.messages = tuple(messages)


class Gathering:
    """Goes on after a mistake, so that those behind it are found too."""

    def __init__(self) -> None:
        self._messages: list[str] = []

    @contextmanager
    def part(self) -> Iterator[None]:
        """Gather what is wrong with a part that others do not need."""
        try:
            yield
        except UsageError as error:
            self._messages += messages_of(error)

    def end(self) -> None:
        """Go no further if there were mistakes.

        Raises:
            Mistakes: There were.
        """
        if self._messages:
            raise Mistakes(list(dict.fromkeys(self._messages)))


def messages_of(error: UsageError) -> tuple[str, ...]:
    """Return all that an error has to say, a line each."""
    return error.messages if isinstance(error, Mistakes) else (str(error),)
