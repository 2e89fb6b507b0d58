"""``--prefix`` and its kin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.appearance import ColorLevel, PrefixSettings, PrefixStyle, TimeFormat
from devrun.config.prefixes import prefix_settings
from devrun.config.settings import RunSettings
from devrun.errors import UsageError


def resolved(count=2, *, padded=False, **settings):
    return prefix_settings(RunSettings(**settings), [None] * count, ColorLevel.NONE, padded=padded)


def refusal(**settings):
    with pytest.raises(UsageError) as caught:
        resolved(**settings)
    return str(caught.value)


def test_nothing_said_is_the_models_default():
    assert resolved(0) == PrefixSettings()
    assert resolved(0, prefix="", timestamp_format="") == PrefixSettings()


@pytest.mark.parametrize("style", PrefixStyle)
def test_a_style_is_known_by_its_name(style):
    assert resolved(prefix=style.value).style is style


@pytest.mark.parametrize(
    "template",
    [
        "->",
        "{",
        "{color}x{/color}",
        "app |",
        "{name}",
        "{time} {name}:",
        "{{index}}",
        "<{pid}",
        "{color}{name}{/color} {",
        "} {command}",
    ],
)
def test_what_has_a_placeholder_is_a_template(template):
    assert resolved(prefix=template).style == template


@pytest.mark.parametrize(
    ("prefix", "reason"),
    [
        (
            "nam",
            (
                '--prefix "nam": neither a style (index, pid, time, command, name, none)'
                ' nor a template such as {name}; did you mean "name"?'
            ),
        ),
        ("NAME", 'did you mean "name"?'),
        (
            "{nmae}: {pid}",
            '--prefix "{nmae}: {pid}": no such placeholder {nmae}; did you mean "name"?',
        ),
        ("{}", "no such placeholder {}"),
        ("{name}\n", "a line end in it"),
    ],
)
def test_what_is_neither_is_refused(prefix, reason):
    assert reason in refusal(prefix=prefix)


def test_the_length_is_a_number_of_columns():
    assert resolved(prefix_length="5").length == 5
    assert refusal(prefix_length="0") == '--prefix-length "0": must be from 1 to 1000'
    assert refusal(prefix_length="x") == '--prefix-length "x": not a whole number'


@pytest.mark.parametrize("padded", [True, False])
def test_padding_is_as_usual_unless_something_is_said(padded):
    assert resolved(padded=padded).pad is padded
    assert resolved(padded=padded, pad_prefix=True).pad is True
    assert resolved(padded=padded, pad_prefix=False).pad is False


def test_a_time_format_is_read():
    assert resolved(timestamp_format="%H:%M").time_format == TimeFormat(strftime="%H:%M")
    assert "--timestamp-format" in refusal(timestamp_format="tt")


@pytest.mark.parametrize("count", [0, 1, 7])
@pytest.mark.parametrize("colors", [None, "red,blue", "auto"])
def test_there_is_a_style_for_every_service(count, colors):
    assert len(resolved(count, prefix_colors=colors).styles) == count


def test_a_wrong_colour_is_refused():
    assert "--prefix-colors" in refusal(prefix_colors="blu")


PLACEHOLDER = st.sampled_from(["{name}", "{index}", "{", "}", "{x}", "name", "\n", " ", "%H", "%"])
TEXT = st.none() | st.text() | st.lists(PLACEHOLDER).map("".join)


@given(prefix=TEXT, prefix_length=TEXT, timestamp_format=TEXT)
def test_any_text_is_taken_or_refused(prefix, prefix_length, timestamp_format):
    try:
        found = resolved(
            prefix=prefix, prefix_length=prefix_length, timestamp_format=timestamp_format
        )
    except UsageError as error:
        refused = str(error)
    else:
        refused = "--"
        assert "\n" not in str(found.style)
    assert refused.startswith("--")
