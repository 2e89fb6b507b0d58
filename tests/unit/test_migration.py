"""What lines that use concurrently and npm-run-all become."""

from __future__ import annotations

import json
import shlex

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devrun.config.migration import migrate
from devrun.config.npm_run_all import double_quoted
from devrun.config.package_json import read_package, with_commands
from devrun.config.program_words import find_program
from devrun.config.shell_line import simple_commands

SCRIPTS = (
    "clean",
    "lint",
    "build",
    "build:js",
    "build:css",
    "build:css:min",
    "watch:a",
    "watch:b",
    "start:a",
    "UP",
    "odd name",
)
ON_FAIL = "devrun --kill-others-on-fail"
PREFIXES = "devrun puts names before the lines"


def migrated(line, runner="npm", scripts=SCRIPTS):
    return migrate(line, scripts=scripts, runner=runner)


# -- concurrently ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('concurrently -n a,b "x" "y"', 'devrun -n a,b "x" "y"'),
        ("conc x", "devrun x"),
        ("npx concurrently x", "devrun x"),
        ("npx -y concurrently@10.0.7 x", "devrun x"),
        ("npx --no-install concurrently x", "devrun x"),
        ("pnpm exec concurrently x", "devrun x"),
        ("pnpm concurrently x", "devrun x"),
        ("yarn concurrently x", "devrun x"),
        ("yarn run -s concurrently x", "devrun x"),
        ("npm exec -- concurrently x", "devrun x"),
        ("bunx --bun concurrently x", "devrun x"),
        ("bun run concurrently x", "devrun x"),
        ("./node_modules/.bin/concurrently x", "devrun x"),
        ("../../node_modules/.bin/concurrently x", "devrun x"),
        ("cross-env A=1 B=2 concurrently x", "cross-env A=1 B=2 devrun x"),
        ("npx cross-env A=1 npx concurrently x", "npx cross-env A=1 devrun x"),
        ("dotenv -e .env -- concurrently x", "dotenv -e .env -- devrun x"),
        ("A=1 concurrently x", "A=1 devrun x"),
        ("npm run clean && concurrently x", "npm run clean && devrun x"),
        ("(concurrently x); concurrently y", "(devrun x); devrun y"),
        ("concurrently x | tee log", "devrun x | tee log"),
        ("concurrently 'a' \"concurrently 'b'\"", "devrun 'a' \"devrun 'b'\""),
        (r'concurrently "conc \"a b\"" x', r'devrun "devrun \"a b\"" x'),
        ("concurrently --teardown 'conc a' 'b'", "devrun --teardown 'devrun a' 'b'"),
        ("concurrently -n 'conc' 'b'", "devrun -n 'conc' 'b'"),
        ("concurrently 'run-s lint clean' x", "devrun 'npm run lint && npm run clean' x"),
    ],
)
def test_concurrently_becomes_one_word(line, expected):
    migration = migrated(line)
    assert migration.line == expected
    assert migration.notes == ()
    assert not migration.uses


def test_a_version_that_was_asked_for_is_said():
    migration = migrated("npx concurrently@9 x")
    assert migration.line == "devrun x"
    assert migration.notes[0].startswith("version 9 was asked for")


def test_commands_inside_of_concurrentlys_are_quoted_again():
    line = r'concurrently "run-p lint \"clean -- -x\""'
    expected = r'devrun "devrun --kill-others-on-fail \"npm:lint\" \"npm:clean -- -x\""'
    assert migrated(line).line == expected
    assert shlex.split(shlex.split(expected)[1]) == [
        *ON_FAIL.split(),
        "npm:lint",
        "npm:clean -- -x",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "echo concurrently",
        "npm i -D concurrently",
        "echo 'concurrently x'",
        "node concurrently.js",
        "my-concurrently x",
        "npm run concurrently",
        "rimraf node_modules/concurrently",
        "",
    ],
)
def test_what_is_another_program_is_left_alone(line):
    migration = migrated(line)
    assert migration.line == line
    assert migration.notes == ()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("./tools/concurrently x", "concurrently is left alone: it is among the words of ./tools"),
        ("nodemon --exec 'run-p a'", "run-p is left alone: it is among the words of nodemon"),
        ("node node_modules/.bin/run-s a", "run-s is left alone: it is among the words of node"),
        ("concurrently 'unfinished", "concurrently is left alone: the quotes in the line"),
        ("concurrently --nonsense x", "concurrently is left alone: devrun would say: "),
    ],
)
def test_what_may_be_run_is_left_alone_with_a_note(line, reason):
    migration = migrated(line)
    assert migration.line == line
    assert migration.notes[0].startswith(reason)
    assert migration.uses


