"""Where the other programs that run Procfiles read one in another way.

What each does was measured with foreman 0.87.2, honcho 2.0.0, hivemind 1.1.0 and overmind 2.5.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from devrun.config.procfile import Entry, Procfile

_FAMILYS_NAME = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_GLUED = re.compile(r"\$(PORT|PS)(?=\w)", re.ASCII)
_KEPT_FROM_SHELL = re.compile(r"'[^']*\$(PORT|PS)\b[^']*'|\\\$(PORT|PS)\b")
_MOST = "foreman, honcho, hivemind and overmind"


def portability(text: bytes, procfile: Procfile) -> list[str]:
    """Return a line for each place that other programs read in another way.

    Args:
        text: The file as it is.
        procfile: What devrun reads in it.
    """
    lines = text.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape").split("\n")
    notes = [f"{procfile.path}:{line}: {note}" for line, note in _of_file(text, procfile)]
    for entry in procfile.entries:
        place = f"{procfile.path}:{entry.line}"
        notes += [f"{place}: {note}" for note in _of_line(lines[entry.line - 1], entry)]
    return notes


def _of_file(text: bytes, procfile: Procfile) -> Iterator[tuple[int, str]]:
    if text.startswith(b"\xef\xbb\xbf"):
        first = procfile.entries[0]
        yield 1, f'a byte order mark: others lose "{first.name}" if it stands in the first line'
    try:
        text.decode()
    except UnicodeDecodeError as error:
        line = text[: error.start].count(b"\n") + 1
        yield line, "not UTF-8: foreman and honcho refuse the file"


def _of_line(line: str, entry: Entry) -> Iterator[str]:
    name, _, rest = line.partition(":")
    if not _FAMILYS_NAME.fullmatch(entry.name):
        yield f'{_MOST} pass over the name "{entry.name}"; they take letters, digits, _ and -'
    elif name != entry.name:
        yield f"{_MOST} pass over a line with a blank before the name or before the colon"
    elif rest[:1] not in (" ", "\t"):
        yield "hivemind and overmind pass over a line without a blank behind the colon"
    if _KEPT_FROM_SHELL.search(entry.command):
        yield "foreman replaces $PORT and $PS even in single quotes and behind a backslash"
    if (glued := _GLUED.search(entry.command)) is not None:
        yield f"foreman reads ${glued[1]} here, and the rest of the name as text"
