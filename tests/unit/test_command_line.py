"""The words of ``devrun run``: concurrently's grammar, without what yargs lets pass."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.cli.app import app
from devrun.cli.options import MEANINGS
from devrun.config.command_line import read_command_line
from devrun.config.flags import FLAGS, Takes, concurrently_flag, kebab
from devrun.config.option_reader import Request
from devrun.config.settings import RunSettings
from devrun.errors import UsageError

SWITCHES = [flag for flag in FLAGS if flag.takes is Takes.NOTHING]
SINGLE = [flag for flag in FLAGS if flag.takes is Takes.VALUE]
REPEATED = [flag for flag in FLAGS if flag.takes in (Takes.LIST, Takes.TEXTS)]
WITH_VALUE = SINGLE + REPEATED

NAMES = st.sampled_from([(flag, name) for flag in FLAGS for name in flag.names])
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).filter(
    lambda text: not text.startswith("-")
)
COMMON = [flag for flag in FLAGS if flag.field != "passthrough_arguments"]
COMMANDS = st.lists(VALUES.filter(lambda text: text not in ("true", "false")), max_size=3)


def read(*words, **environ):
    reading = read_command_line(words, environ)
    assert not isinstance(reading, Request)
    return reading.settings


def camel(name):
    head, *rest = name.removeprefix("--").split("-")
    return "--" + head + "".join(word.capitalize() for word in rest)


# -- the table of options -----------------------------------------------------------------------


def test_every_field_has_its_option_and_every_option_its_meaning():
    own = {"commands", "arguments", "with_release", "env_below"}
    assert [flag.field for flag in FLAGS] == list(dict.fromkeys(flag.field for flag in FLAGS))
    assert {flag.field for flag in FLAGS} == {f.name for f in fields(RunSettings)} - own
    assert set(MEANINGS) == {flag.field for flag in FLAGS}
    spellings = [name for flag in FLAGS for name in flag.names]
    assert len(spellings) == len(set(spellings))


@given(st.data(), COMMANDS, COMMANDS)
def test_an_option_may_stand_anywhere_in_any_spelling(data, before, behind):
    flag, name = data.draw(NAMES)
    long = name.startswith("--")
    spelled = data.draw(st.sampled_from([name, camel(name)])) if long else name
    value = data.draw(VALUES)
    if flag.takes is Takes.NOTHING:
        forms, expected = [[spelled], [f"{spelled}=true"]], True
    else:
        forms = [[spelled, value], [f"{spelled}={value}"]]
        expected = value if flag.takes is Takes.VALUE else (value,)
    words = data.draw(st.sampled_from(forms))
    settings = read(*before, *words, *behind)
    assert settings.commands == (*before, *behind)
    assert getattr(settings, flag.field) == expected
    assert replace(settings, commands=(), **{flag.field: getattr(RunSettings(), flag.field)}) == (
        RunSettings()
    )


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.name)
def test_every_option_can_be_set_by_its_variable(flag):
    text = "yes" if flag.takes is Takes.NOTHING else "a b"
    expected = {
        Takes.NOTHING: True,
        Takes.VALUE: "a b",
        Takes.LIST: ("a", "b"),
        Takes.TEXTS: ("a b",),
    }[flag.takes]
    assert getattr(read("x", **{flag.variable: text}), flag.field) == expected


@pytest.mark.parametrize("flag", SINGLE, ids=lambda flag: flag.name)
def test_an_option_with_one_value_may_not_stand_twice(flag):
    with pytest.raises(UsageError, match=f"{flag.name} stands twice"):
        read(flag.names[-1], "a", f"{flag.name}=b")


@pytest.mark.parametrize("flag", REPEATED, ids=lambda flag: flag.name)
def test_an_option_with_several_values_may(flag):
    assert getattr(read(flag.names[-1], "a", f"{flag.name}=b"), flag.field) == ("a", "b")


@pytest.mark.parametrize("flag", WITH_VALUE, ids=lambda flag: flag.name)
def test_a_value_is_never_an_option_that_follows(flag):
    with pytest.raises(UsageError, match="needs a value"):
        read("x", flag.name)
    with pytest.raises(UsageError, match="needs a value, and -k is an option"):
        read("x", flag.name, "-k")
    with pytest.raises(UsageError, match="needs a value, and --raw is an option"):
        read("x", flag.name, "--raw")
    value = "-k" if flag.takes is Takes.VALUE else ("-k",)
    assert getattr(read("x", f"{flag.name}=-k"), flag.field) == value


@pytest.mark.parametrize("flag", SWITCHES, ids=lambda flag: flag.name)
def test_a_switch_can_be_turned_off(flag):
    assert getattr(read("x", f"{flag.name}=false"), flag.field) is False
    assert getattr(read("x", f"{flag.name}=0"), flag.field) is False
    if not flag.name.startswith("--no-"):
        assert getattr(read("x", "--no-" + flag.name[2:]), flag.field) is False
    with pytest.raises(UsageError, match="contradicts"):
        read("x", flag.name, f"{flag.name}=false")
    with pytest.raises(UsageError, match="neither true nor false"):
        read("x", f"{flag.name}=maybe")
    assert getattr(read("x", flag.name, flag.name), flag.field) is True


@pytest.mark.parametrize("flag", SWITCHES, ids=lambda flag: flag.name)
@pytest.mark.parametrize("word", ["true", "false"])
def test_a_truth_behind_a_switch_is_no_command_and_no_value(flag, word):
    with pytest.raises(UsageError, match=f"write {flag.name}={word}"):
        read(flag.name, word, "echo 1")
    assert read(word, flag.name).commands == (word,)


@given(st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1))
def test_unknown_options_are_refused(word):
    name = "--" + word
    known = {name for flag in FLAGS for name in flag.names} | {"--help", "--version"}
    if name not in known and "--no-" + word not in known:
        with pytest.raises(UsageError, match=f"no such option: {name}"):
            read("echo 1", name, "echo 2")


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("--kill-other", 'did you mean "--kill-others"'),
        ("--prefix-color", 'did you mean "--prefix-colors"'),
        ("-names", "did you mean --names"),
        ("-z", "no such option: -z"),
        ("-kz", "no such option: -z"),
    ],
)
def test_the_nearest_option_is_named(word, hint):
    with pytest.raises(UsageError, match=hint):
        read("echo 1", word)


# -- forms that concurrently has ----------------------------------------------------------------


def test_short_switches_can_be_put_together():
    settings = read("-kr", "x")
    assert settings.kill_others
    assert settings.raw
    assert read("-krn", "a,b", "x").names == "a,b"


@pytest.mark.parametrize("words", [["-n", "a,b"], ["-na,b"], ["-n=a,b"]])
def test_a_short_option_takes_its_value_in_three_ways(words):
    assert read(*words, "x", "y").names == "a,b"


def test_a_negative_number_is_a_value():
    assert read("--restart-tries", "-1", "x").restart_tries == "-1"


def test_a_template_that_begins_with_a_dash_is_a_value():
    assert read("-p", "- {name}", "x").prefix == "- {name}"


def test_a_lone_dash_is_a_command():
    assert read("-", "x").commands == ("-", "x")


def test_words_behind_two_dashes_are_commands():
    assert read("-k", "a", "--", "-k", "--names").commands == ("a", "-k", "--names")


def test_and_arguments_where_these_are_passed_through():
    settings = read("-P", "echo {1}", "--", "-k", "b c")
    assert settings.commands == ("echo {1}",)
    assert settings.arguments == ("-k", "b c")


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_help_may_stand_anywhere(word):
    assert read_command_line(["x", "-k", word], {}) is Request.HELP


@pytest.mark.parametrize("word", ["-v", "-V", "--version"])
def test_so_may_the_version(word):
    assert read_command_line(["x", word], {}) is Request.VERSION


def test_but_not_behind_two_dashes():
    assert read("x", "--", "--help").commands == ("x", "--help")


# -- variables ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "CONCURRENTLY_PREFIX_COLORS",
        "CONCURRENTLY_prefixColors",
        "CONCURRENTLY_prefix_colors",
        "CONCURRENTLY_C",
        "CONCURRENTLY_c",
    ],
)
def test_concurrentlys_variables_are_taken_with_a_notice(name):
    reading = read_command_line(["x"], {name: "red"})
    assert reading.settings.prefix_colors == "red"
    assert reading.warnings == (f"{name} is taken for DEVRUN_PREFIX_COLORS",)


def test_several_make_one_notice():
    reading = read_command_line(["x"], {"CONCURRENTLY_K": "1", "CONCURRENTLY_RAW": "true"})
    assert len(reading.warnings) == 1


def test_devruns_variables_go_first_and_words_before_both():
    environ = {"CONCURRENTLY_NAMES": "c", "DEVRUN_NAMES": "d"}
    reading = read_command_line(["x"], environ)
    assert (reading.settings.names, reading.warnings) == ("d", ())
    assert read("x", "-n", "w", **environ).names == "w"


def test_options_that_concurrently_has_not_are_not_set_by_its_variables():
    assert concurrently_flag("CONCURRENTLY_WATCH") is None
    assert concurrently_flag("CONCURRENTLY_") is None
    assert read("x", CONCURRENTLY_WATCH="src").watch == ()


def test_an_empty_variable_says_nothing():
    assert read("x", DEVRUN_KILL_OTHERS="", CONCURRENTLY_NAMES="") == read("x")


def test_a_wrong_truth_in_a_variable_is_refused():
    with pytest.raises(UsageError, match='DEVRUN_RAW="maybe"'):
        read("x", DEVRUN_RAW="maybe")


# -- and Typer, which has the help ----------------------------------------------------------------


@given(st.data(), COMMANDS)
def test_what_typer_can_read_too_it_reads_alike(data, commands):
    flags = data.draw(st.lists(st.sampled_from(COMMON), unique=True, max_size=6))
    words = []
    for flag in flags:
        value = data.draw(VALUES)
        words += [flag.name] if flag.takes is Takes.NOTHING else [flag.name, value]
    said = app(["run", *words, "--", *commands], standalone_mode=False)
    assert said == read(*words, "--", *commands)


@pytest.mark.parametrize("name", ["kill-others", "names", "P"])
def test_kebab_leaves_alone_what_is_none(name):
    assert kebab(name) == name
