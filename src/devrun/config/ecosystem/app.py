"""One app of an ecosystem file: its attributes, read as loosely as PM2 reads them.

Numbers may be texts and truth values may be words, as in PM2. What cannot be understood is an
error that names file, app and attribute.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite, isnan

from devrun.config import values
from devrun.config.ecosystem.attributes import Sorted
from devrun.errors import UsageError

_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG]?)(?:i?B)?", re.ASCII | re.IGNORECASE)
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}
_LEAST_MEMORY = 1024**2
_ARGUMENT = re.compile(r"""[^\s"'=]+="[^"]*"|[^\s"'=]+='[^']*'|"[^"]*"|'[^']*'|\S+""")
"""How PM2 splits (``lib/tools/Config.js``): ``--a="b c"`` keeps its quotes, ``"b c"`` does not."""


@dataclass(frozen=True, slots=True)
class Regex:
    """A regular expression of JavaScript."""

    source: str
    flags: str = ""


@dataclass(frozen=True, slots=True)
class App:
    """An app as the file has it.

    Attributes:
        name: What it is called.
        place: The file, or file and line, for messages.
        given: Its attributes.
        folder: Absolute path of the folder it runs in.
        environ: The environment devrun was started with.
        warnings: What the user should know; grows while the app is read.
    """

    name: str
    place: str
    given: Sorted
    folder: str
    environ: Mapping[str, str]
    warnings: list[str] = field(default_factory=list)

    def warn(self, message: str) -> None:
        """Remember what the user should know."""
        self.warnings.append(message)

    def has(self, attribute: str) -> bool:
        """Whether an attribute is given."""
        return attribute in self.given.values

    def get(self, attribute: str) -> object:
        """Return what stands behind an attribute, or None."""
        return self.given.values.get(attribute)

    def wrong(self, attribute: str, reason: str) -> UsageError:
        """Return the error that an attribute is wrong."""
        value = self.get(attribute)
        shown = f' "{js_text(value)}"' if isinstance(value, bool | int | float | str) else ""
        return UsageError(f"{self._at(attribute)}{shown}: {reason}")

    def _at(self, attribute: str) -> str:
        return f'{self.place}: app "{self.name}": {attribute}'

    def text(self, attribute: str) -> str | None:
        """Return a text; a number is taken for its digits.

        Raises:
            UsageError: It is neither.
        """
        value = self.get(attribute)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise self.wrong(attribute, "not a text")
        text = js_text(value)
        if "\0" in text:
            raise UsageError(f"{self._at(attribute)}: a NUL character in it")
        return text

    def flag(self, attribute: str, *, default: bool) -> bool:
        """Return a truth value: true, false, 1, 0, or one of these as text.

        Raises:
            UsageError: It is none.
        """
        value = self.get(attribute)
        if value is None:
            return default
        if value in (True, "true", "1"):
            return True
        if value in (False, "false", "0", ""):
            return False
        raise self.wrong(attribute, "write true or false")

    def count(self, attribute: str, *, least: int = 0, most: int = 1_000_000_000) -> int | None:
        """Return a whole number, which may stand there as text.

        Raises:
            UsageError: It is none, or out of bounds.
        """
        value = self.get(attribute)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise self.wrong(attribute, "not a whole number")
        return values.whole_number(js_text(value), self._at(attribute), least=least, most=most)

    def seconds(self, attribute: str) -> float | None:
        """Return a time: milliseconds, or a text such as ``10s``.

        Raises:
            UsageError: It is none.
        """
        value = self.get(attribute)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise self.wrong(attribute, "not a time; write milliseconds, or for example 10s")
        return values.duration(js_text(value), self._at(attribute), bare_unit="ms")

    def bytes(self, attribute: str) -> int | None:
        """Return a size: bytes, or a text such as ``500M``; None for 0.

        Raises:
            UsageError: It is none, or so small that a unit must be missing.
        """
        value = self.get(attribute)
        if value is None:
            return None
        text = js_text(value).strip() if isinstance(value, int | float | str) else ""
        found = _SIZE.fullmatch(text)
        if isinstance(value, bool) or found is None:
            raise self.wrong(attribute, "not a size; write for example 500M or 1G")
        size = int(float(found[1]) * _UNITS[found[2].upper()])
        if 0 < size < _LEAST_MEMORY:
            raise self.wrong(attribute, f'that is {size} bytes; did you mean "{found[1]}M"?')
        return size or None

    def words(self, attribute: str) -> tuple[str, ...]:
        """Return a list of texts; one text is split as PM2 splits it.

        Raises:
            UsageError: It is neither a list nor a text.
        """
        value = self.get(attribute)
        if value is None:
            return ()
        if isinstance(value, str):
            return split_arguments(value)
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(item, bool | int | float | str) for item in items):
            raise self.wrong(attribute, "not a list of texts")
        return tuple(js_text(item) for item in items)

    def path(self, attribute: str) -> str | None:
        """Return an absolute path; a relative one is relative to the app's folder.

        Raises:
            UsageError: It is no text.
        """
        text = self.text(attribute)
        return None if text is None else absolute(text, self.folder)


def absolute(path: str, folder: str) -> str:
    """Return a path made absolute, with ``~`` for the user's home."""
    return os.path.normpath(os.path.join(folder, os.path.expanduser(path)))


def split_arguments(text: str) -> tuple[str, ...]:
    """Return the arguments in a text, split as PM2 does and no shell: ``it's`` is one word."""
    words = [_unquoted(word) for word in _ARGUMENT.findall(text)]
    return tuple(word for word in words if word.strip())


def _unquoted(word: str) -> str:
    if word[0] == word[-1] and word[0] in "\"'":
        return word[1:-1]
    return word


def js_text(value: object) -> str:
    """Return what JavaScript makes of a plain value as text: ``true``, ``3000``, ``1e+21``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _js_number(value) if isinstance(value, float) else str(value)


def _js_number(value: float) -> str:
    """Return a number as ECMA-262 has it (Number::toString)."""
    if not isfinite(value):
        return "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.removesuffix(".0").partition(".")
    point = len(whole) + int(exponent or "0")
    digits = (whole + fraction).lstrip("0")
    point -= len(whole + fraction) - len(digits)
    digits = digits.rstrip("0")
    sign = "-" if value < 0 else ""
    if not digits:
        return "0"
    if 0 < point <= 21:
        padded = digits.ljust(point, "0")
        return f"{sign}{padded[:point]}{'.' * (len(padded) > point)}{padded[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    rest = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{rest}e{point - 1:+d}"


def is_number(text: str) -> bool:
    """Whether a text is a decimal number."""
    return _NUMBER.fullmatch(text.strip()) is not None
