"""What is started again, when, how often, and what is gone before that."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys

import pytest
from running import program, until
from supervised import FAST, free_port, in_order, is_served, python, said_by, toml


def service(folder, command, rest=""):
    """Write a project of one service."""
    return toml(folder, f"[services.web]\ncommand = {command}\n{rest}")


def stop(run, number=signal.SIGTERM):
    run.signal(number)
    assert run.wait() == -number


def counted(folder, *ends):
    """Return a command whose runs end as the list says, one after another; the last for ever."""
    (folder / "ends").write_text("\n".join(ends))
    return python(
        """
        ends = open("ends").read().split("\\n")
        number = len(os.listdir("runs")) if os.path.isdir("runs") else os.makedirs("runs") or 0
        open(f"runs/{number}", "w").close()
        print("run", number + 1, flush=True)
        signal.alarm(120)
        eval(ends[min(number, len(ends) - 1)])
        """.replace("\n        ", "\n")
    )


def exits(code):
    return f"sys.exit({code})"


def dies(number):
    """Python ignores SIGPIPE, so that is undone."""
    usual = f"signal.signal({number:d}, signal.SIG_DFL)" if number == signal.SIGPIPE else "0"
    return f"({usual}, os.kill(os.getpid(), signal.{number.name}))"


ENDS_WELL = exits(0)
STAYS = "(print('stays', flush=True), signal.pause())"


# -- which ends -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "end", "restarts"),
    [
        ("no", exits(0), False),
        ("no", exits(1), False),
        ("no", dies(signal.SIGKILL), False),
        ("on-failure", exits(0), False),
        ("on-failure", exits(1), True),
        ("on-failure", dies(signal.SIGKILL), True),
        ("on-failure", dies(signal.SIGSEGV), True),
        ("on-failure", dies(signal.SIGPIPE), True),
        ("on-failure", dies(signal.SIGTERM), True),
        ("always", exits(0), True),
        ("always", exits(1), True),
        ("always", dies(signal.SIGKILL), True),
    ],
)
def test_edge_1_and_2_which_ends_are_followed_by_a_start(devrun, tmp_path, policy, end, restarts):
    service(tmp_path, counted(tmp_path, end, STAYS), f'restart = "{policy}"\n{FAST}')
    run = devrun()
    if restarts:
        run.wait_for("run 2", "stays")
        stop(run)
    else:
        code = run.wait()
        assert code == {exits(0): 0, exits(1): 1}.get(end, 128 + signal.SIGKILL)
        assert "run 2" not in run.text
        assert "restarting" not in run.text


def test_edge_2_devruns_own_stop_signal_is_no_failure(devrun, tmp_path):
    service(tmp_path, '"exec sleep 100"', f'restart = "always"\n{FAST}')
    run = devrun("--kill-others", "-f", "devrun.toml", "other=sleep 0.3")
    assert run.wait() == 0
    assert "restarting" not in run.text


@pytest.mark.parametrize(
    ("rules", "end", "restarts"),
    [
        ('restart = "on-failure"\nno_restart_on = [78]', exits(78), False),
        ('restart = "on-failure"\nno_restart_on = [78]', exits(77), True),
        ('restart = "always"\nno_restart_on = [0]', exits(0), False),
        ('restart = "always"\nno_restart_on = [0]', dies(signal.SIGKILL), True),
        ('restart = "always"\nno_restart_on = ["SIGKILL"]', dies(signal.SIGKILL), False),
        ('restart = "always"\nno_restart_on = ["SIGKILL"]', exits(137), True),
        ("restart_on = [75]", exits(75), True),
        ("restart_on = [75]", exits(1), False),
        ('restart = "on-failure"\nrestart_on = [0]', exits(0), True),
    ],
)
def test_codes_and_signals_may_be_named(devrun, tmp_path, rules, end, restarts):
    service(tmp_path, counted(tmp_path, end, STAYS), f"{rules}\n{FAST}")
    run = devrun()
    if restarts:
        run.wait_for("run 2", "stays")
        stop(run)
    else:
        run.wait()
        assert "run 2" not in run.text


# -- when -------------------------------------------------------------------------------------


def test_the_time_before_each_restart_is_said_and_grows(devrun, tmp_path):
    service(
        tmp_path,
        counted(tmp_path, exits(3), exits(3), exits(3), exits(3), exits(3), ENDS_WELL),
        """
        restart = "on-failure"
        min_uptime = "60s"
        backoff = { initial = "20ms", factor = 2, max = "100ms", jitter = 0 }
        """,
    )
    run = devrun()
    assert run.wait() == 0
    said = re.findall(r"restarting in (\d+) ms \((\d+) of 16\)", run.text)
    assert said == [("20", "1"), ("40", "2"), ("80", "3"), ("100", "4"), ("100", "5")]


def test_the_time_said_is_the_time_that_passes(devrun, tmp_path):
    """From the end to the next first instruction, by the service's own clock."""
    code = """
    number = len(os.listdir("t")) if os.path.isdir("t") else os.mkdir("t") or 0
    open(f"t/{number}", "w").write(str(time.monotonic()))
    if number == 1: sys.exit(0)
    open("end", "w").write(str(time.monotonic()))
    sys.exit(1)
    """
    service(
        tmp_path,
        python(code),
        'restart = "on-failure"\nmin_uptime = "60s"\nbackoff = { initial = "700ms", jitter = 0 }',
    )
    run = devrun()
    assert run.wait() == 0
    assert "restarting in 700 ms (1 of 16)" in run.text
    passed = float((tmp_path / "t/1").read_text()) - float((tmp_path / "end").read_text())
    assert passed >= 0.7


