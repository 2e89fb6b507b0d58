"""A running project can be asked, steered and followed on its socket, by whoever may."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from api import Api, can_be_asked, close_all, sockets_in
from running import program, until

TWO = """
[services.web]
command = ["{python}", "-u", "-c", "print('web begins'); import time; time.sleep(600)"]
env = {{ SECRET = "not for you" }}
instances = 2

[services.worker]
command = ["{python}", "-u", "-c", "print('worker begins'); import time; time.sleep(600)"]
ready = {{ log = "begins" }}
depends_on = ["web"]
"""


@pytest.fixture(autouse=True)
def connections():
    """See to it that no connection outlives its test."""
    yield
    close_all()


@pytest.fixture
def runtime(tmp_path_factory):
    folder = tmp_path_factory.mktemp("r")
    folder.chmod(0o700)
    return folder


@pytest.fixture
def start(devrun, runtime, tmp_path):
    """Start devrun; return the run and where it can be asked."""

    def start(*words, **options):
        known = sockets_in(runtime)
        run = devrun(*words, env_added={"XDG_RUNTIME_DIR": str(runtime)}, **options)
        new = lambda: [path for path in sockets_in(runtime) if path not in known]
        until(lambda: new() and can_be_asked(new()[0]), "the run can be asked")
        return run, new()[0]

    return start


@pytest.fixture
def two(start, tmp_path):
    """Two services, one of them twice, all of them up."""
    (tmp_path / "devrun.toml").write_text(TWO.format(python=sys.executable))
    run, path = start()
    api = Api(path)
    api.get("/v1/wait?for=ready&timeout=30")
    return run, api


def outcomes(said):
    return {each["name"]: each["outcome"] for each in said["results"]}


# -- who may ---------------------------------------------------------------------------------------


def test_only_this_user_can_enter(two):
    _, api = two
    path = Path(api._path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE((path.parent / "project").stat().st_mode) == 0o600


def test_a_run_says_of_itself_which_it_is(two, tmp_path):
    _run, api = two
    said = json.loads((Path(api._path).parent / "project").read_text())
    told = api.get("/v1/project")
    for name in ("root", "name", "source", "pid", "since", "managed", "detached"):
        assert told[name] == said[name]
    assert told["root"] == str(tmp_path)
    assert told["source"] == "devrun.toml"
    assert told["managed"] is True
    assert told["stopping"] is False
    assert told["services"] == ["web", "worker"]
    os.kill(told["pid"], 0)


def test_a_second_devrun_of_a_project_is_refused_with_who_and_since_when(two, devrun, runtime):
    _run, api = two
    second = devrun(env_added={"XDG_RUNTIME_DIR": str(runtime)})
    assert second.wait() == 2
    pid = api.get("/v1/project")["pid"]
    assert re.search(
        rf"devrun: this project runs already \(pid {pid}, since \d\d:\d\d, devrun\.toml\); --name"
        " gives a second one a name of its own",
        second.text,
    )
    assert "begins" not in second.text
    assert api.get("/v1/project")["stopping"] is False


def test_of_two_that_are_started_at_once_one_runs(devrun, runtime, tmp_path):
    (tmp_path / "devrun.toml").write_text('[services.web]\ncommand = "sleep 600"\n')
    runs = [devrun(env_added={"XDG_RUNTIME_DIR": str(runtime)}) for _ in range(4)]
    until(lambda: sum(run.process.poll() is not None for run in runs) == 3, "three are refused")
    assert sorted(run.process.poll() or 0 for run in runs) == [0, 2, 2, 2]


def test_a_project_whose_devrun_was_killed_can_be_run_again(start, tmp_path):
    (tmp_path / "devrun.toml").write_text(TWO.format(python=sys.executable))
    run, path = start()
    os.kill(Api(path).get("/v1/project")["pid"], signal.SIGKILL)
    run.wait()
    _, again = start()
    assert again != path
    assert Api(again).get("/v1/project")["managed"] is True


def test_what_answers_is_loaded_when_somebody_asks_and_takes_less_than_15_mb(start):
    _, path = start("a=sleep 600")  # Somebody has connected, and gone without a word.
    pid = json.loads((path.parent / "project").read_text())["pid"]
    # A library that Hypercorn loads, and nothing else of devrun's.
    assert "_multiprocessing" not in Path(f"/proc/{pid}/maps").read_text()
    before = private_memory(pid)
    api = Api(path)
    for what in ("project", "services", "instances", "stats", "openapi.json"):
        api.get(f"/v1/{what}")
    assert api.lines("/v1/logs") == []
    assert "_multiprocessing" in Path(f"/proc/{pid}/maps").read_text()
    assert private_memory(pid) - before < 15 * 1024 * 1024


def private_memory(pid):
    """Return the bytes of memory that are a process's own."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    (dirty,) = (line for line in lines if line.startswith("Private_Dirty:"))
    return int(dirty.split()[1]) * 1024


