"""The words of ``devrun up`` and of ``devrun startup``."""

from __future__ import annotations

import pytest

from devrun.cli.up import may_detach
from devrun.config.option_reader import Request
from devrun.config.startup_line import StartupLine, read_startup_line
from devrun.config.up_line import UpLine, read_up_line
from devrun.errors import UsageError


def up(*words: str, **environ: str) -> UpLine:
    found = read_up_line(words, environ)
    assert isinstance(found, UpLine)
    return found


@pytest.mark.parametrize("words", [("-d",), ("--detach",), ("-dk",), ("-kd",), ("web", "-d")])
def test_a_run_in_the_background_is_asked_for(words):
    assert up(*words).detach
    assert may_detach(words)


@pytest.mark.parametrize("words", [(), ("-k",), ("--", "-d"), ("--detach=false",), ("--dry-run",)])
def test_without_that_it_is_in_the_foreground(words):
    assert not up(*words).detach


def test_a_run_that_cannot_detach_is_not_even_asked():
    assert not may_detach(("-k", "web", "--only", "d", "--name=d"))


def test_the_rest_is_what_a_run_takes():
    line = up("-d", "-f", "Procfile", "web", "--only=web")
    assert line.settings.files == ("Procfile",)
    assert line.settings.commands == ("web",)
    assert line.settings.only == "web"
    assert line.words == ("-d", "-f", "Procfile", "web", "--only=web")


def test_variables_count_as_for_a_run():
    assert up("-d", DEVRUN_ONLY="web").settings.only == "web"


def test_help_is_asked_for_as_everywhere():
    assert read_up_line(["-d", "--help"], {}) is Request.HELP
    assert read_startup_line(["--version"]) is Request.VERSION


@pytest.mark.parametrize("variable", ["DEVRUN_HANDLE_INPUT", "DEVRUN_GROUP"])
def test_what_needs_a_terminal_is_refused_wherever_it_is_said(variable):
    with pytest.raises(UsageError, match="is for a terminal"):
        up("-d", **{variable: "1"})
    up(**{variable: "1"})


def startup(*words: str) -> StartupLine:
    found = read_startup_line(words)
    assert isinstance(found, StartupLine)
    return found


def test_startup_keeps_the_words_of_the_run():
    line = startup("--remove", "--only", "web")
    assert (line.remove, line.print, line.words) == (True, False, ("--only", "web"))


def test_startup_writes_no_value_down():
    with pytest.raises(UsageError, match="--env: its values"):
        startup("--env=A=secret")
    assert startup("--env", "production").words == ("--env", "production")


def test_startup_takes_nothing_that_needs_somebody():
    for option in ("--focus=web", "--handle-input", "--dry-run"):
        with pytest.raises(UsageError, match="no such option"):
            startup(option)


@pytest.fixture
def shop(tmp_path):
    """A folder with a file of its own."""
    (tmp_path / "devrun.toml").write_text("")
    (tmp_path / "Procfile").write_text("")
    return str(tmp_path)


def files_in(folder: str, *words: str) -> tuple[str, ...]:
    line = read_up_line(words, {}, folder=folder)
    assert isinstance(line, UpLine)
    return line.settings.files


@pytest.mark.parametrize("words", [("web",), ("-d", "web", "api"), ("web", "tunnel=ssh host")])
def test_words_that_are_no_commands_name_services_of_the_folder_s_file(shop, words):
    assert files_in(shop, *words) == ("devrun.toml",)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("sleep 60",),
        ("web=node x", "npm:dev"),
        ("--names", "web", "server"),
    ],
)
def test_commands_are_what_they_are(shop, words):
    assert files_in(shop, *words) == ()


def test_a_file_that_is_named_is_the_one(shop):
    assert files_in(shop, "-f", "Procfile", "web") == ("Procfile",)


def test_the_file_is_that_of_the_root(shop, tmp_path_factory):
    elsewhere = str(tmp_path_factory.mktemp("elsewhere"))
    assert files_in(elsewhere, "web") == ()
    assert files_in(elsewhere, "--root", shop, "web") == ("devrun.toml",)
