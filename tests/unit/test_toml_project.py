"""What devrun.toml says, and what comes of it."""

from __future__ import annotations

import signal
from dataclasses import replace
from math import inf

import pytest

from devrun.appearance import ColorLevel
from devrun.config.resolve import resolve
from devrun.config.settings import RunSettings
from devrun.config.toml.ending import SUPERVISED
from devrun.config.toml.project import DEFAULT, read_project
from devrun.config.values import usable_processors
from devrun.errors import UsageError
from devrun.model import (
    ExitStatus,
    KillOthers,
    RestartPolicy,
    RestartWhen,
    StopPolicy,
    StopScope,
    SuccessCondition,
    SuccessKind,
    WatchRule,
    WatchSettings,
)
from devrun.policies import (
    Condition,
    DelayGate,
    Dependency,
    ExecProbe,
    FileProbe,
    Group,
    HealthCheck,
    HeldSocket,
    HttpProbe,
    IpcGate,
    LogFile,
    LogGate,
    MemoryLimit,
    NotifyGate,
    OnLimit,
    OnRestart,
    PortProbe,
    ProcessLimits,
    Readiness,
    Strategy,
)


@pytest.fixture
def project(tmp_path):
    """Read a text as devrun.toml, or several as files that are merged."""

    def read(*texts, profiles=(), environ=None, **more):
        files = []
        for place, text in enumerate(texts):
            files.append("devrun.toml" if not place else f"devrun.{place}.toml")
            (tmp_path / files[-1]).write_text(text)
        environ = {"PATH": "/usr/bin:/bin", **(environ or {})}
        chosen = frozenset(profiles)
        return read_project(files, cwd=str(tmp_path), environ=environ, profiles=chosen, **more)

    return read


@pytest.fixture
def resolved(tmp_path):
    """Read a text as devrun.toml, and return the project that is run."""

    def read(text):
        (tmp_path / "devrun.toml").write_text(text)
        return resolve(
            RunSettings(files=("devrun.toml",)),
            cwd=str(tmp_path),
            environ={"PATH": "/usr/bin:/bin"},
            color_level=ColorLevel.NONE,
        ).project

    return read


@pytest.fixture
def service(project):
    """Read what a text says of the service web."""

    def read(text, **more):
        found = project(f"[services.web]\ncommand = 'x'\n{text}", **more)
        return next(each for each in found.services if each.name == "web")

    return read


def test_the_example_of_the_manual(project, tmp_path):
    (tmp_path / "apps/web/server").mkdir(parents=True)
    found = project(
        """
        env_file = [".env"]
        [services.db]
        command = "docker compose up postgres"
        ready = { port = 5432, timeout = "60s" }
        stop = { signal = "SIGINT", timeout = "30s", command = "docker compose down" }
        health = { exec = "docker compose exec -T postgres pg_isready", interval = "30s" }
        [services.migrate]
        command = "pnpm migrate"
        [services.web]
        command = "pnpm dev:web"
        cwd = "apps/web"
        color = "blue"
        env = { NODE_ENV = "development" }
        depends_on = { db = "ready", migrate = "completed" }
        ready = { http = "http://localhost:3000/health" }
        start_delay = "5s"
        watch = { paths = ["apps/web/server/**/*.ts"], ignore = ["**/*.test.ts"] }
        restart = "on-failure"
        backoff = { initial = "100ms", factor = 2, max = "30s", jitter = 0.2 }
        max_restarts = 16
        min_uptime = "1s"
        max_memory = "500M"
        instances = 2
        sockets = ["tcp:3000"]
        log = { file = "logs/web.log", max_size = "50M", keep = "14d", compress = true }
        tty = "auto"
        """
    )
    db, migrate, web = found.services
    assert [each.index for each in found.services] == [0, 1, 2]
    assert db.ready == Readiness(PortProbe(5432), 60.0)
    assert db.stop == StopPolicy(2, 2, 30.0, "docker compose down")
    assert db.health == HealthCheck(
        ExecProbe("docker compose exec -T postgres pg_isready"), interval=30.0
    )
    assert db.restart == migrate.restart == RestartPolicy()
    assert web.process == "web"
    assert web.cwd == str(tmp_path / "apps/web")
    assert web.env == (("NODE_ENV", "development"),)
    assert web.depends_on == (
        Dependency("db", Condition.READY),
        Dependency("migrate", Condition.COMPLETED),
    )
    assert web.ready == Readiness(HttpProbe("http://localhost:3000/health"))
    assert web.start_delay == 5.0
    server = str(tmp_path / "apps/web/server")
    assert web.watch == (WatchRule(server, "**/*.ts", "apps/web/server/**/*.ts"),)
    assert web.restart == SUPERVISED
    assert web.max_memory == MemoryLimit(500 * 1024**2)
    assert web.sockets == (HeldSocket("web", "", 3000),)
    log = LogFile(str(tmp_path / "logs/web.log"), None, 50 * 1024**2, 14 * 86400.0, compress=True)
    assert web.log == log
    assert web.tty is None
    assert found.colors == {"web": "blue"}
    assert found.instances == {"db": 1, "migrate": 1, "web": 2}
    assert found.env_files == (str(tmp_path / ".env"),)
    assert found.watch.ignore == ()
    assert found.watch.of("web").ignore == ("**/*.test.ts",)
    assert found.warnings == ()


