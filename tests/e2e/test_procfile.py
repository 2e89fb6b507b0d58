"""Procfiles: what is run, with which ports, and how it ends."""

from __future__ import annotations

import pytest


@pytest.fixture
def procfile(tmp_path):
    def write(text, name="Procfile"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def test_a_procfile_runs_and_its_first_exit_ends_all(devrun, procfile):
    procfile("web: sleep 60\nworker: echo done\n")
    run = devrun("-f", "Procfile")
    assert run.wait() == 0
    assert "[worker] done" in run.lines
    assert "--> worker ended, so all end (--no-kill-others keeps the others)" in run.lines
    assert "[web   ] sleep 60 exited with code SIGTERM" in run.lines


def test_the_first_exits_code_is_devruns(devrun, procfile):
    procfile("web: sleep 60\nworker: exit 3\n")
    assert devrun("-f", "Procfile").wait() == 3


def test_no_kill_others_keeps_the_others(devrun, procfile):
    procfile("a: exit 0\nb: sleep 0.3; echo still here\n")
    run = devrun("-f", "Procfile", "--no-kill-others")
    assert run.wait() == 0
    assert "[b] still here" in run.lines


@pytest.mark.parametrize(
    ("present", "chosen"), [(["Procfile"], 0), (["Procfile", "Procfile.dev"], 1)]
)
def test_without_words_the_folders_procfile_runs(devrun, procfile, present, chosen):
    for name in present:
        procfile(f"x: echo {name}\n", name)
    run = devrun()
    assert run.wait() == 0
    assert f"[x] {present[chosen]}" in run.lines


def test_ports_count_over_the_whole_file(devrun, procfile):
    procfile("a: echo $PORT\nb: echo ${PORT}\nc: echo '$PORT'\n")
    run = devrun("-f", "Procfile", "--no-kill-others")
    assert run.wait() == 0
    assert {"[a] 5000", "[b] 5100", "[c] $PORT"} < set(run.lines)
    run = devrun("-f", "Procfile", "b")
    assert run.wait() == 0
    assert "[b] 5100" in run.lines


@pytest.mark.parametrize(
    ("arguments", "environment", "dotenv", "port"),
    [
        ([], {}, "", "5000"),
        ([], {"PORT": "4200"}, "", "4200"),
        ([], {}, "PORT=4300\n", "4300"),
        ([], {"PORT": "4200"}, "PORT=4300\n", "4200"),
        (["--env-override"], {"PORT": "4200"}, "PORT=4300\n", "4300"),
        (["--port", "4400"], {"PORT": "4200"}, "PORT=4300\n", "4400"),
        (["--no-port"], {"PORT": "4200"}, "", "4200"),
        (["--no-port"], {}, "", ""),
    ],
)
def test_the_first_port(devrun, procfile, arguments, environment, dotenv, port):
    procfile("a: echo port $PORT\n")
    procfile(dotenv, ".env")
    run = devrun("-f", "Procfile", *arguments, env_added=environment)
    assert run.wait() == 0
    assert f"[a] port {port}".rstrip() in run.lines


def test_a_process_runs_in_the_folder_of_its_file(devrun, procfile, tmp_path):
    procfile("a: pwd\n", "sub/Procfile")
    run = devrun("-f", "sub/Procfile")
    assert run.wait() == 0
    assert f"[a] {tmp_path}/sub" in run.lines


def test_files_and_commands_run_together(devrun, procfile):
    procfile("a: echo A\n")
    procfile("b: echo B\n", "Procfile.more")
    run = devrun("-f", "Procfile", "-f", "Procfile.more", "c=echo C", "--no-kill-others")
    assert run.wait() == 0
    assert {"[a] A", "[b] B", "[c] C"} < set(run.lines)


def test_release_runs_only_by_name(devrun, procfile):
    procfile("release: echo released\nweb: echo up\n")
    run = devrun("-f", "Procfile")
    assert run.wait() == 0
    assert "released" not in run.text.replace("is a step before a release", "")
    assert 'devrun: "release" is not run' in run.text
    run = devrun("-f", "Procfile", "release")
    assert run.wait() == 0
    assert "[release] released" in run.lines


def test_the_grammars_union(devrun, procfile):
    procfile(
        b"\xef\xbb\xbfa: echo 1\r\n# comment\n\n  b : echo 2 # said to the shell\nc:echo 3\n"
        b"d.e:\techo 4\n-f_9: echo 5 && echo 6 | cat; X=7 sh -c 'echo $X'\ng: printf '\\351\\n'"
    )
    run = devrun("-f", "Procfile", "--no-kill-others", "--no-pad-prefix")
    assert run.wait() == 0
    expected = {"[a] 1", "[b] 2", "[c] 3", "[d.e] 4", "[-f_9] 5", "[-f_9] 6", "[-f_9] 7"}
    assert expected < set(run.lines)
    assert b"[g] \xe9\n" in run.output


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("web: a\nnonsense\n", 'Procfile:2: "nonsense" is no process'),
        ("web: a\nweb: b\n", 'Procfile:2: a second process named "web"; the first is in line 1'),
        ("web:\n", 'Procfile:1: the process "web" has no command'),
        ("<<<<<<< HEAD\nweb: a\n", "Procfile:1: a merge conflict is left in the file"),
        ("web: a \\\n  b\n", "Procfile:1: ends with a backslash"),
        ("a b: x\n", 'Procfile:1: "a b" is no name'),
        ("# nothing\n", "Procfile: no process in it"),
        ("", "Procfile: no process in it"),
    ],
)
def test_a_broken_file_is_said_and_starts_nothing(devrun, procfile, text, message):
    procfile(text)
    run = devrun("-f", "Procfile")
    assert run.wait() == 2
    assert run.text.startswith(f"devrun: {message}")
    assert run.text.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-f", "Procfil"], "Procfil: no such file; there is Procfile"),
        (["-f", "."], ".: is a folder"),
        (["-f", "Procfile", "wob"], 'no process "wob" in Procfile; did you mean "web"?'),
        (["-f", "Procfile", "web=x"], 'the name "web" stands in Procfile and as a command'),
        (["-f", "Procfile", "-n", "a"], "--names is for commands"),
        (["-f", "Procfile", "-f", "Procfile"], 'Procfile:1: a second process named "web"'),
    ],
)
def test_wrong_words_beside_a_file(devrun, procfile, arguments, message):
    procfile("web: echo x\n")
    run = devrun(*arguments)
    assert run.wait() == 2
    assert run.text.startswith(f"devrun: {message}")