def test_a_restart_delay_is_the_least(devrun, tmp_path):
    service(
        tmp_path,
        counted(tmp_path, exits(3), exits(3), ENDS_WELL),
        """
        restart = "on-failure"
        min_uptime = "60s"
        restart_delay = "60ms"
        backoff = { initial = "40ms", jitter = 0 }
        """,
    )
    run = devrun()
    assert run.wait() == 0
    said = re.findall(r"restarting in (\d+) ms", run.text)
    assert said == ["60", "80"]


def test_edge_5_an_end_after_min_uptime_is_no_fast_one(devrun, tmp_path):
    """It runs a little longer than that each time, and never is one too many."""
    end = "(time.sleep(0.25), sys.exit(3))"
    service(
        tmp_path,
        counted(tmp_path, end, end, end, STAYS),
        f'restart = "on-failure"\nmax_restarts = 0\nmin_uptime = "200ms"\n{FAST}',
    )
    run = devrun().wait_for("run 4")
    stop(run)
    assert "failed" not in run.text
    assert "(1 of" not in run.text


def test_uptime_counts_from_ready(devrun, tmp_path):
    """It takes longer to start than min_uptime, and ends as soon as it is ready."""
    service(
        tmp_path,
        '"sleep 1.1; echo ready; exit 3"',
        f'restart = "on-failure"\nmax_restarts = 1\nready.log = "ready"\n{FAST}',
    )
    run = devrun()
    assert run.wait() == 3
    assert "web failed: ended 2 times in a row within 1 s of starting" in run.text


# -- how often --------------------------------------------------------------------------------


def test_edge_3_seventeen_ends_at_once_are_failed_and_the_last_lines_are_shown(devrun, tmp_path):
    service(
        tmp_path,
        '"seq 1 30; exit 9"',
        """
        restart = "always"
        min_uptime = "10s"
        backoff = { initial = "1ms", factor = 1, jitter = 0 }
        """,
    )
    run = devrun()
    assert run.wait() == 9
    assert run.count("restarted\n") == 16
    at = next(i for i, line in enumerate(run.lines) if line.startswith("--> web failed: "))
    words = "--> web failed: ended 17 times in a row within 10 s of starting; it said last:"
    assert run.lines[at] == words
    assert run.lines[at + 1 : at + 21] == [f"-->   | {n}" for n in range(11, 31)]
    assert not run.lines[at + 21].startswith("-->   |")


