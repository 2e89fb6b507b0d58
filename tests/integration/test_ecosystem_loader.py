"""Ecosystem files that are programs: Node runs them, and what they export comes back."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from devrun.config.ecosystem.app import Regex, js_text, split_arguments
from devrun.config.ecosystem.project import read_ecosystem
from devrun.config.ecosystem.runtime import exported, node_version
from devrun.errors import UsageError
from devrun.model import RestartWhen

ENVIRON = dict(os.environ)


@pytest.fixture
def read(tmp_path):
    """Write a file, and return what it exports."""

    def read(text, *, name="ecosystem.config.js", environ=ENVIRON, package=None, longest=10.0):
        (tmp_path / name).write_text(text)
        if package is not None:
            (tmp_path / "package.json").write_text(json.dumps(package))
        return exported(str(tmp_path / name), shown=name, environ=environ, longest=longest)

    return read


@pytest.fixture
def refusal(read):
    def refusal(text, **options):
        with pytest.raises(UsageError) as caught:
            read(text, **options)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return refusal


APPS = '{ apps: [{ script: "a.js" }] }'
MODULE = {"type": "module"}


@pytest.mark.parametrize(
    ("name", "package", "text"),
    [
        ("ecosystem.config.js", None, f"module.exports = {APPS}"),
        ("ecosystem.config.cjs", MODULE, f"module.exports = {APPS}"),
        ("ecosystem.config.cjs", None, 'exports.apps = [{ script: "a.js" }]'),
        ("ecosystem.config.mjs", None, f"export default {APPS}"),
        ("ecosystem.config.js", MODULE, f"export default {APPS}"),
        ("ecosystem.config.mjs", None, 'export const apps = [{ script: "a.js" }]'),
        ("ecosystem.config.mjs", None, f"export default await Promise.resolve({APPS})"),
        ("ecosystem.config.js", None, f"module.exports = () => ({APPS})"),
        ("ecosystem.config.js", None, f"module.exports = async () => ({APPS})"),
        ("ecosystem.config.js", None, f"module.exports = Promise.resolve({APPS})"),
        (
            "ecosystem.config.js",
            None,
            'module.exports = { apps: async () => [{ script: "a.js" }] }',
        ),
        ("ecosystem.config.js", None, f"exports.__esModule = true; exports.default = {APPS}"),
    ],
)
def test_every_way_to_export_is_understood(read, name, package, text):
    assert read(text, name=name, package=package).value == {"apps": [{"script": "a.js"}]}


def test_a_commonjs_file_in_a_package_of_modules_is_read_as_what_it_is(read):
    text = """#!/usr/bin/env node
    const path = require('path')
    module.exports = { apps: [{ script: path.basename(__filename), cwd: __dirname }] }
    """
    (app,) = read(text, package=MODULE).value["apps"]
    assert app["script"] == "ecosystem.config.js"


def test_what_a_file_prints_is_not_what_it_exports(read, capfd):
    found = read(f"console.log('{{}}'); console.error('!'); module.exports = {APPS}")
    assert found.value == {"apps": [{"script": "a.js"}]}
    assert capfd.readouterr() == ("", "{}\n!\n")


def test_a_file_sees_the_environment_and_runs_in_its_folder(read, tmp_path):
    text = (
        "module.exports = { env: process.env.STAGE, cwd: process.cwd(), argv: process.argv.length }"
    )
    found = read(text, environ={**ENVIRON, "STAGE": "live", "NODE_CHANNEL_FD": "99"})
    assert found.value == {"env": "live", "cwd": os.path.realpath(tmp_path), "argv": 2}


def test_values_without_a_form_in_json_come_through_or_are_named(read):
    text = r"""
    const own = { name: 'own' }; own.self = own
    module.exports = { apps: [{ a: /x\/y/gi, b: NaN, c: undefined, d: new Date(0), e: 10n,
      f() {}, g: new Set([1]), h: new Map([['k', 2]]), i: Symbol('s'), own, j: [undefined, 1],
      k: '\u{1F600}é', ['__proto__']: 1 }] }
    """
    found = read(text)
    (app,) = found.value["apps"]
    assert str(app.pop("b")) == "nan"
    assert app == {
        "a": Regex(r"x\/y", "gi"),
        "d": "1970-01-01T00:00:00.000Z",
        "e": "10",
        "g": [1],
        "h": {"k": 2},
        "own": {"name": "own"},
        "j": [1],
        "k": "😀é",
        "__proto__": 1,
    }
    assert found.lost == (
        ("apps[0].f", "function"),
        ("apps[0].i", "symbol"),
        ("apps[0].own.self", "circle"),
    )


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "e.config.js",
            "\nmodule.exports = nope",
            "e.config.js:2: ReferenceError: nope is not defined",
        ),
        ("e.config.mjs", "\nexport default nope", "e.config.mjs:2: ReferenceError: nope is not"),
        (
            "e.config.js",
            "module.exports = {\n a: 1,, }",
            "e.config.js:2: SyntaxError: Unexpected token",
        ),
        (
            "e.config.mjs",
            "export default {\n a: 1,, }",
            "e.config.mjs:2: SyntaxError: Unexpected tok",
        ),
        (
            "e.config.js",
            "\n\nrequire('no-such')",
            "e.config.js:3: Error: Cannot find module 'no-such'",
        ),
        ("e.config.mjs", "import 'no-such'", "e.config.mjs: Error: Cannot find package 'no-such'"),
        ("e.config.js", "throw 'text'", "e.config.js: throws text"),
        ("e.config.js", "throw new TypeError('a\\nb')", "e.config.js:1: TypeError: a"),
        (
            "e.config.js",
            "process.exit(3)",
            "e.config.js: ends the program before it exports anything",
        ),
        (
            "e.config.mjs",
            "await new Promise(() => {})",
            "waits for what never comes before it exports",
        ),
        ("e.config.js", "module.exports = f\nfunction f() { return f }", "without end"),
    ],
)
def test_a_mistake_in_a_file_is_one_line_with_its_place(refusal, name, text, message):
    assert message in refusal(text, name=name)


def test_a_module_that_uses_a_name_of_commonjs_by_mistake_is_told_so(refusal):
    text = "import 'node:fs'\nexport default { apps: [{ cwd: __dirname }] }"
    assert refusal(text, name="e.config.mjs") == (
        "e.config.mjs:2: ReferenceError: __dirname is not defined in ES module scope"
    )


@pytest.fixture
def held(tmp_path):
    """Give the path of a pipe, and what was written to it when nobody holds it open any more."""
    os.mkfifo(tmp_path / "held")
    reader = os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reader, True)

    def rest():
        return b"".join(iter(lambda: os.read(reader, 100), b""))

    yield json.dumps(str(tmp_path / "held")), rest
    os.close(reader)


def test_a_file_that_does_not_end_is_given_up_and_leaves_nothing_behind(refusal, held):
    path, rest = held
    text = f"""
    const held = require('fs').openSync({path}, 'w')
    require('child_process').spawn('sleep', ['1000'], {{ stdio: ['ignore', held, 'ignore'] }})
    require('fs').writeSync(held, 'started')
    while (true) {{}}
    """
    said = refusal(text, longest=4.0)
    assert said == "ecosystem.config.js: does not end within 4 s; something in it waits"
    assert rest() == b"started"


def test_what_a_file_starts_ends_with_it_and_its_timers_do_not_hold_anything_up(read, held):
    path, rest = held
    text = f"""
    const held = require('fs').openSync({path}, 'w')
    require('child_process').spawn('sleep', ['1000'], {{ stdio: ['ignore', held, 'ignore'] }})
    require('fs').writeSync(held, 'started')
    setInterval(() => {{}}, 1000)
    module.exports = {APPS}
    """
    assert read(text).value == {"apps": [{"script": "a.js"}]}
    assert rest() == b"started"


def test_a_large_answer_comes_whole(read):
    found = read("module.exports = { text: 'x'.repeat(3_000_000) }")
    assert len(found.value["text"]) == 3_000_000


def test_the_version_of_node_is_known_without_asking_again(read):
    assert read(f"module.exports = {APPS}").node_version == node_version(ENVIRON)


# -- other runtimes -------------------------------------------------------------------------------


@pytest.fixture
def fake(tmp_path):
    """Put a program into a PATH of its own; it gives as answer who it is and its arguments."""

    def fake(*names, answer=None):
        folder = tmp_path / "path"
        folder.mkdir(exist_ok=True)
        for name in names:
            said = answer or {"value": {"runtime": name}, "lost": [], "version": None}
            lines = (
                f"#!{sys.executable}",
                "import json, os, sys",
                f"answer = {said!r}",
                "answer.get('value', {})['args'] = sys.argv[1:-3]",
                "os.write(int(sys.argv[-1]), json.dumps(answer).encode() + b'\\n')",
            )
            (folder / name).write_text("\n".join(lines))
            (folder / name).chmod(0o755)
        return {"PATH": str(folder)}

    return fake


DENO = ["run", "--allow-all", "--no-lock", "--quiet"]


@pytest.mark.parametrize(
    ("name", "there", "value"),
    [
        ("e.config.js", ("deno", "bun", "node"), {"runtime": "node", "args": []}),
        ("e.config.js", ("deno", "bun"), {"runtime": "bun", "args": []}),
        ("e.config.js", ("deno",), {"runtime": "deno", "args": DENO}),
        ("e.config.ts", ("deno", "bun", "node"), {"runtime": "bun", "args": []}),
        ("e.config.ts", ("deno", "node"), {"runtime": "deno", "args": DENO}),
        ("e.config.ts", ("node",), {"runtime": "node", "args": []}),
    ],
)
def test_node_reads_scripts_and_bun_reads_typescript_first(read, fake, name, there, value):
    assert read("", name=name, environ=fake(*there)).value == value


def test_without_any_of_them_the_user_is_told_what_is_missing(refusal, fake):
    assert refusal("", environ=fake()) == (
        "ecosystem.config.js: to read it takes node, bun or deno, and none is in PATH; "
        "install one, or write the file as .json or .yaml"
    )


def test_typescript_with_an_old_node_is_refused_with_what_it_needs(refusal, fake):
    error = {"text": "TypeError: Unknown", "line": None, "code": "ERR_UNKNOWN_FILE_EXTENSION"}
    environ = fake("node", answer={"error": error, "version": "20.1.0"})
    assert refusal("", name="e.config.ts", environ=environ) == (
        "e.config.ts: TypeScript needs bun, deno or Node 22.6 or later; this is Node 20.1.0"
    )


# -- whole projects -------------------------------------------------------------------------------


def test_arguments_and_numbers_are_those_of_javascript():
    """PM2's own expression, run by Node, and what is made of it here."""
    texts = ["".join(p) for p in zip(*[iter("ab -='\"=\\\t é\u00a0" * 40)] * 7, strict=False)]
    numbers = [
        mantissa * 10.0**e for mantissa in (1, 1.5, -7.25, 123456789) for e in range(-12, 26)
    ]
    program = r"""
    const [texts, numbers] = JSON.parse(require('fs').readFileSync(0))
    const quoted = (v) => (v[0] === '"' || v[0] === "'") && v[v.length - 1] === v[0]
    const cut = (v) => (quoted(v) ? v.slice(1, -1) : v)
    const expression = /[^\s"'=]+="[^"]*"|[^\s"'=]+='[^']*'|"([^"]*)"|'([^']*)'|\S+/g
    const split = (v) => (v.match(expression) || []).map(cut).filter((v) => v && v.trim())
    console.log(JSON.stringify([texts.map(split), numbers.map(String)]))
    """
    node = shutil.which("node") or "node"
    said = json.dumps([texts, numbers])
    answer = subprocess.run(
        [node, "-e", program], input=said, capture_output=True, text=True, check=True
    )
    words, written = json.loads(answer.stdout)
    assert [list(split_arguments(text)) for text in texts] == words
    assert [js_text(number) for number in numbers] == written


