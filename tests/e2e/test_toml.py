"""devrun.toml and pyproject.toml: which files are read, and what of them holds."""

from __future__ import annotations

import signal

import pytest
from running import program
from supervised import in_order, python, said_by, toml

TWO = """
    [services]
    db = "echo db runs"
    web = "echo web runs"
"""


# -- which files ------------------------------------------------------------------------------


def test_a_devrun_toml_is_found_before_all_others(devrun, tmp_path):
    toml(tmp_path, '[services]\na = "echo from devrun.toml"')
    toml(tmp_path, '[tool.devrun.services]\na = "echo from pyproject"', "pyproject.toml")
    (tmp_path / "Procfile").write_text("a: echo from the Procfile\n")
    run = devrun()
    assert run.wait() == 0
    assert "[a] from devrun.toml" in run.lines
    assert "from pyproject" not in run.text


def test_a_pyproject_is_read_if_it_has_a_section(devrun, tmp_path):
    (tmp_path / "Procfile").write_text("a: echo from the Procfile\n")
    toml(tmp_path, '[project]\nname = "x"\n[tool.other]\ndevrun = 1', "pyproject.toml")
    run = devrun()
    assert run.wait() == 0
    assert "[a] from the Procfile" in run.lines
    toml(tmp_path, '[tool.devrun.services]\na = "echo from pyproject"', "pyproject.toml")
    run = devrun()
    assert run.wait() == 0
    assert "[a] from pyproject" in run.lines


def test_a_file_named_is_read_whatever_else_is_there(devrun, tmp_path):
    toml(tmp_path, '[services]\na = "echo the usual"')
    toml(tmp_path, '[services]\na = "echo the other"', "other.toml")
    run = devrun("-f", "other.toml")
    assert run.wait() == 0
    assert "[a] the other" in run.lines


def test_several_files_are_merged_and_the_last_wins(devrun, tmp_path):
    toml(
        tmp_path,
        """
        [services.web]
        command = "echo $GREETING $PLACE; exit $CODE"
        env = { GREETING = "hello", PLACE = "world", CODE = 3 }
        [services.db]
        command = "echo db"
        """,
        "base.toml",
    )
    toml(
        tmp_path,
        """
        [services.web.env]
        PLACE = "here"
        CODE = 0
        [services]
        cache = "echo cache"
        """,
        "local.toml",
    )
    run = devrun("-f", "base.toml", "-f", "local.toml")
    assert run.wait() == 0
    assert said_by(run, "web")[0] == "hello here"
    assert said_by(run, "db")[0] == "db"
    assert said_by(run, "cache")[0] == "cache"


def test_defaults_hold_where_a_service_says_nothing(devrun, tmp_path):
    (tmp_path / "there").mkdir()
    toml(
        tmp_path,
        """
        [defaults]
        cwd = "there"
        env = { A = "default", B = "default" }
        [services.one]
        command = "echo $A $B ${PWD##*/}"
        [services.two]
        command = "echo $A $B ${PWD##*/}"
        cwd = "."
        env = { B = "own" }
        """,
    )
    run = devrun()
    assert run.wait() == 0
    assert said_by(run, "one")[0] == "default default there"
    assert said_by(run, "two")[0] == f"default own {tmp_path.name}"


# -- which services ---------------------------------------------------------------------------

