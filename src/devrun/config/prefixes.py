"""``--prefix`` and its kin: how lines are marked with the service they came from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from devrun.appearance import (
    ColorLevel,
    OutputSettings,
    PrefixSettings,
    PrefixStyle,
    TimeFormat,
)
from devrun.config import values
from devrun.config.settings import RunSettings
from devrun.errors import UsageError
from devrun.model import Service

_PLACEHOLDERS = ("index", "pid", "time", "command", "name")
_BRACES = re.compile(r"\{([^{}]*)\}")
_LINE_END = re.compile(r"[\n\r]")


def prefix_settings(
    settings: RunSettings, names: Sequence[str | None], level: ColorLevel, *, padded: bool
) -> PrefixSettings:
    """Return how lines are marked.

    Args:
        names: The services' names by index.
        level: How many colours the output may use.
        padded: Whether prefixes are equally wide if nothing is said.

    Raises:
        UsageError: A style, placeholder, colour, length or time format is wrong.
    """
    from devrun.config.colors import automatic_styles, parse_prefix_colors

    colors = settings.prefix_colors
    if colors is None:
        styles = automatic_styles(names, level)
    else:
        styles = parse_prefix_colors(colors, len(names), level)
    default = PrefixSettings()
    length = default.length
    if settings.prefix_length is not None:
        length = values.whole_number(settings.prefix_length, "--prefix-length", least=1, most=1000)
    return PrefixSettings(
        style=_prefix_style(settings.prefix),
        styles=styles,
        length=length,
        pad=padded if settings.pad_prefix is None else settings.pad_prefix,
        timestamps=bool(settings.timestamps),
        time_format=_time_format(settings.timestamp_format) or default.time_format,
    )


def with_own_colors(
    output: OutputSettings, services: Sequence[Service], colors: Mapping[str, str]
) -> OutputSettings:
    """Return the settings with the colours that services have of their own.

    Args:
        colors: By the services' names without an instance's number, as ``--prefix-colors`` has
            them.
    """
    from devrun.config.colors import parse_prefix_colors

    styles = list(output.prefix.styles)
    for service in services:
        color = colors.get(service.process or "")
        if color is not None:
            (styles[service.index],) = parse_prefix_colors(color, 1, output.color)
    return replace(output, prefix=replace(output.prefix, styles=tuple(styles)))


def _time_format(text: str | None) -> TimeFormat | None:
    if not text:
        return None
    from devrun.config.time_format import parse_time_format

    return parse_time_format(text, "--timestamp-format")


def _prefix_style(text: str | None) -> PrefixStyle | str | None:
    if not text:
        return None
    known = {style.value: style for style in PrefixStyle}
    if text in known:
        return known[text]
    from devrun.config.nearest import hint

    if _LINE_END.search(text):
        raise UsageError(f'--prefix "{text}": a line end in it')
    used = _BRACES.findall(text)
    for name in used:
        if name not in (*_PLACEHOLDERS, "color", "/color"):
            message = f'--prefix "{text}": no such placeholder {{{name}}}'
            raise UsageError(f"{message}{hint(name, _PLACEHOLDERS)}")
    if text.isalpha():
        message = f'--prefix "{text}": neither a style ({", ".join(known)})'
        raise UsageError(f"{message} nor a template such as {{name}}{hint(text, known)}")
    return text
