"""JSON in both directions, whatever bytes names and folders have; and what is wrong, in words."""

from __future__ import annotations

import json
import os

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.control.json_text import encoded, encoded_lines
from devrun.control.problems import Problem
from devrun.control.shapes import Apply, LogsQuery, Scale, WaitQuery
from devrun.control.understanding import understand_body, understand_query


class Said(msgspec.Struct):
    name: str
    config: msgspec.Raw


names = st.binary(max_size=20).map(os.fsdecode)


@given(names, names)
def test_any_name_can_be_said_and_is_read_as_it_was(name, inside):
    said = encoded(Said(name, msgspec.Raw(encoded({"command": inside}))))
    assert json.loads(said) == {"name": name, "config": {"command": inside}}


@given(st.lists(names))
def test_lines_are_one_value_each(words):
    lines = encoded_lines([{"line": word} for word in words]).splitlines()
    assert [json.loads(line)["line"] for line in lines] == words


@given(st.lists(names), names)
def test_any_words_and_folder_can_be_asked_for(words, folder):
    body = json.dumps({"words": words, "folder": folder}).encode()
    assert understand_body(body, Apply) == Apply(words, folder)


@pytest.mark.parametrize(
    "body",
    [b'{"words": ["\\udcff"}', b'{"words": ["\\udcff", NaN]}', b'{"words": ["\xff\\udcff"]}'],
)
def test_what_else_is_wrong_is_not_forgiven(body):
    with pytest.raises(Problem, match="the body is no JSON") as caught:
        understand_body(body, Apply)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("query", "kind", "said"),
    [
        ("tail=x", LogsQuery, '"tail" has to be a whole number from 0 to 1,000,000'),
        ("tail=-1", LogsQuery, '"tail" has to be a whole number from 0 to 1,000,000'),
        ("since=x", LogsQuery, '"since" has to be a number up to 1,000,000,000,000'),
        ("follow=2", LogsQuery, '"follow" has to be true or false'),
        ("stream=two", LogsQuery, '"stream" has to be one of out, err'),
        ("grep=" + "x" * 1001, LogsQuery, '"grep" has to be a text of at most 1,000 characters'),
        ("for=helthy", WaitQuery, 'stopped, exited; did you mean "healthy"?'),
        ("tial=1", LogsQuery, 'unknown parameter "tial"; there are service, tail, '),
        ("tail=1&tail=2", LogsQuery, 'the parameter "tail" stands twice'),
    ],
)
def test_a_wrong_query_is_told_in_words(query, kind, said):
    with pytest.raises(Problem) as caught:
        understand_query(query, kind)
    assert said in str(caught.value)
    assert "`" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"[]", Scale, "the body has to be a JSON object"),
        (b"{}", Scale, 'the key "instances" is missing: a whole number from 0 to 1,000'),
        (b'{"instances": 1001}', Scale, 'the key "instances" has to be a whole number from 0 to'),
        (b'{"instances": 1, "x": 2}', Scale, 'unknown key "x"; there are instances'),
        (b'{"words": [1]}', Apply, '"words" has to be a list of at most 10,000 items, each a text'),
        (b'{"words": [], "folder": 1}', Apply, 'the key "folder" has to be a text'),
    ],
)
def test_a_wrong_body_is_told_in_words(body, kind, said):
    with pytest.raises(Problem) as caught:
        understand_body(body, kind)
    assert said in str(caught.value)
    assert "`" not in str(caught.value)
