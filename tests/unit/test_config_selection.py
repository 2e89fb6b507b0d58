"""What is to run: commands, files, and which of a file's processes."""

from __future__ import annotations

import pytest

from devrun.config.definitions import Request, read_definitions
from devrun.config.selection import NothingToRun, files_of, select
from devrun.config.settings import RunSettings
from devrun.errors import ExitCode, UsageError


@pytest.fixture
def folder(tmp_path):
    """Return a function that writes files and then selects in their folder."""

    def run(contents, /, *words, **more):
        for name, text in contents.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        settings, cwd = RunSettings(commands=words, **more), str(tmp_path)
        files = files_of(settings, cwd)
        request = Request(cwd, {}, with_release=settings.with_release)
        return select(settings, cwd, read_definitions(files, request) if files else None)

    return run


def names(selection):
    return [s.name for s in selection.chosen(selection.entries, selection.commands)]


def refusal(folder, *arguments, **more):
    with pytest.raises(UsageError) as caught:
        folder(*arguments, **more)
    return str(caught.value)


TWO = "web: a\nworker: b\n"


def test_commands_run_where_devrun_was_started(folder, tmp_path):
    found = folder({"Procfile": TWO}, "api=x", "y")
    assert [(s.index, s.name, s.command, s.cwd) for s in found.commands] == [
        (0, "api", "x", str(tmp_path)),
        (1, None, "y", str(tmp_path)),
    ]
    assert (found.source, found.from_procfile) == ("the command line", False)


@pytest.mark.parametrize(
    ("files", "source"),
    [
        (["Procfile"], "Procfile"),
        (["Procfile", "Procfile.dev"], "Procfile.dev"),
    ],
)
def test_without_a_word_the_folders_procfile_is_taken(folder, files, source):
    found = folder(dict.fromkeys(files, TWO))
    assert (found.source, names(found), found.from_procfile) == (source, ["web", "worker"], True)


def test_without_anything_there_is_nothing_to_run(folder):
    with pytest.raises(
        NothingToRun, match=r"none of devrun\.toml, Procfile\.dev, Procfile in this folder"
    ) as error:
        folder({})
    assert error.value.exit_code == ExitCode.USAGE


def test_processes_of_a_file_run_in_its_folder(folder, tmp_path):
    found = folder({"sub/P": TWO}, "echo hi=1", files=("sub/P",))
    assert [s.cwd for s in found.entries] == [str(tmp_path / "sub")] * 2
    assert [s.cwd for s in found.commands] == [str(tmp_path)]


def test_files_are_merged_in_their_order(folder):
    found = folder({"A": TWO, "B": "db: c\n"}, files=("B", "A"))
    assert (names(found), found.source) == (["db", "web", "worker"], "B, A")


def test_words_choose_processes_in_the_files_order(folder):
    found = folder({"Procfile": f"{TWO}db: c\n"}, "db", "web", "db", files=("Procfile",))
    chosen = found.chosen(found.entries, found.commands)
    assert [(s.index, s.name) for s in chosen] == [(0, "web"), (1, "db")]


def test_words_with_a_blank_or_an_equals_sign_are_commands_beside_a_file(folder):
    found = folder({"P": TWO}, "worker", "npm run x", "api=y", files=("P",))
    assert names(found) == ["worker", None, "api"]


def test_release_is_left_out_unless_it_is_named_or_alone(folder):
    files = {"P": f"release: r\n{TWO}", "R": "release: r\n"}
    found = folder(files, files=("P",))
    assert names(found) == ["web", "worker"]
    assert found.warnings == (
        '"release" is not run: it is a step before a release; name it to run it',
    )
    named = folder(files, "release", files=("P",))
    assert (names(named), named.warnings) == (["release"], ())
    assert names(folder(files, files=("R",))) == ["release"]


def test_warnings_of_every_file_are_passed_on(folder):
    found = folder({"A": 'a: "x y"\n', "B": "b: 'x y'\n"}, files=("A", "B"))
    assert [warning.split(" ")[0] for warning in found.warnings] == ["A:1:", "B:1:"]


@pytest.mark.parametrize(
    ("words", "more", "reason"),
    [
        (("wob",), {}, 'no process "wob" in A; did you mean "web"? There are web, worker'),
        (("npm",), {}, 'no process "npm" in A; there are web, worker'),
        (("",), {}, 'no process "" in A'),
        (("web=x",), {}, 'the name "web" stands in A and as a command; see A:1'),
        (("x y",), {"names": "x"}, "--names is for commands"),
        ((), {"files": ("A", "A")}, 'A:1: a second process named "web"; the first is A:1'),
        (
            (),
            {"files": ("A", "B")},
            'B:2: a second process named "worker"; the first is A:2',
        ),
        (("worker=x",), {"files": ("C", "A")}, "stands in A and as a command; see A:2"),
        ((), {"files": ("A", "missing")}, "missing: no such file"),
        (("x= ",), {}, 'command 1: the name "x" has no command'),
    ],
)
def test_wrong_words_and_files_are_refused(folder, words, more, reason):
    files = {"A": TWO, "B": "# first\nworker: x\n", "C": "db: y\n"}
    more = {"files": ("A",), **more}
    assert reason in refusal(folder, files, *words, **more)


DISABLED = "[services.db]\ncommand = 'x'\ndisabled = true\n[services.web]\ncommand = 'x'\n"


@pytest.mark.parametrize("more", [{}, {"only": "db"}])
def test_what_is_disabled_does_not_run_though_it_is_named(folder, more):
    words = [] if more else ["db"]
    message = refusal(folder, {"devrun.toml": DISABLED}, *words, files=("devrun.toml",), **more)
    assert (
        message == 'devrun.toml:3: services.db: disabled: "db" never runs; take that out to run it'
    )


def test_what_is_disabled_is_not_brought_by_what_is_named(folder):
    text = f"{DISABLED}depends_on = ['db']"
    assert names(folder({"devrun.toml": text}, "web", files=("devrun.toml",))) == ["web"]


@pytest.mark.parametrize(
    ("inside", "way"),
    [
        ("devrun.toml", "write -f sub/devrun.toml"),
        ("Procfile", "write -f sub/Procfile"),
        ("other", "name a devrun.toml, pyproject.toml or Procfile in it"),
    ],
)
def test_a_folder_is_no_file_and_the_one_in_it_is_named(folder, inside, way):
    message = refusal(folder, {f"sub/{inside}": "web: x"}, files=("sub",))
    assert message == f"sub: is a folder; {way}"


@pytest.mark.parametrize("name", ["apps.json", "apps.yaml", "what.yml"])
def test_json_and_yaml_are_ecosystem_files(folder, name):
    text = '{"apps": [{"name": "web", "script": "true"}]}'
    assert names(folder({name: text}, files=(name,))) == ["web"]


COMPOSE = 'write a service whose command is "docker compose -f compose.yaml up"'


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("data.json", 'data.json: no apps in it; write { "apps": [{ "script": "app.js" }] }'),
        ("data.yml", "data.yml: no apps in it; write apps: [{ script: app.js }]"),
        (
            "compose.yaml",
            f"compose.yaml: a file of docker compose; {COMPOSE}",
        ),
    ],
)
def test_other_json_and_yaml_is_no_procfile(folder, name, message):
    assert (
        refusal(
            folder,
            {name: '{"services": {"web": {}}}' if "compose" in name else "{}"},
            files=(name,),
        )
        == message
    )
