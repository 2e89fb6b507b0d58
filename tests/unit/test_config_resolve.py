"""From the words of an invocation to a project, or one line that says what is wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

import devrun
from devrun.appearance import ColorLevel, PrefixStyle
from devrun.config.resolve import Resolution, resolve
from devrun.config.selection import NothingToRun
from devrun.config.settings import RunSettings
from devrun.errors import UsageError
from devrun.model import (
    EnvironmentSettings,
    KillOthers,
    Project,
    RestartPolicy,
    RestartWhen,
    Service,
    StopPolicy,
    SuccessCondition,
    SuccessKind,
    WatchSettings,
)

FILE = ("Procfile",)

ON_FAILURE = RestartWhen.ON_FAILURE


@pytest.fixture
def given_folder(tmp_path, monkeypatch):
    """Return a function that resolves settings in a folder with files in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Procfile").write_text("web: a\nrelease: r\nworker: b\ndb: c\n")

    def run(*words, environ=None, level=ColorLevel.NONE, **more):
        settings = RunSettings(commands=words, **more)
        return resolve(settings, cwd=str(tmp_path), environ=environ or {}, color_level=level)

    return run


@pytest.fixture
def project(given_folder):
    return lambda *words, **more: given_folder(*words, **more).project


@pytest.fixture
def refusal(given_folder):
    def run(*words, **more):
        with pytest.raises(UsageError) as caught:
            given_folder(*words, **more)
        return str(caught.value)

    return run


def ports(project):
    return {service.label: service.port for service in project.services}


def test_a_bare_command_has_the_models_defaults(project, tmp_path):
    found = project("x y")
    assert found.services == (Service(0, None, "x y", str(tmp_path)),)
    expected = Project(str(tmp_path), "the command line", found.services, output=found.output)
    assert found == expected
    assert (found.output.prefix.pad, found.output.tty, found.output.quiet) == (False, None, False)


def test_a_procfile_has_its_own_defaults(given_folder, tmp_path):
    resolution = given_folder()
    found = resolution.project
    assert [(s.index, s.name, s.command) for s in found.services] == [
        (0, "web", "a"),
        (1, "worker", "b"),
        (2, "db", "c"),
    ]
    assert (found.source, found.kill_others) == ("Procfile", KillOthers.ALWAYS)
    assert found.output.prefix.pad
    assert len(resolution.warnings) == 1


def test_nothing_to_run_is_told_apart(given_folder, tmp_path):
    (tmp_path / "Procfile").unlink()
    with pytest.raises(NothingToRun):
        given_folder()


# -- who ends whom ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "commands", "file"),
    [
        ({}, KillOthers.NEVER, KillOthers.ALWAYS),
        ({"kill_others": True}, KillOthers.ALWAYS, KillOthers.ALWAYS),
        ({"kill_others_on_fail": True}, KillOthers.ON_FAILURE, KillOthers.ON_FAILURE),
        ({"kill_others": False}, KillOthers.NEVER, KillOthers.NEVER),
        (
            {"kill_others": True, "kill_others_on_fail": True},
            KillOthers.ALWAYS,
            KillOthers.ALWAYS,
        ),
    ],
)
def test_who_ends_whom(project, said, commands, file):
    assert project("x", **said).kill_others is commands
    assert project(files=FILE, **said).kill_others is file
    assert project("x y", files=FILE, **said).kill_others is file


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (
            {"kill_others": False, "kill_others_on_fail": True},
            "--no-kill-others and --kill-others-on-fail contradict each other",
        ),
        (
            {"stop_timeout": "1s", "kill_timeout": "1000"},
            "--stop-timeout and --kill-timeout mean the same; leave one out",
        ),
        ({"port": "1", "no_port": True}, "--port and --no-port contradict each other"),
        ({"watch_ignore": ("x",)}, "--watch-ignore needs a --watch"),
        ({"watch_poll": True}, "--watch-poll needs a --watch"),
    ],
)
def test_flags_that_contradict_each_other_are_refused(refusal, more, reason):
    assert refusal("x", **more).startswith(reason)


# -- ports --------------------------------------------------------------------------------------


def test_ports_are_counted_over_the_whole_file(project):
    assert ports(project()) == {"web": 5000, "worker": 5200, "db": 5300}
    assert ports(project("db", files=FILE)) == {"db": 5300}


def test_commands_get_a_port_only_if_one_is_asked_for(project):
    assert ports(project("a", "b")) == {"0": None, "1": None}
    assert ports(project("x=a b", "db", files=FILE)) == {"db": 5300, "x": None}
    assert ports(project("a", "b", port="80")) == {"0": 80, "1": 180}
    assert ports(project("x=a b", "db", files=FILE, port="80")) == {"db": 380, "x": 480}