def test_a_text_is_a_service_with_that_command(project):
    (lint,) = project("[services]\nlint = 'pnpm lint'").services
    assert (lint.name, lint.command) == ("lint", "pnpm lint")


def test_a_list_is_a_program_and_its_arguments(project):
    (web,) = project("[services.web]\ncommand = ['node', 'my server.js']").services
    assert web.argv == ("node", "my server.js")
    assert web.command == "node 'my server.js'"


def test_variables_may_be_numbers_and_truths(service):
    found = service("env = { A = 1, B = 1.5, C = true, D = '' }")
    assert found.env == (("A", "1"), ("B", "1.5"), ("C", "true"), ("D", ""))


@pytest.mark.parametrize(
    ("text", "gate"),
    [
        ("port = '127.0.0.1:80'", PortProbe(80, "127.0.0.1")),
        ("port = '[::1]:80'", PortProbe(80, "::1")),
        ("http = 'https://x/y', status = 204", HttpProbe("https://x/y", ((204, 204),))),
        (
            "http = 'http://x', status = [200, '300-399'], body = 'ok'",
            HttpProbe("http://x", ((200, 200), (300, 399)), "ok"),
        ),
        ("exec = ['pg_isready', '-q']", ExecProbe(("pg_isready", "-q"))),
        ("log = 'listening on \\d+$'", LogGate(r"listening on \d+$")),
        ("notify = true", NotifyGate()),
        ("ipc = true", IpcGate()),
        ("delay = '2s'", DelayGate(2.0)),
    ],
)
def test_every_gate(service, text, gate):
    assert service(f"ready = {{ {text} }}").ready == Readiness(gate)


def test_a_gate_that_is_a_file_is_relative_to_the_devrun_toml(service, tmp_path):
    found = service("cwd = 'apps'\nready = { file = 'tmp/ready' }")
    assert found.ready == Readiness(FileProbe(str(tmp_path / "tmp/ready")))


def test_the_end_of_a_ready_timeout_may_be_a_warning(service):
    found = service("ready = { port = 1, timeout = '3s', on_timeout = 'continue' }")
    assert found.ready == Readiness(PortProbe(1), 3.0, continues=True)


def test_a_long_delay_is_no_timeout(service):
    assert service("ready = { delay = '2m' }").ready == Readiness(DelayGate(120.0), 180.0)


def test_what_health_asks(service):
    found = service(
        "health = { port = 1, interval = '1s', timeout = '2s', retries = 5, start_period = '3s' }"
    )
    assert found.health == HealthCheck(PortProbe(1), 1.0, 2.0, 5, 3.0)


# -- dependencies -------------------------------------------------------------------------------

DB = "[services.db]\ncommand = 'x'\n"


@pytest.mark.parametrize(
    ("db", "condition"),
    [("", Condition.STARTED), ("ready = { port = 1 }", Condition.READY)],
)
def test_a_list_waits_for_what_there_is_to_wait_for(service, db, condition):
    found = service(f"depends_on = ['db']\n{DB}{db}")
    assert found.depends_on == (Dependency("db", condition),)


def test_a_dependency_in_full(service):
    text = "depends_on.db = { condition = 'healthy', on_restart = 'stop', required = false }\n"
    found = service(f"{text}{DB}health = {{ port = 1 }}")
    expected = Dependency("db", Condition.HEALTHY, OnRestart.STOP, required=False)
    assert found.depends_on == (expected,)


