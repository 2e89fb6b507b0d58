"""``devrun check``: what is wrong before anything starts."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_sound_project_is_shown(devrun, tmp_path):
    (tmp_path / "Procfile").write_text("web: sleep $PORT\nworker: sleep 1\n")
    run = devrun("check")
    assert run.wait() == 0, run.text
    assert "devrun:" not in run.text


def test_programs_of_shell_lines_are_looked_for(devrun, tmp_path):
    (tmp_path / "Procfile").write_text(
        "web: A=1 no-such-one x | cat\nworker: cd . && no-such-two\n"
    )
    run = devrun("check")
    assert run.wait() == 1
    assert 'devrun: web: no such program: "no-such-one" is in no folder of PATH' in run.lines
    assert 'devrun: worker: no such program: "no-such-two" is in no folder of PATH' in run.lines


def test_who_has_a_port_is_said(devrun, listening):
    run = devrun("check", "--port", listening, "web=true")
    assert run.wait() == 1
    (line,) = [line for line in run.lines if "is taken" in line]
    assert line.startswith(f"devrun: web: port {listening} is taken by ")
    assert f"(pid {Path('/proc/self').resolve().name}, in {Path.cwd()})" in line


def test_a_port_that_another_run_has_is_named_too(devrun):
    server = f"{sys.executable} -m http.server --bind 127.0.0.1 $PORT"
    port = free_port()
    holder = devrun("--port", port, f"web={server}")
    holder.wait_for("Serving HTTP")
    run = devrun("check", "--port", port, "web=true")
    assert run.wait() == 1
    assert f"port {port} is taken by {sys.executable} -m http.server" in run.text


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_variable_that_is_set_nowhere_is_told(devrun, tmp_path):
    (tmp_path / "Procfile").write_text("web: sleep $PORT $HOTS\n")
    run = devrun("check")
    assert run.wait() == 0
    assert "devrun: web: $HOTS is set nowhere, so nothing stands in its place" in run.lines
    assert "$PORT" not in run.text.replace("sleep $PORT $HOTS", "")


def test_what_others_read_otherwise_is_told(devrun, tmp_path):
    (tmp_path / "Procfile").write_text("web:sleep 1\n")
    run = devrun("check")
    assert run.wait() == 0
    assert "devrun: Procfile:1: hivemind and overmind pass over a line" in run.text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--format", "procflie", "a=true"], "--format procflie: no such format; did you mean"),
        (["--format", "env", "a=true"], "--format env needs --env NAME and --show-values"),
        (["--format", "procfile", "--env", "a", "a=true"], "contradict each other"),
        (["--format", "procfile", "true"], 'the command "true" has no name'),
        (["--format", "procfile", "a=x\ny"], "has a line end in it"),
    ],
)
def test_wrong_words_are_refused(devrun, words, message):
    run = devrun("check", *words)
    assert run.wait() == 2
    assert message in run.text


def test_variables_can_be_printed_as_a_file(devrun, tmp_path):
    (tmp_path / ".env").write_text("A='x  y'\nB=\"two\nlines\"\n")
    run = devrun("check", "--env", "a", "--show-values", "--format", "env", "a=true")
    assert run.wait() == 0
    assert "\nA='x  y'\n" in "\n" + run.text
    assert "\nB='two\nlines'\n" in run.text


NAMES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_./@-]{0,5}", fullmatch=True).filter(
    lambda name: name != "release"
)
COMMANDS = st.from_regex(r"[^\s\\\0\x80-\xff][^\n\r\\\0]{0,20}[^\s\\\0]", fullmatch=True)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(NAMES, COMMANDS, min_size=1, max_size=4), st.sampled_from(["\n", "\r\n"]))
def test_a_procfile_comes_through_as_it_is(devrun, tmp_path, entries, end):
    text = "".join(f"{name}: {command}{end}" for name, command in entries.items())
    (tmp_path / "Procfile").write_bytes(b"# first\n\n" + text.encode("utf-8", "surrogatepass"))
    run = devrun("check", "--format", "procfile", "--no-port")
    assert run.wait() == 0, run.text
    said = "".join(
        line for line in run.text.splitlines(keepends=True) if not line.startswith("devrun:")
    )
    assert said == "".join(f"{name}: {command}\n" for name, command in entries.items())


def test_check_env_says_what_others_read_differently(devrun, tmp_path):
    (tmp_path / ".env").write_text("PLAIN=1\nTOKEN=s3cret#more\n")
    run = devrun("check", "--env", "web", "web=true")
    assert run.wait() == 0
    said = "devrun: .env:2: TOKEN is read differently by honcho, node dotenv, node --env-file"
    assert f"{said} (cut at #)" in run.text
    assert "PLAIN is" not in run.text
    assert "s3cret" not in run.text
    run = devrun("check", "--env", "web", "--show-values", "web=true")
    assert run.wait() == 0
    assert "('s3cret')" in run.text


def test_a_line_that_the_shell_does_not_understand_is_a_problem(devrun):
    run = devrun(
        "check", 'a=echo "x', "b=[ -x ./nosuch ] && ./nosuch; true # isn't", "c=f() { :; }; f"
    )
    assert run.wait() == 1
    assert "devrun: a: the shell does not understand the line: " in run.text
    assert "devrun: b" not in run.text
    assert "devrun: c" not in run.text


def test_the_release_step_is_checked_too(devrun, tmp_path):
    (tmp_path / "Procfile").write_text("web: true\nrelease: no-such-program\n")
    run = devrun("check")
    assert run.wait() == 1
    assert 'release: no such program: "no-such-program"' in run.text
    run = devrun("check", "--format", "procfile")
    assert run.wait() == 0
    assert "release: no-such-program\n" in run.text