def test_quotes_too_deep_to_be_read_are_left_alone_within_a_changed_line():
    line = r'concurrently "sh -c \"run-p \\\"a\\\"\"" x'
    migration = migrated(line)
    assert migration.line == line.replace("concurrently", "devrun")
    assert migration.notes[0].startswith("run-p is left alone: the quotes in")
    assert migration.uses == {"run-p"}


def test_a_script_of_that_name_goes_before_the_program():
    assert migrated("yarn conc x", scripts=("conc",)).line == "yarn conc x"
    assert migrated("npx conc x", scripts=("conc",)).line == "devrun x"


# -- npm-run-all ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("run-s clean lint", "npm run clean && npm run lint"),
        ("run-s -s clean lint", "npm run --silent clean && npm run --silent lint"),
        ("npm-run-all2 clean lint && x", "npm run clean && npm run lint && x"),
        ("npm-run-all clean -s lint", "npm run clean && npm run lint"),
        ("run-s build:js build:js", "npm run build:js && npm run build:js"),
        ("run-s --npm-path pnpm clean lint", "pnpm run clean && pnpm run lint"),
        ("run-s clean env", "npm run clean && npm run env"),
        (
            "cross-env A=1 run-s clean lint",
            "cross-env A=1 npm run clean && cross-env A=1 npm run lint",
        ),
        ("A=1 npx run-s clean lint", "A=1 npm run clean && A=1 npm run lint"),
        ("run-s clean lint | tee log", "(npm run clean && npm run lint) | tee log"),
        ("run-s clean lint > log 2>&1", "(npm run clean && npm run lint) > log 2>&1"),
        ("x || A=1 run-s clean lint", "x || (A=1 npm run clean && A=1 npm run lint)"),
        ("run-s clean lint || x", "npm run clean && npm run lint || x"),
        ("x && run-s clean lint & y", "x && npm run clean && npm run lint & y"),
        ("run-s 'lint -- a/**/*.js' clean", 'npm run lint -- "a/**/*.js" && npm run clean'),
        ("run-s \"lint -- --x='a b'\" clean", 'npm run lint -- "--x=a b" && npm run clean'),
        ('run-s "lint -- --x=$Y" clean', "npm run lint -- --x=$Y && npm run clean"),
        ("run-s \"lint -- '$Y z'\" clean", 'npm run lint -- "$Y z" && npm run clean'),
        ("run-p -l build:js lint", f'{ON_FAIL} "npm:build:js" "npm:lint"'),
        ("run-p -l watch:*", f'{ON_FAIL} "npm:watch:*"'),
        ("run-p -l build:**", f'{ON_FAIL} "npm:build:*"'),
        ('run-p -l "watch:* -- --x"', f'{ON_FAIL} "npm:watch:* -- --x"'),
        ("run-p -lc lint clean", 'devrun "npm:lint" "npm:clean"'),
        ("run-p -lr lint clean", 'devrun --kill-others --success first "npm:lint" "npm:clean"'),
        (
            "run-p -l --max-parallel 2 lint clean",
            f'{ON_FAIL} --max-processes 2 "npm:lint" "npm:clean"',
        ),
        ('run-p -l "lint -- --fix"', f'{ON_FAIL} "npm:lint -- --fix"'),
        ("run-p -ls lint UP", f'{ON_FAIL} "lint=npm run --silent lint" "npm run --silent UP"'),
        ("run-p -ls UP UP", f'{ON_FAIL} "npm run --silent UP" "npm run --silent UP"'),
        ('run-p -l "lint -- {1} {@}" --', f'{ON_FAIL} -P "npm:lint -- {{1}} {{@}}" --'),
        ('run-p -l "lint -- {1}" -- "a b"', f'{ON_FAIL} -P "npm:lint -- {{1}}" -- "a b"'),
        ("run-p -l lint clean --", f'{ON_FAIL} -P "npm:lint" "npm:clean" --'),
        ("run-p -l 'lint -- \"a b\"'", f'{ON_FAIL} "npm:lint -- \\"a b\\""'),
        ("npx run-p -l lint", f'{ON_FAIL} "npm:lint"'),
        ("x | run-p -l lint | y", f'x | {ON_FAIL} "npm:lint" | y'),
        ("run-s -lc clean lint", 'devrun -m 1 "npm:clean" "npm:lint"'),
        ("run-s -l clean lint", 'devrun -m 1 --kill-others-on-fail "npm:clean" "npm:lint"'),
        ("run-s -l clean", "npm run clean"),
        (
            'run-s -l clean "lint -- {1}" --',
            'devrun -m 1 --kill-others-on-fail -P "npm:clean" "npm:lint -- {1}" --',
        ),
        (
            "npm-run-all clean -lp lint build:js --serial clean",
            f'npm run clean && {ON_FAIL} "npm:lint" "npm:build:js" && npm run clean',
        ),
    ],
)
def test_npm_run_all_becomes_what_it_means(line, expected):
    migration = migrated(line)
    assert migration.line == expected
    assert migration.notes == ()
    assert not migration.uses


