"""``devrun check`` for services of devrun.toml and of ecosystem files."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tomllib

import jsonschema
import pytest
from supervised import free_port, python, toml

from devrun.config.toml.schema import ProjectTable, ServiceTable
from devrun.config.toml.schema_json import schema


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def checked(devrun, *words, code=0, **more):
    run = devrun("check", *words, **more)
    assert run.wait() == code, run.text
    return run


def on_stdout(tmp_path, *words):
    """Return the exit code and stdout of a check, without what is said on stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "devrun", "check", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


FULL = """
    env_file = [".env"]
    shutdown_timeout = "60s"
    [defaults]
    restart = "on-failure"
    [services.db]
    command = "sleep 5"
    ready = { log = "up" }
    stop = { signal = "SIGINT", timeout = "30s", command = "true" }
    [services.web]
    command = ["sleep", "6"]
    depends_on = ["db"]
    ready = { http = "http://${SECRET}:${WEB_PORT:-3000}/health" }
    env = { TOKEN = "${SECRET}", MODE = "x" }
    max_memory = "500M"
    log = "logs/{name}.log"
    instances = 2
    group = "app"
    [services.docs]
    command = "true"
    profiles = ["full"]
    [services.old]
    command = "true"
    disabled = true
    [groups.app]
    strategy = "one_for_all"
    services = ["db"]
"""


@pytest.fixture
def full(tmp_path):
    (tmp_path / ".env").write_text("SECRET=very.secret.example\n")
    return toml(tmp_path, FULL)


# -- the project, in every format ---------------------------------------------------------------


def test_everything_of_a_service_is_told_in_words(devrun, full):
    run = checked(devrun)
    for line in (
        "  services     2 (3 instances), from devrun.toml",
        "  not run      docs (profile full), old (disabled)",
        "  group        app: one_for_all of db, web",
        "  defined  devrun.toml:6",
        "  ready    /up/ is found in a line of its output within 60 s, else that is a failure",
        "  stop     `true`, then SIGINT, SIGKILL after 30 s",
        "  depends_on  db ready",
        "  memory      restart above 500M, with all below it",
        "  instances   2: web.1, web.2",
        "  log         logs/web.log",
    ):
        assert line in run.lines
    said = "on failure: at once; after runs below 1 s in 100 ms, 200 ms … 30 s (±20 %), failed"
    assert run.count(f"{said} after 16 in a row") == 2


def test_a_profile_that_is_asked_for_is_part_of_it(devrun, full):
    run = checked(devrun, "--profile", "full")
    assert "[docs]" in run.lines
    assert "  not run      old (disabled)" in run.lines


def test_origins_are_shown_if_asked_for(devrun, full):
    run = checked(devrun, "--origins", "--stop-timeout", "4s", "--formation", "web=3")
    for line in (
        "  kill others  never  # default",
        "  env files    .env  # env_file: devrun.toml:2",
        "  command  sleep 5  # devrun.toml:7",
        "  stop     `true`, then SIGINT, SIGKILL after 4 s  # devrun.toml:9, command line",
        "  stop        SIGTERM, SIGKILL after 4 s  # command line",
        "  instances   3: web.1, web.2, web.3  # instances: command line",
        "  depends_on  db ready  # devrun.toml:12",
        "  memory      restart above 500M, with all below it  # devrun.toml:15",
    ):
        assert line in run.lines


def test_json_has_everything_and_the_origin_of_each_value(tmp_path, full):
    words = ("--format", "json", "-f", "devrun.toml", "--success", "first", "x=true")
    code, text = on_stdout(tmp_path, *words)
    assert code == 0
    found = json.loads(text)
    assert found["version"] == 1
    assert found["not_run"] == [
        {"service": "docs", "reason": "profile full"},
        {"service": "old", "reason": "disabled"},
    ]
    assert [each["name"] for each in found["instances"]] == ["db", "web.1", "web.2", "x"]
    web, origins = (found[key]["services"]["web"] for key in ("project", "origins"))
    assert web["max_memory"] == {"size": "500M", "action": "restart"}
    assert origins["max_memory"] == {"size": "devrun.toml:15", "action": "default"}
    assert web["depends_on"]["db"]["condition"] == "ready"
    assert origins["depends_on"]["db"] == {
        "condition": "devrun.toml:12",
        "on_restart": "default",
        "required": "default",
    }
    assert origins["restart"] == "devrun.toml:5"
    assert origins["backoff"]["initial"] == "default"
    assert found["project"]["success"] == "first"
    assert found["origins"]["success"] == "command line"
    extra = found["origins"]["services"]["x"]
    assert (extra["command"], extra["restart"]) == ("command line", "default")
    assert found["problems"] == []


