"""What a program has switched at its terminal, and how that is undone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.output.terminal_modes import TerminalModes


def after(*chunks):
    modes = TerminalModes()
    for chunk in chunks:
        modes.feed(chunk)
    return modes


def test_plain_text_leaves_nothing_to_be_undone():
    modes = after(b"hello\n", b"\xc3\xa4 \x00\n")
    assert modes.undoing() == b""
    assert modes.setting() == b""


EDITOR = b"\x1b[?1049h\x1b[22;0;0t\x1b[?1h\x1b=\x1b[?2004h\x1b[?1002;1006h\x1b[?25l\x1b[2 q"


def test_an_editor_is_undone_from_the_inside_out():
    undoing = after(EDITOR).undoing()
    for switch in (b"?1l", b"?1002l", b"?1006l", b"?2004l", b"?1049l", b"?25h", b"0 q"):
        assert b"\x1b[" + switch in undoing
    assert b"\x1b>" in undoing
    assert undoing.index(b"?1006l") < undoing.index(b"?1049l"), "the screen comes last"
    assert undoing.endswith(b"\x1b7\x1b[r\x1b8"), "the scrolling region, the cursor in its place"


def test_another_terminal_gets_to_the_same():
    first = after(EDITOR, b"\x1b[>1u\x1b[>4;2m")
    assert after(first.setting()).setting() == first.setting()
    assert first.setting().startswith(b"\x1b[?1049h"), "the screen comes first"


def test_what_a_program_has_undone_itself_is_not_undone_again():
    modes = after(EDITOR, b"\x1b[?25h\x1b[?1002;1006l\x1b[?2004l\x1b[?1l\x1b>\x1b[0 q\x1b[?1049l")
    assert not modes.is_full_screen
    assert modes.setting() == b""
    assert b"?" not in modes.undoing()


@pytest.mark.parametrize("reset", [b"\x1bc", b"\x1b[!p"])
def test_a_reset_undoes_all(reset):
    assert after(EDITOR, reset).setting() == b""


def test_keyboard_modes_are_taken_off_as_often_as_they_were_put_on():
    assert after(b"\x1b[>1u\x1b[>3u").undoing().startswith(b"\x1b[<2u")
    assert b"u" not in after(b"\x1b[>1u\x1b[>3u\x1b[<5u").undoing()


@given(st.data())
def test_it_does_not_matter_where_the_output_is_cut(data):
    parts = [EDITOR, b"text\x1b[1;31m", b"\x1b[?1049l", b"\x1b[?1000h", b"\x1b[>1u", b"\x1b"]
    text = b"".join(data.draw(st.lists(st.sampled_from(parts), max_size=8)))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert after(*pieces).setting() == after(text).setting()


@given(st.binary(max_size=200))
def test_anything_may_be_fed(data):
    modes = after(data, data)
    modes.undoing()
    assert after(modes.setting()).setting() == modes.setting()