@pytest.mark.parametrize(
    ("line", "expected", "notes"),
    [
        ("run-p lint clean", f'{ON_FAIL} "npm:lint" "npm:clean"', [PREFIXES]),
        ("run-s -c lint clean", 'devrun -m 1 "npm:lint" "npm:clean"', [PREFIXES]),
        (
            "npm-run-all -c clean -p lint UP",
            'npm run clean && devrun "npm:lint" "npm:UP"',
            [PREFIXES],
        ),
        (
            "run-p -l build:*",
            f'{ON_FAIL} "npm:build:js" "npm:build:css"',
            ['"build:*" is now the scripts that there are'],
        ),
        (
            "run-p -l watch:* start:*",
            f'{ON_FAIL} "npm:watch:a" "npm:watch:b" "npm:start:a"',
            ['"watch:*" is now the scripts', '"start:*" is now the scripts'],
        ),
        (
            "run-p -ls watch:*",
            f'{ON_FAIL} "watch:a=npm run --silent watch:a" "watch:b=npm run --silent watch:b"',
            ['"watch:*" is now the scripts'],
        ),
        (
            "run-s clean build:css:*",
            "npm run clean && npm run build:css:min",
            ['"build:css:*" is now the scripts'],
        ),
        (
            "run-s build:js build:*",
            "npm run build:js && npm run build:css",
            ['"build:*" is now the scripts'],
        ),
        (
            "run-s 'build:{css,js}'",
            "npm run build:js && npm run build:css",
            ['"build:{css,js}" is now the scripts'],
        ),
        (
            "run-p -l --aggregate-output lint UP",
            f'{ON_FAIL} --group "npm:lint" "npm:UP"',
            ["--group shows output in the order of the scripts"],
        ),
        ("run-s -ns clean lint", "npm run clean && npm run lint", ["-n with -s: the names are"]),
    ],
)
def test_what_is_different_afterwards_is_said(line, expected, notes):
    migration = migrated(line)
    assert migration.line == expected
    assert len(migration.notes) == len(notes)
    assert all(note.startswith(start) for note, start in zip(migration.notes, notes, strict=True))


