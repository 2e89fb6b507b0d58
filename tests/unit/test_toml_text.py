"""A resolved project as TOML reads back as the same project."""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import replace

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devrun.appearance import ColorLevel
from devrun.config.resolve import Resolution, resolve
from devrun.config.settings import RunSettings
from devrun.config.time_format import parse_time_format
from devrun.config.toml.schema_json import schema
from devrun.config.toml.text import to_toml
from devrun.config.toml.texts import age_text, duration_text, size_text, time_format_text
from devrun.config.toml.values import age, seconds, size
from devrun.errors import UsageError
from devrun.model import Project, RestartPolicy, RestartWhen, Service

VALIDATOR = jsonschema.Draft202012Validator(schema())
ENVIRON = {"PATH": "/usr/bin:/bin"}


def resolution(text: str, root: str) -> Resolution:
    with open(os.path.join(root, "devrun.toml"), "w", encoding="utf-8", newline="") as file:
        file.write(text)
    said = RunSettings(files=("devrun.toml",))
    return resolve(said, cwd=root, environ=ENVIRON, color_level=ColorLevel.TRUE)


def read(text: str, root: str) -> Project:
    return resolution(text, root).project


def as_toml(found: Resolution) -> str:
    return to_toml(found.project, show_values=True, colors=found.defined.toml.colors)


ENV_FILES = (".env", "~one", "sub/a $b")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    for name in ("src", "sub", ".git"):
        (folder / name).mkdir()
    for name in ENV_FILES:
        (folder / name).write_text("X=y\n")
    return str(folder)


# -- any project --------------------------------------------------------------------------------

