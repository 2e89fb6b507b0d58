"""Who waits for whom, who stops first, and what becomes of those whom others leave alone."""

from __future__ import annotations

import signal

import pytest
from running import program, until
from supervised import FAST, in_order, python, said_by, stop, toml
from toml_files import WAITS, dying_db, web_after_db

# -- what is waited for -----------------------------------------------------------------------


def test_started_is_as_soon_as_there_is_a_process(devrun, tmp_path):
    """The dependency never becomes ready; its dependant does not mind."""
    toml(
        tmp_path,
        f"""
        [services.db]
        command = "{WAITS}"
        ready = {{ log = "never said" }}
        [services.web]
        command = "echo web runs"
        depends_on = {{ db = "started" }}
        """,
    )
    run = devrun().wait_for("[web] web runs", "echo web runs exited with code 0")
    assert "ready after" not in run.text
    stop(run)


def test_a_list_is_ready_where_there_is_a_gate_and_else_started(devrun, tmp_path):
    toml(
        tmp_path,
        f"""
        [services.gated]
        command = "sleep 0.3; echo gate opens; {WAITS}"
        ready = {{ log = "gate opens" }}
        [services.plain]
        command = "{WAITS}"
        [services.web]
        command = "echo web runs; {WAITS}"
        depends_on = ["gated", "plain"]
        """,
    )
    run = devrun().wait_for("web runs")
    in_order(run.text, "[gated] gate opens", "[gated] ready after", "[web  ] web runs")
    stop(run)


def test_healthy_is_when_the_health_check_has_passed(devrun, tmp_path):
    toml(
        tmp_path,
        f"""
        [services.db]
        command = "echo db runs; {WAITS}"
        health = {{ exec = "test -e well", interval = "50ms", retries = 1000 }}
        [services.web]
        command = "echo web runs"
        depends_on = {{ db = "healthy" }}
        """,
    )
    run = devrun().wait_for("[db ] health check failed (1 of 1000): exit code 1")
    assert "web runs" not in run.text
    (tmp_path / "well").touch()
    run.wait_for("[web] web runs")
    in_order(run.text, "[db ] health check failed", "[db ] healthy", "[web] web runs")
    stop(run)


def test_completed_is_an_end_with_exit_code_0(devrun, tmp_path):
    toml(
        tmp_path,
        """
        [services.web]
        command = "echo web runs"
        depends_on = { migrate = "completed" }
        [services.migrate]
        command = "sleep 0.2; echo migrated"
        """,
    )
    run = devrun()
    assert run.wait() == 0
    in_order(run.text, "] migrated", "] web runs")


def test_completed_waits_for_the_restart_that_succeeds(devrun, tmp_path):
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "echo web runs"
        depends_on = {{ migrate = "completed" }}
        [services.migrate]
        command = "echo x >> tries; echo try; test $(wc -l < tries) = 3"
        restart = "on-failure"
        {FAST}
        """,
    )
    run = devrun()
    assert run.wait() == 0
    assert run.count("] try") == 3
    in_order(run.text, "] try", "] try", "] try", "] web runs")


def test_completed_holds_though_a_change_may_start_it_again(devrun, tmp_path):
    (tmp_path / "schema").write_text("1")
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "echo web runs; {WAITS}"
        depends_on = {{ migrate = "completed" }}
        [services.migrate]
        command = "echo migrated to $(cat schema)"
        watch = ["schema"]
        """,
    )
    run = devrun().wait_for("web runs")
    (tmp_path / "schema").write_text("22")
    run.wait_for("migrated to 22")
    stop(run)
    assert run.count("web runs") == 2, "once by itself, and in the line that says how it ended"


def test_levels_start_side_by_side_and_one_after_another(devrun, tmp_path):
    """Two of a level wait for each other, so they have to run at the same time."""
    meets = "touch {0}; until test -e {1}; do sleep 0.02; done; echo met"
    toml(
        tmp_path,
        f"""
        [services.d]
        command = "echo last"
        depends_on = {{ b = "completed", c = "completed" }}
        [services.c]
        command = "{meets.format("c", "b")}"
        depends_on = {{ a = "completed" }}
        [services.b]
        command = "{meets.format("b", "c")}"
        depends_on = {{ a = "completed" }}
        [services.a]
        command = "echo first"
        """,
    )
    run = devrun()
    assert run.wait() == 0
    in_order(run.text, "[a] first", "met", "met", "[d] last")


