"""``devrun init`` as a user moves over with it."""

from __future__ import annotations

import json
import os

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


def test_the_change_is_shown_and_not_made(devrun, package):
    run = devrun("init")
    assert run.wait() == 0
    assert any(line.startswith('-  "scripts": {"dev":   "concurrently') for line in run.lines)
    assert any(line.startswith('+  "scripts": {"dev":   "devrun -k') for line in run.lines)
    assert "(nothing is written; devrun init --from package.json --write does it)" in run.lines
    assert package.read_bytes() == PACKAGE.encode()


def test_it_is_made_and_nothing_else_changes(devrun, package):
    run = devrun("init", "--from", "package.json", "--write")
    assert run.wait() == 0
    assert "package.json: 2 scripts changed" in run.lines
    assert (
        "devrun: concurrently is not used by the scripts any more: see devDependencies" in run.text
    )
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
    script = json.loads(package.read_text())["scripts"]["dev"]
    assert script.startswith("devrun ")
    run = devrun("-k", "npm:web", "npm:worker")
    assert run.wait() == 0
    assert "[worker] worker" in run.lines
    assert "[worker] npm run worker exited with code 0" in run.lines


def test_a_link_stays_a_link(devrun, package, tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    link = folder / "package.json"
    link.symlink_to(package)
    assert devrun("init", "--write", cwd=folder).wait() == 0
    assert link.is_symlink()
    assert "devrun -k" in package.read_text()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "package.json: cannot be read: no such file or directory"),
        ("{", "package.json:1: no JSON"),
        ("[]", "package.json:1: not a package.json"),
    ],
)
def test_what_is_wrong_is_one_line(devrun, tmp_path, text, reason):
    if text is not None:
        (tmp_path / "package.json").write_text(text)
    run = devrun("init", "--write")
    assert run.wait() == 2
    assert run.text.startswith(f"devrun: {reason}")
    assert run.text.count("\n") == 1
