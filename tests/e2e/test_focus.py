"""``--focus``: one service has the keys, and the terminal for itself when it is wanted."""

from __future__ import annotations

import os
import re
import signal
import termios

import pytest
from running import program, until

FOCUS = "--no-color", "--focus", "web"
HOLD = b"\x1d"
KEYS = "keys go to web; Ctrl+] holds"
HELD = "the others' output waits"
CHATTER = "other=i=0; while [ $i -lt 100 ]; do i=$((i+1)); echo line $i; sleep 0.01; done"


def test_a_debugger_is_usable_while_others_talk(devrun):
    run = devrun(
        "--no-color",
        "--focus",
        "web",
        f"web={program('stops_in_debugger')}",
        CHATTER,
        terminal=(24, 80),
    )
    run.wait_for(KEYS, "(Pdb)")
    run.type(HOLD).wait_for(HELD)
    held = len(run.output)
    run.type(b"p 6*7\r").wait_for("42")
    run.type(b"c\r").wait_for("went on\r\n")
    assert run.wait_for("done exited with code 0").wait() == 0
    alone = run.output[held:].decode().partition("went on\r\n")[0]
    assert "other" not in alone
    assert "[web]" not in alone
    numbers = [int(number) for number in re.findall(r"\[other\] line (\d+)", run.text)]
    assert numbers == list(range(1, 101)), "nothing is lost, and all is in its order"


def test_the_key_shows_the_others_again(devrun):
    run = devrun(*FOCUS, "web=cat", CHATTER, terminal=(24, 80)).wait_for(KEYS)
    run.type(HOLD).wait_for(HELD)
    run.type(b"typed\r").wait_for("typed\r\ntyped")
    run.type(HOLD).wait_for("[other] line 100")
    run.type(b"more\r").wait_for("[web] more")
    run.type(b"\x04")
    assert run.wait_for("cat exited with code 0").wait() == 0
    assert run.count("[other] line ") == 100


def test_alone_it_has_all_of_the_width(devrun):
    command = "web=stty size; read a; stty size; read a; stty size"
    run = devrun(*FOCUS, command, terminal=(24, 80)).wait_for(KEYS, "24 74")
    run.type(HOLD + b"\r").wait_for(HELD, "24 80")
    run.type(HOLD + b"\r")
    assert run.wait_for("exited with code 0").wait() == 0
    assert run.count("24 74") == 2


def test_a_stop_shows_what_has_waited(devrun):
    run = devrun(*FOCUS, "web=cat", CHATTER, terminal=(24, 80)).wait_for(KEYS)
    run.type(HOLD).wait_for(HELD)
    run.type(b"\x03").wait_for("Sending SIGINT to ")
    assert run.wait() == -signal.SIGINT


def attributes(run):
    """Return how the terminal is set, sizes aside."""
    return termios.tcgetattr(run.terminal)


@pytest.mark.parametrize("how", ["it ends", "Ctrl+C", "SIGKILL"])
def test_the_terminal_is_as_it_was(devrun, how):
    run = devrun(*FOCUS, "web=cat", terminal=(24, 80))
    before = attributes(run)
    run.wait_for(KEYS)
    until(lambda: attributes(run) != before, "keys one by one")
    if how == "it ends":
        run.type(b"\x04")
    elif how == "Ctrl+C":
        run.type(b"\x03")
    else:
        os.kill(run.worker(), signal.SIGKILL)
    run.wait()
    assert attributes(run) == before


def test_keys_for_one_that_has_ended_are_for_nobody(devrun):
    run = devrun(*FOCUS, "web=true", "other=sleep 60", terminal=(24, 80))
    run.wait_for(KEYS, "true exited with code 0")
    run.type(b"a\r" + HOLD + b"b\r" + HOLD + b"\x03")
    assert run.wait() == -signal.SIGINT


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--focus", "web"], "--focus needs a terminal as stdin and stdout"),
        (["--focus", "wob"], '--focus: no service "wob"; did you mean "web"?'),
        (["--focus", "web", "-i"], "--focus and --handle-input contradict each other"),
        (["--focus", "web", "--group"], "--focus and --group contradict each other"),
        (["--focus", "web", "--no-tty"], "--focus and --no-tty contradict each other"),
    ],
)
def test_wrong_words_start_nothing(devrun, words, message):
    run = devrun(*words, "web=echo started")
    assert run.wait() == 2
    assert message in run.text
    assert "[web]" not in run.text