def test_no_port_assigns_none(project):
    assert set(ports(project(no_port=True)).values()) == {None}
    assert set(ports(project(no_port=True, environ={"PORT": "x"})).values()) == {None}


def test_the_first_port_comes_from_the_flag_the_environment_or_the_file(project, tmp_path):
    (tmp_path / ".env").write_text("PORT=4300\n")
    assert ports(project("web", files=FILE)) == {"web": 4300}
    outer = {"PORT": "4200"}
    assert ports(project("web", files=FILE, environ=outer)) == {"web": 4200}
    assert ports(project("web", files=FILE, environ=outer, env_override=True)) == {"web": 4300}
    assert ports(project("web", files=FILE, environ=outer, port="4400")) == {"web": 4400}


def test_a_wrong_port_is_refused_with_its_place(refusal, project, tmp_path):
    assert refusal(port="0") == '--port "0": must be from 1 to 65535'
    assert refusal(environ={"PORT": "x"}) == 'PORT of the environment "x": not a whole number'
    (tmp_path / ".env").write_text("\nPORT=99999\n")
    assert refusal() == 'PORT of .env:2 "99999": must be from 1 to 65535'
    assert project("x").services[0].port is None


def test_ports_beyond_the_last_are_refused(refusal, project):
    assert ports(project(port="65235"))["db"] == 65535
    assert refusal(port="65236") == (
        "first port 65236: 4 processes would need ports up to 65536;"
        " the highest is 65535, and --no-port assigns none"
    )


# -- environment --------------------------------------------------------------------------------


def test_files_of_variables_are_found_from_the_current_folder(project, tmp_path):
    root, more = tmp_path / ".env", tmp_path / "more.env"
    root.write_text("A=1")
    more.write_text("B=2")
    assert project("x", env_files=("more.env", str(more)), env_override=True).environment == (
        EnvironmentSettings(str(root), (str(more), str(more)), override=True)
    )


def test_no_env_leaves_out_the_root_file_alone(project, tmp_path):
    (tmp_path / ".env").write_text("junk")
    (tmp_path / "more.env").write_text("B=2")
    found = project("x", no_env=True, env_files=("more.env",)).environment
    assert found == EnvironmentSettings(None, (str(tmp_path / "more.env"),))


def test_a_broken_or_missing_file_of_variables_is_refused_before_anything_starts(refusal, tmp_path):
    assert refusal("x", env_files=("no.env",)) == "no.env: no such file"
    (tmp_path / ".env").write_text("A=1\njunk\n")
    assert refusal("x").startswith(".env:2: cannot be read")


# -- policies -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "policy"),
    [
        ({}, StopPolicy()),
        ({"kill_signal": "int"}, StopPolicy(signal=signal.SIGINT)),
        ({"kill_signal": "KILL"}, StopPolicy(signal.SIGKILL, signal.SIGINT)),
        ({"stop_timeout": "500ms"}, StopPolicy(timeout=0.5)),
        ({"stop_timeout": "0"}, StopPolicy(timeout=0)),
        ({"kill_timeout": "1500"}, StopPolicy(timeout=1.5)),
        ({"kill_timeout": "2s"}, StopPolicy(timeout=2)),
    ],
)
def test_stopping(project, more, policy):
    assert project("x", **more).services[0].stop == policy


@pytest.mark.parametrize(
    ("more", "policy"),
    [
        ({}, RestartPolicy()),
        ({"restart_tries": "3"}, RestartPolicy(ON_FAILURE, 3)),
        ({"restart_tries": "-1", "restart_after": "200"}, RestartPolicy(ON_FAILURE, -1, 0.2)),
        ({"restart_after": "2s"}, RestartPolicy()),
        (
            {"restart_tries": "2", "restart_after": "40s"},
            RestartPolicy(ON_FAILURE, 2, 40.0, cap=40.0),
        ),
        (
            {"restart_tries": "1", "restart_after": "exponential"},
            RestartPolicy(ON_FAILURE, 1, 1.0, 2.0),
        ),
    ],
)
def test_restarting(project, more, policy):
    assert project("x", **more).services[0].restart == policy


def test_hidden_services_are_named_or_counted(project):
    found = project("a=x", "y", "c=z", hide=" c, 1 ,")
    assert [service.hidden for service in found.services] == [False, True, True]


def test_raw_is_for_all(project):
    assert [s.raw for s in project("x", "y", raw=True).services] == [True, True]


def test_success_and_hide_count_the_services_that_run(project):
    found = project("db", "web", files=FILE, success="!command-db", hide="db")
    assert found.success == SuccessCondition(SuccessKind.NOT_COMMAND, frozenset({1}))
    assert [(s.name, s.hidden) for s in found.services] == [("web", False), ("db", True)]


