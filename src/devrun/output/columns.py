"""How many terminal columns text takes."""

from __future__ import annotations


def display_width(text: str) -> int:
    """Return the columns that printable text takes on a terminal.

    Wide characters, emoji and combining marks are wcwidth's business; ASCII does without it.
    """
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth

    width: int = wcswidth(text)
    return width if width >= 0 else len(text)


def pad(text: str, columns: int) -> str:
    """Return the text with blanks behind it, so that it takes at least ``columns``."""
    return text + " " * max(0, columns - display_width(text))