def test_what_all_wait_for_does_not_wait_for_itself(project):
    found = project(
        "[defaults]\ndepends_on = ['db']\n"
        "[services]\ndb = 'x'\nweb = 'x'\n[services.free]\ncommand = 'x'\ndepends_on = []"
    )
    assert [[each.service for each in s.depends_on] for s in found.services] == [[], ["db"], []]


# -- restart and stop ---------------------------------------------------------------------------


def test_all_numbers_of_restarts(service):
    found = service(
        """
        restart = "always"
        restart_on = [75, "SIGHUP"]
        no_restart_on = [2, "kill"]
        backoff = { initial = "1s", factor = 1.5, max = "15s", jitter = 0 }
        max_restarts = -1
        min_uptime = "inf"
        restart_delay = "250ms"
        restart_limit = "5/60s"
        """
    )
    assert found.restart == RestartPolicy(
        RestartWhen.ALWAYS,
        tries=-1,
        delay=1.0,
        factor=1.5,
        cap=15.0,
        jitter=0.0,
        min_uptime=inf,
        calm_delay=0.25,
        restart_on=frozenset((ExitStatus(code=75), ExitStatus(signal=signal.SIGHUP))),
        no_restart_on=frozenset((ExitStatus(code=2), ExitStatus(signal=signal.SIGKILL))),
        window=(5, 60.0),
    )


def test_restart_on_alone_has_the_supervised_numbers(service):
    found = service("restart_on = [3]").restart
    expected = replace(SUPERVISED, when=RestartWhen.NO, restart_on=frozenset((ExitStatus(3),)))
    assert found == expected


@pytest.mark.parametrize(
    ("text", "signals"),
    [
        ("", (signal.SIGTERM, signal.SIGINT)),
        ("signal = 'QUIT'", (signal.SIGQUIT, signal.SIGQUIT)),
        ("signal = 'QUIT', interrupt = 'INT'", (signal.SIGQUIT, signal.SIGINT)),
        ("interrupt = 'SIGTERM'", (signal.SIGTERM, signal.SIGTERM)),
    ],
)
def test_a_signal_of_its_own_holds_for_an_interrupt_too(service, text, signals):
    stop = service(f"stop = {{ {text} }}").stop
    assert (stop.signal, stop.interrupt) == signals


def test_message_and_scope(service):
    stop = service("stop = { message = true, scope = 'main' }").stop
    assert stop == StopPolicy(message=True, scope=StopScope.MAIN)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("ignore", KillOthers.NEVER),
        ("stop", KillOthers.ALWAYS),
        ("stop-on-failure", KillOthers.ON_FAILURE),
    ],
)
def test_what_an_end_does_to_the_others(service, project, word, kind):
    assert service(f"on_exit = '{word}'").kill_others is kind
    assert project(f"on_exit = '{word}'\n[services]\nweb = 'x'").kill_others is kind


# -- resources ----------------------------------------------------------------------------------


def test_memory_limits_sockets_and_logs(service, tmp_path):
    found = service(
        """
        max_memory = { size = "1.5GiB", action = "reload" }
        nice = 5
        limits = { nofile = [1024, 4096], core = 0, as = "2G", stack = "unlimited" }
        sockets = { http = "tcp:127.0.0.1:80", admin = "unix:run/web.sock", six = "tcp:[::1]:8" }
        log = { file = "l/{name}.log", error_file = "e.log", keep = ["2w", 30], time_format = "%H" }
        """
    )
    assert found.max_memory == MemoryLimit(1536 * 1024**2, OnLimit.RELOAD)
    assert found.limits == ProcessLimits(
        5,
        (("nofile", 1024, 4096), ("core", 0, 0), ("as", 2 << 30, 2 << 30), ("stack", -1, -1)),
    )
    assert found.sockets == (
        HeldSocket("http", "127.0.0.1", 80),
        HeldSocket("admin", str(tmp_path / "run/web.sock"), None),
        HeldSocket("six", "::1", 8),
    )
    assert found.log == LogFile(
        str(tmp_path / "l/web.log"),
        str(tmp_path / "e.log"),
        keep_seconds=14 * 86400.0,
        keep_files=30,
        timestamps=True,
        time_format="%H",
    )


def test_as_many_instances_as_processors(project):
    assert project("[services.web]\ncommand='x'\ninstances = 'max'").instances == {
        "web": usable_processors()
    }


