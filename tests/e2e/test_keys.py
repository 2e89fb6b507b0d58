"""Keys of the terminal that devrun runs in: commands to it, as long as the terminal is its own."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import termios
from functools import partial
from pathlib import Path

import pexpect
import pytest
from running import program, until
from supervised import toml

HELP = "keys: r restart, s status, Enter an empty line, q quit, ? these"
HINT = "--> keys: ? shows them"
SERVICES = "--no-color", "web=echo web is up; exec sleep 100", "worker=echo worker; exec sleep 100"


@pytest.fixture
def start(devrun):
    """Start devrun in a terminal, with a runtime folder of the test's own."""
    folder = Path(tempfile.mkdtemp(prefix="devrun-t-"))

    def do(*words, terminal=(24, 100), **env):
        return devrun(*words, terminal=terminal, env_added={"XDG_RUNTIME_DIR": str(folder), **env})

    yield do
    shutil.rmtree(folder)


def attributes(run):
    return termios.tcgetattr(run.terminal)


def with_keys(start, *words, **env):
    """Return a run in a terminal that has keys by now, and how the terminal was before."""
    run = start(*(words or SERVICES), **env)
    before = attributes(run)
    until(lambda: attributes(run) != before, "keys one by one")
    return run, before


def said(run, text, times):
    return run.count(text) == times


def by_now(start):
    """Wait until the run answers: it has keys before that, if it has any."""
    until(lambda: start("ps", terminal=None).wait() == 0, "an answer")


def test_a_question_mark_shows_them_and_enter_makes_room(start):
    run, _ = with_keys(start)
    run.wait_for("web is up", "worker")
    run.type(b"?").wait_for(f"--> {HELP}\r\n")
    run.type(b"\r").wait_for("these\r\n\r\n")
    run.type(b"q").wait_for("Sending SIGTERM to 2 processes..")
    assert run.wait() == -signal.SIGTERM


def test_status_is_a_table_in_the_stream(start):
    run, _ = with_keys(start)
    run.wait_for("web is up", "worker").type(b"s").wait_for("--> NAME", "--> worker  running")
    run.type(b"\x03")
    assert run.wait() == -signal.SIGINT
    [head] = [line for line in run.lines if "NAME" in line]
    assert head.split()[1:] == ["NAME", "STATE", "PID", "UPTIME", "CPU", "MEMORY"]


def test_first_letters_choose_what_restarts(start):
    run, _ = with_keys(start)
    run.wait_for("web is up", "worker\r\n")
    run.type(b"r").wait_for("restart which? Enter all; or the first letters of web, worker; Esc")
    run.type(b"wo").wait_for("restarting worker")
    until(lambda: run.count("[worker] worker\r\n") == 2, "the restart")
    run.type(b"\r").type(b"r")
    until(lambda: run.count("restart which?") == 2, "the question")
    run.type(b"\x1b").wait_for("nothing is restarted")
    assert run.count("[web] web is up") == 1
    run.type(b"r")
    until(lambda: run.count("restart which?") == 3, "the question")
    run.type(b"\r").wait_for("restarting all")
    until(lambda: run.count("[web] web is up") == 2, "the restart of all")
    until(lambda: run.count("[worker] worker\r\n") == 3, "the restart of all")
    run.type(b"\x03")
    assert run.wait() == -signal.SIGINT


def test_the_whole_name_and_enter_are_one_choice(start):
    """The letters behind the first ones are no commands, nor is Enter "all" of another choice."""
    names = "worker", "postgresql", "web"
    run, _ = with_keys(start, "--no-color", *(f"{n}=echo up {n}; exec sleep 100" for n in names))
    run.wait_for(*(f"up {name}\r\n" for name in names))
    for question, name in enumerate(("worker", "postgresql"), start=1):
        run.type(b"r")
        until(partial(said, run, "restart which?", question), "the question")
        for letter in f"{name}\r":
            run.type(letter.encode()).at_leisure()
        until(partial(said, run, f"up {name}\r\n", 2), "the restart")
    run.type(b"?").wait_for(HELP)
    run.type(b"\x03")
    assert run.wait() == -signal.SIGINT
    assert run.count("restarting ") == 2
    assert run.count("up web\r\n") == 1
    assert "SIGTERM to" not in run.text
    assert "no service begins" not in run.text


