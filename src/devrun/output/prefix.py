"""The bytes before every line: who wrote it, in colour, as wide as the others if asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from devrun.model import ColorLevel, PrefixSettings, PrefixStyle, Service, Style
from devrun.output.columns import display_width, pad

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_PLACEHOLDER = re.compile(r"\{(index|pid|time|command|name)\}")
_COLORED = re.compile(r"\{color\}(.*?)(?:\{/color\}|\Z)", re.DOTALL)
_PID_WIDTH = 7
"""Digits of the largest pid that Linux gives (PID_MAX_LIMIT is 4,194,304)."""


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
        self._colored = level is not ColorLevel.NONE
        self._columns = max((self._natural_width(s.index) for s in services), default=0)

    @property
    def is_static(self) -> bool:
        """Whether a service's prefix is always the same: no time and no pid in it."""
        style = self._settings.style
        if self._settings.timestamps or style in (PrefixStyle.TIME, PrefixStyle.PID):
            return False
        return not (isinstance(style, str) and ("{time}" in style or "{pid}" in style))

    def width(self, index: int) -> int:
        """Return the columns that a service's prefix takes, the blank included."""
        width = self._columns if self._settings.pad else self._natural_width(index)
        if self._settings.timestamps:
            width += display_width(self._time(0.0)) + 1
        return width + 1 if width else 0

    def render(self, index: int, *, pid: int | None, now: float) -> bytes:
        """Return a service's prefix.

        Args:
            now: Wall-clock time in seconds since the epoch.
        """
        stamp = self._time(now) + " " if self._settings.timestamps else ""
        prefix = self._styled(index, pid, now)
        text = f"{stamp}{prefix}" + (" " if prefix else "")
        return text.encode("utf-8", "surrogateescape")

    def _styled(self, index: int, pid: int | None, now: float) -> str:
        """Return the prefix with its colours: of all of it, or of what ``{color}`` encloses."""
        content, is_template = self._content(index, pid, now)
        if not content and not is_template and self._style_of(index) is PrefixStyle.NONE:
            return ""
        columns = self._columns if self._settings.pad else 0
        style = self._color_of(index)
        if not is_template:
            return style.open + "[" + pad(content, columns - 2) + "]" + style.close
        missing = " " * max(0, columns - display_width(_COLORED.sub(r"\1", content)))
        if "{color}" not in content:
            return style.open + content + missing + style.close
        colored = _COLORED.sub(lambda match: style.open + match[1] + style.close, content)
        return colored + missing

    def _color_of(self, index: int) -> Style:
        styles = self._settings.styles
        return styles[index] if self._colored and index < len(styles) else Style()

    def _style_of(self, index: int) -> PrefixStyle | str:
        if self._settings.style is not None:
            return self._settings.style
        return PrefixStyle.NAME if self._services[index].name else PrefixStyle.INDEX

    def _content(self, index: int, pid: int | None, now: float) -> tuple[str, bool]:
        """Return what stands in the prefix, and whether it is a template's text."""
        style = self._style_of(index)
        if isinstance(style, PrefixStyle):
            value = "" if style is PrefixStyle.NONE else self._value(style.value, index, pid, now)
            return value, False
        filled = _PLACEHOLDER.sub(lambda match: self._value(match[1], index, pid, now), style)
        return filled, True

    def _value(self, name: str, index: int, pid: int | None, now: float) -> str:
        service = self._services[index]
        match name:
            case "index":
                return str(index)
            case "pid":
                return "" if pid is None else str(pid)
            case "time":
                return self._time(now)
            case "command":
                return shortened(printable(service.command), self._settings.length)
            case _:
                return printable(service.name or "")

    def _time(self, now: float) -> str:
        from datetime import datetime

        moment = datetime.fromtimestamp(now).astimezone()
        text = moment.strftime(self._settings.time_format)
        return text[:-3] if self._settings.time_format.endswith("%f") else text

    def _natural_width(self, index: int) -> int:
        if self._style_of(index) is PrefixStyle.NONE:
            return 0
        content, is_template = self._content(index, None, 0.0)
        style = self._style_of(index)
        if style is PrefixStyle.PID or (isinstance(style, str) and "{pid}" in style):
            content += "0" * _PID_WIDTH
        if is_template:
            return display_width(_COLORED.sub(r"\1", content))
        return display_width(content) + 2


def shortened(text: str, length: int) -> str:
    """Return the text with its middle left out, as concurrently does: head, ``..``, tail."""
    if len(text) <= length:
        return text
    kept = max(0, length - 2)
    head, tail = kept - kept // 2, kept // 2
    return text[:head] + ".." + (text[-tail:] if tail else "")


def printable(text: str) -> str:
    """Return the text on one line: control characters are written as escapes."""
    return _CONTROL.sub(lambda match: repr(match[0])[1:-1], text)


def event_text(text: str, level: ColorLevel) -> bytes:
    """Return text of devrun's own, without attributes that something left open before."""
    encoded = text.encode("utf-8", "surrogateescape")
    return encoded if level is ColorLevel.NONE else b"\x1b[0m" + encoded + b"\x1b[0m"


def global_line(text: str, level: ColorLevel) -> bytes:
    """Return a line of devrun's own that belongs to no service, without its line feed."""
    return event_text("-->", level) + b" " + event_text(text, level)
