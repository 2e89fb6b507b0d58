"""The commands that ask a running devrun, against one."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from running import MARK, until

PROJECT = """
[services.db]
command = "echo db is up; exec sleep 600"

[services.web]
command = "echo web is up; exec sleep 600"
instances = 2
depends_on = ["db"]
ready = { delay = "10ms" }
stop = { timeout = "20s" }
env = { TOKEN = "hush" }

[services.migrate]
command = "echo migrated"
"""
PAGE = Path(__file__).parents[2] / "docs" / "control.md"


@pytest.fixture
def runtime():
    folder = tempfile.mkdtemp(prefix="devrun-t-", dir="/tmp")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def start(devrun, runtime):
    """Start a devrun, or a command that asks it."""

    def do(*words, **env):
        return devrun(*words, env_added={"XDG_RUNTIME_DIR": runtime, **env})

    return do


@pytest.fixture
def ask(start):
    """Run a command to its end; return its exit code and what it said."""

    def do(*words):
        run = start(*words)
        return run.wait(), run.text

    return do


@pytest.fixture
def project(start, ask, tmp_path):
    """Have the project run, with everything up; end it afterwards."""
    (tmp_path / "devrun.toml").write_text(PROJECT)
    run = start("--stop-timeout", "5s")
    assert ask("wait", "db", "web", "--timeout", "30s") == (0, "db, web: ready\n"), run.text
    yield run
    run.signal(signal.SIGTERM)
    assert run.wait() == -signal.SIGTERM


def instances(ask, *names):
    code, text = ask("ps", "--json", *names)
    assert code == 0, text
    return {each["name"]: each for each in json.loads(text)["runs"][0]["instances"]}


def test_ps_tells_how_each_one_is(ask, project):
    ask("wait", "migrate", "--for", "exited")
    found = instances(ask)
    states = {name: (each["state"], each["ready"]) for name, each in found.items()}
    assert states == {
        "db": ("running", None),
        "web.1": ("ready", True),
        "web.2": ("ready", True),
        "migrate": ("completed", None),
    }
    assert found["migrate"]["last_exit"]["code"] == 0
    os.kill(found["web.1"]["pid"], 0)


def test_services_are_stopped_and_started_again(ask, project):
    before = instances(ask, "web.2")["web.2"]
    assert ask("stop", "web.2") == (0, "web.2: stopped\n")
    assert ask("stop", "web.2") == (0, "web.2: does not run\n")
    stopped = instances(ask, "web.2")["web.2"]
    assert (stopped["state"], stopped["pid"]) == ("stopped", None)
    code, text = ask("restart", "web.2")
    assert code == 0
    assert re.fullmatch(r"web\.2: (re)?started\n", text)
    after = instances(ask, "web.2")["web.2"]
    assert after["state"] == "ready"
    assert after["pid"] != before["pid"]


def test_what_can_never_be_is_not_waited_for(ask, project):
    ask("wait", "migrate", "--for", "exited")
    code, said = ask("wait", "migrate", "--for", "running")
    assert code == 1
    assert said.startswith("devrun: migrate will not be running")
    assert len(said.splitlines()) == 1


def test_instances_come_and_go(ask, project):
    assert ask("scale", "web=3")[1].endswith("web.3: started\n")
    assert set(instances(ask, "web")) == {"web.1", "web.2", "web.3"}
    assert ask("scale", "web=3") == (0, "".join(f"web.{n}: unchanged\n" for n in (1, 2, 3)))
    assert ask("scale", "web=1")[0] == 0
    assert len(instances(ask, "web")) == 1


def test_a_signal_reaches_the_process(ask, project):
    pid = instances(ask, "db")["db"]["pid"]
    assert ask("signal", "db", "KILL") == (0, f"db: SIGKILL sent to pid {pid}\n")
    assert ask("wait", "db", "--for", "exited") == (0, "db: exited\n")
    assert instances(ask, "db")["db"]["last_exit"]["signal"] == "SIGKILL"


def test_logs_are_those_of_the_run(ask, start, project):
    code, text = ask("logs", "db")
    assert (code, text.split("] ")[1]) == (0, "db is up\n")
    code, text = ask("logs", "web", "--json")
    assert code == 0
    said = [json.loads(line) for line in text.splitlines()]
    assert sorted(line["instance"] for line in said) == ["web.1", "web.2"]
    assert {line["line"] for line in said} == {"web is up"}
    following = start("logs", "-f", "db", "--json").wait_for("db is up")
    ask("restart", "db")
    until(lambda: following.count("db is up") == 2, "the line of the new generation")
    following.signal(signal.SIGINT)
    assert following.wait() == -signal.SIGINT


def test_exactly_so_many_lines_are_shown(ask, project):
    assert len(ask("logs", "--lines", "2")[1].splitlines()) == 2
    assert ask("logs", "--lines", "0") == (0, "")
    assert len(ask("logs", "--grep", "is up", "--lines", "all")[1].splitlines()) == 3


def test_events_are_shown_as_they_happen(ask, start, project):
    plain, for_programs = start("events", "db"), start("events", "--json")
    for _ in range(100):  # Nothing says when the server has begun to tell them.
        ask("restart", "db")
        if "started" in plain.text and "started" in for_programs.text:
            break
    plain.wait_for("db ended by SIGTERM", "db started (pid ")
    for_programs.wait_for('"type":"started"')
    for run in (plain, for_programs):
        run.signal(signal.SIGINT)
        assert run.wait() == -signal.SIGINT
    said = [json.loads(line) for line in for_programs.lines]
    assert {"id", "type", "at", "service", "instance"} <= said[0].keys()


def test_show_says_where_each_value_is_from(ask, project):
    ask("scale", "web=3")
    code, text = ask("show", "web")
    assert code == 0
    origins = dict(re.findall(r"^  (.+?) +# (.+)$", text, re.MULTILINE))
    assert origins['stop.timeout = "5s"'] == "command line"
    assert origins['ready.delay = "10ms"'] == "devrun.toml:9"
    assert origins["instances = 3"] == "changed while it runs"
    assert "hush" not in text


STAND_IN = """#!/bin/sh
echo "$1"
kill -TERM "$(devrun ps --json | sed -n 's/^      "pid": \\([0-9]*\\),/\\1/p')"
"""
"""For npm: what it is asked for, and the end of the run."""


def test_the_line_of_the_page_for_scripts(runtime, tmp_path, mark):
    (line,) = re.findall(r"^\(devrun .*$", PAGE.read_text(), re.MULTILINE)
    (tmp_path / "devrun.toml").write_text(PROJECT)
    folder = tmp_path / "bin"
    folder.mkdir()
    devrun = f'#!/bin/sh\nexec {sys.executable} -m devrun "$@"\n'
    for name, text in (("devrun", devrun), ("npm", STAND_IN)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    env = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", MARK: mark}
    env |= {"XDG_RUNTIME_DIR": runtime, "HOME": str(tmp_path)}
    done = subprocess.run(
        ["/bin/sh", "-c", line], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "web: ready\ntest\n"), done.stderr
    log = tmp_path / "devrun.log"
    until(lambda: "exited with code SIGTERM" in log.read_text(), "the end of the run")
