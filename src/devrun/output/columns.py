"""How many terminal columns text takes."""

from __future__ import annotations


def display_width(text: str) -> int:
    """Return the columns that printable text takes on a terminal.

    Wide characters, emoji, combining marks and joiners are wcwidth's business; ASCII does without
    importing it. Text with control characters has no width; its characters are counted.
    """
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth

    width: int = wcswidth(text)
    return width if width >= 0 else len(text)


def pad(text: str, columns: int) -> str:
    """Return the text with blanks behind it, so that it takes at least ``columns``."""
    return text + " " * max(0, columns - display_width(text))


def cut(text: str, columns: int) -> str:
    """Return the text, or as much of its beginning as fits into ``columns`` with an ellipsis."""
    if display_width(text) <= columns:
        return text
    fitting, too_long = 0, len(text)
    while too_long - fitting > 1:
        middle = (fitting + too_long) // 2
        if display_width(text[:middle]) < columns:
            fitting = middle
        else:
            too_long = middle
    return text[:fitting] + "…"
