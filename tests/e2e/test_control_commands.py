"""The commands that ask a running devrun, against a run that answers as a test tells it to."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from fake_control import FakeRun, Lines, Problem, instance, log_line
from running import MARK, until

SERVICES = {"web": ["web.1", "web.2"], "db": ["db"], "worker": ["worker"]}


@pytest.fixture
def runtime():
    """Return a runtime folder whose path has room for a socket's."""
    folder = Path(tempfile.mkdtemp(prefix="devrun-t-", dir="/tmp"))
    (folder / "devrun").mkdir(mode=0o700)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def fake(runtime, tmp_path):
    """Start a run that only seems to be one."""
    runs = []

    def start(root=tmp_path, *, services=SERVICES, **announced):
        place = runtime / "devrun" / f"run.{len(runs) + 1}"
        runs.append(FakeRun(place, root, services=services, **announced))
        return runs[-1]

    yield start
    for run in runs:
        run.close()


@pytest.fixture
def ask(devrun, runtime, tmp_path):
    """Run a command to its end; return its exit code and what it said."""

    def do(*words, cwd=tmp_path, **env):
        run = devrun_of(devrun, runtime, *words, cwd=cwd, **env)
        return run.wait(), run.text

    return do


def devrun_of(devrun, runtime, *words, cwd=None, terminal=None, **env):
    env = {"XDG_RUNTIME_DIR": str(runtime), "TMPDIR": str(runtime), **env}
    return devrun(*words, cwd=cwd, terminal=terminal, env_added=env)


def results(*outcomes):
    return {
        "results": [
            {"name": name, "outcome": outcome, "reason": reason}
            for name, outcome, reason in outcomes
        ]
    }


# -- which run ----------------------------------------------------------------------------------


def test_nothing_runs_here(ask, tmp_path):
    code, text = ask("ps")
    assert code == 1
    assert text.startswith(f"devrun: no devrun runs in {tmp_path}")
    assert len(text.splitlines()) == 1


def test_nothing_runs_here_but_elsewhere(ask, fake, tmp_path):
    elsewhere = tmp_path / "other"
    elsewhere.mkdir()
    fake(elsewhere)
    message = f"devrun: no devrun runs in {tmp_path}; devrun ps --all shows those elsewhere\n"
    assert ask("restart") == (1, message)


def test_the_run_of_a_folder_above_is_asked_from_below(ask, fake, tmp_path):
    run = fake()
    run.answers["GET", "/v1/instances"] = {"instances": [instance("db")]}
    below = tmp_path / "apps" / "web"
    below.mkdir(parents=True)
    code, text = ask("ps", cwd=below)
    assert code == 0
    assert "db" in text


def test_the_nearest_run_is_asked(ask, fake, tmp_path):
    below = tmp_path / "app"
    below.mkdir()
    fake().answers["GET", "/v1/instances"] = {"instances": [instance("above")]}
    fake(below).answers["GET", "/v1/instances"] = {"instances": [instance("below")]}
    _, text = ask("ps", cwd=below)
    assert "below" in text
    assert "above" not in text


def test_a_run_that_was_killed_is_none(ask, fake, tmp_path):
    fake().close()
    assert ask("ps")[0] == 1


def test_a_run_that_has_only_just_begun_is_waited_for(devrun, fake, runtime):
    run = fake(since=time.time(), listens=False)
    asking = devrun_of(devrun, runtime, "restart", "db")
    run.answers["POST", "/v1/services/db/restart"] = results(("db", "restarted", None))
    run.listen()
    assert asking.wait() == 0
    assert asking.text == "db: restarted\n"


def test_a_run_that_was_killed_hides_none_above(ask, fake, tmp_path):
    below = tmp_path / "app"
    below.mkdir()
    fake(below).close()
    fake().answers["GET", "/v1/instances"] = {"instances": [instance("db")]}
    assert ask("ps", cwd=below)[0] == 0


def test_a_service_is_looked_for_in_all_runs_of_the_folder(ask, fake):
    fake(services={"web": ["web"]})
    other = fake(services={"db": ["db"]}, pid=4712)
    other.answers["POST", "/v1/services/db/restart"] = results(("db", "restarted", None))
    assert ask("restart", "db") == (0, "db: restarted\n")


def test_a_service_of_two_runs_is_asked_back_for(ask, fake):
    fake(pid=1)
    fake(pid=2, name="second").answers["POST", "/v1/services/db/restart"] = results(
        ("db", "restarted", None)
    )
    code, text = ask("restart", "db")
    assert code == 2
    assert text == (
        'devrun: "db" runs in 2 devruns here; say which one is meant: --name 1 or --name second\n'
    )
    assert ask("restart", "db", "--name", "second") == (0, "db: restarted\n")
    assert ask("restart", "db", "--name=2") == (0, "db: restarted\n")


def test_what_concerns_a_whole_run_is_asked_back_for_if_there_are_two(ask, fake):
    fake(pid=1)
    fake(pid=2)
    code, text = ask("restart")
    assert code == 2
    assert "2 devruns run here; say which one is to be restarted: --name 1 or --name 2" in text


def test_a_name_that_no_run_has(ask, fake, tmp_path):
    fake()
    code, text = ask("ps", "--name", "blue")
    assert (code, text) == (1, f'devrun: no devrun that is called "blue" runs in {tmp_path}\n')