THREE_APPS = """
module.exports = {
  apps: [
    {
      name: "namegame-web",
      script: "pnpm",
      args: "start:web",
      env: { NODE_ENV: "production", PORT: 3000 },
    },
    {
      name: "namegame-worker",
      script: "pnpm",
      args: "--filter worker start",
      env: { NODE_ENV: "production" },
    },
    {
      name: "namegame-chat",
      script: 'sh', args: '-c "cd apps/chat && npm start"',
      env: { NODE_ENV: "production", CHAT_PORT: 3001 },
    },
  ],
};
"""

COMPOSE_AND_FRONTEND = """
module.exports = {
  apps: [
    {
      name: 'frontend', cwd: './frontend', script: 'npm', args: 'start',
      env: { NODE_ENV: 'development', CHOKIDAR_USEPOLLING: 'true', FAST_REFRESH: true },
      max_memory_restart: '512M', restart_delay: 5000, watch: false, autorestart: true,
      out_file: './logs/out.log', error_file: './logs/error.log',
      log_date_format: 'YYYY-MM-DD HH:mm:ss',
    },
    { name: 'backend-services', script: 'docker-compose', args: 'up', kill_timeout: 30000 },
    { name: 'health-monitor', script: './scripts/pm2-health-monitor.js', restart_delay: 5000 },
  ],
};
"""