def test_plain_commands_can_be_asked_too_and_several_times(start, tmp_path):
    _, one = start("a=sleep 600")
    _, other = start("b=sleep 600")
    assert Api(one).get("/v1/project")["services"] == ["a"]
    assert Api(other).get("/v1/project")["services"] == ["b"]
    assert Api(other).get("/v1/project")["managed"] is False


# -- what is there ---------------------------------------------------------------------------------


def test_services_and_their_instances_are_listed(two):
    _, api = two
    assert api.get("/v1/services")["services"] == [
        {"name": "web", "instances": ["web.1", "web.2"], "state": "running"},
        {"name": "worker", "instances": ["worker"], "state": "ready"},
    ]
    instances = {each["name"]: each for each in api.get("/v1/instances")["instances"]}
    assert [*instances] == ["web.1", "web.2", "worker"]
    web, worker = instances["web.2"], instances["worker"]
    assert (web["service"], web["number"], web["ready"]) == ("web", 2, None)
    assert (worker["state"], worker["ready"], worker["health"]) == ("ready", True, None)
    assert worker["restarts"] == 0
    assert worker["last_exit"] is None
    assert worker["processes"] == 1
    assert worker["memory"] > 1_000_000
    os.kill(worker["pid"], 0)
    assert api.get("/v1/instances/worker")["pid"] == worker["pid"]


def test_a_service_is_shown_without_the_values_of_its_variables(two):
    _, api = two
    said = api.get("/v1/services/web")
    assert said["config"]["env"] == {"SECRET": "********"}
    assert "not for you" not in json.dumps(said)
    assert [each["name"] for each in said["instances"]] == ["web.1", "web.2"]


def test_ports_and_what_a_tree_uses_are_those_of_the_processes(start, tmp_path):
    (tmp_path / "listens.py").write_text(
        "import socket, time; s = socket.create_server(('127.0.0.1', 0)); time.sleep(600)"
    )
    _, path = start(f"a=sh -c '{sys.executable} listens.py; true'")
    api = Api(path)
    until(lambda: api.get("/v1/instances/a")["ports"], "it listens")
    said = api.get("/v1/instances/a")
    assert said["processes"] == 2
    (usage,) = api.get("/v1/stats")["instances"]
    assert (usage["name"], usage["processes"], usage["threads"]) == ("a", 2, 2)


# -- what can be done ------------------------------------------------------------------------------


def test_a_service_is_restarted_and_the_answer_comes_when_it_is_up(two):
    _, api = two
    before = api.get("/v1/instances/worker")
    assert outcomes(api.post("/v1/services/worker/restart")) == {"worker": "restarted"}
    after = api.get("/v1/instances/worker")
    assert after["state"] == "ready"
    assert after["generation"] == before["generation"] + 1
    assert after["pid"] != before["pid"]
    assert after["restarts"] == 1
    assert after["last_exit"]["signal"] == "SIGTERM"
    assert after["last_exit"]["stopped"] is True


def test_one_instance_alone_is_stopped_and_started_again(two):
    _, api = two
    assert outcomes(api.post("/v1/services/web.2/stop")) == {"web.2": "stopped"}
    assert api.get("/v1/services")["services"][0]["state"] == "mixed"
    assert outcomes(api.post("/v1/services/web.2/stop")) == {"web.2": "unchanged"}
    assert outcomes(api.post("/v1/services/web.2/start")) == {"web.2": "started"}
    assert api.get("/v1/instances/web.2")["state"] == "running"


