"""What is different between two readings of one value, in words that do not show the value."""

from __future__ import annotations

import re
from collections.abc import Callable

_QUOTES = re.compile(r"['\"]")
_BLANKS = re.compile(r"\s")
_CONTROL = re.compile(r"[\a\b\t\v\f\r]")


def in_words(ours: str, theirs: str) -> str:
    """Return what another program does that devrun does not.

    Args:
        ours: What devrun reads.
        theirs: What the other reads, which is something else.
    """
    for rule in _RULES:
        if (words := rule(ours, theirs)) is not None:
            return words
    return "another value"


def _of_references(ours: str, theirs: str) -> str | None:
    return "literal ${…}" if "${" in theirs and "${" not in ours else None


def _of_comments(ours: str, theirs: str) -> str | None:
    kept = theirs.strip()
    if kept.startswith(ours) and kept.removeprefix(ours).lstrip().startswith("#"):
        return "keeps the comment"
    if ours.startswith(theirs) and ours.removeprefix(theirs).lstrip().startswith("#"):
        return "cut at #"
    return None


def _of_outer_quotes(ours: str, theirs: str) -> str | None:
    kept = theirs.strip()
    quote = kept[:1]
    if not quote or quote not in "'\"`" or ours[:1] == quote:
        return None
    end = kept.rfind(quote)
    if end == 0:
        return "one line only"
    if end == len(kept) - 1:
        return "keeps the quotes"
    return "keeps quotes and comment" if kept[end + 1 :].lstrip().startswith("#") else None


def _of_lines(ours: str, theirs: str) -> str | None:
    if "\r" in theirs and theirs.replace("\r", "") == ours.replace("\r", ""):
        return "keeps CR at line ends"
    if "\n" in ours and ours.split("\n", 1)[0] == theirs:
        return "one line only"
    written = theirs.replace("\n", r"\n")
    if ours in {written, written.replace("\t", r"\t")}:
        return r"makes a line end of \n, a tab of \t"
    return None


def _of_letters_left_out(ours: str, theirs: str) -> str | None:
    if ours.strip("`") == theirs:
        return "without the backticks"
    if _QUOTES.sub("", ours) == theirs:
        return "without the inner quotes"
    if _BLANKS.sub("", ours) == theirs:
        return "without the blanks"
    if _BLANKS.sub("", _QUOTES.sub("", ours)) == theirs:
        return "without blanks and inner quotes"
    return None


def _of_blanks(ours: str, theirs: str) -> str | None:
    return "keeps the blanks" if ours == theirs.strip() else None


def _of_backslashes(ours: str, theirs: str) -> str | None:
    more = theirs.count("\\") - ours.count("\\")
    if more > 0:
        is_cut = theirs.endswith("\\") and _QUOTES.search(ours)
        return "cut at a quote" if is_cut else "keeps the backslashes"
    return "without the backslashes" if more < 0 else None


def _of_dollars(ours: str, theirs: str) -> str | None:
    return "replaces $…" if ours.count("$") > theirs.count("$") else None


def _of_escapes(ours: str, theirs: str) -> str | None:
    fewer = len(_CONTROL.findall(theirs)) < len(_CONTROL.findall(ours))
    return "knows fewer escapes" if fewer else None


_RULES: tuple[Callable[[str, str], str | None], ...] = (
    _of_references,
    _of_comments,
    _of_outer_quotes,
    _of_lines,
    _of_letters_left_out,
    _of_blanks,
    _of_backslashes,
    _of_dollars,
    _of_escapes,
)
"""The first that has words for it is right."""
