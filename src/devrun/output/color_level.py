"""How many colours to use: what was asked for, then conventions, then the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from devrun.model import ColorLevel

_FORCED = {
    "0": ColorLevel.NONE,
    "false": ColorLevel.NONE,
    "1": ColorLevel.BASIC,
    "2": ColorLevel.EXTENDED,
    "3": ColorLevel.TRUE,
}


def color_level(
    environ: Mapping[str, str], *, is_terminal: bool, choice: bool | None
) -> ColorLevel:
    """Return how many colours the output may use.

    The first that says something decides: ``--color`` and ``--no-color`` (``choice``);
    FORCE_COLOR, a level as Node reads it, or anything for yes (force-color.org); NO_COLOR, if not
    empty (no-color.org); CLICOLOR_FORCE, if not 0 (bixense.com/clicolors); whether the output is a
    terminal, and one that has colours; CLICOLOR=0. An explicit FORCE_COLOR goes before NO_COLOR
    because it is what a wrapper such as a task runner sets for one command.
    """
    able = _ability(environ)
    if choice is not None:
        return max(able, ColorLevel.BASIC) if choice else ColorLevel.NONE
    forced = environ.get("FORCE_COLOR")
    if forced is not None:
        return _FORCED.get(forced.lower(), max(able, ColorLevel.BASIC))
    if environ.get("NO_COLOR"):
        return ColorLevel.NONE
    if environ.get("CLICOLOR_FORCE", "0") != "0":
        return max(able, ColorLevel.BASIC)
    if not is_terminal or environ.get("CLICOLOR") == "0":
        return ColorLevel.NONE
    return able


def _ability(environ: Mapping[str, str]) -> ColorLevel:
    """Return what the terminal is able to show, by its name."""
    term = environ.get("TERM", "")
    if environ.get("COLORTERM") in ("truecolor", "24bit") or "WT_SESSION" in environ:
        return ColorLevel.TRUE
    if term in ("", "dumb"):
        return ColorLevel.NONE
    if "256" in term or term.endswith("-direct"):
        return ColorLevel.TRUE if term.endswith("-direct") else ColorLevel.EXTENDED
    return ColorLevel.BASIC
