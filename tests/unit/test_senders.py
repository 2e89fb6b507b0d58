"""One request that arrives by two ways is one request."""

from __future__ import annotations

import signal

from devrun.process.guardian import SAME_REQUEST, Senders

KERNEL = (0x80, 0)
NPM = (0, 42)


def test_a_forwarded_ctrl_c_is_the_same_request():
    senders = Senders()
    assert senders.is_new(signal.SIGINT, KERNEL, 1.0)
    assert not senders.is_new(signal.SIGINT, NPM, 1.1)


def test_a_second_press_is_a_new_request_however_fast():
    senders = Senders()
    assert senders.is_new(signal.SIGINT, KERNEL, 1.0)
    assert senders.is_new(signal.SIGINT, KERNEL, 1.01)


def test_another_sender_later_is_a_new_request():
    senders = Senders()
    assert senders.is_new(signal.SIGTERM, NPM, 1.0)
    assert senders.is_new(signal.SIGTERM, (0, 43), 1.0 + SAME_REQUEST)


def test_signals_are_told_apart():
    senders = Senders()
    assert senders.is_new(signal.SIGINT, KERNEL, 1.0)
    assert senders.is_new(signal.SIGTERM, NPM, 1.0)
    assert senders.is_new(signal.SIGWINCH, KERNEL, 1.0)
    assert senders.is_new(signal.SIGWINCH, NPM, 1.0)
