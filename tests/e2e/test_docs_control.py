"""The page about a running project: its commands are run, and its JSON is what is printed."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest
from fake_control import FakeRun, Lines, instance, log_line

from devrun.cli.subcommands import CONTROL_COMMANDS
from devrun.control.shapes import LastExit
from devrun.events import Event, Output
from devrun.supervise.results import Done
from devrun.supervise.standing import Word

PAGE = Path(__file__).parents[2] / "docs" / "control.md"
TEXT = PAGE.read_text()
LINES = [
    line
    for block in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
    for line in re.findall(r"^\$ devrun(.*)", block, re.MULTILINE)
]
NAMES = ("db", "web", "worker", "migrate")


@pytest.fixture
def runtime(tmp_path):
    """Have a run in the folder of the test; return the runtime folder."""
    folder = Path(tempfile.mkdtemp(prefix="devrun-t-", dir="/tmp"))
    (folder / "devrun").mkdir(mode=0o700)
    services = {name: [name] for name in NAMES}
    run = FakeRun(folder / "devrun" / "run.1", tmp_path, services=services, name="blue")
    run.answers["GET", "/v1/instances"] = {"instances": [instance(name) for name in NAMES]}
    run.answers["GET", "/v1/services/web"] = {
        "name": "web",
        "instances": [instance("web")],
        "config": {"command": "true"},
        "origins": {},
        "unread": None,
        "exits": [],
        "probes": [],
    }
    run.answers["GET", "/v1/logs"] = lambda _q, _b: Lines(log_line("db", "up", 1.0)).end()
    run.answers["GET", "/v1/events"] = lambda _q, _b: Lines(
        'event: started\ndata: {"type":"started","at":1.0,"service":"web","instance":"web"}\n\n'
    ).end()
    run.answers["GET", "/v1/wait"] = {"services": [], "state": "ready"}
    done = {"results": [{"name": "web", "outcome": "restarted", "reason": None}]}
    run.answers["POST", "/v1/restart"] = done
    for name in NAMES:
        for what in ("restart", "stop", "reload", "scale"):
            run.answers["POST", f"/v1/services/{name}/{what}"] = done
        sent = {"results": [{"name": name, "pid": 12, "pids": [12], "reason": None}]}
        run.answers["POST", f"/v1/services/{name}/signal"] = sent
    yield folder
    run.close()
    shutil.rmtree(folder)


@pytest.mark.parametrize("line", LINES)
def test_a_command_line_does_what_it_is_for(devrun, runtime, line):
    words = shlex.split(line, comments=True)
    terminal = (24, 100) if "--watch" in words else None
    run = devrun(*words, env_added={"XDG_RUNTIME_DIR": str(runtime)}, terminal=terminal)
    if terminal:
        run.wait_for("migrate").signal(15)
        assert run.wait() == -15
        return
    assert run.wait() == 0, run.text
    assert run.text


def test_every_command_is_shown():
    elsewhere = {"attach": "attach.md", "down": "detached.md", "up": "detached.md"}
    for command, page in elsewhere.items():
        assert re.search(rf"`{command}`.*\({page}\)", TEXT)
    assert {shlex.split(line)[0] for line in LINES} | {*elsewhere} >= {*CONTROL_COMMANDS}


def test_the_json_of_ps_has_the_keys_of_the_page(devrun, runtime):
    shown = json.loads(re.search(r"```json\n(.*?)```", TEXT, re.DOTALL)[1])
    run = devrun("ps", "--json", env_added={"XDG_RUNTIME_DIR": str(runtime)})
    assert run.wait() == 0
    printed = json.loads(run.text)
    assert printed.keys() == shown.keys()
    assert printed["runs"][0].keys() == shown["runs"][0].keys()


def test_an_instance_has_the_keys_that_the_api_has():
    from devrun.control.shapes import Instance

    (shown,) = json.loads(re.search(r"```json\n(.*?)```", TEXT, re.DOTALL)[1])["runs"][0][
        "instances"
    ]
    assert tuple(shown) == Instance.__struct_fields__
    assert tuple(shown["last_exit"]) == LastExit.__struct_fields__
    assert instance("web").keys() == shown.keys()


def printed(devrun, runtime, *words):
    """Return the keys of what a command prints, and of the objects of the first list in it."""
    run = devrun(*words, "--json", env_added={"XDG_RUNTIME_DIR": str(runtime)})
    assert run.wait() == 0, run.text
    text = run.text[run.text.index("{") :]
    said = json.loads(text.splitlines()[0] if words[0] == "logs" else text)
    lists = [each for each in said.values() if isinstance(each, list) and each]
    inner = lists[0][0] if lists and isinstance(lists[0][0], dict) else {}
    return [*said, *inner]


@pytest.mark.parametrize(
    "words",
    [
        ("restart", "web"),
        ("stop", "web"),
        ("reload", "web"),
        ("scale", "web=2"),
        ("signal", "web", "HUP"),
        ("wait", "web"),
        ("show", "web"),
        ("logs",),
        ("down", "--name", "red"),
    ],
)
def test_the_json_of_a_command_is_that_of_the_page(devrun, runtime, words):
    (row,) = (
        line
        for line in TEXT.partition("What it prints")[2].partition("## ")[0].splitlines()
        if line.startswith("| `") and f"`{words[0]}`" in line.split(" | ")[0]
    )
    shape = re.search(r"`(\{.*?\})`", row)[1]
    assert re.findall(r'"(\w+)"', shape) == printed(devrun, runtime, *words)


def test_what_is_in_a_shape_is_what_the_api_has():
    from devrun.control.shapes import NamedExit, Probe, ServiceDetail

    (row,) = (line for line in TEXT.splitlines() if line.startswith("| `show` |"))
    first, *_, probes = re.findall(r"`(\{.*?\})`", row)
    assert tuple(re.findall(r'"(\w+)"', first)[2:]) == ServiceDetail.__struct_fields__
    assert tuple(re.findall(r'"(\w+)"', probes)) == Probe.__struct_fields__
    assert {*NamedExit.__struct_fields__} - {*LastExit.__struct_fields__} == {"instance"}


def test_every_event_has_its_fields_on_the_page():
    _, _, behind = TEXT.partition("What else an event")
    rows = re.findall(r"^\| `(\w+)` \| (`.*?) \|", behind, re.MULTILINE)
    shown = {kind: re.findall(r"`(\w+)`", fields) for kind, fields in rows}
    assert shown == {
        re.sub("(?<!^)(?=[A-Z])", "_", each.__name__).lower(): [
            field.name for field in fields(each) if field.name not in ("instance", "at")
        ]
        for each in get_args(Event)
        if each is not Output
    }


def test_every_state_is_explained():
    rows = re.findall(r"^\| (`.*?) \|", TEXT.partition("## Follow")[0], re.MULTILINE)
    assert {word for row in rows for word in re.findall(r"`(\w+)`", row)} == {w.value for w in Word}


def test_every_outcome_is_named():
    (row,) = (line for line in TEXT.splitlines() if line.startswith("| `restart`, `stop`"))
    assert {word.value for word in Done} <= {*re.findall(r"`(\w+)`", row)}