def test_a_name_that_arrives_at_once_is_one_choice_too(start):
    run, _ = with_keys(start)
    run.wait_for("web is up", "worker\r\n")
    run.type(b"r").wait_for("restart which?")
    run.type(b"worker\r").wait_for("restarting worker")
    until(lambda: run.count("[worker] worker\r\n") == 2, "the restart")
    run.type(b"s").wait_for("--> NAME")
    run.type(b"\x03")
    assert run.wait() == -signal.SIGINT
    assert run.count("restart which?") == 1


def test_a_wrong_name_and_enter_restart_nothing(start):
    run, _ = with_keys(start)
    run.wait_for("web is up", "worker\r\n")
    run.type(b"r").wait_for("restart which?")
    run.type(b"wrkerq").wait_for(
        'no service begins with "wr"; there are web, worker: erase, or Esc'
    )
    run.type(b"\r").wait_for("nothing is restarted")
    run.type(b"?").wait_for(HELP)
    run.type(b"\x03")
    assert run.wait() == -signal.SIGINT
    assert "restarting" not in run.text
    assert "SIGTERM to" not in run.text


# -- what says that there are keys ------------------------------------------------------------

FILE = """
[services.web]
command = "echo web is up; exec sleep 100"

[services.worker]
command = "echo worker; exec sleep 100"
"""


def test_a_run_of_a_file_begins_with_that(start, tmp_path):
    toml(tmp_path, FILE)
    run, _ = with_keys(start, "--no-color")
    run.wait_for(HINT, "web is up", "worker\r\n")
    run.type(b"\r").wait_for("\r\n\r\n")
    run.type(b"x").at_leisure().type(b"s").wait_for("--> NAME")
    run.type(b"\x03")
    assert run.wait() == -signal.SIGINT
    assert run.count("keys:") == 1


@pytest.mark.parametrize("key", [b"\r", b"x"])
def test_a_run_of_commands_says_so_when_a_key_is_pressed(start, key):
    run, _ = with_keys(start)
    run.wait_for("web is up", "worker\r\n")
    by_now(start)
    assert "keys:" not in run.text
    run.type(key).wait_for(HINT)
    run.at_leisure().type(key).at_leisure().type(b"s").wait_for("--> NAME")
    run.type(b"\x03")
    assert run.wait() == -signal.SIGINT
    assert run.count("keys:") == 1


def test_whoever_has_seen_the_keys_is_told_nothing_more(start):
    run, _ = with_keys(start)
    run.wait_for("web is up").type(b"?").wait_for(HELP)
    run.type(b"x").at_leisure().type(b"s").wait_for("--> NAME")
    run.type(b"\x03")
    assert run.wait() == -signal.SIGINT
    assert HINT not in run.text


@pytest.mark.parametrize("words", [("--quiet",), ("--hide", "worker"), ("-i",), ("--no-keys",)])
def test_nothing_is_said_of_keys_where_there_are_none_or_little_is_wanted(start, tmp_path, words):
    toml(tmp_path, FILE)
    run = start("--no-color", *words).wait_for("web is up")
    by_now(start)
    run.type(b"\x03")
    run.wait()
    assert "keys:" not in run.text


def test_nothing_is_said_of_keys_to_a_pipe(start, tmp_path):
    toml(tmp_path, FILE)
    run = start("--no-color", terminal=None).wait_for("web is up", "worker\n")
    by_now(start)
    run.signal(signal.SIGTERM)
    run.wait()
    assert "keys:" not in run.text


def test_the_second_q_kills(start):
    run, _ = with_keys(start, "--no-color", f"web={program('ignores_signals')}")
    run.wait_for("READY").type(b"q").wait_for("Sending SIGTERM to 1 process..")
    run.type(b"q").wait_for("Sending SIGKILL")
    assert run.wait() == -signal.SIGTERM


def test_what_is_pasted_and_other_keys_do_nothing(start):
    run, _ = with_keys(start)
    run.wait_for("web is up", "worker")
    for typed in (b"quit or restart", b"\x1b[A", b"x"):
        run.type(typed).at_leisure()
    # Once it comes alone; together with others it would do nothing.
    until(lambda: HELP in run.type(b"?").at_leisure().text, "the help")
    run.type(b"\x03")
    assert run.wait() == -signal.SIGINT
    assert "SIGTERM" not in run.text