CHOICE = """
    [services.db]
    command = "echo runs"
    [services.api]
    command = "echo runs"
    depends_on = ["db"]
    [services.mail]
    command = "echo runs"
    profiles = ["full"]
    [services.docs]
    command = "echo runs"
    profiles = ["docs", "full"]
    [services.tests]
    command = "echo runs"
    depends_on = ["mail"]
    profiles = ["tests"]
    [services.old]
    command = "echo runs"
    disabled = true
"""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], {"db", "api"}),
        (["--profile", "full"], {"db", "api", "mail", "docs"}),
        (["--profile", "docs"], {"db", "api", "docs"}),
        (["--profile", "docs", "--profile", "tests"], {"db", "api", "docs", "tests", "mail"}),
        (["--profile", "tests"], {"db", "api", "tests", "mail"}),
        (["--only", "db"], {"db"}),
        (["--except", "api"], {"db"}),
        (["--profile", "full", "--except", "mail,docs"], {"db", "api"}),
        (["-f", "devrun.toml", "db"], {"db"}),
        (["-f", "devrun.toml", "docs"], {"docs"}),
    ],
)
def test_profiles_and_names_choose(devrun, tmp_path, arguments, expected):
    toml(tmp_path, CHOICE)
    run = devrun(*arguments)
    assert run.wait() == 0
    names = {line[1:].partition("]")[0].strip() for line in run.lines if line.endswith("] runs")}
    assert names == expected


def test_what_is_named_brings_what_it_depends_on(devrun, tmp_path):
    toml(tmp_path, CHOICE)
    run = devrun("-f", "devrun.toml", "api")
    assert run.wait() == 0
    assert said_by(run, "db")[0] == "runs"
    assert said_by(run, "api")[0] == "runs"
    assert not said_by(run, "mail")


@pytest.mark.parametrize("arguments", [["--only", "api"], ["--except", "db"]])
def test_what_is_left_out_by_hand_is_not_waited_for(devrun, tmp_path, arguments):
    """Whoever leaves it out has it elsewhere."""
    toml(tmp_path, CHOICE)
    run = devrun(*arguments)
    assert run.wait() == 0
    assert "[api] runs" in run.lines
    assert not said_by(run, "db")


# -- the environment --------------------------------------------------------------------------


def test_the_layers_of_the_environment(devrun, tmp_path):
    (tmp_path / ".env").write_text("A=root\nB=root\nC=root\nD=root\nE=root\nPORT=1\n")
    (tmp_path / "more.env").write_text("B=more\nC=more\nD=more\nE=more\n")
    (tmp_path / "web.env").write_text("C=service file\nD=service file\nE=service file\n")
    toml(
        tmp_path,
        """
        env_file = [".env", "more.env"]
        [services.web]
        command = 'echo "$A, $B, $C, $D, $E, $PORT"'
        env_file = "web.env"
        env = { E = "service" }
        port = 4321
        """,
    )
    run = devrun(env_added={"D": "devrun's own"})
    assert run.wait() == 0
    assert said_by(run, "web")[0] == "root, more, service file, devrun's own, service, 4321"


def test_files_may_win_over_devruns_own_environment(devrun, tmp_path):
    (tmp_path / ".env").write_text("A=file\n")
    toml(tmp_path, 'env_override = true\n[services]\nweb = "echo $A"')
    run = devrun(env_added={"A": "own"})
    assert run.wait() == 0
    assert said_by(run, "web")[0] == "file"


def test_values_may_hold_variables(devrun, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / ".env").write_text("PLACE=there\nOWN=file\n")
    toml(
        tmp_path,
        """
        [services.web]
        command = "echo $X, $Y, $Z, ${PWD##*/}, $OWN"
        cwd = "${PLACE}"
        env = { X = "${NOWHERE:-default}", Y = "$${PLACE}", Z = "${OWN}!" }
        """,
    )
    run = devrun(env_added={"OWN": "real"})
    assert run.wait() == 0
    assert said_by(run, "web")[0] == "default, ${PLACE}, real!, there, real"


def test_an_env_file_is_read_again_before_each_restart(devrun, tmp_path):
    (tmp_path / "web.env").write_text("ROUND=1\n")
    toml(
        tmp_path,
        """
        [services.web]
        command = 'echo "round $ROUND"; echo "ROUND=$((ROUND + 1))" > web.env; test $ROUND = 3'
        env_file = "web.env"
        restart = "on-failure"
        backoff = { initial = "10ms" }
        """,
    )
    run = devrun()
    assert run.wait() == 0
    in_order(run.text, "round 1", "round 2", "round 3")


