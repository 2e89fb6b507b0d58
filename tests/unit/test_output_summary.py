"""The summary of a failed run."""

from __future__ import annotations

import pytest

from devrun.events import Exited, Output, Piece, Restarted, SpawnFailed
from devrun.model import ExitStatus, Service
from devrun.output.summary import REMEMBERED, Summary, humanized

SERVICES = tuple(Service(n, name, "x", "/") for n, name in enumerate(["web", "worker"]))


def exited(instance, *, code=None, signal=None, final=True, stopped=False):
    status = ExitStatus(code=code, signal=signal)
    return Exited(instance, 1, status, 0.0, 12.4, final=final, stopped=stopped)


def summary(*events):
    one = Summary()
    for event in events:
        one(event)
    return one.render(SERVICES, tail=3)


def said(data, instance=0, piece=Piece.LINES):
    return Output(instance, 1, piece, data)


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


def test_signals_and_what_could_not_start():
    failed = SpawnFailed(1, 1, ExitStatus(code=127), "no such program", 0.0, final=True)
    assert summary(exited(0, signal=9), failed) == [
        "Failed:",
        "  web     ended by SIGKILL, after 12.4 s",
        "  worker  no such program",
    ]


def test_a_failure_that_a_restart_mended_is_none():
    assert summary(exited(0, code=3, final=False), Restarted(0, 2, 0.0), exited(0, code=0)) == []


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
    assert len(line) < 220
    assert line.endswith("…")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0 ms"), (0.85, "850 ms"), (12.44, "12.4 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_spans_as_people_say_them(seconds, text):
    assert humanized(seconds) == text
