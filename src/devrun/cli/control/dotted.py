"""Tables as their values, each by its keys with dots between them: ``stop.timeout``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


def leaves(table: Mapping[str, object], above: str = "") -> Iterator[tuple[str, object]]:
    """Yield all that is no table, with its keys joined by dots."""
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value
