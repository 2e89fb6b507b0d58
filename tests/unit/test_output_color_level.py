"""Who decides about colours, in which order."""

from __future__ import annotations

import pytest

from devrun.appearance import ColorLevel
from devrun.output.color_level import color_level

NONE, BASIC, EXTENDED, TRUE = ColorLevel
XTERM = {"TERM": "xterm"}


@pytest.mark.parametrize(
    ("environ", "terminal", "choice", "expected"),
    [
        (XTERM, True, None, BASIC),
        (XTERM, False, None, NONE),
        (XTERM, False, True, BASIC),
        (XTERM, True, False, NONE),
        ({"TERM": "xterm-256color"}, True, None, EXTENDED),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, True, None, TRUE),
        ({"TERM": "xterm-direct"}, True, None, TRUE),
        ({"TERM": "dumb"}, True, None, NONE),
        ({}, True, None, NONE),
        ({"WT_SESSION": "x"}, True, None, TRUE),
        (XTERM | {"NO_COLOR": "1"}, True, None, NONE),
        (XTERM | {"NO_COLOR": ""}, True, None, BASIC),
        (XTERM | {"NO_COLOR": "1"}, True, True, BASIC),
        ({"FORCE_COLOR": "0"}, True, None, NONE),
        ({"FORCE_COLOR": "false"}, True, None, NONE),
        ({"FORCE_COLOR": "1"}, False, None, BASIC),
        ({"FORCE_COLOR": "2"}, False, None, EXTENDED),
        ({"FORCE_COLOR": "3"}, False, None, TRUE),
        ({"FORCE_COLOR": ""}, False, None, BASIC),
        ({"FORCE_COLOR": "true", "NO_COLOR": "1"}, False, None, BASIC),
        ({"CLICOLOR_FORCE": "1"}, False, None, BASIC),
        ({"CLICOLOR_FORCE": "0"}, False, None, NONE),
        (XTERM | {"CLICOLOR": "0"}, True, None, NONE),
        (XTERM | {"CLICOLOR": "1"}, True, None, BASIC),
        (XTERM | {"CLICOLOR": "1"}, False, None, NONE),
        (XTERM | {"CLICOLOR_FORCE": ""}, False, None, NONE),
        (XTERM | {"CLICOLOR_FORCE": "1", "CLICOLOR": "0"}, True, None, BASIC),
        (XTERM | {"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, True, None, NONE),
        (XTERM | {"CLICOLOR": "0", "FORCE_COLOR": "2"}, True, None, EXTENDED),
        (XTERM | {"FORCE_COLOR": "3"}, True, False, NONE),
        (XTERM | {"FORCE_COLOR": "0"}, True, True, BASIC),
        ({"TERM": "xterm-256color", "FORCE_COLOR": "1"}, True, None, BASIC),
        ({"TERM": "xterm-256color", "FORCE_COLOR": "True"}, False, None, EXTENDED),
        ({"TERM": "xterm-256color", "FORCE_COLOR": "yes"}, False, None, EXTENDED),
        ({"TERM": "dumb", "FORCE_COLOR": ""}, True, None, BASIC),
        ({"TERM": "dumb"}, True, True, BASIC),
        ({"TERM": "dumb", "COLORTERM": "truecolor"}, True, None, NONE),
        ({"COLORTERM": "24bit"}, True, None, TRUE),
        ({"COLORTERM": "24bit"}, False, None, NONE),
        ({"TERM": "screen.xterm-256color"}, True, None, EXTENDED),
        ({"TERM": "xterm-kitty"}, True, None, TRUE),
        ({"OS": "Windows_NT"}, True, None, BASIC),
        ({"OS": "Windows_NT", "TERM": "dumb"}, True, None, NONE),
        (XTERM | {"CI": "true", "GITHUB_ACTIONS": "true"}, False, None, NONE),
    ],
)
def test_the_order(environ, terminal, choice, expected):
    assert color_level(environ, is_terminal=terminal, choice=choice) is expected
