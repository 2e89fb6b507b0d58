"""``devrun start``, for hands used to foreman, honcho and overmind."""

from __future__ import annotations

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