def test_others_go_on_when_one_has_failed(devrun, tmp_path):
    toml(
        tmp_path,
        f"""
        [services.bad]
        command = "exit 3"
        restart = "on-failure"
        max_restarts = 2
        {FAST}
        [services.web]
        command = "{program("says_signals")}"
        """,
    )
    run = devrun().wait_for("READY", "bad failed: ended 3 times in a row")
    run.signal(signal.SIGTERM)
    assert run.wait() == -signal.SIGTERM
    assert run.count("[web] got ") == 1


def test_edge_4_a_crash_loop_after_a_long_good_life_is_limited_too(devrun, tmp_path):
    """The age of the service is of no account: calm ends are followed by a row of fast ones."""
    service(
        tmp_path,
        '"echo x >> n; echo run $(wc -l < n); test $(wc -l < n) -gt 3 || sleep 0.9; exit 3"',
        f'restart = "on-failure"\nmax_restarts = 2\nmin_uptime = "700ms"\n{FAST}',
    )
    run = devrun()
    assert run.wait() == 3
    assert run.count("] run ") == 6
    assert "web failed: ended 3 times in a row within 0.7 s of starting" in run.text


def test_for_ever_is_for_ever(devrun, tmp_path):
    service(
        tmp_path,
        '"exit 3"',
        'restart = "always"\nmax_restarts = -1\nbackoff = { initial = "1ms", factor = 1 }',
    )
    run = devrun()
    until(lambda: run.count("restarted\n") > 25, "more restarts than the usual limit")
    stop(run)


def test_too_many_restarts_within_a_time(devrun, tmp_path):
    """Each run is longer than min_uptime; the limit holds all the same."""
    service(
        tmp_path,
        counted(tmp_path, "(time.sleep(0.1), sys.exit(3))"),
        f'restart = "on-failure"\nmin_uptime = "50ms"\nrestart_limit = "3/60s"\n{FAST}',
    )
    run = devrun()
    assert run.wait() == 3
    assert run.count("] run ") == 4
    assert "web failed: more than 3 restarts within 60 s" in run.text


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ('"no-such-program-anywhere x"', 127, "no such program"),
        ('"./script"', 127, "no such"),
    ],
    ids=["program", "interpreter"],
)
def test_edge_7_what_does_not_exist_is_not_tried_again(devrun, tmp_path, command, code, said):
    (tmp_path / "script").write_text("#!/no/such/interpreter\n")
    (tmp_path / "script").chmod(0o755)
    service(tmp_path, command, f'restart = "always"\n{FAST}')
    run = devrun()
    assert run.wait() == code
    assert said in run.text
    assert "restarting" not in run.text


def test_edge_7_what_may_not_be_executed_and_a_folder_that_is_gone(devrun, tmp_path):
    (tmp_path / "script").write_text("echo never")
    toml(
        tmp_path,
        """
        [services.script]
        command = "./script"
        [services.folder]
        command = "echo never"
        cwd = "nowhere"
        """,
    )
    run = devrun()
    assert run.wait() in (126, 127)
    assert '[script] cannot execute "./script": permission denied' in run.lines
    assert any("nowhere" in line for line in said_by(run, "folder"))


def test_edge_7_text_file_busy_is_tried_again(devrun, tmp_path):
    """Somebody still has the program open for writing: a build that is not over."""
    target = tmp_path / "busy"
    shutil.copy("/bin/true", target)
    target.chmod(0o755)
    service(tmp_path, '"./busy"', 'restart = "on-failure"\nbackoff = { initial = "50ms" }')
    writing = os.open(target, os.O_WRONLY)
    try:
        run = devrun().wait_for("text file busy", "restarting in")
    finally:
        os.close(writing)
    assert run.wait() == 0