# -- commands ---------------------------------------------------------------------------------


def test_a_list_is_a_program_and_its_arguments_and_no_shell(devrun, tmp_path):
    toml(
        tmp_path,
        """
        [services]
        list.command = ["printf", "%s|", "a b", "$HOME", "*", ""]
        line.command = "printf '%s|' a\\\\ b"
        """,
    )
    run = devrun()
    assert run.wait() == 0
    assert said_by(run, "list")[0] == "a b|$HOME|*||"
    assert said_by(run, "line")[0] == "a b|"


def test_the_shell_can_be_chosen(devrun, tmp_path):
    toml(
        tmp_path, "[services.web]\nshell = \"bash\"\ncommand = 'echo ${BASH_VERSION:+bash} {1..3}'"
    )
    run = devrun()
    assert run.wait() == 0
    assert said_by(run, "web")[0] == "bash 1 2 3"


def test_folders_are_relative_to_the_file(devrun, tmp_path):
    folder = tmp_path / "project"
    (folder / "apps" / "web").mkdir(parents=True)
    toml(folder, '[services.web]\ncommand = "pwd"\ncwd = "apps/web"\n[services]\ntop = "pwd"')
    run = devrun("-f", "project/devrun.toml")
    assert run.wait() == 0
    assert said_by(run, "web")[0] == str(folder / "apps" / "web")
    assert said_by(run, "top")[0] == str(folder)


def test_instances_have_numbers_and_ports(devrun, tmp_path):
    toml(
        tmp_path,
        """
        [services.web]
        command = "echo port $PORT"
        instances = 3
        port = 4000
        """,
    )
    run = devrun()
    assert run.wait() == 0
    for number in (1, 2, 3):
        assert said_by(run, f"web.{number}")[0] == f"port {3999 + number}"


# -- looks ------------------------------------------------------------------------------------


def test_colours(devrun, tmp_path):
    toml(
        tmp_path,
        """
        [services.web]
        command = "echo hi"
        color = "blue"
        [services.api]
        command = "echo hi"
        color = "bold.red"
        """,
    )
    run = devrun(env_added={"FORCE_COLOR": "1"})
    assert run.wait() == 0
    assert b"\x1b[34m[web]\x1b[39m hi\n" in run.output
    assert b"\x1b[1m\x1b[31m[api]\x1b[39m\x1b[22m hi\n" in run.output
    assert b"\x1b" not in _finished(devrun()).output


def _finished(run):
    run.wait()
    return run


@pytest.mark.parametrize("outside", [None, (24, 80)], ids=["pipe", "terminal"])
def test_who_has_a_terminal_of_its_own(devrun, tmp_path, outside):
    says = '"test -t 1 && echo a terminal || echo no terminal"'
    toml(
        tmp_path,
        f"""
        [services]
        yes.command = {says}
        yes.tty = true
        no.command = {says}
        no.tty = false
        auto.command = {says}
        auto.tty = "auto"
        usual.command = {says}
        """,
    )
    run = devrun(terminal=outside)
    usual = "no terminal" if outside is None else "a terminal"
    assert run.wait() == 0
    assert [said_by_plain(run, name) for name in ("yes", "no", "auto", "usual")] == [
        "a terminal",
        "no terminal",
        usual,
        usual,
    ]


def said_by_plain(run, name):
    """Return what a service says first, whatever the colours."""
    import re

    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", run.text)
    return re.search(rf"^\[{name} *\] (.*?)\r?$", text, re.MULTILINE)[1]


def test_prefixes_and_timestamps(devrun, tmp_path):
    toml(
        tmp_path,
        """
        prefix = "<{name}>"
        timestamps = "%Y"
        [services]
        web = "echo hi"
        """,
    )
    run = devrun()
    assert run.wait() == 0
    year, prefix, said = run.lines[0].split()
    assert (len(year), prefix, said) == (4, "<web>", "hi")


