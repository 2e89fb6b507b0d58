"""What runs, what it is called, who ends whom, and the exit code."""

from __future__ import annotations

import signal
import sys

import pytest
from running import program


def test_commands_run_side_by_side_under_their_names(devrun):
    run = devrun("web=echo hello", "echo world", "PORT=1 sh -c 'echo $PORT'")
    assert run.wait() == 0
    assert {"[web] hello", "[1] world", "[2] 1"} < set(run.lines)


def test_names_are_given_by_position(devrun):
    run = devrun("-n", "a,,c", "echo x=1", "b=2 env | grep ^b=", "echo 3")
    assert run.wait() == 0
    assert {"[a] x=1", "[1] b=2", "[c] 3"} < set(run.lines)


def test_event_lines_are_worded_like_concurrentlys(devrun):
    run = devrun("a=exit 0", "b=kill -9 $$")
    assert run.wait() == 137
    assert "[a] exit 0 exited with code 0" in run.lines
    assert "[b] kill -9 $$ exited with code SIGKILL" in run.lines


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["exit 0", "exit 0"], 0),
        (["exit 3", "true"], 3),
        (["sleep 0.5; exit 4", "exit 5"], 5),
        (["kill -TERM $$"], 143),
        (["-k", "sleep 60", "exit 0"], 0),
        (["-k", "sleep 60", "exit 6"], 6),
        (["--kill-others-on-fail", "sleep 0.5", "exit 0"], 0),
        (["--kill-others-on-fail", "sleep 60", "exit 7"], 7),
        (["-s", "first", "sleep 0.5; exit 3", "exit 0"], 0),
        (["-s", "last", "sleep 0.5; exit 3", "exit 0"], 3),
        (["-s", "command-b", "a=exit 3", "b=exit 0"], 0),
        (["-s", "!command-b", "a=exit 0", "b=exit 4"], 0),
        (["-s", "command-1", "a=exit 0", "b=exit 4"], 4),
    ],
)
def test_the_exit_code_tells_the_truth(devrun, arguments, code):
    assert devrun(*arguments).wait() == code


@pytest.mark.parametrize("code", [0, 1, 2, 42, 126, 127, 128, 255])
def test_codes_are_passed_on(devrun, code):
    assert devrun(f"exit {code}").wait() == code


def test_kill_others_says_so_once(devrun):
    run = devrun("-k", "a=true", "b=sleep 60", "c=sleep 60")
    assert run.wait() == 0
    assert run.count("--> Sending SIGTERM to other processes..") == 1
    assert run.count("exited with code SIGTERM") == 2


def test_a_process_that_fails_is_restarted_so_often(devrun, tmp_path):
    run = devrun("--restart-tries", 2, f"a={program('counts_runs', tmp_path / 'n', 3)}")
    assert run.wait() == 3
    assert [line for line in run.lines if line.startswith("[a] run")] == [
        f"[a] run {n}" for n in (1, 2, 3)
    ]
    assert run.count(" restarted\n") == 2


def test_success_is_not_restarted(devrun):
    run = devrun("--restart-tries", 5, "a=exit 0")
    assert run.wait() == 0
    assert "restarted" not in run.text


def test_no_more_run_at_a_time_than_allowed(devrun, tmp_path):
    count = "mkdir {0}/{1}; ls {0} | wc -l; sleep 0.2; rmdir {0}/{1}"
    run = devrun("-m", 2, *[f"n{n}={count.format(tmp_path, n)}" for n in range(6)])
    assert run.wait() == 0
    seen = [int(line.split()[1]) for line in run.lines if line.split()[1].isdigit()]
    assert len(seen) == 6
    assert max(seen) <= 2


def test_what_waits_for_its_turn_never_starts_after_a_stop(devrun):
    run = devrun("-k", "-m", 1, "a=echo first", "b=echo second")
    assert run.wait() == 0
    assert "second" not in [line.split()[-1] for line in run.lines if line.startswith("[b]")]


