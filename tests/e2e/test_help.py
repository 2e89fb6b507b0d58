"""``devrun --help`` shows the commands, ``devrun help`` does so too; each has examples."""

from __future__ import annotations

import pytest

from devrun.cli.overview import COMMANDS, GROUPS

WIDE = {"COLUMNS": "100"}


def said(devrun, *words):
    run = devrun(*words, env_added=WIDE)
    assert run.wait() == 0, run.text
    return run.text


def listed_in(text):
    """Return the first words of the lines of a text."""
    return [line.split()[0] for line in text.splitlines() if line.strip()]


def test_help_lists_every_command_before_the_options(devrun):
    text = said(devrun, "--help")
    assert "Usage: devrun [OPTIONS] [COMMAND]..." in text
    commands, options, _ = text.partition("What to run")
    assert options
    assert {*COMMANDS} < {*listed_in(commands)}
    for title, _ in GROUPS:
        assert f"{title}:" in commands


def test_a_line_of_the_overview_fits_a_terminal(devrun):
    run = devrun("--help", env_added={"COLUMNS": "80"})
    assert run.wait() == 0
    for name, text in COMMANDS.items():
        (line,) = (line for line in run.lines if line.split()[:1] == [name])
        assert line.split()[1:] == text.split()


@pytest.mark.parametrize("words", [["help"], ["help", "--help"], ["-h"], ["-k", "--help"]])
def test_other_words_for_the_same_help(devrun, words):
    assert said(devrun, *words) == said(devrun, "--help")


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "help"])
def test_help_of_a_command_is_its_own_help_and_has_examples(devrun, command):
    text = said(devrun, "help", command)
    assert text == said(devrun, command, "--help")
    assert f"Usage: devrun {command} " in text
    assert f"devrun {command}" in text.partition("Examples:")[2] or command == "run"
    assert "Examples:" in text


def test_the_help_of_a_run_says_how_to_run_a_program_called_like_a_command(devrun):
    text = said(devrun, "run", "--help")
    assert "devrun run ps" in text
    assert "Steer what runs" not in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lgos"], 'devrun: help: no command "lgos"; did you mean "logs"?'),
        (["ps", "logs"], 'devrun: help: one command at a time; there is "logs" too'),
    ],
)
def test_help_of_what_there_is_not(devrun, words, message):
    run = devrun("help", *words)
    assert run.wait() == 2
    assert run.text.startswith(message)
    assert len(run.lines) == 1


def test_a_program_called_help_runs_behind_run(devrun, tmp_path):
    (tmp_path / "help").write_text("#!/bin/sh\necho it ran\n")
    (tmp_path / "help").chmod(0o755)
    run = devrun("run", "help", env_added={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert run.wait() == 0
    assert "it ran" in run.text


def test_where_there_is_nothing_to_run_the_help_fits_a_screen(devrun):
    run = devrun(env_added=WIDE)
    assert run.wait() == 2
    assert {*COMMANDS} < {*listed_in(run.text)}
    assert len(run.lines) < 50
    assert "devrun --help" in run.text
    assert run.lines[-1].startswith("devrun: nothing to run:")
