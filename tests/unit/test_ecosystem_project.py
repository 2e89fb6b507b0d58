"""Ecosystem files as services: what PM2 would do, or what the warnings say."""

from __future__ import annotations

import json
import os
from signal import SIGINT, SIGTERM

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devrun.config.ecosystem.attributes import attribute_names
from devrun.config.ecosystem.project import check_runnable, read_ecosystem
from devrun.config.values import usable_processors
from devrun.errors import UsageError
from devrun.model import (
    ExitStatus,
    RestartPolicy,
    RestartWhen,
    StopPolicy,
    StopScope,
    WatchRule,
    WatchSettings,
)
from devrun.policies import IpcGate, ListenGate, LogFile, MemoryLimit, Readiness

FILES = ("app.js", "server.mjs", "job.py", "run.sh", "tool.rb", "my dir/app.js")


@pytest.fixture
def project(tmp_path):
    """A folder with scripts, and with a PATH of its own: bash, node, python3, pnpm, npx."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    for name, text in (
        ("www", "#!/usr/bin/env node\n"),
        ("serve-all", "#!/bin/sh\n"),
        ("binary", "\x7fELF\0"),
        ("bare", "no first line"),
        *((f"path/{tool}", "#!/bin/sh\n") for tool in ("bash", "node", "python3", "pnpm")),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return tmp_path


@pytest.fixture
def read(project):
    def read(content, *, env_name=None, environ=None, path="ecosystem.json", cwd=None):
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(json.dumps(content))
        variables = {"PATH": str(project / "path"), **(environ or {})}
        folder = str(cwd or project)
        return read_ecosystem(path, cwd=folder, environ=variables, env_name=env_name)

    return read


@pytest.fixture
def one(read):
    """Read a file of a single app, and return its service and the warnings."""

    def one(env_name=None, environ=None, **attributes):
        content = {"apps": [{"name": "web", "script": "app.js", **attributes}]}
        found = read(content, env_name=env_name, environ=environ)
        (service,) = found.services
        before = 'ecosystem.json:1: app "web": '
        warnings = [w.removeprefix('ecosystem.json: app "web": ') for w in found.warnings]
        return service, [warning.removeprefix(before) for warning in warnings]

    return one


def refusal(act):
    with pytest.raises(UsageError) as caught:
        act()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# -- the shape of the file ------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [lambda a: {"apps": [a]}, lambda a: {"apps": a}, lambda a: [a]])
def test_apps_may_be_a_list_or_one_and_stand_in_a_key_or_alone(read, wrap):
    (service,) = read(wrap({"script": "app.js"})).services
    assert (service.name, service.process, service.index) == ("app", "app", 0)


def test_pm2_is_another_key_for_apps_and_an_app_may_be_the_whole_file(read):
    assert read({"pm2": [{"script": "app.js"}]}).services[0].name == "app"
    assert read({"script": "app.js", "deploy": {}}).services[0].name == "app"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, 'ecosystem.json: no apps in it; write { "apps": [{'),
        ({"apps": []}, "no apps in it"),
        ([], "no apps in it"),
        ("text", "app 1 is not an object"),
        ({"apps": ["app.js"]}, "ecosystem.json: app 1 is not an object with attributes"),
        ({"apps": [{"name": "x"}]}, 'ecosystem.json: app "x": no script; write what it is to run'),
        ([{"script": "app.js"}, {}], "ecosystem.json: app 2: no script"),
        ([{"script": "app.js", "name": ["x"]}], "app 1: its name is not a text"),
        ([{"script": "app.js", "name": "a\nb"}], "app 1: a control character in its name"),
    ],
)
def test_a_file_of_another_shape_is_refused(read, content, message):
    assert message in refusal(lambda: read(content))


def test_a_name_is_that_of_the_script_and_has_prefix_and_environment(read):
    names = [
        {"script": "./app.js"},
        {"script": "my dir/app.js", "name": "x", "name_prefix": "team"},
        {"script": "npm run start:all"},
        {"script": "app.js", "name": 7, "append_env_to_name": True},
    ]
    found = read(names, env_name="production")
    assert [s.name for s in found.services] == [
        "app",
        "team:x",
        "npm run start:all",
        "7-production",
    ]


def test_of_two_apps_of_one_name_the_second_has_a_number_and_the_user_is_told(read):
    found = read([{"script": "app.js"}, {"script": "app.js"}, {"script": "app.js"}])
    assert [service.name for service in found.services] == ["app", "app-2", "app-3"]
    assert found.warnings == (
        (
            'ecosystem.json: apps "app-2", "app-3": a further app named "app"; '
            "PM2 has them by one name"
        ),
    )


def test_each_app_has_the_line_of_its_name(project, read):
    text = """{"apps": [
        {"name": "web", "script": "app.js"},
        {"script": "job.py"},
        {"name": "api", "script": "app.js"}]}"""
    (project / "eco.json").write_text(text)
    found = read_ecosystem("eco.json", cwd=str(project), environ={}, env_name=None)
    assert found.places == {"web": "eco.json:2", "job": "eco.json", "api": "eco.json:4"}


def test_what_runs_on_demand_is_told(read):
    found = read(
        [
            {"script": "app.js", "name": "a"},
            {"script": "app.js", "name": "b", "autostart": False},
            {"script": "app.js", "name": "c"},
        ]
    )
    assert found.on_demand == {"b"}
    assert len(found.services) == 3


def test_deploy_and_what_is_pm2s_own_are_ignored_and_named_once(read):
    content = {
        "apps": [{"script": "app.js", "vizion": True}, {"script": "app.js", "vizion": False}],
        "deploy": {"production": {}},
        "static": [{"path": "public"}],
    }
    found = read(content)
    assert found.ignored == ("deploy", "static", "vizion")
    said = "ecosystem.json: about PM2 itself, and without effect: deploy, static, vizion"
    assert said in found.warnings
    assert all("effect" not in line for line in read({"apps": [{"script": "app.js"}]}).warnings)


def test_an_unknown_attribute_is_a_warning_with_the_nearest_one(one):
    assert one(max_restart=3, nonsense_attribute=1)[1] == [
        'there is no attribute "max_restart"; did you mean "max_restarts"?',
        'there is no attribute "nonsense_attribute"',
    ]


PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.text(alphabet="a\n\0\u2028\x1b", max_size=3),
    st.sampled_from(
        ["max", "app.js", "10s", "500M", "cluster", ".", "src/**", "../..", "a b", "~"]
    ),
)
VALUES = st.one_of(
    PLAIN,
    st.lists(PLAIN, max_size=3),
    st.dictionaries(st.text(max_size=4), PLAIN, max_size=3),
    st.lists(st.lists(PLAIN, max_size=1), max_size=1),
)
KEYS = st.sampled_from([*attribute_names(), "env_x", "nonsense"])


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300
)
@given(st.dictionaries(KEYS, VALUES, max_size=6), st.sampled_from([None, "x"]))
def test_whatever_stands_in_an_app_it_is_read_or_refused_in_one_line(read, app, env_name):
    said: tuple[str, ...] = ()
    try:
        found = read([{"script": "app.js", **app}], env_name=env_name)
    except UsageError as error:
        said = (str(error),)
    else:
        said = (*found.warnings, *found.problems.values())
    assert [line for line in said if "\n" in line or "Traceback" in line] == []


# -- the program ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributes", "argv", "command"),
    [
        ({"script": "app.js"}, ("node", "{}/app.js"), "node app.js"),
        ({"script": "./app.js"}, ("node", "{}/app.js"), "node ./app.js"),
        ({"script": "server.mjs"}, ("node", "{}/server.mjs"), "node server.mjs"),
        ({"script": "job.py"}, ("python3", "{}/job.py"), "python3 job.py"),
        ({"script": "run.sh"}, ("bash", "{}/run.sh"), "bash run.sh"),
        ({"script": "tool.rb"}, ("ruby", "{}/tool.rb"), "ruby tool.rb"),
        ({"script": "my dir/app.js"}, ("node", "{}/my dir/app.js"), "node 'my dir/app.js'"),
        ({"script": "pnpm", "args": "start:web"}, ("pnpm", "start:web"), "pnpm start:web"),
        ({"script": "www"}, ("node", "{}/www"), "node www"),
        ({"script": "bare"}, ("node", "{}/bare"), "node bare"),
        ({"script": "my dir"}, ("node", "{}/my dir"), "node 'my dir'"),
        (
            {"script": "serve-all", "args": ["-p", 80]},
            ("{}/serve-all", "-p", "80"),
            "serve-all -p 80",
        ),
        ({"script": "binary"}, ("{}/binary",), "binary"),
        ({"script": "app.js", "interpreter": "none"}, ("{}/app.js",), "app.js"),
        ({"script": "app.js", "interpreter": "tsx"}, ("tsx", "{}/app.js"), "tsx app.js"),
        (
            {"script": "job.py", "interpreter": "./venv/bin/python"},
            ("{}/venv/bin/python", "{}/job.py"),
            "./venv/bin/python job.py",
        ),
        (
            {
                "script": "app.js",
                "node_args": "--inspect --max-old-space-size=512",
                "args": ["a b"],
            },
            ("node", "--inspect", "--max-old-space-size=512", "{}/app.js", "a b"),
            "node --inspect --max-old-space-size=512 app.js 'a b'",
        ),
        (
            {"script": "app.js", "source_map_support": True},
            ("node", "--enable-source-maps", "{}/app.js"),
            "node --enable-source-maps app.js",
        ),
        (
            {"script": "npm start && echo $HOME"},
            ("bash", "-c", "npm start && echo $HOME"),
            "npm start && echo $HOME",
        ),
        ({"cmd": "app.js", "script": None}, ("node", "{}/app.js"), "node app.js"),
    ],
)
def test_a_script_is_run_by_what_its_extension_says_else_by_itself(
    one, project, attributes, argv, command
):
    service, _ = one(**attributes)
    assert service.argv == tuple(word.replace("{}", str(project)) for word in argv)
    assert (service.command, service.cwd) == (command, str(project))


@pytest.mark.parametrize(
    ("attributes", "problem"),
    [
        ({"script": "./missing.js"}, "no such script: {}/missing.js"),
        ({"script": "missing.js"}, "no such script: {}/missing.js"),
        ({"script": "yarn"}, 'no script "yarn" in {}, and no such program in PATH'),
        ({"script": "next"}, 'no program "next" in PATH; did you mean "node_modules/.bin/next"?'),
        ({"script": "serve"}, "PM2's own file server is not part of devrun; write script: \"npx"),
        ({"script": "app.tsx"}, 'to run app.tsx takes bun, or an exec_interpreter such as "tsx"'),
        ({"cwd": "nowhere"}, "cwd: there is no folder {}/nowhere"),
        (
            {"uid": "nobody-like-that"},
            'uid "nobody-like-that": services run as the user that starts',
        ),
        ({"gid": 4294967294}, 'gid "4294967294": services run as the user that starts'),
        ({"interpreter": "node@99"}, 'exec_interpreter "node@99": not there; install it with nvm'),
    ],
)
def test_what_cannot_be_run_is_a_problem_only_of_whoever_runs_it(
    read, project, attributes, problem
):
    (project / "node_modules/.bin").mkdir(parents=True)
    (project / "node_modules/.bin/next").write_text("")
    (project / "app.tsx").write_text("")
    found = read(
        [{"name": "a", "script": "app.js", **attributes}, {"name": "b", "script": "app.js"}]
    )
    check_runnable(found.problems, frozenset({"b"}))
    said = refusal(lambda: check_runnable(found.problems, frozenset({"a", "b"})))
    assert said.startswith('ecosystem.json:1: app "a": ' + problem.replace("{}", str(project)))


def test_the_user_devrun_runs_as_may_be_named(read):
    assert read([{"script": "app.js", "uid": os.getuid(), "gid": os.getgid()}]).problems == {}


def test_a_version_of_node_is_the_one_that_nvm_has(one, project):
    node = project / "nvm/versions/node/v18.1.0/bin/node"
    node.parent.mkdir(parents=True)
    node.write_text("")
    service, _ = one(interpreter="node@18.1.0", environ={"NVM_DIR": str(project / "nvm")})
    assert service.argv == (str(node), str(project / "app.js"))


def test_what_a_command_line_has_no_use_for_is_said(one):
    _, warnings = one(script="npm start", args="x", interpreter="node")
    assert warnings == [
        "args is not used: script is a whole command line, as in PM2",
        "exec_interpreter is not used: script is a whole command line, as in PM2",
    ]
    assert one(script="pnpm", node_args="--inspect")[1] == [
        "node_args are not used: pnpm is executed itself; set exec_interpreter"
    ]


# -- the folder -----------------------------------------------------------------------------------


def test_cwd_is_relative_to_the_file_and_the_user_is_told_if_pm2_differs(read, project):
    (project / "sub").mkdir()
    (project / "sub/main.js").write_text("")
    found = read([{"script": "main.js"}], path="sub/ecosystem.json")
    assert found.services[0].cwd == str(project / "sub")
    assert found.warnings == (
        (
            f'sub/ecosystem.json: app "main": its folder is {project}/sub; PM2, started here, '
            f"would take {project}"
        ),
    )


def test_the_current_folder_is_taken_where_the_script_is_only_there(read, project):
    found = read([{"script": "app.js"}], path="config/ecosystem.json")
    assert (found.services[0].cwd, found.problems) == (str(project), {})
    assert "where the script is, and not that of the file" in found.warnings[0]


def test_an_absolute_cwd_is_no_reason_for_a_warning(read, project):
    found = read([{"script": "app.js", "cwd": str(project)}], path="config/ecosystem.json")
    assert (found.services[0].cwd, found.warnings) == (str(project), ())


# -- variables ------------------------------------------------------------------------------------


def test_variables_are_texts_as_javascript_has_them(one):
    env = {"N": 3000, "F": 0.5, "T": True, "O": {"a": [1, None]}, "L": [], "NULL": None, "E": ""}
    service, warnings = one(env=env)
    assert dict(service.env) == {
        "N": "3000",
        "F": "0.5",
        "T": "true",
        "O": '{"a":[1,null]}',
        "L": "[]",
        "E": "",
        "NODE_APP_INSTANCE": "0",
    }
    assert warnings == ["env: NULL is null, and is left out"]


def test_env_is_below_port_below_deploy_below_the_named_environment(read):
    content = {
        "apps": [
            {
                "script": "app.js",
                "port": 3000,
                "env": {"A": "env", "B": "env", "C": "env", "PORT": "1"},
                "env_production": {"C": "production", "A": None},
            }
        ],
        "deploy": {"production": {"env": {"B": "deploy", "C": "deploy"}}},
    }
    with_name = dict(read(content, env_name="production").services[0].env)
    without = dict(read(content).services[0].env)
    assert with_name == {"B": "deploy", "C": "production", "PORT": "3000", "NODE_APP_INSTANCE": "0"}
    assert {k: without[k] for k in "ABC"} == {"A": "env", "B": "env", "C": "env"}


def test_a_misspelt_environment_is_an_error_if_the_file_has_any(read):
    apps = [{"script": "app.js", "env_production": {}, "env_staging": {}}, {"script": "job.py"}]
    assert refusal(lambda: read(apps, env_name="prodction")) == (
        '--env "prodction": no app of ecosystem.json has env_prodction; did you mean '
        '"env_production"? There are env_production, env_staging'
    )
    found = read(apps, env_name="staging")
    assert found.warnings == ('ecosystem.json: app "job": no env_staging',)


def test_an_environment_of_a_file_without_any_is_a_warning(one):
    assert one(env_name="production")[1] == ["no env_production"]


def test_a_variable_that_cannot_be_one_is_left_out(one):
    service, warnings = one(env={"A=B": "1", "": "2", "C": "a\0b"})
    assert dict(service.env) == {"NODE_APP_INSTANCE": "0"}
    assert len(warnings) == 3
    assert one(env="A=1")[1] == ["env is not an object with names and values, and is not used"]


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (["AWS", "TOKEN"], ["AWS_KEY", "MY_AWS", "TOKEN"]),
        ("TOKEN", ["TOKEN"]),
        ("TOK", []),
        (False, []),
    ],
)
def test_filter_env_takes_inherited_variables_away(one, project, given, names):
    environ = {"AWS_KEY": "1", "MY_AWS": "2", "TOKEN": "3", "KEPT_AWS": "4"}
    service, _ = one(filter_env=given, env={"KEPT_AWS": "5"}, environ=environ)
    program = ("node", str(project / "app.js"))
    without = ("env", *(word for name in names for word in ("-u", name)))
    assert service.argv == (without + program if names else program)
    assert service.command == "node app.js"


def test_filter_env_true_has_no_effect_and_that_is_said(one):
    assert one(filter_env=True)[1] == [
        "filter_env: true has no effect, as in PM2; write a list of parts of names"
    ]


# -- instances ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "count"),
    [
        (3, 3),
        ("2", 2),
        ("max", usable_processors()),
        (0, usable_processors()),
        (-1, max(1, usable_processors() - 1)),
        (-999, 1),
    ],
)
def test_instances_are_a_number_or_what_the_processors_allow(read, given, count):
    found = read([{"script": "app.js", "instances": given}])
    assert found.instances == {"app": count}


def test_instances_are_told_apart_by_variables(read):
    found = read(
        [
            {"script": "app.js", "instances": 2, "increment_var": "PORT", "env": {"PORT": 3000}},
            {"script": "job.py", "instance_var": "WHICH", "increment_var": "N", "env": {"N": "x"}},
        ]
    )
    app, job = found.services
    assert dict(found.instance(app, 1).env) == dict(app.env)
    second = found.instance(app, 2)
    assert dict(second.env) == {"PORT": "3001", "NODE_APP_INSTANCE": "1"}
    assert second.number == 2
    assert dict(found.instance(job, 3).env) == {"N": "2", "WHICH": "2"}


@pytest.mark.parametrize(
    ("attributes", "shares"),
    [
        ({}, False),
        ({"instances": 1}, True),
        ({"exec_mode": "cluster"}, True),
        ({"exec_mode": "cluster_mode"}, True),
        ({"exec_mode": "fork", "instances": 2}, False),
        ({"script": "job.py", "instances": 2}, False),
        ({"script": "pnpm", "exec_mode": "cluster"}, False),
    ],
)
def test_in_cluster_mode_a_node_program_shares_its_ports(one, attributes, shares):
    assert one(**attributes)[0].shares_ports is shares


def test_a_cluster_of_what_is_not_node_is_a_warning(one):
    assert one(script="pnpm", exec_mode="cluster", instances=2)[1] == [
        "exec_mode cluster is for scripts that Node runs; these instances share no port"
    ]


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"instances": "many"}, 'instances "many": not a whole number'),
        ({"instances": True}, 'instances "true": write a number or "max"'),
        ({"exec_mode": "clutser"}, 'exec_mode "clutser": write cluster or fork'),
        ({"port": 70000}, 'port "70000": must be from 0 to 65535'),
        ({"stop_exit_codes": [0, 256]}, 'stop_exit_codes "256": not an exit code from 0 to 255'),
        ({"stop_exit_codes": "SIGTERM"}, 'stop_exit_codes "SIGTERM": not an exit code'),
    ],
)
def test_a_wrong_value_is_an_error_with_file_and_line(one, attributes, message):
    said = refusal(lambda: one(**attributes))
    assert said.startswith(f'ecosystem.json:1: app "web": {message}')


# -- stop and restart -----------------------------------------------------------------------------


def test_an_app_is_stopped_and_restarted_with_pm2s_numbers(one):
    service, warnings = one()
    assert service.stop == StopPolicy(SIGINT, SIGINT, 1.6)
    assert service.restart == RestartPolicy(
        RestartWhen.ALWAYS, tries=16, delay=0.001, factor=10.0, cap=0.1, min_uptime=1.0
    )
    assert (service.ready, service.max_memory, service.log, service.watch) == (None, None, None, ())
    assert warnings == []


def test_how_an_app_is_stopped(one):
    service, warnings = one(kill_timeout=30000, shutdown_with_message=True, treekill=False)
    assert service.stop == StopPolicy(SIGINT, SIGINT, 30.0, message=True, scope=StopScope.MAIN)
    assert warnings == [
        "treekill: false: the main process alone gets the signal; what it leaves is killed"
    ]


def test_pm2s_variables_hold_for_all_apps(one):
    environ = {
        "PM2_KILL_SIGNAL": "SIGTERM",
        "PM2_KILL_TIMEOUT": "5000",
        "PM2_KILL_USE_MESSAGE": "1",
        "PM2_GRACEFUL_LISTEN_TIMEOUT": "9000",
        "PM2_PROCESS_INSTANCE_VAR": "WORKER",
    }
    service, _ = one(environ=environ, wait_ready=True, instance_var="X")
    assert service.stop == StopPolicy(SIGTERM, SIGTERM, 5.0, message=True)
    assert service.ready == Readiness(IpcGate(), timeout=9.0)
    assert dict(service.env) == {"WORKER": "0"}
    said = refusal(lambda: one(environ={"PM2_KILL_SIGNAL": "SIGTREM"}))
    assert said == 'PM2_KILL_SIGNAL "SIGTREM": no such signal; did you mean "SIGTERM"?'


def test_an_app_that_is_not_to_restart_does_not(one):
    assert one(autorestart=False)[0].restart == RestartPolicy(RestartWhen.NO)
    assert one(autorestart="false")[0].restart == RestartPolicy(RestartWhen.NO)


def test_backoff_grows_by_half_up_to_fifteen_seconds(one):
    restart = one(exp_backoff_restart_delay=100, max_restarts=10, min_uptime="10s")[0].restart
    assert restart == RestartPolicy(
        RestartWhen.ALWAYS,
        tries=10,
        delay=0.1,
        factor=1.5,
        cap=15.0,
        min_uptime=10.0,
        calm_delay=0.1,
    )


def test_restart_delay_is_before_every_restart_and_that_is_said(one):
    service, warnings = one(restart_delay=5000)
    assert service.restart.calm_delay == 5.0
    assert service.start_delay == 0.0
    assert warnings == ["restart_delay: 5 s before each restart; no first start waits for it"]


def test_exit_codes_that_stop_are_codes_and_never_signals(one):
    restart = one(stop_exit_codes=[0, "78"])[0].restart
    assert restart.no_restart_on == {ExitStatus(code=0), ExitStatus(code=78)}
    assert one(stop_exit_codes=1)[0].restart.no_restart_on == {ExitStatus(code=1)}


def test_ready_has_its_time_and_without_one_the_user_is_told_of_pm2s(one):
    assert one(wait_ready=True, listen_timeout=10000) == (
        one(wait_ready=True, listen_timeout=10000)[0],
        [],
    )
    service, warnings = one(wait_ready=True)
    assert service.ready == Readiness(IpcGate(), timeout=60.0)
    assert warnings == [
        (
            'wait_ready: if "ready" does not come within 60 s, the start has failed, '
            "where PM2 goes on after 3 s; listen_timeout sets the time"
        )
    ]
    assert one(listen_timeout=10000)[0].ready is None


def test_a_cluster_is_ready_when_it_listens_or_when_the_time_for_that_is_over(one):
    service, warnings = one(exec_mode="cluster", listen_timeout=5000)
    assert service.ready == Readiness(ListenGate(), timeout=5.0, continues=True)
    assert warnings == []
    waiting = one(exec_mode="cluster", listen_timeout=5000, wait_ready=True)[0]
    assert waiting.ready == Readiness(IpcGate(), timeout=5.0)


def test_memory_is_limited_and_what_is_not_there_yet_is_said(one):
    service, warnings = one(max_memory_restart="500M", cron_restart="0 3 * * *", pid_file="x.pid")
    assert service.max_memory == MemoryLimit(500 * 1024**2)
    assert warnings == [
        (
            'cron_restart "0 3 * * *" has no effect: devrun restarts nothing by the clock; '
            'have cron or a systemd timer run "devrun reload"'
        ),
        (
            "pid_file has no effect: devrun keeps the processes itself, and writes no such file; "
            "a command can: echo $$ > FILE; exec PROGRAM"
        ),
    ]
    assert one(cron_restart="0", pid_file="")[1] == []


# -- log files ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributes", "log"),
    [
        ({}, None),
        ({"out_file": "/dev/null", "error_file": "NULL"}, None),
        ({"out_file": "o.log", "disable_logs": True}, None),
        ({"log_file": "all.log"}, LogFile("{}/all.log")),
        ({"log": "all.log", "time": True}, LogFile("{}/all.log", timestamps=True)),
        ({"out_file": "logs/o.log", "error_file": "e.log"}, LogFile("{}/logs/o.log", "{}/e.log")),
        ({"out_file": "x.log", "error_file": "./x.log"}, LogFile("{}/x.log")),
        ({"out_file": "o.log"}, LogFile("{}/o.log", os.devnull)),
        ({"error_file": "e.log"}, LogFile(os.devnull, "{}/e.log")),
        ({"out": "o.log", "err": "e.log"}, LogFile("{}/o.log", "{}/e.log")),
        ({"out": "o.log", "log": "a.log"}, LogFile("{}/o.log", "{}/a.log")),
        ({"err": "e.log", "log": "a.log"}, LogFile("{}/a.log", "{}/e.log")),
        ({"out": "a.log", "log": "a.log"}, LogFile("{}/a.log")),
        ({"log_file": "a.log", "log_type": "json"}, LogFile("{}/a.log", json=True)),
        ({"log_file": "a.log", "instances": 2}, LogFile("{}/a-{instance}.log")),
        ({"log_file": "a.log", "instances": 2, "merge_logs": True}, LogFile("{}/a.log")),
        ({"log_file": "a.log", "instances": 1}, LogFile("{}/a.log")),
    ],
)
def test_output_goes_to_the_files_that_are_named_and_to_no_others(one, project, attributes, log):
    found = one(**attributes)[0].log
    if log is None:
        assert found is None
        return
    assert found.path == log.path.replace("{}", str(project))
    assert found.error_path == (log.error_path and log.error_path.replace("{}", str(project)))
    assert (found.json, found.timestamps) == (log.json, log.timestamps)


def test_times_in_log_files_have_the_format_that_is_said(one):
    service, warnings = one(log_file="a.log", log_date_format="YYYY-MM-DD HH:mm:ss Z")
    assert service.log.timestamps
    assert service.log.time_format == "%Y-%m-%d %H:%M:%S %z"
    assert warnings == ["log_date_format: Z gives an offset without colon (+0200)"]


def test_what_needs_a_file_that_is_not_named_is_said(one):
    assert one(time=True)[1] == ["time is for log files, and none is named here"]
    assert one(log_file=True)[1] == ["log_file: true is a file below ~/.pm2 in PM2; here name one"]
    assert one(log_file="a.log", out_file="o.log", error_file="e.log")[1] == [
        "log_file: out_file and error_file are written, the file for both together is not"
    ]
    assert one(log_file="a.log", out_file="o.log")[1] == [
        "log_file: gets stderr alone, because out_file has the rest; PM2 writes both there, too"
    ]
    assert one(log_file="a.log", error_file="e.log")[1] == [
        "log_file: gets stdout alone, because error_file has the rest; PM2 writes both there, too"
    ]
    assert one(log_file="a.log", out_file="a.log")[1] == []


# -- watching -------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [True, "true", ".", [], ["."]])
def test_watch_is_the_folder_of_the_app(one, project, given):
    assert [rule.root for rule in one(watch=given)[0].watch] == [str(project)]


def test_watched_paths_and_globs_are_relative_to_the_folder_of_the_app(one, project):
    (project / "a=b").mkdir()
    rules = one(watch=["my dir", "src/**/*.js", "a=b"])[0].watch
    assert rules == (
        WatchRule(str(project / "my dir"), None, "my dir"),
        WatchRule(str(project / "src"), "**/*.js", "src/**/*.js"),
        WatchRule(str(project / "a=b"), None, "a=b"),
    )


def test_a_folder_that_is_missing_is_a_warning(one):
    service, (warning,) = one(watch=["my dir", "no/such"])
    assert len(service.watch) == 1
    assert warning.startswith('watch "no/such": there is no folder ')
    assert warning.endswith("; it is not watched")


@pytest.mark.parametrize(
    ("given", "patterns"),
    [
        ("node_modules logs", ("/node_modules", "/logs")),
        (
            ["./tmp/", "**/*.log", "public/{a,b}/**"],
            ("/tmp", "**/*.log", "/public/a/**", "/public/b/**"),
        ),
        ([r"[\/\\]\.|node_modules"], (".*", "*node_modules*")),
        ([r"\.git$"], ("*.git",)),
        ([r"src\/gen"], ("**/*src/gen*",)),
    ],
)
def test_what_is_ignored_becomes_patterns_of_gitignore(read, given, patterns):
    found = read([{"script": "app.js", "watch": True, "ignore_watch": given}])
    assert found.watch.of("app").ignore == patterns
    assert found.warnings == ()


@pytest.mark.parametrize("given", ["../shared", r"a\.(b|c)+", "."])
def test_what_is_no_pattern_is_left_out_with_a_warning(one, given):
    assert one(watch=True, ignore_watch=[given])[1] == [
        f"ignore_watch: {given} cannot be written as a gitignore pattern; left out"
    ]


def test_patterns_are_relative_to_the_project_whatever_the_folder_of_the_app(read, project):
    (project / "web").mkdir()
    (project / "web/app.js").write_text("")
    found = read(
        [{"script": "app.js", "cwd": "web", "watch": True, "ignore_watch": ["gen", "**/x"]}]
    )
    assert found.watch.of("app").ignore == ("/web/gen", "/web/**/x")


def test_delay_and_options_of_watching_are_each_apps_own_but_for_polling(read):
    options = {
        "usePolling": True,
        "ignored": "tmp",
        "followSymlinks": False,
        "awaitWriteFinish": True,
    }
    found = read(
        [
            {"script": "app.js", "watch": True, "watch_delay": 1000, "watch_options": options},
            {"script": "job.py", "watch": True},
            {"script": "run.sh", "watch_delay": 9000},
        ]
    )
    own = WatchSettings(("/tmp",), poll=True, quiet=1.0, longest=2.0)
    assert found.watch == WatchSettings(poll=True, services=(("app", own),))
    assert found.warnings == (
        (
            'ecosystem.json: app "app": watch_options: no effect here: '
            "awaitWriteFinish, followSymlinks"
        ),
    )