CLUSTER = """
module.exports = {
  apps: [{
    name: 'nocturnal-api',
    script: './server.js',
    instances: process.env.NODE_ENV === 'production' ? 'max' : 1,
    exec_mode: 'cluster',
    autorestart: true,
    max_restarts: 10,
    min_uptime: '10s',
    exp_backoff_restart_delay: 100,
    max_memory_restart: '500M',
    wait_ready: true,
    listen_timeout: 10000,
    kill_timeout: 5000,
    error_file: './logs/pm2-error.log',
    out_file: './logs/pm2-out.log',
    log_file: './logs/pm2-combined.log',
    merge_logs: true,
    log_date_format: 'YYYY-MM-DD HH:mm:ss Z',
    env: { NODE_ENV: 'development' },
    env_production: { NODE_ENV: 'production' },
  }],
};
"""


@pytest.fixture
def project(tmp_path):
    for path in ("frontend/package.json", "scripts/pm2-health-monitor.js", "server.js"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("{}")
    for tool in ("pnpm", "npm", "docker-compose", "sh"):
        (tmp_path / "path").mkdir(exist_ok=True)
        (tmp_path / "path" / tool).write_text("#!/bin/sh\n")
        (tmp_path / "path" / tool).chmod(0o755)
    environ = {**ENVIRON, "PATH": f"{tmp_path / 'path'}:{ENVIRON['PATH']}"}
    environ.pop("NODE_ENV", None)

    def project(text, env_name=None):
        (tmp_path / "ecosystem.config.js").write_text(text)
        return read_ecosystem(
            "ecosystem.config.js", cwd=str(tmp_path), environ=environ, env_name=env_name
        )

    return project


def test_three_apps_of_a_monorepo_are_what_they_were(project):
    found = project(THREE_APPS)
    assert [service.argv for service in found.services] == [
        ("pnpm", "start:web"),
        ("pnpm", "--filter", "worker", "start"),
        ("sh", "-c", "cd apps/chat && npm start"),
    ]
    web = found.services[0]
    assert dict(web.env) == {"NODE_ENV": "production", "PORT": "3000", "NODE_APP_INSTANCE": "0"}
    assert found.places["namegame-worker"] == "ecosystem.config.js:11"
    assert (found.warnings, found.problems) == ((), {})


def test_a_frontend_beside_docker_compose_is_what_it_was(project, tmp_path):
    found = project(COMPOSE_AND_FRONTEND)
    frontend, backend, monitor = found.services
    assert (frontend.argv, frontend.cwd) == (("npm", "start"), str(tmp_path / "frontend"))
    assert frontend.log.path == str(tmp_path / "frontend/logs/out.log")
    assert frontend.max_memory.size == 512 * 1024**2
    assert dict(frontend.env)["FAST_REFRESH"] == "true"
    assert (backend.command, backend.stop.timeout) == ("docker-compose up", 30.0)
    assert monitor.argv == ("node", str(tmp_path / "scripts/pm2-health-monitor.js"))
    assert found.problems == {}
    assert found.warnings == (
        (
            'ecosystem.config.js: apps "frontend", "health-monitor": restart_delay: '
            "5 s before each restart; no first start waits for it"
        ),
    )


def test_a_cluster_is_what_it_was(project):
    found = project(CLUSTER, env_name="production")
    (service,) = found.services
    assert (service.shares_ports, found.instances) == (True, {"nocturnal-api": 1})
    assert (service.restart.when, service.restart.tries) == (RestartWhen.ALWAYS, 10)
    assert (service.restart.min_uptime, service.restart.delay) == (10.0, 0.1)
    assert (service.ready.timeout, service.stop.timeout) == (10.0, 5.0)
    assert service.stop.signal == signal.SIGINT
    assert dict(service.env)["NODE_ENV"] == "production"
    assert (found.problems, found.ignored) == ({}, ())
    assert found.warnings == (
        (
            'ecosystem.config.js: app "nocturnal-api": log_file: out_file and '
            "error_file are written, the file for both together is not"
        ),
        (
            'ecosystem.config.js: app "nocturnal-api": log_date_format: Z gives an offset without '
            "colon (+0200)"
        ),
    )
