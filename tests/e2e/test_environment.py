"""Variables: where they come from, and who wins."""

from __future__ import annotations

import pytest


@pytest.fixture
def repository(tmp_path):
    (tmp_path / ".git").mkdir()
    return tmp_path


def value_of(devrun, *arguments, **options):
    run = devrun(*arguments, "a=echo value=$X", **options)
    assert run.wait() == 0, run.text
    return next(line for line in run.lines if "value=" in line).partition("value=")[2]


def test_the_shared_root_env_is_found_upwards(devrun, repository):
    (repository / ".env").write_text("X=root\n")
    deep = repository / "apps" / "web"
    deep.mkdir(parents=True)
    assert value_of(devrun, cwd=deep) == "root"
    (repository / "apps" / ".env").write_text("X=nearer\n")
    assert value_of(devrun, cwd=deep) == "nearer"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".git", ""),
        ("pnpm-workspace.yaml", ""),
        ("package.json", '{"workspaces": ["apps/*"]}'),
        ("pyproject.toml", "[tool.uv.workspace]\n"),
    ],
)
def test_the_search_ends_at_the_root(devrun, tmp_path, name, text):
    (tmp_path / ".env").write_text("X=too far\n")
    root = tmp_path / "project"
    (root / "sub").mkdir(parents=True)
    (root / name).write_text(text)
    assert value_of(devrun, cwd=root / "sub") == ""


def test_outside_of_a_repository_only_the_folder_counts(devrun, tmp_path):
    (tmp_path / ".env").write_text("X=stray\n")
    (tmp_path / "sub").mkdir()
    assert value_of(devrun, cwd=tmp_path / "sub") == ""
    assert value_of(devrun, cwd=tmp_path) == "stray"


def test_a_symlink_is_followed(devrun, repository):
    (repository / "shared.env").write_text("X=linked\n")
    (repository / ".env").symlink_to("shared.env")
    assert value_of(devrun) == "linked"


@pytest.mark.parametrize(
    ("arguments", "inherited", "expected"),
    [
        ([], None, "root"),
        (["--no-env"], None, ""),
        (["--env-file", "one"], None, "1"),
        (["--env-file", "one", "--env-file", "two"], None, "2"),
        (["--env-file", "two", "--env-file", "one"], None, "1"),
        (["--no-env", "--env-file", "one"], None, "1"),
        (["--env-file", "one"], "outer", "outer"),
        (["--env-file", "one", "--env-override"], "outer", "1"),
    ],
)
def test_who_wins(devrun, repository, arguments, inherited, expected):
    (repository / ".env").write_text("X=root\n")
    (repository / "one").write_text("X=1\n")
    (repository / "two").write_text("X=2\n")
    added = {"X": inherited} if inherited else {}
    assert value_of(devrun, *arguments, env_added=added) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("X=1", "1"),
        ("export X=1", "1"),
        ("X = 1", "1"),
        ("X=a b", "a b"),
        ("X=1 # c", "1"),
        ("X=1#c", "1#c"),
        ('X="1 # c" # real', "1 # c"),
        ("X=it's", "it's"),
        ("Y=2\nX=$Y", "$Y"),
        ("Y=2\nX=${Y}", "2"),
        ("X=${MISSING:-d}", "d"),
        ("Y=2\nX='${Y}'", "2"),
        ("X=", ""),
        ("X=1\nX=2", "2"),
        ("\ufeffX=1\r\n", "1"),
    ],
)
def test_the_dialect_is_python_dotenvs(devrun, repository, line, expected):
    (repository / ".env").write_text(line, encoding="utf-8", newline="")
    assert value_of(devrun) == expected


def test_a_broken_line_is_said_and_nothing_is_used(devrun, repository):
    (repository / ".env").write_text("A=1\n\nthis is broken\nX='open\n")
    run = devrun("echo $A")
    assert run.wait() == 2
    assert run.text == (
        "devrun: .env:3: cannot be read as NAME=value (and line 4); nothing of the file is used\n"
    )


def test_a_missing_file_is_an_error(devrun):
    run = devrun("--env-file", "nowhere", "echo x")
    assert run.wait() == 2
    assert run.text == "devrun: nowhere: no such file\n"


def test_files_are_read_again_at_a_restart(devrun, repository):
    (repository / ".env").write_text("X=first\n")
    change = f"echo X=second > {repository}/.env"
    run = devrun("--restart-tries", "1", f"a=echo value=$X; {change}; exit 1")
    assert run.wait() == 1
    assert "[a] value=first" in run.lines
    assert "[a] value=second" in run.lines


def test_a_file_broken_meanwhile_leaves_the_former_environment(devrun, repository):
    (repository / ".env").write_text("X=first\n")
    damage = f"echo broken >> {repository}/.env"
    run = devrun("--restart-tries", "1", f"a=echo value=$X; {damage}; exit 1")
    assert run.wait() == 1
    assert run.count("[a] value=first") == 2
    assert ".env:2: cannot be read as NAME=value" in run.text


def test_check_shows_origins_and_no_values_unless_asked(devrun, repository):
    (repository / ".env").write_text("X=secret\n")
    run = devrun("check", "--env", "a", "a=true", env_added={"Y": "outer"})
    assert run.wait() == 0
    rows = {line.split()[0]: line.split()[1:] for line in run.lines if line.strip()}
    assert rows["X"] == [".env:1", "********"]
    assert rows["Y"] == ["environment", "********"]
    assert rows["PYTHONUNBUFFERED"] == ["devrun", "********"]
    assert "secret" not in run.text
    run = devrun("check", "--env", "a", "--show-values", "a=true")
    assert run.wait() == 0
    assert "secret" in run.text


def test_variables_that_set_options_are_not_inherited(devrun):
    run = devrun("a=echo [$DEVRUN_PREFIX]", env_added={"DEVRUN_PREFIX": "index"})
    assert run.wait() == 0
    assert run.lines[0] == "[0] []"