def test_everything_can_be_stopped_and_the_run_goes_on(two):
    _, api = two
    assert set(outcomes(api.post("/v1/stop")).values()) == {"stopped"}
    assert {each["state"] for each in api.get("/v1/services")["services"]} == {"stopped"}
    assert set(outcomes(api.post("/v1/start")).values()) == {"started"}


def test_a_service_is_scaled_up_and_down(two):
    _, api = two
    said = outcomes(api.post("/v1/services/web/scale", {"instances": 3}))
    assert said == {"web.1": "unchanged", "web.2": "unchanged", "web.3": "started"}
    said = outcomes(api.post("/v1/services/web/scale", {"instances": 1}))
    assert said == {"web.1": "unchanged", "web.2": "removed", "web.3": "removed"}
    assert api.get("/v1/services")["services"][0]["instances"] == ["web.1"]


def test_a_signal_reaches_the_program(start):
    _, path = start(f"a={program('says_signals')}" if False else "a=exec sleep 600")
    api = Api(path)
    pid = api.get("/v1/instances/a")["pid"]
    assert api.post("/v1/services/a/signal", {"signal": "kill"})["results"] == [
        {"name": "a", "pid": pid, "pids": [pid], "reason": None}
    ]


def test_what_fails_is_a_conflict_with_what_became_of_each(start, tmp_path):
    (tmp_path / "devrun.toml").write_text("""
        [services.bad]
        command = "exit 3"
        ready = { log = "never" }
        [services.good]
        command = "sleep 600"
    """)
    _, path = start()
    api = Api(path)
    status, said = api.ask("POST", "/v1/services/bad/start")
    assert status == 409
    assert said["status"] == 409
    assert outcomes(said) == {"bad": "failed"}
    assert "bad: " in said["detail"]


def test_waiting_ends_when_it_is_so_when_it_cannot_be_and_in_time(two):
    _, api = two
    assert api.get("/v1/wait?service=worker&for=ready&timeout=5")["services"] == ["worker"]
    status, said = api.ask("GET", "/v1/wait?service=web&service=worker&for=exited&timeout=0")
    assert (status, said["detail"]) == (408, "web, worker are not exited within 0 s")
    api.post("/v1/services/worker/stop")
    status, said = api.ask("GET", "/v1/wait?service=worker&for=ready&timeout=60")
    assert (status, said["detail"]) == (409, "worker will not be ready: stopped")
    assert api.get("/v1/wait?service=worker&for=stopped")["state"] == "stopped"


def test_waiting_hears_of_what_happens_meanwhile(two):
    _, api = two
    waits = Api(api._path)
    waits.request("GET", "/v1/wait?service=worker&for=stopped&timeout=60")
    api.post("/v1/services/worker/stop")
    assert json.loads(waits.getresponse().read()) == {"services": ["worker"], "state": "stopped"}


