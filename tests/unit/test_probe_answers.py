"""Reasons, the times of files, and the kernel's tables of sockets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.process import ports
from devrun.supervise.probes.answers import LONGEST_REASON, error_text, one_line
from devrun.supervise.probes.file import is_fresh


@given(st.text())
def test_foreign_text_is_one_printable_line_of_bounded_length(text):
    line = one_line(text)
    assert line.isprintable()
    assert len(line) <= LONGEST_REASON
    assert line.strip() == line


def caused(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "connection refused"),
        (OSError(111, "Error connecting to ('::1', 1): Connection refused"), "connection refused"),
        (
            OSError(1, "[SSL: X] certificate verify failed: no (_ssl.c:1)"),
            "certificate verify failed: no",
        ),
        (ValueError("Port out of range"), "port out of range"),
        (TimeoutError(), "TimeoutError"),
        (
            caused(OSError("all failed"), ExceptionGroup("x", [OSError(113, "No route to host")])),
            "no route to host",
        ),
        (caused(RuntimeError("broken"), ConnectionResetError(104, "Reset")), "reset"),
        (RuntimeError("a\nb\x1b[0m"), "a b [0m"),
    ],
)
def test_errors_say_what_the_system_said(error, text):
    assert error_text(error) == text


SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("modified", "started_at", "fresh"),
    [
        (100 * SECOND + 1, 100.0, True),
        (99 * SECOND + 1, 100.0, False),
        (100 * SECOND + 490_000_000, 100.5, True),  # the kernel's last tick
        (100 * SECOND + 470_000_000, 100.5, False),
        (100 * SECOND, 100.9, True),  # a file system that keeps seconds
        (99 * SECOND, 100.0, False),
    ],
)
def test_a_file_counts_from_the_start_on(modified, started_at, fresh):
    assert is_fresh(modified, started_at) is fresh


@pytest.mark.parametrize(
    ("address", "little", "big"),
    [
        (bytes([127, 0, 0, 1]), "0100007F", "7F000001"),
        (bytes(15) + b"\x01", "0" * 24 + "01000000", "0" * 24 + "00000001"),
        (bytes(4), "00000000", "00000000"),
    ],
)
def test_addresses_are_written_as_the_kernel_does(address, little, big, monkeypatch):
    for order, text in (("little", little), ("big", big)):
        monkeypatch.setattr(ports.sys, "byteorder", order)
        assert ports._as_in_table(address) == text