def test_folders_that_announce_nothing_are_passed_over(ask, runtime):
    for number, text in enumerate(["", "{", "[]", "{}", '{"root": 3}', "/plain/path"]):
        folder = runtime / "devrun" / f"run.{number}"
        folder.mkdir()
        (folder / "project").write_text(text)
    (runtime / "devrun" / "run.9").mkdir()
    assert ask("ps")[0] == 1


# -- answers that are none ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (b"", "went away while it was asked"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "went away while it was asked"),
        (b"220 mail.example.com ESMTP\r\n\r\n", "went away while it was asked"),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", "answers with what is no JSON"),
    ],
    ids=["nothing", "half", "another protocol", "no JSON"],
)
def test_an_answer_that_is_none_is_one_line(ask, runtime, tmp_path, said, text):
    folder = runtime / "devrun" / "run.1"
    folder.mkdir()
    (folder / "project").write_text(json.dumps({"root": str(tmp_path), "pid": 7}))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "control.sock"))
        listener.listen()

        def answer():
            stream, _ = listener.accept()
            with stream:
                stream.recv(65536)
                stream.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        assert ask("ps") == (1, f"devrun: the devrun of {tmp_path} (pid 7) {text}\n")
        thread.join()


# -- ps -----------------------------------------------------------------------------------------


def test_ps_shows_every_instance(ask, fake):
    run = fake()
    shown = [instance("web.1"), instance("web.2", state="failed", pid=None)]
    run.answers["GET", "/v1/instances"] = {"instances": shown}
    code, text = ask("ps")
    head, *lines = text.splitlines()
    assert code == 0
    assert head.split()[:4] == ["NAME", "STATE", "READY", "PID"]
    assert [line.split()[:4] for line in lines] == [
        ["web.1", "ready", "yes", "4242"],
        ["web.2", "failed", "yes", "-"],
    ]
    assert "\x1b" not in text


def test_ps_shows_named_services_alone(ask, fake):
    run = fake()
    run.answers["GET", "/v1/instances"] = {"instances": [instance("web.1"), instance("db")]}
    assert [line.split()[0] for line in ask("ps", "web")[1].splitlines()] == ["NAME", "web.1"]
    code, text = ask("ps", "wbe")
    assert (code, text) == (
        2,
        'devrun: no service "wbe" runs; did you mean "web"? There are web, db\n',
    )


def test_ps_for_programs(ask, fake, tmp_path):
    run = fake(name="blue", pid=12)
    run.answers["GET", "/v1/instances"] = {"instances": [instance("db")]}
    code, text = ask("ps", "--json")
    assert code == 0
    assert json.loads(text) == {
        "version": 1,
        "runs": [
            {
                "name": "blue",
                "root": str(tmp_path),
                "source": "devrun.toml",
                "pid": 12,
                "since": 1_700_000_000.0,
                "managed": True,
                "detached": False,
                "error": None,
                "instances": [instance("db")],
            }
        ],
    }


def test_ps_for_programs_where_nothing_runs(ask):
    code, text = ask("ps", "--json")
    assert code == 1
    assert json.loads(text.partition("devrun:")[0]) == {"version": 1, "runs": []}


def test_ps_of_all_projects_says_which(ask, fake, tmp_path):
    for number, name in enumerate(("one", "two")):
        (tmp_path / name).mkdir()
        run = fake(tmp_path / name, pid=number, name=name, detached=bool(number))
        run.answers["GET", "/v1/instances"] = {"instances": [instance(f"{name}-db")]}
    _, text = ask("ps", "--all")  # There may be others of this user on the machine.
    blocks = [block.splitlines() for block in text.split("\n\n") if str(tmp_path) in block]
    (first, _, one), (second, _, two) = blocks
    assert first.startswith(f"one: devrun.toml in {tmp_path / 'one'} (pid 0, since 20")
    assert second.startswith(f"two: devrun.toml in {tmp_path / 'two'} (pid 1, since 20")
    assert second.endswith(", detached)")
    assert (one.split()[0], two.split()[0]) == ("one-db", "two-db")


def test_a_run_that_cannot_be_asked_keeps_no_other_from_being_shown(ask, fake, tmp_path):
    fake().answers["GET", "/v1/instances"] = {"instances": [instance("db")]}
    (tmp_path / "x").mkdir()
    fake(tmp_path / "x", pid=7).answers["GET", "/v1/instances"] = Problem(503, "devrun is stopping")
    code, text = ask("ps", "--all")
    assert code == 1
    assert "\ndb " in text
    assert "devrun: devrun is stopping\n" in text


def test_ps_is_as_wide_as_the_terminal(devrun, fake, runtime):
    fake().answers["GET", "/v1/instances"] = {
        "instances": [instance("web.1", state="backoff", reason="very " * 40)]
    }
    run = devrun_of(devrun, runtime, "ps", terminal=(24, 60))
    assert run.wait() == 0
    head, line = run.display()
    assert head.split()[:2] == ["NAME", "STATE"]
    assert line.endswith("…")
    assert len(line) == 60
    assert "\x1b[33mbackoff" in run.text


def test_ps_redraws_in_place_and_puts_the_screen_back(devrun, fake, runtime):
    states = iter(["starting", "ready"])
    fake().answers["GET", "/v1/instances"] = lambda _query, _body: {
        "instances": [instance("db", state=next(states, "degraded"))]
    }
    run = devrun_of(devrun, runtime, "ps", "--watch", terminal=(24, 80))
    run.wait_for("ready", "degraded")
    until(lambda: any("degraded" in line for line in run.display()), "the table")
    assert len(run.display()) == 2
    run.signal(signal.SIGINT)
    assert run.wait() == -signal.SIGINT
    assert run.text.endswith("\x1b[?25h\x1b[?1049l")


