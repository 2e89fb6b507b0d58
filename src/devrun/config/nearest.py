"""Did you mean: the nearest right spelling of a wrong word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate most like ``word``, or None if none is alike."""
    from difflib import get_close_matches

    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    matches = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else None


def hint(word: str, candidates: Iterable[str]) -> str:
    """Return ``; did you mean …?`` for a message, or nothing if no candidate is alike."""
    found = nearest(word, candidates)
    return f'; did you mean "{found}"?' if found else ""


def choices(word: str, candidates: Sequence[str]) -> str:
    """Return the end of a message about a wrong word: the nearest right one, and all of them."""
    listed = f"there are {', '.join(candidates)}"
    if len(candidates) == 1:
        listed = f'there is only "{candidates[0]}"'
    near = hint(word, candidates)
    return f"{near} T{listed[1:]}" if near else f"; {listed}"
