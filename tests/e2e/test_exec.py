"""``devrun exec``: one command in the project's environment, and nothing in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from running import program, until
from supervised import toml


@pytest.fixture
def project(tmp_path):
    (tmp_path / ".env").write_text("A=default\nB=b\n")
    (tmp_path / "other").write_text("A=other\n")
    (tmp_path / "Procfile").write_text("web: echo web $PORT $A\nworker: echo worker $PORT\n")
    return tmp_path


def said(run):
    assert run.wait() == 0, run.text
    return run.lines


def test_a_command_gets_the_environment(devrun, project):
    assert said(devrun("exec", "--", "sh", "-c", "echo $A $B")) == ["default b"]
    assert said(devrun("exec", "sh", "-c", "echo $A $B", env_added={"A": "own"})) == ["own b"]
    assert said(devrun("exec", "-e", "other", "--", "sh", "-c", "echo $A $B")) == ["other"]
    assert said(devrun("run-one", "sh", "-c", "echo $0 $1", "x", "--y")) == ["x --y"]


def test_a_process_by_its_name(devrun, project):
    assert said(devrun("exec", "web")) == ["web 5000 default"]
    assert said(devrun("exec", "worker")) == ["worker 5100"]
    assert said(devrun("exec", "-f", "Procfile", "web", env_added={"PORT": "7000"})) == [
        "web 7000 default"
    ]


def test_a_word_with_blanks_is_a_line(devrun, project):
    assert said(devrun("exec", "echo $A | tr a-z A-Z")) == ["DEFAULT"]


def test_options_of_the_command_are_its_own(devrun, project):
    assert said(devrun("exec", "echo", "-f", "x", "--help")) == ["-f x --help"]


@pytest.fixture
def of_toml(tmp_path):
    """Return a project whose file names its files of variables, and so has no ``.env``."""
    (tmp_path / ".env").write_text("A=fromenv\n")
    (tmp_path / "proj.env").write_text("B=proj\nC=proj\n")
    (tmp_path / "own.env").write_text("C=own\n")
    return toml(
        tmp_path,
        """
        env_file = ["proj.env"]

        [services.web]
        command = "echo $A-$B-$C-$D-$PORT"
        env_file = ["own.env"]
        env = { D = "${B}x" }
        port = 4000

        [services.second]
        command = ["sh", "-c", "echo $A-$B-$C"]

        [services.bash]
        command = "echo ${BASH_VERSION:+bash} $B"
        shell = "bash"
        """,
    )


LOOK = "echo $A-$B-$C"


@pytest.mark.parametrize("words", [["--", "sh", "-c", LOOK], ["sh", "-c", LOOK], [LOOK]])
def test_a_command_gets_the_environment_of_a_toml_file(devrun, of_toml, words):
    assert said(devrun("exec", *words)) == ["-proj-proj"]
    assert said(devrun("exec", "-f", "devrun.toml", *words)) == ["-proj-proj"]
    assert said(devrun("exec", *words, env_added={"B": "mine"})) == ["-mine-proj"]


def test_a_service_of_a_toml_file_gets_its_own_environment_too(devrun, of_toml):
    assert said(devrun("exec", "web")) == ["-proj-own-projx-4000"]
    assert said(devrun("exec", "second")) == ["-proj-proj"]
    assert said(devrun("exec", "bash")) == ["bash proj"]


def test_a_run_of_a_toml_file_has_the_same_environment(devrun, of_toml):
    run = devrun("--no-color", "--raw")
    assert run.wait() == 0
    assert sorted(run.lines) == ["-proj-own-projx-4000", "-proj-proj", "bash proj"]


def test_files_that_are_named_stand_above_those_of_a_toml_file_or_alone(devrun, of_toml):
    assert said(devrun("exec", "--env-file", "own.env", LOOK)) == ["-proj-own"]
    assert said(devrun("exec", "-e", "own.env", LOOK)) == ["--own"]
    assert said(devrun("exec", "--no-env", LOOK)) == ["--"]


def test_what_a_toml_file_says_of_precedence_holds(devrun, of_toml):
    text = (of_toml / "devrun.toml").read_text()
    (of_toml / "devrun.toml").write_text("env_override = true\n" + text)
    assert said(devrun("exec", LOOK, env_added={"B": "mine"})) == ["-proj-proj"]


def test_a_toml_file_that_is_wrong_is_one_line(devrun, of_toml):
    (of_toml / "devrun.toml").write_text("env_files = 'proj.env'\n[services]\nweb = 'true'\n")
    run = devrun("exec", "true", "x")
    assert run.wait() == 2
    assert run.text.startswith("devrun: devrun.toml:1: ")
    assert run.text.count("\n") == 1


@pytest.mark.parametrize("code", [0, 3, 255])
def test_the_exit_code_is_the_commands(devrun, project, code):
    assert devrun("exec", "sh", "-c", f"exit {code}").wait() == code
    assert devrun("exec", "--", "sh", "-c", "kill -KILL $$").wait() == -signal.SIGKILL


def test_signals_reach_the_command_because_it_is_the_process(devrun, project):
    run = devrun("exec", *program("says_signals", 0).split()).wait_for("READY")
    run.signal(signal.SIGTERM)
    run.wait_for("got SIGTERM")
    run.wait()
    assert run.count("got ") == 1


def test_the_terminal_is_the_commands(devrun, project):
    run = devrun(
        "exec", "sh", "-c", "test -t 0 && test -t 1 && read x && echo got $x", terminal=(24, 80)
    )
    run.type(b"hello\n").wait_for("got hello")
    assert run.wait() == 0


def test_stdin_is_the_commands(project, mark):
    env = os.environ | {"RUN_MARK": mark, "HOME": str(project)}
    done = subprocess.run(
        [sys.executable, "-m", "devrun", "exec", "cat"],
        input=b"\x00\xffbytes",
        cwd=project,
        env=env,
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"\x00\xffbytes"


def test_what_python_ignores_is_not_ignored_by_the_command(devrun, project):
    run = devrun("exec", "sh", "-c", "yes | head -1")
    assert said(run) == ["y"]
    shown = said(devrun("exec", "sh", "-c", "grep SigIgn /proc/$$/status"))
    assert int(shown[0].split()[1], 16) & (1 << (signal.SIGPIPE - 1)) == 0


def test_it_is_one_process(devrun, project):
    run = devrun("exec", "sleep", "60")
    line = Path(f"/proc/{run.process.pid}/cmdline")
    until(lambda: line.read_bytes() == b"sleep\x0060\x00", "the command to take over")
    run.signal(signal.SIGTERM)
    assert run.wait() == -signal.SIGTERM


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["exec"], 2, "exec needs a command"),
        (["exec", "--"], 2, "exec needs a command"),
        (["exec", "--foo", "x"], 2, "no such option: --foo"),
        (["exec", "-e", "nosuch", "true"], 2, "nosuch: "),
        (["exec", "-f", "nosuch", "true"], 2, "nosuch: no such file"),
        (["exec", "-d", "nosuch", "true"], 2, '--root "nosuch": no such folder'),
        (["exec", "no-such-program"], 127, 'no such program: "no-such-program"'),
        (["exec", "/etc"], 126, 'cannot execute "/etc": it is a folder'),
    ],
)
def test_what_is_wrong_is_one_line(devrun, project, words, code, reason):
    run = devrun(*words)
    assert run.wait() == code
    assert run.text.startswith(f"devrun: {reason}"), run.text
    assert run.text.count("\n") == 1


def test_several_words_are_a_program_whatever_the_processes_are_called(devrun, project):
    (project / "Procfile").write_text("echo: never this\n")
    assert said(devrun("exec", "echo", "console")) == ["console"]
    (project / "Procfile").write_text("<<<<<<< HEAD\n")
    assert said(devrun("exec", "--", "echo", "hi")) == ["hi"]


def test_files_with_options_hold_here_too(devrun, project):
    (project / ".foreman").write_text("procfile: my other\nport: 1\n")
    (project / "my other").write_text("job: echo the job $FOO\n")
    (project / ".overmind.env").write_text("FOO=b\n")
    assert said(devrun("exec", "job")) == ["the job b"]