def test_instances_have_ports_of_their_own_unless_they_share_one(resolved):
    found = resolved(
        """
        [services.web]
        command = "x"
        instances = 2
        port = 3000
        [services.api]
        command = "x"
        instances = 2
        port = 4000
        cluster = true
        """
    )
    listed = found.services
    assert [(s.index, s.name, s.process, s.number, s.port) for s in listed] == [
        (0, "web.1", "web", 1, 3000),
        (1, "web.2", "web", 2, 3001),
        (2, "api.1", "api", 1, 4000),
        (3, "api.2", "api", 2, 4000),
    ]


def test_instances_need_enough_ports(resolved):
    text = "[services.web]\ncommand = 'x'\nport = 65534\ninstances = 3"
    with pytest.raises(UsageError, match='3 instances of "web" would need ports up to 65536'):
        resolved(text)


# -- watching -----------------------------------------------------------------------------------


def test_true_watches_the_services_own_folder(service, tmp_path):
    assert service("cwd = 'apps/web'\nwatch = true").watch == (
        WatchRule(str(tmp_path / "apps/web"), None, "."),
    )


def test_what_each_watcher_wants_is_kept_and_one_watcher_suits_all(project, tmp_path):
    (tmp_path / "src").mkdir()
    found = project(
        """
        watch_ignore = ["dist/"]
        [services.web]
        command = "x"
        watch = { paths = ["src"], ignore = ["*.test.ts"], debounce = "1s", poll = true }
        [services.api]
        command = "x"
        watch = "src/*.py"
        """
    )
    assert found.services[1].watch == (WatchRule(str(tmp_path / "src"), "/*.py", "src/*.py"),)
    web = WatchSettings(("dist/", "*.test.ts"), poll=True, quiet=1.0, longest=2.0)
    assert found.watch == WatchSettings(("dist/",), poll=True, services=(("web", web),))
    assert found.watch.of("web") == web
    assert found.watch.of("api") == found.watch.of(None) == found.watch


def test_what_a_file_in_a_folder_ignores_is_in_that_folder(tmp_path):
    (tmp_path / "sub").mkdir()
    text = "watch_ignore = ['*.log', '/dist', '!a/b', 'x/']\n[services]\nweb = 'x'"
    (tmp_path / "sub/devrun.toml").write_text(text)
    found = read_project(["sub/devrun.toml"], cwd=str(tmp_path), environ={})
    assert found.watch.ignore == ("/sub/**/*.log", "/sub/dist", "!/sub/a/b", "/sub/**/x/")
    assert found.services[0].cwd == str(tmp_path / "sub")


# -- variables ----------------------------------------------------------------------------------


def test_variables_are_replaced_in_values(service):
    environ = {"P": "80", "HOST": "h", "EMPTY": ""}
    found = service(
        "port = '${P}'\nready = { http = 'http://${HOST}:${P}/${NO:-x}/${EMPTY:-y}${EMPTY}' }\n"
        "env = { COST = '$$5 $6 $${P}' }",
        environ=environ,
    )
    assert found.port == 80
    assert found.ready == Readiness(HttpProbe("http://h:80/x/y"))
    assert found.env == (("COST", "$5 $6 ${P}"),)


def test_variables_in_commands_are_left_to_the_shell(project):
    found = project(
        """
        teardown = "echo ${X} $$"
        [services.web]
        command = "echo ${X} $$"
        ready = { exec = "test ${X}" }
        health = { exec = ["sh", "-c", "${X}"] }
        stop = { command = "kill $$ ${X}" }
        """
    )
    (web,) = found.services
    assert web.command == "echo ${X} $$"
    assert web.ready == Readiness(ExecProbe("test ${X}"))
    assert web.health == HealthCheck(ExecProbe(("sh", "-c", "${X}")))
    assert web.stop.command == "kill $$ ${X}"
    assert found.teardown is not None
    assert found.teardown.commands == ("echo ${X} $$",)


def test_the_layered_environment_is_asked_for_once_and_knows_the_files(project, tmp_path):
    asked = []

    def layered(files, override):
        asked.append((files, override))
        return {"A": "layered"}

    found = project(
        "env_file = '${DIR}/.env'\nprefix = '${A}{name}'\n"
        "[services.web]\ncommand = 'x'\nenv = { A = '${A}', B = '${A}' }",
        environ={"DIR": "conf", "A": "own"},
        layered=layered,
    )
    assert found.services[0].env == (("A", "layered"), ("B", "layered"))
    assert found.texts.prefix == "layered{name}"
    assert asked == [((str(tmp_path / "conf/.env"),), None)]


