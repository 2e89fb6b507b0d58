"""How many colours to use: what was asked for, then conventions, then the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from devrun.appearance import ColorLevel

_FORCED = {
    "0": ColorLevel.NONE,
    "false": ColorLevel.NONE,
    "1": ColorLevel.BASIC,
    "2": ColorLevel.EXTENDED,
    "3": ColorLevel.TRUE,
}

_TRUE_COLOR_TERMS = ("xterm-kitty", "xterm-ghostty", "wezterm", "alacritty", "foot")
"""Values of TERM that say 24-bit colour without COLORTERM, which sudo and ssh do not pass on."""


def color_level(
    environ: Mapping[str, str], *, is_terminal: bool, choice: bool | None
) -> ColorLevel:
    """Return how many colours the output may use.

    The first of these that says something decides:

    1. ``choice``: ``--color`` or ``--no-color``.
    2. FORCE_COLOR: 0 or false is no; 1, 2 or 3 is that level, as Node reads it
       (``tty.WriteStream.getColorDepth``); all else, even nothing, is yes (force-color.org).
    3. NO_COLOR, unless empty: no (no-color.org). Where both are set FORCE_COLOR goes first, in
       Node too, because it is what a task runner sets for the command that it starts.
    4. CLICOLOR_FORCE, unless empty or 0: yes (bixense.com/clicolors).
    5. An output that is no terminal: no. A log of a CI service is none either; where it shows
       colours, FORCE_COLOR says so.
    6. CLICOLOR=0: no (bixense.com/clicolors).
    7. The terminal, by TERM and COLORTERM.

    Yes is what the terminal is able to show, but at least the basic colours.
    """
    able = _ability(environ)
    if choice is not None:
        return max(able, ColorLevel.BASIC) if choice else ColorLevel.NONE
    forced = environ.get("FORCE_COLOR")
    if forced is not None:
        if forced.isdecimal() and int(forced) > ColorLevel.TRUE:
            return ColorLevel.TRUE
        return _FORCED.get(forced.lower(), max(able, ColorLevel.BASIC))
    if environ.get("NO_COLOR"):
        return ColorLevel.NONE
    if environ.get("CLICOLOR_FORCE", "") not in ("", "0"):
        return max(able, ColorLevel.BASIC)
    if not is_terminal or environ.get("CLICOLOR") == "0":
        return ColorLevel.NONE
    return able


def _ability(environ: Mapping[str, str]) -> ColorLevel:
    """Return what the terminal is able to show, by its name."""
    term = environ.get("TERM", "")
    if term == "dumb":
        return ColorLevel.NONE  # Even if COLORTERM is left over from the terminal around it.
    if environ.get("COLORTERM") in ("truecolor", "24bit") or "WT_SESSION" in environ:
        return ColorLevel.TRUE
    if term.endswith("-direct") or term in _TRUE_COLOR_TERMS:
        return ColorLevel.TRUE
    if "256" in term:
        return ColorLevel.EXTENDED
    # Windows' own console has no TERM.
    has_colors = term or environ.get("OS") == "Windows_NT"
    return ColorLevel.BASIC if has_colors else ColorLevel.NONE
