"""What a datagram of sd_notify says, and what is no message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.process.notifications import (
    LARGEST,
    Barrier,
    Errno,
    ExtendTimeout,
    MainPid,
    Ready,
    Reloading,
    Status,
    Stopping,
    Watchdog,
    WatchdogInterval,
    WatchdogTrigger,
    read_fields,
    read_notifications,
)


def said(data: bytes):
    return read_notifications(read_fields(data))


@pytest.mark.parametrize(
    ("data", "meaning"),
    [
        (b"READY=1", Ready()),
        (b"READY=1\n", Ready()),
        (b"READY=1\0", Ready()),
        (b"RELOADING=1", Reloading()),
        (b"STOPPING=1", Stopping()),
        (b"WATCHDOG=1", Watchdog()),
        (b"WATCHDOG=trigger", WatchdogTrigger()),
        (b"WATCHDOG_USEC=2500000", WatchdogInterval(2.5)),
        (b"MAINPID=4711", MainPid(4711)),
        (b"EXTEND_TIMEOUT_USEC=30000000", ExtendTimeout(30.0)),
        (b"ERRNO=98", Errno(98)),
        (b"BARRIER=1", Barrier()),
        (b"STATUS=a=b", Status("a=b")),
        (b"STATUS=", Status("")),
    ],
)
def test_every_message_is_understood(data, meaning):
    assert said(data) == [meaning]


def test_a_datagram_may_hold_several_messages_and_they_keep_their_order():
    data = b"STATUS=up\nX_OTHER=1\nno field\nREADY=1\nMAINPID=77"
    assert said(data) == [Status("up"), Ready(), MainPid(77)]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"READY",
        b"READY=0",
        b"READY=yes",
        b"ready=1",
        b" READY=1",
        b"READY=1\r",
        b"READY=1\0STATUS=x",
        b"MAINPID=0",
        b"MAINPID=1",
        b"MAINPID=-5",
        b"MAINPID=99999999999",
        "MAINPID=٤٢".encode(),  # digits, but not for a protocol
        b"EXTEND_TIMEOUT_USEC=0",
        b"EXTEND_TIMEOUT_USEC=1e9",
        b"EXTEND_TIMEOUT_USEC=" + b"9" * 4000,
        b"ERRNO=999999",
        b"WATCHDOG=2",
        b"FDSTORE=1",
        b"READY=1\n" + b"X=" + b"y" * LARGEST,
    ],
)
def test_what_makes_no_sense_is_ignored(data):
    assert said(data) == []


def test_a_status_cannot_command_the_terminal():
    assert said("STATUS=\x1b[2J\x1b]0;t\x07ü\x9b1m\t3%".encode()) == [Status("[2J ]0;t ü 1m 3%")]


def test_a_status_that_is_no_utf_8_does_not_keep_readiness_back():
    assert said(b"STATUS=gr\xfcn\nREADY=1") == [Status("gr\ufffdn"), Ready()]


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data):
    said(data)


@given(st.lists(st.sampled_from([b"READY=1", b"STATUS=x", b"ERRNO=2", b"FOO=", b"", b"=", b"bar"])))
def test_what_a_line_means_does_not_depend_on_its_neighbours(lines):
    alone = [meaning for line in lines for meaning in said(line)]
    assert said(b"\n".join(lines)) == alone
