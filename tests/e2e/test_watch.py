"""Restarts on file changes, on real files."""

from __future__ import annotations

import signal

import pytest
from running import program, until
from supervised import toml


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "a.py").write_text("1")
    return folder


def counting(tmp_path, name="runs"):
    return program("counts_runs", tmp_path / name, "sleep")


def stop(run):
    assert run.signal(signal.SIGINT).wait() == -signal.SIGINT


def test_a_save_restarts_and_says_which_file(devrun, tmp_path, source):
    run = devrun("--watch", "src", f"web={counting(tmp_path)}").wait_for("run 1")
    (source / "a.py").write_text("22")
    run.wait_for("[web] src/a.py changed, restarting", " restarted\n", "run 2")
    stop(run)


def test_only_the_services_concerned_restart(devrun, tmp_path, source):
    (tmp_path / "lib").mkdir()
    run = devrun(
        *("--watch", "web=src", "--watch", "worker=lib"),
        f"web={counting(tmp_path, 'w')}",
        f"worker={counting(tmp_path, 'k')}",
    )
    run.wait_for("[web] run 1", "[worker] run 1")
    (source / "a.py").write_text("22")
    run.wait_for("[web] run 2")
    (tmp_path / "lib" / "b.py").write_text("1")
    run.wait_for("[worker] run 2")
    stop(run)
    assert run.count("[web] run") == 2


@pytest.mark.parametrize("glob", ["src/**/*.py", "*.py", "src/*.py"])
def test_globs(devrun, tmp_path, source, glob):
    run = devrun("--watch", glob, f"web={counting(tmp_path)}").wait_for("run 1")
    (source / "readme.md").write_text("not this")
    (source / "a.py").write_text("22")
    run.wait_for("src/a.py changed, restarting", "run 2")
    stop(run)


def test_an_atomic_save_a_new_folder_and_a_recreated_root(devrun, tmp_path, source):
    run = devrun("--watch", "src", f"web={counting(tmp_path)}").wait_for("run 1")
    (tmp_path / "new").write_text("22")
    (tmp_path / "new").rename(source / "a.py")
    run.wait_for("src/a.py changed", "run 2")
    (source / "x" / "y").mkdir(parents=True)
    (source / "x" / "y" / "z.py").write_text("1")
    run.wait_for("src/x/y/z.py changed", "run 3")
    (source / "x" / "y" / "z.py").write_text("22")
    run.wait_for("run 4")
    source.rename(tmp_path / "gone")
    run.wait_for("run 5")
    source.mkdir()
    (source / "b.py").write_text("1")
    run.wait_for("src/b.py changed", "run 6")
    stop(run)


def test_ignored_files_are_passed_over(devrun, tmp_path, source):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("generated/\n*.gen\n")
    for folder in ("node_modules", "generated", "tests"):
        (source / folder).mkdir(exist_ok=True)
    run = devrun("--watch", "src", "--watch-ignore", "src/tests/", f"web={counting(tmp_path)}")
    run.wait_for("run 1")
    for path in (
        "node_modules/x.js",
        "generated/x.py",
        "x.gen",
        "x.log",
        ".x.py.swp",
        "tests/t.py",
    ):
        (source / path).write_text("1")
    (source / "a.py").write_text("22")
    run.wait_for("[web] src/a.py changed, restarting", "run 2")
    stop(run)


def test_polling(devrun, tmp_path, source):
    run = devrun("--watch", "src", "--watch-poll", f"web={counting(tmp_path)}").wait_for("run 1")
    (source / "a.py").write_text("a longer text")
    run.wait_for("src/a.py changed", "run 2")
    stop(run)


def test_a_single_file(devrun, tmp_path):
    (tmp_path / "config.toml").write_text("1")
    run = devrun("--watch", "config.toml", f"web={counting(tmp_path)}").wait_for("run 1")
    (tmp_path / "other.toml").write_text("1")
    (tmp_path / "config.toml").write_text("22")
    run.wait_for("[web] config.toml changed, restarting", "run 2")
    stop(run)


def test_what_failed_starts_again_on_a_change(devrun, tmp_path, source):
    run = devrun("-k", "--watch", "src", f"web={program('counts_runs', tmp_path / 'n', 3)}")
    run.wait_for("exited with code 3", "[web] waiting for a watched file to change")
    (source / "a.py").write_text("22")
    run.wait_for("run 2")
    stop(run)


def test_a_change_during_a_restart_is_not_lost(devrun, tmp_path, source):
    slow = program("says_signals", 0.5)
    read = f"cat {source}/a.py; echo; exec {slow}"
    run = devrun("--watch", "src", f"web={read}").wait_for("[web] 1\n", "READY")
    (source / "a.py").write_text("22")
    run.wait_for("got SIGTERM")
    (source / "a.py").write_text("333")
    run.wait_for("[web] 333\n")
    run.signal(signal.SIGINT)
    run.wait()


def test_a_loop_is_noticed(devrun, tmp_path, source):
    write = f"echo $$ > {source}/a.py; sleep 60"
    run = devrun("--watch", "src", f"web={write}")
    until(lambda: run.count(" restarted\n") >= 1 or _touch(source), "the first restart")
    run.wait_for("src/a.py changed again and again")
    stop(run)
    assert run.count(" restarted\n") <= 11


def _touch(source):
    (source / "touch.py").write_text("x" * (len(list(source.iterdir())) + 1))
    return False


# -- one service alone --------------------------------------------------------------------------


def test_what_one_service_ignores_restarts_another(devrun, tmp_path, source):
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "{counting(tmp_path, "w")}"
        watch = {{ paths = ["src"], ignore = ["*.gen"] }}
        [services.api]
        command = "{counting(tmp_path, "k")}"
        watch = ["src"]
        """,
    )
    run = devrun().wait_for("[web] run 1", "[api] run 1")
    (source / "x.gen").write_text("1")
    run.wait_for("[api] src/x.gen changed, restarting", "[api] run 2")
    (source / "a.py").write_text("22")
    run.wait_for("[web] src/a.py changed, restarting", "[web] run 2", "[api] run 3")
    stop(run)
    assert run.count("[web] src/x.gen") == 0


def test_each_service_waits_for_its_own_quiet(devrun, tmp_path, source):
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "{counting(tmp_path, "w")}"
        watch = ["src"]
        [services.api]
        command = "{counting(tmp_path, "k")}"
        watch = {{ paths = ["src"], debounce = "1h" }}
        """,
    )
    run = devrun().wait_for("[web] run 1", "[api] run 1")
    for number in (2, 3):
        (source / "a.py").write_text("2" * number)
        run.wait_for(f"[web] run {number}")
    stop(run)
    assert run.count("[api] run") == 1


def test_the_command_line_leaves_out_more_of_what_a_file_watches(devrun, tmp_path, source):
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "{counting(tmp_path, "w")}"
        watch = {{ paths = ["src"], ignore = ["*.gen"] }}
        """,
    )
    run = devrun("--watch-ignore", "*.made").wait_for("[web] run 1")
    for name in ("x.gen", "x.made", "a.py"):
        (source / name).write_text("22")
    run.wait_for("[web] src/a.py changed, restarting", "[web] run 2")
    stop(run)
