"""Where other programs read a Procfile otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.config.portability import portability
from devrun.config.procfile import parse
from devrun.errors import UsageError


def notes(text):
    return portability(text, parse(text, "Procfile"))


MOST = "foreman, honcho, hivemind and overmind pass over"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"web: a\nworker-1: b $PORT\n_x9:\tc\n", []),
        (
            b"web.1: a\n",
            [f'Procfile:1: {MOST} the name "web.1"'],
        ),
        (
            b"# c\n  web: a\n",
            [f"Procfile:2: {MOST} a line"],
        ),
        (b"web : a\n", [f"Procfile:1: {MOST} a line"]),
        (b"web:a\n", ["Procfile:1: hivemind and overmind pass over"]),
        (b"web: echo '$PORT'\n", ["Procfile:1: foreman replaces $PORT"]),
        (b"web: echo \\$PORT\n", ["Procfile:1: foreman replaces $PORT"]),
        (b"web: echo $PORTAL\n", ["Procfile:1: foreman reads $PORT here"]),
        (b"\xef\xbb\xbfweb: a\n", ['Procfile:1: a byte order mark: others lose "web"']),
        (b"web: a\nw: \xff\n", ["Procfile:2: not UTF-8"]),
        (b"web: a\r\nworker: b", []),
    ],
)
def test_what_differs_is_said_with_its_place(text, expected):
    found = notes(text)
    assert len(found) == len(expected)
    assert all(note.startswith(start) for note, start in zip(found, expected, strict=True))


@given(st.binary(max_size=60) | st.text("ab:# \n\r'\\$PORT-.").map(str.encode))
def test_whatever_is_a_procfile_can_be_looked_at(text):
    try:
        procfile = parse(text, "Procfile")
    except UsageError:
        return
    assert all(note.startswith("Procfile:") for note in portability(text, procfile))