def test_the_layered_environment_is_not_read_for_nothing(project):
    def layered(files, override):
        raise AssertionError(files)

    assert project("[services]\nweb = 'echo ${X}'", layered=layered).services


# -- the run as a whole -------------------------------------------------------------------------


def test_what_holds_for_the_run(project):
    found = project(
        """
        env_override = true
        success = "command-web"
        max_processes = 4
        teardown = { commands = ["a", "b"], timeout = "5s" }
        shutdown_timeout = "30s"
        prefix = "[{name}]"
        timestamps = "HH:mm"
        [services]
        web = "x"
        db = "x"
        """
    )
    assert found.env_override is True
    assert (found.texts.success, found.texts.max_processes) == ("command-web", 4)
    assert found.texts.prefix == "[{name}]"
    assert (found.texts.timestamps, found.texts.timestamp_format) == (True, "HH:mm")
    assert found.teardown is not None
    assert (found.teardown.commands, found.teardown.timeout) == (("a", "b"), 5.0)
    assert found.shutdown_timeout == 30.0


def test_what_is_said_of_the_run_holds_for_it(resolved):
    found = resolved(
        """
        success = "command-web"
        shutdown_timeout = "30s"
        [services]
        db = "x"
        web = "x"
        """
    )
    assert found.success == SuccessCondition(SuccessKind.COMMAND, frozenset({1}))
    assert found.shutdown_timeout == 30.0


def test_groups_name_their_members_or_are_named_by_them(project):
    found = project(
        """
        [groups]
        app = { strategy = "rest_for_one", services = ["web", "db"] }
        jobs = {}
        [services]
        db = "x"
        web = "x"
        [services.mail]
        command = "x"
        group = "jobs"
        """
    )
    assert found.groups == (
        Group("app", ("db", "web"), Strategy.REST_FOR_ONE),
        Group("jobs", ("mail",)),
    )


PROFILES = """
[services.web]
command = "x"
depends_on = { db = { required = false } }
[services.db]
command = "x"
profiles = ["full", "db"]
[services.mail]
command = "x"
profiles = ["full"]
depends_on = ["queue"]
[services.queue]
command = "x"
profiles = ["queue"]
[services.old]
command = "x"
disabled = true
"""


@pytest.mark.parametrize(
    ("profiles", "wanted"),
    [
        ((), {"web"}),
        (("db",), {"web", "db"}),
        (("full",), {"web", "db", "mail", "queue"}),
    ],
)
def test_services_of_profiles_run_if_they_are_asked_for_or_needed(project, profiles, wanted):
    found = project(PROFILES, profiles=profiles)
    assert found.wanted == wanted
    assert len(found.services) == 5


# -- several files, defaults and origins --------------------------------------------------------


def test_services_inherit_the_defaults_unless_they_say_otherwise(project, tmp_path):
    found = project(
        """
        [defaults]
        restart = "always"
        stop.timeout = "3s"
        env = { A = "1", B = "1" }
        log = { file = "logs/{name}.log", max_size = "5M" }
        ready.timeout = "9s"
        [services.web]
        command = "x"
        env = { B = "2" }
        stop.signal = "SIGINT"
        log = "web.log"
        ready = { port = 1 }
        [services.job]
        command = "x"
        restart = "no"
        log = false
        """
    )
    web, job = found.services
    assert web.restart.when is RestartWhen.ALWAYS
    assert (web.stop.timeout, web.stop.signal) == (3.0, signal.SIGINT)
    assert web.env == (("A", "1"), ("B", "2"))
    assert web.log == LogFile(str(tmp_path / "web.log"), max_size=5 * 1024**2)
    assert web.ready == Readiness(PortProbe(1), 9.0)
    assert job.restart.when is RestartWhen.NO
    assert job.log is None
    assert job.ready is None