def test_the_shape_of_the_origins_is_that_of_the_project(tmp_path, full):
    _, text = on_stdout(tmp_path, "--format", "json")
    found = json.loads(text)

    def same(values, origins, path):
        if isinstance(values, dict) and values:
            assert values.keys() == origins.keys(), path
            for key, value in values.items():
                same(value, origins[key], (*path, key))
        else:
            assert isinstance(origins, str), path

    same(found["project"], found["origins"], ())


def test_every_key_of_a_service_is_in_the_json(tmp_path, full):
    _, text = on_stdout(tmp_path, "--format", "json")
    keys = schema()["$defs"]["service"]["properties"].keys()
    # What is not the service's any more once the project stands.
    assert keys - json.loads(text)["project"]["services"]["web"].keys() == {
        "disabled",
        "group",
        "profiles",
    }


def test_toml_reads_back_as_the_same(tmp_path, full):
    _, text = on_stdout(tmp_path, "--format", "toml", "--show-values", "--origins")
    jsonschema.Draft202012Validator(schema()).validate(tomllib.loads(text))
    assert 'restart = "on-failure"  # devrun.toml:5' in text
    (tmp_path / "again.toml").write_text(text)
    _, again = on_stdout(tmp_path, "-f", "again.toml", "--format", "toml", "--show-values")
    assert tomllib.loads(again) == tomllib.loads(text)


@pytest.mark.parametrize("style", ["text", "toml", "json"])
def test_values_of_variables_are_masked_unless_asked_for(devrun, full, style):
    words = ("--format", style, "--origins")
    assert "very.secret" not in checked(devrun, *words).text
    assert "********" in checked(devrun, *words).text
    run = checked(devrun, *words, "--show-values")
    assert "http://very.secret.example:3000/health" in run.text
    assert "********" not in run.text


def test_variables_that_set_options_are_the_origin(tmp_path, full, devrun):
    run = checked(devrun, "--origins", env_added={"DEVRUN_STOP_TIMEOUT": "7s"})
    assert "  stop        SIGTERM, SIGKILL after 7 s  # environment" in run.lines
    run = checked(devrun, "--origins", "-k", env_added={"DEVRUN_STOP_TIMEOUT": "7s"})
    assert "  stop        SIGTERM, SIGKILL after 7 s  # environment" in run.lines
    assert "  kill others  always  # command line" in run.lines


def test_later_files_are_the_origin_of_what_they_say(devrun, tmp_path):
    toml(tmp_path, '[services.a]\ncommand = "true"\nrestart = "always"\n', "one.toml")
    toml(tmp_path, '[services.a]\ncommand = "sleep 1"\n', "two.toml")
    run = checked(devrun, "-f", "one.toml", "-f", "two.toml", "--origins")
    assert "  command  sleep 1  # two.toml:2" in run.lines
    assert any(line.startswith("  restart  always") and "one.toml:3" in line for line in run.lines)


def test_the_schema_needs_no_project(devrun, tmp_path):
    run = checked(devrun, "--schema")
    assert json.loads(run.text) == schema()


def test_dry_run_tells_the_same_of_services(devrun, full):
    shown = devrun("--dry-run")
    assert shown.wait() == 0
    assert shown.text == checked(devrun).text


# -- problems -----------------------------------------------------------------------------------


def problems(devrun, tmp_path, text, *words, code=1):
    toml(tmp_path, text)
    run = checked(devrun, *words, code=code)
    return [line.removeprefix("devrun: ") for line in run.lines if line.startswith("devrun: ")]


