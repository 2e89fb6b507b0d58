"""The client's half of HTTP: whatever an answer is cut into, it is the same answer."""

from __future__ import annotations

import itertools

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.control.answer import AnswerReader, BadAnswer, quoted, request

texts = st.text(st.characters(codec="utf-8"), max_size=20)


def read(data, cuts=()):
    """Return status and body, fed in pieces that end at the cuts."""
    reader = AnswerReader()
    places = [0, *sorted({min(cut, len(data)) for cut in cuts}), len(data)]
    body = b"".join(reader.feed(data[start:end]) for start, end in itertools.pairwise(places))
    reader.finish()
    return reader.status, body


def answer(status, parts, *, chunked):
    """Return an answer as h11 writes it."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(b"GET / HTTP/1.1\r\nHost: devrun\r\nConnection: close\r\n\r\n")
    server.next_event()
    length = str(sum(map(len, parts)))
    headers = [] if chunked else [("content-length", length)]
    events = [
        h11.Response(status_code=status, headers=headers),
        *(h11.Data(part) for part in parts),
        h11.EndOfMessage(headers=[("x-trailer", "1")] if chunked else []),
    ]
    return b"".join(server.send(event) for event in events)


@given(
    status=st.sampled_from((200, 404, 409, 500)),
    parts=st.lists(st.binary(max_size=40), max_size=5),
    chunked=st.booleans(),
    cuts=st.lists(st.integers(0, 400)),
)
def test_an_answer_is_the_same_however_it_is_cut(status, parts, chunked, cuts):
    assert read(answer(status, parts, chunked=chunked), cuts) == (status, b"".join(parts))


@given(
    parts=st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=5),
    chunked=st.booleans(),
    data=st.data(),
)
def test_an_answer_that_breaks_off_is_not_taken_for_a_whole_one(parts, chunked, data):
    whole = answer(200, parts, chunked=chunked)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(BadAnswer):
        read(whole[:cut])


def test_without_a_length_the_end_of_the_connection_is_that_of_the_answer():
    assert read(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc\r\ndef") == (200, b"abc\r\ndef")


def test_an_announcement_is_not_the_answer():
    head = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    assert read(head + b"HTTP/1.1 204 No Content\r\n\r\n") == (204, b"")


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 70_000,
    ],
    ids=["no HTTP", "no status", "no length", "no chunk", "no end", "no chunk's end"],
)
def test_what_is_no_answer_is_refused(data):
    with pytest.raises(BadAnswer):
        read(data)


@given(
    path=st.lists(texts, min_size=1, max_size=3),
    query=st.lists(st.tuples(texts, texts), max_size=3),
    body=st.none() | st.binary(max_size=30),
)
def test_a_request_is_one_for_any_server(path, query, body):
    from urllib.parse import parse_qsl, unquote, urlsplit

    server = h11.Connection(h11.SERVER)
    server.receive_data(request("POST", path, query, body))
    asked = server.next_event()
    assert isinstance(asked, h11.Request)
    parts = urlsplit("http://devrun" + asked.target.decode())
    assert [unquote(part) for part in parts.path.split("/")[1:]] == path
    assert parse_qsl(parts.query, keep_blank_values=True) == query
    sent = b""
    while isinstance(event := server.next_event(), h11.Data):
        sent += event.data
    assert isinstance(event, h11.EndOfMessage)
    assert sent == (body or b"")


def test_bytes_that_are_no_text_can_be_part_of_a_name():
    assert quoted("a\udcff/b") == "a%FF%2Fb"
