"""Every mistake in a devrun.toml is one line: where, what, and what to write instead."""

from __future__ import annotations

import pytest

from devrun.config.toml.project import read_project
from devrun.config.toml.reader import has_section
from devrun.errors import UsageError


@pytest.fixture
def complaint(tmp_path):
    """Return what is said of a text, without the file's name."""

    def said(text, *, name="devrun.toml", **more):
        content = text if isinstance(text, bytes) else text.encode()
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UsageError) as error:
            read_project([name], cwd=str(tmp_path), environ={"PATH": "/usr/bin:/bin"}, **more)
        message = str(error.value)
        assert "\n" not in message
        return message.removeprefix(f"{name}:")

    return said


WEB = "[services.web]\ncommand = 'x'\n"
TWO = "[services]\ndb = 'x'\n" + WEB

WRONG = {
    # Unknown keys
    "[services.web]\ncomand = 'x'": (
        '2: services.web: unknown key "comand"; did you mean "command"?'
    ),
    WEB + "ready = { prot = 1 }": (
        '3: services.web: unknown key "ready.prot"; did you mean "ready.port"?'
    ),
    WEB + "[services.web.ready]\nport = 1\ntimout = '1s'": (
        '5: services.web: unknown key "ready.timout"; did you mean "ready.timeout"?'
    ),
    "[servces.web]\ncommand = 'x'": '1: unknown key "servces"; did you mean "services"?',
    "[defaults]\nrestrat = 'no'\n" + WEB: (
        '2: defaults: unknown key "restrat"; did you mean "restart"?'
    ),
    WEB
    + "[groups.x]\nstrat = 1": '4: unknown key "groups.x.strat"; did you mean "groups.x.strategy"?',
    WEB + "zzz = 1": '3: services.web: unknown key "zzz"',
    # Wrong kinds
    WEB + "restart = 'alway'": (
        '3: services.web: restart = "alway": must be "always", "no" or "on-failure"'
        '; did you mean "always"?'
    ),
    WEB + "cwd = 5": "3: services.web: cwd = 5: must be a text",
    WEB + "env = 'A=1'": '3: services.web: env = "A=1": must be a table',
    WEB + "env = { A = [1] }": (
        "3: services.web: env.A = […]: must be a text, a whole number, a number or true or false"
    ),
    WEB + "raw = 'yes'": '3: services.web: raw = "yes": must be true or false',
    WEB + "profiles = 'full'": '3: services.web: profiles = "full": must be a list of texts',
    WEB + "profiles = [1]": "3: services.web: profiles[1] = 1: must be a text",
    WEB + "tty = 'aut'": (
        '3: services.web: tty = "aut": must be true or false or "auto"; did you mean "auto"?'
    ),
    "services = 5": "1: services: must be a table; write [services]",
    "defaults = 5": "1: defaults: must be a table; write [defaults]",
    "[services]\nweb = 5": "2: services.web: must be a text or a table; write [services.web]",
    "[services]\nweb = 1979-05-27": (
        "2: services.web: must be a text or a table; write [services.web]"
    ),
    WEB + "ready = true": (
        "3: services.web: ready = true: says too little; write { port = 3000 }, or false for none"
    ),
    WEB + "max_memory = true": (
        '3: services.web: max_memory = true: says too little; write "500M", or false for none'
    ),
    # Times and sizes
    WEB + "start_delay = 10": (
        '3: services.web: start_delay = 10: a unit is missing; write "10s" or "10ms"'
    ),
    WEB + "start_delay = '10'": (
        '3: services.web: start_delay "10": a unit is missing; write 10ms, 10s or 10m'
    ),
    WEB + "ready = { port = 1, timeout = 2.5 }": (
        '3: services.web: ready.timeout = 2.5: a unit is missing; write "2.5s" or "2.5ms"'
    ),
    WEB + "min_uptime = '1y'": (
        '3: services.web: min_uptime "1y": no such unit "y"; there are ms, s, m and h'
    ),
    WEB + "max_memory = 500": (
        '3: services.web: max_memory = 500: a unit is missing; write "500M" or "500K"'
    ),
    WEB + "max_memory = '500'": (
        '3: services.web: max_memory "500": a unit is missing; write 500M or 500K'
    ),
    WEB + "max_memory = '500K'": (
        '3: services.web: max_memory "500K": less than any program needs; write "500M"'
    ),
    WEB + "max_memory = { action = 'reload' }": (
        '3: services.web: max_memory: a size is missing; write size = "500M"'
    ),
    WEB + "max_memory = 'much'": (
        '3: services.web: max_memory "much": not a size; write for example 500M or 2G'
    ),
    # Numbers
    WEB + "port = 0": "3: services.web: port = 0: must be from 1 to 65535",
    WEB + "port = 'x'": '3: services.web: port "x": not a whole number',
    WEB + "instances = 0": "3: services.web: instances = 0: must be from 1 to 1000",
    WEB + "instances = 'many'": (
        '3: services.web: instances = "many": must be a whole number or "max"'
    ),
    WEB + "nice = 20": "3: services.web: nice = 20: must be from -20 to 19",
    WEB + "max_restarts = -2": (
        "3: services.web: max_restarts = -2: must be from -1 to 1000000000"
    ),
    WEB + "backoff = { factor = 0.5 }": (
        "3: services.web: backoff.factor = 0.5: must be from 1 to 100"
    ),
    WEB + "backoff = { jitter = nan }": (
        "3: services.web: backoff.jitter = nan: must be from 0 to 1"
    ),
    WEB + "restart = 'always'\nbackoff = { initial = '2s', max = '1s' }": (
        '4: services.web: backoff.max "1s": is less than initial'
    ),
    WEB + "restart_limit = '5'": (
        '3: services.web: restart_limit "5": write COUNT/TIME, for example 5/60s'
    ),
    WEB + "restart_on = [256]": "3: services.web: restart_on = 256: must be from 0 to 255",
    WEB + "restart_on = ['1']": (
        '3: services.web: restart_on "1": write 1 without quotes for an exit code, '
        "or the name of a signal"
    ),
    WEB + "restart_on = [1]\nno_restart_on = [1]": (
        "4: services.web: no_restart_on: 1 is in restart_on too"
    ),
    WEB + "stop = { signal = 'SIGTREM' }": (
        '3: services.web: stop.signal "SIGTREM": no such signal; did you mean "SIGTERM"?'
    ),
    WEB + "stop.command = ' '": "3: services.web: stop.command: the command is empty",
    WEB + "limits = { nofiles = 5 }": (
        '3: services.web: limits.nofiles: no such limit; did you mean "nofile"? There are as, '
        "core, cpu, data, fsize, memlock, msgqueue, nofile, nproc, rss, rtprio, rttime, "
        "sigpending, stack"
    ),
    WEB + "limits = { nofile = [2, 1] }": (
        "3: services.web: limits.nofile: the soft limit is above the hard one"
    ),
    WEB + "limits = { nofile = [1] }": (
        "3: services.web: limits.nofile: write one limit, or soft and hard as [1024, 4096]"
    ),
    # Probes
    WEB + "ready = { port = 1, log = 'x' }": (
        "3: services.web: ready.log and port contradict each other; leave one out"
    ),
    WEB + "ready = { timeout = '1s' }": (
        "3: services.web: ready: nothing to wait for; "
        "write one of port, http, exec, file, log, notify, ipc or delay"
    ),
    WEB + "health = {}": (
        "3: services.web: health: nothing to wait for; write one of port, http, exec or file"
    ),
    WEB + "health = { log = 'x' }": (
        "3: services.web: health.log: is for ready alone; health takes port, http, exec or file"
    ),
    WEB + "ready = 'x'": (
        '3: services.web: ready = "x": must be a table or false'
        '; write for example { port = 3000 } or { log = "listening" }'
    ),
    # Lines of elements
    WEB + "restart_on = [\n 75,\n 'SIGTREM',\n]": (
        '5: services.web: restart_on "SIGTREM": no such signal; did you mean "SIGTERM"?'
    ),
    WEB + "profiles = [\n 'x',\n 1,\n]": "5: services.web: profiles[2] = 1: must be a text",
    WEB + "watch = [\n '.',\n '[x',\n]": '5: services.web: watch "[x": "[" without "]"',
    WEB + "sockets = [\n 'tcp:1',\n 'tcp:x',\n]": (
        '5: services.web: sockets "tcp:x": no socket; write tcp:3000, tcp:127.0.0.1:3000 or '
        "unix:PATH"
    ),
    WEB + "depends_on = [\n 'wbe',\n]": '4: services.web: depends_on: no service "wbe"',
    TWO + "depends_on = [\n 'db',\n 'bd',\n]": (
        '7: services.web: depends_on: no service "bd"; there is only "db"'
    ),
    WEB + "env_file = [\n 'a',\n '${NOSUCH}',\n]": (
        '5: services.web: env_file "${NOSUCH}": the variable NOSUCH is not set'
        "; set it, or write ${NOSUCH:-default}"
    ),
    WEB + "[groups.x]\nservices = [\n 'web',\n 'x',\n]": (
        '6: groups.x.services: no service "x"; there is only "web"'
    ),
    WEB + "ready = { port = '${PORT}' }": (
        '3: services.web: ready.port "${PORT}": the variable PORT is not set'
        "; give the service a port, or write ${PORT:-default}"
    ),
    # Placeholders
    WEB + "log = 'logs/{nam}.log'": (
        '3: services.web: log "logs/{nam}.log": unknown placeholder "{nam}"'
        '; did you mean "{name}"? There are {name}, {instance}'
    ),
    WEB + "raw = '${X:-maybe}'": '3: services.web: raw = "maybe": must be true or false',
    "[tool.devrun.services]\nweb = 'x'": (
        "1: [tool.devrun] is for pyproject.toml"
        "; write [services.web] here, not [tool.devrun.services.web]"
    ),
    WEB
    + "ready = { port = 1, body = 'x' }": "3: services.web: ready.body: is for http, not for port",
    WEB + "ready = { log = '(' }": (
        '3: services.web: ready.log "(": not a regular expression: '
        "missing ), unterminated subpattern at position 0"
    ),
    WEB + "ready = { port = 'x' }": (
        '3: services.web: ready.port "x": no port; write 3000 or "host:3000"'
    ),
    WEB + "ready = { http = 'localhost:3000' }": (
        '3: services.web: ready.http "localhost:3000": no URL; write http://localhost:3000/health'
    ),
    WEB + "ready = { http = 'http://x', status = '300-200' }": (
        '3: services.web: ready.status "300-200": no status codes; write 200 or "200-299"'
    ),
    WEB + "ready = { delay = '5s', timeout = '5s' }": (
        '3: services.web: ready.timeout "5s": is over before the delay'
    ),
    WEB + "ready = { exec = [] }": "3: services.web: ready.exec: the command is empty",
    # Names, commands, folders, files
    "[services.web]\ncwd = '.'": '1: services.web: no command; write command = "…"',
    "[services.web]\ncommand = ' '": "2: services.web: command: the command is empty",
    "[services.web]\ncommand = []": "2: services.web: command: the command is empty",
    "[services.web]\ncommand = ['x']\nshell = 'sh'": (
        "3: services.web: shell: is for a command line, and command is a list"
    ),
    WEB + "shell = 'nosuch'": '3: services.web: shell "nosuch": no such program',
    "[services.'a b']\ncommand = 'x'": (
        '1: services: "a b" is no name; use letters, digits and _ - . / : @'
    ),
    WEB + "env = { '1' = 'x' }": '3: services.web: env.1: "1" is no name of a variable',
    WEB + "cwd = ''": '3: services.web: cwd "": a folder is missing',
    WEB + "env_file = ['']": '3: services.web: env_file "": a path is missing',
    WEB + "color = 'blu'": '3: services.web: color "blu": "blu" is no colour; did you mean "blue"?',
    WEB + "color = 'red,blue'": '3: services.web: color "red,blue": one colour is enough',
    WEB + "log = {}": '3: services.web: log: no file; write file = "logs/web.log"',
    WEB + "log = ''": '3: services.web: log "": no name of a file',
    WEB + "log = { file = 'x', keep = ['1d', '2d'] }": (
        '3: services.web: log.keep: write a time, a number of files, or one of each: ["14d", 30]'
    ),
    WEB + "log = { file = 'x', time_format = 'HH:mm' }": (
        '3: services.web: log.time_format "HH:mm": no time in it; '
        "write for example %Y-%m-%d %H:%M:%S"
    ),
    WEB + "watch = []": "3: services.web: watch: a path is missing; write false for none",
    WEB + "watch = ['src/[']": '3: services.web: watch "src/[": "[" without "]"',
    WEB + "watch = { ignore = ['!'] }": '3: services.web: watch.ignore "!": a pattern is missing',
    WEB + "sockets = '3000'": (
        '3: services.web: sockets "3000": no socket; '
        "write tcp:3000, tcp:127.0.0.1:3000 or unix:PATH"
    ),
    WEB + "sockets = ['tcp:1', 'tcp:1']": "3: services.web: sockets: the same socket twice",
    WEB + "sockets = { 'a:b' = 'tcp:1' }": (
        '3: services.web: sockets.a:b: "a:b" is no name of a socket; it cannot hold a colon'
    ),
    # Dependencies
    TWO + "depends_on = ['dv']": (
        '5: services.web: depends_on: no service "dv"; there is only "db"'
    ),
    TWO + "depends_on = { dv = 'ready' }": (
        '5: services.web: depends_on.dv: no service "dv"; there is only "db"'
    ),
    TWO + "depends_on = ['web']": "5: services.web: depends_on: a service cannot wait for itself",
    TWO + "depends_on = { db = 'redy' }": (
        '5: services.web: depends_on.db = "redy": must be "completed", "healthy", "ready", '
        '"started" or a table; did you mean "ready"?'
    ),
    TWO + "depends_on = { db = 'healthy' }": (
        '5: services.web: depends_on.db: "db" is never healthy, because it has no health; '
        "give it one, or write ready"
    ),
    "[services.web]\ncommand = 'x'\ndepends_on.db = 'completed'\n"
    "[services.db]\ncommand = 'x'\nrestart = 'always'": (
        '3: services.web: depends_on.db: "db" is never completed, because it has '
        'restart = "always"; write restart = "on-failure" there'
    ),
    "[services.a]\ncommand='x'\ndepends_on=['b']\n[services.b]\ncommand='x'\ndepends_on=['c']\n"
    "[services.c]\ncommand='x'\ndepends_on=['b']": (
        "9: services.c: depends_on: a circle: b -> c -> b"
    ),
    # What two services cannot both have
    TWO + "port = 1\n[services.b]\ncommand = 'x'\nport = 1": (
        '8: services.b: port: port 1 is that of "web" too; see devrun.toml:5'
    ),
    TWO + "port = 1\ninstances = 3\n[services.b]\ncommand = 'x'\nport = 3": (
        '9: services.b: port: port 3 is that of "web" too; see devrun.toml:5'
    ),
    TWO + "port = 1\n[services.b]\ncommand = 'x'\nsockets = ['tcp:1']": (
        '8: services.b: sockets: port 1 is that of "web" too; see devrun.toml:5'
    ),
    "[services.web]\ncommand = 'x'\ninstances = 2\n[services.'web.1']\ncommand = 'x'": (
        '4: services.web.1: the name "web.1" is that of "web" too; see devrun.toml:1'
    ),
    # The run
    WEB + "group = 'x'": '3: services.web: group: no group "x"; write [groups.x]',
    WEB + "[groups.x]\nservices = ['wep']": (
        '4: groups.x.services: no service "wep"; did you mean "web"? There is only "web"'
    ),
    "success = 'command-x'\n" + WEB: '1: success command-x: no service "x"; there is only "web"',
    "success = 'al'\n" + WEB: (
        '1: success "al": not a condition; did you mean "all"? '
        "There are all, first, last, command-NAME, !command-NAME"
    ),
    "max_processes = 0\n" + WEB: '1: max_processes "0": must be from 1 to 100000',
    "teardown = ''\n" + WEB: "1: teardown: the command is empty",
    "teardown = {}\n" + WEB: "1: teardown: commands are missing",
    "prefix = '{nam}'\n" + WEB: (
        '1: prefix "{nam}": no such placeholder {nam}; did you mean "name"?'
    ),
    "timestamps = 'tt'\n" + WEB: (
        """1: timestamps "tt": "t" is no date token; write 't' if the letter is meant"""
    ),
    "watch_ignore = ['']\n" + WEB: '1: watch_ignore "": a pattern is missing',
    # Variables
    WEB + "cwd = '${NOSUCH}'": (
        '3: services.web: cwd "${NOSUCH}": the variable NOSUCH is not set; '
        "set it, or write ${NOSUCH:-default}"
    ),
    WEB + "cwd = '${A'": (
        '3: services.web: cwd "${A": write ${NAME} or ${NAME:-default}, or $$ for a dollar'
    ),
    WEB + "cwd = '${A B}'": (
        '3: services.web: cwd "${A B}": write ${NAME} or ${NAME:-default}, or $$ for a dollar'
    ),
    # TOML itself
    "[services.web\n": "1:14: not TOML: expected ']' at the end of a table declaration",
    "a = 1\na = 2": "2:6: not TOML: cannot overwrite a value",
    "a = ": "1:5: not TOML: invalid value",
    WEB + 'cwd = "a\\u0000b"': (
        "3: services.web.cwd: a NUL character, which nothing on a system can hold"
    ),
    b"a = 1\nb = '\xff'": "2: not UTF-8",
    "": ' no services in it; write [services.web] and command = "…"',
    "[services]": ' no services in it; write [services.web] and command = "…"',
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: repr(text)[-40:])
def test_a_mistake_is_one_line_that_says_where(complaint, text):
    assert complaint(text) == WRONG[text]


