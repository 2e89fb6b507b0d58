"""``--prefix-colors``: the colour grammar of concurrently 10, strictly.

An item is a chain of segments joined by ``.``: a colour (``blue``, ``blueBright``, ``bgBlue``), a
modifier (``bold``), ``#hex`` or ``bg#hex``, or a function (``rgb(1,2,3)``, ``bgHex(#123)``,
``ansi256(99)``). What the terminal cannot show is replaced by the nearest colour that it can.
"""

from __future__ import annotations

import re
from binascii import crc32
from collections.abc import Sequence

from devrun.appearance import ColorLevel, Style
from devrun.errors import UsageError

AUTOMATIC = ("cyan", "magenta", "green", "yellow", "blue")
"""The colours given by themselves: readable on light and dark, and neither red nor grey."""

_COLORS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_MODIFIERS = {
    "reset": (0, 0),
    "bold": (1, 22),
    "dim": (2, 22),
    "italic": (3, 23),
    "underline": (4, 24),
    "overline": (53, 55),
    "inverse": (7, 27),
    "hidden": (8, 28),
    "strikethrough": (9, 29),
}
_FUNCTIONS = ("hex", "bgHex", "rgb", "bgRgb", "ansi256", "bgAnsi256")
_ITEMS = re.compile(r",(?![^()]*\))")
_SEGMENTS = re.compile(r"\.(?![^()]*\))")
_HEX = re.compile(r"#?([0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,3}", re.ASCII)
_CALL = re.compile(r"(\w+)\((.*)\)", re.DOTALL)

Rgb = tuple[int, int, int]


def _named_codes() -> dict[str, tuple[int, int]]:
    """Return the codes that open and close each named attribute, as chalk has them."""
    codes = dict(_MODIFIERS)
    for offset, color in enumerate(_COLORS):
        title = color.capitalize()
        codes[color] = (30 + offset, 39)
        codes[f"{color}Bright"] = (90 + offset, 39)
        codes[f"bg{title}"] = (40 + offset, 49)
        codes[f"bg{title}Bright"] = (100 + offset, 49)
    for gray in ("gray", "grey"):
        codes[gray] = (90, 39)
        codes[f"bg{gray.capitalize()}"] = (100, 49)
    return codes


_NAMED = _named_codes()


def automatic_styles(names: Sequence[str | None], level: ColorLevel) -> tuple[Style, ...]:
    """Return one style a service, none equal to its neighbour.

    A name has the same colour in every run, unless a service before it has taken that; services
    without a name take turns.
    """
    styles: list[Style] = []
    used: set[str] = set()
    last = ""
    for index, name in enumerate(names):
        first = index if name is None else crc32(name.encode("utf-8", "surrogateescape"))
        choice = [AUTOMATIC[(first + turn) % len(AUTOMATIC)] for turn in range(len(AUTOMATIC))]
        last = next(color for color in choice if color not in used and color != last)
        used = set() if len(used) == len(AUTOMATIC) - 1 else used | {last}
        styles.append(_style(last, level))
    return tuple(styles)


def parse_prefix_colors(text: str, count: int, level: ColorLevel) -> tuple[Style, ...]:
    """Return one style a service.

    The last item stands for all further services, unless it is ``auto``, which goes on with new
    colours.

    Raises:
        UsageError: An item is no colour.
    """
    if text.count("(") > text.count(")"):
        raise UsageError(f'--prefix-colors "{text}": a parenthesis is not closed')
    items = [item.strip() for item in _ITEMS.split(text)]
    for item in items:
        if item != "auto":
            _style(item, ColorLevel.TRUE)
    return _fill(items, count, level)


def _fill(items: Sequence[str], count: int, level: ColorLevel) -> tuple[Style, ...]:
    taken = {segment.removesuffix("Bright") for item in items for segment in item.split(".")}
    free = [color for color in AUTOMATIC if color not in taken]
    if len(free) < 2:  # One alone would be its own neighbour.
        free += [color for color in AUTOMATIC if color not in free]
    styles: list[Style] = []
    last, turn = "", 0
    for index in range(count):
        item = items[min(index, len(items) - 1)]
        if item == "auto":
            item = free[turn % len(free)]
            if item == last:
                turn += 1
                item = free[turn % len(free)]
            turn += 1
        last = item
        styles.append(_style(item, level))
    return tuple(styles)


def _style(item: str, level: ColorLevel) -> Style:
    codes = [_codes(segment, item, level) for segment in _SEGMENTS.split(item)]
    if level is ColorLevel.NONE:
        return Style()
    opening = "".join(f"\x1b[{code}m" for code, _ in codes if code)
    closing = "".join(f"\x1b[{code}m" for _, code in reversed(codes) if code)
    return Style(opening, closing)


