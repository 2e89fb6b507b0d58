"""The bytes before every line: who wrote it, in colour, as wide as the others if asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from devrun.appearance import ColorLevel, PrefixSettings, PrefixStyle, Style
from devrun.model import Service
from devrun.output.columns import display_width, pad

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from devrun.output.timestamp import Timestamp

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_MARK = re.compile(r"\{(index|pid|time|command|name|color|/color)\}")
_WIDEST_PID = "0" * 7
"""As long as the largest pid that Linux gives (PID_MAX_LIMIT is 4,194,304)."""


class Prefixes:
    """Renders prefixes, each with the one blank behind it.

    Args:
        level: How many colours the output may use; without any, styles are left out.
    """

    def __init__(
        self, settings: PrefixSettings, services: Sequence[Service], level: ColorLevel
    ) -> None:
        self._settings = settings
        self._services = services
        self._styles = settings.styles if level is not ColorLevel.NONE else ()
        style = settings.style
        self._marks = _MARK.split(style) if isinstance(style, str) else []
        self._begins_colored = "color" not in self._marks[1::2]
        self._timestamp: Timestamp | None = None
        self._columns = 0
        if settings.pad:
            self._columns = max((self._natural_width(s.index) for s in services), default=0)

    @property
    def is_static(self) -> bool:
        """Whether a service's prefix is always the same: no time and no pid in it."""
        if self._settings.timestamps:
            return False
        if self._marks:
            return {"time", "pid"}.isdisjoint(self._marks[1::2])
        return self._settings.style not in (PrefixStyle.TIME, PrefixStyle.PID)

    def width(self, index: int) -> int:
        """Return the columns that a service's prefix takes at most, the blank included."""
        width = max(self._columns, self._natural_width(index))
        stamp = display_width(self.time(0.0)) + 1 if self._settings.timestamps else 0
        return stamp + width + (1 if width else 0)

    def name(self, index: int) -> tuple[str, Style]:
        """Return a service's name in brackets, as wide as the others', and its colour.

        That is what can be said of it elsewhere, where pid and time are those of other lines; no
        text if the services have no prefixes.
        """
        color = self._styles[index] if index < len(self._styles) else Style()
        if self._style_of(index) is PrefixStyle.NONE:
            return "", color
        return f"[{pad(printable(self._services[index].label), self._columns - 2)}]", color

    def render(self, index: int, *, pid: int | None, now: float) -> bytes:
        """Return a service's prefix.

        Args:
            pid: Of its process, or None before it has one.
            now: Wall-clock time in seconds since the epoch.
        """
        prefix = self._prefix(index, "" if pid is None else str(pid), now)
        text = prefix + (" " if prefix else "")
        return self.stamp(now) + text.encode("utf-8", "backslashreplace")

    def stamp(self, now: float) -> bytes:
        """Return what every line begins with: the time, or nothing."""
        stamp = self.time(now) + " " if self._settings.timestamps else ""
        return stamp.encode("utf-8", "backslashreplace")

    def _prefix(self, index: int, pid: str, now: float) -> str:
        """Return the prefix with its colours: of all of it, or of what ``{color}`` encloses."""
        style = self._style_of(index)
        if style is PrefixStyle.NONE:
            return ""
        color = self._styles[index] if index < len(self._styles) else Style()
        if isinstance(style, PrefixStyle):
            value = self._value(style.value, index, pid, now)
            return f"{color.open}[{pad(value, self._columns - 2)}]{color.close}"
        parts = self._filled(index, pid, now)
        width = display_width("".join(text for text, _ in parts))
        _, is_last_colored = parts[-1]
        return _joined([*parts, (" " * (self._columns - width), is_last_colored)], color)

    def _filled(self, index: int, pid: str, now: float) -> list[tuple[str, bool]]:
        """Return the template with all values in place, in parts that are coloured or not.

        As concurrently has it, ``{color}`` without its end goes on to the end of the template, and
        ``{/color}`` without a beginning ends what began with the template.
        """
        colored = self._begins_colored
        parts: list[tuple[str, bool]] = []
        for place, text in enumerate(self._marks):
            if place % 2 == 0:
                parts.append((text, colored))
            elif text in ("color", "/color"):
                colored = text == "color"
            else:
                parts.append((self._value(text, index, pid, now), colored))
        return parts

    def _style_of(self, index: int) -> PrefixStyle | str:
        if self._settings.style is not None:
            return self._settings.style
        return PrefixStyle.NAME if self._services[index].name else PrefixStyle.INDEX

    def _value(self, name: str, index: int, pid: str, now: float) -> str:
        service = self._services[index]
        match name:
            case "index":
                return str(index)
            case "pid":
                return pid
            case "time":
                return self.time(now)
            case "command":
                return shortened(printable(service.command), self._settings.length)
            case _:
                return printable(service.name or "")

    def time(self, now: float) -> str:
        """Return a moment, in seconds since the epoch, as times are written."""
        if self._timestamp is None:
            from devrun.output.timestamp import Timestamp

            self._timestamp = Timestamp(self._settings.time_format)
        return self._timestamp.render(now)

    def _natural_width(self, index: int) -> int:
        """Return the columns without padding, with the longest pid and without the blank."""
        style = self._style_of(index)
        if style is PrefixStyle.NONE:
            return 0
        if isinstance(style, PrefixStyle):
            return display_width(self._value(style.value, index, _WIDEST_PID, 0.0)) + 2
        parts = self._filled(index, _WIDEST_PID, 0.0)
        return display_width("".join(text for text, _ in parts))


def _joined(parts: Sequence[tuple[str, bool]], color: Style) -> str:
    """Return the parts in order, each run of coloured ones in one pair of sequences."""
    from itertools import groupby

    runs = [
        (is_colored, "".join(text for text, _ in run))
        for is_colored, run in groupby(parts, key=lambda part: part[1])
    ]
    return "".join(
        color.open + text + color.close if is_colored and text else text
        for is_colored, text in runs
    )


def shortened(text: str, length: int) -> str:
    """Return the text with its middle left out, as concurrently does: head, ``..``, tail."""
    if len(text) <= length:
        return text
    kept = max(0, length - 2)
    head, tail = kept - kept // 2, kept // 2
    return text[:head] + ".." + (text[-tail:] if tail else "")


def printable(text: str) -> str:
    """Return the text on one line: control characters and undecodable bytes are escapes."""
    return _UNPRINTABLE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:  # A byte that is no UTF-8, as surrogateescape decodes it.
        return f"\\x{code - 0xDC00:02x}"
    return repr(match[0])[1:-1]


def event_text(text: str, level: ColorLevel) -> bytes:
    """Return text of devrun's own, without attributes that something left open before."""
    # A tab breaks no line, and scripts that read these lines know the command as it was written.
    encoded = "\t".join(map(printable, text.split("\t"))).encode()
    return encoded if level is ColorLevel.NONE else b"\x1b[0m" + encoded + b"\x1b[0m"


def global_line(text: str, level: ColorLevel) -> bytes:
    """Return a line of devrun's own that belongs to no service, without its line feed."""
    return event_text("-->", level) + b" " + event_text(text, level)
