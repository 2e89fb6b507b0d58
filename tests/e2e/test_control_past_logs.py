"""``devrun logs`` where nothing runs any more."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from devrun.control.state_folder import LOGS, state_folder

PROJECT = """
[services.web]
command = "echo one; echo bad >&2; echo two"
log = { file = "logs/web.log", json = true }

[services.db]
command = "echo db is up"
depends_on = { web = "completed" }
log = { file = "logs/db.log", timestamps = true }

[services.quiet]
command = "echo not logged"
"""


@pytest.fixture
def runtime():
    folder = tempfile.mkdtemp(prefix="devrun-t-", dir="/tmp")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def logs(devrun, runtime, tmp_path):
    """Ask for logs; return the exit code, the lines of stdout and what was said beside."""

    def ask(*words, cwd=tmp_path):
        env = {"XDG_RUNTIME_DIR": runtime, "TMPDIR": runtime, "XDG_STATE_HOME": str(tmp_path)}
        run = devrun("logs", *words, cwd=cwd, env_added=env)
        code = run.wait()
        beside = [line for line in run.lines if line.startswith("devrun: ")]
        return code, [line for line in run.lines if line not in beside], "\n".join(beside)

    return ask


@pytest.fixture
def past(devrun, tmp_path):
    """Run a project to its end."""
    (tmp_path / "devrun.toml").write_text(PROJECT)
    assert devrun().wait() == 0


def test_the_log_files_are_shown_by_time(logs, past):
    code, lines, beside = logs()
    assert code == 0
    assert sorted(lines[:3]) == ["[web] bad", "[web] one", "[web] two"]
    assert lines[3:] == ["[db] db is up"]
    assert "no devrun runs in" in beside
    assert "these are the log files of an earlier run" in beside


def test_exactly_so_many(logs, past):
    assert logs("--lines", "1")[1] == ["[db] db is up"]
    assert len(logs("--lines", "3")[1]) == 3
    assert logs("--lines", "0")[1] == []


def test_of_named_services_alone(logs, past):
    assert logs("db")[1] == ["[db] db is up"]
    code, lines, beside = logs("wbe")
    assert (code, lines) == (2, [])
    assert beside == (
        'devrun: no log file is that of a service "wbe"; did you mean "web"? There are web, db'
    )


def test_with_a_pattern_and_of_stderr(logs, past):
    assert sorted(logs("--grep", "^(bad|one)$")[1]) == ["[web] bad", "[web] one"]
    _, lines, beside = logs("--err")
    assert lines in (["[web] bad"], [])  # A terminal or a pipe for both has no stderr apart.
    assert "db.log does not tell stderr from stdout" in beside


def test_for_programs(logs, past):
    said = [json.loads(line) for line in logs("--json", "db")[1]]
    assert [(line["service"], line["line"]) for line in said] == [("db", "db is up")]
    assert said[0]["at"] > 1_700_000_000


def test_from_a_folder_below(logs, past, tmp_path):
    (tmp_path / "src").mkdir()
    assert logs("db", cwd=tmp_path / "src")[1] == ["[db] db is up"]


def test_what_does_not_run_cannot_be_followed(logs, past, tmp_path):
    code, lines, beside = logs("-f")
    assert (code, lines) == (1, [])
    assert beside.startswith(f"devrun: no devrun runs in {tmp_path}")


def test_no_log_file_is_one_line(logs, tmp_path):
    message = f"devrun: no devrun runs in {tmp_path}, and there is no log file of an earlier run"
    assert logs() == (1, [], message)


def test_a_configuration_that_is_wrong_is_told(logs, tmp_path):
    (tmp_path / "devrun.toml").write_text("[services.web\n")
    code, _, beside = logs()
    assert code == 1
    assert "; its log files are left out" in beside


def test_the_files_of_a_detached_run(logs, tmp_path):
    folder = Path(state_folder(str(tmp_path), None, {"XDG_STATE_HOME": str(tmp_path)}), LOGS)
    folder.mkdir(parents=True)
    (folder / "web.1.log").write_text("2026-01-31T10:00:01.000+00:00 two\n")
    (folder / "web.2.log").write_text("2026-01-31T10:00:00.000+00:00 one\n")
    assert logs() == (0, ["[web.2] one", "[web.1] two"], logs()[2])
    assert logs("web.1")[1] == ["[web.1] two"]
    assert logs("web")[1] == ["[web.2] one", "[web.1] two"]


def test_a_run_in_the_foreground_goes_before_its_files(devrun, runtime, tmp_path):
    (tmp_path / "devrun.toml").write_text('services.web = "echo up; exec sleep 600"')
    env = {"XDG_RUNTIME_DIR": runtime}
    run = devrun(env_added=env).wait_for("[web] up")
    asking = devrun("logs", env_added=env)
    assert asking.wait() == 0, asking.text
    assert asking.lines == ["[web] up"]
    run.signal(signal.SIGTERM)
    assert run.wait() == -signal.SIGTERM


# -- files that cannot be read ------------------------------------------------------------------

OLDER = "web.log.20260130T100000.000Z"


@pytest.fixture
def lines_of_web(tmp_path):
    """Have a project of one service, whose log file has a line; return the folder of the file."""
    (tmp_path / "devrun.toml").write_text(
        '[services.web]\ncommand = "true"\nlog = { file = "logs/web.log" }\n'
    )
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "web.log").write_text("last\n")
    return folder


def test_of_a_compressed_file_that_was_cut_off_all_is_shown_that_can_be_read(logs, lines_of_web):
    text = "".join(f"line {number * 7919}\n" for number in range(20_000))
    packed = gzip.compress(text.encode())
    older = lines_of_web / f"{OLDER}.gz"
    older.write_bytes(packed[: len(packed) // 2])
    code, lines, beside = logs("--lines", "all")
    assert code == 0
    shown = [line.removeprefix("[web] ") for line in lines[:-2]]
    assert len(shown) > 5000
    assert shown == text.splitlines()[: len(shown)]
    assert lines[-1] == "[web] last"
    assert f"devrun: {older} cannot be read to its end: it is cut off" in beside


def not_gzip(path):
    path.write_bytes(b"no gzip at all")


def damaged(path):
    packed = bytearray(gzip.compress(bytes(range(256)) * 40))
    packed[-6] ^= 1
    path.write_bytes(packed)


@pytest.mark.parametrize(
    ("name", "make", "said"),
    [
        (f"{OLDER}.gz", not_gzip, "cannot be read to its end: it is no gzip file"),
        (f"{OLDER}.gz", damaged, "cannot be read to its end: "),
        (f"{OLDER}.gz", Path.touch, "cannot be read to its end: it is cut off"),
        (OLDER, Path.mkdir, "is passed over: it is no file"),
        (f"{OLDER}.gz", Path.mkdir, "is passed over: it is no file"),
        (OLDER, os.mkfifo, "is passed over: it is no file"),
    ],
    ids=["no gzip", "damaged", "empty", "folder", "packed folder", "fifo"],
)
def test_what_is_no_log_file_keeps_no_other_from_being_shown(logs, lines_of_web, name, make, said):
    make(lines_of_web / name)
    code, lines, beside = logs()
    assert (code, lines[-1]) == (0, "[web] last")
    assert f"devrun: {lines_of_web / name} {said}" in beside


def test_a_rotated_file_that_leads_nowhere_is_told(logs, lines_of_web):
    (lines_of_web / OLDER).symlink_to(lines_of_web / OLDER)
    code, lines, beside = logs()
    assert (code, lines) == (0, ["[web] last"])
    assert f"rotated files of {lines_of_web / 'web.log'} cannot be found: too many" in beside


def test_a_folder_in_the_place_of_the_log_file_is_told(logs, lines_of_web):
    (lines_of_web / "web.log").unlink()
    (lines_of_web / "web.log").mkdir()
    (lines_of_web / OLDER).write_text("older\n")
    code, lines, beside = logs()
    assert (code, lines) == (0, ["[web] older"])
    assert f"devrun: {lines_of_web / 'web.log'} is passed over: it is no file" in beside


def test_a_pattern_that_takes_too_long_is_cut_off(logs, lines_of_web):
    (lines_of_web / "web.log").write_text(f"{'L' * 64}x\nLy\n")
    code, lines, beside = logs("--grep", "(L+L+)+y|^Ly")
    assert (code, lines) == (1, ["[web] Ly"])
    assert beside.endswith("devrun: cut off: the regular expression takes too long")


def test_a_pattern_is_found_whatever_the_colours_of_a_line(logs, lines_of_web):
    (lines_of_web / "web.log").write_text("\x1b[31mER\x1b[32mROR\x1b[0m\n")
    assert logs("--grep", "^ERROR$")[1] == ["[web] ERROR"]


def test_bytes_that_are_no_text_are_shown_as_a_running_devrun_shows_them(logs, lines_of_web):
    (lines_of_web / "web.log").write_bytes(b"a\xffb\n")
    (said,) = [json.loads(line) for line in logs("--json")[1]]
    assert ascii(said["line"]) == ascii("a\ufffdb")
    assert logs()[1] == ["[web] a\ufffdb"]


def test_one_line_tells_that_stdout_is_full(runtime, lines_of_web, tmp_path):
    env = {**os.environ, "XDG_RUNTIME_DIR": runtime, "XDG_STATE_HOME": str(tmp_path)}
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "devrun", "logs"]
        done = subprocess.run(
            command, cwd=tmp_path, env=env, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 1
    last = done.stderr.decode().splitlines()[-1]
    assert last == "devrun: stdout cannot be written to: no space left on device"
