"""The short way from words to settings says the same as the long one, or nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devrun.cli.app import main
from devrun.cli.entry import plain_settings

WORDS = st.sampled_from(
    ["a=b", "x y", "web", "-f", "P", "-k", "--", "run", "-", "PORT=1 x", "check"]
)


@given(st.lists(WORDS, min_size=1, max_size=5))
def test_the_short_way_is_never_another(words):
    short = plain_settings(words, {})
    if short is not None:
        assert short == main(words)


def test_plain_command_lines_take_it():
    assert plain_settings(["a=b", "-f", "P"], {"DEVRUN_INSTANCE": "1:0"}) is not None


def test_variables_that_set_options_take_the_long_way():
    assert plain_settings(["a=b"], {"DEVRUN_KILL_OTHERS": "1"}) is None