def test_start_delay_comes_behind_what_is_waited_for(devrun, tmp_path):
    toml(
        tmp_path,
        f"""
        [services.db]
        command = "date +%s%N; {WAITS}"
        ready = {{ log = "[0-9]+" }}
        [services.web]
        command = "date +%s%N"
        depends_on = ["db"]
        start_delay = "400ms"
        """,
    )
    run = devrun().wait_for("date +%s%N exited with code 0")
    nanoseconds = int(said_by(run, "web")[0]) - int(said_by(run, "db")[0])
    assert nanoseconds >= 400_000_000
    stop(run)


def test_all_instances_are_waited_for(devrun, tmp_path):
    toml(
        tmp_path,
        f"""
        [services.db]
        command = "until test -e go$PORT; do sleep 0.02; done; echo open; {WAITS}"
        instances = 2
        port = 4000
        ready = {{ log = "open" }}
        [services.web]
        command = "echo web runs"
        depends_on = ["db"]
        """,
    )
    run = devrun()
    (tmp_path / "go4000").touch()
    run.wait_for("[db.1] ready")
    assert "web runs" not in run.text
    (tmp_path / "go4001").touch()
    run.wait_for("web runs")
    in_order(run.text, "[db.2] ready", "] web runs")
    stop(run)


# -- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("services", "said"),
    [
        (
            """
            a.command = "touch started"
            a.depends_on = ["b"]
            b.command = "touch started"
            b.depends_on = ["c"]
            c.command = "touch started"
            c.depends_on = ["a"]
            """,
            "a circle: a -> b -> c -> a",
        ),
        ('a.command = "touch started"\na.depends_on = ["a"]', "cannot wait for itself"),
        (
            """
            worker = "touch started"
            a.command = "touch started"
            a.depends_on = { woker = "started" }
            b = "touch started"
            """,
            'no service "woker"; did you mean "worker"?',
        ),
        (
            'a.command = "touch started"\na.depends_on = { b = "healthy" }\nb = "true"',
            '"b" is never healthy',
        ),
        (
            """
            a.command = "touch started"
            a.depends_on = { b = "completed" }
            b.command = "touch started"
            b.restart = "always"
            """,
            '"b" is never completed',
        ),
        (
            'a.command = "touch started"\na.depends_on = { b = "redy" }\nb = "touch started"',
            'did you mean "ready"?',
        ),
    ],
    ids=["39 circle", "39 itself", "39 unknown", "never healthy", "never completed", "spelling"],
)
def test_edge_39_what_can_never_be_is_refused(devrun, tmp_path, services, said):
    toml(tmp_path, f"[services]\n{services}")
    run = devrun()
    assert run.wait() == 2
    assert len(run.lines) == 1
    assert said in run.lines[0]
    assert run.lines[0].startswith("devrun: devrun.toml:")
    assert not (tmp_path / "started").exists()


# -- what never comes -------------------------------------------------------------------------

CHAIN = f"""
    [services.migrate]
    command = "exit 4"
    [services.api]
    command = "{WAITS}"
    depends_on = {{ migrate = "completed" }}
    [services.web]
    command = "{WAITS}"
    depends_on = ["api"]
    [services.proxy]
    command = "{WAITS}"
    depends_on = ["web"]
"""


def test_edge_40_and_44_what_is_skipped_says_the_chain_and_counts(devrun, tmp_path):
    toml(tmp_path, CHAIN)
    run = devrun()
    assert run.wait() == 4
    assert said_by(run, "api") == ["not started: migrate ended with exit code 4"]
    assert said_by(run, "web") == [
        "not started: api was not started (migrate ended with exit code 4)"
    ]
    assert said_by(run, "proxy") == [
        "not started: web was not started (api was not started (migrate ended with exit code 4))"
    ]
    failed = run.lines[run.lines.index("--> Failed:") :]
    assert any(line.startswith("-->   migrate  exit code 4, after ") for line in failed)
    assert any(line.startswith("-->   proxy    not started: web was not") for line in failed)


def test_edge_44_a_skipped_service_is_a_failure_though_nothing_else_failed(devrun, tmp_path):
    """What it waits for ends well, and so never becomes ready."""
    web_after_db(tmp_path, 'command = "exit 0"\nready = { log = "never said" }')
    run = devrun()
    assert run.wait() == 1
    assert "[web] not started: db ended before it was ready" in run.lines


def test_what_has_been_given_up_is_waited_for_no_more(devrun, tmp_path):
    web_after_db(
        tmp_path,
        f"""
        command = "exit 3"
        ready = {{ log = "never said" }}
        restart = "on-failure"
        max_restarts = 2
        {FAST}
        """,
    )
    run = devrun()
    assert run.wait() == 3
    assert "[web] not started: db ended with exit code 3" in run.lines
    assert "--> db failed: ended 3 times in a row within 1 s of starting" in run.text


