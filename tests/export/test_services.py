"""What a devrun.toml says of services is said in each format, and accepted by its reader."""

from __future__ import annotations

import configparser
import plistlib
import re
import subprocess
import sys

import pytest
import yaml
from declared import TOML, write_project
from exporting import export, run

from devrun.export.formats import FORMATS


@pytest.fixture
def project(tmp_path):
    return write_project(tmp_path / "shop")


def notes_of(done):
    return [
        line.removeprefix("devrun: note: ")
        for line in done.stderr.splitlines()
        if line.startswith("devrun: note: ")
    ]


def unsaid(notes, style):
    """Return what a format has nothing for, by service."""
    found = {}
    for note in notes:
        name, has_it, keys = note.partition(f": {style} has nothing for ")
        if has_it:
            found[name] = keys.split(", ")
    return found


# -- systemd ------------------------------------------------------------------------------------


@pytest.fixture
def units(project):
    export(project, "systemd", "out")
    return {path.name: path.read_text() for path in (project / "out").iterdir()}


def values_of(text, key):
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


@pytest.mark.parametrize("style", ["systemd", "systemd-user"])
@pytest.mark.parametrize("secrets", [(), ("--include-secrets",)], ids=["without", "with"])
def test_systemd_takes_the_units(style, secrets, project, tmp_path):
    export(project, style, "out", *secrets)
    names = sorted(map(str, (project / "out").glob("*.*[et]")))
    who = ["--user"] if style == "systemd-user" else []
    env = {"XDG_RUNTIME_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    assert run("systemd-analyze", "verify", *who, "--man=no", *names, env=env) == ""


def test_systemd_waits_until_a_service_is_ready_or_has_ended(units):
    assert values_of(units["shop-migrate.service"], "Type") == ["oneshot"]
    assert values_of(units["shop-migrate.service"], "RemainAfterExit") == ["yes"]
    database = units["shop-db.service"]
    assert values_of(database, "Type") == ["exec"]
    assert values_of(database, "TimeoutStartSec") == ["90"]
    assert '/dev/tcp/localhost/\\"$$PORT\\"' in values_of(database, "ExecStartPost")[0]
    web = units["shop-web@.service"]
    assert values_of(web, "Type") == ["notify"]
    assert values_of(web, "NotifyAccess") == ["all"]
    assert values_of(web, "WatchdogSec") == ["10"]
    assert values_of(web, "TimeoutStartSec") == ["62"]
    assert values_of(web, "ExecStartPre") == ["/bin/sleep 2"]


def test_systemd_knows_who_needs_whom(units):
    api = units["shop-api@.service"]
    assert values_of(api, "Requires") == ["shop-db.service", "shop-migrate.service"]
    assert values_of(api, "BindsTo") == ["shop-db.service"]
    assert {"shop-db.service", "shop-migrate.service"} <= set(values_of(api, "After"))
    worker = units["shop-worker.service"]
    assert values_of(worker, "Requires") == []
    assert {"shop-web@1.service", "shop-web@2.service"} <= set(values_of(worker, "Wants"))


def test_systemd_restarts_as_often_as_devrun(units):
    api = units["shop-api@.service"]
    assert values_of(api, "Restart") == ["on-failure"]
    assert values_of(api, "RestartSec") == ["1"]
    assert values_of(api, "RestartForceExitStatus") == ["75 SIGHUP"]
    assert values_of(api, "RestartPreventExitStatus") == ["78 SIGKILL"]
    assert values_of(api, "StartLimitBurst") == ["17"]
    assert values_of(api, "StartLimitIntervalSec") == ["34"]
    database = units["shop-db.service"]
    assert values_of(database, "Restart") == ["always"]
    assert values_of(database, "StartLimitBurst") == ["6"]
    assert values_of(database, "StartLimitIntervalSec") == ["60"]
    assert values_of(units["shop-mail.service"], "StartLimitIntervalSec") == ["0"]
    assert values_of(units["shop-worker.service"], "Restart") == ["no"]
    assert values_of(units["shop-worker.service"], "StartLimitIntervalSec") == []


def test_systemd_holds_services_to_their_limits(units, project):
    database = units["shop-db.service"]
    assert values_of(database, "MemoryMax") == [str(500 * 1024**2)]
    assert values_of(database, "Nice") == ["5"]
    assert values_of(database, "LimitNOFILE") == ["1024:4096"]
    assert values_of(database, "LimitCORE") == ["0:0"]
    assert values_of(database, "LimitNPROC") == ["infinity:infinity"]
    assert values_of(database, "StandardOutput") == [f"append:{project}/logs/db-1.log"]
    assert values_of(database, "StandardError") == [f"append:{project}/logs/db.err"]
    assert values_of(database, "KillSignal") == ["SIGINT"]
    assert values_of(database, "TimeoutStopSec") == ["13"]
    assert "exit 0; echo stopping $$PORT 100%%" in values_of(database, "ExecStop")[0]


def test_a_shell_that_alone_is_to_be_told_is_told_alone(units):
    assert values_of(units["shop-api@.service"], "KillMode") == ["mixed"]


def test_systemd_hands_over_sockets(units, project):
    assert values_of(units["shop-web@.service"], "Sockets") == [
        "shop-web.socket",
        "shop-web-2.socket",
    ]
    http, admin = units["shop-web.socket"], units["shop-web-2.socket"]
    assert values_of(http, "ListenStream") == ["127.0.0.1:3000"]
    assert values_of(http, "FileDescriptorName") == ["http"]
    assert values_of(http, "Service") == ["shop-web@1.service"]
    assert values_of(admin, "ListenStream") == [f"{project}/run/admin.sock"]


def test_each_instance_of_a_unit_has_its_own_port(units):
    line = values_of(units["shop-api@.service"], "ExecStart")[0]
    assert "PORT=$$((7999 + %i));" in line
    assert "exec bash -c './serve $$PORT; true'" in line
    assert "postgres" not in line


# -- launchd, supervisord -----------------------------------------------------------------------


def test_a_property_list_has_what_launchd_knows(project):
    export(project, "launchd", "out")
    read = {
        path.stem: plistlib.loads(path.read_bytes()) for path in (project / "out").glob("*.plist")
    }
    database = read["shop.db.1"]
    assert database["KeepAlive"] is True
    assert database["Nice"] == 5
    assert database["SoftResourceLimits"] == {"NumberOfFiles": 1024, "Core": 0}
    assert database["HardResourceLimits"] == {"NumberOfFiles": 4096, "Core": 0}
    assert database["StandardOutPath"] == f"{project}/logs/db-1.log"
    assert database["StandardErrorPath"] == f"{project}/logs/db.err"
    assert database["ExitTimeOut"] == 13
    assert read["shop.api.2"]["KeepAlive"] == {"SuccessfulExit": False}
    assert "PORT=8001;" in read["shop.api.2"]["ProgramArguments"][-1]
    assert read["shop.worker.1"]["KeepAlive"] is False


def test_a_program_has_what_supervisord_knows(project):
    export(project, "supervisord", "out")
    read = configparser.RawConfigParser()
    read.read(project / "out/shop.conf")
    database, api, web = (read[f"program:shop-{name}-1"] for name in ("db", "api", "web"))
    assert (database["autorestart"], database["startretries"]) == ("true", "16")
    assert database["stdout_logfile"] == f"{project}/logs/db-1.log"
    assert database["stderr_logfile"] == f"{project}/logs/db.err"
    assert database["stdout_logfile_maxbytes"] == str(50 * 1024**2)
    assert database["stdout_logfile_backups"] == "3"
    assert database["redirect_stderr"] == "false"
    assert database["command"].startswith("nice -n 5 ")
    assert "ulimit -n 4096 && ulimit -S -n 1024" in database["command"]
    assert (api["autorestart"], api["exitcodes"]) == ("unexpected", "0,78")
    assert f"--env-file {project}/.env --env-file {project}/api/.env" in api["command"]
    assert (web["autorestart"], web["startsecs"]) == ("false", "0")
    order = [read[f"program:shop-{name}-1"]["priority"] for name in ("db", "api", "web", "worker")]
    assert order == ["10", "20", "30", "40"]
    assert read["program:shop-mail-1"]["startretries"] == "1000000"


# -- containers ---------------------------------------------------------------------------------


@pytest.fixture
def composed(project):
    export(project, "compose", "out")
    text = run("docker-compose", "-f", "compose.yaml", "config", cwd=project / "out")
    return yaml.safe_load(text)["services"]


def test_compose_knows_who_waits_for_what(composed):
    assert composed["api"]["depends_on"] == {
        "db": {"condition": "service_healthy"},
        "migrate": {"condition": "service_completed_successfully"},
    }
    assert composed["worker"]["depends_on"] == {"web": {"condition": "service_started"}}


def test_compose_asks_for_health_or_readiness(composed):
    assert composed["db"]["healthcheck"] == {
        "test": ["CMD", "pg_isready", "-q"],
        "interval": "2500ms",
        "timeout": "1500ms",
        "retries": 5,
        "start_period": "90s",
    }
    assert composed["mail"]["healthcheck"]["test"] == ["CMD", "test", "-e", "tmp/alive"]
    assert composed["api"]["healthcheck"]["test"][:3] == ["CMD", "bash", "-c"]
    assert "cd api && " in composed["api"]["healthcheck"]["test"][3]
    assert "healthcheck" not in composed["worker"]


def test_compose_has_limits_and_restarts(composed):
    database = composed["db"]
    assert str(database["mem_limit"]) in {str(500 * 1024**2), "500M"}
    assert database["ulimits"]["nofile"] == {"soft": 1024, "hard": 4096}
    assert database["ulimits"]["nproc"] == {"soft": -1, "hard": -1}
    assert database["stop_grace_period"] in {"13s", "12500ms"}
    assert database["stop_signal"] == "SIGINT"
    assert database["expose"] == ["5432"]
    assert "ports" not in database
    restarts = {name: service["restart"] for name, service in composed.items()}
    assert restarts["api"] == "on-failure:16"
    assert (restarts["db"], restarts["worker"]) == ("unless-stopped", "no")
    assert composed["web"]["tty"] is True
    assert composed["api"]["environment"]["API_KEY"] == "k-e-y-1"
    assert "API_KEY" not in composed["db"]["environment"]


@pytest.fixture
def manifests(project):
    export(project, "kubernetes", "out")
    return {path.stem: yaml.safe_load(path.read_text()) for path in (project / "out").iterdir()}


@pytest.mark.parametrize("more", [(), ("--include-secrets", "--public", "API_KEY")])
def test_kubernetes_takes_the_manifests(more, project):
    export(project, "kubernetes", "out", *more)
    files = sorted(map(str, (project / "out").iterdir()))
    said = run(sys.executable, "-m", "kubernetes_validate", "--strict", *files)
    assert said.count("passed") == len(files)


def container(manifest):
    return manifest["spec"]["template"]["spec"]["containers"][0]


def test_kubernetes_asks_as_devrun_does(manifests):
    api = container(manifests["deployment-api"])
    asked = {
        "path": "/health?x=1",
        "port": 8000,
        "scheme": "HTTP",
        "httpHeaders": [{"name": "Host", "value": "localhost:8000"}],
    }
    assert api["startupProbe"] == {
        "httpGet": asked,
        "periodSeconds": 1,
        "timeoutSeconds": 1,
        "failureThreshold": 30,
    }
    assert api["readinessProbe"] == {"httpGet": asked, "periodSeconds": 2, "timeoutSeconds": 1}
    assert api["livenessProbe"]["httpGet"]["path"] == "/health"
    assert api["livenessProbe"]["periodSeconds"] == 5
    database = container(manifests["deployment-db"])
    assert database["readinessProbe"]["tcpSocket"] == {"port": 5432}
    assert database["livenessProbe"] == {
        "exec": {"command": ["pg_isready", "-q"]},
        "initialDelaySeconds": 20,
        "periodSeconds": 3,
        "timeoutSeconds": 2,
        "failureThreshold": 5,
    }
    mail = container(manifests["deployment-mail"])
    assert mail["startupProbe"]["exec"] == {"command": ["/bin/sh", "-c", "test -e up"]}
    assert mail["startupProbe"]["failureThreshold"] == 2
    assert mail["startupProbe"]["timeoutSeconds"] == 10
    assert mail["livenessProbe"]["exec"] == {"command": ["test", "-e", "tmp/alive"]}


def test_kubernetes_has_limits_ports_and_hooks(manifests):
    database = container(manifests["deployment-db"])
    assert database["resources"] == {"limits": {"memory": str(500 * 1024**2)}}
    assert database["lifecycle"]["preStop"]["exec"]["command"][-1] == "echo stopping $PORT 100%"
    assert database["ports"] == [{"name": "tcp", "containerPort": 5432}]
    assert manifests["service-db"]["spec"]["ports"] == [
        {"name": "tcp", "port": 5432, "targetPort": "tcp"}
    ]
    api = manifests["deployment-api"]
    assert api["spec"]["replicas"] == 2
    references = container(api)["envFrom"]
    assert references == [{"secretRef": {"name": "shop"}}, {"secretRef": {"name": "shop-api"}}]
    assert "postgres" not in str(api)
    assert container(manifests["deployment-web"])["tty"] is True


def test_what_runs_to_its_end_is_a_job(manifests):
    assert "deployment-migrate" not in manifests
    job = manifests["job-migrate"]["spec"]
    assert job["backoffLimit"] == 3
    assert job["template"]["spec"]["restartPolicy"] == "OnFailure"
    assert container(manifests["job-migrate"])["command"] == ["./serve", "a b", "$HOME"]


def test_app_platform_has_services_jobs_and_checks(project):
    export(project, "app-platform", "out")
    read = yaml.safe_load((project / "out/app.yaml").read_text())
    services = {service["name"]: service for service in read["services"]}
    assert services["db"]["internal_ports"] == [5432]
    assert services["db"]["health_check"] == {
        "port": 5432,
        "period_seconds": 2,
        "failure_threshold": 45,
    }
    assert services["api"]["instance_count"] == 2
    assert services["api"]["health_check"] == {
        "port": 8000,
        "http_path": "/health",
        "period_seconds": 5,
        "timeout_seconds": 1,
        "failure_threshold": 3,
    }
    assert {"key": "API_KEY", "scope": "RUN_TIME", "type": "SECRET"} in services["api"]["envs"]
    assert services["db"]["termination"] == {"grace_period_seconds": 13}
    assert [job["name"] for job in read["jobs"]] == ["migrate"]
    assert [worker["name"] for worker in read["workers"]] == ["worker", "mail"]


# -- notes --------------------------------------------------------------------------------------

LEFT = {
    "systemd": ["ready.log", "stop.message", "raw"],
    "launchd": ["ready.log", "stop.message", "depends_on", "raw"],
    "supervisord": ["ready.log", "stop.message", "depends_on.required = false", "raw"],
    "runit": ["ready.log", "stop.message", "depends_on", "raw"],
    "s6": ["ready.log", "stop.message", "depends_on", "raw"],
    "compose": ["ready.log", "stop.message", "depends_on.required = false", "raw"],
    "kubernetes": ["ready.log", "stop.message", "depends_on", "raw"],
    "app-platform": ["ready.log", "stop.message", "depends_on", "raw"],
}


@pytest.mark.parametrize("style", LEFT)
def test_what_a_format_has_nothing_for_is_noted(style, project):
    done = export(project, style, "out")
    notes = notes_of(done)
    assert unsaid(notes, style)["worker"] == LEFT[style]
    assert "no files are watched: worker" in notes
    assert "group back: its members are not restarted together" in notes
    assert "shutdown_timeout has no meaning: each has its own time to end" in notes
    assert "on_exit: their end does not stop the others: worker" in notes


@pytest.mark.parametrize("style", FORMATS)
def test_the_notes_stand_in_the_main_file_too(style, project):
    notes = notes_of(export(project, style, "out"))
    texts = [path.read_text() for path in (project / "out").rglob("*") if path.is_file()]
    text = next(text for text in texts if "no teardown command is run" in text)
    for note in notes:
        assert note in text or note.replace("--", "- -") in text


def test_a_format_that_has_all_that_is_said_says_nothing(project):
    toml = '[services.web]\ncommand = "./serve"\nrestart = "on-failure"\nmax_memory = "1G"\n'
    (project / "devrun.toml").write_text(toml)
    (project / ".env").unlink()
    assert notes_of(export(project, "systemd", "out")) == []


# -- secrets ------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", FORMATS)
def test_no_secret_is_written_unless_asked_for(style, project):
    done = export(project, style, "out")
    texts = [path.read_text() for path in (project / "out").rglob("*") if path.is_file()]
    assert not [text for text in texts if "se-cr-et" in text or "k-e-y-1" in text]
    withheld = [note for note in notes_of(done) if note.startswith("api: left out")]
    assert withheld
    assert ": DB; --include-secrets" in withheld[0]
    export(project, style, "all", "--include-secrets")
    holding = [
        path
        for path in (project / "all").rglob("*")
        if path.is_file() and ("k-e-y-1" in path.read_text() or "STAGE" in path.read_text())
    ]
    assert any("k-e-y-1" in path.read_text() for path in holding)
    assert all(path.stat().st_mode & 0o77 == 0 for path in holding if "k-e-y-1" in path.read_text())


def test_a_variable_that_is_no_secret_may_be_part_of_a_value(project):
    done = export(project, "compose", "-", "--public", "DB_PASSWORD")
    assert "postgres://x:se-cr-et@db/" in done.stdout
    assert "left out" not in done.stderr


def test_an_url_with_a_secret_is_not_asked_for(project):
    (project / "devrun.toml").write_text(
        'env_file = ".env"\n[services.web]\ncommand = "./serve"\nport = 3000\n'
        'ready = { http = "http://localhost:${PORT}/?token=${DB_PASSWORD}" }\n'
    )
    done = export(project, "kubernetes", "-")
    assert "se-cr-et" not in done.stdout
    assert "web: left out, for variables are put into it: ready.http" in done.stderr


# -- lines and shells ---------------------------------------------------------------------------

ENDS = {
    "runit": (("-1", "9"), ("-1", "1"), ("75", "0"), ("78", "0"), ("0", "0"), ("3", "0")),
    "s6": (("256", "9"), ("256", "1"), ("75", "0"), ("78", "0"), ("0", "0"), ("3", "0")),
}


@pytest.mark.parametrize("style", ENDS)
def test_finish_says_which_ends_are_followed_by_a_start(style, project, tmp_path):
    export(project, style, "out")
    folder = project / "out/shop-api-1"
    (folder / "supervise").mkdir()
    stays_down = []
    for ends in ENDS[style]:
        done = subprocess.run(["./finish", *ends], cwd=folder, check=False)
        control = folder / "supervise/control"
        stays_down.append(done.returncode == 125 or control.exists())
        control.unlink(missing_ok=True)
    assert stays_down == [True, False, False, True, True, False]


def test_a_shell_of_its_own_runs_a_line(project):
    toml = '[services.web]\ncommand = "./serve $PORT"\nshell = "bash"\n'
    (project / "devrun.toml").write_text(toml)
    text = export(project, "compose", "-").stdout
    assert 'command: ["bash", "-c", "exec ./serve $$PORT"]' in text


def test_devrun_toml_is_exported_before_a_procfile(project):
    (project / "Procfile").write_text("other: ./serve\n")
    assert "  db:\n" in export(project, "compose", "-").stdout
    assert "  other:\n" in export(project, "compose", "-", "-f", "Procfile").stdout


def test_a_table_of_pyproject_is_exported(project):
    table = re.sub(r"^\[(?=\w)", "[tool.devrun.", TOML.partition("[groups")[2], flags=re.MULTILINE)
    text = table.partition("\n\n")[2]
    (project / "pyproject.toml").write_text(f'[tool.devrun]\nenv_file = ".env"\n\n{text}')
    (project / "devrun.toml").unlink()
    assert "  db:\n" in export(project, "compose", "-").stdout


def test_instances_of_an_ecosystem_file_keep_their_numbers(project):
    (project / "ecosystem.config.js").write_text(
        'module.exports = {apps: [{name: "web", script: "./serve", instances: 2}]}'
    )
    words = ("-", "-f", "ecosystem.config.js")
    assert "NODE_APP_INSTANCE=$$((-1 + %i))" in export(project, "systemd", *words).stdout
    text = export(project, "supervisord", *words).stdout
    assert "NODE_APP_INSTANCE=0" in text
    assert "NODE_APP_INSTANCE=1" in text