@pytest.mark.parametrize(
    ("command", "code", "reason"),
    [
        ("no-such-program x", 127, 'no such program: "no-such-program" is in no folder of PATH'),
        ("./missing", 127, 'no such program: "./missing"'),
        ("/etc", 126, 'cannot execute "/etc": it is a folder'),
        ("/etc/passwd", 126, 'cannot execute "/etc/passwd": permission denied'),
    ],
)
def test_what_cannot_be_started_is_said(devrun, command, code, reason):
    run = devrun(f"a={command}", "b=echo others run")
    assert run.wait() == code
    assert f"[a] {reason}" in run.lines
    assert f"[a] {command} exited with code {code}" in run.lines
    assert "[b] others run" in run.lines


def test_a_script_without_a_first_line_is_run_by_the_shell(devrun, tmp_path):
    script = tmp_path / "script"
    script.write_text("echo from a script\n")
    script.chmod(0o755)
    run = devrun("./script")
    assert run.wait() == 0
    assert "[0] from a script" in run.lines


def test_a_failed_run_ends_with_a_summary(devrun):
    run = devrun("good=echo fine", "bad=echo the reason; exit 9")
    assert run.wait() == 9
    at = run.lines.index("--> Failed:")
    assert run.lines[at + 1].startswith("-->   bad  exit code 9, after ")
    assert run.lines[at + 2 :] == ["-->     | the reason"]


def test_hidden_commands_show_nothing_and_count(devrun):
    run = devrun("--hide", "b", "--quiet", "a=echo seen", "b=echo unseen; exit 3")
    assert run.wait() == 3
    assert run.lines == ["[a] seen"]


def test_raw_passes_everything_on(devrun):
    run = devrun("-r", "-q", "a=printf 'x\\033[2Jy'")
    assert run.wait() == 0
    assert run.output == b"x\x1b[2Jy"


def test_stdin_is_empty(devrun):
    run = devrun("a=cat; echo end")
    assert run.wait() == 0
    assert "[a] end" in run.lines


@pytest.mark.parametrize(
    ("style", "prefix"),
    [
        ("index", "[0] "),
        ("name", "[a] "),
        ("command", "[ech..ero] "),
        ("none", ""),
        ("<{name}:{index}> ", "<a:0>  "),
    ],
)
def test_prefix_styles(devrun, style, prefix):
    run = devrun("-p", style, "-l", 8, "a=echo hi there hero")
    assert run.wait() == 0
    assert run.lines[0] == f"{prefix}hi there hero"


def test_prefixes_with_pid_and_time(devrun):
    run = devrun("-p", "{pid} {time}", "--timestamp-format", "%Y", "a=echo $$")
    assert run.wait() == 0
    pid, year, said = run.lines[0].split()
    assert pid == said
    assert len(year) == 4


def test_padded_prefixes_are_aligned_by_columns(devrun):
    run = devrun("--pad-prefix", "-n", "a,日本,long", "echo 1", "echo 2", "echo 3")
    assert run.wait() == 0
    assert {"[a   ] 1", "[日本] 2", "[long] 3"} < set(run.lines)


def test_timestamps(devrun):
    run = devrun("--timestamps", "-t", "%H", "a=echo hi")
    assert run.wait() == 0
    hour, prefix, said = run.lines[0].split()
    assert (len(hour), prefix, said) == (2, "[a]", "hi")


def test_colours_are_off_in_a_pipe_and_on_by_request(devrun):
    plain = devrun("a=echo hi")
    assert plain.wait() == 0
    assert b"\x1b" not in plain.output
    run = devrun("a=echo $FORCE_COLOR", "b=echo hi", env_added={"FORCE_COLOR": "1"})
    assert run.wait() == 0
    assert b"\x1b[32m[a]\x1b[39m 1\n" in run.output
    assert b"\x1b[35m[b]\x1b[39m hi\n" in run.output


def test_python_children_are_not_held_back(devrun):
    run = devrun(f"a={sys.executable} -c 'import time; print(1); time.sleep(60)'")
    run.wait_for("[a] 1")
    run.signal(signal.SIGINT).wait()


def test_devrun_can_be_nested(devrun, mark):
    inner = f"{sys.executable} -m devrun x={program('says_signals').replace(' ', chr(92) + ' ')}"
    run = devrun(f"out={inner}").wait_for("[out] [x] READY")
    run.signal(signal.SIGTERM)
    assert run.wait() == -signal.SIGTERM
    assert run.count("got SIGTERM") == 1
