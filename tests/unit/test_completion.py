"""What may stand where a command line is completed."""

from __future__ import annotations

import pytest
from typer.core import TyperOption
from typer.main import get_command

from devrun.cli.app import app
from devrun.cli.check.line import STYLES
from devrun.cli.completion import candidates as known
from devrun.cli.completion.before import Before, flags_of
from devrun.cli.completion.candidates import candidates
from devrun.cli.control.waiting import STATES
from devrun.cli.notify import message_for
from devrun.cli.overview import COMMANDS
from devrun.cli.subcommands import CONTROL_COMMANDS, EXEC_COMMANDS, SUBCOMMANDS
from devrun.config.flags import Takes
from devrun.errors import UsageError
from devrun.export.formats import FORMATS

NOTIFIED = {"status": ["well"], "extend": ["5s"]}


@pytest.fixture
def complete(tmp_path, monkeypatch):
    """Return what may stand behind the last blank of a line, in a folder with a Procfile."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Procfile").write_text("web: true\nworker: true\n")
    (tmp_path / "package.json").write_text('{"scripts": {"dev": "true", "build": "true"}}')

    def do(line):
        *before, word = line.split(" ")[1:]
        environ = {"XDG_RUNTIME_DIR": str(tmp_path)}
        return candidates(Before(before), word, first=not before, environ=environ)

    return do


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("devrun att", ["attach"]),
        ("devrun st", ["start", "stop", "startup"]),
        ("devrun -k st", []),
        ("devrun run st", []),
        ("devrun help sca", ["scale"]),
        ("devrun help ps ", []),
        ("devrun npm:", ["npm:dev", "npm:build"]),
        ("devrun npm:d", ["npm:dev"]),
        ("devrun web=true pnpm:b", ["pnpm:build"]),
        ("devrun web", []),
        ("devrun -f Procfile w", ["web", "worker"]),
        ("devrun --file=Procfile w", ["web", "worker"]),
        ("devrun -f no-such-file w", []),
        ("devrun -f Procfile web w", ["worker"]),
        ("devrun start w", ["web", "worker"]),
        ("devrun start -f ", []),
        ("devrun up w", []),
        ("devrun up -f Procfile w", ["web", "worker"]),
        ("devrun exec wo", ["worker"]),
        ("devrun exec web w", []),
        ("devrun export ru", ["runit"]),
        ("devrun export runit ", []),
        ("devrun export runit deploy w", ["web", "worker"]),
        ("devrun notify re", ["ready", "reloading"]),
        ("devrun wait --for h", ["healthy"]),
        ("devrun wait --for=h", ["--for=healthy"]),
        ("devrun logs w", ["web", "worker"]),
        ("devrun restart w", []),
        ("devrun down ", []),
        ("devrun check --env w", ["web", "worker"]),
        ("devrun --only web,w", ["web,worker"]),
        ("devrun start --formation w", ["web=", "worker="]),
        ("devrun -s command-w", ["command-web", "command-worker"]),
        ("devrun --kill-signal SIGU", ["SIGUSR1", "SIGUSR2", "SIGURG"]),
        ("devrun -f Procfile -- w", ["web", "worker"]),
        ("devrun -- --kill", []),
        ("devrun --kill-o", ["--kill-others", "--kill-others-on-fail"]),
        ("devrun --no-kill-others", ["--no-kill-others", "--no-kill-others-on-fail"]),
        ("devrun --quiet --qui", []),
        ("devrun --sh", ["--shell", "--show-completion"]),
        ("devrun ps --js", ["--json"]),
        ("devrun up --det", ["--detach"]),
        ("devrun init --", ["--from", "--write", "--help", "--version"]),
    ],
)
def test_what_may_stand_there(complete, line, found):
    assert complete(line) == found


def test_a_package_json_that_is_broken_has_no_scripts(complete, tmp_path):
    (tmp_path / "package.json").write_text("{")
    assert complete("devrun npm:") == []


def test_every_command_is_offered(complete):
    assert complete("devrun ") == [*COMMANDS]


def test_the_overview_has_every_command():
    read_elsewhere = {"run", "start", "up", "check", "startup", "export", "notify", "exec"}
    assert {*COMMANDS} == {*SUBCOMMANDS, *CONTROL_COMMANDS, *read_elsewhere}
    without_help_of_their_own = {"help", "notify"}
    assert {*get_command(app).commands} == {*COMMANDS, *EXEC_COMMANDS} - without_help_of_their_own


@pytest.mark.parametrize("command", [*get_command(app).commands])
def test_the_options_that_are_completed_are_those_of_the_help(command):
    shown = {
        parameter.opts[0].partition("/")[0]
        for parameter in get_command(app).commands[command].params
        if isinstance(parameter, TyperOption)
    }
    assert {flag.name for flag in flags_of(command)} == shown


def test_an_option_takes_a_value_exactly_where_the_help_says_so():
    for name, command in get_command(app).commands.items():
        takes = {flag.name: flag.takes is not Takes.NOTHING for flag in flags_of(name)}
        for option in command.params:
            if isinstance(option, TyperOption):
                assert takes[option.opts[0].partition("/")[0]] is not option.is_flag


def test_what_is_said_twice_is_the_same():
    """Importing these where completion needs them would take longer than the rest of it."""
    assert tuple(FORMATS) == known.FORMATS
    assert known.FIXED["what"] == STATES
    assert known.FIXED["style"] == STYLES
    for word in known.NOTIFICATIONS:
        assert message_for([word, *NOTIFIED.get(word, [])], {})
    with pytest.raises(UsageError) as error:
        message_for([], {})
    assert str(error.value).count(",") == len(known.NOTIFICATIONS) - 1
