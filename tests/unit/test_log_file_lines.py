"""Chunks to the lines of a log file."""

from __future__ import annotations

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from devrun.output.log_lines import LONGEST_HELD, Json, Plain, SequenceRemover, SourceLines, Stamped

TRICKY = st.lists(
    st.sampled_from(
        [
            *(b"\n", b"\r", b"\r\n", b"\x00", b"\x1b", b"\\", b'"', b"\t", b"\x07", b"a", b"web"),
            *(
                "é".encode(),
                "€".encode(),
                "🙂".encode(),
                b"\xf0\x9f",
                b"\xe2\x82",
                b"\xff",
                b"\x80",
            ),
            *(b"\x1b[31m", b"\x1b[0m", b"\x1b[", b"\x1b]0;t\x07", b"\x1b]8;;x\x1b\\", b"\x1b]"),
        ]
    ),
    max_size=40,
).map(b"".join)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Cut data at some places."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def numbered(time: float) -> str:
    return f"{time:g}"


def written(source: SourceLines, chunks: list[bytes], *, hold: bool = False) -> bytes:
    """Return what chunks add to a file, each at the time of its number."""
    pieces = [source.feed(chunk, at, hold=hold) for at, chunk in enumerate(chunks)]
    return b"".join(pieces) + source.finish()


@given(data=TRICKY | st.binary(), places=st.lists(st.integers(0, 10_000)), hold=st.booleans())
def test_plain_lines_are_the_bytes_as_they_were(data, places, hold):
    source = SourceLines(Plain(), keeps_sequences=True)
    assert written(source, cut(data, places), hold=hold) == data


@given(data=st.binary(), places=st.lists(st.integers(0, 10_000)))
def test_without_sequences_nothing_is_changed_where_none_are(data, places):
    data = data.replace(b"\x1b", b"")
    assert written(SourceLines(Plain()), cut(data, places)) == data


@given(data=TRICKY, places=st.lists(st.integers(0, 10_000)), hold=st.booleans())
def test_sequences_go_wherever_the_output_is_cut(data, places, hold):
    remover = SequenceRemover()
    whole = remover.feed(data) + remover.finish()
    assert written(SourceLines(Plain()), cut(data, places), hold=hold) == whole


def test_what_only_looks_like_a_sequence_stays():
    for data in (b"\x1b", b"\x1b[31", b"\x1b[31\nm", b"\x1b]0;a\nb\x07", b"\x1b" + b"\x1b\n"):
        assert written(SourceLines(Plain()), [data]) == data
    assert written(SourceLines(Plain()), [b"\x1b[1;31mred\x1b[0m \x1b]0;t\x07x\n"]) == b"red x\n"


@given(data=TRICKY, places=st.lists(st.integers(0, 10_000)), hold=st.booleans())
def test_stamped_lines_are_those_of_the_output_each_with_its_first_bytes_time(data, places, hold):
    chunks = cut(data, places)
    came = [at for at, chunk in enumerate(chunks) for _ in chunk]
    starts = [0, *(at + 1 for at, byte in enumerate(data) if byte == 10)]
    expected = b"\n".join(
        (b"%d " % came[start] if start < len(data) else b"") + line
        for start, line in zip(starts, data.split(b"\n"), strict=True)
    )
    source = SourceLines(Stamped(numbered), keeps_sequences=True)
    assert written(source, chunks, hold=hold) == expected


@given(data=TRICKY | st.binary(), places=st.lists(st.integers(0, 10_000)))
def test_json_lines_hold_the_text_of_each_line(data, places):
    chunks = cut(data, places)
    source = SourceLines(Json('a"b\\é', None, "out", numbered), keeps_sequences=True)
    output = written(source, chunks)
    records = [json.loads(line) for line in output.decode().split("\n")[:-1]]
    lines = data.split(b"\n")
    ended = [line.removesuffix(b"\r") for line in lines[:-1]]
    texts = [*ended, *filter(None, lines[-1:])]
    assert [record["text"] for record in records] == [t.decode(errors="replace") for t in texts]
    assert all(record["service"] == 'a"b\\é' for record in records)
    assert not output or output.endswith(b"\n")
    came = [at for at, chunk in enumerate(chunks) for _ in chunk]
    starts = [0, *(at + 1 for at, byte in enumerate(data) if byte == 10)]
    assert [record["time"] for record in records] == [
        str(came[start]) for start, _ in zip(starts, texts, strict=False)
    ]


@given(
    data=TRICKY.map(lambda data: data.replace(b"\n", b"")),
    places=st.lists(st.integers(0, 10_000)),
    end=st.sampled_from([b"", b"\n", b"\r\n"]),
)
def test_a_json_line_too_long_to_be_held_is_one_object_all_the_same(data, places, end):
    long = b"x" * (LONGEST_HELD + 1)
    source = SourceLines(Json("web", 2, "err", numbered), keeps_sequences=True)
    records = written(source, [long, *cut(data + end, places)]).decode().split("\n")
    text = long + data + end
    if end:
        text = text[:-1].removesuffix(b"\r")
    assert len(records) == 2
    assert json.loads(records[0]) == {
        "time": "0",
        "service": "web",
        "instance": 2,
        "stream": "err",
        "text": text.decode(errors="replace"),
    }


def test_the_beginning_of_a_line_is_held_back_only_where_others_write():
    alone, together = SourceLines(Plain()), SourceLines(Plain())
    assert alone.feed(b"name? ", 0, hold=False) == b"name? "
    assert together.feed(b"name? ", 0, hold=True) == b""
    assert together.feed(b"x\n", 0, hold=True) == b"name? x\n"


def test_a_line_of_ten_megabytes_is_passed_on_in_pieces():
    source = SourceLines(Stamped(numbered))
    block = b"x" * 65536
    pieces = [source.feed(block, at, hold=True) for at in range(160)]
    assert max(map(len, pieces)) < LONGEST_HELD + 2 * len(block)
    assert b"".join(pieces) + source.feed(b"\n", 200, hold=True) == b"0 " + block * 160 + b"\n"


def test_a_line_that_is_interrupted_goes_on_as_another():
    long = b"x" * (LONGEST_HELD + 1)
    plain, objects = SourceLines(Stamped(numbered)), SourceLines(Json("w", None, "out", numbered))
    assert plain.feed(long, 0, hold=True) == b"0 " + long
    assert plain.interrupt() == b"\n"
    assert plain.feed(b"yz\n", 1, hold=True) == b"1 yz\n"
    output = objects.feed(long + b"\xe2\x82", 0, hold=True) + objects.interrupt()
    output += objects.feed(b"\xac\n", 1, hold=True)
    texts = [json.loads(line)["text"] for line in output.splitlines()]
    assert texts == [long.decode(), "€"]