def test_programs_of_probes_and_stops_are_looked_for(devrun, tmp_path):
    found = problems(
        devrun,
        tmp_path,
        """
        teardown = "no-such-5 down"
        [services.a]
        command = ["no-such-1"]
        ready = { exec = "no-such-2 x" }
        health = { exec = ["no-such-3", "y"] }
        stop = { command = "cd . && no-such-4" }
        """,
    )
    missing = 'no such program: "no-such-{}" is in no folder of PATH'
    assert found == [
        f"a: {missing.format(1)}",
        f"a: ready: {missing.format(2)}",
        f"a: health: {missing.format(3)}",
        f"a: stop: {missing.format(4)}",
        f"teardown: {missing.format(5)}",
    ]


def test_folders_variables_and_log_files_are_looked_at(devrun, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    found = problems(
        devrun,
        tmp_path,
        """
        [services.a]
        command = "true"
        cwd = "gone"
        [services.b]
        command = "true"
        env_file = "gone.env"
        [services.c]
        command = "true"
        log = { file = "folder", error_file = "file/err.log" }
        [services.d]
        command = "true"
        log = "new/folders/d.log"
        """,
    )
    assert found == [
        f"a: no such folder: {tmp_path}/gone",
        "b: gone.env: no such file",
        f"c: log: {tmp_path}/folder is a folder; name a file in it",
        f"c: log: {tmp_path}/file/err.log cannot be made: {tmp_path}/file is no folder",
    ]
    assert not (tmp_path / "new").exists()


def test_ports_that_are_taken_are_told_with_who_has_them(devrun, tmp_path, listening):
    found = problems(
        devrun,
        tmp_path,
        f"""
        [services.a]
        command = "true"
        port = {listening}
        """,
    )
    assert len(found) == 1
    assert found[0].startswith(f"a: port {listening} is taken by ")
    held = f'[services.a]\ncommand = "true"\nsockets = ["tcp:127.0.0.1:{listening}"]\n'
    (found,) = problems(devrun, tmp_path, held)
    assert found.startswith(f"a: cannot listen on 127.0.0.1:{listening}: the port is used by ")
    gate = f'[services.a]\ncommand = "true"\nready = {{ port = {listening} }}\n'
    (found,) = problems(devrun, tmp_path, gate)
    assert found.startswith(f"a: port {listening} is taken by ")


def test_a_port_that_another_run_has_is_named_as_such(devrun, tmp_path):
    port = free_port()
    server = "s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); print('up', flush=True)"
    text = f"[services.a]\ncommand = {python(server + '; signal.pause()', port)}\nport = {port}\n"
    toml(tmp_path, text)
    holder = devrun()
    holder.wait_for("up")
    run = checked(devrun, code=1)
    assert "started by another devrun (pid " in run.text


def test_a_port_that_two_want_is_told(devrun, tmp_path):
    port = free_port()
    found = problems(
        devrun,
        tmp_path,
        f"""
        [services.a]
        command = "true"
        ready = {{ port = {port} }}
        [services.b]
        command = "true"
        ready = {{ port = {port} }}
        """,
    )
    assert found == [f"b: port {port} is that of a too"]


def test_instances_may_share_a_held_port(devrun, tmp_path):
    port = free_port()
    found = problems(
        devrun,
        tmp_path,
        f"""
        [services.a]
        command = "true"
        sockets = ["tcp:{port}"]
        ready = {{ port = {port} }}
        instances = 2
        """,
        code=0,
    )
    assert found == []


def test_unix_sockets_are_looked_at_and_left_alone(devrun, tmp_path):
    stale, live = tmp_path / "stale", tmp_path / "live"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(stale))
    (tmp_path / "file").touch()
    text = """
        [services.{0}]
        command = "true"
        sockets = ["unix:{0}"]
        """
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(live))
        server.listen()
        names = ("stale", "live", "file", "new")
        found = problems(devrun, tmp_path, "".join(map(text.format, names)))
    refused = f'cannot listen on "{tmp_path}'
    assert found == [
        f'live: {refused}/live": another program listens on it',
        f'file: {refused}/file": the file exists and is no socket',
    ]
    assert stale.exists()
    assert not (tmp_path / "new").exists()


