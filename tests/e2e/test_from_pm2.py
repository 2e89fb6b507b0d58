"""What docs/from-pm2.md says: three teams' files as they stand, and what stands for commands."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import urllib.request

import pytest
from supervised import free_port, said_by

PRINTS = 'console.log([process.env.NODE_ENV, process.env.PORT, process.argv[2]].join(" "))'
STAYS = "setInterval(() => {}, 1000)"


@pytest.fixture
def file(tmp_path):
    """Write an ecosystem file."""

    def write(*apps, name="ecosystem.config.js", head="module.exports = "):
        (tmp_path / name).write_text(f"{head}{json.dumps({'apps': apps})}\n")

    return write


@pytest.fixture
def script(tmp_path):
    """Write a program of the project."""

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return path

    return write


@pytest.fixture
def pm2(devrun, tmp_path):
    """Start devrun with the ecosystem file; programs in ``bin`` come first."""
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"

    def start(*words, name="ecosystem.config.js", env_added=None):
        return devrun("-f", name, *words, env_added={"PATH": path} | (env_added or {}))

    return start


def stop(run):
    run.signal(signal.SIGINT)
    assert run.wait() == -signal.SIGINT, run.text


# -- three teams' files -------------------------------------------------------------------------


def test_three_apps_of_a_monorepo_below_pnpm(pm2, script, tmp_path):
    script("bin/pnpm", '#!/bin/sh\necho "$*, $NODE_ENV, $PORT, $CHAT_PORT"\nexec sleep 60\n')
    (tmp_path / "ecosystem.config.js").write_text(
        """
        module.exports = {
          apps: [
            {
              name: "shop-web",
              script: "pnpm",
              args: "start:web",
              env: { NODE_ENV: "production", PORT: 3000 },
            },
            {
              name: "shop-worker",
              script: "pnpm",
              args: "--filter worker start",
              env: { NODE_ENV: "production" },
            },
            {
              name: "shop-chat",
              script: "pnpm",
              args: "--filter chat start",
              env: { NODE_ENV: "production", CHAT_PORT: 3001 },
            },
          ],
        };
        """
    )
    run = pm2().wait_for(
        "[shop-web   ] start:web, production, 3000, ",
        "[shop-worker] --filter worker start, production, , ",
        "[shop-chat  ] --filter chat start, production, , 3001",
    )
    assert "devrun:" not in run.text, "nothing in it is worth a warning"
    stop(run)


def test_a_line_for_sh_as_the_same_team_had_to_write_it(pm2, file, tmp_path):
    (tmp_path / "apps/chat").mkdir(parents=True)
    file({"name": "chat", "script": "sh", "args": '-c "cd apps/chat && pwd"', "autorestart": False})
    run = pm2()
    assert run.wait() == 0
    assert said_by(run, "chat")[0] == str(tmp_path / "apps/chat")


def test_a_frontend_beside_containers_and_a_monitor(pm2, script, tmp_path):
    script("bin/docker-compose", SLOW_TO_STOP)
    script("frontend/package.json", '{"scripts": {"start": "node server.js"}}')
    script("frontend/server.js", f'{PRINTS}; console.error("a warning"); {STAYS}')
    script("scripts/monitor.js", f'console.log("every " + process.env.CHECK_INTERVAL); {STAYS}')
    (tmp_path / "ecosystem.config.js").write_text(
        """
        module.exports = {
          apps: [
            {
              name: 'frontend',
              script: 'npm',
              args: 'start',
              cwd: './frontend',
              max_memory_restart: '512M',
              restart_delay: 5000,
              env: { NODE_ENV: 'development', PORT: 3000, CHOKIDAR_USEPOLLING: 'true' },
              error_file: './logs/frontend-error.log',
              out_file: './logs/frontend-out.log',
              log_date_format: 'YYYY-MM-DD HH:mm:ss Z',
            },
            {
              name: 'backend-services',
              script: 'docker-compose',
              args: 'up',
              interpreter: 'none',
              kill_timeout: 30000,
              max_restarts: 10,
              min_uptime: '10s',
            },
            {
              name: 'health-monitor',
              script: './scripts/monitor.js',
              env: { CHECK_INTERVAL: 30000 },
            },
          ],
        };
        """
    )
    run = pm2().wait_for("development 3000", "a warning", "compose up", "every 30000")
    said = [line for line in run.lines if line.startswith("devrun: ")]
    assert len(said) == 2
    assert 'app "frontend": restart_delay: 5 s before each restart; no first start' in run.text
    stop(run)
    assert run.count("stops slowly") == 1, "containers get one signal"
    assert "[backend-services] has stopped" in run.lines
    assert "SIGKILL" not in run.text
    error = (tmp_path / "frontend/logs/frontend-error.log").read_text()
    assert re.fullmatch(r"(?s).*\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 a warning\n.*", error)


SLOW_TO_STOP = """#!/bin/sh
echo "compose $*"
trap 'echo stops slowly; sleep 2; echo has stopped; exit 0' INT TERM
while :; do sleep 0.1; done
"""


def test_an_api_with_everything_in_development_and_in_production(pm2, script, tmp_path):
    port = free_port()
    script("server.js", API)
    (tmp_path / "ecosystem.config.js").write_text(
        """
        module.exports = {
          apps: [{
            name: 'api',
            script: './server.js',
            instances: process.env.NODE_ENV === 'production' ? 2 : 1,
            exec_mode: 'cluster',
            autorestart: true,
            max_restarts: 10,
            min_uptime: '10s',
            exp_backoff_restart_delay: 100,
            max_memory_restart: '500M',
            error_file: './logs/pm2-error.log',
            out_file: './logs/pm2-out.log',
            log_file: './logs/pm2-combined.log',
            merge_logs: true,
            log_date_format: 'YYYY-MM-DD HH:mm:ss Z',
            wait_ready: true,
            listen_timeout: 10000,
            kill_timeout: 5000,
            shutdown_with_message: true,
            watch: false,
            env: { NODE_ENV: 'development', PORT: PORT_HERE },
            env_production: { NODE_ENV: 'production' },
          }],
        };
        """.replace("PORT_HERE", str(port))
    )
    run = pm2().wait_for("[api] ready after")
    assert "[api] development, instance 0" in run.lines
    stop(run)
    assert run.count("message: graceful shutdown") == 1

    run = pm2("--env", "production", env_added={"NODE_ENV": "production"})
    run.wait_for("[api.1] ready after", "[api.2] ready after")
    assert "[api.1] production, instance 0" in run.lines
    assert "[api.2] production, instance 1" in run.lines
    assert _get(port) == "hello"
    stop(run)
    assert run.count("message: graceful shutdown") == 2
    assert "instance 1" in (tmp_path / "logs/pm2-out.log").read_text()


API = """
const server = require('http').createServer((request, response) => response.end('hello'));
server.listen(process.env.PORT, () => {
  console.log(`${process.env.NODE_ENV}, instance ${process.env.NODE_APP_INSTANCE}`);
  if (process.send) process.send('ready');
});
const end = (why) => {
  console.log(`${why}: graceful shutdown`);
  server.close(() => process.exit(0));
};
process.on('SIGINT', () => end('signal'));
process.on('message', (message) => message === 'shutdown' && end('message'));
"""


def _get(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        return answer.read().decode()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-f ecosystem.config.js --dry-run --env production", "[web]"),
        ("-f ecosystem.config.js --dry-run --only web,api", "[api]"),
        ("-f ecosystem.config.js --dry-run web api", "[api]"),
        ("-f ecosystem.config.js --dry-run --except web", "[api]"),
        ("-f ecosystem.config.js --dry-run --watch src --watch-ignore '*.md'", "[api]"),
        ("-f ecosystem.config.js --dry-run --formation web=4", "5 instances"),
        ("-f ecosystem.config.js --dry-run --focus web", "[web]"),
        ("-f ecosystem.config.js --dry-run --hide api", "[api]"),
        ("check -f ecosystem.config.js", "[web]"),
        ("check -f ecosystem.config.js --env web", "NODE_APP_INSTANCE"),
        ("export systemd - -f ecosystem.config.js", "web.service"),
    ],
)
def test_what_stands_for_pm2s_commands(devrun, file, tmp_path, line, said):
    (tmp_path / "src").mkdir()
    program = {"script": "sleep", "args": "1"}
    file({"name": "web", **program, "env_production": {"A": 1}}, {"name": "api", **program})
    run = devrun(*shlex.split(line))
    assert run.wait() == 0, run.text
    assert said in run.text


# -- reload and readiness --------------------------------------------------------------------


def test_the_message_comes_with_a_reload_too_and_a_broken_build_changes_nothing(
    pm2, devrun, file, script
):
    port = free_port()
    path = script("server.js", API)
    app = {"script": "server.js", "exec_mode": "cluster", "instances": 2, "wait_ready": True}
    file({"name": "api", **app, "shutdown_with_message": True, "env": {"PORT": port}})
    run = pm2().wait_for("[api.1] ready after", "[api.2] ready after")
    assert devrun("reload", "api").wait() == 0
    run.wait_for("[api.1] reloaded", "[api.2] reloaded")
    assert run.count("message: graceful shutdown") == 2
    path.write_text("process.exit(3)")
    assert devrun("reload", "api").wait() == 1
    assert _get(port) == "hello"
    stop(run)
    assert run.count("message: graceful shutdown") == 4


def test_ready_comes_through_npm_and_so_does_shutdown(pm2, file, script):
    script("package.json", '{"scripts": {"start": "node app.js"}}')
    script(
        "app.js",
        "process.on('message', (m) => { console.log('got ' + m); process.exit(0); });"
        "process.send('ready')",
    )
    ready = {"wait_ready": True, "listen_timeout": 30000, "shutdown_with_message": True}
    file({"name": "web", "script": "npm", "args": "start", **ready})
    run = pm2().wait_for("[web] ready after")
    stop(run)
    assert "[web] got shutdown" in run.lines


# -- what is not quite as in PM2 ----------------------------------------------------------------


def test_a_combined_log_beside_one_other_gets_the_rest(pm2, file, script, tmp_path):
    script("app.sh", "echo to stdout; echo to stderr >&2\n")
    app = {"name": "web", "script": "app.sh", "autorestart": False}
    file({**app, "error_file": "logs/err.log", "log_file": "logs/all.log"})
    run = pm2()
    assert run.wait() == 0
    assert (tmp_path / "logs/err.log").read_text() == "to stderr\n"
    assert (tmp_path / "logs/all.log").read_text() == "to stdout\n"
    assert 'app "web": log_file: gets stdout alone, because error_file has the rest' in run.text


def test_what_has_no_effect_is_said_with_what_to_do_instead(pm2, file, script, tmp_path):
    script("app.sh", "echo runs\n")
    apps = [{"name": name, "script": "app.sh", "autorestart": False} for name in ("web", "api")]
    file(*({**app, "cron_restart": "0 3 * * *", "pid_file": "web.pid"} for app in apps))
    run = pm2()
    assert run.wait() == 0
    said = [line for line in run.lines if line.startswith("devrun: ")]
    start = 'devrun: ecosystem.config.js: apps "web", "api": '
    assert [line.removeprefix(start).partition(";")[0] for line in said] == [
        'cron_restart "0 3 * * *" has no effect: devrun restarts nothing by the clock',
        "pid_file has no effect: devrun keeps the processes itself, and writes no such file",
    ]
    assert not (tmp_path / "web.pid").exists()


def test_what_one_app_ignores_restarts_another(pm2, file, script, tmp_path):
    script("app.sh", "echo begins; exec sleep 60\n")
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.txt").write_text("1")
    app = {"script": "app.sh", "watch": ["src"]}
    file({**app, "name": "web", "ignore_watch": ["src/*.txt"]}, {**app, "name": "api"})
    run = pm2().wait_for("[web] begins", "[api] begins")
    (tmp_path / "src/a.txt").write_text("22")
    run.wait_for("[api] src/a.txt changed, restarting", "[api] bash app.sh restarted")
    stop(run)
    assert "[web] src/a.txt" not in run.text