def test_later_files_win_key_by_key(project):
    found = project(
        """
        [defaults]
        stop.timeout = "1s"
        [services.web]
        command = "a"
        env = { A = "1", B = "1" }
        depends_on = ["db"]
        profiles = ["x", "y"]
        ready = { http = "http://a", status = 200, timeout = "5s" }
        [services]
        db = "x"
        """,
        """
        [defaults]
        stop.signal = "SIGINT"
        [services.web]
        command = "b"
        env = { B = "2" }
        depends_on = { mail = "started" }
        profiles = []
        ready = { port = 1 }
        [services]
        mail = "x"
        """,
    )
    web, db, mail = found.services
    assert (web.name, db.name, mail.name) == ("web", "db", "mail")
    assert web.command == "b"
    assert web.env == (("A", "1"), ("B", "2"))
    assert web.depends_on == (Dependency("db"), Dependency("mail"))
    assert web.ready == Readiness(PortProbe(1), 5.0)
    assert (web.stop.timeout, web.stop.signal) == (1.0, signal.SIGINT)
    assert "web" in found.wanted


def test_a_list_of_dependencies_replaces_what_was_there(project):
    one = "[services]\ndb = 'x'\nmail = 'x'\n[services.web]\ncommand = 'x'\n"
    found = project(f"{one}depends_on = ['db']", "[services.web]\ndepends_on = ['mail']")
    assert [each.service for each in found.services[2].depends_on] == ["mail"]