def test_what_is_left_out_by_hand_is_not_waited_for(devrun, full):
    run = checked(devrun, "--only", "web")
    assert "  not run      db (--only), docs (profile full), old (disabled)" in run.lines
    assert "depends_on" not in run.text
    run = checked(devrun, "--except", "web")
    assert "  not run      web (--except), docs (profile full), old (disabled)" in run.lines


def test_what_is_waited_for_and_not_run_is_told_once(devrun, tmp_path):
    (tmp_path / "devrun.toml").write_text("""
        [services.db]
        command = "sleep 1"
        disabled = true
        [services.web]
        command = "sleep 1"
        depends_on = ["db"]
        instances = 2
    """)
    run = checked(devrun, code=1)
    assert run.count("web: waits for db, which is not run (disabled), so that it will not") == 1
    assert run.count("will not start") == 1


def test_a_file_of_variables_that_is_missing_hides_no_other_problem(devrun, tmp_path):
    text = 'env_file = [".env.nosuch"]\n[services.a]\ncommand = "nosuch-program"\n'
    found = problems(devrun, tmp_path, text)
    assert found[0] == ".env.nosuch: no such file"
    assert found[1].startswith("a: ")
    assert "nosuch-program" in found[1]


def test_all_mistakes_of_a_file_are_told_at_once(devrun, tmp_path):
    (tmp_path / "devrun.toml").write_text("""
        [services.a]
        comand = "x"
        [services.b]
        command = "x"
        port = 0
        [services.c]
        command = "${NOSUCH}"
        cwd = "${NOSUCH}"
    """)
    run = checked(devrun, code=2)
    unset = '"${NOSUCH}": the variable NOSUCH is not set; set it, or write ${NOSUCH:-default}'
    assert [line for line in run.lines if line.startswith("devrun:")] == [
        'devrun: devrun.toml:3: services.a: unknown key "comand"; did you mean "command"?',
        f"devrun: devrun.toml:9: services.c: cwd {unset}",
    ]


def test_what_holds_for_watching_is_shown(devrun, tmp_path):
    (tmp_path / "devrun.toml").write_text("""
        [services.a]
        command = "true"
        watch = { paths = ["."], ignore = ["*.md"], debounce = "200ms" }
    """)
    run = checked(devrun)
    assert "  watch    .; not *.md; after 200 ms of quiet" in run.lines


def test_a_stop_that_takes_longer_than_all_may_is_a_doubt(devrun, tmp_path):
    text = 'shutdown_timeout = "5s"\n[services.a]\ncommand = "true"\nstop = { timeout = "6s" }\n'
    found = problems(devrun, tmp_path, text, code=0)
    assert found == ["a: may take 6 s to stop, but shutdown_timeout ends all after 5 s"]


@pytest.mark.parametrize(("version", "code"), [("v19.1.0", 1), ("v20.0.1", 0), ("what?", 1)])
def test_node_has_to_be_one_whose_ports_can_be_shared(devrun, tmp_path, version, code):
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\necho '{version}'\n")
    node.chmod(0o755)
    text = '[services.a]\ncommand = "./node x.js"\ncluster = true\ninstances = 2\n'
    found = problems(devrun, tmp_path, text, code=code)
    assert len(found) == code
    assert all("ports are shared with Node 18, 20" in line for line in found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('a = { command = "x", depends_on = ["b"] }\nb = { command = "x", depends_on = ["a"] }',
         "a circle: a -> b -> a"),
        ('a = { command = "x", depends_on = ["bb"] }\nbc = "x"', 'no service "bb"'),
        ('a = { command = "x", comand = "y" }', 'did you mean "command"?'),
        ('a = { command = "x", port = 80 }\nb = { command = "y", port = 80 }', "that of"),
        ('a = { command = "x", ready = { log = "(" } }', "not a regular expression"),
        ('a = { command = "x", limits = { nofiel = 1 } }', 'did you mean "nofile"?'),
    ],
)  # fmt: skip
def test_what_a_file_cannot_say_is_a_usage_error(devrun, tmp_path, text, message):
    toml(tmp_path, f"[services]\n{text}\n")
    run = checked(devrun, code=2)
    assert message in run.text
    assert "devrun.toml:" in run.text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--shcema"], 'no such option: --shcema; did you mean "--schema"?'),
        (["--profile", "ful"], '--profile "ful": no such profile; did you mean "full"?'),
        (["--env", "wbe"], '--env wbe: no service of that name; did you mean "web"?'),
        (["--env", "web", "--env", "db"], "the variables of web are asked for already"),
        (["--env", "web", "--format", "json"], "--format json and --env web contradict"),
        (["--format", "yaml"], "--format yaml: no such format"),
        (["--max-processes", "x"], '--max-processes "x"'),
    ],
)
def test_wrong_words_are_usage_errors(devrun, full, words, message):
    assert message in checked(devrun, *words, code=2).text


