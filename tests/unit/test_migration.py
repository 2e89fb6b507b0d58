"""What lines that use concurrently and npm-run-all become."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.config.migration import migrate
from devrun.config.shell_line import simple_commands

SCRIPTS = ("clean", "lint", "build", "build:js", "build:css", "build:css:min", "watch:a", "watch:b")


def migrated(line, runner="npm"):
    return migrate(line, scripts=SCRIPTS, runner=runner)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('concurrently -n a,b "x" "y"', 'devrun -n a,b "x" "y"'),
        ("conc x", "devrun x"),
        ("npx concurrently x", "devrun x"),
        ("npx -y concurrently@9.1.0 x", "devrun x"),
        ("npx --no-install concurrently x", "devrun x"),
        ("pnpm exec concurrently x", "devrun x"),
        ("pnpm concurrently x", "devrun x"),
        ("yarn concurrently x", "devrun x"),
        ("yarn run -s concurrently x", "devrun x"),
        ("npm exec -- concurrently x", "devrun x"),
        ("bunx --bun concurrently x", "devrun x"),
        ("./node_modules/.bin/concurrently x", "devrun x"),
        ("cross-env A=1 B=2 concurrently x", "cross-env A=1 B=2 devrun x"),
        ("A=1 concurrently x", "A=1 devrun x"),
        ("npm run clean && concurrently x", "npm run clean && devrun x"),
        ("(concurrently x); concurrently y", "(devrun x); devrun y"),
        ("concurrently x | tee log", "devrun x | tee log"),
        ("concurrently 'a' \"concurrently 'b'\"", "devrun 'a' \"devrun 'b'\""),
    ],
)
def test_concurrently_becomes_one_word(line, expected):
    assert migrated(line).line == expected
    assert not migrated(line).uses


@pytest.mark.parametrize(
    "line",
    [
        "echo concurrently",
        "npm i -D concurrently",
        "echo 'concurrently x'",
        "node concurrently.js",
        "./tools/concurrently x",
        "my-concurrently x",
        "npm run concurrently",
        "concurrently 'unfinished",
        "",
    ],
)
def test_what_is_another_program_is_left_alone(line):
    assert migrated(line).line == line


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("run-p build:js lint", 'devrun --kill-others-on-fail "npm:build:js" "npm:lint"'),
        ("run-p watch:*", 'devrun --kill-others-on-fail "npm:watch:*"'),
        ("run-p build:*", 'devrun --kill-others-on-fail "npm:build:js" "npm:build:css"'),
        ("run-p -c lint clean", 'devrun "npm:lint" "npm:clean"'),
        ("run-p -r lint clean", 'devrun --kill-others --success first "npm:lint" "npm:clean"'),
        ("run-p -l lint", 'devrun --kill-others-on-fail "npm:lint"'),
        (
            "run-p --max-parallel 2 --aggregate-output lint clean",
            'devrun --kill-others-on-fail --max-processes 2 --group "npm:lint" "npm:clean"',
        ),
        ("run-p build:**", 'devrun --kill-others-on-fail "npm:build:*"'),
        ('run-p "lint -- --fix"', 'devrun --kill-others-on-fail "npm:lint -- --fix"'),
        ("run-p -s lint", 'devrun --kill-others-on-fail "lint=npm run -s lint"'),
        ('run-p "lint -- {1}" --', 'devrun --kill-others-on-fail -P "npm:lint -- {1}" --'),
        ("npx run-p lint", 'devrun --kill-others-on-fail "npm:lint"'),
        ("run-s clean lint", "npm run clean && npm run lint"),
        ("run-s clean build:*", "npm run clean && npm run build:js && npm run build:css"),
        ("run-s -ns clean lint", "npm run -s clean && npm run -s lint"),
        ("run-s -c clean lint", 'devrun -m 1 "npm:clean" "npm:lint"'),
        ("run-s -l clean lint", 'devrun -m 1 --kill-others-on-fail "npm:clean" "npm:lint"'),
        (
            "npm-run-all clean -p lint build:js -s clean",
            (
                'npm run clean && devrun --kill-others-on-fail "npm:lint" "npm:build:js"'
                " && npm run clean"
            ),
        ),
        ("npm-run-all2 clean lint && x", "npm run clean && npm run lint && x"),
        ("run-s 'build:css:*'", "npm run build:css:min"),
    ],
)
def test_npm_run_all_becomes_what_it_means(line, expected):
    migration = migrated(line)
    assert migration.line == expected
    assert migration.notes == ()


def test_the_package_manager_runs_the_scripts():
    assert migrated("run-s clean lint", "yarn").line == "yarn run clean && yarn run lint"
    assert migrated("run-p lint", "pnpm").line == 'devrun --kill-others-on-fail "pnpm:lint"'


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("run-p nosuch", 'there is no script "nosuch"'),
        ("run-p 'build:{js,css}'", "the pattern"),
        ("run-p --npm-path x lint", "there is no --npm-path in devrun"),
        ("run-p 'lint {%}' --", "the placeholder {%}"),
        ("run-p 'lint {1:=x}' --", "the placeholder {1:=x}"),
        ("run-p -c -r lint clean", "-r with -c"),
        ("npm-run-all -c clean -p lint", "-c goes on"),
        ("run-s clean lint | tee log", "it becomes several commands"),
        ("cross-env A=1 run-s clean lint", "it becomes several commands"),
        ("run-p", "it names no script"),
        ("run-p lint -- x", "words behind --"),
    ],
)
def test_what_cannot_be_said_is_left_alone_with_a_note(line, reason):
    migration = migrated(line)
    assert migration.line == line
    assert reason in migration.notes[0]
    assert migration.uses


@given(st.text())
def test_lines_without_these_programs_stay_as_they_are(line):
    if not any(word in line for word in ("conc", "run-p", "run-s", "npm-run-all")):
        assert migrated(line).line == line


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)))
def test_words_are_read_as_shells_read_them(words):
    line = " ".join(map(shlex.quote, words))
    commands = simple_commands(line)
    assert commands is not None
    assert [word.text for command in commands for word in command.words] == words
