"""Whatever is wrong on the command line is one line, code 2, and nothing has started."""

from __future__ import annotations

import pytest

WRONG = [
    (["--foo", "x"], "no such option: --foo"),
    (["--nams", "a", "x"], 'no such option: --nams; did you mean "--names"?'),
    (["-n"], "-n needs a value"),
    ([""], "command 1 is empty"),
    (["a=true", " "], "command 2 is empty"),
    (["a="], 'command 1: the name "a" has no command'),
    (["a=true", "a=false"], 'the name "a" stands at commands 1 and 2'),
    (["-n", "a,b", "true"], '--names "a,b": 2 names for 1 command'),
    (["-s", "frist", "true"], '--success "frist": not a condition; did you mean "first"?'),
    (["-s", "command-x", "a=true"], '--success command-x: no service "x"'),
    (["-s", "command-7", "a=true"], '--success command-7: no service "7"'),
    (["--hide", "wbe", "web=true"], '--hide: no service "wbe"; did you mean "web"?'),
    (["--kill-signal", "SIGTRM", "true"], '--kill-signal "SIGTRM": no such signal; did you mean "'),
    (["--kill-signal", "STOP", "true"], '--kill-signal "STOP": SIGSTOP does not end a process'),
    (["--stop-timeout", "10", "true"], '--stop-timeout "10": a unit is missing'),
    (["--stop-timeout", "abc", "true"], '--stop-timeout "abc": not a time'),
    (["--stop-timeout", "1s", "--kill-timeout", "1", "true"], "--stop-timeout and --kill-timeout"),
    (["--kill-timeout", "-1", "true"], '--kill-timeout "-1": not a time'),
    (["--restart-tries", "abc", "true"], '--restart-tries "abc": not a whole number'),
    (["--restart-tries", "1.5", "true"], '--restart-tries "1.5": not a whole number'),
    (["--restart-after", "soon", "true"], '--restart-after "soon": not a time'),
    (["-m", "0", "true"], '--max-processes "0": must be from 1'),
    (["-m", "x%", "true"], '--max-processes in % "x": not a whole number'),
    (["--port", "70000", "true"], '--port "70000": must be from 1 to 65535'),
    (["true", "--port", "1", "--no-port"], "--port and --no-port contradict each other"),
    (["-k", "--no-kill-others"], "--no-kill-others contradicts another --kill-others"),
    (
        ["-p", "nmae", "true"],
        '--prefix "nmae": neither a style (index, pid, time, command, name, none)',
    ),
    (["-p", "{nmae}", "true"], '--prefix "{nmae}": no such placeholder {nmae}'),
    (["-c", "rde", "true"], '--prefix-colors "rde": "rde" is no colour; did you mean "red"?'),
    (["-c", "#12", "true"], '--prefix-colors "#12": "#12" is no colour; write #rgb or #rrggbb'),
    (["-c", "rgb(1,2)", "true"], '--prefix-colors "rgb(1,2)": rgb() takes three numbers'),
    (["-l", "0", "true"], '--prefix-length "0": must be from 1'),
    (["--watch", "", "true"], '--watch "": a path is missing'),
    (["--watch", "wbe=src", "web=true"], '--watch "wbe=src": no service "wbe"; did you mean'),
    (["--watch-ignore", "x", "true"], "--watch-ignore needs a --watch to go with it"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=lambda value: " ".join(value)[:40])
def test_what_is_wrong_is_one_line(devrun, tmp_path, arguments, message):
    touched = tmp_path / "touched"
    run = devrun(
        *arguments, *([f"z=touch {touched}"] if arguments and "-n" not in arguments else [])
    )
    assert run.wait() == 2
    assert run.text.startswith(f"devrun: {message}"), run.text
    assert run.text.count("\n") == 1
    assert not touched.exists()


def test_without_anything_to_run_there_is_help(devrun):
    run = devrun()
    assert run.wait() == 2
    assert "Usage: devrun" in run.text
    assert "Examples:" in run.text
    reason = "no command, no -f, and none of devrun.toml, Procfile.dev, Procfile in this folder"
    assert run.lines[-1] == f"devrun: nothing to run: {reason}"


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_is_in_groups_with_examples(devrun, flag):
    run = devrun(flag, env_added={"COLUMNS": "100"})
    assert run.wait() == 0
    for text in ("What to run", "Environment", "Ending", "Watching", "Output", "Examples:"):
        assert text in run.text


@pytest.mark.parametrize("flag", ["--version", "-v", "-V"])
def test_version(devrun, flag):
    from devrun import __version__

    run = devrun(flag)
    assert run.wait() == 0
    assert run.text == f"devrun {__version__}\n"


def test_a_program_named_like_a_subcommand_runs_behind_run(devrun):
    run = devrun("run", "check=echo it ran")
    assert run.wait() == 0
    assert "[check] it ran" in run.lines


def test_dry_run_starts_nothing(devrun, tmp_path):
    run = devrun("--dry-run", "-k", f"web=touch {tmp_path}/x; sleep 1")
    assert run.wait() == 0
    assert "[web]" in run.lines
    assert "kill others  always" in run.text
    assert not (tmp_path / "x").exists()


def test_check_finds_what_is_missing(devrun):
    run = devrun("check", "a=true", "b=no-such-program")
    assert run.wait() == 1
    assert 'devrun: b: no such program: "no-such-program"' in run.text
    assert devrun("check", "a=true").wait() == 0


@pytest.mark.parametrize(("value", "colored"), [("1", True), ("true", True), ("no", False)])
def test_variables_set_options(devrun, value, colored):
    run = devrun("a=echo hi", env_added={"DEVRUN_COLOR": value})
    assert run.wait() == 0
    assert (b"\x1b[32m[a]" in run.output) is colored


def test_shell_completion_knows_options_and_processes(devrun, tmp_path):
    (tmp_path / "Procfile").write_text("web: true\nworker: true\n")

    def complete(words):
        count = str(len(words.split(" ")) - 1)
        variables = {"_DEVRUN_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": count}
        run = devrun(env_added=variables)
        assert run.wait() == 0, run.text
        return run.lines

    assert complete("devrun --kill-o") == ["--kill-others", "--kill-others-on-fail"]
    assert complete("devrun check --env-o") == ["--env-override"]
    assert complete("devrun -f Procfile w") == ["web", "worker"]