def test_paths_are_relative_to_the_file_they_are_written_in(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.toml").write_text("[services.web]\ncommand = 'x'\nenv_file = 'a.env'")
    (tmp_path / "sub/b.toml").write_text("[services.web]\nlog = 'b.log'")
    found = read_project(["a.toml", "sub/b.toml"], cwd=str(tmp_path), environ={})
    (web,) = found.services
    assert web.cwd == str(tmp_path)
    assert web.env_files == (str(tmp_path / "a.env"),)
    assert web.log == LogFile(str(tmp_path / "sub/b.log"))


def test_pyproject_has_it_below_tool_devrun(tmp_path):
    text = "[project]\nname = 'x'\n[tool.devrun.services.web]\ncommand = 'x'\n"
    (tmp_path / "pyproject.toml").write_text(text)
    found = read_project(["pyproject.toml"], cwd=str(tmp_path), environ={})
    assert found.places == {"web": "pyproject.toml:3"}


def test_origins_say_where_each_value_is_from(project):
    found = project(
        "[defaults]\nstop.timeout = '1s'\n[services.web]\ncommand = 'x'\nready.port = 1",
        "success = 'first'\n[services.web]\nport = 3",
    )
    origins = found.origins()
    assert origins["web", "command"] == "devrun.toml:4"
    assert origins["web", "ready.port"] == "devrun.toml:5"
    assert origins["web", "stop.timeout"] == "devrun.toml:2"
    assert origins["web", "port"] == "devrun.1.toml:3"
    assert origins["web", "restart"] == DEFAULT
    assert origins["", "success"] == "devrun.1.toml:1"
    assert origins["", "on_exit"] == DEFAULT
    assert found.places == {"web": "devrun.toml:3"}


def test_what_has_no_effect_is_told(project):
    found = project("[services.web]\ncommand = 'x'\nmax_restarts = 3")
    expected = (
        "devrun.toml:3: services.web: max_restarts has no effect, "
        'because restart is "no"; write restart = "on-failure"'
    )
    assert found.warnings == (expected,)
    inherited = project("[defaults]\nmax_restarts = 3\n[services]\nweb = 'x'")
    assert inherited.warnings == ()


@pytest.mark.parametrize(
    ("said", "warning"),
    [
        ("keep = '14d'", "3: services.web: log.keep"),
        ("compress = true", "3: services.web: log.compress"),
        ("keep = 3, max_size = '1M'", None),
        ("compress = false", None),
    ],
)
def test_what_is_about_rotation_needs_a_size(project, said, warning):
    found = project(f"[services.web]\ncommand = 'x'\nlog = {{ file = 'x', {said} }}").warnings
    why = "because a log without max_size is not rotated"
    expected = f'devrun.toml:{warning} has no effect, {why}; write max_size = "50M"'
    assert found == (() if warning is None else (expected,))


def test_defaults_about_rotation_are_warned_of_once(project):
    found = project(
        "[defaults]\nlog = { file = '{name}.log', keep = 3 }\n[services]\na = 'x'\nb = 'x'"
    )
    (warning,) = found.warnings
    assert warning.startswith("devrun.toml:2: defaults: log.keep has no effect")


@pytest.mark.parametrize(("restart", "count"), [("no", 1), ("on-failure", 0), ("always", 0)])
def test_a_group_of_which_nothing_is_restarted_is_told(project, restart, count):
    found = project(
        "[groups.g]\nservices = ['a', 'b']\n[services.a]\ncommand = 'x'\n"
        f"[services.b]\ncommand = 'x'\nrestart = '{restart}'"
    )
    assert len(found.warnings) == count
    assert all(text.startswith('the group "g" has no effect') for text in found.warnings)


def test_variables_may_stand_for_numbers_and_truth_values(project):
    found = project(
        "[services.web]\ncommand = 'x'\nraw = '${RAW}'\nbackoff = { factor = '${F:-2.5}' }\n"
        "restart = '${R:-always}'\nrestart_on = ['${CODE:-75}']\ninstances = '${N:-2}'\n"
        "ready = '${READY:-false}'\nlog = { file = 'x', max_size = '1M', keep = '${KEEP:-3}' }\n"
        "env = { ID = '${ID:-007}', ON = '${ON:-TRUE}' }\nwatch = '${WATCH:-false}'\n"
        "[defaults]\nready = { port = 1 }",
        environ={"RAW": "yes"},
    )
    (web,) = found.services
    assert web.raw
    assert web.restart.factor == 2.5
    assert web.restart.restart_on == {ExitStatus(code=75)}
    assert found.instances == {"web": 2}
    assert (web.ready, web.watch) == (None, ())
    assert web.log.keep_files == 3
    assert dict(web.env) == {"ID": "007", "ON": "TRUE"}


OWN_PORTS = {
    "port = '${PORT}'": PortProbe,
    "http = 'http://localhost:${PORT}/health'": HttpProbe,
    "log = 'listening on ${PORT}'": LogGate,
    "file = 'run/${PORT}.ready'": FileProbe,
    "port = 3000": PortProbe,
    "http = 'http://127.0.0.1:3000'": HttpProbe,
}


@pytest.mark.parametrize("gate", OWN_PORTS)
def test_each_instance_has_a_gate_for_its_own_port(resolved, gate):
    first, second = resolved(
        f"[services.web]\ncommand = 'x'\nport = 3000\ninstances = 2\nready = {{ {gate} }}"
    ).services
    assert type(first.ready.gate) is OWN_PORTS[gate]
    assert "3000" in str(first.ready.gate)
    assert "3001" in str(second.ready.gate)
    assert str(second.ready.gate) == str(first.ready.gate).replace("3000", "3001")


def test_the_port_of_the_only_socket_is_that_of_each_instance(resolved):
    instances = resolved(
        "[services.web]\ncommand = 'x'\nsockets = ['tcp:4000']\ninstances = 2\n"
        "ready = { port = '${PORT}' }"
    ).services
    assert [each.ready.gate.port for each in instances] == [4000, 4000]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("ready = { port = 3000 }", "4: services.web: ready.port: port 3000"),
        ("port = 4000\nready = { port = 3000 }", "5: services.web: ready.port: port 3000"),
        ("health = { port = 3000 }", "4: services.web: health.port: port 3000"),
        ("ready = { http = 'http://localhost/' }", "4: services.web: ready.http: port 80"),
    ],
)
def test_several_instances_cannot_have_one_port_in_their_gate(resolved, more, message):
    with pytest.raises(UsageError) as error:
        resolved(f"[services.web]\ncommand = 'x'\ninstances = 2\n{more}")
    assert str(error.value).startswith(f"devrun.toml:{message} cannot be that of 2 instances; give")
    assert "${PORT}" in str(error.value)


@pytest.mark.parametrize(
    "more",
    [
        "ready = { port = 'db.example:3000' }",
        "sockets = ['tcp:3000']\nready = { port = 3000 }",
        "cluster = true\nready = { port = 3000 }",
    ],
)
def test_what_instances_share_or_is_elsewhere_may_be_one_port(resolved, more):
    text = f"[services.web]\ncommand = 'x'\ninstances = 2\n{more}"
    assert [each.ready.gate.port for each in resolved(text).services] == [3000, 3000]


def test_a_watched_path_knows_its_line(project):
    (web,) = project("[services.web]\ncommand = 'x'\nwatch = [\n '.',\n 'later',\n]").services
    assert [rule.place for rule in web.watch] == [
        'devrun.toml:4: services.web: watch "."',
        'devrun.toml:5: services.web: watch "later"',
    ]


def test_a_missing_file_is_an_error():
    with pytest.raises(UsageError, match="no such file"):
        read_project(["nosuch.toml"], cwd="/", environ={})