def test_ps_goes_on_watching_when_the_run_has_ended(devrun, fake, runtime):
    run = fake()
    run.answers["GET", "/v1/instances"] = {"instances": [instance("db")]}
    watching = devrun_of(devrun, runtime, "ps", "-w", terminal=(24, 80)).wait_for("db")
    run.close()
    watching.wait_for("devrun: no devrun runs in")
    watching.signal(signal.SIGTERM)
    assert watching.wait() == -signal.SIGTERM
    assert watching.text.endswith("\x1b[?25h\x1b[?1049l")


def test_watching_ends_even_if_nothing_answers(devrun, fake, runtime):
    asked = threading.Event()
    answer = threading.Event()

    def late(_query, _body):
        asked.set()
        answer.wait()
        return {"instances": []}

    fake().answers["GET", "/v1/instances"] = iter_then(late)
    watching = devrun_of(devrun, runtime, "ps", "-w", terminal=(24, 80)).wait_for("db")
    assert asked.wait(30)
    watching.signal(signal.SIGINT)
    assert watching.wait() == -signal.SIGINT
    answer.set()


def iter_then(late):
    """Answer twice at once - once before the screen changes - and then as ``late`` does."""
    times = iter(range(2))

    def answer(query, body):
        if next(times, None) is None:
            return late(query, body)
        return {"instances": [instance("db")]}

    return answer


def test_a_stopped_watch_shows_the_screen_that_was_there_before(devrun, fake, runtime):
    fake().answers["GET", "/v1/instances"] = {"instances": [instance("db")]}
    run = devrun_of(devrun, runtime, "ps", "-w", terminal=(24, 80)).wait_for("db")
    run.signal(signal.SIGTSTP).wait_for("\x1b[?1049l")
    stat = Path(f"/proc/{run.process.pid}/stat")
    until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", "the stop")
    run.signal(signal.SIGCONT)
    until(lambda: run.count("\x1b[?1049h") == 2, "the table again")
    run.signal(signal.SIGINT)
    assert run.wait() == -signal.SIGINT


def test_watching_needs_a_terminal(ask, fake):
    fake()
    assert ask("ps", "--watch") == (2, "devrun: --watch needs a terminal as stdout\n")
    assert ask("ps", "--watch", "--json")[0] == 2


# -- restart, stop, reload, scale, signal -------------------------------------------------------


def test_services_are_restarted_in_the_order_of_the_line(ask, fake):
    run = fake()
    for name in ("db", "web"):
        run.answers["POST", f"/v1/services/{name}/restart"] = results((name, "restarted", None))
    assert ask("restart", "db", "web") == (0, "db: restarted\nweb: restarted\n")
    asked = [path for method, path in run.paths() if method == "POST"]
    assert asked == ["/v1/services/db/restart", "/v1/services/web/restart"]


def test_nothing_is_done_if_one_name_is_wrong(ask, fake):
    run = fake()
    code, text = ask("restart", "db", "wbe")
    assert code == 2
    assert text == 'devrun: no service "wbe" runs; did you mean "web"? There are web, db, worker\n'
    assert all(method == "GET" for method, _ in run.paths())


def test_an_instance_has_a_name_too(ask, fake):
    run = fake()
    run.answers["POST", "/v1/services/web.2/restart"] = results(("web.2", "restarted", None))
    assert ask("restart", "web.2") == (0, "web.2: restarted\n")
    assert "web.1, web.2" in ask("restart", "web.3")[1]


def test_all_are_restarted_where_none_is_named(ask, fake):
    fake().answers["POST", "/v1/restart"] = results(
        ("web.1", "restarted", None), ("db", "started", None)
    )
    assert ask("restart") == (0, "web.1: restarted\ndb: started\n")


def test_what_failed_is_told_and_is_the_exit_code(ask, fake):
    fake().answers["POST", "/v1/services/web/restart"] = Problem(
        409,
        "web.2: not ready within 5 s",
        **results(("web.1", "restarted", None), ("web.2", "failed", "not ready within 5 s")),
    )
    code, text = ask("restart", "web")
    assert code == 1
    assert text == "web.1: restarted\ndevrun: web.2: failed: not ready within 5 s\n"


def test_a_problem_without_results_is_told(ask, fake):
    fake().answers["POST", "/v1/restart"] = Problem(409, "devrun is stopping")
    assert ask("restart") == (1, "devrun: devrun is stopping\n")


def test_results_for_programs(ask, fake):
    fake().answers["POST", "/v1/services/db/reload"] = results(("db", "reloaded", None))
    code, text = ask("reload", "db", "--json")
    assert code == 0
    assert json.loads(text) == {"version": 1, **results(("db", "reloaded", None))}


def test_stopping_what_does_not_run_is_no_failure(ask, fake, tmp_path):
    message = f"devrun: no devrun runs in {tmp_path}; nothing is to be stopped\n"
    assert ask("stop", "db") == (0, message)
    fake().answers["POST", "/v1/services/db/stop"] = results(("db", "unchanged", None))
    assert ask("stop", "db") == (0, "db: does not run\n")


def test_stopping_all_is_another_command(ask, fake):
    run = fake()
    code, text = ask("stop")
    assert code == 2
    assert "devrun down stops the whole project" in text
    assert run.asked == []


