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
            target = find_service(text.removeprefix(start), names, f"--success {text}")
            return SuccessCondition(kind, frozenset({target}))
    from devrun.config.nearest import choices

    known = (*_PLAIN, "command-NAME", "!command-NAME")
    raise UsageError(f'--success "{text}": not a condition{choices(text, known)}')


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
