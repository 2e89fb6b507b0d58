"""Values of ecosystem files: as loose as PM2's, and errors that name app and attribute."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devrun.config.ecosystem.app import App, js_text, split_arguments
from devrun.config.ecosystem.attributes import sort_out
from devrun.config.ecosystem.time import strftime_of
from devrun.errors import UsageError


def app(**attributes):
    return App("web", "eco.json:3", sort_out(attributes), "/srv/app", {})


def refusal(read):
    with pytest.raises(UsageError) as caught:
        read()
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ()),
        ("  ", ()),
        ("start:web", ("start:web",)),
        ("--filter worker start", ("--filter", "worker", "start")),
        ('-c "cd apps/chat && npm start"', ("-c", "cd apps/chat && npm start")),
        ("--a='b c' 'x y'", ("--a='b c'", "x y")),
        ('--a="b c"', ('--a="b c"',)),
        ("it's fine", ("it's", "fine")),
        ('"it\'s" a\\ b', ("it's", "a\\", "b")),
        ('a "" b', ("a", "b")),
    ],
)
def test_arguments_are_split_as_pm2_splits_them(text, words):
    assert split_arguments(text) == words


@given(st.text(alphabet="ab =-'\"\\\t\n"))
@example('"')
def test_arguments_are_never_blank_and_nothing_but_quotes_and_blanks_is_lost(text):
    words = split_arguments(text)
    assert all(word.strip() for word in words)
    letters = [letter for letter in text if letter not in " \t\n'\""]
    assert [letter for word in words for letter in word if letter not in " \t\n'\""] == letters


@given(st.integers(min_value=-(2**53), max_value=2**53))
def test_a_whole_number_is_its_digits_even_as_a_float(number):
    assert js_text(float(number)) == str(number) == js_text(number)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_as_text_is_the_same_number(number):
    assert float(js_text(number)) == number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (0.1, "0.1"),
        (-0.0, "0"),
        (1e21, "1e+21"),
        (1.5e-7, "1.5e-7"),
        (0.000001, "0.000001"),
        (123456789012345680000.0, "123456789012345680000"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
    ],
)
def test_values_are_written_as_javascript_writes_them(value, text):
    assert js_text(value) == text


@pytest.mark.parametrize(
    ("value", "seconds"), [(1600, 1.6), ("1600", 1.6), ("10s", 10.0), ("2m", 120.0), (0, 0.0)]
)
def test_a_time_is_milliseconds_or_has_a_unit(value, seconds):
    assert app(kill_timeout=value).seconds("kill_timeout") == seconds


def test_an_alias_is_as_good_as_the_name():
    assert app(killTimeout=1000).seconds("kill_timeout") == 1.0


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("500M", 500 * 1024**2),
        ("1G", 1024**3),
        ("1.5G", 1536 * 1024**2),
        ("2048k", 2 * 1024**2),
        ("500MB", 500 * 1024**2),
        (536870912, 512 * 1024**2),
        ("536870912", 512 * 1024**2),
        (0, None),
    ],
)
def test_a_size_is_bytes_or_has_a_unit(value, size):
    assert app(max_memory_restart=value).bytes("max_memory_restart") == size


def test_a_size_without_its_unit_is_an_error_that_says_what_is_meant():
    message = refusal(lambda: app(max_memory_restart=500).bytes("max_memory_restart"))
    assert message == (
        'eco.json:3: app "web": max_memory_restart "500": that is 500 bytes; did you mean "500M"?'
    )


@pytest.mark.parametrize("value", [True, "true", 1, "1"])
def test_what_is_true(value):
    assert app(watch=value).flag("watch", default=False) is True


@pytest.mark.parametrize("value", [False, "false", 0, "0", ""])
def test_what_is_false(value):
    assert app(watch=value).flag("watch", default=True) is False


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (
            lambda: app(autorestart="maybe").flag("autorestart", default=True),
            'autorestart "maybe": write true or false',
        ),
        (
            lambda: app(kill_timeout="soon").seconds("kill_timeout"),
            'kill_timeout "soon": not a time; write for example 500ms, 10s or 5m',
        ),
        (lambda: app(max_restarts=-1).count("max_restarts"), 'max_restarts "-1": must be from 0'),
        (lambda: app(max_restarts=2.5).count("max_restarts"), 'max_restarts "2.5": not a whole'),
        (lambda: app(max_restarts=[3]).count("max_restarts"), "max_restarts: not a whole number"),
        (lambda: app(cwd=True).text("cwd"), 'cwd "true": not a text'),
        (lambda: app(cwd="a\0b").text("cwd"), "cwd: a NUL character in it"),
        (lambda: app(args=[["a"]]).words("args"), "args: not a list of texts"),
        (lambda: app(max_memory_restart="1 TB").bytes("max_memory_restart"), "not a size; write"),
    ],
)
def test_what_cannot_be_understood_is_an_error_with_place_app_and_attribute(read, message):
    said = refusal(read)
    assert said.startswith('eco.json:3: app "web": ')
    assert message in said


def test_a_list_of_arguments_stays_as_it_is_and_numbers_become_texts():
    assert app(args=["a b", 3000, True]).words("args") == ("a b", "3000", "true")


def test_a_path_is_relative_to_the_folder_of_the_app():
    assert app(out_file="./logs/../out.log").path("out_file") == "/srv/app/out.log"
    assert app(out_file="/var/log/out.log").path("out_file") == "/var/log/out.log"


@pytest.mark.parametrize(
    ("dayjs", "strftime", "different"),
    [
        ("YYYY-MM-DDTHH:mm:ss", "%Y-%m-%dT%H:%M:%S", ""),
        ("YYYY-MM-DD HH:mm:ss.SSS", "%Y-%m-%d %H:%M:%S.%f", ""),
        ("[at] h:m A", "at %-I:%-M %p", ""),
        ("HH[h] 100%", "%Hh 100%%", ""),
        ("yyyy YYY x", "yyyy YYY x", ""),
        (
            "YYYY-MM-DD HH:mm:ss Z",
            "%Y-%m-%d %H:%M:%S %z",
            "Z gives an offset without colon (+0200)",
        ),
        ("SSS ss", "%f %S", "SSS gives microseconds"),
    ],
)
def test_tokens_of_dayjs_become_directives(dayjs, strftime, different):
    assert strftime_of(dayjs) == (strftime, different)
