"""Messages of Node's IPC, cut anywhere, and the variable that loads the shim."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.process.node.ipc import node_options
from devrun.process.node.messages import (
    LONGEST_LINE,
    MessageReader,
    ProtocolError,
    decode,
    encode,
    is_internal,
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.lists(VALUES), st.data())
def test_a_stream_cut_anywhere_holds_the_same_messages(values, data):
    # As JSON.stringify writes it: not escaped, so that cuts fall into characters too.
    text = "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)
    stream = text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)))))
    reader = MessageReader()
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += reader.feed(stream[start:end])
    assert found == values


@given(VALUES)
def test_what_is_sent_is_one_line_of_ascii_that_says_the_same(value):
    line = encode(value)
    assert line.isascii()
    assert line.index(b"\n") == len(line) - 1
    assert decode(line) == value


def test_a_word_is_sent_as_a_bare_json_string():
    assert encode("shutdown") == b'"shutdown"\n'


def test_a_number_that_json_does_not_have_is_not_sent():
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode(float("nan"))


@pytest.mark.parametrize(
    "line",
    [b"", b"ready", b"{", b"\xff", b'"\xc3"', b"[" * 100_000, b"1" * 5000, b"1 2"],
    ids=["empty", "word", "open", "byte", "half a character", "deep", "long number", "two"],
)
def test_garbage_is_refused_in_one_short_line(line):
    with pytest.raises(ProtocolError) as caught:
        decode(line)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


def test_what_came_before_garbage_counts():
    reader = MessageReader()
    found = []
    with pytest.raises(ProtocolError):
        found.extend(reader.feed(b'"ready"\n2\ngarbage\n"after"\n'))
    assert found == ["ready", 2]


def test_a_message_of_one_mebibyte_passes_and_a_longer_one_does_not():
    fits = b'"' + b"x" * (LONGEST_LINE - 2) + b'"'
    assert len(list(MessageReader().feed(fits + b"\n"))) == 1
    with pytest.raises(ProtocolError, match="longer than 1 MiB"):
        list(MessageReader().feed(b" " + fits + b"\n"))


def test_a_line_without_an_end_is_given_up():
    reader = MessageReader()
    assert list(reader.feed(b"x" * LONGEST_LINE)) == []
    with pytest.raises(ProtocolError, match="longer than 1 MiB"):
        list(reader.feed(b"x"))


@pytest.mark.parametrize(
    ("value", "internal"),
    [
        ({"cmd": "NODE_HANDLE"}, True),
        ({"cmd": "NODE_"}, True),
        ({"cmd": "NODE"}, False),
        ({"cmd": 7}, False),
        ({"command": "NODE_X"}, False),
        ("NODE_X", False),
        ([{"cmd": "NODE_X"}], False),
        (None, False),
    ],
)
def test_nodes_own_messages_are_told_from_the_programs(value, internal):
    assert is_internal(value) is internal


def split_as_node_does(text: str) -> list[str]:
    """``ParseNodeOptionsEnvVar`` of node.cc, line by line."""
    words: list[str] = []
    in_string = False
    new = True
    place = 0
    while place < len(text):
        letter = text[place]
        if letter == "\\" and in_string:
            place += 1
            letter = text[place]
        elif letter == " " and not in_string:
            new = True
            place += 1
            continue
        elif letter == '"':
            in_string = not in_string
            place += 1
            continue
        if new:
            words.append(letter)
            new = False
        else:
            words[-1] += letter
        place += 1
    assert not in_string
    return words


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_any_path_of_the_shim_is_quoted_as_node_reads_it(path):
    shim = "/" + path
    assert split_as_node_does(node_options("", shim=shim)) == ["--require", shim]


def test_the_users_own_options_are_kept_behind_it():
    options = node_options('--max-old-space-size=4096 --require "./my file.js"', shim="/s.cjs")
    assert split_as_node_does(options) == [
        "--require",
        "/s.cjs",
        "--max-old-space-size=4096",
        "--require",
        "./my file.js",
    ]


def test_a_run_within_a_run_does_not_ask_twice():
    once = node_options("--no-warnings", shim="/s.cjs")
    assert node_options(once, shim="/s.cjs") == once
