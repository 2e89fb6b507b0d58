"""What concurrently's other flags do: group, timings, teardown, input, arguments, folders."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from running import program, until

# -- group --------------------------------------------------------------------------------------


def test_a_group_waits_its_turn_and_loses_nothing(devrun, tmp_path):
    """More than is kept in memory, from two at a time, while the first goes on."""
    go = tmp_path / "go"
    first = f"while [ ! -e {go} ]; do sleep 0.02; done; echo first"
    run = devrun("-g", "-p", "index", first, f"seq 400000; touch {go}", "seq 3")
    assert run.wait() == 0
    lines = run.lines
    assert [line for line in lines if line.startswith("[0]")] == lines[:2]
    numbers = [line.split()[1] for line in lines if re.fullmatch(r"\[1\] \d+", line)]
    assert numbers == [str(n) for n in range(1, 400_001)]
    assert lines[-4:] == ["[2] 1", "[2] 2", "[2] 3", "[2] seq 3 exited with code 0"]
    assert [line[:3] for line in lines] == sorted(line[:3] for line in lines)


def test_the_first_that_has_not_ended_is_shown_as_it_comes(devrun, tmp_path):
    second = f"echo waiting; while [ ! -e {tmp_path}/go ]; do sleep 0.02; done; echo more"
    run = devrun("-g", "echo one", second)
    run.wait_for("[1] waiting")
    (tmp_path / "go").touch()
    assert run.wait() == 0
    assert run.text.index("[1] waiting") < run.text.index("[1] more")


def test_what_never_started_is_no_hindrance(devrun):
    run = devrun("-g", "-k", "-m", 2, "sleep 60", "echo two; exit 3", "echo never")
    assert run.wait() == 3
    assert "never" not in run.text.replace("echo never", "")
    assert "[1] two" in run.lines


def test_an_unfinished_line_ends_with_its_group(devrun):
    run = devrun("-g", "printf no-end", "printf two")
    assert run.wait() == 0
    assert run.lines == [
        "[0] no-end",
        "[0] printf no-end exited with code 0",
        "[1] two",
        "[1] printf two exited with code 0",
    ]


def test_groups_on_a_terminal(devrun, tmp_path):
    first = f"while [ ! -e {tmp_path}/go ]; do sleep 0.02; done; echo first"
    second = f"printf '1 %%\\r2 %%\\r3 %%\\n'; touch {tmp_path}/go"
    run = devrun("-g", "a=" + first, "b=" + second, terminal=(24, 80))
    assert run.wait() == 0
    run.wait_for("3 %")
    shown = run.display()
    assert shown.index("[a] first") < shown.index("[b] 3 %")


def test_a_stop_shows_what_was_waiting(devrun):
    run = devrun("-g", "a=echo a; sleep 60", "b=echo b; echo ready >&2; sleep 60")
    run.wait_for("[a] a")
    until(lambda: "sleep" in _children_of(run), "both to run")
    run.signal(signal.SIGTERM)
    assert run.wait() == -signal.SIGTERM
    assert "[b] b" in run.lines


def _children_of(run):
    command = ["ps", "-e", "-o", "args"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


# -- timings ------------------------------------------------------------------------------------


def test_timings_tell_the_time_of_the_process_and_not_of_devrun(devrun):
    run = devrun("--timings", "a=exit 0", "b=sleep 1.2")
    assert run.wait() == 0
    found = re.search(r"\[b\] sleep 1.2 stopped at (\S+ \S+) after (1,\d{3})ms", run.text)
    assert found, run.text
    assert re.search(rf"│ b    │ {found[2]} +│ 0         │ false  │ sleep 1.2 │", run.text)
    short = re.search(r"\[a\] exit 0 stopped at \S+ \S+ after (\d+)ms", run.text)
    assert int(short[1]) < int(found[2].replace(",", ""))


def test_whoever_ended_first_is_the_first_even_before_devrun_could_look(devrun):
    for _ in range(3):
        assert devrun("-s", "first", "exit 0", "sleep 0.1; exit 1").wait() == 0
        assert devrun("-s", "last", "sleep 0.1; exit 0", "exit 1").wait() == 0


# -- teardown -----------------------------------------------------------------------------------


def test_teardown_follows_every_end(devrun, tmp_path):
    run = devrun("--teardown", "echo bye", f"a={program('says_signals', 0)}")
    run.wait_for("READY").signal(signal.SIGINT)
    assert run.wait() == -signal.SIGINT
    assert run.lines[-3:] == [
        '--> Running teardown command "echo bye"',
        "bye",
        '--> Teardown command "echo bye" exited with code 0',
    ]


def test_a_signal_goes_to_the_teardown_that_runs_and_ends_the_sequence(devrun):
    slow = f"{program('says_signals', 0)}"
    run = devrun("--teardown", slow, "--teardown", "echo never", "echo work")
    run.wait_for("READY").signal(signal.SIGINT)
    assert run.wait() == 0
    assert run.count("got SIGINT") == 1
    assert 'Running teardown command "echo never"' not in run.text


def test_a_second_signal_kills_it(devrun):
    run = devrun("--teardown", program("ignores_signals"), "echo work")
    run.wait_for("READY").signal(signal.SIGTERM)
    run.at_leisure().signal(signal.SIGINT)
    assert run.wait() == 0
    assert "exited with code SIGKILL" in run.text


def test_a_teardown_that_takes_too_long_is_stopped(devrun):
    run = devrun("--teardown", "sleep 60", "--teardown-timeout", "100ms", "echo work")
    assert run.wait() == 0
    assert '--> Teardown command "sleep 60" takes longer than 0.1 s' in run.lines
    assert '--> Teardown command "sleep 60" exited with code SIGTERM' in run.lines


def test_a_teardown_writes_behind_all_that_came_before(devrun):
    run = devrun("--teardown", "echo bye", "seq 200000")
    assert run.wait() == 0
    assert run.lines.index("bye") == 200_000 + 2


def test_a_teardown_that_cannot_start_is_said(devrun):
    run = devrun("--teardown", "no-such-program", "--teardown", "echo b", "echo work")
    assert run.wait() == 0
    assert '--> Teardown command "no-such-program" errored: no such program' in run.text
    assert "b" in run.lines


def test_what_a_teardown_leaves_running_is_ended(devrun):
    run = devrun("--teardown", "sleep 300 & echo bye", "echo work")
    assert run.wait() == 0


# -- input --------------------------------------------------------------------------------------


def typed(run, text):
    """Type into a devrun on a terminal."""
    run.type(text.encode())
    return run


def test_lines_go_where_they_are_addressed(devrun):
    reads = "while read line; do echo got $line; done; echo end"
    run = devrun("-i", "--no-color", f"a={reads}", f"b={reads}", terminal=(24, 80))
    typed(run, "one\n").wait_for("[a] got one")
    typed(run, "b:two\n").wait_for("[b] got two")
    typed(run, "1:three\n").wait_for("[b] got three")
    typed(run, "x:four\n").wait_for("[a] got x:four")
    typed(run, "\x04").wait_for("[a] end", "[b] end")
    assert run.wait() == 0


def test_what_is_typed_is_not_shown_twice(devrun):
    run = devrun("-i", "a=read line; echo got $line", terminal=(24, 80))
    run.wait_for("")
    typed(run, "hello\n").wait_for("got hello")
    assert run.wait() == 0
    assert run.count("hello") == 2, "the terminal's echo, and what the process said"


def piped(tmp_path, mark, arguments, data):
    """Run devrun with data in its stdin, through a pipe."""
    env = os.environ | {"RUN_MARK": mark, "HOME": str(tmp_path)}
    return subprocess.run(
        [sys.executable, "-m", "devrun", *arguments],
        cwd=tmp_path,
        env=env,
        input=data,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_a_flood_of_input_arrives_whole(tmp_path, mark):
    data = b"".join(b"%d:%d\n" % (n % 2, n) for n in range(60_000))
    commands = [f"cat > {tmp_path}/a", f"cat > {tmp_path}/b"]
    done = piped(tmp_path, mark, ["-i", *commands], data)
    assert done.returncode == 0, done
    for name, odd in (("a", 0), ("b", 1)):
        expected = b"".join(b"%d\n" % n for n in range(odd, 60_000, 2))
        assert (tmp_path / name).read_bytes() == expected


def test_the_last_line_needs_no_end(tmp_path, mark):
    done = piped(tmp_path, mark, ["-i", f"cat > {tmp_path}/a"], b"a\nb")
    assert done.returncode == 0
    assert (tmp_path / "a").read_bytes() == b"a\nb"


def test_input_from_a_file_and_from_nothing(tmp_path, mark):
    (tmp_path / "in").write_bytes(b"x\n")
    command = [sys.executable, "-m", "devrun", "-i", "cat"]
    env = os.environ | {"RUN_MARK": mark, "HOME": str(tmp_path)}
    for source, expected in ((tmp_path / "in", b"[0] x\n"), (Path(os.devnull), b"")):
        with source.open("rb") as file:
            done = subprocess.run(
                command,
                stdin=file,
                cwd=tmp_path,
                env=env,
                capture_output=True,
                timeout=60,
                check=False,
            )
        assert done.returncode == 0
        assert done.stdout == expected + b"[0] cat exited with code 0\n"


def test_input_for_one_that_has_ended_is_said(devrun):
    run = devrun("-i", "a=true", "b=sleep 60", terminal=(24, 80))
    run.wait_for("true exited with code 0")
    typed(run, "a:hello\n").wait_for('Unable to find command "a", or it has no stdin open')
    run.signal(signal.SIGINT)
    assert run.wait() == -signal.SIGINT


def test_one_that_does_not_read_holds_up_nothing_but_input(tmp_path, mark):
    """The other one's output comes, and the stop works, with the input's pipe full."""
    data = b"x" * 200 + b"\n"
    done = piped(tmp_path, mark, ["-i", "-k", "sleep 60", "sleep 0.5; echo here"], data * 5000)
    assert b"[1] here" in done.stdout
    assert done.returncode == 0


def test_a_restarted_process_gets_input_again(devrun):
    run = devrun("-i", "--restart-tries", 1, "a=read x; echo got $x; exit 1", terminal=(24, 80))
    typed(run, "one\n").wait_for("got one", "restarted")
    until(lambda: typed(run, "two\n") and "got two" in run.text, "the second line to arrive")
    assert run.wait() == 1


# -- the rest -----------------------------------------------------------------------------------


def test_ctrl_c_can_be_no_failure(devrun):
    run = devrun("--exit-zero-on-interrupt", f"a={program('says_signals', 0)}", "b=exit 0")
    run.wait_for("READY").signal(signal.SIGINT)
    assert run.wait() == 0
    failed = devrun("--exit-zero-on-interrupt", f"a={program('says_signals', 0)}", "b=exit 4")
    failed.wait_for("READY", "exited with code 4").signal(signal.SIGINT)
    assert failed.wait() == 4
    by_term = devrun("--exit-zero-on-interrupt", f"a={program('says_signals', 0)}")
    by_term.wait_for("READY").signal(signal.SIGTERM)
    assert by_term.wait() == -signal.SIGTERM


def test_only_hides_the_others_and_their_failures_count(devrun):
    run = devrun("--only", "a,2", "a=echo 1", "b=echo 2; exit 5", "echo 3")
    assert run.wait() == 5
    assert {"[a] 1", "[2] 3"} < set(run.lines)
    assert "[b]" not in run.text


def test_raw_for_some(devrun):
    run = devrun("--raw-only", "b", "a=echo 1", "b=echo 2")
    assert run.wait() == 0
    assert {"[a] 1", "2", "[b] echo 2 exited with code 0"} < set(run.lines)


def test_each_has_its_folder_and_its_variables(devrun, tmp_path):
    (tmp_path / "apps/web").mkdir(parents=True)
    show = "echo $(pwd) $A $B"
    run = devrun(
        "--cwd", "a=apps/web", "--env", "A=all", "--env", "a:B=x=y:z", f"a={show}", f"b={show}"
    )
    assert run.wait() == 0
    assert f"[a] {tmp_path}/apps/web all x=y:z" in run.lines
    assert f"[b] {tmp_path} all" in run.lines


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--cwd", "a=nowhere"], '--cwd "a=nowhere": no such folder'),
        (["--cwd", "x=/"], '--cwd "x=/": no service "x"'),
        (["--cwd", "a=/", "--cwd", "a=/tmp"], '--cwd "a=/tmp": a second folder for a'),
        (["--env", "A"], '--env "A": write NAME:KEY=VALUE'),
        (["--env", "x:A=secret"], '--env "x:A=…": no service "x"'),
        (["--env", "a:1=secret"], '--env "a:1=…": "1" is no name of a variable'),
        (["--only", "x"], '--only: no service "x"'),
        (["--raw-only", "x"], '--raw-only: no service "x"'),
        (["--raw", "--raw-only", "a"], "--raw is for all services"),
        (["--tail", "x"], '--tail "x": not a whole number'),
        (["--teardown", " "], "--teardown: the command is empty"),
        (["--teardown-timeout", "1s"], "--teardown-timeout needs a --teardown"),
        (["--teardown", "x", "--teardown-timeout", "1"], '--teardown-timeout "1": a unit'),
        (["--default-input-target", "x"], '--default-input-target: no service "x"'),
        (["-i", "--default-input-target", "x"], '--default-input-target: no service "x"'),
    ],
)
def test_what_is_wrong_is_one_line(devrun, tmp_path, words, reason):
    run = devrun(*words, f"a=touch {tmp_path}/touched")
    assert run.wait() == 2
    assert run.text.startswith(f"devrun: {reason}"), run.text
    assert run.text.count("\n") == 1
    assert "secret" not in run.text
    assert not (tmp_path / "touched").exists()


def test_a_shell_runs_every_line(devrun):
    run = devrun("--shell", "bash", "a=echo ${BASH_VERSION:0:1}${0##*/}")
    assert run.wait() == 0
    assert re.search(r"\[a\] \dbash", run.text)


def test_the_tail_of_the_summary(devrun):
    run = devrun("--tail", 2, "a=seq 5; exit 1")
    assert run.wait() == 1
    assert run.lines[-2:] == ["-->     | 4", "-->     | 5"]
    assert "| 3" not in run.text
    none = devrun("--tail", 0, "a=seq 5; exit 1")
    assert none.wait() == 1
    assert none.lines[-1].startswith("-->   a  exit code 1")


def test_options_are_kept_from_the_processes(devrun):
    run = devrun("a=env", env_added={"CONCURRENTLY_TIMINGS": "true", "DEVRUN_TAIL": "3"})
    assert run.wait() == 0
    assert "CONCURRENTLY_" not in re.sub(r"^devrun: .*\n", "", run.text)
    assert "DEVRUN_TAIL" not in run.text
    assert "--> Timings:" in run.lines


def test_raw_commands_have_devruns_own_stdin(tmp_path, mark):
    done = piped(tmp_path, mark, ["-r", "-i", "read x; echo got $x"], b"0:hello\n")
    assert (done.returncode, done.stdout) == (0, b"got 0:hello\n")