def test_the_run_is_ended_and_says_that_it_will_be(two):
    run, api = two
    assert api.post("/v1/shutdown", {"kill": False}) == {"accepted": True}
    run.wait()
    assert not os.path.exists(api._path)


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "detail"),
    [
        ("GET", "/", None, 404, "there is no /; /v1/openapi.json says what there is"),
        ("GET", "/v1/services/wbe", None, 404, 'did you mean "web"?'),
        ("GET", "/v1/services/we%2Fb", None, 404, 'no service "we/b" runs here'),
        ("GET", "/v1/instances/web", None, 404, "web has several instances: web.1, web.2"),
        ("POST", "/v1/services/nope/restart", None, 404, 'no service "nope" runs here'),
        ("GET", "/v1/services/web/restart", None, 405, "GET is not possible there; POST is"),
        ("HEAD", "/v1/project", None, 405, None),
        ("DELETE", "/v1/project", None, 405, "DELETE is not possible there; GET is"),
        ("GET", "/v1/project?x=1", None, 422, 'unknown parameter "x"; there are none here'),
        ("GET", "/v1/logs?tial=1", None, 422, 'unknown parameter "tial"; there are service, tail,'),
        (
            "GET",
            "/v1/logs?tail=ten",
            None,
            422,
            'the parameter "tail" has to be a whole number from 0 to 1,000,000',
        ),
        ("GET", "/v1/logs?follow=maybe", None, 422, '"follow" has to be true or false'),
        ("GET", "/v1/logs?since=soon", None, 422, '"since" has to be a number up to'),
        ("GET", "/v1/logs?service=%ff", None, 404, 'no service "\udcff" runs here'),
        ("GET", "/v1/logs?tail=%ff", None, 422, "has to be UTF-8"),
        ("GET", "/v1/logs?stream=%ff", None, 422, "has to be UTF-8"),
        ("GET", "/v1/logs?%ff=1", None, 422, "has to be UTF-8"),
        ("GET", "/v1/logs?grep=%5B%ff", None, 422, "is no regular expression"),
        ("GET", "/v1/wait?service=%ff", None, 404, 'no service "\udcff" runs here'),
        ("GET", "/v1/services/%ff", None, 404, 'no service "\udcff" runs here'),
        ("GET", "/v1/logs?tail=1&tail=2", None, 422, 'the parameter "tail" stands twice'),
        ("GET", "/v1/logs?grep=(", None, 422, "is no regular expression"),
        ("GET", "/v1/logs?service=nope", None, 404, 'no service "nope" runs here'),
        (
            "GET",
            "/v1/wait?for=raedy",
            None,
            422,
            "has to be one of ready, running, healthy, stopped, exited; did you mean",
        ),
        ("POST", "/v1/services/web/scale", b"", 422, 'the key "instances" is missing'),
        ("POST", "/v1/services/web/scale", b"{", 400, "the body is no JSON"),
        ("POST", "/v1/services/web/scale", b"[" * 60_000, 422, "has to be a JSON object"),
        ("POST", "/v1/services/web/scale", {"instances": -1}, 422, "a whole number from 0 to"),
        ("POST", "/v1/services/web/scale", {"count": 1}, 422, 'unknown key "count"'),
        ("POST", "/v1/services/web/scale", b'{"instances": "\\udcff"}', 422, "has to be UTF-8"),
        ("POST", "/v1/services/web/scale", b'{"instances": "\\udcff}', 400, "is no JSON"),
        ("GET", "/v1/instances/worker/attach", None, 426, "has to ask for the upgrade"),
        ("GET", "http://other/v1/services/nope", None, 404, 'no service "nope" runs here'),
        ("POST", "/v1/services/web/scale", b"x" * 70_000, 413, "longer than 65536 bytes"),
        ("POST", "/v1/services/web/signal", {"signal": "HOP"}, 422, 'did you mean "HUP"?'),
        ("POST", "/v1/services/web/signal", {"signal": 4711}, 422, 'there is no signal "4711"'),
    ],
)
def test_what_is_wrong_is_said_as_a_problem(two, method, path, body, status, detail):
    _, api = two
    if method == "HEAD":
        api.request("HEAD", path)
        assert api.getresponse().status == 405
        return
    found, said = api.ask(method, path, body)
    assert found == said["status"] == status
    assert {"type", "title", "detail"} <= {*said}
    assert detail in said["detail"]
    assert Api(api._path).get("/v1/project")["services"] == ["web", "worker"]


# -- lines -----------------------------------------------------------------------------------------


def test_the_last_lines_are_given_as_they_were(two):
    _, api = two
    lines = api.lines("/v1/logs")
    assert sorted((line["instance"], line["line"]) for line in lines) == [
        ("web.1", "web begins"),
        ("web.2", "web begins"),
        ("worker", "worker begins"),
    ]
    assert api.lines("/v1/logs?tail=1") == [lines[-1]]
    assert api.lines("/v1/logs?tail=1&service=web.1") == [
        line for line in lines if line["instance"] == "web.1"
    ]
    assert api.lines("/v1/logs?grep=work.r&tail=5") == [lines[-1]]
    assert api.lines("/v1/logs?stream=err") == []
    assert api.lines(f"/v1/logs?since={lines[-1]['at'] + 1}") == []


