"""``devrun start``, for hands used to foreman, honcho and overmind."""

from __future__ import annotations

import signal

import pytest

SHOW = "echo $PS $PORT $A; sleep 0.3"


@pytest.fixture
def procfile(tmp_path):
    (tmp_path / "Procfile").write_text(f"web: {SHOW}\nworker: {SHOW}\n")
    return tmp_path


def test_a_formation_gives_names_and_ports(devrun, procfile):
    run = devrun("start", "-m", "web=2,worker=1", "-p", 3000, "--any-can-die")
    assert run.wait() == 0
    assert {"[web.1 ] web.1 3000", "[web.2 ] web.2 3001", "[worker] worker.1 3100"} <= set(
        run.lines
    )


def test_a_process_keeps_its_port_when_it_runs_alone(devrun, procfile):
    run = devrun("start", "worker")
    assert run.wait() == 0
    assert "[worker] worker.1 5100" in run.lines
    assert "web.1" not in run.text


def test_files_of_e_replace_the_env_file(devrun, procfile):
    (procfile / ".env").write_text("A=default\n")
    (procfile / "a").write_text("A=a\n")
    (procfile / "b").write_text("A=b\n")
    assert "[web] web.1 5000 default" in _lines(devrun("start", "web"))
    assert "[web] web.1 5000 b" in _lines(devrun("start", "-e", "a,b", "web"))


def test_the_root_has_the_file_the_processes_and_the_env(devrun, procfile):
    inner = procfile / "app"
    inner.mkdir()
    (inner / "Procfile").write_text("web: echo $(pwd) $A\n")
    (inner / ".env").write_text("A=inner\n")
    assert f"[web] {inner} inner" in _lines(devrun("start", "-d", "app"))


def test_others_learn_the_ports(devrun, procfile):
    (procfile / "Procfile").write_text("web: sleep 0.2\nworker: echo $OVERMIND_PROCESS_web_PORT\n")
    assert "[worker] 5000" in _lines(devrun("start", "--any-can-die"))


def test_one_that_can_die_stops_nobody(devrun, procfile):
    (procfile / "Procfile").write_text("a: exit 0\nb: sleep 0.3; echo late\nc: sleep 60\n")
    lines = _lines(devrun("start", "--can-die", "a"))
    assert "[b] late" in lines
    assert "[c] sleep 60 exited with code SIGTERM" in lines


def test_restarts_follow_every_end(devrun, procfile):
    count = "echo x >> n; [ $(wc -l < n) -lt 3 ] || sleep 60"
    (procfile / "Procfile").write_text(f"a: {count}\nb: while [ $(wc -l < n) -lt 3 ]; do :; done\n")
    (procfile / "n").touch()
    run = devrun("start", "-r", "a")
    assert run.wait() == 0
    assert run.count(" restarted\n") == 2


def test_stop_signals_are_each_ones_own(devrun, procfile):
    trap = "trap 'echo got QUIT; exit 0' QUIT; trap 'echo got TERM; exit 0' TERM; touch {0}; "
    wait = "while :; do sleep 0.02; done"
    (procfile / "Procfile").write_text(
        f"a: {trap.format('1')}{wait}\nb: {trap.format('2')}{wait}\n"
        "c: while [ ! -e 1 ] || [ ! -e 2 ]; do sleep 0.02; done\n"
    )
    lines = _lines(devrun("start", "-i", "a=QUIT"))
    assert "[a] got QUIT" in lines
    assert "[b] got TERM" in lines


def _lines(run):
    assert run.wait() == 0, run.text
    return run.lines


@pytest.mark.parametrize(
    ("variables", "words", "expected"),
    [
        ({"OVERMIND_FORMATION": "web=1"}, ["web=2"], {"web.1", "web.2"}),
        ({"OVERMIND_FORMATION": "web=2"}, ["web"], {"web.1", "web.2"}),
        ({"OVERMIND_FORMATION": "web=0,worker=2"}, ["web"], {"web"}),
        ({"OVERMIND_PROCESSES": "web"}, ["worker"], {"worker"}),
        ({"OVERMIND_PROCESSES": "web"}, [], {"web"}),
    ],
)
def test_words_beat_variables_about_what_runs(devrun, procfile, variables, words, expected):
    run = devrun("start", "--any-can-die", *words, env_added=variables)
    assert {line.split("]")[0].strip("[ ") for line in _lines(run)} == expected