def test_what_does_not_exist_is_in_the_chain(devrun, tmp_path):
    web_after_db(tmp_path, 'command = "no-such-program-anywhere"')
    run = devrun()
    assert run.wait() == 127
    assert "[web] not started: db ended with exit code 127" in run.lines


def test_what_is_not_required_is_gone_without(devrun, tmp_path):
    toml(
        tmp_path,
        """
        [services.cache]
        command = "exit 4"
        ready = { log = "never said" }
        [services.web]
        command = "echo web runs"
        depends_on = { cache = { required = false } }
        [services.off]
        command = "echo off runs"
        disabled = true
        [services.api]
        command = "echo api runs"
        depends_on = { off = { required = false } }
        """,
    )
    run = devrun()
    assert run.wait() == 4
    assert {"web runs", "api runs"} <= {line.partition("] ")[2].strip() for line in run.lines}
    assert "off runs" not in run.text


def test_a_dependant_that_runs_stays_when_its_dependency_has_failed_for_good(devrun, tmp_path):
    toml(
        tmp_path,
        f"""
        [services.db]
        command = "echo db up; until test -e end; do sleep 0.02; done; exit 4"
        ready = {{ log = "db up" }}
        [services.web]
        command = "{program("says_signals")}"
        depends_on = ["db"]
        """,
    )
    run = devrun().wait_for("[web] READY")
    (tmp_path / "end").touch()
    run.wait_for("exited with code 4")
    run.signal(signal.SIGINT)
    assert run.wait() == -signal.SIGINT
    assert run.count("got ") == 1, "nobody else has stopped it"


# -- stopping ---------------------------------------------------------------------------------


def test_services_stop_in_reverse_a_level_at_a_time(devrun, tmp_path):
    """Three levels; each service takes a while to end, and says when it has."""
    slow = program("says_signals", 0.15)
    toml(
        tmp_path,
        f"""
        [defaults]
        ready = {{ log = "READY" }}
        [services.db]
        command = "{slow}"
        [services.cache]
        command = "{slow}"
        [services.api]
        command = "{slow}"
        depends_on = ["db", "cache"]
        [services.web]
        command = "{slow}"
        depends_on = ["api"]
        [services.mail]
        command = "{slow}"
        depends_on = ["db"]
        """,
    )
    run = devrun().wait_for("[web  ] ready", "[mail ] ready")
    stop(run)
    text = run.text
    in_order(
        text,
        "[web  ] got SIGTERM",
        "[web  ] ending after 1",
        "[api  ] got SIGTERM",
        "[api  ] ending after 1",
        "[db   ] got SIGTERM",
        "[db   ] ending after 1",
    )
    in_order(text, "[mail ] ending after 1", "[db   ] got SIGTERM")
    in_order(text, "[api  ] ending after 1", "[cache] got SIGTERM")
    # What is on one level does not wait for one another.
    in_order(text, "[mail ] got SIGTERM", "[web  ] ending after 1")


def test_a_level_that_is_deaf_is_killed_and_then_the_next_is_stopped(devrun, tmp_path):
    toml(
        tmp_path,
        f"""
        [services.db]
        command = "{program("says_signals")}"
        ready = {{ log = "READY" }}
        [services.web]
        command = "{program("ignores_signals")}"
        depends_on = ["db"]
        stop = {{ timeout = "200ms" }}
        """,
    )
    run = devrun().wait_for("[web] READY")
    stop(run)
    in_order(run.text, "web did not end within 0.2 s", "[db ] got SIGTERM")


def test_a_second_interrupt_kills_all_levels_at_once(devrun, tmp_path):
    toml(
        tmp_path,
        f"""
        [defaults]
        command = "{program("ignores_signals")}"
        ready = {{ log = "READY" }}
        [services]
        db = {{}}
        api.depends_on = ["db"]
        web.depends_on = ["api"]
        """,
    )
    run = devrun(terminal=(24, 100), env_added={"NO_COLOR": "1"}).wait_for("[web] ready")
    run.type(b"\x03").wait_for("Sending SIGINT to 3 processes")
    run.at_leisure().type(b"\x03")
    assert run.wait() == -signal.SIGINT
    assert run.count("Sending SIGKILL to 1 process") == 3


def test_the_whole_stop_may_have_a_time(devrun, tmp_path):
    toml(
        tmp_path,
        f"""
        shutdown_timeout = "200ms"
        [defaults]
        command = "{program("ignores_signals")}"
        ready = {{ log = "READY" }}
        [services]
        db = {{}}
        web.depends_on = ["db"]
        """,
    )
    run = devrun().wait_for("[web] ready")
    stop(run)
    assert run.count("Sending SIGKILL") == 2


