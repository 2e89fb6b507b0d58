"""``--log-format json``: every line is an object, and no byte is lost."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.appearance import OutputSettings
from devrun.events import (
    Changed,
    Event,
    Exited,
    Failed,
    Healthy,
    Killed,
    LeftBehind,
    Notice,
    Output,
    OverMemory,
    Piece,
    Ready,
    Restarted,
    Retrying,
    Skipped,
    SpawnFailed,
    Started,
    Stopping,
    StopReason,
    Unhealthy,
)
from devrun.model import ExitStatus, Project, Service
from devrun.output import json_lines
from devrun.output.json_events import name_of
from devrun.output.json_lines import JsonLines
from devrun.output.lines import LineCutter

SERVICES = (
    Service(0, "web.1", "node server.js", "/", process="web"),
    Service(1, None, 'echo "ü"', "/"),
    Service(2, "secret", "cat", "/", hidden=True),
)
PROJECT = Project("/", "the command line", SERVICES)
NOON = 1_795_176_000.25
"""In seconds since the epoch, 2026-11-20T12:00:00.250Z."""

EVENTS = [
    Started(0, 1, 4711, 9.0),
    Exited(0, 1, ExitStatus(3), at=9.5, uptime=1.25, final=True, stopped=False, fault="sick"),
    Exited(0, 1, ExitStatus(signal=9), at=9.5, uptime=1.25, final=True, stopped=True),
    SpawnFailed(0, 1, ExitStatus(127), "no such program", at=9.5, final=True),
    Restarted(0, 2, 9.0),
    Ready(0, 1, 9.0, 0.5),
    Unhealthy(0, 1, "no answer", stops=True),
    Healthy(0, 1, again=True),
    Retrying(0, 1, 0.2, 1, -1),
    Failed(0, 1, "5 fast ends in a row"),
    Skipped(0, "db failed"),
    OverMemory(0, 1, 300 << 20, 200 << 20),
    Changed(0, "caf\udce9.py", 2),
    Stopping(StopReason.SIGNAL, (15, 2), 2, received=15),
    Stopping(StopReason.OTHER_EXITED, (15,), 1, cause=1, hint="--no-kill-others"),
    Killed(0, 1, 10.0, 3),
    LeftBehind(0, ((4712, "sleep 1000"),)),
    LeftBehind(None, ((4712, "sleep 1000"),)),
    Notice('a tab\tand a quote "', 0),
    Notice("of the run"),
]


def renderer(project: Project = PROJECT) -> JsonLines:
    return JsonLines(project, wall_clock=lambda: NOON, clock=lambda: 10.0)


def parsed(buffers) -> list[dict[str, object]]:
    text = b"".join(buffers)
    assert text.endswith(b"\n") or not text
    return [json.loads(line.decode()) for line in text.split(b"\n")[:-1]]


def bytes_of(found: dict[str, object]) -> bytes:
    """Return the line of an object as it was."""
    line = str(found["line"]).encode()
    if "base64" in found:
        exact = base64.b64decode(str(found["base64"]), validate=True)
        assert exact.decode(errors="backslashreplace").encode() == line
        return exact
    return line


def test_a_line_is_an_object():
    (found,) = parsed(renderer().render(Output(0, 1, Piece.LINES, b"hello\n", is_error=True)))
    assert found == {
        "time": "2026-11-20T12:00:00.250Z",
        "service": "web",
        "instance": "web.1",
        "stream": "err",
        "line": "hello",
    }


@pytest.mark.parametrize("data", [bytes((code,)) for code in range(256) if code != 10])
def test_any_byte_can_stand_in_a_line(data):
    (found,) = parsed(renderer().render(Output(1, 1, Piece.LINES, b"a" + data + b"z\n")))
    assert bytes_of(found) == b"a" + data + b"z"
    assert ("base64" in found) == (data >= b"\x80")


def test_one_line_that_is_no_text_leaves_the_others_as_they_are():
    lines = "grün\n".encode() + b"gr\xfcn\n" + b"plain\n"
    found = parsed(renderer().render(Output(0, 1, Piece.LINES, lines)))
    assert [each["line"] for each in found] == ["grün", "gr\\xfcn", "plain"]
    assert ["base64" in each for each in found] == [False, True, False]


SOURCES = st.tuples(st.integers(0, 1), st.booleans())
CHUNKS = st.lists(
    st.tuples(
        SOURCES,
        st.one_of(
            st.binary(max_size=30).map(lambda data: data.replace(b"\r", b"\n")),
            st.text(st.sampled_from('aé€😀"\\\n\t\x1b'), max_size=20).map(str.encode),
        ),
        st.booleans(),
    ),
    max_size=30,
)


@given(CHUNKS, st.sampled_from([4, 9, json_lines.LONGEST]))
def test_all_that_was_written_comes_out_whole_however_it_is_cut(chunks, longest):
    written: dict[tuple[int, bool], bytes] = {}
    cutters: dict[tuple[int, bool], LineCutter] = {}
    lines, buffers = renderer(), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_lines, "LONGEST", longest)
        for (instance, is_error), chunk, pauses in chunks:
            source = (instance, is_error)
            written[source] = written.get(source, b"") + chunk
            cutter = cutters.setdefault(source, LineCutter())
            if whole := cutter.feed(chunk):
                buffers += lines.render(Output(instance, 1, Piece.LINES, whole, is_error))
            if pauses and cutter.pending:
                part = cutter.take()
                buffers += lines.render(Output(instance, 1, Piece.PART, part, is_error))
        for (instance, is_error), cutter in cutters.items():
            if cutter.pending:
                part = cutter.take()
                buffers += lines.render(Output(instance, 1, Piece.PART, part, is_error))
        buffers += lines.finish(())
    came: dict[tuple[int, bool], bytes] = dict.fromkeys(written, b"")
    for found in parsed(buffers):
        source = (0 if found["service"] == "web" else 1, found["stream"] == "err")
        came[source] += bytes_of(found) + (b"" if found.get("partial") else b"\n")
    if longest == json_lines.LONGEST:
        assert not any("partial" in found for found in parsed(buffers))
    for source, data in written.items():
        ended = data if data.endswith(b"\n") or not data else data + b"\n"
        assert came[source] == ended


def test_a_line_waits_for_its_end_whoever_writes_meanwhile():
    lines = renderer()
    assert parsed(lines.render(Output(0, 1, Piece.PART, b"Proceed? "))) == []
    (other,) = parsed(lines.render(Output(1, 1, Piece.LINES, b"busy\n")))
    assert other["line"] == "busy"
    (whole,) = parsed(lines.render(Output(0, 1, Piece.LINES, b"yes\n")))
    assert whole["line"] == "Proceed? yes"


def test_a_character_is_not_cut_where_a_line_is():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_lines, "LONGEST", 4)
        lines = renderer()
        first = parsed(lines.render(Output(0, 1, Piece.PART, b"abcd\xf0\x9f")))
        second = parsed(lines.render(Output(0, 1, Piece.LINES, b"\x98\x80\n")))
    assert [(each["line"], each.get("partial")) for each in first + second] == [
        ("abcd", True),
        ("😀", None),
    ]


def test_the_exit_comes_behind_the_line_that_was_not_ended():
    lines = renderer()
    lines.render(Output(0, 1, Piece.PART, b"last words"))
    lines.render(Output(0, 2, Piece.PART, b"of the next"))
    said, exited = parsed(lines.render(EVENTS[1]))
    assert (said["line"], exited["event"]) == ("last words", "exited")
    assert [found["line"] for found in parsed(lines.finish(()))] == ["of the next"]
    assert lines.finish(()) == []


def test_a_state_of_a_line_that_will_come_again_is_passed_over():
    assert parsed(renderer().render(Output(0, 1, Piece.PROGRESS, b"50%"))) == []


def test_what_is_hidden_is_not_there_and_quiet_leaves_events_out():
    assert parsed(renderer().render(Output(2, 1, Piece.LINES, b"token\n"))) == []
    assert parsed(renderer().render(Started(2, 1, 4711, 9.0))) == []
    quiet = renderer(replace(PROJECT, output=OutputSettings(quiet=True)))
    shown = [found["event"] for event in EVENTS for found in parsed(quiet.render(event))]
    assert shown == ["spawn_failed", "changed"]


@pytest.mark.parametrize("event", EVENTS, ids=name_of)
def test_an_event_is_an_object_with_words_for_people(event):
    (found,) = parsed(renderer().render(event))
    assert found["event"] == name_of(event)
    assert found["message"]
    assert "line" not in found
    assert ("service" in found) == (getattr(event, "instance", None) is not None)


def test_every_event_is_among_these():
    assert {type(event) for event in EVENTS} == {*get_args(Event)} - {Output}


def test_what_happened_is_told_with_the_time_at_which_it_did():
    (found,) = parsed(renderer().render(EVENTS[1]))
    assert found == {
        "time": "2026-11-20T11:59:59.750Z",
        "event": "exited",
        "service": "web",
        "instance": "web.1",
        "generation": 1,
        "code": 3,
        "signal": None,
        "uptime": 1.25,
        "final": True,
        "stopped": False,
        "reason": "sick",
        "message": "node server.js exited with code 3",
    }


def test_a_stop_says_who_and_with_what():
    by_signal, by_other = (parsed(renderer().render(event))[0] for event in EVENTS[13:15])
    assert by_signal["signals"] == ["SIGTERM", "SIGINT"]
    assert by_signal["received"] == "SIGTERM"
    assert (by_other["reason"], by_other["cause"]) == ("other exited", "1")


def test_the_summary_is_one_event():
    (found,) = parsed(renderer().finish(["Failed:", "  web  exit code 3"]))
    assert (found["event"], found["message"]) == ("summary", "Failed:\n  web  exit code 3")


def test_a_service_that_is_called_otherwise_is_so_at_once():
    services = list(SERVICES)
    lines = renderer(replace(PROJECT, services=services))
    (before,) = parsed(lines.render(Output(0, 1, Piece.LINES, b"x\n")))
    services[0] = replace(services[0], name="web")
    lines.renamed(0)
    (after,) = parsed(lines.render(Output(0, 1, Piece.LINES, b"x\n")))
    assert (before["instance"], after["instance"]) == ("web.1", "web")
