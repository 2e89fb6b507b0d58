"""``devrun up`` and ``devrun down``: a project in the background, from its start to its end."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import stat

import pytest
from background import Background, is_there
from running import MARK, PATIENCE, no_survivors, until
from supervised import STAYS, in_order, python

WEB = f"""
[services.web]
command = {python(f"print('hello', os.environ.get('COLOR'), flush=True); {STAYS}")}
ready = {{ log = "hello" }}
"""

CLOCK = f"""
[services.clock]
command = {python(f"print('tick', flush=True); {STAYS}")}
"""


API = f"[services.api]\ncommand = {python(STAYS)}\n"

SLOW = f"""
[services.slow]
command = {python(f"open('go').read(); print('there', flush=True); {STAYS}")}
ready = {{ log = "there" }}
"""
"""Is ready once the test has opened the pipe."""


@pytest.fixture
def project(devrun, tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    found = Background(devrun, folder)
    yield found
    found.close()


class TestUp:
    def test_returns_when_everything_is_ready(self, project):
        """Not before: one service is ready once the test has said so."""
        os.mkfifo(project.folder / "go")
        slow = python(f"open('go').read(); print('there', flush=True); {STAYS}")
        gate = 'ready = { log = "there" }'
        project.write(CLOCK + f"[services.slow]\ncommand = {slow}\n{gate}\n")
        up = project.begin("up", "-d").wait_for("clock: running")
        assert "slow" not in up.text
        with open(project.folder / "go", "w"):
            pass
        assert up.wait() == 0
        in_order(
            up.text, "clock: running", "slow: ready", f"2 services are up (pid {project.pid()})"
        )

    def test_counts_what_has_done_its_work_as_up(self, project):
        work = f"[services.migrate]\ncommand = {python('print(1)')}\n"
        project.write(work + CLOCK + 'depends_on = { migrate = "completed" }\n')
        said = project.do("up", "-d")
        in_order(said, "migrate: completed", "clock: running", "2 services are up")

    def test_shows_what_failed_and_leaves_the_rest_running(self, project):
        bad = python("print('no such table', flush=True); sys.exit(3)")
        needs = f"[services.api]\ncommand = {python(STAYS)}\ndepends_on = {{ bad = 'completed' }}\n"
        project.write(WEB + f"[services.bad]\ncommand = {bad}\n" + needs)
        said = project.do("up", "-d", code=1)
        in_order(said, "bad: failed: exit code 3", "  | no such table")
        in_order(said, "devrun: failed: bad", "the rest goes on", "devrun down ends it")
        assert project.instances()["web"]["state"] == "ready"

    def test_sees_a_program_that_is_not_there(self, project):
        project.write(CLOCK + '[services.typo]\ncommand = "nonesuch-program --serve; exit 7"\n')
        said = project.do("up", "-d", code=1)
        assert "typo: failed: exit code 7" in said
        assert "nonesuch-program" in said

    def test_does_not_wait_for_what_waits_for_a_failure(self, project):
        bad = python("sys.exit(1)")
        rule = 'restart = "on-failure"\nbackoff = { initial = "1h", max = "1h", jitter = 0 }'
        project.write(
            f"[services.db]\ncommand = {bad}\nready = {{ log = 'never' }}\n{rule}\n"
            f"[services.web]\ncommand = {python(STAYS)}\ndepends_on = ['db']\n"
        )
        said = project.do("up", "-d", code=1)
        in_order(said, "db: backoff: exit code 1", "waiting for what failed: web")

    def test_says_how_a_run_has_ended_that_is_over_at_once(self, project):
        assert "nothing to run" in project.do("up", "-d", code=2)
        project.write("job: echo first; exit 4\n", "Procfile")
        said = project.do("up", "-d", code=4)
        in_order(said, "first", "the project has ended with exit code 4")
        assert project.announced() == []

    def test_says_that_everything_has_run(self, project):
        assert "everything has run" in project.do("up", "-d", "job=true")

    def test_finds_usage_errors_before_anything_is_there(self, project):
        project.write('[services.web]\ncomand = "true"\n')
        said = project.do("up", "-d", code=2)
        assert said.startswith("devrun: devrun.toml:2")
        assert '"comand"' in said
        assert not project.state.exists()
        assert project.announced() == []

    @pytest.mark.parametrize("option", ["--focus=web", "--handle-input", "--group", "--raw"])
    def test_refuses_what_needs_a_terminal(self, project, option):
        project.write(WEB)
        name = option.partition("=")[0]
        assert f"{name} is for a terminal" in project.do("up", "-d", option, code=2)

    def test_fails_when_the_project_is_ended_before_it_is_up(self, project):
        never = f"[services.slow]\ncommand = {python(STAYS)}\nready = {{ log = 'never' }}\n"
        project.write(CLOCK + never)
        up = project.begin("up", "-d").wait_for("clock: running")
        project.do("down")
        assert up.wait() == 1
        assert "the project was ended before it was up: slow" in up.text
        assert "everything has run" not in up.text

    @pytest.mark.parametrize("more", [(), ("second=sleep 60",)])
    def test_starts_the_services_that_are_named_and_what_they_need(self, project, more):
        project.write(WEB + API + "depends_on = ['web']\n" + CLOCK)
        project.do("up", "-d", "api", *more)
        names = {word.partition("=")[0] for word in more}
        assert {*project.pids()} == {"web", "api"} | names

    def test_takes_names_in_the_foreground_too(self, project):
        project.write(WEB + CLOCK)
        front = project.begin("up", "clock").wait_for("tick")
        assert {*project.pids()} == {"clock"}
        project.do("down")
        assert front.wait() == 0

    def test_knows_no_other_names(self, project):
        project.write(WEB + CLOCK)
        said = project.do("up", "-d", "clok", code=2)
        in_order(said, 'no process "clok" in devrun.toml', "clock")

    def test_shows_the_status_of_a_run_that_was_killed_meanwhile(self, project):
        never = f"[services.slow]\ncommand = {python(STAYS)}\nready = {{ log = 'never' }}\n"
        project.write(CLOCK + never)
        up = project.begin("up", "-d").wait_for("clock: running")
        os.kill(project.pid(), signal.SIGKILL)
        assert up.wait() == 137
        in_order(up.text, "killed by SIGKILL", "the project has ended with exit code 137")


class TestTheRun:
    def test_outlives_the_terminal_it_was_started_in(self, project):
        project.write(WEB)
        up = project.begin("up", "-d", terminal=(24, 80)).wait_for("1 service is up")
        up.wait()
        up.hang_up()
        assert os.getsid(project.pid()) != up.process.pid
        before = project.pids()
        for pid in (project.pid(), _parent_of(project.pid())):
            os.kill(pid, signal.SIGHUP)
        assert project.pids() == before

    def test_does_not_hold_the_output_of_who_started_it(self, project):
        project.write(WEB)
        up = project.begin("up", "-d")
        assert up.wait() == 0  # It has waited for the end of the pipe, too.
        for pid in (project.pid(), _parent_of(project.pid())):
            places = {os.readlink(f"/proc/{pid}/fd/{number}") for number in range(3)}
            assert places == {os.devnull, str(project.place / "devrun.log")}

    def test_holds_nothing_else_of_who_started_it(self, project, mark):
        """Not a lock, nor the end of a pipe, nor a socket that was meant for another process."""
        project.write(WEB)
        lock = project.folder / "lock"
        script = 'exec 8>"$0"; flock 8; exec 7>&1 9>&1; "$@"'
        sockets = {MARK: mark, "LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
        said = project.within(["sh", "-c", script, lock], "up", "-d", env=sockets)
        assert "1 service is up" in said
        with open(lock) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for pid in (project.pid(), _parent_of(project.pid())):
            open_ones = {os.readlink(path) for path in _descriptors(pid)}
            assert str(lock) not in open_ones
        assert b"LISTEN_FDS=" not in _environ(project.pids()["web"])

    def test_is_found_after_its_user_has_logged_out(self, project):
        """At the last logout /run/user/UID is removed, with all that is in it."""
        session = project.folder / "session"
        session.mkdir(mode=0o700)
        env = {"XDG_RUNTIME_DIR": str(session)}
        project.write(WEB)
        project.do("up", "-d", env=env)
        pids = project.pids()
        shutil.rmtree(session)
        for later in (env, {"XDG_RUNTIME_DIR": ""}):
            assert "nothing has changed" in project.do("up", "-d", env=later)
            assert project.pids() == pids
        project.do("down", env={"XDG_RUNTIME_DIR": ""})
        assert not is_there(pids["web"])

    def test_is_the_only_one_wherever_its_folder_is(self, project):
        """A run in the foreground has its folder in $XDG_RUNTIME_DIR."""
        session = project.folder / "session"
        session.mkdir(mode=0o700)
        env = {"XDG_RUNTIME_DIR": str(session)}
        project.write(WEB)
        project.do("up", "-d", env=env)
        assert "this project runs already" in project.do("up", env=env, code=2)

    def test_goes_on_when_nobody_waits_any_more(self, project):
        never = f"[services.slow]\ncommand = {python(STAYS)}\nready = {{ log = 'never' }}\n"
        project.write(CLOCK + never)
        up = project.begin("up", "-d", terminal=(24, 80)).wait_for("clock: running")
        up.type(b"\x03")
        assert up.wait() == -signal.SIGINT
        assert "the project goes on in the background" in up.text
        assert project.instances()["clock"]["state"] == "running"

    def test_leaves_nothing_when_it_is_killed(self, project, mark):
        project.write(WEB + CLOCK)
        project.do("up", "-d")
        os.kill(project.pid(), signal.SIGKILL)
        until(lambda: not is_there(project.pid()), "the end")
        no_survivors(mark)

    def test_has_files_of_its_own_for_what_services_write(self, project):
        own = 'log = { file = "own.log" }\n'
        project.write(WEB + CLOCK + own)
        project.do("up", "-d")
        until(lambda: "hello" in project.log("web"), "the line")
        assert project.log("web")[10] == "T"  # With the time.
        assert not (project.place / "logs" / "clock.log").exists()
        until(lambda: "tick" in (project.folder / "own.log").read_text(), "the other line")
        assert "hello" not in project.own_log
        assert "ready after" in project.own_log

    def test_keeps_its_files_from_others(self, project):
        project.write(WEB)
        project.do("up", "-d")
        place = project.place
        modes = {
            path: stat.S_IMODE(path.stat().st_mode)
            for path in (
                place.parent,
                place,
                place / "logs",
                place / "devrun.log",
                *place.glob("logs/*"),
            )
        }
        assert {path for path, mode in modes.items() if mode & 0o077} == set()

    def test_gives_each_instance_a_file(self, project):
        project.write(WEB + "instances = 2\n")
        project.do("up", "-d")
        until(lambda: "hello" in project.log("web.1") + project.log("web.2"), "the lines")

    def test_gives_no_two_services_one_file(self, project):
        says = {name: python(f"print({name!r}, flush=True); {STAYS}") for name in ("a/b", "a_b")}
        project.write("".join(f'[services."{n}"]\ncommand = {c}\n' for n, c in says.items()))
        project.do("up", "-d")
        until(lambda: "a_b" in project.log("a_b"), "one's line")
        until(lambda: "a/b" in project.log("a%2Fb"), "the other's line")
        assert "a/b" not in project.log("a_b")
        project.do("down")
        said = project.do("logs", "a/b")
        assert "a/b" in said
        assert "a_b" not in said

    def test_gives_what_is_scaled_files_by_the_new_names(self, project):
        project.write(WEB)
        project.do("up", "-d")
        project.do("scale", "web=2")
        until(lambda: "hello" in project.log("web.2"), "the second one's line")
        assert project.log("web").count("hello") == 1
        project.do("restart", "web.1")
        until(lambda: "hello" in project.log("web.1"), "the first one's line")

    def test_may_be_said_twice_at_the_same_moment(self, project):
        """One starts it, the others find that it runs; none of them spoils its log."""
        project.write(WEB)
        runs = [project.begin("up", "-d") for _ in range(3)]
        assert [run.wait() for run in runs] == [0, 0, 0]
        said = "".join(run.text for run in runs)
        assert said.count("1 service is up") == 1
        assert said.count(f"nothing has changed (pid {project.pid()})") == 2
        assert "ready after" in project.own_log
        assert not (project.place / "devrun.log.1").exists()

    def test_keeps_the_log_of_the_run_before(self, project):
        project.write(WEB)
        for _ in range(2):
            project.do("up", "-d")
            project.do("down")
        assert "ready after" in (project.place / "devrun.log.1").read_text()

    def test_is_the_only_one_of_its_name(self, project):
        project.write(WEB)
        project.do("up", "-d")
        said = project.do("up", code=2)
        assert f"this project runs already (pid {project.pid()}," in said
        assert "--name gives a second one a name of its own" in said
        assert "1 service is up" in project.do("up", "-d", "--name", "second")
        assert {run["name"] for run in project.announced()} == {None, "second"}
        project.do("down", "--name", "second")
        assert [run["name"] for run in project.announced()] == [None]

    def test_has_no_name_that_could_be_a_pid(self, project):
        project.write(WEB)
        for name in ("123", "", "a/b"):
            assert f'--name "{name}"' in project.do("up", "-d", f"--name={name}", code=2)


class TestUpAgain:
    def test_says_that_nothing_has_changed(self, project):
        project.write(WEB)
        project.do("up", "-d")
        before = project.pids()
        assert project.do("up", "-d") == f"nothing has changed (pid {project.pid()})\n"
        assert project.pids() == before

    def test_says_what_was_stopped_by_hand_which_is_no_failure(self, project):
        project.write(WEB + CLOCK)
        project.do("up", "-d")
        project.do("stop", "clock")
        said = project.do("up", "-d")
        in_order(said, "nothing has changed", "not up: clock (stopped)", "devrun restart NAME")

    def test_fails_as_long_as_something_has_failed(self, project):
        bad = python("print('no such table', flush=True); sys.exit(3)")
        needs = (
            f"[services.late]\ncommand = {python(STAYS)}\ndepends_on = {{ bad = 'completed' }}\n"
        )
        project.write(WEB + f"[services.bad]\ncommand = {bad}\n" + needs)
        project.do("up", "-d", code=1)
        said = project.do("up", "-d", code=1)
        in_order(said, "nothing has changed", "bad: failed: exit code 3", "  | no such table")
        in_order(said, "late: skipped", "failed: bad, late", "the rest goes on in the background")
        assert "web" not in said

    def test_waits_for_what_is_still_starting(self, project):
        """Also when whoever began it waits no longer."""
        os.mkfifo(project.folder / "go")
        project.write(CLOCK + SLOW)
        first = project.begin("up", "-d", terminal=(24, 80)).wait_for("clock: running")
        first.type(b"\x03")
        first.wait()
        again = project.begin("up", "-d").wait_for("nothing has changed")
        third = project.begin("up", "-d", terminal=(24, 80)).wait_for("nothing has changed")
        third.type(b"\x03")
        assert third.wait() == -signal.SIGINT
        assert "no longer waiting; the project goes on in the background" in third.text
        assert again.process.poll() is None
        with open(project.folder / "go", "w"):
            pass
        assert again.wait() == 0
        assert "slow: ready" in again.text
        assert "clock" not in again.text

    def test_does_not_keep_a_later_one_waiting(self, project):
        """What never becomes ready can be set right."""
        project.write(CLOCK)
        project.do("up", "-d")
        never = CLOCK + "ready = { log = 'never' }\n"
        project.write(never)
        first = project.begin("up", "-d").wait_for("changed  clock: ready")
        project.write(never.replace("never", "tick"))
        in_order(project.do("up", "-d"), "changed  clock: ready", "clock: restarted")
        assert first.wait() == 0

    def test_shows_what_a_service_says_that_ends_at_once(self, project):
        project.write(CLOCK + WEB)
        project.do("up", "-d")
        bad = python("print('no such option', flush=True); sys.exit(4)")
        project.write(WEB + f"[services.clock]\ncommand = {bad}\n")
        said = project.do("up", "-d", code=1)
        in_order(said, "changed  clock: command", "clock: failed: exit code 4", "no such option")
        in_order(said, "failed: clock", "the rest goes on in the background")

    def test_tells_programs_what_became_of_it(self, project):
        """Who asks the API waits for the end as well, unless he says otherwise."""
        project.write(CLOCK + WEB)
        project.do("up", "-d")
        project.write(CLOCK.replace("tick", "tack") + WEB.replace(STAYS, "sys.exit(4)"))
        status, said = project.api().ask("POST", "/v1/apply", {"words": []})
        assert status == 409
        results = {each["name"]: (each["outcome"], each["reason"]) for each in said["results"]}
        assert results == {"clock": ("restarted", None), "web": ("failed", "exit code 4")}
        [*arrivals, last] = project.api().lines("/v1/rise")
        assert {each["service"]: each["state"] for each in arrivals} == {
            "clock": "running",
            "web": "failed",
        }
        assert last == {"over": True, "pid": project.pid(), "stopping": False, "waiting": []}

    def test_does_not_say_that_the_rest_goes_on_when_there_is_none(self, project):
        project.write(CLOCK)
        project.do("up", "-d")
        project.write(f"[services.clock]\ncommand = {python('sys.exit(4)')}\n")
        said = project.do("up", "-d", code=1)
        in_order(said, "clock: failed: exit code 4", "the project has ended; failed: clock")
        assert "goes on" not in said
        assert project.announced() == []

    def test_starts_what_is_ending_anew(self, project):
        os.mkfifo(project.folder / "go")
        slowly = python(
            "signal.signal(15, lambda *_: (open('go').read(), sys.exit()));"
            f"print('there', flush=True); {STAYS}"
        )
        project.write(f"[services.db]\ncommand = {slowly}\nready = {{ log = 'there' }}\n")
        project.do("up", "-d")
        before = project.pids()
        down = project.begin("down")
        until(lambda: project.instances()["db"]["state"] == "stopping", "the end's beginning")
        dry = project.do("up", "-d", "--dry-run", code=1)
        assert "the project is ending" in dry
        again = project.begin("up", "-d").wait_for("the project is ending")
        with open(project.folder / "go", "w"):
            pass
        assert down.wait() == 0
        assert again.wait() == 0
        assert "1 service is up" in again.text
        assert project.pids()["db"] != before["db"]
        down = project.begin("down")
        with open(project.folder / "go", "w"):
            pass
        assert down.wait() == 0

    def test_does_not_wait_for_one_that_hangs(self, project):
        project.write(WEB)
        project.do("up", "-d")
        pid = project.pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            said = project.do("up", "-d", code=1)
        finally:
            os.kill(pid, signal.SIGCONT)
        assert said.endswith(f"(pid {pid}) does not answer\n")

    def test_leaves_the_first_of_several_instances_in_peace(self, project):
        project.write(WEB + "instances = 2\n")
        project.do("up", "-d")
        first = project.pids()["web.1"]
        project.write(WEB)
        said = project.do("up", "-d")
        assert said.splitlines() == ["  removed  web.2", "web.2: removed"]
        assert project.pids() == {"web": first}
        project.do("scale", "web=3")
        assert "removed  web.3" in project.do("up", "-d")
        assert project.pids() == {"web": first}
        project.write(WEB + "instances = 2\n")
        project.do("up", "-d")
        assert project.pids()["web.1"] == first

    def test_leaves_a_procfile_s_other_processes_in_peace(self, project):
        """Each of them is told the ports of all the others."""
        project.write("web: sleep 600\n", "Procfile")
        project.do("up", "-d")
        before = project.pids()
        project.write("web: sleep 600\napi: sleep 600\n", "Procfile")
        in_order(project.do("up", "-d"), "added    api", "api: started")
        assert project.pids()["web"] == before["web"]

    def test_touches_nothing_if_a_folder_is_missing(self, project):
        project.write(WEB + CLOCK)
        project.do("up", "-d")
        before = project.pids()
        project.write(WEB + CLOCK + "cwd = 'nowhere'\n")
        said = project.do("up", "-d", code=2)
        assert f"clock: no such folder: {project.folder / 'nowhere'}" in said
        assert project.pids() == before

    def test_takes_names_of_services(self, project):
        project.write(WEB + API + "depends_on = ['web']\n" + CLOCK)
        project.do("up", "-d", "clock")
        clock = project.pids()["clock"]
        in_order(project.do("up", "-d", "api"), "added    web", "added    api", "api: started")
        pids = project.pids()
        assert {*pids} == {"web", "api", "clock"}
        assert pids["clock"] == clock

    @pytest.mark.parametrize("words", [("tunnel=sleep 60",), ("sleep 60", "sleep 61")])
    def test_does_not_take_commands_for_the_project(self, project, words):
        project.write(WEB)
        project.do("up", "-d")
        before = project.pids()
        said = project.do("up", "-d", *words, code=2)
        assert said.count("\n") == 1
        in_order(said, "of devrun.toml", "--name gives it a run of its own")
        assert project.pids() == before
        project.do("up", "-d", "--name", "tunnel", *words)
        project.write(WEB, "other.toml")
        said = project.do("up", "-d", "--name", "tunnel", "-f", "other.toml", code=2)
        in_order(said, "other.toml is none of them", "--name gives it a run of its own")

    def test_calls_a_command_by_one_name(self, project):
        project.write(WEB)
        project.do("up", "-d", "-f", "devrun.toml", "sleep 60")
        assert {*project.pids()} == {"web", "1"}
        project.write(WEB + CLOCK)
        words = ("up", "-d", "-f", "devrun.toml", "sleep 60")
        in_order(project.do(*words), "added    2", "removed  1", "1: removed", "2: started")
        assert {*project.pids()} == {"web", "clock", "2"}
        assert "nothing has changed" in project.do(*words)

    def test_may_put_something_else_in_the_place_of_everything(self, project):
        project.write(WEB)
        project.do("up", "-d")
        project.write(CLOCK)
        in_order(project.do("up", "-d"), "added    clock", "removed  web", "clock: started")
        assert {*project.pids()} == {"clock"}

    def test_starts_anew_only_what_has_changed(self, project):
        project.write(WEB + CLOCK + f"[services.old]\ncommand = {python(STAYS)}\n")
        project.do("up", "-d")
        before = project.pids()
        new = f"[services.new]\ncommand = {python(STAYS)}\n"
        project.write(WEB + CLOCK.replace("tick", "tack") + new)
        said = project.do("up", "-d")
        in_order(said, "added    new", "removed  old", "changed  clock: command")
        assert "web" not in said
        after = project.pids()
        assert after["web"] == before["web"]
        assert after["clock"] != before["clock"]
        assert {*after} == {"web", "clock", "new"}
        until(lambda: "tack" in project.log("clock"), "the new line")

    def test_takes_other_values_of_variables_for_a_change_and_shows_none(self, project):
        (project.folder / ".env").write_text("COLOR=verysecretred\n")
        project.write(WEB + 'env_file = ["web.env"]\n' + CLOCK)
        (project.folder / "web.env").write_text("")
        project.do("up", "-d")
        before = project.pids()
        (project.folder / "web.env").write_text("COLOR=verysecretblue\n")
        said = project.do("up", "-d")
        in_order(said, "changed  web: env.COLOR", "web: restarted")
        assert "secret" not in said
        assert project.pids()["clock"] == before["clock"]
        until(lambda: "hello verysecretblue" in project.log("web"), "the new line")
        assert "nothing has changed" in project.do("up", "-d")

    def test_only_shows_the_difference_if_asked_to(self, project):
        project.write(WEB + CLOCK)
        project.do("up", "-d")
        before = project.pids()
        project.write(WEB)
        said = project.do("up", "-d", "--dry-run")
        in_order(said, "removed  clock", "nothing was touched")
        assert project.pids() == before

    def test_touches_nothing_if_the_file_is_broken(self, project):
        project.write(WEB + CLOCK)
        project.do("up", "-d")
        before = project.pids()
        project.write(WEB + "[services")
        assert "devrun.toml:" in project.do("up", "-d", code=2)
        project.write(WEB)
        assert "no such profile" in project.do("up", "-d", "--profile", "x", code=2)
        assert project.pids() == before

    def test_has_the_words_of_this_time(self, project):
        project.write(WEB + CLOCK)
        project.do("up", "-d")
        in_order(project.do("up", "-d", "--only", "web"), "removed  clock", "clock: removed")
        assert {*project.pids()} == {"web"}
        in_order(project.do("up", "-d"), "added    clock", "clock: started")

    def test_leaves_alone_what_is_not_named(self, project):
        """As docker compose has it; ``--only`` says what there is to be, and nothing else."""
        project.write(WEB + CLOCK)
        project.do("up", "-d", "web")
        assert {*project.pids()} == {"web"}
        before = project.pids()["web"]
        project.write(WEB.replace("hello", "hello there") + CLOCK)
        said = project.do("up", "-d", "clock")
        in_order(said, "added    clock", "clock: started")
        assert "web" not in said
        assert project.pids()["web"] == before
        in_order(project.do("up", "-d"), "changed  web: command", "web: restarted")

    def test_says_what_fails_now(self, project):
        project.write(WEB + CLOCK)
        project.do("up", "-d")
        bad = python("sys.exit(3)")
        project.write(WEB + f"[services.clock]\ncommand = {bad}\nready = {{ log = 'never' }}\n")
        said = project.do("up", "-d", code=1)
        in_order(said, "changed  clock: command, ready", "clock: failed: exit code 3")

    def test_says_what_has_to_wait(self, project):
        project.write(WEB)
        project.do("up", "-d")
        said = project.do("up", "-d", "--success", "first")
        in_order(said, "success of the whole run", "nothing has changed")

    def test_changes_a_run_in_the_foreground_too(self, project):
        project.write(WEB)
        front = project.begin().wait_for("hello")
        project.write(WEB + CLOCK)
        project.do("up", "-d")
        front.wait_for("[clock] tick")
        project.do("down")
        assert front.wait() == 0

    def test_begins_and_ends_a_log_file(self, project):
        """In the foreground, where a service has none unless it says so."""
        project.write(WEB + CLOCK)
        front = project.begin().wait_for("tick")
        project.write(WEB + CLOCK + "log = 'clock.log'\n")
        in_order(project.do("up", "-d"), "changed  clock: log", "clock: restarted")
        log = project.folder / "clock.log"
        until(lambda: log.exists() and log.read_text() == "tick\n", "the line")
        project.write(WEB + CLOCK)
        in_order(project.do("up", "-d"), "changed  clock: log", "clock: restarted")
        until(lambda: front.text.count("[clock] tick") == 3, "the third line")
        project.do("down")
        assert front.wait() == 0
        assert log.read_text() == "tick\n"

    def test_reads_a_file_anew_that_is_a_program(self, project):
        """Its process is a child of the run's, which reaps what nobody waits for."""
        text = "module.exports = { apps: [{ name: 'web', script: 'sleep', args: '%s' }] }\n"
        project.write(text % "3600", "ecosystem.config.js")
        words = ("up", "-d", "-f", "ecosystem.config.js")
        project.do(*words)
        project.write(text % "3601", "ecosystem.config.js")
        in_order(project.do(*words), "changed  web: command", "web: restarted")
        before = project.pids()
        for broken in ("process.exit(3)\n", "throw new Error('not today')\n"):
            project.write(broken, "ecosystem.config.js")
            assert "ecosystem.config.js" in project.do(*words, code=2)
        assert project.pids() == before

    def test_refuses_to_leave_nothing(self, project):
        project.write(WEB)
        project.do("up", "-d")
        said = project.do("up", "-d", "--allow-empty", "--except", "web", code=2)
        assert "nothing" in said
        assert project.instances()["web"]["state"] == "ready"