@pytest.mark.parametrize(
    ("variables", "words", "expected"),
    [
        ({"OVERMIND_PORT": "3000"}, ["-N"], "stop     SIGTERM, SIGKILL after 10 s"),
        ({"OVERMIND_NO_PORT": "1"}, ["-p", "4000"], "PORT     4000"),
        ({"OVERMIND_TIMEOUT": "1"}, ["--stop-timeout", "30s"], "SIGKILL after 30 s"),
        ({"DEVRUN_STOP_TIMEOUT": "30s"}, ["-t", "1"], "SIGKILL after 1 s"),
        ({"OVERMIND_ANY_CAN_DIE": "1"}, ["--kill-others"], "kill others  always"),
        ({"OVERMIND_COLORS": "2,3"}, ["--prefix-colors", "red"], "services     2"),
        ({"OVERMIND_PROCFILE": "my dir/Procfile"}, [], "my dir/Procfile"),
    ],
)
def test_words_beat_variables_that_mean_the_same(devrun, procfile, variables, words, expected):
    (procfile / "my dir").mkdir()
    (procfile / "my dir/Procfile").write_text("a: true\n")
    run = devrun("start", "--dry-run", *words, env_added=variables)
    assert run.wait() == 0, run.text
    assert expected in run.text
    assert ("-N" in words) is ("  PORT " not in run.text)


@pytest.mark.parametrize("words", [["-f", "Procfile", "start", "web"], ["-t", "3", "start", "web"]])
def test_options_may_stand_before_the_command(devrun, procfile, words):
    run = devrun(*words)
    assert run.wait() == 0, run.text
    assert "[web] web.1 5000" in run.lines


def test_a_program_called_start_is_one_where_the_options_are_those_of_a_run(devrun, procfile):
    run = devrun("-k", "start")
    assert run.wait() == 127
    assert 'no such program: "start"' in run.text


def test_all_runs_in_the_root_that_is_named(devrun, procfile):
    (procfile / "config").mkdir()
    (procfile / "config/Procfile").write_text("web: echo $(pwd)\n")
    assert f"[web] {procfile}" in _lines(devrun("start", "-d", ".", "-f", "config/Procfile"))
    assert f"[web] {procfile}/config" in _lines(
        devrun("start", "-d", "config", "-f", "config/Procfile")
    )
    assert f"[web] {procfile}/config" in _lines(devrun("start", "-f", "config/Procfile"))


def test_each_stop_signal_is_said(devrun, procfile):
    (procfile / "Procfile").write_text("a: echo up; sleep 60\nb: echo up; sleep 60\n")
    run = devrun("start", "-i", "a=QUIT").wait_for("[a] up").wait_for("[b] up")
    run.signal(signal.SIGTERM).wait()
    assert "Sending SIGQUIT and SIGTERM to 2 processes.." in run.text


@pytest.mark.parametrize(
    ("variables", "files", "words", "message"),
    [
        ({"OVERMIND_PORT": "y"}, {}, [], 'OVERMIND_PORT "y": '),
        ({"DEVRUN_PORT": "y"}, {}, [], 'DEVRUN_PORT "y": '),
        ({}, {".foreman": "port: abc\n"}, [], '.foreman: port "abc": '),
        ({}, {".env": "DEVRUN_PORT=bad\n"}, [], 'DEVRUN_PORT "bad": '),
        ({}, {"Procfile.options": "processes: {web: {quantity: two}}"}, [], "Procfile.options web"),
        ({}, {}, ["-q", "nosuch"], "-q: no service"),
        ({}, {}, ["-x", "nosuch"], "-x: no process"),
        ({}, {}, ["-t", "abc"], '-t "abc'),
        ({}, {}, ["-b", "999"], '-b "'),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(devrun, procfile, variables, files, words, message):
    for name, text in files.items():
        (procfile / name).write_text(text)
    run = devrun("start", *words, env_added=variables)
    assert run.wait() == 2
    assert f"devrun: {message}" in run.text
