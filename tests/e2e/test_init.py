"""``devrun init`` as a user moves over with it."""

from __future__ import annotations

import json
import os
import shlex

import pytest

PACKAGE = """{
    "name": "shop",\r
  "scripts": {"dev":   "concurrently -k \\"npm:web\\" \\"npm:worker\\"",
    "web": "echo \\u0077eb; sleep 30", "worker": "echo worker",
    "all": "run-s worker dev"
  }, "devDependencies": {"concurrently": "^9.0.0", "npm-run-all": "4"}
}"""


@pytest.fixture
def package(tmp_path):
    path = tmp_path / "package.json"
    path.write_text(PACKAGE, newline="")
    path.chmod(0o640)
    return path


def with_scripts(folder, **scripts):
    path = folder / "package.json"
    path.write_text(json.dumps({"scripts": scripts}, indent=2))
    return path


def scripts_of(path):
    return json.loads(path.read_text(encoding="utf-8-sig"))["scripts"]


def test_the_change_is_shown_and_not_made(devrun, package):
    run = devrun("init", "--from", "package.json")
    assert run.wait() == 0
    assert any(line.startswith('-  "scripts": {"dev":   "concurrently') for line in run.lines)
    assert any(line.startswith('+  "scripts": {"dev":   "devrun -k') for line in run.lines)
    assert "(nothing is written; devrun init --from package.json --write does it)" in run.lines
    assert (
        "devrun: with that, no script uses npm-run-all: it can be removed from devDependencies"
    ) in run.lines
    assert package.read_bytes() == PACKAGE.encode()


def test_it_is_made_and_nothing_else_changes(devrun, package):
    run = devrun("init", "--from", "package.json", "--write")
    assert run.wait() == 0
    assert run.lines == [
        "package.json: 2 scripts changed",
        "devrun: no script uses concurrently: it can be removed from devDependencies",
        "devrun: no script uses npm-run-all: it can be removed from devDependencies",
    ]
    expected = PACKAGE.replace('"concurrently -k', '"devrun -k').replace(
        "run-s worker dev", "npm run worker && npm run dev"
    )
    assert package.read_bytes() == expected.encode()
    assert package.stat().st_mode & 0o777 == 0o640
    assert os.listdir(package.parent) == ["package.json"]
    again = devrun("init", "--write")
    assert again.wait() == 0
    assert again.lines == ["package.json: nothing to change"]


def test_the_changed_script_runs(devrun, package):
    assert devrun("init", "--write").wait() == 0
    program, *words = shlex.split(scripts_of(package)["dev"])
    assert program == "devrun"
    run = devrun(*words)
    assert run.wait() == 0
    assert "[worker] worker" in run.lines
    assert "[worker] npm run worker exited with code 0" in run.lines


def test_a_byte_order_mark_and_line_ends_stay(devrun, tmp_path):
    path = tmp_path / "package.json"
    before = '\ufeff{\r\n\t"scripts": {\r\n\t\t"ä": "conc x \\u00e4"\r\n\t}\r\n}\r\n'
    path.write_bytes(before.encode())
    assert devrun("init", "--write").wait() == 0
    assert path.read_bytes() == before.replace("conc", "devrun").encode()


def test_half_a_pair_stays_the_escape_that_it_is(devrun, tmp_path):
    path = tmp_path / "package.json"
    path.write_text('{"scripts": {"a": "conc \\ud800 ü"}}', encoding="utf-8")
    run = devrun("init", "--write")
    assert run.wait() == 0
    assert path.read_text(encoding="utf-8") == '{"scripts": {"a": "devrun \\ud800 ü"}}'
    assert os.listdir(tmp_path) == ["package.json"]


def test_a_diff_says_where_no_line_end_is(devrun, tmp_path):
    path = tmp_path / "package.json"
    path.write_text('{"name": "\u2028", "scripts": {"a": "conc x"}}', encoding="utf-8")
    run = devrun("init")
    assert run.wait() == 0
    assert run.text.split("\n")[3:7] == [
        '-{"name": "\u2028", "scripts": {"a": "conc x"}}',
        "\\ No newline at end of file",
        '+{"name": "\u2028", "scripts": {"a": "devrun x"}}',
        "\\ No newline at end of file",
    ]


