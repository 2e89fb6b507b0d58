"""The last lines of every instance: exact, bounded, in order, and never in anybody's way."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.events import Exited, Notice, Output, Piece
from devrun.model import ExitStatus
from devrun.output.line_history import LONGEST_LINE, OVERHEAD, LineHistory

TEXT = st.binary(max_size=12).map(lambda data: data.replace(b"\n", b"."))
WRITES = st.lists(
    st.tuples(
        st.integers(0, 3), st.booleans(), st.lists(TEXT, min_size=1, max_size=4), st.booleans()
    )
)
"""Instance, whether it is stderr, texts, and whether the last one is a whole line."""


def lines(*texts: bytes, instance: int = 0, generation: int = 1, is_error: bool = False) -> Output:
    data = b"".join(text + b"\n" for text in texts)
    return Output(instance, generation, Piece.LINES, data, is_error)


def part(data: bytes, *, instance: int = 0, generation: int = 1, is_error: bool = False) -> Output:
    return Output(instance, generation, Piece.PART, data, is_error)


def exited(instance: int = 0, generation: int = 1) -> Exited:
    status = ExitStatus(code=0)
    return Exited(instance, generation, status, 0.0, 0.0, final=True, stopped=False)


def texts(found) -> list[bytes]:
    return [line.data for line in found]


def begun_lines(history: LineHistory) -> list[bytes]:
    """Return the beginnings of lines."""
    return [line for chunk in history.unfinished() for line in chunk.lines]


def read(reader) -> list[bytes]:
    """Return all that a reader has not read yet."""
    return [line for chunk in iter(reader.next, None) for line in chunk.lines]


def test_the_last_lines_are_exactly_as_many_as_asked_for():
    history = LineHistory()
    history(lines(b"a", b"b", b"c"))
    history(lines(b"d"))
    assert texts(history.tail(2)) == [b"c", b"d"]
    assert texts(history.tail(0)) == []
    assert texts(history.tail(9)) == [b"a", b"b", b"c", b"d"]


def test_lines_of_several_instances_come_in_the_order_in_which_they_were_written():
    history = LineHistory()
    for text, instance in ((b"a", 0), (b"b", 1), (b"c", 0), (b"d", 2), (b"e", 1)):
        history(lines(text, instance=instance))
    assert texts(history.tail(4)) == [b"b", b"c", b"d", b"e"]
    assert texts(history.tail(2, {0, 2})) == [b"c", b"d"]


def test_a_line_that_came_in_parts_is_one_line_where_its_end_came():
    history = LineHistory()
    history(part(b"be"))
    history(lines(b"other", instance=1))
    history(part(b"gun, "))
    assert begun_lines(history) == [b"begun, "]
    history(lines(b"ended", b"next"))
    assert texts(history.tail(9)) == [b"other", b"begun, ended", b"next"]
    assert begun_lines(history) == []


def test_parts_of_two_streams_and_of_two_generations_stay_apart():
    history = LineHistory()
    history(part(b"out "))
    history(part(b"err ", is_error=True))
    history(part(b"new ", generation=2))
    history(lines(b"1", is_error=True))
    history(lines(b"2", generation=2))
    history(lines(b"3"))
    assert texts(history.tail(9)) == [b"err 1", b"new 2", b"out 3"]


def test_what_a_process_wrote_without_a_line_end_is_a_line_once_it_has_ended():
    history = LineHistory()
    history(part(b"no newline"))
    history(exited(generation=2))
    assert texts(history.tail(9)) == []
    history(exited())
    assert texts(history.tail(9)) == [b"no newline"]


def test_states_of_a_progress_bar_and_other_events_are_no_lines():
    history = LineHistory()
    history(Output(0, 1, Piece.PROGRESS, b"50 %"))
    history(Notice("hello"))
    assert history.tail(9) == [] == begun_lines(history)


def test_a_line_that_came_in_many_parts_is_one_line():
    history = LineHistory()
    written = b"x" * 100_000
    for _ in range(5):
        history(part(written))
    history(lines(b"end", b"next"))
    assert texts(history.tail(99)) == [written * 5 + b"end", b"next"]


def test_a_line_that_is_too_long_is_one_line_that_says_how_much_of_it_is_not_there():
    history = LineHistory()
    for _ in range(30):
        history(part(b"x" * 100_000))
    assert begun_lines(history) == [b"x" * LONGEST_LINE + note(3_000_000 - LONGEST_LINE)]
    history(lines(b"end", b"next"))
    first = b"x" * LONGEST_LINE + note(3_000_003 - LONGEST_LINE)
    assert texts(history.tail(99)) == [first, b"next"]


def test_a_line_that_is_too_long_is_cut_between_characters():
    history = LineHistory(of_one=100)
    for text in ("a" + "ä" * 100, "😀" * 100, "ab" * 100):
        history(lines(text.encode()))
        (line,) = texts(history.tail(1))
        shown, _, _ = line.decode().partition(" [… ")
        assert text.startswith(shown)
        assert line == shown.encode() + note(len(text[len(shown) :].encode()))


def test_in_front_of_a_line_that_is_too_long_others_are_lost_and_told():
    history = LineHistory(of_one=1000)
    with history.reader() as reader:
        history(lines(b"a", b"b", b"x" * 2000))
        assert len(read(reader)) == 1
        assert reader.take_lost() == 2


def note(left_out: int) -> bytes:
    return f" [… {left_out:,} bytes more]".encode()


def test_a_line_says_where_and_when_it_is_from():
    history = LineHistory(clock=lambda: 1700000000.25)
    history(lines(b"hello", instance=3, generation=7, is_error=True))
    (line,) = history.tail(1)
    assert (line.at, line.instance, line.generation, line.is_error) == (1700000000.25, 3, 7, True)


# -- bounds --------------------------------------------------------------------------------------


def test_an_instance_keeps_its_last_lines_only_and_the_others_keep_theirs():
    history = LineHistory(of_one=20_000)
    history(lines(b"quiet", instance=1))
    for number in range(10_000):
        history(lines(b"%06d" % number))
    found = texts(history.tail(10_000, {0}))
    assert found[-1] == b"009999"
    assert len(found) == 20_000 // (7 + OVERHEAD)
    assert texts(history.tail(9, {1})) == [b"quiet"]
    assert len(history._row) < 3 * len(found) + 70


def test_a_thousand_short_lines_are_kept_however_they_come():
    history = LineHistory()
    for number in range(5000):
        history(lines(b"line %04d" % number))
    assert texts(history.tail(1000)) == [b"line %04d" % number for number in range(4000, 5000)]


def test_all_instances_together_keep_no_more_than_is_said():
    history = LineHistory(of_one=10_000, of_all=40_000)
    for number, instance in itertools.product(range(50), range(20)):
        history(lines(b"%090d" % number, instance=instance))
    kept = sum(len(chunk.data) + OVERHEAD for chunk in history.chunks())
    assert kept <= 40_000
    assert {chunk.instance for chunk in history.chunks()} == set(range(20))


def test_of_more_than_may_be_kept_at_once_the_last_lines_are():
    history = LineHistory(of_one=1000)
    history(lines(*(b"%03d" % number for number in range(900))))
    found = texts(history.tail(9999))
    assert found == [b"%03d" % number for number in range(900 - len(found), 900)]
    assert 200 < len(found) <= 250
    history(part(b"y" * 5000))
    history(lines(b"z"))
    assert texts(history.tail(1)) == [b"y" * 936 + " [… 4,065 bytes more]".encode()]


def test_without_readers_nothing_is_counted():
    history = LineHistory()
    history(lines(b"a", b"b"))
    assert [chunk.count for chunk in history.chunks()] == [-1]


# -- readers -------------------------------------------------------------------------------------


def test_a_reader_gets_every_line_once_and_hears_of_new_ones():
    history = LineHistory()
    heard = []
    end = history.listen(lambda: heard.append(1))
    history(lines(b"old"))
    with history.reader(start=history.end) as reader:
        assert reader.next() is None
        history(lines(b"a", b"b"))
        history(lines(b"c", instance=1))
        assert read(reader) == [b"a", b"b", b"c"]
        assert read(reader) == []
        assert not reader.take_lost()
    end()
    history(lines(b"d"))
    assert len(heard) == 3


def test_a_reader_that_is_overtaken_is_told_how_many_lines_it_has_missed():
    history = LineHistory(of_one=2000)
    with history.reader() as reader:
        history(lines(b"first"))
        assert read(reader) == [b"first"]
        for number in range(100):
            history(lines(b"%d" % number, b"and one more"))
        assert read(reader) == [b"99", b"and one more"]
        assert reader.take_lost() == 198
        assert reader.take_lost() == 0


def test_a_reader_of_what_has_been_dropped_before_it_read_anything_is_told_too():
    history = LineHistory(of_one=2000)
    history(lines(b"kept at first"))
    with history.reader() as reader, history.reader(start=history.end) as late:
        for number in range(100):
            history(lines(b"%d" % number))
        assert read(reader) == read(late) == [b"99"]
        assert (reader.take_lost(), late.take_lost()) == (100, 99)


def test_overtaken_by_one_instance_a_reader_loses_no_line_of_another():
    history = LineHistory(of_one=2000)
    with history.reader() as reader:
        history(lines(b"quiet", instance=1))
        for number in range(100):
            history(lines(b"%d" % number))
        history(lines(b"quiet again", instance=1))
        assert read(reader) == [b"quiet", b"99", b"quiet again"]
        assert reader.take_lost() == 99


def test_readers_that_are_overtaken_meet_at_one_chunk():
    history = LineHistory(of_one=2000)
    with history.reader() as one, history.reader() as other:
        for number in range(100):
            history(lines(b"%d" % number))
        first = one.next()
        history(lines(b"later"))
        assert other.next() is first
        assert read(one) == read(other) == [b"later"]


def test_a_reader_of_some_is_not_told_of_what_others_lost():
    history = LineHistory(of_one=2000)
    with history.reader({1}) as reader:
        for number in range(100):
            history(lines(b"%d" % number))
        history(lines(b"mine", instance=1))
        assert read(reader) == [b"mine"]
        assert reader.take_lost() == 0


@given(WRITES)
def test_however_output_is_cut_every_line_is_there_once(writes):
    history = LineHistory()
    expected: dict[int, list[bytes]] = {}
    begun: dict[tuple[int, bool], bytes] = {}
    with history.reader() as reader:
        seen: list[bytes] = []
        for instance, is_error, texts_of, is_whole in writes:
            key = instance, is_error
            whole = texts_of if is_whole else texts_of[:-1]
            if whole:
                history(lines(*whole, instance=instance, is_error=is_error))
                first, *others = whole
                found = [begun.pop(key, b"") + first, *others]
                expected.setdefault(instance, []).extend(found)
            if not is_whole:
                history(part(texts_of[-1], instance=instance, is_error=is_error))
                begun[key] = begun.get(key, b"") + texts_of[-1]
            seen += read(reader)
    for instance, all_of_it in expected.items():
        assert texts(history.tail(10_000, {instance})) == all_of_it
    assert seen == texts(history.tail(10_000))
    assert begun_lines(history) == [text for text in begun.values() if text]


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 5), st.booleans()), max_size=80),
    st.integers(200, 2000),
)
def test_what_a_reader_gets_and_what_it_is_told_it_missed_is_all(writes, of_one):
    history = LineHistory(of_one=of_one)
    written = 0
    with history.reader() as reader:
        got, lost = [], 0
        for instance, count, reads in writes:
            history(lines(*(b"%d" % (written + n) for n in range(count)), instance=instance))
            written += count
            if reads:
                got += read(reader)
                lost += reader.take_lost()
        got += read(reader)
        lost += reader.take_lost()
    assert len(got) + lost == written
    assert got == sorted(got, key=int)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 5))), st.integers(0, 30))
def test_a_tail_is_the_end_of_all(writes, most):
    history = LineHistory()
    number = itertools.count()
    every = []
    for instance, count in writes:
        new = [b"%d" % next(number) for _ in range(count)]
        every += new
        history(lines(*new, instance=instance))
    assert texts(history.tail(most)) == every[max(0, len(every) - most) :]


@pytest.mark.parametrize("size", [10, 1000, 65_000])
def test_a_reader_keeps_no_memory_back(size):
    history = LineHistory(of_one=5000)
    with history.reader():
        for _ in range(1000):
            history(lines(b"x" * size))
    assert sum(len(chunk.data) for chunk in history.chunks()) <= 5000