def _codes(segment: str, item: str, level: ColorLevel) -> tuple[str, str]:
    """Return the SGR parameters that open and close a segment."""
    if segment in _NAMED:
        opens, closes = _NAMED[segment]
        return str(opens), str(closes)
    background = segment.startswith("bg")
    if segment.startswith(("#", "bg#")):
        return _rgb_codes(_hex(segment.removeprefix("bg"), item), level, background=background)
    call = _CALL.fullmatch(segment)
    if call is None or call[1] not in _FUNCTIONS:
        raise _unknown(segment, item)
    return _call_codes(call[1], call[2], item, level)


def _call_codes(name: str, arguments: str, item: str, level: ColorLevel) -> tuple[str, str]:
    background = name.startswith("bg")
    match name.removeprefix("bg").lower():
        case "hex":
            return _rgb_codes(_hex(arguments.strip("\"' "), item), level, background=background)
        case "rgb":
            red, green, blue = _numbers(arguments, 3, name, item)
            return _rgb_codes((red, green, blue), level, background=background)
        case _:
            (number,) = _numbers(arguments, 1, name, item)
            return _indexed_codes(number, level, background=background)


def _hex(text: str, item: str) -> Rgb:
    match = _HEX.fullmatch(text)
    if match is None:
        message = f'--prefix-colors "{item}": "{text}" is no colour; write #rgb or #rrggbb'
        raise UsageError(message)
    digits = match[1] if len(match[1]) == 6 else "".join(digit * 2 for digit in match[1])
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def _numbers(text: str, count: int, name: str, item: str) -> list[int]:
    words = [word.strip() for word in text.split(",")]
    numbers = [int(word) for word in words if _NUMBER.fullmatch(word)]
    if len(words) != count or len(numbers) != count or any(n > 255 for n in numbers):
        some = "one number" if count == 1 else "three numbers"
        raise UsageError(f'--prefix-colors "{item}": {name}() takes {some} from 0 to 255')
    return numbers


def _unknown(segment: str, item: str) -> UsageError:
    from devrun.config.nearest import hint

    place = f'--prefix-colors "{item}"'
    if not segment:
        return UsageError(f"{place}: a colour is missing")
    if segment == "auto":
        return UsageError(f'{place}: "auto" stands alone, or not at all')
    name, parenthesis, _ = segment.partition("(")
    known = (*_NAMED, *(f"{function}()" for function in _FUNCTIONS), "auto")
    nearest = hint(f"{name}()" if parenthesis else name, known)
    return UsageError(f'{place}: "{segment}" is no colour{nearest}')


def _rgb_codes(rgb: Rgb, level: ColorLevel, *, background: bool) -> tuple[str, str]:
    """Return the codes of a 24-bit colour, or of the nearest that the level has."""
    if level is ColorLevel.TRUE:
        start, end = ("48", "49") if background else ("38", "39")
        return f"{start};2;{rgb[0]};{rgb[1]};{rgb[2]}", end
    # The first sixteen are the user's own theme, so that their looks are known only roughly.
    choice = range(16) if level is ColorLevel.BASIC else range(16, 256)
    nearest = min(choice, key=lambda index: _distance(rgb, _rgb_of(index)))
    return _indexed_codes(nearest, level, background=background)


def _indexed_codes(index: int, level: ColorLevel, *, background: bool) -> tuple[str, str]:
    start, end = ("48", "49") if background else ("38", "39")
    if level is not ColorLevel.BASIC:
        return f"{start};5;{index}", end
    if index >= 16:
        return _rgb_codes(_rgb_of(index), level, background=background)
    code = (30 + index if index < 8 else 90 + index - 8) + (10 if background else 0)
    return str(code), end


_CUBE = (0, 95, 135, 175, 215, 255)
"""Intensities of xterm's 6×6×6 colour cube, which begins at index 16."""


def _rgb_of(index: int) -> Rgb:
    """Return the colour at an index of xterm's 256; of the first sixteen, as VGA had them."""
    if index < 16:
        bright = 255 if index >= 8 else 170
        low = 85 if index >= 8 else 0
        red, green, blue = (bright if index >> bit & 1 else low for bit in range(3))
        return red, green, blue
    if index >= 232:
        gray = 8 + 10 * (index - 232)
        return gray, gray, gray
    place = index - 16
    return _CUBE[place // 36], _CUBE[place // 6 % 6], _CUBE[place % 6]


def _distance(one: Rgb, other: Rgb) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