def test_a_path_to_watch_is_in_a_folder(complaint, tmp_path):
    said = complaint(WEB + "watch = 'nosuch/x'")
    there = tmp_path / "nosuch"
    assert said == f'3: services.web: watch "nosuch/x": there is no folder {there}'


def test_nothing_runs_if_all_is_disabled(complaint):
    text = WEB + "disabled = true"
    assert complaint(text) == "nothing is left to run: all services are disabled"


def test_two_services_cannot_write_the_same_file(complaint, tmp_path):
    text = "[defaults]\nlog = 'x.log'\n[services]\na = 'x'\nb = 'x'"
    path = tmp_path / "x.log"
    expected = f'2: services.b: log: the file {path} is that of "a" too; see devrun.toml:2'
    assert complaint(text) == expected


def test_a_profile_that_no_service_has(complaint):
    text = WEB + "profiles = ['full']"
    assert complaint(text, profiles=frozenset(["ful"])) == (
        '--profile "ful": no such profile; did you mean "full"? There is only "full"'
    )
    assert complaint(text) == "nothing is left to run; ask for one with --profile: full"


def test_a_pyproject_without_a_part_for_devrun(complaint):
    assert complaint("[tool.x]", name="pyproject.toml") == " no [tool.devrun] in it"
    said = complaint("[tool]\ndevrun = 1", name="pyproject.toml")
    assert said == "2: devrun: must be a table; write [tool.devrun]"


def test_whether_a_pyproject_has_a_part_for_devrun():
    assert has_section("[tool.devrun.services]\nweb = 'x'")
    assert not has_section("[tool.other]\nname = 'devrun'")
    assert not has_section("[tool.devrun")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(UsageError, match="is a folder"):
        read_project(["."], cwd=str(tmp_path), environ={})


def test_what_is_nested_too_deeply_is_an_error(complaint):
    text = "a = " + "[" * 5000 + "]" * 5000
    assert "nested too deeply" in complaint(text)