def test_hidden_services_run_unseen(devrun, tmp_path):
    toml(
        tmp_path,
        """
        [services.web]
        command = "echo seen"
        [services.noise]
        command = "echo unseen; touch ran"
        hidden = true
        """,
    )
    run = devrun()
    assert run.wait() == 0
    assert "[web] seen" in run.text.replace("  ]", "]")
    assert "unseen" not in run.text
    assert (tmp_path / "ran").exists()


# -- who ends whom ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on_exit", "code", "stops", "result"),
    [
        ("stop", 0, True, 0),
        ("stop", 4, True, 4),
        ("stop-on-failure", 4, True, 4),
        ("stop-on-failure", 0, False, 0),
        ("ignore", 4, False, 4),
        (None, 0, False, 0),
    ],
)
def test_what_an_end_does_to_the_others(devrun, tmp_path, on_exit, code, stops, result):
    """The other service ends by itself only where nobody stops it."""
    said = f'on_exit = "{on_exit}"' if on_exit else ""
    (tmp_path / "go").mkdir()
    toml(
        tmp_path,
        f"""
        [services.first]
        command = "exit {code}"
        depends_on = ["other"]
        {said}
        [services.other]
        command = {python(STOPPED_OR_RELEASED)}
        ready = {{ log = "^waits$" }}
        """,
    )
    run = devrun()
    if not stops:
        run.wait_for(f"exit {code} exited with code {code}")
        (tmp_path / "go" / "on").touch()
    assert run.wait() == result
    assert ("got SIGTERM" in run.text) is stops
    assert ("released from waiting" in run.text) is not stops


STOPPED_OR_RELEASED = """
def stop(number, frame):
    os.write(1, b"got " + signal.Signals(number).name.encode() + b"\\n")
    os._exit(0)
signal.signal(signal.SIGTERM, stop)
signal.alarm(120)
print("waits", flush=True)
while not os.path.exists("go/on"):
    time.sleep(0.01)
print("released", "from waiting", flush=True)
"""


def test_the_projects_on_exit_holds_for_all(devrun, tmp_path):
    toml(tmp_path, 'on_exit = "stop"\n[services]\na = "exit 5"\nb = "exec sleep 100"')
    run = devrun()
    assert run.wait() == 5
    assert "Sending SIGTERM to other processes.." in run.text


def test_success_is_whose_the_file_says(devrun, tmp_path):
    toml(
        tmp_path,
        """
        success = "command-tests"
        [services]
        tests = "exit 0"
        web = "exit 3"
        """,
    )
    assert devrun().wait() == 0


def test_a_teardown_runs_when_all_have_ended(devrun, tmp_path):
    toml(
        tmp_path,
        """
        teardown = "echo the end"
        [services]
        web = "echo web"
        """,
    )
    run = devrun()
    assert run.wait() == 0
    in_order(run.text, "echo web exited with code 0", "the end")


def test_the_stop_is_as_the_service_wants_it(devrun, tmp_path):
    toml(
        tmp_path,
        f"""
        [services.int]
        command = "{program("says_signals")}"
        stop.signal = "SIGINT"
        [services.term]
        command = "{program("says_signals")}"
        [services.deaf]
        command = "{program("ignores_signals")}"
        stop = {{ signal = "SIGQUIT", timeout = "100ms" }}
        [services.asked]
        command = "{program("says_signals")}"
        stop = {{ command = "echo $PWD > stopped" }}
        """,
    )
    run = devrun()
    run.wait_for("[int  ] READY", "[term ] READY", "[deaf ] READY", "[asked] READY")
    run.signal(signal.SIGTERM)
    assert run.wait() == -signal.SIGTERM
    assert "[int  ] got SIGINT" in run.lines
    assert "[term ] got SIGTERM" in run.lines
    assert "deaf did not end within 0.1 s" in run.text
    assert (tmp_path / "stopped").read_text() == f"{tmp_path}\n"
    assert "[asked] got SIGTERM" in run.lines, "what the command leaves gets the signal"