def test_edge_43_a_stop_half_way_stops_what_has_started_and_starts_nothing(devrun, tmp_path):
    toml(
        tmp_path,
        f"""
        [services.db]
        command = "{program("says_signals", 0.1)}"
        ready = {{ log = "READY" }}
        [services.api]
        command = "{program("says_signals", 0.1)}"
        depends_on = ["db"]
        ready = {{ log = "never said" }}
        [services.web]
        command = "touch web-ran"
        depends_on = ["api"]
        [services.late]
        command = "touch late-ran"
        start_delay = "60s"
        """,
    )
    run = devrun().wait_for("[api ] READY")
    stop(run)
    in_order(run.text, "[api ] got SIGTERM", "[api ] ending after 1", "[db  ] got SIGTERM")
    assert not (tmp_path / "web-ran").exists()
    assert not (tmp_path / "late-ran").exists()
    assert "not started" not in run.text
    assert "[web ]" not in run.text


def test_what_stops_the_others_stops_in_order_too(devrun, tmp_path):
    toml(
        tmp_path,
        f"""
        [services.db]
        command = "{program("says_signals")}"
        ready = {{ log = "READY" }}
        [services.web]
        command = "{program("says_signals", 0.1)}"
        depends_on = ["db"]
        ready = {{ log = "READY" }}
        [services.job]
        command = "exit 6"
        depends_on = ["web"]
        on_exit = "stop"
        """,
    )
    run = devrun()
    assert run.wait() == 6
    in_order(run.text, "[web] got SIGTERM", "[web] ending after 1", "[db ] got SIGTERM")


# -- restarts ---------------------------------------------------------------------------------

DIES_WHEN_TOLD = """
n = len(os.listdir("runs")) + 1
open(f"runs/{n}", "w").close()
print("run", n, flush=True)
signal.alarm(120)
while not os.path.exists(f"die/{n}"):
    time.sleep(0.01)
os.remove(f"die/{n}")
sys.exit(3)
"""


@pytest.fixture
def dying(tmp_path):
    """Return a ``command`` that runs until a file of the name of its run appears."""
    (tmp_path / "runs").mkdir()
    (tmp_path / "die").mkdir()
    return python(DIES_WHEN_TOLD)


def test_a_dependant_stays_when_its_dependency_restarts(devrun, tmp_path, dying):
    toml(
        tmp_path,
        f"""
        {dying_db(dying)}
        [services.web]
        command = "{program("says_signals")}"
        depends_on = ["db"]
        """,
    )
    run = devrun().wait_for("[web] READY")
    (tmp_path / "die" / "1").touch()
    run.wait_for("[db ] run 2")
    stop(run)
    assert run.count("[web] READY") == 1
    assert run.count("[web] got ") == 1


def test_a_dependant_may_restart_with_it(devrun, tmp_path, dying):
    toml(
        tmp_path,
        f"""
        {dying_db(dying)}
        [services.web]
        command = "{program("says_signals")}"
        depends_on = {{ db = {{ on_restart = "restart" }} }}
        """,
    )
    run = devrun().wait_for("[web] READY")
    (tmp_path / "die" / "1").touch()
    until(lambda: run.count("[web] READY") == 2, "the dependant's restart")
    in_order(run.text, "[db ] run 1", "[web] READY", "[web] restarting with db", "[db ] run 2")
    in_order(run.text, "[db ] run 2", "[db ] ready", "[web] READY")
    assert run.count("restarting with db") == 1
    stop(run)


def test_a_dependant_may_stop_with_it(devrun, tmp_path, dying):
    toml(
        tmp_path,
        f"""
        {dying_db(dying)}
        [services.web]
        command = "{program("says_signals")}"
        depends_on = {{ db = {{ on_restart = "stop" }} }}
        """,
    )
    run = devrun().wait_for("[web] READY")
    (tmp_path / "die" / "1").touch()
    run.wait_for("[db ] run 2", "[web] ending after 1")
    stop(run)
    assert run.count("[web] READY") == 1


