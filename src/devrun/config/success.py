"""``--success``: whose exit decides whether the run succeeded."""

from __future__ import annotations

import re
from collections.abc import Sequence

from devrun.errors import UsageError
from devrun.model import SuccessCondition, SuccessKind

_PLAIN = {
    "all": SuccessKind.ALL,
    "first": SuccessKind.FIRST,
    "last": SuccessKind.LAST,
}
_INDEX = re.compile(r"\d{1,9}", re.ASCII)


def parse_success(text: str, names: Sequence[str | None]) -> SuccessCondition:
    """Parse ``all``, ``first``, ``last``, ``command-NAME`` or ``!command-NAME``.

    Args:
        names: The services' names by index; ``NAME`` is one of them, or an index.

    Raises:
        UsageError: It is none of these, or there is no such service.
    """
    if text in _PLAIN:
        return SuccessCondition(_PLAIN[text])
    for start, kind in (
        ("command-", SuccessKind.COMMAND),
        ("!command-", SuccessKind.NOT_COMMAND),
    ):
        if text.startswith(start):
            targets = find_services(text.removeprefix(start), names, f"--success {text}")
            return SuccessCondition(kind, targets)
    from devrun.config.nearest import choices

    known = (*_PLAIN, "command-NAME", "!command-NAME")
    raise UsageError(f'--success "{text}": not a condition{choices(text, known)}')


def find_services(word: str, names: Sequence[str | None], place: str) -> frozenset[int]:
    """Return the indices of what a word stands for; ``web`` means ``web.1``, ``web.2`` … too.

    Raises:
        UsageError: There is no such service; the message begins with ``place``.
    """
    if word not in names:
        instances = re.compile(re.escape(word) + r"\.\d+", re.ASCII)
        found = {index for index, name in enumerate(names) if name and instances.fullmatch(name)}
        if found:
            return frozenset(found)
    return frozenset((find_service(word, names, place),))


def find_service(word: str, names: Sequence[str | None], place: str) -> int:
    """Return the index of the service that a name or an index stands for; a name goes first.

    Raises:
        UsageError: There is none; the message begins with ``place``.
    """
    if word in names:
        return list(names).index(word)
    if _INDEX.fullmatch(word) and int(word) < len(names):
        return int(word)
    from devrun.config.nearest import choices

    known = [name or str(index) for index, name in enumerate(names)]
    raise UsageError(f'{place}: no service "{word}"{choices(word, known)}')