class TestDown:
    def test_waits_until_nothing_is_left(self, project, mark):
        project.write(WEB + CLOCK)
        project.do("up", "-d")
        assert project.do("down") == "the project has ended\n"
        no_survivors(mark)
        assert project.announced() == []

    def test_is_no_failure_where_nothing_runs(self, project):
        assert "nothing is to be ended" in project.do("down")
        said = json.loads(
            "{" + project.do("down", "--json").partition("{")[2].rpartition("}")[0] + "}"
        )
        assert said == {"version": 1, "ended": False, "pid": None, "killed": False}

    def test_stops_in_order(self, project):
        says = python(
            "signal.signal(15, lambda *_: (print('bye', flush=True), sys.exit()));"
            f"print('there', flush=True); {STAYS}"
        )
        gate = 'ready = { log = "there" }\n'
        project.write(
            f"[services.db]\ncommand = {says}\n{gate}"
            f"[services.web]\ncommand = {says}\n{gate}depends_on = ['db']\n"
        )
        project.do("up", "-d")
        project.do("down")
        in_order(project.own_log, "[web] ", "exited with code 0", "[db ] ", "exited with code 0")
        assert "bye" in project.log("db")

    def test_ends_a_run_in_the_foreground(self, project):
        project.write(WEB)
        front = project.begin().wait_for("hello")
        project.do("down")
        assert front.wait() == 0

    def test_kills_in_time(self, project):
        stubborn = python(f"signal.signal(15, signal.SIG_IGN); print('there', flush=True); {STAYS}")
        project.write(
            f"[services.db]\ncommand = {stubborn}\nready = {{ log = 'there' }}\n"
            'stop = { timeout = "1h" }\n'
        )
        project.do("up", "-d")
        said = project.do("down", "--timeout", "200ms")
        assert "did not end within 0.2 s and was killed" in said
        assert project.announced() == []

    def test_kills_a_devrun_that_hangs(self, project, mark):
        project.write(WEB)
        project.do("up", "-d")
        os.kill(project.pid(), signal.SIGSTOP)
        said = project.do("down", "--timeout", "300ms")
        assert "did not end within 0.3 s and was killed" in said
        no_survivors(mark)

    def test_says_that_a_devrun_hangs(self, project):
        """It is not killed unless that is wanted, and ends when it goes on."""
        project.write(WEB)
        project.do("up", "-d")
        pid = project.pid()
        os.kill(pid, signal.SIGSTOP)
        down = project.begin("down").wait_for(f"pid {pid} does not answer")
        assert is_there(pid)
        os.kill(pid, signal.SIGCONT)
        assert down.wait() == 0
        assert not is_there(pid)

    def test_ends_one_that_has_too_many_clients(self, project):
        project.write(WEB)
        project.do("up", "-d")
        place = project.socket
        clients = [socket.socket(socket.AF_UNIX) for _ in range(200)]
        try:
            for client in clients:
                client.connect(str(place))
                client.send(b"G")
            until(lambda: _is_refused(place), "no more are let in")
            assert project.do("down") == "the project has ended\n"
        finally:
            for client in clients:
                client.close()
        assert project.announced() == []

    def test_finds_the_run_of_the_folder_above(self, project):
        project.write(WEB)
        project.do("up", "-d")
        below = project.folder / "src"
        below.mkdir()
        project.do("down", cwd=below)
        assert project.announced() == []

    def test_wants_to_know_which(self, project):
        runs = [
            project.begin(f"a={command}").wait_for("up") for command in ("echo up; sleep 60",) * 2
        ]
        until(lambda: len(project.announced()) == 2, "both")
        said = project.do("down", code=2)
        assert "2 devruns run here; say which one is to end: --name " in said
        for announced in project.announced():
            project.do("down", "--name", announced["pid"])
        assert [run.wait() for run in runs] == [0, 0]


def _parent_of(pid: int) -> int:
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rpartition(")")[2].split()[1])


def _descriptors(pid: int) -> list[str]:
    folder = f"/proc/{pid}/fd"
    return [os.path.join(folder, name) for name in os.listdir(folder)]


def _environ(pid: int) -> bytes:
    with open(f"/proc/{pid}/environ", "rb") as file:
        return file.read()


def _is_refused(place) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(place))  # It waits while others wait to be let in.
        client.settimeout(PATIENCE)
        client.send(b"GET /v1/project HTTP/1.1\r\nHost: devrun\r\n\r\n")
        return b" 503 " in client.recv(100)
