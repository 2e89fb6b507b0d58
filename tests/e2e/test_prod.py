"""``devrun start --prod``: the foreground process of a container."""

from __future__ import annotations

import json
import re
import signal

import pytest
from running import until
from supervised import FAST, STAYS, in_order, python, toml

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
LONG = 10 * 1024 * 1024
"""Bytes of a line that no pipe and no buffer holds."""

SAYS_WHERE = "print(f'terminal {sys.stdout.isatty()}', os.environ.get('FORCE_COLOR'), flush=True)"


def objects(run):
    """Return what devrun wrote, which has to be an object a line."""
    assert run.output.endswith(b"\n")
    return [json.loads(line) for line in run.output.decode().split("\n")[:-1]]


def events(run):
    return [found for found in objects(run) if "event" in found]


def lines_of(run, service):
    return [found["line"] for found in objects(run) if "line" in found and is_of(found, service)]


def is_of(found, service):
    return found["service"] == service


# -- text ---------------------------------------------------------------------------------------


def test_lines_have_their_time_and_processes_no_terminal(devrun, tmp_path):
    toml(tmp_path, f"services.web = {{ command = {python(SAYS_WHERE)}, color = 'blue' }}")
    run = devrun("start", "--prod", terminal=(24, 200))
    assert run.wait() == 0
    shown = [line for line in run.lines if line]
    assert re.fullmatch(rf"{STAMP} \[web\] terminal False None", shown[0]), shown
    assert all(re.match(rf"{STAMP} \[web\] ", line) for line in shown)
    assert b"\x1b" not in run.output


def test_what_is_said_of_the_run_has_its_time_too(devrun, tmp_path):
    toml(tmp_path, f"services.web = {{ command = {python('sys.exit(3)')} }}")
    run = devrun("start", "--prod")
    assert run.wait() == 3
    assert all(re.match(rf"{STAMP} (\[web\]|-->) ", line) for line in run.lines if line)
    assert any(re.match(rf"{STAMP} --> Failed:", line) for line in run.lines)


def test_colour_is_there_for_the_asking(devrun, tmp_path):
    toml(tmp_path, f"services.web = {{ command = {python(SAYS_WHERE)}, color = 'blue' }}")
    run = devrun("start", "--prod", "--color")
    assert run.wait() == 0
    assert "\x1b[34m[web]" in run.text
    assert re.search(r"terminal False \d", run.text)


def test_the_variable_is_as_good_as_the_option(devrun):
    run = devrun("web=echo hello", env_added={"DEVRUN_PROD": "1"})
    assert run.wait() == 0
    assert re.fullmatch(rf"{STAMP} \[web\] hello", run.lines[0])


# -- the life of the run ------------------------------------------------------------------------


def test_a_run_goes_on_while_its_only_service_waits_for_its_next_start(devrun, tmp_path):
    code = """
        starts = open("starts", "a")
        starts.write(".")
        starts.flush()
        sys.exit(0 if os.path.getsize("starts") > 2 else 3)
    """
    toml(
        tmp_path,
        f"""
        [services.web]
        command = {python(code)}
        restart = "on-failure"
        {FAST}
        """,
    )
    run = devrun("start", "--prod")
    assert run.wait() == 0, run.text
    assert (tmp_path / "starts").read_text() == "..."
    in_order(run.text, "exited with code 3", "restarting", "exited with code 3", "code 0")


def test_the_run_ends_with_the_code_of_what_was_given_up_once_nothing_can_run(devrun, tmp_path):
    toml(
        tmp_path,
        f"""
        [services.db]
        command = "exit 7"
        restart = "on-failure"
        max_restarts = 1
        {FAST}

        [services.migrate]
        command = "true"

        [services.web]
        command = {python(STAYS)}
        depends_on = {{ db = "completed" }}
        """,
    )
    run = devrun("start", "--prod")
    assert run.wait() == 7, run.text
    assert "not started: " in run.text


def test_the_first_exit_of_a_procfile_ends_all_so_that_the_platform_can_start_anew(
    devrun, tmp_path
):
    (tmp_path / "Procfile").write_text("web: sleep 1000\nworker: exit 4\n")
    run = devrun("start", "--prod")
    assert run.wait() == 4
    assert "worker ended, so all end" in run.text