def test_scaling(ask, fake):
    run = fake()
    run.answers["POST", "/v1/services/web/scale"] = results(("web.3", "started", None))
    run.answers["POST", "/v1/services/db/scale"] = results(("db.2", "removed", None))
    assert ask("scale", "web=3", "db=1") == (0, "web.3: started\ndb.2: removed\n")
    assert run.body("/v1/services/web/scale") == {"instances": 3}
    assert run.body("/v1/services/db/scale") == {"instances": 1}


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "scale needs the name of a service: devrun scale web=3"),
        (["web"], 'scale "web": write how many there are to be, as in web=3'),
        (["=3"], 'scale "=3": write how many'),
        (["web=many"], 'scale web "many": not a whole number'),
        (["web=-1"], 'scale web "-1": must be from 1 to 1000'),
        (["web=0"], 'scale "web=0": devrun stop web ends all of them; 1 is the least'),
        (["web=2", "web=3"], 'scale "web=3": there is web=2 already; leave one'),
        (["web.1=2"], "scale web.1: that is one instance; write the name of the service"),
    ],
)
def test_a_scale_that_is_none(ask, fake, words, text):
    fake()
    code, said = ask("scale", *words)
    assert code == 2
    assert text in said


def test_signals(ask, fake):
    run = fake()
    sent = {"results": [{"name": "web.1", "pid": 12}, {"name": "web.2", "pid": 13}]}
    run.answers["POST", "/v1/services/web/signal"] = sent
    shown = "web.1: SIGHUP sent to pid 12\nweb.2: SIGHUP sent to pid 13\n"
    for word in ("HUP", "sighup", "1"):
        assert ask("signal", "web", word) == (0, shown)
        assert run.body("/v1/services/web/signal") == {"signal": "HUP"}


def test_a_signal_that_nobody_gets_is_a_failure(ask, fake):
    fake().answers["POST", "/v1/services/db/signal"] = {"results": [{"name": "db", "pid": None}]}
    assert ask("signal", "db", "USR1") == (1, "devrun: db: does not run\n")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["web"], "signal needs a service and a signal: devrun signal web HUP"),
        (["web", "HPU"], 'signal "HPU": no such signal; did you mean "HUP"?'),
        (["web", "0"], "signal 0: there is no signal of that number"),
    ],
)
def test_a_signal_that_is_none(ask, fake, words, text):
    fake()
    assert ask("signal", *words) == (2, f"devrun: {text}\n")


# -- wait ---------------------------------------------------------------------------------------


def test_waiting(ask, fake):
    run = fake()
    run.answers["GET", "/v1/wait"] = {"services": ["db"], "state": "ready"}
    assert ask("wait", "db", "web") == (0, "db, web: ready\n")
    assert run.query("/v1/wait") == [("service", "db"), ("service", "web"), ("for", "ready")]


def test_waiting_for_all_for_a_while(ask, fake):
    run = fake()
    run.answers["GET", "/v1/wait"] = Problem(408, "worker is not healthy within 5 s")
    code, text = ask("wait", "--for", "healthy", "--timeout", "5s")
    assert (code, text) == (1, "devrun: worker is not healthy within 5s\n")
    *services, what, timeout = run.query("/v1/wait")
    assert [name for _, name in services] == ["web", "db", "worker"]
    assert what == ("for", "healthy")
    assert 4 < float(timeout[1]) <= 5


def test_waiting_for_what_can_never_be(ask, fake):
    fake().answers["GET", "/v1/wait"] = Problem(409, "db has failed: exit code 1")
    code, text = ask("wait", "db", "--json")
    assert code == 1
    said, _, line = text.partition("devrun: ")
    assert json.loads(said) == {
        "version": 1,
        "for": "ready",
        "services": ["db"],
        "reached": False,
        "reason": "db has failed: exit code 1",
    }
    assert line == "db has failed: exit code 1\n"


def test_with_a_timeout_a_run_may_still_be_about_to_start(devrun, fake, runtime):
    waiting = devrun_of(devrun, runtime, "wait", "db", "--timeout", "30s")
    run = fake()
    run.answers["GET", "/v1/wait"] = {"services": ["db"], "state": "ready"}
    assert waiting.wait() == 0
    assert waiting.text == "db: ready\n"


def test_without_a_timeout_nothing_is_waited_for_that_does_not_run(ask):
    code, text = ask("wait", "db")
    assert code == 1
    assert "no devrun runs in" in text
    assert ask("wait", "db", "--timeout", "1ms")[0] == 1


def test_what_cannot_be_waited_for(ask, fake):
    fake()
    code, text = ask("wait", "--for", "redy")
    assert code == 2
    assert 'did you mean "ready"?' in text
    assert ask("wait", "--timeout", "30")[0] == 2


# -- logs ---------------------------------------------------------------------------------------


def test_logs(ask, fake):
    run = fake()
    run.answers["GET", "/v1/logs"] = lambda _query, _body: Lines(
        log_line("web", "one", 1.0, instance="web.1"), log_line("db", "two", 2.5)
    ).end()
    assert ask("logs") == (0, "[web.1] one\n[db] two\n")
    assert run.query("/v1/logs") == [("tail", "50")]