WORDS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), min_size=1, max_size=8
)
COMMANDS = WORDS.filter(str.strip)
PATHS = st.from_regex(r"[a-z~$ ][a-z0-9_. $-]{0,5}[a-z](/[a-z~]{1,4})?", fullmatch=True)
TIMES = st.from_regex(r"(0|[1-9][0-9]{0,3})(\.[0-9]{1,3})?(ms|s|m)", fullmatch=True)
SOME_TIME = st.from_regex(r"[1-9][0-9]{0,3}(ms|s|m)", fullmatch=True)
SIZES = st.from_regex(r"[1-9][0-9]{0,3}[MG]", fullmatch=True)
SIGNALS = st.sampled_from(["SIGTERM", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGKILL"])
VARIABLES = st.from_regex(r"[A-Z_][A-Z0-9_.-]{0,5}", fullmatch=True)
FILES = st.sampled_from([f"./{name}" for name in ENV_FILES])
REGEXES = st.sampled_from(["listening", r"port \d+$", "^a|b$", "$$", r"\$${1}"])
TRUTHS = st.booleans()

PROBE = st.one_of(
    st.fixed_dictionaries({"port": st.sampled_from([80, "1.2.3.4:80", "[::1]:1"])}),
    st.fixed_dictionaries(
        {"http": st.sampled_from(["http://x/", "https://u:p$@h/?a=$b"])},
        optional={"status": st.sampled_from([204, ["200-299", 304]]), "body": REGEXES},
    ),
    st.fixed_dictionaries({"exec": COMMANDS | st.lists(WORDS, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"file": PATHS}),
)
GATE = st.one_of(
    PROBE,
    st.fixed_dictionaries({"log": REGEXES}),
    st.sampled_from([{"notify": True}, {"ipc": True}, {"delay": "1s"}]),
)


def with_more(base, **more):
    return st.builds(lambda one, two: one | two, base, st.fixed_dictionaries({}, optional=more))


ENDS = st.lists(st.integers(0, 255) | SIGNALS, max_size=3)
LIMITS = st.dictionaries(
    st.sampled_from(["nofile", "core", "as"]),
    st.integers(0, 2**40) | st.just("unlimited") | st.just([1, 5]) | st.just([1, "unlimited"]),
)
SERVICE = {
    "cwd": PATHS,
    "shell": st.just("/bin/sh"),
    "env": st.dictionaries(VARIABLES, WORDS | st.integers() | TRUTHS, max_size=3),
    "env_file": FILES | st.lists(FILES, max_size=2),
    "cluster": TRUTHS,
    "ready": with_more(
        GATE, timeout=SOME_TIME.filter(lambda t: seconds(t, "") > 1), on_timeout=st.just("continue")
    ),
    "health": with_more(
        PROBE, interval=TIMES, timeout=TIMES, retries=st.integers(1, 9), start_period=TIMES
    ),
    "start_delay": TIMES,
    "restart": st.sampled_from(["no", "on-failure", "always"]),
    "no_restart_on": st.lists(st.just(3), max_size=1),
    "restart_on": ENDS.map(lambda ends: [end for end in ends if end != 3]),
    "backoff": with_more(
        st.just({}),
        initial=TIMES.filter(lambda t: seconds(t, "") < 60),
        factor=st.floats(1, 9),
        jitter=st.floats(0, 1),
        max=st.just("2m"),
    ),
    "max_restarts": st.integers(-1, 99),
    "min_uptime": TIMES | st.just("inf"),
    "restart_delay": TIMES,
    "restart_limit": st.just("5/60s"),
    "on_exit": st.sampled_from(["ignore", "stop", "stop-on-failure"]),
    "stop": st.fixed_dictionaries(
        {},
        optional={
            "signal": SIGNALS,
            "interrupt": SIGNALS,
            "timeout": TIMES,
            "command": COMMANDS,
            "message": TRUTHS,
            "scope": st.sampled_from(["group", "main"]),
        },
    ),
    "max_memory": SIZES | st.fixed_dictionaries({"size": SIZES, "action": st.just("reload")}),
    "nice": st.integers(-20, 19),
    "limits": LIMITS,
    "watch": st.one_of(
        TRUTHS,
        st.lists(st.sampled_from(["src", "src/**/*.ts", "*.{a,b}", "x y"]), min_size=1),
        st.just({"paths": ["src/#x"], "debounce": "1s", "poll": True, "ignore": ["*.b$"]}),
        with_more(
            st.just({"paths": True}),
            debounce=TIMES,
            ignore=st.lists(st.sampled_from(["dist/", "!*.log", "*.log", "a b"]), max_size=3),
        ),
    ),
    "tty": TRUTHS | st.just("auto"),
    "raw": TRUTHS,
    "hidden": TRUTHS,
    "color": st.sampled_from(["blue", "bold.#ff8800", "bgRgb(1,2,3)"]),
}
LOG = with_more(
    st.just({}),
    max_size=SIZES,
    keep=st.sampled_from(["14d", "1.5h", 3, ["2w", 30]]),
    compress=TRUTHS,
    timestamps=TRUTHS,
    time_format=st.just("%H:%M $$"),
    json=TRUTHS,
)
RUN = {
    "env_file": FILES | st.lists(FILES, max_size=2),
    "env_override": TRUTHS,
    "on_exit": st.sampled_from(["ignore", "stop", "stop-on-failure"]),
    "max_processes": st.integers(1, 99),
    "teardown": st.fixed_dictionaries(
        {"commands": COMMANDS | st.lists(COMMANDS, max_size=2)},
        optional={"timeout": TIMES, "shell": st.just("/bin/sh")},
    ),
    "shutdown_timeout": TIMES,
    "prefix": st.sampled_from(["name", "none", "[{name} $${name}]", "{time} "]),
    "timestamps": TRUTHS | st.sampled_from(["HH:mm", "%H $$", "'at ''o'HH'h'", "iso"]),
    "watch_ignore": st.lists(st.sampled_from(["dist/", "!/a$b", "*.log"]), max_size=2),
}
NAMES = st.from_regex(r"[A-Za-z0-9_@][A-Za-z0-9_@:/-]{0,5}", fullmatch=True)


@st.composite
def documents(draw) -> dict[str, object]:
    """A project that the reader takes."""
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    services: dict[str, dict[str, object]] = {}
    for place, name in enumerate(names):
        keys = draw(st.sets(st.sampled_from(sorted(SERVICE)), max_size=8))
        table: dict[str, object] = {key: draw(SERVICE[key]) for key in sorted(keys)}
        words = COMMANDS if "shell" in keys else COMMANDS | st.lists(COMMANDS, min_size=1)
        table["command"] = draw(words)
        table |= draw(own(place))
        if place:
            table["depends_on"] = draw(depends(names[:place]))
        services[name] = table
    run = draw(st.fixed_dictionaries({}, optional=RUN))
    targets = ["all", "first", "last", f"command-{names[0]}", f"!command-{names[-1]}"]
    members = draw(st.lists(st.sampled_from(names), unique=True))
    strategy = draw(st.sampled_from(["one_for_one", "rest_for_one", "one_for_all"]))
    groups = draw(st.sampled_from([{}, {"x.y": {"services": members, "strategy": strategy}}]))
    found = {**run, "success": draw(st.sampled_from(targets)), "services": services}
    return {**found, "groups": groups} if groups else found


def own(place: int):
    """What no two services may have."""
    sockets = [f"tcp:{place + 100}", f"unix:run $/{place}.sock"]
    return st.fixed_dictionaries(
        {},
        optional={
            "port": st.integers(1000 * place + 2000, 1000 * place + 2900),
            "instances": st.integers(1, 3),
            "sockets": st.sampled_from([sockets, {"a": sockets[0], "b$": sockets[1]}]),
            "log": LOG.map(lambda log: {**log, "file": f"logs/{place}.log"}),
        },
    )


def depends(names):
    table = st.fixed_dictionaries(
        {},
        optional={
            "condition": st.sampled_from(["started", "ready"]),
            "on_restart": st.sampled_from(["ignore", "restart", "stop"]),
            "required": TRUTHS,
        },
    )
    listed = st.lists(st.sampled_from(names), unique=True)
    said = st.sampled_from(["started", "ready"]) | table
    return listed | st.dictionaries(st.sampled_from(names), said)


def toml(value: object) -> str:
    """A value as TOML, on one line."""
    match value:
        case dict():
            pairs = (f"{toml(str(key))} = {toml(each)}" for key, each in value.items())
            return f"{{ {', '.join(pairs)} }}"
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case _:
            return repr(value).lower()


def written(document: dict[str, object]) -> str:
    return "".join(f"{key} = {toml(value)}\n" for key, value in document.items())


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(document=documents())
def test_a_project_reads_back_as_itself(document, root):
    found = resolution(written(document), root)
    text = as_toml(found)
    assert read(text, root) == found.project
    # What the reader takes and gives, the schema takes too.
    for each in (written(document), text):
        assert [error.message for error in VALIDATOR.iter_errors(tomllib.loads(each))] == []


# -- the form -----------------------------------------------------------------------------------


def test_the_text_is_what_one_would_write(root):
    project = read(
        """
        env_file = []
        [defaults]
        restart = "on-failure"
        [services.db]
        command = "postgres"
        ready = { port = 5432 }
        [services.web]
        command = ["node", "server.js"]
        cwd = "src"
        env = { TOKEN = "secret" }
        depends_on = ["db"]
        instances = 2
        port = 3000
        stop.signal = "INT"
        """,
        root,
    )
    assert to_toml(project) == (
        """\
env_file = []

[services.db]
command = "postgres"
ready = { port = 5432, timeout = "1m" }
restart = "on-failure"

[services.web]
command = ["node", "server.js"]
cwd = "src"
env = { TOKEN = "********" }
port = 3000
instances = 2
depends_on = { db = "ready" }
restart = "on-failure"
stop = { signal = "SIGINT" }
"""
    )


def test_origins_are_comments(root):
    project = read("env_file = []\n[services]\nweb = 'x'", root)
    origins = {("web", "command"): "devrun.toml:2", ("", "env_file"): "default"}
    assert to_toml(project, origins=origins).splitlines() == [
        "env_file = []  # default",
        "",
        "[services.web]",
        'command = "x"  # devrun.toml:2',
    ]


def test_what_comes_from_the_command_line_has_a_place_too(root):
    command = Service(0, None, "npm start", root)
    restarts = RestartPolicy(RestartWhen.ON_FAILURE, tries=3, delay=0.5)
    web = Service(1, "web", "x", root, restart=restarts)
    project = Project(root, "the command line", (command, web))
    again = read(to_toml(project), root)
    assert [service.name for service in again.services] == ["0", "web"]
    assert again.services[1] == replace(web, process="web")


# -- single values ------------------------------------------------------------------------------


@given(st.floats(0, 3e7))
def test_a_time_reads_back_as_itself(number):
    assert seconds(duration_text(number), "") == number
    assert age(age_text(number), "") == number


@given(st.integers(0, 2**53))
def test_a_size_reads_back_as_itself(number):
    assert size(size_text(number), "") == number


def test_times_and_sizes_have_the_unit_that_one_would_take():
    assert [duration_text(n) for n in (0, 0.05, 0.1, 1, 90, 300, 7200)] == [
        "0s",
        "50ms",
        "100ms",
        "1s",
        "90s",
        "5m",
        "2h",
    ]
    assert [size_text(n) for n in (1, 1024, 500 << 20, 1 << 30)] == ["1B", "1K", "500M", "1G"]
    assert age_text(14 * 86400.0) == "14d"


TOKENS = st.sampled_from(["HH", "mm", "yyyy", "S", "'it''s'", "''", "-", ": ", "%", "'at'"])


@given(st.lists(TOKENS).map("".join).filter(lambda text: "m" in text) | st.just("iso"))
def test_a_format_of_times_reads_back_as_itself(text):
    try:
        form = parse_time_format(text, "")
    except UsageError:
        return
    assert parse_time_format(time_format_text(form), "") == form