def test_a_pattern_that_would_take_for_ever_is_given_up(start):
    _, path = start(f"a=echo {'a' * 40}b; sleep 600")
    api = Api(path)
    until(lambda: api.lines("/v1/logs"), "it is there")
    said = api.lines("/v1/logs?grep=(a%2B)%2B%24")
    assert said == [{"cut_off": "the regular expression takes too long"}]
    assert api.get("/v1/project")["services"] == ["a"]


def test_a_follower_gets_what_was_and_all_that_comes_to_the_last_line(start, tmp_path):
    command = "cat lines; while [ ! -e go ]; do sleep 0.05; done; cat more"
    (tmp_path / "lines").write_text("".join(f"{n}\n" for n in range(500)))
    (tmp_path / "more").write_text("".join(f"{n}\n" for n in range(500, 9000)) + "no newline")
    run, path = start(f"a={command}")
    stream = Api(path).stream("/v1/logs?follow=true&tail=100000")
    seen = [json.loads(stream.readline())["line"]]
    (tmp_path / "go").touch()
    seen += [json.loads(line)["line"] for line in stream]
    assert seen == [*map(str, range(9000)), "no newline"]
    assert run.wait() == 0


def test_followers_of_one_service_hear_of_instances_that_come_to_be(two):
    _, api = two
    stream = Api(api._path).stream("/v1/logs?follow=true&service=web&tail=0")
    api.post("/v1/services/web/scale", {"instances": 3})
    api.post("/v1/services/worker/restart")
    assert json.loads(stream.readline())["instance"] == "web.3"


def test_a_prompt_is_a_line_for_who_does_not_follow(start):
    _, path = start("a=printf 'one\\ntwo? '; sleep 600")
    api = Api(path)
    until(lambda: len(api.lines("/v1/logs")) == 2, "both are there")
    assert [line["line"] for line in api.lines("/v1/logs?tail=1")] == ["two? "]


# -- events ----------------------------------------------------------------------------------------


def events(response, until_kind):
    """Return the events up to one of a kind: number, kind and data."""
    found, begun = [], {}
    for line in response:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name:
            begun[name] = value
        elif "event" in begun:
            found.append((int(begun["id"]), begun["event"], json.loads(begun["data"])))
            if begun["event"] == until_kind:
                return found
            begun = {}
    raise AssertionError(found)


def test_what_happens_is_told_as_it_happens_and_again_to_who_missed_it(two):
    _, api = two
    stream = Api(api._path).stream("/v1/events")
    api.post("/v1/services/worker/restart")
    seen = events(stream, "ready")
    kinds = [kind for _, kind, _ in seen if kind != "notice"]
    assert kinds == ["exited", "restarted", "started", "ready"]
    exited = next(data for _, kind, data in seen if kind == "exited")
    assert exited["instance"] == "worker"
    assert exited["status"] == {"code": None, "signal": "SIGTERM"}
    again = Api(api._path).stream("/v1/events", {"Last-Event-ID": str(seen[1][0])})
    assert events(again, "ready") == seen[2:]


# -- bad manners -----------------------------------------------------------------------------------


def test_what_is_no_http_and_who_goes_away_disturb_nobody(two):
    run, api = two
    for sent in (
        b"",
        b"\0" * 5000,
        b"GET /v1/project HTTP/1.1\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ):
        rude = Api(api._path)
        rude.connect()
        rude.sock.sendall(sent)
        rude.close()
    for path in ("/v1/logs?follow=true", "/v1/events", "/v1/wait?for=exited"):
        rude = Api(api._path)
        rude.request("GET", path)
        rude.close()
    assert api.get("/v1/project")["services"] == ["web", "worker"]
    run.signal(signal.SIGTERM).wait()
    assert "defect" not in run.text
    assert "Traceback" not in run.text


def test_a_run_ends_although_somebody_listens_and_reads_nothing(start):
    run, path = start(f"a={program('floods', 1000, '--forever')}", stdout=subprocess.DEVNULL)
    deaf = Api(path)
    deaf.request("GET", "/v1/logs?follow=true")
    Api(path).stream("/v1/logs?follow=true").readline()
    run.signal(signal.SIGTERM).wait()
    deaf.close()