def test_logs_are_asked_for_as_the_options_say(ask, fake):
    run = fake()
    run.answers["GET", "/v1/logs"] = lambda _query, _body: Lines().end()
    words = ["--lines", "7", "--grep", "a|b", "--err", "--since", "2026-01-31T10:00:00Z", "-f"]
    note = "devrun: no line of stderr; it comes apart from stdout where log has an error_file\n"
    assert ask("logs", "web", "db", *words) == (0, note)
    assert run.query("/v1/logs") == [
        ("service", "web"),
        ("service", "db"),
        ("tail", "7"),
        ("since", "1769853600.0"),
        ("grep", "a|b"),
        ("stream", "err"),
        ("follow", "true"),
    ]
    assert ask("logs", "--since", "1h")[0] == 0
    assert [name for name, _ in run.query("/v1/logs")] == ["since"]
    assert ask("logs", "--lines", "all")[0] == 0
    assert run.query("/v1/logs") == []


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--lines", "many"], '--lines "many": not a whole number'),
        (["--grep", "("], '--grep "(": no regular expression'),
        (["--since", "yesterday"], '--since "yesterday": not a time'),
        (["--since", "2026-13-01"], '--since "2026-13-01": no moment; write for example 10m'),
        (["--folow"], 'no such option: --folow; did you mean "--follow"? (devrun logs --help'),
    ],
)
def test_logs_that_are_asked_for_wrongly(ask, fake, words, text):
    fake()
    code, said = ask("logs", *words)
    assert code == 2
    assert text in said


def test_control_sequences_stay_out_of_a_pipe(ask, fake):
    fake().answers["GET", "/v1/logs"] = lambda _query, _body: Lines(
        log_line("db", "\x1b[31mred\x1b[0m \x1b[2Jcleared", 1.0)
    ).end()
    assert ask("logs")[1] == "[db] red cleared\n"
    assert ask("logs", "--color")[1].endswith("\x1b[31mred\x1b[0m cleared\n")


def test_prefixes_are_the_runs_own_where_it_tells_them(ask, fake):
    run = fake()
    own = {"db": {"text": "db  |", "open": "\x1b[35m", "close": "\x1b[39m"}}
    run.answers["GET", "/v1/services"] = {**run.answers["GET", "/v1/services"], "prefixes": own}
    run.answers["GET", "/v1/logs"] = lambda _query, _body: Lines(log_line("db", "x", 1.0)).end()
    assert ask("logs")[1] == "db  | x\n"
    assert ask("logs", "--color")[1] == "\x1b[35mdb  |\x1b[39m x\n"


def test_lines_for_programs_are_as_the_run_says_them(ask, fake):
    said = [log_line("db", "ä\udcff", 1.0), log_line("db", "b", 2.0, stream="err")]
    fake().answers["GET", "/v1/logs"] = lambda _query, _body: Lines(*said).end()
    code, text = ask("logs", "--json")
    assert code == 0
    assert [json.loads(line) for line in text.splitlines()] == said


def test_lines_that_are_missing_are_told(ask, fake):
    fake().answers["GET", "/v1/logs"] = lambda _query, _body: Lines(
        {"gap": 12}, log_line("db", "x", 1.0), {"cut_off": "nothing was read for 10 s"}
    ).end()
    code, text = ask("logs", "-f")
    assert code == 1
    assert text == (
        "devrun: 12 lines are missing here: they came faster than they were read\n"
        "[db] x\n"
        "devrun: cut off: nothing was read for 10 s\n"
    )


def test_lines_are_shown_as_they_come(devrun, fake, runtime):
    lines = Lines(log_line("db", "one", 1.0))
    fake().answers["GET", "/v1/logs"] = lines
    run = devrun_of(devrun, runtime, "logs", "-f").wait_for("[db] one")
    lines.put(log_line("db", "two", 2.0))
    run.wait_for("[db] two")
    run.signal(signal.SIGINT)
    assert run.wait() == -signal.SIGINT
    assert run.lines == ["[db] one", "[db] two"]
    lines.end()


def test_a_run_that_goes_away_while_it_is_followed_is_told(ask, fake, tmp_path):
    fake().answers["GET", "/v1/logs"] = Lines(log_line("db", "one", 1.0), broken=True).end()
    code, text = ask("logs", "-f")
    assert code == 1
    gone = f"devrun: the devrun of {tmp_path} (pid 4711) went away while it was asked\n"
    assert text == f"[db] one\n{gone}"


def test_a_reader_that_goes_away_is_a_quiet_end(devrun, fake, runtime):
    lines = Lines(log_line("db", "one", 1.0))
    fake().answers["GET", "/v1/logs"] = lines
    reader, writer = os.pipe()
    env = {"XDG_RUNTIME_DIR": str(runtime)}
    run = devrun("logs", "-f", env_added=env, stdout=writer)
    os.close(writer)
    assert os.read(reader, 100) == b"[db] one\n"
    os.close(reader)
    lines.put(log_line("db", "two", 2.0))
    assert run.wait() == -signal.SIGPIPE
    lines.end()


def test_lines_of_two_runs_are_merged(ask, fake):
    for name, moments in (("db", (1.0, 4.0)), ("web", (2.0, 3.0))):
        run = fake(services={name: [name]})
        found = [log_line(name, f"{name} {at}", at) for at in moments]
        run.answers["GET", "/v1/logs"] = lambda _query, _body, found=found: Lines(*found).end()
    code, text = ask("logs", "--lines", "3")
    assert code == 0
    assert text == "[web] web 2.0\n[web] web 3.0\n[db] db 4.0\n"