def test_a_process_of_a_procfile_that_is_restarted_ends_nobody(devrun, tmp_path):
    (tmp_path / "Procfile").write_text("web: sleep 1000\nworker: echo x >> starts; exit 4\n")
    run = devrun("start", "--prod", "--auto-restart", "worker")
    until((tmp_path / "starts").exists, "the first start")
    until(lambda: (tmp_path / "starts").read_text().count("x") > 1, "the second start")
    run.signal(signal.SIGTERM)
    assert run.wait() == -signal.SIGTERM
    assert "so all end" not in run.text


def test_a_wrong_line_is_no_success(devrun, tmp_path):
    (tmp_path / "Procfile").write_text("web\n")
    assert devrun("start", "--prod").wait() == 2
    assert devrun("start", "--prod", "-f", "nosuch").wait() == 2


# -- JSON ---------------------------------------------------------------------------------------


def test_every_line_and_every_event_is_an_object(devrun, tmp_path):
    code = "print('to stdout', flush=True); print('to stderr', file=sys.stderr); sys.exit(3)"
    toml(tmp_path, f"services.web = {{ command = {python(code)}, instances = 2 }}")
    run = devrun("start", "--prod", "--log-format", "json")
    assert run.wait() == 3
    found = objects(run)
    assert all(re.fullmatch(STAMP, each["time"]) for each in found)
    assert sorted((f["instance"], f["stream"], f["line"]) for f in found if "line" in f) == [
        ("web.1", "err", "to stderr"),
        ("web.1", "out", "to stdout"),
        ("web.2", "err", "to stderr"),
        ("web.2", "out", "to stdout"),
    ]
    exits = [each for each in events(run) if each["event"] == "exited"]
    assert {(e["service"], e["instance"], e["code"]) for e in exits} == {
        ("web", "web.1", 3),
        ("web", "web.2", 3),
    }
    assert [each["event"] for each in events(run)][-1] == "summary"


def test_a_stop_by_the_platform_is_told_in_objects_too(devrun, tmp_path):
    toml(tmp_path, f"services.web = {{ command = {python('print(1, flush=True);' + STAYS)} }}")
    run = devrun("start", "--prod", "--log-format=json").wait_for('"line":"1"')
    run.signal(signal.SIGTERM)
    assert run.wait() == -signal.SIGTERM
    stop = next(each for each in events(run) if each["event"] == "stopping")
    assert (stop["received"], stop["signals"], stop["running"]) == ("SIGTERM", ["SIGTERM"], 1)
    exited = next(each for each in events(run) if each["event"] == "exited")
    assert (exited["signal"], exited["stopped"]) == ("SIGTERM", True)


def test_long_lines_of_two_services_are_an_object_each(devrun, tmp_path):
    code = f"""
        data = (sys.argv[1] * {LONG} + "\\n").encode()
        while data:
            data = data[os.write(1, data):]
    """
    toml(
        tmp_path,
        f"""
        services.web = {{ command = {python(code, "w")} }}
        services.chat = {{ command = {python(code, "c")} }}
        """,
    )
    run = devrun("--prod", "--log-format", "json", "--quiet")
    assert run.wait() == 0
    assert lines_of(run, "web") == ["w" * LONG]
    assert lines_of(run, "chat") == ["c" * LONG]


def test_bytes_that_are_no_text_come_with_the_line_as_it_was(devrun):
    run = devrun(
        "--log-format", "json", "--quiet", "printf 'gr\\374n\\0\\n'", "printf 'gr\\303\\274n'"
    )
    assert run.wait() == 0
    latin, utf = sorted(objects(run), key=lambda found: found["instance"])
    assert (latin["line"], latin["base64"]) == ("gr\\xfcn\0", "Z3L8bgA=")
    assert utf["line"] == "grün"
    assert "base64" not in utf


def test_a_wrong_format_is_refused_before_anything_starts(devrun, tmp_path):
    run = devrun("--log-format", "yaml", "touch started")
    assert run.wait() == 2
    assert run.text == 'devrun: --log-format "yaml": no such format; there are text, json\n'
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("command", [("start",), ()])
def test_what_would_run_in_production_can_be_looked_at(devrun, tmp_path, command):
    toml(tmp_path, 'services.web = { command = "true", watch = "." }')
    run = devrun(*command, "--prod", "--dry-run")
    assert run.wait() == 0
    assert "[web]" in run.text
    assert "watch" not in run.text