@pytest.mark.parametrize("runner", ["npm", "pnpm", "yarn", "bun"])
def test_the_package_manager_runs_the_scripts(runner):
    assert migrated("run-s clean lint", runner).line == f"{runner} run clean && {runner} run lint"
    assert migrated("run-p lint", runner).line == f'{ON_FAIL} "{runner}:lint"'
    assert migrated("run-p watch:*", runner).line == f'{ON_FAIL} "{runner}:watch:*"'


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("run-p nosuch", 'there is no script "nosuch"'),
        ("run-p build:* '!build:js'", "a ! in front leaves nothing out"),
        ("run-p 'build:!(j)*'", "the pattern"),
        ("run-p odd*", 'the name of the script "odd name"'),
        ("run-p --npm-path ./x lint", "--npm-path ./x"),
        ("run-p --nonsense lint", "there is no --nonsense in devrun"),
        ("run-p -p lint", "there is no -p in devrun"),
        ("run-p --max-parallel no lint", "--max-parallel no is no number"),
        ("run-p --max-parallel", "--max-parallel  is no number"),
        ("run-s --max-parallel 2 lint", "--max-parallel is for scripts in parallel"),
        ("run-s -r lint", "-r is for scripts in parallel"),
        ("run-p 'lint {%}' --", "the placeholder {%}"),
        ("run-p 'lint {1:=x}' --", "the placeholder {1:=x}"),
        ("run-p 'lint:{1}' --", "the placeholder {1}"),
        ("run-p 'lint {1}'", "no -- behind which"),
        ("npm-run-all -p 'lint {1}' -s clean --", "the arguments behind -- are for several"),
        ("run-p -c -r lint clean", "-r with -c"),
        ("run-p 'lint -- $X'", "the $ or `"),
        (r'run-p "lint -- \$X"', "the $ or `"),
        ("run-p lint:$X", "only the shell knows"),
        ("run-p 'lint -- a; b'", "the arguments"),
        ("run-p lint > log clean", "words of it behind a redirection"),
        ("time run-s clean lint", "it becomes several commands, and time is for one"),
        ("cd app && run-p lint", "the line changes the folder"),
        ("run-p", "it names no script"),
    ],
)
def test_what_cannot_be_said_is_left_alone_with_a_note(line, reason):
    migration = migrated(line)
    assert migration.line == line
    assert " is left alone: " in migration.notes[0]
    assert reason in migration.notes[0]
    assert migration.uses


def test_in_another_folder_concurrently_is_the_same_and_npm_run_all_is_not():
    migration = migrated("cd app && concurrently 'run-p lint' 'npm:x'")
    assert migration.line == "cd app && devrun 'run-p lint' 'npm:x'"
    assert migration.uses == {"run-p"}


def test_what_runs_before_a_change_of_folder_is_converted():
    migration = migrated("run-s clean lint && cd app && run-s clean")
    assert migration.line == "npm run clean && npm run lint && cd app && run-s clean"


def test_one_command_is_left_alone_and_another_is_not():
    migration = migrated("run-p nosuch && run-s clean lint && conc x")
    assert migration.line == "run-p nosuch && npm run clean && npm run lint && devrun x"
    assert migration.uses == {"run-p"}


# -- what holds for all lines ---------------------------------------------------------------------

PIECES = st.sampled_from(
    """
    concurrently conc npx run-p run-s npm-run-all clean lint build:* build:** watch:* -p -s -c -l -r
    -- && || | ; > ( ) "lint\\ --\\ -x" 'a' "b" A=1 cross-env $X {1} \\" " ' & -n x
    """.split()  # noqa: SIM905 - words read better than a list of them
)
LINES = st.lists(PIECES, max_size=8).map(" ".join)


@given(st.text())
def test_lines_without_these_programs_stay_as_they_are(line):
    if not any(word in line for word in ("conc", "run-p", "run-s", "npm-run-all")):
        migration = migrated(line)
        assert (migration.line, migration.notes, migration.uses) == (line, (), frozenset())


@given(LINES)
def test_a_migrated_line_is_not_changed_again(line):
    once = migrated(line)
    assert migrated(once.line).line == once.line


@given(LINES)
def test_what_a_line_still_runs_is_in_use_and_noted(line):
    migration = migrated(line)
    for command in simple_commands(migration.line) or ():
        found = find_program(command.words, SCRIPTS)
        if found is not None:
            assert found.program in migration.uses
            assert any(found.program in note for note in migration.notes)


@given(st.dictionaries(st.text(), LINES | st.text(), max_size=4), st.booleans())
def test_a_file_in_which_no_script_changes_stays_the_same_to_the_byte(scripts, ascii_only):
    text = json.dumps({"scripts": scripts}, indent=1, ensure_ascii=ascii_only)
    found = read_package(text, "p").scripts
    names = list(scripts)
    lines = {s.name: migrate(s.command, scripts=names, runner="npm").line for s in found}
    changed = with_commands(text, found, lines)
    assert json.loads(changed)["scripts"] == lines
    if lines == scripts:
        assert changed == text


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)))
def test_words_are_read_as_shells_read_them(words):
    line = " ".join(map(shlex.quote, words))
    commands = simple_commands(line)
    assert commands is not None
    assert [word.text for command in commands for word in command.words] == words


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0$`")))
@example(r"two \\ in the middle")
@example("one at the end \\")
@example("one before\\\n a line end")
def test_a_word_in_double_quotes_is_read_back(text):
    assert shlex.split(double_quoted(text)) == [text]
