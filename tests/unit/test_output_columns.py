"""Terminal columns: what lines up is what takes the same room, not what has the same length."""

from __future__ import annotations

import subprocess
import sys

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.output.columns import cut, display_width, pad

WORDS = st.text(st.sampled_from("ab 日本é✓…ÿ"), max_size=20)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", 0),
        ("web", 3),
        ("café", 4),
        ("cafe\u0301", 4),
        ("日本語", 6),
        ("ｗｅｂ", 6),
        ("한국", 4),
        ("🚀", 2),
        ("👩\u200d💻", 2),
        ("❤\ufe0f", 2),
        ("👍🏽", 2),
        ("🇩🇪", 2),
        ("a\u200bb", 2),
        ("…", 1),
        ("│", 1),
        ("é\n", 2),
    ],
)
def test_the_width_is_what_a_terminal_takes(text, columns):
    assert display_width(text) == columns


@given(WORDS)
def test_a_terminal_agrees(text):
    screen = pyte.Screen(80, 1)
    pyte.Stream(screen).feed(text)
    assert screen.cursor.x == display_width(text)


@given(WORDS, st.integers(0, 50))
def test_padded_text_takes_the_columns_or_more(text, columns):
    padded = pad(text, columns)
    assert padded.rstrip(" ") == text.rstrip(" ")
    assert display_width(padded) == max(columns, display_width(text))


@given(WORDS, st.integers(1, 50))
def test_cut_text_fits_and_is_a_beginning(text, columns):
    short = cut(text, columns)
    assert display_width(short) <= columns
    if display_width(text) <= columns:
        assert short == text
    else:
        assert short.endswith("…")
        assert text.startswith(short[:-1])
        assert display_width(short) >= columns - 1, "no more than a wide character is missing"


def test_ascii_does_without_the_library():
    code = "import sys; from devrun.output.columns import pad; pad('web', 9); print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "devrun.output.columns" in shown.stdout.split()
    assert "wcwidth" not in shown.stdout.split()