def test_a_watched_program_that_does_not_exist_is_started_when_it_does(devrun, tmp_path):
    service(tmp_path, '"./made-later"', f'restart = "on-failure"\nwatch = ["made-later"]\n{FAST}')
    run = devrun().wait_for("waiting for a watched file to change")
    (tmp_path / "new").write_text("#!/bin/sh\necho made\nexec sleep 100\n")
    (tmp_path / "new").chmod(0o755)
    (tmp_path / "new").rename(tmp_path / "made-later")
    run.wait_for("[web] made")
    stop(run)


# -- what the user does meanwhile -------------------------------------------------------------


def test_edge_8_a_save_ends_the_pause_and_the_count(devrun, tmp_path):
    service(
        tmp_path,
        '"cat code; exec sh ./code"',
        'restart = "on-failure"\nbackoff = { initial = "60s", jitter = 0 }\nwatch = ["code"]',
    )
    (tmp_path / "code").write_text("exit 3\n")
    run = devrun().wait_for("restarting in 1 min 0 s")
    (tmp_path / "new").write_text("echo mended; exec sleep 100\n")
    (tmp_path / "new").rename(tmp_path / "code")
    run.wait_for("code changed, restarting", "[web] mended")
    stop(run)


@pytest.mark.parametrize("state", ["backoff", "blocked", "delayed", "starting", "stopping"])
def test_edge_9_a_stop_in_every_state(devrun, tmp_path, state):
    """Nothing starts any more, and devrun ends at once."""
    (tmp_path / "code").write_text("1")
    ways = {
        "backoff": ('restart = "always"\nbackoff.initial = "60s"', "exit 3", "restarting in"),
        "blocked": ('depends_on = ["other"]', "touch started", "other up"),
        "delayed": ('start_delay = "60s"', "touch started", "other up"),
        "starting": (
            'ready.log = "never"\nrestart = "always"',
            "echo begins; exec sleep 100",
            "begins",
        ),
        "stopping": (
            f'watch = ["code"]\nstop.timeout = "60s"\n{FAST}',
            f"{sys.executable} {program('says_signals', 0.3).split()[1]} 0.3",
            "READY",
        ),
    }
    rest, command, said = ways[state]
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "{command}"
        {rest}
        [services.other]
        command = "echo other up; exec sleep 100"
        ready.log = "never said"
        """,
    )
    run = devrun().wait_for("other up", said)
    if state == "stopping":
        (tmp_path / "code").write_text("22")
        run.wait_for("got SIGTERM")
    stop(run)
    assert not (tmp_path / "started").exists()
    assert "restarted" not in run.text
    assert run.count("got SIGTERM") <= 1


def test_edge_61_a_save_during_the_start_is_not_lost(devrun, tmp_path):
    """The program reads its code, and the save comes before it is ready."""
    (tmp_path / "code").write_text("1")
    service(
        tmp_path,
        '"echo read $(cat code); until test -e go; do sleep 0.02; done; echo up; exec sleep 100"',
        'ready.log = "up"\nwatch = ["code"]',
    )
    run = devrun().wait_for("read 1")
    (tmp_path / "code").write_text("22")
    run.wait_for("code changed, restarting", "read 22")
    (tmp_path / "code").write_text("333")
    run.wait_for("read 333")
    (tmp_path / "go").touch()
    run.wait_for("ready after")
    stop(run)


def test_edge_61_a_save_while_the_old_one_stops_is_read_by_the_next(devrun, tmp_path):
    (tmp_path / "code").write_text("1")
    code = """
    def end(number, frame):
        os.write(1, b"stops" + b"\\n")
        while not os.path.exists("go"):
            time.sleep(0.01)
        os._exit(0)
    signal.signal(signal.SIGTERM, end)
    print("read", open("code").read(), flush=True)
    signal.alarm(120)
    while True: signal.pause()
    """
    service(tmp_path, python(code), 'watch = ["code"]')
    run = devrun().wait_for("read 1")
    (tmp_path / "code").write_text("22")
    run.wait_for("] stops")
    (tmp_path / "code").write_text("333")
    (tmp_path / "go").touch()
    run.wait_for("read 333")
    stop(run)


def test_saves_are_no_crashes(devrun, tmp_path):
    (tmp_path / "code").write_text("0")
    service(
        tmp_path,
        '"echo read $(cat code); exec sleep 100"',
        'restart = "on-failure"\nmax_restarts = 1\nwatch = ["code"]',
    )
    run = devrun().wait_for("read 0")
    for number in range(1, 5):
        (tmp_path / "code").write_text(str(number))
        run.wait_for(f"read {number}")
    stop(run)
    assert "failed" not in run.text
    assert "restarting in" not in run.text


# -- what is gone before ----------------------------------------------------------------------

SERVES = """
import os, signal, socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("serves", flush=True)
signal.alarm(120)
while True:
    listener.accept()[0].close()