def test_edge_42_a_diamond_is_restarted_once(devrun, tmp_path, dying):
    toml(
        tmp_path,
        f"""
        [defaults]
        ready = {{ log = "run|READY" }}
        [services.db]
        command = {dying}
        restart = "on-failure"
        {FAST}
        [services.left]
        command = "{program("says_signals")}"
        depends_on = {{ db = {{ on_restart = "restart" }} }}
        [services.right]
        command = "{program("says_signals")}"
        depends_on = {{ db = {{ on_restart = "restart" }} }}
        [services.top]
        command = "{program("says_signals")}"
        depends_on = {{ left = {{ on_restart = "restart" }}, right = {{ on_restart = "restart" }} }}
        """,
    )
    run = devrun().wait_for("[top  ] ready")
    (tmp_path / "die" / "1").touch()
    until(lambda: run.count("[top  ] ready") == 2, "the second start of all")
    stop(run)
    for name in ("left ", "right", "top  "):
        assert run.count(f"[{name}] READY") == 2, name
        assert run.count(f"[{name}] restarting with") == 1, name
    second = run.text[run.text.index("[db   ] run 2") :]
    in_order(second, "[left ] READY", "[top  ] READY")
    in_order(second, "[right] READY", "[top  ] READY")


def test_edge_41_a_dependency_that_restarts_while_its_dependant_starts(devrun, tmp_path, dying):
    """The dependant goes on starting; what waits for the dependant waits for nothing else."""
    toml(
        tmp_path,
        f"""
        {dying_db(dying)}
        [services.web]
        command = "echo begins; until test -e go; do sleep 0.02; done; echo serves; {WAITS}"
        ready = {{ log = "serves" }}
        depends_on = ["db"]
        [services.top]
        command = "echo top runs; {WAITS}"
        depends_on = ["web"]
        """,
    )
    run = devrun().wait_for("[web] begins")
    (tmp_path / "die" / "1").touch()
    run.wait_for("[db ] run 2")
    (tmp_path / "go").touch()
    run.wait_for("[top] top runs")
    stop(run)
    assert run.count("[web] begins") == 1


def test_each_restart_waits_for_the_dependencies_anew(devrun, tmp_path, dying):
    """The dependant ends while its dependency is down, and waits until that is ready again."""
    toml(
        tmp_path,
        f"""
        {dying_db(dying, ready='file = "open"')}
        [services.web]
        command = "echo web runs; until test -e end; do sleep 0.02; done; rm end; exit 1"
        depends_on = ["db"]
        restart = "on-failure"
        {FAST}
        """,
    )
    run = devrun().wait_for("[db ] run 1")
    (tmp_path / "open").touch()
    run.wait_for("[web] web runs")
    (tmp_path / "die" / "1").touch()
    run.wait_for("[db ] run 2")
    (tmp_path / "end").touch()
    run.wait_for("exit 1 exited with code 1")
    assert run.count("[web] web runs") == 1
    (tmp_path / "open").unlink()
    (tmp_path / "open").touch()
    until(lambda: run.count("[web] web runs") == 2, "the dependant's restart")
    in_order(run.text, "exit 1 exited with code 1", "[db ] ready", "[web] web runs")
    stop(run)


# -- groups -----------------------------------------------------------------------------------


def group(strategy, dying):
    return f"""
        groups.app = {{ strategy = "{strategy}", services = ["db", "api", "web"] }}
        [defaults]
        restart = "on-failure"
        {FAST}
        ready = {{ log = "run|READY" }}
        [services.db]
        command = "{program("says_signals")}"
        [services.api]
        command = {dying}
        depends_on = ["db"]
        [services.web]
        command = "{program("says_signals")}"
        depends_on = ["api"]
        [services.alone]
        command = "{program("says_signals")}"
        depends_on = ["api"]
        """


@pytest.mark.parametrize(
    ("strategy", "starts"),
    [
        ("one_for_one", {"db": 1, "web": 1}),
        ("rest_for_one", {"db": 1, "web": 2}),
        ("one_for_all", {"db": 2, "web": 2}),
    ],
)
def test_who_is_restarted_with_one_that_failed(devrun, tmp_path, dying, strategy, starts):
    toml(tmp_path, group(strategy, dying))
    run = devrun().wait_for("[web  ] ready", "[alone] ready")
    (tmp_path / "die" / "1").touch()
    run.wait_for("[api  ] run 2")
    for name, count in starts.items():
        until(lambda n=name, c=count: run.count(f"[{n:5}] ready") == c, f"{name}'s restart")
    until(lambda: run.count("[api  ] ready") == 2, "the second start")
    stop(run)
    for name, count in starts.items():
        assert run.count(f"[{name:5}] READY") == count, name
    assert run.count("[alone] READY") == 1
    assert run.count("[api  ] run") == 2, "the failed one itself is restarted once"
    if strategy == "one_for_all":
        second = run.text[run.text.index("[api  ] run 1") :]
        in_order(second, "[db   ] READY", "[api  ] run 2", "[web  ] READY")