def test_two_runs_are_followed_without_saying_anything_twice(ask, fake):
    runs = []
    for name, moments in (("db", (1.0, 4.0)), ("web", (2.0, 3.0, 3.0))):
        run = fake(services={name: [name]})
        found = [log_line(name, f"{name} {at}", at) for at in moments]
        more = log_line(name, f"{name} more", 3.0 if name == "web" else 9.0)

        def answer(query, _body, found=found, more=more):
            assert dict(query) == {"tail": "50", "follow": "true", "mark": "true"}
            return Lines(*found, {"mark": 5.0}, more).end()

        run.answers["GET", "/v1/logs"] = answer
        runs.append(run)
    code, text = ask("logs", "-f")
    assert code == 0
    assert text.splitlines()[:5] == [
        "[db] db 1.0",
        "[web] web 2.0",
        "[web] web 3.0",
        "[web] web 3.0",
        "[db] db 4.0",
    ]
    assert sorted(text.splitlines()[5:]) == ["[db] db more", "[web] web more"]


# -- events -------------------------------------------------------------------------------------


def test_events(ask, fake):
    fake().answers["GET", "/v1/events"] = lambda _query, _body: Lines(
        ": hello\n\n",
        'event: started\nid: 1\ndata: {"type":"started","at":1.0,"service":"web",',
        '"instance":"web.1","pid":12}\n\n',
        'event: ready\nid: 2\ndata: {"type":"ready","at":2.0,"service":"db","instance":"db",',
        '"after":1.0}\n\n',
        kind="text/event-stream",
    ).end()
    code, text = ask("events")
    assert code == 0
    assert [line.split(" ", 1)[1] for line in text.splitlines()] == [
        "web.1 started (pid 12)",
        "db ready after 1.0s",
    ]
    code, text = ask("events", "web", "--json")
    assert [json.loads(line) for line in text.splitlines()] == [
        {
            "id": 1,
            "type": "started",
            "at": 1.0,
            "service": "web",
            "instance": "web.1",
            "pid": 12,
        }
    ]


# -- show ---------------------------------------------------------------------------------------


def detail():
    return {
        "name": "web",
        "instances": [instance("web.1"), instance("web.2")],
        "config": {
            "command": "node server.js",
            "env": {"TOKEN": "********"},
            "stop": {"timeout": "20s", "signal": "SIGTERM"},
            "instances": 2,
            "port": None,
        },
        "origins": {
            "command": "devrun.toml:3",
            "env.TOKEN": "devrun.toml:4",
            "stop.timeout": "devrun.toml:5",
            "stop.signal": "default",
            "instances": "changed while it runs",
            "port": "default",
        },
        "exits": [
            {
                "instance": "web.1",
                "generation": 1,
                "code": None,
                "signal": "SIGKILL",
                "at": "2026-01-31T10:00:00Z",
                "uptime": 3.0,
                "reason": "used more memory than 500M",
                "stopped": False,
            }
        ],
        "probes": [
            {
                "instance": "web.2",
                "generation": 1,
                "at": "2026-01-31T10:00:00Z",
                "healthy": False,
                "reason": "HTTP 500",
            }
        ],
    }


def test_show(ask, fake):
    fake().answers["GET", "/v1/services/web"] = detail()
    code, text = ask("show", "web")
    assert code == 0
    assert "web.1  SIGKILL after 3s: used more memory than 500M" in text
    assert "web.2  unhealthy: HTTP 500" in text
    lines = [line.split(" # ") for line in text.splitlines() if " # " in line]
    assert [(text.strip(), origin.strip()) for text, origin in lines] == [
        ('command = "node server.js"', "devrun.toml:3"),
        ('env.TOKEN = "********"', "devrun.toml:4"),
        ('stop.timeout = "20s"', "devrun.toml:5"),
        ("instances = 2", "changed while it runs"),
        ('stop.signal = "SIGTERM"', "default"),
    ]


def test_show_one_instance(ask, fake):
    fake().answers["GET", "/v1/services/web"] = detail()
    code, text = ask("show", "web.2")
    assert code == 0
    assert "web.1" not in text
    assert "unhealthy: HTTP 500" in text


def test_show_for_programs(ask, fake):
    fake().answers["GET", "/v1/services/web"] = detail()
    code, text = ask("show", "web", "--json")
    assert code == 0
    assert json.loads(text) == {"version": 1, "services": [detail()]}


# -- help, completion ---------------------------------------------------------------------------

COMMANDS = ["ps", "logs", "restart", "stop", "reload", "scale", "signal", "show", "events", "wait"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_help(ask, command):
    code, text = ask(command, "--help", COLUMNS="100")
    assert code == 0
    assert f"devrun {command}" in text
    assert "Examples:" in text
    assert "--json" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_refuses_an_option_that_there_is_not(ask, command):
    code, text = ask(command, "--jsn")
    assert code == 2
    assert text == (
        'devrun: no such option: --jsn; did you mean "--json"? '
        f"(devrun {command} --help lists all)\n"
    )


@pytest.mark.parametrize("command", ["reload", "show", "scale"])
def test_a_command_that_needs_a_name_says_so(ask, command):
    code, text = ask(command)
    assert code == 2
    assert text.startswith(f"devrun: {command} needs the name of a service: devrun {command} web")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("devrun restart w", {"web", "worker"}),
        ("devrun restart web.", {"web.1", "web.2"}),
        ("devrun logs ", {"web", "db", "worker"}),
        ("devrun scale w", {"web=", "worker="}),
        ("devrun signal web HU", {"HUP"}),
    ],
)
def test_a_shell_completes_the_names_of_what_runs(devrun, fake, runtime, line, found):
    fake()
    words = {"_DEVRUN_COMPLETE": "complete_bash", "COMP_WORDS": line}
    words["COMP_CWORD"] = str(line.count(" "))
    run = devrun_of(devrun, runtime, **words)
    assert run.wait() == 0
    assert {*run.text.split()} == found