"""


@pytest.mark.parametrize(
    "wrapper",
    [
        "{python} server.py {port}; true",
        "setsid {python} server.py {port} & wait",
        "trap '' TERM; (trap '' TERM; exec {python} server.py {port}) & wait",
    ],
    ids=["shell", "session", "deaf"],
)
def test_edge_24_a_server_whose_wrapper_was_killed_is_gone_before_the_restart(
    devrun, tmp_path, wrapper
):
    port = free_port()
    (tmp_path / "server.py").write_text(SERVES)
    command = wrapper.format(python=sys.executable, port=port)
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "echo pid $$; {command}"
        ready.port = {port}
        restart = "on-failure"
        stop.timeout = "300ms"
        {FAST}
        """,
    )
    run = devrun()
    for round_ in (1, 2):
        until(lambda n=round_: run.count("[web] ready after") == n, "ready")
        pids = [int(line.split()[-1]) for line in said_by(run, "web") if line.startswith("pid ")]
        assert len(pids) == round_
        os.kill(pids[-1], signal.SIGKILL)
    until(lambda: run.count("[web] ready after") == 3, "ready")
    stop(run)
    assert "Address already in use" not in run.text
    assert not is_served(port)


def test_edge_26_a_grandchild_that_holds_the_output_hangs_nothing(devrun, tmp_path):
    service(
        tmp_path,
        "\"(trap '' TERM; exec sleep 100) & echo run; exit 3\"",
        f'restart = "on-failure"\nmax_restarts = 2\nstop.timeout = "100ms"\n{FAST}',
    )
    run = devrun()
    assert run.wait() == 3
    assert run.count("[web] run") == 3


def test_a_restart_says_what_it_did_in_order(devrun, tmp_path):
    rest = f'restart = "on-failure"\nmin_uptime = "60s"\n{FAST}'
    service(tmp_path, counted(tmp_path, exits(3), ENDS_WELL), rest)
    run = devrun()
    assert run.wait() == 0
    said = ("exited with code 3", "restarting in 20 ms (1 of 16)", "restarted")
    in_order(run.text, "run 1", *said, "run 2")


def test_what_follows_an_end_is_told_behind_it(devrun, tmp_path):
    toml(
        tmp_path,
        """
        [services.db]
        command = "trap 'echo last words; exit 0' TERM; echo begins; while :; do sleep 0.05; done"
        ready = { log = "never said", timeout = "1s" }
        restart = "on-failure"
        max_restarts = 0
        [services.web]
        command = "echo web runs"
        depends_on = ["db"]
        """,
    )
    run = devrun()
    assert run.wait() == 1
    stopped, given_up = "not ready within 1 s", "db failed: failed once"
    skipped = "[web] not started: db has failed"
    in_order(run.text, f"{stopped}: stopping it", "last words", "exited with code 1", given_up)
    in_order(run.text, "exited with code 1", skipped, f"  db   {stopped}, after 1")