def test_a_variable_that_sets_an_option_wrongly_is_named(devrun, full):
    run = checked(devrun, code=2, env_added={"DEVRUN_MAX_PROCESSES": "x"})
    assert 'devrun: DEVRUN_MAX_PROCESSES "x": not a whole number' in run.text


def test_variables_of_a_service_with_instances(devrun, full):
    run = checked(devrun, "--env", "web", "--show-values", "--env", "MODE=y")
    assert any(line.split() == ["MODE", "service", "y"] for line in run.lines)


# -- ecosystem files ----------------------------------------------------------------------------

ECOSYSTEM = """
module.exports = { apps: [
  { name: "api", script: "sleep", args: "5", interpreter: "none",
    env_production: { NODE_ENV: "production" }, max_memory_restart: "300M" },
  { name: "later", script: "sleep", args: "6", interpreter: "none", autostart: false,
    env_production: {} },
] }
"""


def test_apps_of_an_ecosystem_file(devrun, tmp_path):
    (tmp_path / "ecosystem.config.js").write_text(ECOSYSTEM)
    run = checked(devrun, "-f", "ecosystem.config.js", "--env", "production", "--origins")
    assert "  not run      later (only runs if it is named)" in run.lines
    assert any(line.startswith("  memory     restart above 300M") for line in run.lines)
    assert "  variables  NODE_ENV" in "".join(run.lines)
    assert "  # ecosystem.config.js:" in run.text
    words = ("-f", "ecosystem.config.js", "--env", "production", "--env", "api", "--show-values")
    run = checked(devrun, *words)
    assert any(line.split() == ["NODE_ENV", "service", "production"] for line in run.lines)


# -- what it costs ------------------------------------------------------------------------------


