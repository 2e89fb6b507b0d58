"""The summary of a failed run."""

from __future__ import annotations

import pytest

from devrun.events import Exited, Output, Piece, Restarted, SpawnFailed
from devrun.model import ExitStatus, Service
from devrun.output.spans import humanized
from devrun.output.summary import REMEMBERED, Summary

SERVICES = tuple(Service(n, name, "x", "/") for n, name in enumerate(["web", "worker"]))


def exited(instance, *, code=None, signal=None, final=True, stopped=False, fault=None):
    status = ExitStatus(code=code, signal=signal)
    return Exited(instance, 1, status, 0.0, 12.4, final=final, stopped=stopped, fault=fault)


def summary(*events):
    one = Summary()
    for event in events:
        one(event)
    return one.render(SERVICES, tail=3)


def said(data, instance=0, piece=Piece.LINES, generation=1):
    return Output(instance, generation, piece, data)


def last_words(*chunks):
    return summary(*map(said, chunks), exited(0, code=1))[2:]


def test_nothing_failed():
    assert summary(said(b"x\n"), exited(0, code=0), exited(1, code=3, stopped=True)) == []


def test_who_how_when_and_the_last_words():
    lines = summary(
        said(b"one\ntwo\n"),
        said(b"10%", piece=Piece.PROGRESS),
        said(b"\x1b[31mthree\x1b[0m\nfo\xffur\n"),
        said(b"fine\n", instance=1),
        exited(0, code=3, final=False),
        Restarted(0, 2, 0.0),
        exited(0, code=3),
        exited(1, code=0),
    )
    assert lines == [
        "Failed:",
        "  web  exit code 3, after 12.4 s, 1 restart",
        "    | two",
        "    | three",
        "    | fo\\xffur",
    ]


def test_what_was_stopped_because_it_did_not_work_says_why():
    lines = summary(exited(0, signal=15, fault="not ready within 5 s"))
    assert lines == ["Failed:", "  web  not ready within 5 s, after 12.4 s"]


def test_signals_and_what_could_not_start():
    failed = SpawnFailed(1, 1, ExitStatus(code=127), "no such program", 0.0, final=True)
    assert summary(exited(0, signal=9), failed) == [
        "Failed:",
        "  web     ended by SIGKILL, after 12.4 s",
        "  worker  no such program",
    ]


def test_a_failure_that_a_restart_mended_is_none():
    assert summary(exited(0, code=3, final=False), Restarted(0, 2, 0.0), exited(0, code=0)) == []


def test_columns_stand_below_each_other():
    services = [
        Service(n, name, "x", "/") for n, name in enumerate(["日本", "worker", None, "a\nb"])
    ]
    one = Summary()
    killed = Exited(1, 1, ExitStatus(signal=15), 0.0, 200.0, final=True, stopped=False)
    failed = SpawnFailed(3, 1, ExitStatus(code=126), "may not be executed", 0.0, final=True)
    restarts = [Restarted(0, 2, 0.0), Restarted(0, 3, 0.0), Restarted(3, 2, 0.0)]
    for event in (*restarts, exited(0, code=3), killed, exited(2, code=255), failed):
        one(event)
    assert one.render(services) == [
        "Failed:",
        "  日本    exit code 3,      after 12.4 s,     2 restarts",
        "  worker  ended by SIGTERM, after 3 min 20 s",
        "  2       exit code 255,    after 12.4 s",
        "  a\\nb    may not be executed, 1 restart",
    ]


def test_ten_are_shown_in_full():
    services = [Service(n, None, "x", "/") for n in range(13)]
    one = Summary()
    for n in range(13):
        one(exited(n, code=1))
    lines = one.render(services)
    assert len(lines) == 12
    assert lines[-1] == "  and 3 more"


def test_a_new_generation_begins_with_a_clean_record():
    failed = SpawnFailed(0, 1, ExitStatus(code=127), "no such program", 0.0, final=True)
    again = failed, Restarted(0, 2, 0.0)
    assert summary(exited(0, code=3), Restarted(0, 2, 0.0), exited(0, code=0, stopped=True)) == []
    assert summary(*again, exited(0, code=5))[1] == "  web  exit code 5, after 12.4 s, 1 restart"


def test_the_last_words_are_those_of_the_last_generation_that_spoke():
    events = said(b"old\n"), exited(0, code=1, final=False), Restarted(0, 2, 0.0)
    assert summary(*events, said(b"new\n", generation=2), exited(0, code=1))[2:] == ["    | new"]
    assert summary(*events, exited(0, code=1))[2:] == ["    | old"]


def test_control_sequences_are_taken_out_of_the_last_words():
    data = (
        b"\x1b[1;31mError:\x1b[0m \x1b]0;t\x07\x1b[2Kx\0\x07\x08\ty\r\n\xc2\x9b2J\x1b]8;;u\x1b\\l\n"
    )
    assert last_words(data) == ["    | Error: x        y", "    | 2Jl"]


def test_an_empty_line_stays_between_lines_but_not_at_the_end():
    assert last_words(b"a\n\nb\n\n \n") == ["    | a", "    |", "    | b"]


def test_a_line_in_parts_is_one_line():
    assert last_words(b"caf\xc3", b"\xa9 \x1b[3", b"1mx\nno end") == [
        "    | café x",
        "    | no end",
    ]


def test_lines_are_whole_where_what_is_remembered_begins():
    lines = [b"%04d " % number + b"x" * 60 + b"\n" for number in range(1000)]
    one = Summary()
    one(said(b"".join(lines)))
    one(exited(0, code=1))
    shown = one.render(SERVICES, tail=10_000)[2:]
    assert all(len(line) == len("    | 0000 ") + 60 for line in shown)
    assert REMEMBERED - 200 < sum(map(len, shown)) - 5 * len(shown) <= REMEMBERED


def test_chunks_are_remembered_and_not_copied():
    one = Summary()
    chunk = b"x" * 100 + b"\n"
    one(said(chunk))
    assert one._records[0].chunks[0] is chunk


def test_empty_chunks_do_not_pile_up():
    one = Summary()
    for _ in range(100):
        one(said(b""))
    assert not one._records[0].chunks


def test_memory_is_bounded():
    one = Summary()
    for number in range(10_000):
        one(said(b"%06d" % number + b"x" * 993 + b"\n"))
    record = one._records[0]
    assert sum(map(len, record.chunks)) <= REMEMBERED + 1000
    one(exited(0, code=1))
    assert "009999" in one.render(SERVICES, tail=1)[-1]


def test_long_lines_are_cut():
    line = summary(said(b"y" * 5000 + b"\n"), exited(0, code=1))[-1]
    assert line == "    | " + "y" * 199 + "…"
    (wide,) = last_words("日".encode() * 300)
    assert wide == "    | " + "日" * 99 + "…"
    (endless,) = last_words(b"z" * 100_000)
    assert endless == line.replace("y", "z")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 ms"),
        (0.85, "850 ms"),
        (0.9996, "1.0 s"),
        (12.44, "12.4 s"),
        (59.96, "1 min 0 s"),
        (200, "3 min 20 s"),
        (3599.7, "1 h 0 min"),
        (7500, "2 h 5 min"),
    ],
)
def test_spans_as_people_say_them(seconds, text):
    assert humanized(seconds) == text