# -- mistakes ---------------------------------------------------------------------------------

WRONG = {
    "an unknown key": (
        'comand = "x"',
        'devrun.toml:4: services.web: unknown key "comand"; did you mean "command"?',
    ),
    "a bare number": (
        "start_delay = 5",
        'devrun.toml:4: services.web: start_delay = 5: a unit is missing; write "5s" or "5ms"',
    ),
    "an unknown dependency": (
        'depends_on = ["bd"]',
        'devrun.toml:4: services.web: depends_on: no service "bd"; there is only "db"',
    ),
    "a bad regex": (
        'ready = { log = "(" }',
        "devrun.toml:4: services.web: ready.log",
    ),
    "no such signal": (
        'stop = { signal = "SIGTREM" }',
        'stop.signal "SIGTREM": no such signal; did you mean "SIGTERM"?',
    ),
    "no toml": ("x = [", "devrun.toml:"),
    "a missing variable": (
        'env = { A = "${NOT_SET_ANYWHERE}" }',
        "devrun.toml:4: services.web: env.A",
    ),
    "a bad colour": ('color = "bleu"', 'did you mean "blue"?'),
}


@pytest.mark.parametrize(("line", "said"), WRONG.values(), ids=list(WRONG))
def test_a_mistake_is_one_line_and_starts_nothing(devrun, tmp_path, line, said):
    (tmp_path / "devrun.toml").write_text(
        f'[services.web]\ncommand = "touch started"\n\n{line}\n[services]\ndb = "touch started"\n'
    )
    run = devrun()
    assert run.wait() == 2
    assert len(run.lines) == 1, run.text
    assert run.lines[0].startswith("devrun: ")
    assert said in run.lines[0]
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--profile", "ful"], '--profile "ful": no such profile; did you mean "full"?'),
        (["--only", "wbe"], 'did you mean "web"?'),
        (["--except", "wbe"], 'did you mean "web"?'),
        (["-f", "devrun.toml", "wbe"], 'did you mean "web"?'),
        (["-f", "devrun.tml"], "devrun.tml"),
        (["-f", "devrun.toml", "-f", "Procfile"], "Procfile"),
        (["--except", "web,full"], "nothing is left to run"),
    ],
)
def test_a_wrong_choice_is_one_line_and_starts_nothing(devrun, tmp_path, arguments, said):
    (tmp_path / "Procfile").write_text("x: touch started\n")
    toml(
        tmp_path,
        """
        [services.web]
        command = "touch started"
        [services.full]
        command = "touch started"
        profiles = ["full"]
        """,
    )
    run = devrun(*arguments)
    assert run.wait() == 2
    assert len(run.lines) == 1, run.text
    assert said in run.lines[0]
    assert not (tmp_path / "started").exists()


# -- how many at a time -------------------------------------------------------------------------

CHAIN = """
    max_processes = 2
    [services.db]
    command = "sleep 60"
    [services.api]
    command = "sleep 60"
    depends_on = ["db"]
    [services.web]
    command = "echo web runs"
    depends_on = ["api"]
"""


def test_too_few_at_a_time_for_a_chain_of_dependencies_is_said_before_the_start(devrun, tmp_path):
    toml(tmp_path, CHAIN)
    chain = '"web" waits for "api" and "db", which go on running meanwhile; write 3 or more'
    warning = f"devrun: devrun.toml:2: max_processes: too few: {chain}"
    assert warning in devrun("check").wait_for("[web]").lines
    run = devrun("-m", "1").wait_for(f"devrun: --max-processes 1: too few: {chain}")
    assert run.signal(signal.SIGINT).wait() == -signal.SIGINT
    run = devrun("-m", "3", "--success", "first", "-k").wait_for("[web] web runs")
    assert run.wait() == 0
    assert "too few" not in run.text