def test_watching(project, tmp_path):
    found = project("a=x", "b=y", watch=("b=.",), watch_ignore=("*.log",), watch_poll=True)
    assert [[rule.root for rule in s.watch] for s in found.services] == [[], [str(tmp_path)]]
    assert found.watch == WatchSettings(("*.log",), poll=True)


def test_the_rest_is_passed_on(project):
    found = project(
        "x",
        max_processes="2",
        prefix="index",
        timestamps=True,
        tty=False,
        quiet=True,
        level=ColorLevel.BASIC,
    )
    assert found.max_processes == 2
    assert found.output.prefix.style is PrefixStyle.INDEX
    assert found.output.prefix.timestamps
    assert (found.output.tty, found.output.quiet) == (False, True)
    assert found.output.color is ColorLevel.BASIC
    assert found.output.prefix.styles[0].open


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"kill_signal": "TREM"}, '--kill-signal "TREM": no such signal; did you mean "SIGTERM"?'),
        ({"stop_timeout": "10"}, '--stop-timeout "10": a unit is missing'),
        ({"kill_timeout": "soon"}, '--kill-timeout "soon": not a time'),
        ({"restart_tries": "1.5"}, '--restart-tries "1.5": not a whole number'),
        ({"restart_tries": "-2"}, '--restart-tries "-2": write -1 for as often as it takes'),
        ({"restart_after": "exponentially"}, '--restart-after "exponentially": not a time'),
        ({"max_processes": "0"}, '--max-processes "0": must be from 1'),
        ({"hide": "wbe"}, '--hide: no service "wbe"; did you mean "web"? There is only "web"'),
        ({"success": "command-2"}, '--success command-2: no service "2"; there is only "web"'),
        ({"prefix": "nam"}, '--prefix "nam": neither a style'),
        ({"prefix_colors": "blu"}, "--prefix-colors"),
        ({"watch": ("wob=x",)}, '--watch "wob=x": no service "wob"; did you mean "web"?'),
        ({"names": "a,b"}, '--names "a,b": 2 names for 1 command'),
    ],
)
def test_a_wrong_value_is_refused_with_its_flag(refusal, more, reason):
    assert refusal("web=x", **more).startswith(reason)


# -- any words ----------------------------------------------------------------------------------

NO_NUL = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
PIECE = st.sampled_from(["web", "x y", "=", ",", "1", "-", "%", "10s", "all", "command-", "{name}"])
TEXT = st.lists(PIECE, max_size=3).map("".join) | st.text(NO_NUL, max_size=8)
BY_TYPE = {
    "bool": st.booleans(),
    "bool | None": st.none() | st.booleans(),
    "str": st.sampled_from(["all", "first"]) | TEXT,
    "str | None": st.none() | TEXT,
    "tuple[str, ...]": st.lists(TEXT, max_size=3).map(tuple),
}
SETTINGS = st.fixed_dictionaries(
    {}, optional={field.name: BY_TYPE[str(field.type)] for field in fields(RunSettings)}
)


@given(SETTINGS, st.none() | TEXT)
def test_any_words_are_a_project_or_a_refusal(tmp_path_factory, said, port):
    environ = {} if port is None else {"PORT": port}
    cwd = str(tmp_path_factory.getbasetemp())
    settings = RunSettings(**said)
    try:
        found = resolve(settings, cwd=cwd, environ=environ, color_level=ColorLevel.TRUE)
    except UsageError:
        return
    assert isinstance(found, Resolution)
    services = found.project.services
    assert services
    assert [service.index for service in services] == list(range(len(services)))
    assert len(found.project.output.prefix.styles) == len(services)


# -- what it costs ------------------------------------------------------------------------------

_HEAVY = """\
import sys
sys.path.insert(0, sys.argv[1])
before = set(sys.modules)
from devrun.config.resolve import resolve
from devrun.config.settings import RunSettings
from devrun.config.environment import service_environment
from devrun.appearance import (ColorLevel)
settings = RunSettings(commands=("web=x y", "z"), kill_signal="INT", stop_timeout="5s")
environ = {"HOME": "/"}
found = resolve(settings, cwd=sys.argv[2], environ=environ, color_level=ColorLevel.BASIC)
service_environment(found.project, found.project.services[0], environ)
print(*{name.partition(".")[0] for name in set(sys.modules) - before})
"""


def test_a_plain_run_imports_nothing_heavy(tmp_path):
    (tmp_path / "package.json").write_text('{"name": "x"}')
    source = os.path.dirname(os.path.dirname(devrun.__file__))
    command = [sys.executable, "-I", "-S", "-c", _HEAVY, source, str(tmp_path)]
    loaded = set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    assert "devrun" in loaded
    heavy = {"trio", "typer", "dotenv", "difflib", "json", "tomllib", "datetime", "pathlib"}
    heavy |= {"tempfile", "logging", "shlex", "string", "typing", "io", "subprocess", "pathspec"}
    assert not loaded & heavy
