"""The words behind ``devrun notify``."""

from __future__ import annotations

import pytest

from devrun.cli.notify import message_for
from devrun.errors import UsageError
from devrun.process.notifications import (
    ExtendTimeout,
    Ready,
    Reloading,
    Status,
    Stopping,
    Watchdog,
    read_fields,
    read_notifications,
)


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        ("ready", Ready()),
        ("reloading", Reloading()),
        ("stopping", Stopping()),
        ("watchdog", Watchdog()),
        ("status waiting for  the\ndatabase", Status("waiting for the database")),
        ("extend 30s", ExtendTimeout(30.0)),
        ("extend 500ms", ExtendTimeout(0.5)),
        ("extend 0s", ExtendTimeout(0.000001)),
    ],
)
def test_words_become_the_message(words, meaning):
    message = message_for(words.split(" "), {})
    assert read_notifications(read_fields(message)) == [meaning]


def test_a_status_cannot_smuggle_another_message_in():
    message = message_for(["status", "x\nREADY=1"], {})
    assert read_notifications(read_fields(message)) == [Status("x READY=1")]


def test_the_mark_goes_along():
    assert message_for(["ready"], {"DEVRUN_INSTANCE": "1:2/3:4"}).endswith(
        b"\nDEVRUN_INSTANCE=1:2/3:4"
    )


def test_systemd_is_told_when_the_reload_began():
    assert b"\nMONOTONIC_USEC=" in message_for(["reloading"], {})


def test_a_status_may_be_any_bytes():
    assert message_for(["status", "gr\udcfcn"], {}) == b"STATUS=gr\xfcn"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "say what: ready, reloading, stopping, watchdog, status, extend"),
        (["redy"], 'there is no "redy"; did you mean "ready"?'),
        (["ready", "now"], 'nothing can follow; there is "now"'),
        (["status"], "write devrun notify status TEXT"),
        (["extend"], "write devrun notify extend TIME"),
        (["extend", "30"], "a unit is missing; write 30ms, 30s or 30m"),
        (["extend", "soon"], "not a time"),
    ],
)
def test_wrong_words_are_told(words, complaint):
    with pytest.raises(UsageError) as caught:
        message_for(words, {})
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)
