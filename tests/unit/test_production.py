"""``--prod``: settings that hold where nothing else is said."""

from __future__ import annotations

import pytest

from devrun.appearance import ColorLevel, LogFormat, TimeFormat
from devrun.config.command_line import Reading, read_command_line
from devrun.config.resolve import resolve
from devrun.config.start_line import read_start_line
from devrun.errors import UsageError
from devrun.model import KillOthers, Project, RestartWhen

TOML = 'services.web = { command = "true", watch = "." }\n'


@pytest.fixture
def project(tmp_path):
    """Return what resolves a line of ``devrun``, or of ``devrun start``, in an empty folder."""

    def resolved(*words: str, start: bool = False, **environ: str) -> Project:
        cwd = str(tmp_path)
        reading = (
            read_start_line(words, environ, cwd=cwd) if start else read_command_line(words, environ)
        )
        assert isinstance(reading, Reading)
        return resolve(
            reading.settings, cwd=cwd, environ=environ, color_level=ColorLevel.NONE
        ).project

    return resolved


def test_it_is_a_profile_of_settings(project):
    usual, prod = project("pwd").output, project("--prod", "pwd").output
    assert (usual.tty, usual.prefix.timestamps, usual.keys) == (None, False, True)
    assert (prod.tty, prod.prefix.timestamps, prod.keys) == (False, True, False)
    assert prod.prefix.time_format == TimeFormat(iso_utc=True)
    assert prod.log_format is LogFormat.TEXT
    assert project("pwd", DEVRUN_PROD="1").output == prod
    assert project("--no-prod", "pwd", DEVRUN_PROD="1").output == usual


def test_what_is_said_holds_in_production(project):
    words = ("--tty", "--no-timestamps", "--timestamp-format", "HH:mm", "pwd")
    output = project("--prod", *words).output
    assert (output.tty, output.prefix.timestamps) == (True, False)
    assert output.prefix.time_format == project(*words).output.prefix.time_format


def test_what_the_project_says_of_times_holds_in_production(project, tmp_path):
    (tmp_path / "devrun.toml").write_text(f"timestamps = false\n{TOML}")
    assert not project("--prod").output.prefix.timestamps
    assert project("--prod", "--timestamps").output.prefix.timestamps


def test_the_command_line_can_turn_off_the_times_of_the_project(project, tmp_path):
    (tmp_path / "devrun.toml").write_text(f"timestamps = true\n{TOML}")
    assert project().output.prefix.timestamps
    assert not project("--no-timestamps").output.prefix.timestamps


def test_nothing_is_watched_unless_the_command_line_says_so(project, tmp_path):
    (tmp_path / "devrun.toml").write_text(TOML)
    assert len(project().services[0].watch) == 1
    assert project("--prod").services[0].watch == ()
    (tmp_path / "src").mkdir()
    (rule,) = project("--prod", "--watch", "src").services[0].watch
    assert rule.source == "src"


def test_the_file_for_production_is_not_that_for_development(project, tmp_path):
    (tmp_path / "Procfile.dev").write_text("dev: true\n")
    with pytest.raises(UsageError, match=r"none of devrun\.toml, Procfile in this folder"):
        project("--prod")
    (tmp_path / "Procfile").write_text("web: true\n")
    assert project().services[0].name == "dev"
    assert project("--prod").services[0].name == "web"
    assert project("--prod", start=True).services[0].name == "web"


@pytest.mark.parametrize("words", [("--prod",), ("--prod", "web")])
def test_start_takes_a_devrun_toml_in_production(project, tmp_path, words):
    (tmp_path / "devrun.toml").write_text(TOML)
    (tmp_path / "Procfile").write_text("web: false\n")
    assert project(*words, start=True).services[0].command == "true"
    assert project(*words, start=True, PROCFILE="Procfile").services[0].command == "false"
    assert project(*words, "-f", "Procfile", start=True).services[0].command == "false"
    assert project("web", start=True).services[0].command == "false"


def test_start_without_any_file_asks_for_the_procfile(project):
    with pytest.raises(UsageError, match="Procfile"):
        project("--prod", start=True)


def test_a_procfile_has_its_ports_and_its_first_exit_ends_all_in_production_too(project, tmp_path):
    (tmp_path / "Procfile").write_text("web: true\nworker: true\n")
    run = project("--prod", start=True, PORT="8080")
    assert [service.port for service in run.services] == [8080, 8180]
    assert run.kill_others is KillOthers.ALWAYS
    again = project("--prod", "--auto-restart", "web", start=True).services
    assert [s.restart.when for s in again] == [RestartWhen.ALWAYS, RestartWhen.NO]


def test_json_is_not_made_for_a_terminal(project):
    output = project("--log-format", "json", "pwd").output
    assert (output.log_format, output.tty) == (LogFormat.JSON, False)
    assert not output.prefix.timestamps
    assert output.keys
    assert project("pwd", DEVRUN_LOG_FORMAT="json").output == output


@pytest.mark.parametrize(
    "words",
    [
        ("--focus", "0", "--prod"),
        ("--log-format", "json", "--raw"),
        ("--log-format", "json", "--raw-only", "0"),
        ("--log-format", "json", "--group"),
        ("--log-format", "json", "--timings"),
    ],
)
def test_what_cannot_go_together_is_refused(project, words):
    with pytest.raises(UsageError, match="contradict each other; leave one out"):
        project(*words, "pwd")


def test_json_has_no_terminal_to_give(project):
    with pytest.raises(UsageError, match="--log-format json and --focus contradict"):
        project("--log-format", "json", "--tty", "--focus", "0", "pwd")


def test_the_nearest_format_is_named(project):
    with pytest.raises(UsageError, match=r'--log-format "jsno": no such format.*json'):
        project("--log-format", "jsno", "pwd")
