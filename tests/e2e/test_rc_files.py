"""Files in which people keep the options of the runner that they come from."""

from __future__ import annotations

import pytest

SHOW = "echo $PS $PORT $A"


@pytest.fixture
def procfile(tmp_path):
    (tmp_path / "Procfile").write_text(f"web: {SHOW}\nworker: {SHOW}\n")
    return tmp_path


def lines(run):
    assert run.wait() == 0, run.text
    return set(run.lines)


def test_dot_foreman_has_options_and_the_command_line_wins(devrun, procfile):
    (procfile / ".foreman").write_text("formation: web=2,worker=0\nport: 7000\nlog: /x\n")
    (procfile / ".env").write_text("A=a\n")
    assert {"[web.1] web.1 7000 a", "[web.2] web.2 7001 a"} <= lines(
        devrun("start", "--any-can-die")
    )
    assert "[web.1] web.1 8000 a" in lines(devrun("start", "--any-can-die", "-p", 8000))


def test_dot_goreman_has_its_own_names(devrun, procfile):
    (procfile / ".goreman").write_text("baseport: 7000\nport: 8555\nexit_on_error: true\n")
    assert "[web] web.1 7000" in lines(devrun("start", "web"))


def test_dot_foreman_names_another_procfile(devrun, procfile):
    (procfile / "Procfile.other").write_text(f"only: {SHOW}\n")
    (procfile / ".foreman").write_text("procfile: Procfile.other\ntimestamp: false\n")
    assert "[only] only.1 5000" in lines(devrun("start"))


def test_an_unknown_option_there_is_told(devrun, procfile):
    (procfile / ".foreman").write_text("prot: 7000\nstart:\n  port: 1\n")
    run = devrun("start", "web")
    lines(run)
    assert 'devrun: .foreman: there is no option "prot"' in run.text


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (".foreman", "a: [", ".foreman:1: is no YAML"),
        (".foreman", "- a\n", ".foreman: has to be names with values"),
        (".foreman", "port: [1]\n", '.foreman: "port" has to be one plain value'),
        (".foreman", "port: x\n", '"x"'),
        ("Procfile.options", "processes: 1\n", "Procfile.options: processes: has to be names"),
        (
            "Procfile.options",
            "processes: {wob: {quantity: 1}}\n",
            'no such process; did you mean "web"',
        ),
        ("Procfile.local", "env: {A: [1]}\n", "Procfile.local: env: values have to be plain"),
    ],
)
def test_what_is_wrong_there_is_said_and_nothing_starts(devrun, procfile, name, text, message):
    (procfile / name).write_text(text)
    run = devrun("start")
    assert run.wait() == 2
    assert message in run.text
    assert "web.1" not in run.text


def test_overminds_env_has_options_and_variables_below_the_env_file(devrun, procfile):
    (procfile / ".overmind.env").write_text("OVERMIND_PORT=7000\nA=overmind\nB=o\n")
    assert "[web] web.1 7000 overmind" in lines(devrun("start", "web"))
    (procfile / ".env").write_text("A=env\n")
    assert "[web] web.1 7000 env" in lines(devrun("start", "web"))
    (procfile / ".overmind.env").write_text("OVERMIND_PORT=7000\nA=overmind\nOVERMIND_SKIP_ENV=1\n")
    assert "[web] web.1 7000 overmind" in lines(devrun("start", "web"))


def test_the_env_file_can_say_which_procfile(devrun, procfile):
    (procfile / "Procfile.other").write_text(f"only: {SHOW}\n")
    (procfile / ".env").write_text("PROCFILE=Procfile.other\nHIVEMIND_PORT_STEP=10\n")
    assert "[only] only.1 5000" in lines(devrun("start"))


def test_an_overlay_beside_the_procfile(devrun, procfile):
    (procfile / "Procfile.options").write_text(
        "app_name: x\nenv: {A: all}\nprocesses:\n"
        "  web: {quantity: 2, term_signal: QUIT, env: {A: own}, max_respawns: 3}\n"
    )
    (procfile / "Procfile.local").write_text("processes: {worker: {quantity: 0}}\n")
    run = devrun("start", "--any-can-die")
    assert {"[web.1] web.1 5000 own", "[web.2] web.2 5001 own"} <= lines(run)
    assert "worker" not in run.text
    assert "devrun: Procfile.options: app_name has no meaning here" in run.text
    assert "devrun: Procfile.options: web.max_respawns has no meaning here" in run.text
    shown = devrun("start", "--dry-run", "-m", "worker=1,web=1")
    assert "SIGQUIT, SIGKILL after 10 s" in "\n".join(sorted(lines(shown)))
    assert "[worker]" in shown.text


def test_ports_of_instances_as_overmind_can_have_them(devrun, procfile):
    run = devrun("start", "--any-can-die", "-m", "web=2", "--formation-port-step", 10, "web")
    assert {"[web.1] web.1 5000", "[web.2] web.2 5010"} <= lines(run)
    run = devrun("start", "-m", "web=11", "--formation-port-step", 10)
    assert run.wait() == 2
    assert "at most 10" in run.text


def test_an_export_takes_what_foreman_would(devrun, tmp_path):
    (tmp_path / ".foreman").write_text("procfile: my other\napp: shop\nformation: web=2\n")
    (tmp_path / "my other").write_text("web: sleep 1\n")
    run = devrun("export", "systemd", "out")
    assert run.wait() == 0, run.text
    assert "wrote out/shop-web@.service" in run.text
    run = devrun("export", "systemd", "named", "-a", "other")
    assert run.wait() == 0, run.text
    assert "wrote named/other-web@.service" in run.text