@pytest.mark.parametrize("how", ["it ends", "q", "Ctrl+C", "hang-up", "SIGKILL"])
def test_the_terminal_is_as_it_was(start, tmp_path, how):
    os.mkfifo(tmp_path / "go")
    run, before = with_keys(start, "--no-color", "web=cat go")
    if how == "it ends":
        (tmp_path / "go").write_text("")
    elif how == "hang-up":
        run.signal(signal.SIGHUP)
    elif how == "SIGKILL":
        os.kill(run.worker(), signal.SIGKILL)
    else:
        run.type(b"q" if how == "q" else b"\x03")
    run.wait()
    assert attributes(run) == before


@pytest.mark.parametrize(
    ("words", "env"),
    [
        (("--no-keys",), {}),
        ((), {"DEVRUN_KEYS": "0"}),
        (("--prod",), {}),
        (("-i",), {}),
        (("--raw",), {}),
        (("--raw-only", "web"), {}),
        (("--quiet",), {}),
        (("--log-format", "json"), {}),
    ],
)
def test_the_terminal_is_left_alone(start, words, env):
    run = start(*words, *SERVICES, **env)
    before = attributes(run)
    run.wait_for("web is up", "worker")
    by_now(start)
    assert attributes(run) == before
    run.type(b"\x03")
    run.wait()
    assert "keys:" not in run.text


def test_by_then_there_are_keys(start):
    """Or the test before this one would say nothing."""
    run = start(*SERVICES)
    before = attributes(run)
    run.wait_for("web is up", "worker")
    by_now(start)
    assert attributes(run) != before
    run.type(b"\x03")
    run.wait()


# -- jobs of a shell --------------------------------------------------------------------------


@pytest.fixture
def shell(tmp_path, mark):
    """Start a shell in a terminal."""
    folder = Path(tempfile.mkdtemp(prefix="devrun-t-"))
    env = dict(os.environ, RUN_MARK=mark, PS1="$ ", TERM="dumb", XDG_RUNTIME_DIR=str(folder))
    shell = pexpect.spawn(
        "bash --norc --noprofile --noediting", cwd=str(tmp_path), env=env, timeout=30
    )
    yield shell
    shell.close(force=True)
    shutil.rmtree(folder)


DEVRUN = f"{sys.executable} -m devrun --no-color 'web=echo it is up; exec sleep 100'"


def echoes(shell):
    return bool(termios.tcgetattr(shell.child_fd)[3] & termios.ECHO)


def test_a_stopped_job_gives_the_terminal_back_and_takes_it_up_again(shell):
    shell.sendline(DEVRUN)
    shell.expect("it is up")
    until(lambda: not echoes(shell), "keys")
    shell.send("\x1a")
    shell.expect("Stopped")
    until(lambda: echoes(shell), "lines")
    shell.sendline("echo the shell is $((6 * 7))")
    shell.expect("the shell is 42")
    shell.sendline("fg")
    until(lambda: not echoes(shell), "keys again")
    shell.send("?")
    shell.expect("keys: r restart")
    shell.send("\x03")
    shell.expect("exited with code SIGINT")
    shell.sendline("echo code $?")
    shell.expect("code 130")


def test_a_job_in_the_background_reads_nothing_until_it_is_in_front(shell):
    shell.sendline(f"{DEVRUN} &")
    shell.expect("it is up")
    shell.sendline(f"{sys.executable} -m devrun ps; echo asked")
    shell.expect("asked\r\n")
    assert echoes(shell)
    shell.sendline("echo ????????; echo the shell is $((6 * 7))")
    shell.expect("the shell is 42")
    assert b"keys: r" not in shell.before
    shell.sendline("fg")
    until(lambda: not echoes(shell), "keys")
    shell.send("?")
    shell.expect("keys: r restart")
    shell.send("\x03")
    shell.expect("exited with code SIGINT")


def test_a_stopped_job_that_goes_on_in_the_background_leaves_the_terminal_alone(shell):
    shell.sendline(DEVRUN)
    shell.expect("it is up")
    until(lambda: not echoes(shell), "keys")
    shell.send("\x1a")
    shell.expect("Stopped")
    shell.sendline("bg")
    shell.sendline(f"{sys.executable} -m devrun ps; echo asked")
    shell.expect("asked\r\n")
    assert echoes(shell)
    shell.sendline("kill %1; wait %1; echo code $?")
    shell.expect("code 143")
    assert echoes(shell)
