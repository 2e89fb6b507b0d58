"""Words of the command line: commands and their names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.config.words import Word, parse_words
from devrun.errors import UsageError


def refusal(words, names=None):
    with pytest.raises(UsageError) as caught:
        parse_words(words, names)
    return str(caught.value)


def one(text, names=None):
    (word,) = parse_words([text], names)
    return word.name, word.command


@pytest.mark.parametrize(
    ("text", "name", "command"),
    [
        ("web=pnpm dev:web", "web", "pnpm dev:web"),
        ("a.b_c-d/e:f@2=x", "a.b_c-d/e:f@2", "x"),
        ("@scope/app=x", "@scope/app", "x"),
        ("9x=y", "9x", "y"),
        ("web=A=1 node x", "web", "A=1 node x"),
        ("web=PORT=3000 node x", "web", "PORT=3000 node x"),
        ("web=a\nb", "web", "a\nb"),
        ("web= x ", "web", " x "),
    ],
)
def test_a_name_stands_before_the_first_equals_sign(text, name, command):
    assert one(text) == (name, command)


@pytest.mark.parametrize(
    "text",
    [
        "echo a=b",
        "./run --x=y",
        "./run=x",
        "../run=x",
        "/bin/run=x",
        "node --flag=x",
        "-x=y",
        "PORT=3000 node x",
        "A=1",
        "_=x",
        "A_1=x y",
        "=x",
        "a+b=c",
        "'a'=b",
        "ü=x",
        " web=x",
        "0x10",
        "1e3",
        "true",
        "  echo  ",
    ],
)
def test_everything_else_is_a_bare_command_as_it_is(text):
    assert one(text) == (None, text)


@pytest.mark.parametrize(
    ("text", "name", "command"),
    [
        ("'npm dev'", None, "npm dev"),
        ('"npm dev"', None, "npm dev"),
        ("'web=npm dev'", "web", "npm dev"),
        ("web='npm dev'", "web", "npm dev"),
        ("""'say "x"'""", None, 'say "x"'),
        ('"echo "a""', None, '"echo "a""'),
        ('"a" "b"', None, '"a" "b"'),
        ("'a\"", None, "'a\""),
        ("'", None, "'"),
    ],
)
def test_one_pair_of_quotes_around_it_all_is_left_out(text, name, command):
    assert one(text) == (name, command)


def test_with_names_nothing_is_split():
    words = parse_words(["x=a b", "PORT=1 c", "'d'"], "one, two ")
    assert words == (Word("one", "x=a b"), Word("two", "PORT=1 c"), Word(None, "d"))


def test_an_empty_name_leaves_its_command_without_one():
    assert [w.name for w in parse_words(["a", "b", "c"], ",mid,")] == [None, "mid", None]
    assert one("x=y", "") == (None, "x=y")


@pytest.mark.parametrize(
    ("words", "names", "reason"),
    [
        ([""], None, "command 1 is empty"),
        (["a", " \t"], None, "command 2 is empty"),
        (["''"], None, "command 1 is empty"),
        (["a", "''"], "x,y", "command 2 is empty"),
        (["a", "web="], None, 'command 2: the name "web" has no command; write web=COMMAND'),
        (["web= \n"], None, 'command 1: the name "web" has no command'),
        (["a"], "x,y", '--names "x,y": 2 names for 1 command'),
        (["a", "b"], "x,y,z", '--names "x,y,z": 3 names for 2 commands'),
        (["a"], "x\ny", "--names: 'x\\ny' has a control character in it"),
        (["a"], "x\x1b[2J", "control character"),
        (["a"], "x\x9b2J", "control character"),
        (["web=a", "b", "web=c"], None, 'the name "web" stands at commands 1 and 3'),
        (["a", "b"], "x,x", 'the name "x" stands at commands 1 and 2'),
        (["a\0b"], None, "command 1 has a NUL character in it"),
    ],
)
def test_what_cannot_be_run_is_refused_with_its_place(words, names, reason):
    assert reason in refusal(words, names)


NAME = st.from_regex(r"[a-z0-9@][a-z0-9_.@/:-]*", fullmatch=True)
COMMAND = st.text(min_size=1).filter(
    lambda text: text.strip() and "\0" not in text and text[0] not in "\"'"
)


@given(st.dictionaries(NAME, COMMAND, min_size=1))
def test_names_and_commands_written_as_words_read_the_same(services):
    words = [f"{name}={command}" for name, command in services.items()]
    assert {w.name: w.command for w in parse_words(words, None)} == services


@given(st.dictionaries(NAME, COMMAND, min_size=1))
def test_names_in_a_list_read_the_same(services):
    words = parse_words(list(services.values()), ",".join(services))
    assert {w.name: w.command for w in words} == services


PIECE = st.sampled_from(["web", "=", "A", "-", " ", "'", '"', "\n", "\0", "./", ":", "\x1b"])
TEXT = st.text() | st.lists(PIECE).map("".join)


@given(st.lists(TEXT), st.none() | TEXT)
def test_any_words_are_commands_or_a_refusal(texts, names):
    try:
        words = parse_words(texts, names)
    except UsageError:
        return
    assert len(words) == len(texts)
    assert all(word.command.strip() for word in words)
    used = [word.name for word in words if word.name is not None]
    assert len(used) == len(set(used))