def test_a_diff_is_shown_where_the_terminal_has_not_all_letters(devrun, tmp_path):
    with_scripts(tmp_path, a="conc x").write_text('{"scripts": {"a": "conc ü"}}', encoding="utf-8")
    run = devrun("init", env_added={"PYTHONIOENCODING": "ascii"})
    assert run.wait() == 0
    assert '+{"scripts": {"a": "devrun \\xfc"}}' in run.lines


def test_what_there_is_to_know_is_said_once_for_all_scripts(devrun, tmp_path):
    with_scripts(tmp_path, a="run-p c", b="run-p c c", c="true", d="run-p nosuch")
    run = devrun("init", "--write")
    assert run.wait() == 0
    notes = [line for line in run.lines if line.startswith("devrun: ")]
    assert len(notes) == 2
    assert notes[0].startswith('devrun: scripts "a", "b": devrun puts names before the lines')
    assert notes[1] == ('devrun: script "d": run-p is left alone: there is no script "nosuch"')


def test_a_package_that_is_still_used_may_not_go(devrun, tmp_path):
    content = {
        "scripts": {"a": "conc x", "b": "run-s nosuch", "c": "nodemon -x 'conc y'"},
        "devDependencies": {"concurrently": "*", "npm-run-all2": "*"},
    }
    (tmp_path / "package.json").write_text(json.dumps(content))
    run = devrun("init", "--write")
    assert run.wait() == 0
    assert "can be removed" not in run.text


@pytest.mark.parametrize(
    ("said", "files", "runner"),
    [
        (None, [], "npm"),
        (None, ["package-lock.json"], "npm"),
        (None, ["pnpm-lock.yaml"], "pnpm"),
        (None, ["yarn.lock"], "yarn"),
        (None, ["bun.lock"], "bun"),
        (None, ["bun.lockb"], "bun"),
        ("yarn@4.1.0", ["pnpm-lock.yaml"], "yarn"),
        ("unheard-of@1", ["pnpm-lock.yaml"], "pnpm"),
    ],
)
def test_scripts_are_run_by_the_packages_own_manager(devrun, tmp_path, said, files, runner):
    folder = tmp_path / "shop"
    folder.mkdir()
    for name in files:
        (folder / name).touch()
    scripts = {"scripts": {"a": "run-s b c", "b": "true", "c": "true"}}
    manager = {} if said is None else {"packageManager": said}
    (folder / "package.json").write_text(json.dumps(manager | scripts))
    assert devrun("init", "--from", "shop/package.json", "--write").wait() == 0
    assert scripts_of(folder / "package.json")["a"] == f"{runner} run b && {runner} run c"


def test_a_link_stays_a_link(devrun, package, tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    link = folder / "package.json"
    link.symlink_to(package)
    assert devrun("init", "--write", cwd=folder).wait() == 0
    assert link.is_symlink()
    assert "devrun -k" in package.read_text()


def test_a_package_without_such_scripts_is_left_as_it_is(devrun, tmp_path):
    path = with_scripts(tmp_path, a="echo concurrently", b="npm i concurrently", c="vite")
    before = path.read_bytes()
    run = devrun("init", "--write")
    assert run.wait() == 0
    assert run.lines == ["package.json: nothing to change"]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "package.json: cannot be read: no such file or directory"),
        (b"{", "package.json:1: no JSON"),
        (b'{"scripts": {\n"a": "conc x",\n}}', "package.json:3: no JSON"),
        (b"[]", "package.json:1: not a package.json"),
        (b"[" * 100_000, "package.json:1: not a package.json"),
        (b'{"a": "\xff"}', "package.json: cannot be read: it is not UTF-8"),
    ],
)
def test_what_is_wrong_is_one_line(devrun, tmp_path, content, reason):
    if content is not None:
        (tmp_path / "package.json").write_bytes(content)
    run = devrun("init", "--write")
    assert run.wait() == 2
    assert run.text.startswith(f"devrun: {reason}")
    assert run.text.count("\n") == 1