def test_the_schema_is_printed_without_what_it_does_not_need(tmp_path):
    """Typer, msgspec and trio alone take longer than all the rest."""
    code = (
        "import sys; from devrun.cli.check.command import check; check(['--schema'], {}); "
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert json.loads(done.stdout)
    assert loaded.isdisjoint(
        {"typer", "msgspec", "trio", "json", "subprocess", "socket", "devrun.config.resolve"}
    )


# -- back and forth -----------------------------------------------------------------------------

RICH = """
    env_file = [".env"]
    env_override = true
    on_exit = "stop-on-failure"
    success = "command-web"
    max_processes = 6
    teardown = { commands = ["true"], timeout = "5s" }
    shutdown_timeout = "45s"
    watch_ignore = ["dist/", "*.log"]
    prefix = "[{time} {name}]"
    timestamps = "HH:mm:ss 'h'"
    [defaults]
    restart = "on-failure"
    [services.db]
    command = "exec postgres -p 5432 # $${HOME}"
    color = "bold.#ff8800"
    ready = { port = 5432, timeout = "90s" }
    health = { exec = ["pg_isready", "-p", "5432"], interval = "30s", retries = 5 }
    stop = { signal = "SIGINT", timeout = "30s", command = "pg_ctl stop" }
    limits = { nofile = [1024, 4096], core = 0 }
    nice = 5
    [services.migrate]
    command = ["true"]
    restart = "no"
    depends_on = { db = { condition = "healthy", required = false } }
    [services.web]
    command = "exec sleep 7"
    cwd = "app"
    env = { TOKEN = "${SECRET}", PRICE = "$$5" }
    env_file = "app/.env"
    depends_on = { db = { condition = "ready", on_restart = "restart" }, migrate = "completed" }
    ready = { http = "http://127.0.0.1:3000/health", status = ["200-299", 404], body = "ok" }
    start_delay = "1500ms"
    restart = "always"
    restart_on = [3, "SIGHUP"]
    no_restart_on = [7]
    backoff = { initial = "1s", factor = 1.5, max = "15s", jitter = 0 }
    max_restarts = 3
    min_uptime = "20s"
    restart_delay = "2s"
    restart_limit = "5/60s"
    max_memory = { size = "500M", action = "reload" }
    instances = 2
    sockets = { http = "tcp:127.0.0.1:3000", admin = "unix:run/admin.sock" }
    watch = { paths = ["app/**/*.ts", "app"], ignore = ["*.test.ts"], debounce = "200ms" }
    log = { file = "logs/{name}-{instance}.log", error_file = "logs/web.err", max_size = "50M", \
keep = ["14d", 30], compress = true, time_format = "%H:%M" }
    tty = false
    [services.job]
    command = "true"
    on_exit = "ignore"
    hidden = true
    watch = true
    tty = true
    [groups.app]
    strategy = "rest_for_one"
    services = ["db", "web"]
"""


def test_what_is_written_as_toml_is_the_same_project(tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app/.env").write_text("A=b\n")
    (tmp_path / ".env").write_text("SECRET=very.secret.example\n")
    toml(tmp_path, RICH)
    _, text = on_stdout(tmp_path, "--format", "toml", "--show-values")
    (tmp_path / "again.toml").write_text(text)
    both = [
        json.loads(on_stdout(tmp_path, "-f", name, "--format", "json", "--show-values")[1])
        for name in ("devrun.toml", "again.toml")
    ]
    assert both[0]["project"] == both[1]["project"]
    assert both[0]["instances"] == both[1]["instances"]
    assert both[0]["project"]["shutdown_timeout"] == "45s"
    assert both[0]["project"]["services"]["db"]["color"] == "bold.#ff8800"
    _, again = on_stdout(tmp_path, "-f", "again.toml", "--format", "toml", "--show-values")
    assert again == text


def test_every_key_of_a_service_and_a_project_is_written(tmp_path):
    toml(tmp_path, RICH)
    (tmp_path / "app").mkdir()
    (tmp_path / "app/.env").write_text("A=b\n")
    (tmp_path / ".env").write_text("SECRET=very.secret.example\n")
    written = tomllib.loads(on_stdout(tmp_path, "--format", "toml")[1])
    services = {key for table in written["services"].values() for key in table}
    # The shell is the default one; these are about what becomes part of the project, and resolved.
    resolved = {"profiles", "disabled", "group"}
    others = {"shell", "port", "cluster", "raw"}
    assert services == set(ServiceTable.__struct_fields__) - resolved - others
    assert set(written) == set(ProjectTable.__struct_fields__) - {"defaults"}


# -- ecosystem files are programs ---------------------------------------------------------------

COUNTED = """
    const { appendFileSync } = require('fs');
    appendFileSync('read.txt', 'x');
    module.exports = {
      apps: [{ name: 'web', script: 'sleep', args: '60', interpreter: 'none',
               env: { A: '1' }, env_production: { A: '2' } }],
    };
"""


@pytest.mark.parametrize(
    "words",
    [
        ["check"],
        ["check", "--format", "json"],
        ["check", "--origins", "--stop-timeout", "4s"],
        ["check", "--env", "web"],
        ["check", "--env", "production", "--origins"],
        ["--dry-run"],
        ["--dry-run", "--env", "production"],
    ],
)
def test_an_ecosystem_file_is_run_once(devrun, tmp_path, words):
    toml(tmp_path, COUNTED, "ecosystem.config.js")
    run = devrun(*words, "-f", "ecosystem.config.js", "--kill-others")
    assert run.wait() == 0, run.text
    assert (tmp_path / "read.txt").read_text() == "x"