# -- mishaps ------------------------------------------------------------------------------------


def started(devrun, runtime, *words, **env):
    """Start a devrun of commands; return it as soon as it can be asked."""
    run = devrun_of(devrun, runtime, *words, **env)
    announced = (runtime / "devrun").glob
    until(
        lambda: any(
            json.loads(path.read_text())["pid"] == run.worker()
            and (path.parent / "control.sock").exists()
            for path in announced("run.*/project")
        ),
        "the start",
    )
    return run


def ended(*runs):
    for run in runs:
        run.signal(signal.SIGTERM)
    for run in runs:
        assert run.wait() == -signal.SIGTERM


def full_stdout(runtime, tmp_path, mark, *words):
    """Run a command whose stdout leads to a full disk; return its code and what it complained."""
    env = {**os.environ, "XDG_RUNTIME_DIR": str(runtime), "TMPDIR": str(runtime), MARK: mark}
    command = [sys.executable, "-m", "devrun", *words]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command, cwd=tmp_path, env=env, stdout=full, stderr=subprocess.PIPE, check=False
        )
    return done.returncode, done.stderr.decode()


def test_two_runs_are_followed_from_their_last_lines_on(devrun, runtime, ask, tmp_path):
    many = "a=seq 1 100; while [ ! -e go ]; do sleep 0.02; done; echo gone; exec sleep 600"
    few = "b=echo b; exec sleep 600"
    one = started(devrun, runtime, "--name", "one", many).wait_for("[a] 100")
    two = started(devrun, runtime, "--name", "two", few).wait_for("[b] b")
    following = devrun_of(devrun, runtime, "logs", "-f", "--lines", "10").wait_for("[b] b")
    (tmp_path / "go").touch()
    following.wait_for("[a] gone")
    following.signal(signal.SIGINT)
    assert following.wait() == -signal.SIGINT
    last = [f"[a] {number}" for number in range(92, 101)]
    assert following.lines == [*last, "[b] b", "[a] gone"]
    ended(one, two)


def test_notices_of_two_runs_are_all_told(ask, fake):
    for name in ("db", "web"):
        lines = [log_line(name, f"{name} {at}", at) for at in (1.0, 2.0)]
        fake(services={name: [name]}).answers["GET", "/v1/logs"] = (
            lambda _query, _body, lines=lines: Lines({"gap": 3}, *lines, {"cut_off": "slow"}).end()
        )
    code, text = ask("logs", "--lines", "1")
    assert code == 1
    assert text.count("3 lines are missing here") == text.count("cut off: slow") == 2
    assert [line for line in text.splitlines() if line.startswith("[")] == ["[web] web 2.0"]


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("a{99999999999999999}", "no regular expression: a number of repetitions is too large"),
        ("(" * 1000, "no regular expression: it is nested too deep"),
        ("x" * 1001, "--grep: 1001 characters are too many; 1000 are possible"),
    ],
    ids=["repetitions", "nested", "long"],
)
def test_a_pattern_that_cannot_be_is_refused_before_anything_is_asked(ask, fake, pattern, said):
    run = fake()
    code, text = ask("logs", "--grep", pattern)
    assert code == 2
    assert text.endswith(f"{said}\n")
    assert len(text.splitlines()) == 1
    assert run.asked == []


def test_python_has_nothing_to_say_of_a_pattern(devrun, runtime, ask):
    run = started(devrun, runtime, "a=echo '[a'; exec sleep 600").wait_for("[a] [a")
    assert ask("logs", "--grep", "[[a]") == (0, "[a] [a\n")
    assert "Warning" not in run.text
    ended(run)


@pytest.mark.parametrize("words", [["ps"], ["ps", "--json"], ["logs"], ["ps", "--help"]])
def test_a_full_disk_is_one_line(runtime, tmp_path, mark, fake, words):
    run = fake()
    run.answers["GET", "/v1/instances"] = {"instances": [instance("db")]}
    run.answers["GET", "/v1/logs"] = lambda _query, _body: Lines(log_line("db", "x", 1.0)).end()
    message = "devrun: stdout cannot be written to: no space left on device\n"
    assert full_stdout(runtime, tmp_path, mark, *words) == (1, message)


def test_several_services_are_stopped_as_one_order(devrun, runtime, ask, tmp_path):
    trap = "trap 'echo {name} >> order; exit 0' TERM; echo up; while :; do sleep 0.02; done"
    (tmp_path / "devrun.toml").write_text(
        f'[services.db]\ncommand = """{trap.format(name="db")}"""\n'
        f'[services.web]\ncommand = """{trap.format(name="web")}"""\ndepends_on = ["db"]\n'
    )
    run = started(devrun, runtime).wait_for("[db ] up", "[web] up")
    assert ask("stop", "db", "web") == (0, "db: stopped\nweb: stopped\n")
    assert (tmp_path / "order").read_text() == "web\ndb\n"
    ended(run)


