"""How the commands that ask a running devrun put things: tables, spans, sizes, events."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.cli.control.event_words import event_line
from devrun.cli.control.events import EventReader
from devrun.cli.control.ps_table import table
from devrun.cli.control.quantities import share, size, span
from devrun.output.columns import display_width

NOW = 1_700_000_000.0


def instance(name, **said):
    usual = {
        "name": name,
        "service": name,
        "state": "ready",
        "reason": None,
        "ready": True,
        "health": None,
        "pid": 4242,
        "uptime": 65.5,
        "restarts": 0,
        "last_exit": None,
        "next_retry_at": None,
        "cpu_percent": 1.5,
        "memory": 47_500_000,
        "ports": [3000],
    }
    return usual | said


FAILING = instance(
    "worker",
    state="backoff",
    reason="exit code 1",
    ready=False,
    pid=None,
    uptime=None,
    restarts=3,
    memory=0,
    cpu_percent=0.0,
    ports=[],
    next_retry_at="2023-11-14T22:13:32+00:00",
    last_exit={
        "code": 1,
        "signal": None,
        "at": "2023-11-14T22:13:15+00:00",
        "reason": "not ready within 5 s",
        "stopped": False,
    },
)


def test_in_a_pipe_the_columns_are_always_the_same():
    assert table([instance("web")], None, colored=False, now=NOW) == [
        "NAME  STATE  READY   PID  UPTIME  RESTARTS   CPU  MEMORY  PORTS  LAST EXIT  RETRY  REASON",
        "web   ready  yes    4242   1m05s         -  1.5%   45.3M  3000   -              -  -",
    ]


def test_a_failing_one_says_how_it_ended_and_when_it_starts_again():
    _, line = table([FAILING], None, colored=False, now=NOW)
    assert line.split("  ", 1)[0] == "worker"
    assert "exit code 1, 5s ago (not ready within 5 s)" in line
    assert "in 12s" in line
    assert line.endswith("exit code 1")


def test_on_a_terminal_columns_that_say_nothing_are_left_out():
    head, _ = table([instance("web", ports=[])], 200, colored=False, now=NOW)
    assert head.split() == ["NAME", "STATE", "READY", "PID", "UPTIME", "CPU", "MEMORY"]


def columns_at(width):
    head, *_ = table([instance("web"), FAILING], width, colored=False, now=NOW)
    return {
        title for title in ("NAME", "STATE", "PORTS", "PID", "LAST EXIT", "REASON") if title in head
    }


def test_a_narrow_terminal_leaves_out_what_says_least():
    assert columns_at(140) == {"NAME", "STATE", "PORTS", "PID", "LAST EXIT", "REASON"}
    assert columns_at(80) == {"NAME", "STATE", "PID", "LAST EXIT", "REASON"}
    assert columns_at(44) == {"NAME", "STATE", "LAST EXIT", "REASON"}
    assert columns_at(16) == {"NAME", "STATE"}


@given(
    width=st.integers(1, 200),
    names=st.lists(
        st.text(st.characters(categories=("L", "N")), min_size=1), min_size=1, max_size=4
    ),
)
def test_no_line_is_wider_than_the_terminal(width, names):
    shown = [
        each | {"name": name}
        for name, each in zip(names, itertools.cycle((FAILING, instance("x"))), strict=False)
    ]
    assert all(display_width(line) <= width for line in table(shown, width, colored=False, now=NOW))


def test_colours_are_of_states_alone_and_change_no_width():
    import re

    plain = table([instance("web"), FAILING], None, colored=False, now=NOW)
    colored = table([instance("web"), FAILING], None, colored=True, now=NOW)
    assert [re.sub(r"\x1b\[\d+m", "", line).rstrip() for line in colored] == plain
    assert "\x1b[32mready" in colored[1]
    assert "\x1b[33mbackoff" in colored[2]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59.9, "59s"), (60, "1m00s"), (3599, "59m59s"), (7380, "2h03m"), (273_600, "3d4h")],
)
def test_spans(seconds, text):
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0B"), (999, "999B"), (831_488, "812K"), (47_500_000, "45.3M"), (1_288_490_189, "1.2G")],
)
def test_sizes(count, text):
    assert size(count) == text


def test_shares():
    assert [share(each) for each in (0.0, 1.54, 9.96, 12.4, 400.0)] == [
        "0.0%",
        "1.5%",
        "10.0%",
        "12%",
        "400%",
    ]


# -- events -------------------------------------------------------------------------------------


def read(text):
    found = []
    reader = EventReader(found.append)
    for line in text.encode().split(b"\n"):
        reader.feed(line)
    return found


def test_events_are_read_as_server_sent_ones_are():
    text = (
        ': hello\n\nevent: exited\nid: 7\ndata: {"code":\ndata: 3}\n\ndata: {}\n\n: still here\n\n'
    )
    assert read(text) == [
        {"id": 7, "type": "exited", "code": 3},
        {"id": 7, "type": "message"},
    ]


@pytest.mark.parametrize(
    ("event", "text"),
    [
        ({"type": "started", "pid": 12}, "started (pid 12)"),
        (
            {"type": "exited", "status": {"code": 3, "signal": None}, "uptime": 2.04},
            "exited with code 3 after 2.0s",
        ),
        (
            {"type": "exited", "status": {"code": None, "signal": "SIGTERM"}, "stopped": True},
            "ended by SIGTERM, stopped",
        ),
        ({"type": "exited", "status": {"code": None, "signal": "200"}}, "ended by signal 200"),
        (
            {"type": "exited", "status": {"code": 1, "signal": None}, "fault": "not ready"},
            "exited with code 1: not ready",
        ),
        ({"type": "ready", "after": 1.26}, "ready after 1.3s"),
        ({"type": "killed", "after": 70.0, "processes": 2}, "killed after 1m10s"),
        (
            {"type": "retrying", "delay": 2.0, "retry": 1, "most": 16},
            "starts again in 2.0s (1 of 16)",
        ),
        ({"type": "retrying", "delay": 2.0, "retry": 1, "most": -1}, "starts again in 2.0s (1)"),
        ({"type": "unhealthy", "reason": "HTTP 500"}, "unhealthy: HTTP 500"),
        ({"type": "healthy", "again": True}, "healthy again"),
        ({"type": "spawn_failed", "reason": "no such file"}, "spawn failed: no such file"),
        (
            {"type": "over_memory", "used": 600_000_000, "limit": 524_288_000},
            "uses 572M of memory; 500M is allowed",
        ),
        ({"type": "changed", "path": "src/a.py", "more": 2}, "src/a.py and 2 more changed"),
        ({"type": "notice", "text": "hello"}, "hello"),
        ({"type": "scaled", "count": 3}, "scaled count=3"),
        (
            {"type": "gap", "gap": 5},
            "5 events are missing here: they came faster than they were read",
        ),
        ({"type": "x", "cut_off": "too slow"}, "cut off: too slow"),
    ],
)
def test_events_in_words(event, text):
    line = event_line({"id": 1, "at": NOW, "instance": "web", **event}, colored=False)
    assert line.split(" ", 1)[1] == f"web {text}"


def test_what_is_of_no_service_is_of_devrun():
    assert event_line({"type": "stopping", "at": NOW}, colored=False).endswith(" devrun stopping")


def test_events_have_colours():
    line = event_line({"type": "failed", "at": NOW, "service": "web", "reason": "x"}, colored=True)
    assert line.endswith("\x1b[31mfailed: x\x1b[0m")
