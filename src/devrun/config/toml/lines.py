"""The line of every key of a TOML text, which ``tomllib`` does not tell.

The text is known to be right: this only finds its way through it. Keys are known by their path from
the root; a place in a list is a number.
"""

from __future__ import annotations

import re

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_GAP = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRINGS = {
    '"""': re.compile(r'"""(?:\\.|[^\\])*?"{3,5}', re.DOTALL),
    "'''": re.compile(r"'''.*?'{3,5}", re.DOTALL),
    '"': re.compile(r'"(?:\\.|[^"\\])*"'),
    "'": re.compile(r"'[^']*'"),
}
_SCALAR = re.compile(r"[^,\]}#\n]*")


def key_lines(text: str) -> dict[Path, int]:
    """Return the line of each table header and key, from 1, of a TOML text without mistakes.

    A table that has no header of its own has the line where it is first mentioned.
    """
    return _Walk(text.replace("\r\n", "\n")).lines()


class _Walk:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lines: dict[Path, int] = {}
        self._lengths: dict[Path, int] = {}
        """How many elements of each array of tables there are yet."""
        self._counted = 0
        self._line = 1

    def lines(self) -> dict[Path, int]:
        table: Path = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._next("["):
                table = self._header()
            else:
                self._assignment(table)
            self._skip(_BLANK)
        return self._lines

    # -- reading ----------------------------------------------------------------------------

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[0]

    def _next(self, expected: str) -> bool:
        if not self._text.startswith(expected, self._at):
            return False
        self._at += len(expected)
        return True

    def _here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _header(self) -> Path:
        is_array = self._next("[")
        line = self._here()
        keys = self._keys()
        self._next("]]" if is_array else "]")
        parent = self._enter((), keys[:-1], line)
        table = (*parent, keys[-1])
        if is_array:
            self._lines.setdefault(table, line)
            place = self._lengths.get(table, 0)
            self._lengths[table] = place + 1
            table = (*table, place)
        # Its own header says more than a table within it that came before.
        self._lines[table] = line
        return table

    def _assignment(self, table: Path) -> None:
        line = self._here()
        keys = self._keys()
        self._next("=")
        path = (*self._enter(table, keys[:-1], line), keys[-1])
        self._lines[path] = line
        self._skip(_GAP)
        self._value(path)

    def _enter(self, table: Path, keys: list[str], line: int) -> Path:
        for key in keys:
            table = (*table, key)
            self._lines.setdefault(table, line)
            if table in self._lengths:
                table = (*table, self._lengths[table] - 1)
        return table

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip(_GAP)
            keys.append(self._key())
            self._skip(_GAP)
            if not self._next("."):
                return keys

    def _key(self) -> str:
        quote = self._text[self._at]
        if quote not in _STRINGS:
            return self._skip(_BARE)
        token = self._skip(_STRINGS[quote])
        return token[1:-1] if "\\" not in token else _unescaped(token)

    def _value(self, path: Path) -> None:
        for quote, pattern in _STRINGS.items():
            if self._text.startswith(quote, self._at):
                self._skip(pattern)
                return
        if self._next("["):
            self._list(path)
        elif self._next("{"):
            self._inline_table(path)
        else:
            self._skip(_SCALAR)

    def _list(self, path: Path) -> None:
        place = 0
        self._skip(_BLANK)
        while not self._next("]"):
            element = (*path, place)
            self._lines[element] = self._here()
            self._value(element)
            place += 1
            self._skip(_BLANK)
            self._next(",")
            self._skip(_BLANK)

    def _inline_table(self, path: Path) -> None:
        self._skip(_BLANK)
        while not self._next("}"):
            self._assignment(path)
            self._skip(_BLANK)
            self._next(",")
            self._skip(_BLANK)


def _unescaped(token: str) -> str:
    import tomllib

    key: str
    (key,) = tomllib.loads(f"{token} = 0")
    return key
