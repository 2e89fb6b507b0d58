"""Events to bytes: who may interrupt whom, and what devrun itself says."""

from __future__ import annotations

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.appearance import ColorLevel, OutputSettings
from devrun.events import (
    Changed,
    Exited,
    Killed,
    LeftBehind,
    Notice,
    Output,
    Piece,
    Restarted,
    SpawnFailed,
    Stopping,
    StopReason,
)
from devrun.model import ExitStatus, Project, Service
from devrun.output.prefix import Prefixes
from devrun.output.presenter import Presenter

LINES, PART, PROGRESS = Piece.LINES, Piece.PART, Piece.PROGRESS
REDRAW = b"\r\x1b[K"
TABLES = (bytes.maketrans(b"xyzpq", b"56789"), bytes.maketrans(b"xyzpq", b"01234"))


def presenter(*, terminal=False, quiet=False, hidden=()):
    services = tuple(
        Service(index, name, f"run {name}", "/", hidden=name in hidden)
        for index, name in enumerate("ab")
    )
    project = Project("/", "here", services, output=OutputSettings(quiet=quiet))
    prefixes = Prefixes(project.output.prefix, services, ColorLevel.NONE)
    return Presenter(project, prefixes=prefixes, terminal=terminal)


def shown(one, *events):
    return b"".join(bytes(buffer) for event in events for buffer in one.render(event))


def out(instance, piece, data):
    return Output(instance, 1, piece, data)


def test_every_line_has_its_prefix():
    assert shown(presenter(), out(0, LINES, b"x\n\ny\n")) == b"[a] x\n[a] \n[a] y\n"


def test_a_part_is_continued_without_a_prefix():
    events = out(0, PART, b"na"), out(0, PART, b"me? "), out(0, LINES, b"Ada\nnext\n")
    assert shown(presenter(), *events) == b"[a] name? Ada\n[a] next\n"


def test_another_process_ends_an_open_line():
    events = out(0, PART, b"part"), out(1, LINES, b"other\n"), out(0, LINES, b"rest\n")
    assert shown(presenter(), *events) == b"[a] part\n[b] other\n[a] rest\n"


def test_devruns_own_line_ends_an_open_line():
    ended = Exited(0, 1, ExitStatus(code=0), 0.0, 1.0, final=True, stopped=False)
    assert shown(presenter(), out(0, PART, b"x"), ended) == b"[a] x\n[a] run a exited with code 0\n"


def test_progress_is_redrawn_on_a_terminal():
    events = out(0, PROGRESS, b"10%"), out(0, PROGRESS, b"50%"), out(0, LINES, b"100%\n")
    expected = b"[a] 10%" + REDRAW + b"[a] 50%" + REDRAW + b"[a] 100%\n"
    assert shown(presenter(terminal=True), *events) == expected


def test_progress_is_passed_over_elsewhere():
    events = out(0, PROGRESS, b"10%"), out(0, LINES, b"100%\n")
    assert shown(presenter(), *events) == b"[a] 100%\n"


def test_another_process_ends_a_progress_bars_line():
    events = out(0, PROGRESS, b"10%"), out(1, LINES, b"x\n"), out(0, PROGRESS, b"20%")
    assert shown(presenter(terminal=True), *events) == b"[a] 10%\n[b] x\n[a] 20%"


def test_hidden_services_show_nothing():
    restarted = Restarted(0, 2, 0.0)
    assert shown(presenter(hidden="a"), out(0, LINES, b"x\n"), restarted) == b""


def test_quiet_leaves_out_all_but_why_something_did_not_start():
    one = presenter(quiet=True)
    assert shown(one, Restarted(0, 2, 0.0), Stopping(StopReason.SIGNAL, (2,), 1)) == b""
    failed = SpawnFailed(0, 1, ExitStatus(code=127), "no such program", 0.0, final=True)
    assert b"no such program" in shown(one, failed)


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Restarted(0, 2, 0.0), "[a] run a restarted"),
        (Changed(0, "src/x", 0), "[a] src/x changed, restarting"),
        (Changed(0, "src/x", 3), "[a] src/x changed (+3), restarting"),
        (
            Changed(0, "x", 0, suspended=True),
            "[a] x changed again and again: not restarting until it is quiet for 10 s",
        ),
        (
            Killed(1, 1, 10.04, 3),
            "--> b did not end within 10.0 s\n--> Sending SIGKILL to 3 processes..",
        ),
        (Killed(1, 1, 0.0, 1), "--> Sending SIGKILL to 1 process of b.."),
        (LeftBehind(0, ((7, "x y"),)), "--> Stopped what was left running by a: 7 x y"),
        (Notice("words", 1), "[b] words"),
        (Notice("words"), "--> words"),
        (
            Stopping(StopReason.OTHER_EXITED, (signal.SIGTERM,), 2, cause=0),
            "--> Sending SIGTERM to other processes..",
        ),
        (
            Stopping(StopReason.SIGNAL, (signal.SIGINT,), 2, received=signal.SIGINT),
            "--> Sending SIGINT to 2 processes..",
        ),
    ],
)
def test_devruns_own_words(event, text):
    assert shown(presenter(), event).decode() == text + "\n"


def test_the_flag_that_would_have_prevented_it_is_named():
    event = Stopping(StopReason.OTHER_EXITED, (15,), 1, cause=1, hint="--no-kill-others")
    first = shown(presenter(), event).decode().splitlines()[0]
    assert first == "--> b ended, so all end (--no-kill-others keeps the others)"


def test_the_end_closes_the_open_line():
    one = presenter()
    shown(one, out(0, PART, b"x"))
    assert b"".join(map(bytes, one.finish(["bye"]))) == b"\n--> bye\n"


@given(
    st.lists(
        st.tuples(
            st.integers(0, 1),
            st.one_of(
                st.tuples(st.just(LINES), st.sampled_from([b"x\n", b"y\nz\n"])),
                st.tuples(st.just(PART), st.sampled_from([b"p", b"q"])),
            ),
        )
    )
)
def test_no_line_holds_two_processes(steps):
    one = presenter()
    marked = [
        out(instance, piece, data.translate(TABLES[instance])) for instance, (piece, data) in steps
    ]
    for line in shown(one, *marked).splitlines():
        own = b"01234" if line.startswith(b"[b] ") else b"56789"
        assert set(line[4:]) <= set(own)


def test_a_progress_bars_colour_stays_out_of_the_prefix():
    events = out(0, PROGRESS, b"\x1b[31m10%"), out(0, PROGRESS, b"\x1b[31m20%")
    text = shown(presenter(terminal=True), *events)
    assert text.index(b"\x1b[0m") < text.rindex(b"[a] "), text


def test_what_was_kept_back_comes_out_when_the_process_ends():
    ended = Exited(0, 1, ExitStatus(code=0), 0.0, 1.0, final=False, stopped=False)
    one = presenter(terminal=True)
    text = shown(one, out(0, PART, b"\x1b[31mtext\x1b[3"), ended, out(0, LINES, b"next\n"))
    assert b"text" in text
    assert b"[3" in text, "the rest of a sequence that never ended"
    assert text.endswith(b"[a] next\n"), "the new generation has no colour of the old one's"
