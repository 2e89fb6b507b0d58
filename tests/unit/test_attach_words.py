"""The keys that detach from a terminal, and those that choose a service."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.cli.control.detaching import DetachKeys
from devrun.errors import UsageError
from devrun.model import Service
from devrun.supervise.choosing import IN_SUCCESSION, Answer, Choice, Rest
from devrun.supervise.input import addressed


def typed(keys, *chunks):
    passed = b""
    for chunk in chunks:
        data, ends = keys.feed(chunk)
        passed += data
        if ends:
            return passed, True
    return passed, False


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("ctrl-]", b"\x1d"),
        ("Ctrl+]", b"\x1d"),
        ("^a", b"\x01"),
        ("ctrl-p,ctrl-q", b"\x10\x11"),
        ("ctrl-a,d", b"\x01d"),
    ],
)
def test_the_keys_detach_and_what_is_behind_them_is_for_nobody(text, keys):
    assert typed(DetachKeys(text), b"ab" + keys + b"cd") == (b"ab", True)


def test_usually_it_is_as_telnet_has_it():
    assert DetachKeys().shown == "Ctrl+]"
    assert typed(DetachKeys(), b"\x1d") == (b"", True)


def test_none_is_none():
    assert DetachKeys("none").shown == ""
    assert typed(DetachKeys("none"), b"\x1d") == (b"\x1d", False)


@pytest.mark.parametrize("form", [b"\x1b[93;5u", b"\x1b[27;5;93~"])
def test_terminals_that_say_more_of_keys_are_understood(form):
    assert typed(DetachKeys(), b"x" + form) == (b"x", True)


def test_a_key_that_only_begins_like_them_is_passed_on():
    assert typed(DetachKeys("ctrl-p,ctrl-q"), b"\x10", b"x") == (b"\x10x", False)
    assert typed(DetachKeys("ctrl-p,ctrl-q"), b"\x10", b"\x10", b"\x11") == (b"\x10", True)


def test_an_escape_is_not_held_back():
    assert DetachKeys().feed(b"\x1b") == (b"\x1b", False)


@given(st.lists(st.sampled_from([b"a", b"\x10", b"\x11", b"bc"]), max_size=12))
def test_it_does_not_matter_how_keys_arrive(chunks):
    whole = typed(DetachKeys("ctrl-p,ctrl-q"), b"".join(chunks))
    passed, ends = typed(DetachKeys("ctrl-p,ctrl-q"), *chunks)
    assert (passed, ends) == whole


@pytest.mark.parametrize("text", ["", "ctrl-", "f1", "ctrl-1", "ctrl-p,", "strg-]"])
def test_no_such_key(text):
    with pytest.raises(UsageError, match=r"^--detach-keys .*write for example ctrl-\]"):
        DetachKeys(text)


# -- which service ----------------------------------------------------------------------------


NAMES = {"web": [0, 1], "worker": [2], "db": [3]}


def chosen(text, names=NAMES):
    choice = Choice(names)
    answers = [choice.take(key) for key in text]
    assert all(answer is None for answer in answers[:-1])
    return answers[-1]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("\r", Answer((0, 1, 2, 3), "restarting all")),
        ("d", Answer((3,), "restarting db", rest="b")),
        ("we", Answer((0, 1), "restarting web", rest="b")),
        ("w\n", Answer(text='"w" is the beginning of web, worker')),
        ("w\x7fd", Answer((3,), "restarting db", rest="b")),
        ("w\x1b", Answer(text="nothing is restarted")),
    ],
)
def test_first_letters_choose(text, answer):
    assert chosen(text) == answer


def test_a_name_that_another_begins_with_is_chosen_by_enter():
    assert chosen("web\r", {"web": [0], "web2": [1]}) == Answer((0,), "restarting web")


def test_letters_that_no_service_begins_with_are_told_once_and_end_nothing():
    choice = Choice(NAMES)
    assert choice.take("w") is None
    text = 'no service begins with "wr"; there are web, worker, db: erase, or Esc none'
    assert choice.take("r") == Answer(text=text, is_open=True)
    assert choice.take("k") is None
    assert choice.take("\x7f") is None
    assert choice.take("\x7f") is None
    assert choice.take("o") == Answer((2,), "restarting worker", rest="rker")


def test_enter_behind_letters_that_no_service_begins_with_restarts_nothing():
    choice = Choice(NAMES)
    for key in "wrker":
        choice.take(key)
    assert choice.take("\r") == Answer(text="nothing is restarted")


@pytest.mark.parametrize("end", ["", "\r", "s"])
@pytest.mark.parametrize("typed", ["", "r", "rker"])
def test_the_rest_of_a_name_is_no_command_however_it_is_cut(typed, end):
    for place in range(len(typed) + 1):
        rest = Rest("rker", 0)
        assert rest.behind(typed[:place], 1) is None
        behind = rest.behind(typed[place:] + end, 2)
        assert behind == {"": None, "\r": "", "s": "s"}[end]


def test_one_enter_belongs_to_a_name():
    assert Rest("rker", 0).behind("\r\r", 1) == "\r"


def test_what_comes_long_after_the_first_letters_is_a_command():
    rest = Rest("rker", 0)
    assert rest.behind("r", IN_SUCCESSION) is None
    assert rest.behind("k", 2 * IN_SUCCESSION) is None
    assert rest.behind("e", 3 * IN_SUCCESSION + 0.1) == "e"


def test_many_names_are_no_long_line():
    assert Choice({f"s{n}": [n] for n in range(50)}).prompt.endswith("and 38 more; Esc none")


# -- lines of stdin -----------------------------------------------------------------------------


def service(index, name, process=None):
    return Service(index=index, name=name, command="true", cwd="/", process=process)


SERVICES = [service(0, "web.1", "web"), service(1, "web.2", "web"), service(2, "db", "db")]


@pytest.mark.parametrize(
    ("line", "target"),
    [
        (b"db:text\n", (2, b"text\n")),
        (b"web.2:text\n", (1, b"text\n")),
        (b"web:text\n", (0, b"text\n")),
        (b"1:text\n", (1, b"text\n")),
        (b"nobody:text\n", (None, b"nobody:text\n")),
        (b"text\n", (None, b"text\n")),
    ],
)
def test_a_line_is_for_whom_it_names(line, target):
    assert addressed(line, SERVICES) == target
