"""A project in words: ``--dry-run`` and ``devrun check``."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from signal import SIGINT, SIGQUIT, SIGTERM

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.cli.check.secrets import masked
from devrun.cli.check.source import Source, Used
from devrun.cli.describe import View, describe
from devrun.cli.describe_words import (
    dependency_words,
    gate_words,
    health_words,
    limit_words,
    log_words,
    ready_words,
    restart_words,
    span,
    stop_words,
)
from devrun.config.toml.ending import SUPERVISED
from devrun.model import (
    MASK,
    EnvironmentSettings,
    ExitStatus,
    Project,
    RestartPolicy,
    RestartWhen,
    Service,
    StopPolicy,
    StopScope,
)
from devrun.policies import (
    Condition,
    DelayGate,
    Dependency,
    ExecProbe,
    FileProbe,
    Group,
    HealthCheck,
    HeldSocket,
    HttpProbe,
    IpcGate,
    ListenGate,
    LogFile,
    LogGate,
    MemoryLimit,
    NotifyGate,
    OnLimit,
    OnRestart,
    PortProbe,
    ProcessLimits,
    Readiness,
    Strategy,
)
from devrun.supervise.restarting import delay_before

ROOT = "/project"


def project(*services: Service, **more: object) -> Project:
    return Project(ROOT, "devrun.toml", services, **more)


def service(name: str = "web", **more: object) -> Service:
    more = {"process": name, **more}
    return Service(0, name, "node x", ROOT, **more)


def rows(text: str) -> dict[str, str]:
    """Return the rows of the last service."""
    block = text.rsplit("\n\n", maxsplit=1)[-1].splitlines()[1:]
    return {
        line[2:].partition("  ")[0].strip(): line[2:].partition("  ")[2].strip() for line in block
    }


# -- restarts -----------------------------------------------------------------------------------

SOON = "on failure: at once; after runs below 1 s in "
FAILURE = RestartPolicy(RestartWhen.ON_FAILURE)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (RestartPolicy(), "no"),
        (
            SUPERVISED,
            f"{SOON}100 ms, 200 ms … 30 s (±20 %), failed after 16 in a row",
        ),
        (
            replace(SUPERVISED, when=RestartWhen.ALWAYS, tries=-1, jitter=0.0, calm_delay=2.0),
            "always: in 2 s; after runs below 1 s in 2 s, 3.2 s … 30 s, for ever",
        ),
        (replace(FAILURE, tries=3, delay=1.5), "on failure: in 1.5 s, failed after 3 in a row"),
        (replace(FAILURE, tries=-1), "on failure: at once, for ever"),
        (
            replace(SUPERVISED, tries=0),
            "on failure: at once; after runs below 1 s failed after the first",
        ),
        (
            replace(SUPERVISED, tries=3, jitter=0.0),
            f"{SOON}100 ms, 200 ms, 400 ms, failed after 3 in a row",
        ),
        (
            replace(FAILURE, tries=-1, delay=1.0, factor=2.0, window=(5, 60.0)),
            "on failure: in 1 s, 2 s … 30 s, for ever; failed after more than 5 within 60 s",
        ),
        (
            replace(
                FAILURE,
                when=RestartWhen.NO,
                tries=1,
                restart_on=frozenset((ExitStatus(code=75), ExitStatus(signal=int(SIGQUIT)))),
            ),
            "after exit 75, SIGQUIT: at once, failed after 1 in a row",
        ),
        (
            replace(FAILURE, tries=1, no_restart_on=frozenset((ExitStatus(code=2),))),
            "on failure, but not after exit 2: at once, failed after 1 in a row",
        ),
    ],
)
def test_restarts_in_words(policy, words):
    assert restart_words(policy) == words


@given(
    st.floats(0, 60),
    st.floats(1, 100),
    st.floats(0, 600),
    st.integers(-1, 10**9),
    st.floats(0, 9),
)
def test_the_first_delay_that_is_told_is_the_one_that_is_waited(delay, factor, more, tries, calm):
    policy = replace(
        SUPERVISED, delay=delay, factor=factor, cap=delay + more, tries=tries, calm_delay=calm
    )
    told = restart_words(policy)
    first = delay_before(policy, 1)
    if tries and first:
        assert f"in {span(first)}" in told
    assert len(told) < 200


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (0.0005, "0.5 ms"), (0.1, "100 ms"), (1, "1 s"), (90, "90 s"), (300, "5 min")],
)
def test_spans(seconds, words):
    assert span(seconds) == words


# -- the others ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        (PortProbe(80), "it listens on port 80"),
        (PortProbe(80, "::1"), "[::1]:80 takes connections"),
        (HttpProbe("http://x/"), "http://x/ answers with 200-399"),
        (
            HttpProbe("http://x/", ((200, 200), (300, 302)), "ok$"),
            "http://x/ answers with 200, 300-302 and /ok$/ is found in the answer",
        ),
        (ExecProbe("a && b"), "`a && b` exits with 0"),
        (ExecProbe(("a", "b c")), "`a 'b c'` exits with 0"),
        (FileProbe("/project/tmp/up"), "the file tmp/up is made"),
        (LogGate("on port"), "/on port/ is found in a line of its output"),
        (DelayGate(2), "it has run for 2 s"),
        (NotifyGate(), "it says READY=1 (sd_notify, or devrun notify ready)"),
        (IpcGate(), "it calls process.send('ready')"),
        (ListenGate(), "it listens on a port"),
    ],
)
def test_gates_in_words(gate, words):
    assert gate_words(gate, ROOT) == words


def test_what_follows_a_late_start_is_told():
    assert ready_words(Readiness(PortProbe(80), 5), ROOT).endswith(
        "within 5 s, else that is a failure"
    )
    assert ready_words(Readiness(PortProbe(80), 5, continues=True), ROOT).endswith(
        "within 5 s, then it counts as ready"
    )
    assert ready_words(Readiness(DelayGate(3)), ROOT) == "it has run for 3 s"


def test_health_in_words():
    check = HealthCheck(PortProbe(80), interval=30, timeout=0.5, retries=1, start_period=300)
    assert health_words(check, ROOT) == (
        "it listens on port 80: every 30 s, for 500 ms at most; restarted after one failure; "
        "none counts in the first 5 min"
    )


@pytest.mark.parametrize(
    ("stop", "words"),
    [
        (StopPolicy(), "SIGTERM, SIGKILL after 10 s"),
        (StopPolicy(SIGINT, SIGINT, 1.5), "SIGINT, SIGKILL after 1.5 s"),
        (StopPolicy(SIGTERM, SIGQUIT), "SIGTERM (SIGQUIT on Ctrl+C), SIGKILL after 10 s"),
        (StopPolicy(command="x down"), "`x down`, then SIGTERM, SIGKILL after 10 s"),
        (
            StopPolicy(message=True),
            "process 'shutdown' message, else SIGTERM, SIGKILL after 10 s",
        ),
        (
            StopPolicy(scope=StopScope.MAIN),
            "its main process alone: SIGTERM, SIGKILL after 10 s",
        ),
    ],
)
def test_stops_in_words(stop, words):
    assert stop_words(stop) == words


def test_dependencies_in_words():
    assert dependency_words(Dependency("db", Condition.READY)) == "db ready"
    optional = Dependency("db", Condition.HEALTHY, OnRestart.RESTART, required=False)
    assert (
        dependency_words(optional) == "db healthy (does without it if it fails, restarts with it)"
    )
    assert dependency_words(Dependency("db", on_restart=OnRestart.STOP)).endswith("down)")


def test_limits_and_log_files_in_words():
    limits = ProcessLimits(-5, (("nofile", 10, 20), ("core", 0, 0), ("as", -1, -1)))
    assert limit_words(limits) == "nice -5, nofile 10 (hard 20), core 0, as unlimited"
    assert limit_words(ProcessLimits()) == "none"
    log = LogFile(
        "/project/a.log", "/b.log", 1024**2, 14 * 86400, 3, compress=True, timestamps=True
    )
    assert log_words(log, ROOT) == (
        "a.log; stderr to /b.log; rotated above 1M; kept: for 14d, 3 old files at most; "
        "old files compressed; with times"
    )
    assert (
        log_words(LogFile("/project/a.log", timestamps=True, json=True), ROOT)
        == "a.log; JSON lines"
    )
    assert log_words(LogFile("/a", timestamps=True, time_format="%H"), ROOT) == "/a; times as %H"


# -- the whole ----------------------------------------------------------------------------------


def test_a_service_of_many_policies():
    whole = service(
        ready=Readiness(PortProbe(80)),
        health=HealthCheck(PortProbe(80)),
        depends_on=(Dependency("db"), Dependency("x", Condition.COMPLETED)),
        start_delay=5.0,
        max_memory=MemoryLimit(500 * 1024**2, OnLimit.RELOAD),
        limits=ProcessLimits(1),
        sockets=(HeldSocket("http", "", 80), HeldSocket("u", "/project/s", None)),
        log=LogFile("/project/x"),
        shares_ports=True,
        env_files=("/project/.env.web",),
        env=(("TOKEN", "s3cret"),),
        tty=False,
    )
    group = Group("app", ("web",), Strategy.REST_FOR_ONE)
    text = describe(project(whole, groups=(group,), shutdown_timeout=20.0))
    assert "  group        app: rest_for_one of web\n  shutdown     within 20 s\n" in text
    found = rows(text)
    assert found["depends_on"] == "db started, x completed"
    assert found["start_delay"] == "5 s"
    assert found["memory"] == "reload above 500M, with all below it"
    assert found["sockets"] == "tcp:80 as http, unix:s as u"
    assert found["group"] == "app (rest_for_one)"
    assert found["env files"] == ".env.web"
    assert found["variables"] == "TOKEN"
    assert found["tty"] == "none"
    assert {"ready", "health", "cluster", "log", "limits", "stop", "restart"} <= found.keys()
    assert "s3cret" not in text
    assert "TOKEN=s3cret" in describe(project(whole), View(show_values=True))


def test_instances_are_told_together():
    first = replace(service(), name="web.1", port=5000)
    second = replace(first, index=1, name="web.2", number=2, port=5001)
    text = describe(project(first, second))
    assert "services     1 (2 instances), from devrun.toml" in text
    assert text.count("[web]") == 1
    assert rows(text)["instances"] == "2: web.1 (PORT 5000), web.2 (PORT 5001)"
    same = describe(project(first, replace(second, port=5000)))
    assert rows(same)["instances"] == "2: web.1, web.2, all with PORT 5000"


def test_a_text_cannot_break_the_table():
    text = describe(project(replace(service(), command="a\n  stop  SIGINT\x1b[2J")))
    assert rows(text)["command"] == r"a\n  stop  SIGINT\x1b[2J"


def test_origins_and_what_is_left_out_are_told_if_known():
    view = View(
        left_out={"docs": "profile full"},
        places={"web": "devrun.toml:3"},
        origins={
            ("web", "command"): "devrun.toml:4",
            ("web", "restart"): "devrun.toml:5",
            ("web", "backoff"): "default",
            ("web", "cwd"): "default",
        },
    )
    text = describe(project(service()), view)
    assert "  not run      docs (profile full)\n" in text
    found = rows(text)
    assert found["defined"] == "devrun.toml:3"
    assert found["command"] == "node x  # devrun.toml:4"
    assert found["folder"] == ".  # default"
    assert found["restart"] == "no  # restart: devrun.toml:5"
    assert "#" not in found["stop"]


# -- values that files take from variables -----------------------------------------------------


def source(values: set[str], *keys: str, owner: str = "web") -> Source:
    return Source(
        substituted=frozenset(values), written_with=frozenset((owner, key) for key in keys)
    )


def test_values_within_texts_are_masked_where_they_were_put():
    whole = service(
        ready=Readiness(HttpProbe("http://u:s3cret@x:3000/", body="s3cret")),
        log=LogFile("/home/me/x.log"),
        sockets=(HeldSocket("s3cret", "s3cret", 80),),
        env_files=("/s3cret",),
    )
    found = masked(project(whole), source({"s3cret", "/home/me", "3000"}, "ready", "log"))
    (shown,) = found.services
    assert shown.ready.gate == HttpProbe(f"http://u:{MASK}@x:3000/", body=MASK)
    assert shown.log.path == f"/{MASK}/x.log"
    assert shown.sockets == whole.sockets
    assert shown.env_files == whole.env_files


def test_of_two_values_the_longer_one_is_masked():
    whole = service(ready=Readiness(LogGate("secret-and-more")))
    found = masked(project(whole), source({"secret", "secret-and-more"}, "ready"))
    assert found.services[0].ready.gate == LogGate(MASK)


@pytest.mark.parametrize("value", ["", "abc", "3000", "1.5s", "500M", "true", "10:20"])
def test_numbers_and_short_words_are_no_secrets(value):
    whole = service(ready=Readiness(LogGate(f"x{value}")))
    assert masked(project(whole), source({value}, "ready")) == project(whole)


def test_the_project_s_own_texts_are_masked_too():
    whole = project(service(), environment=EnvironmentSettings(files=("/project/s3cret.env",)))
    found = masked(whole, source({"s3cret"}, "env_file", owner=""))
    assert found.environment.files == (f"/project/{MASK}.env",)


def test_only_variables_that_were_asked_for_are_remembered():
    used = Used({"A": "1", "B": "2"})
    assert "C" not in used
    assert used.get("A") == "1"
    assert used.asked_for == {"A": "1"}


def test_min_uptime_may_be_endless():
    assert "below" not in restart_words(replace(SUPERVISED, min_uptime=inf))