def test_several_names_are_one_order(ask, fake):
    run = fake()
    for what in ("stop", "reload"):
        run.answers["POST", f"/v1/{what}"] = results(("db", "done", None), ("web.1", "done", None))
        assert ask(what, "db", "web.1", "db") == (0, "db: done\nweb.1: done\n")
        assert run.body(f"/v1/{what}") == {"services": ["db", "web.1"]}


def test_all_that_get_a_signal_are_told(devrun, runtime, ask):
    line = "a=trap : USR1; sleep 600 & sleep 600 & echo up; wait; wait"
    run = started(devrun, runtime, line, "b=exec sleep 600").wait_for("[a] up")
    code, text = ask("signal", "a", "CONT", "--json")
    (said,) = json.loads(text)["results"]
    assert (code, len(said["pids"]), said["pid"]) == (0, 2, said["pids"][0])
    first, second = said["pids"]
    assert ask("signal", "a", "CONT") == (0, f"a: SIGCONT sent to pids {first}, {second}\n")
    ended(run)


def test_runs_are_asked_at_once(ask, fake, tmp_path):
    both = threading.Barrier(2)

    def answer(_query, _body):
        both.wait()
        return {"instances": [instance("db")]}

    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
        fake(tmp_path / str(number), pid=number).answers["GET", "/v1/instances"] = answer
    code, text = ask("ps", "--all", "--json")
    assert code == 0
    runs = [run for run in json.loads(text)["runs"] if run["root"].startswith(str(tmp_path))]
    assert [(run["pid"], run["error"]) for run in runs] == [(1, None), (2, None)]


@pytest.mark.parametrize("words", [["ps"], ["ps", "--all"]])
def test_a_run_that_hangs_is_shown_as_one(ask, fake, tmp_path, words):
    held = threading.Event()
    fake(pid=7).answers["GET", "/v1/instances"] = lambda _query, _body: held.wait() and {}
    fake(pid=8).answers["GET", "/v1/instances"] = {"instances": [instance("db")]}
    code, text = ask(*words, "--json")
    held.set()
    said, *lines = text.split("\ndevrun: ")
    message = f"the devrun of {tmp_path} (pid 7) does not answer"
    shown = [
        (run["pid"], run["error"], len(run["instances"]))
        for run in json.loads(said)["runs"]
        if run["root"] == str(tmp_path)
    ]
    assert shown == [(7, message, 0), (8, None, 1)]
    # With --all there may be more, of tests beside this one.
    assert (code, [line.strip() for line in lines if str(tmp_path) in line]) == (1, [message])


def test_a_run_that_hangs_and_has_many_waiting_is_not_waited_for(ask, runtime, tmp_path):
    folder = runtime / "devrun" / "run.1"
    folder.mkdir()
    (folder / "project").write_text(json.dumps({"root": str(tmp_path), "pid": 7}))
    path = str(folder / "control.sock")
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as waiting:
        listener.bind(path)
        listener.listen(0)
        waiting.connect(path)
        message = f"devrun: the devrun of {tmp_path} (pid 7) does not answer\n"
        assert ask("ps") == (1, message)


def test_a_time_is_told_as_the_user_said_it(devrun, runtime, ask):
    run = started(devrun, runtime, "a=exec sleep 600")
    message = "devrun: a is not exited within 300ms\n"
    assert ask("wait", "a", "--for", "exited", "--timeout", "300ms") == (1, message)
    ended(run)


def test_a_line_that_is_too_long_is_one_line(devrun, runtime, ask):
    script = "import sys; sys.stdout.write('x' * 3_000_000 + chr(10) + 'next' + chr(10))"
    line = f'a={sys.executable} -c "{script}" && exec sleep 600'
    run = started(devrun, runtime, line).wait_for("[a] next")
    code, text = ask("logs", "--lines", "all")
    first, second = text.splitlines()
    assert (code, second) == (0, "[a] next")
    shown, _, note = first.removeprefix("[a] ").partition(" [… ")
    assert shown == "x" * len(shown)
    assert note == f"{3_000_000 - len(shown):,} bytes more]"
    ended(run)


def test_files_that_say_what_cannot_be_are_passed_over(ask, fake, runtime):
    wrong = ['{"root": "/a\\u0000b"}', "[" * 100_000, '{"root": "/", "since": 1e999}']
    for number, text in enumerate([*wrong, '{"root": "/", "since": NaN}'], 10):
        folder = runtime / "devrun" / f"run.{number}"
        folder.mkdir()
        (folder / "project").write_text(text)
    fake().answers["GET", "/v1/instances"] = {"instances": [instance("db")]}
    assert ask("ps")[0] == 0


def test_a_folder_of_whatever_name_is_one_line(ask, fake, tmp_path):
    folder = tmp_path / "a\nb\x1b[2J"
    folder.mkdir()
    run = fake(folder, pid=7)
    run.answers["GET", "/v1/instances"] = {"instances": [instance("db", reason="\x1b[2Jx\ny")]}
    run.answers["GET", "/v1/services/web"] = detail()
    shown = f"devrun.toml in {tmp_path}/a\\nb\\x1b[2J (pid 7"
    for words in (["ps", "--all"], ["show", "web"]):
        code, text = ask(*words, cwd=folder)
        assert code == 0
        assert any(shown in line for line in text.splitlines())
        assert "\x1b" not in text
    assert "\\x1b[2Jx\\ny" in ask("ps", cwd=folder)[1]
