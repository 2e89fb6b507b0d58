"""Watching with real files and the real watcher.

Nothing here waits for time to pass: a test waits for the report it expects. That something is *not*
reported is shown by a later change that is, and is reported alone.
"""

from __future__ import annotations

import math
import os
import resource
import shutil
import time
from contextlib import contextmanager, suppress
from functools import partial

import pytest
import trio
import trio.testing

from devrun.model import WatchRule, WatchSettings
from devrun.sources import watch as watch_module
from devrun.sources import watch_events
from devrun.sources.watch import watch
from devrun.sources.watch_events import why_not
from devrun.sources.watch_tree import Watched

DEFAULT = WatchSettings()
PATIENT = WatchSettings(quiet=1.0, longest=60.0)
"""For what has to be one burst even on a machine that is busy with something else."""


class Watching:
    """A running watch: what it has published and said."""

    def __init__(self, project):
        self.project = project
        self.notices = []
        self._send, self._bursts = trio.open_memory_channel(math.inf)

    def rule(self, root, pattern):
        return WatchRule(os.path.normpath(self.project / root), pattern, root)

    async def start(self, nursery, rules, settings=DEFAULT, own=None, **more):
        made = [
            Watched(service, self.rule(root, pattern), (own or {}).get(service, settings))
            for service, root, pattern in rules
        ]
        with trio.fail_after(60):
            await nursery.start(
                partial(
                    watch,
                    made,
                    root=str(self.project),
                    publish=self._send.send_nowait,
                    notice=self.notices.append,
                    **more,
                )
            )
        return self

    async def burst(self):
        with trio.fail_after(60):
            return await self._bursts.receive()

    async def all_of(self, *paths):
        """Wait until all these have been reported to service 0; return whatever was."""
        reported = set()
        while not set(paths) <= reported:
            reported.update((await self.burst()).get(0, ()))
        return reported

    def write(self, path, text="x"):
        where = self.project / path
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_text(text)


@pytest.fixture
def watching(tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    made = Watching(project)
    made.write("src/a.ts")
    made.write("src/b.ts")
    return made


@pytest.fixture
async def src(watching, nursery):
    """A watch of ``src`` that has begun."""
    return await watching.start(nursery, [(0, "src", None)])


# -- saves --------------------------------------------------------------------------------------


async def test_a_write_is_reported(src):
    src.write("src/a.ts", "22")
    assert await src.burst() == {0: ["src/a.ts"]}
    src.write("src/b.ts", "22")
    assert await src.burst() == {0: ["src/b.ts"]}


async def test_a_new_and_a_removed_file_are_reported(src):
    src.write("src/new.ts")
    assert await src.burst() == {0: ["src/new.ts"]}
    (src.project / "src/new.ts").unlink()
    assert await src.burst() == {0: ["src/new.ts"]}


async def test_a_write_and_rename_is_a_change_of_one_file(src):
    src.write("src/a.ts.tmp", "22")
    (src.project / "src/a.ts.tmp").rename(src.project / "src/a.ts")
    assert await src.burst() == {0: ["src/a.ts"]}


async def test_a_file_from_elsewhere_is_reported_where_it_arrives(src):
    src.write("elsewhere/a.ts", "22")
    (src.project / "elsewhere/a.ts").rename(src.project / "src/a.ts")
    assert await src.burst() == {0: ["src/a.ts"]}


async def test_vims_way_to_save_is_a_change_of_one_file(watching, nursery):
    await watching.start(nursery, [(0, "src", None)], PATIENT)
    folder = watching.project / "src"
    watching.write("src/.a.ts.swp")
    watching.write("src/4913")
    (folder / "4913").unlink()
    (folder / "a.ts").rename(folder / "a.ts~")
    watching.write("src/a.ts", "22")
    (folder / "a.ts").chmod(0o644)
    (folder / "a.ts~").unlink()
    (folder / ".a.ts.swp").unlink()
    assert await watching.burst() == {0: ["src/a.ts"]}


async def test_touching_counts_and_changing_the_mode_does_not(src):
    (src.project / "src/a.ts").chmod(0o600)
    os.utime(src.project / "src/b.ts")
    assert await src.burst() == {0: ["src/b.ts"]}


async def test_what_comes_and_goes_within_a_burst_leaves_no_trace(watching, nursery):
    await watching.start(nursery, [(0, "src", None)], PATIENT)
    watching.write("src/scratch.ts")
    watching.write("src/a.ts", "22")
    (watching.project / "src/scratch.ts").unlink()
    assert await watching.burst() == {0: ["src/a.ts"]}


# -- bursts -------------------------------------------------------------------------------------


async def test_two_hundred_files_are_one_report(watching, nursery):
    await watching.start(nursery, [(0, "src", None)], PATIENT)
    names = [f"src/{n:03}.ts" for n in range(200)]
    for name in names:
        watching.write(name)
    assert await watching.burst() == {0: names}


async def test_one_file_written_fifty_times_is_one_report(watching, nursery):
    await watching.start(nursery, [(0, "src", None)], PATIENT)
    for n in range(50):
        watching.write("src/a.ts", "x" * n)
        await trio.lowlevel.checkpoint()
    assert await watching.burst() == {0: ["src/a.ts"]}
    watching.write("src/b.ts", "22")
    assert await watching.burst() == {0: ["src/b.ts"]}


async def test_a_burst_without_an_end_is_reported_after_the_limit(watching, nursery):
    await watching.start(nursery, [(0, "src", None)], WatchSettings(quiet=math.inf, longest=0.1))
    watching.write("src/a.ts", "22")
    assert await watching.burst() == {0: ["src/a.ts"]}


async def test_a_file_that_does_not_count_does_not_hold_a_burst_up(watching, nursery):
    await watching.start(nursery, [(0, "src", None)], WatchSettings(quiet=0.5, longest=math.inf))

    async def log():
        while True:
            await trio.to_thread.run_sync(watching.write, "src/service.log")

    nursery.start_soon(log)
    watching.write("src/a.ts", "22")
    assert await watching.burst() == {0: ["src/a.ts"]}


async def test_thousands_of_files_are_all_reported(src):
    names = {f"src/{n % 7}/{n}.ts" for n in range(3000)}

    def write():
        for name in names:
            src.write(name)

    await trio.to_thread.run_sync(write)
    assert await src.all_of(*names) == names


# -- folders ------------------------------------------------------------------------------------


async def test_files_born_with_their_folders_are_not_missed(src):
    src.write("src/x/y/z/deep.ts")
    assert await src.all_of("src/x/y/z/deep.ts") == {"src/x/y/z/deep.ts"}
    src.write("src/x/y/z/deep.ts", "22")
    assert await src.burst() == {0: ["src/x/y/z/deep.ts"]}


async def test_a_renamed_folder_is_watched_under_its_new_name(src):
    src.write("src/old/c.ts")
    await src.all_of("src/old/c.ts")
    (src.project / "src/old").rename(src.project / "src/new")
    assert await src.all_of("src/old/c.ts", "src/new/c.ts") == {"src/old/c.ts", "src/new/c.ts"}
    src.write("src/new/c.ts", "22")
    assert await src.burst() == {0: ["src/new/c.ts"]}


async def test_a_folder_put_in_anothers_place_is_watched(src):
    src.write("other/a.ts", "22")
    (src.project / "src").rename(src.project / "was")
    (src.project / "other").rename(src.project / "src")
    assert "src/a.ts" in await src.all_of("src/a.ts", "src/b.ts")
    src.write("src/a.ts", "333")
    assert await src.burst() == {0: ["src/a.ts"]}
    src.write("was/a.ts", "333")
    src.write("src/c.ts")
    assert await src.burst() == {0: ["src/c.ts"]}


async def test_a_deleted_root_is_watched_again_when_it_is_back(src):
    shutil.rmtree(src.project / "src")
    await src.all_of("src/a.ts", "src/b.ts")
    src.write("src/a.ts")
    await src.all_of("src/a.ts")
    src.write("src/a.ts", "22")
    assert await src.burst() == {0: ["src/a.ts"]}


async def test_a_root_that_is_not_there_yet_is_announced_and_awaited(watching, nursery):
    await watching.start(nursery, [(0, "not/yet/there", None)])
    assert watching.notices == ['--watch "not/yet/there": nothing there yet, waiting for it']
    watching.write("not/yet/there/x.ts")
    assert await watching.burst() == {0: ["not/yet/there/x.ts"]}
    watching.write("not/yet/there/x.ts", "22")
    assert await watching.burst() == {0: ["not/yet/there/x.ts"]}


async def test_a_single_file_is_watched_through_its_folder(watching, nursery):
    watching.write("a.toml")
    watching.write("b.toml")
    await watching.start(nursery, [(0, "a.toml", None)])
    for text in ("22", "333"):
        watching.write("b.toml", text)
        watching.write("new.toml", text)
        (watching.project / "new.toml").rename(watching.project / "a.toml")
        assert await watching.burst() == {0: ["a.toml"]}


async def test_a_link_is_followed_to_the_file_it_leads_to(watching, nursery, tmp_path):
    (tmp_path / "shared").mkdir()
    target = tmp_path / "shared" / "config.json"
    target.write_text("1")
    (watching.project / "src/config.json").symlink_to(target)
    await watching.start(nursery, [(0, "src", None)])
    target.write_text("22")
    assert await watching.burst() == {0: ["src/config.json"]}


async def test_a_root_outside_the_project_is_shown_by_its_whole_path(watching, nursery, tmp_path):
    (tmp_path / "library").mkdir()
    await watching.start(nursery, [(0, "../library", None)])
    (tmp_path / "library/x.ts").write_text("1")
    assert await watching.burst() == {0: [str(tmp_path / "library/x.ts")]}


# -- what counts --------------------------------------------------------------------------------


async def test_only_the_services_concerned_are_named(watching, nursery):
    await watching.start(nursery, [(0, "src", None), (1, "lib", None), (2, ".", "*.py")])
    watching.write("lib/x.ts")
    assert await watching.burst() == {1: ["lib/x.ts"]}
    watching.write("src/x.py")
    assert await watching.burst() == {0: ["src/x.py"], 2: ["src/x.py"]}


async def test_a_pattern_leaves_other_files_out(watching, nursery):
    await watching.start(nursery, [(0, "src", "**/*.ts")])
    watching.write("src/readme.md")
    watching.write("src/deep/er/readme.md")
    watching.write("src/deep/er/x.ts")
    assert await watching.all_of("src/deep/er/x.ts") == {"src/deep/er/x.ts"}


async def test_ignored_files_are_passed_over(watching, nursery):
    (watching.project / ".git").mkdir()
    watching.write(".gitignore", "*.gen\n")
    watching.write("node_modules/x/index.js")
    await watching.start(
        nursery, [(0, ".", None)], WatchSettings(ignore=("docs/",)), own_files=[own(watching)]
    )
    for path in ("a.gen", "node_modules/x/index.js", "docs/a.md", "x.log", ".git/HEAD", "own.txt"):
        watching.write(path, "333")
    watching.write("src/a.ts", "22")
    assert await watching.burst() == {0: ["src/a.ts"]}


def own(watching):
    return str(watching.project / "own.txt")


async def test_a_gitignore_holds_from_when_it_is_written(watching, nursery):
    (watching.project / ".git").mkdir()
    await watching.start(nursery, [(0, "src", None)])
    watching.write(".gitignore", "*.gen\n")
    watching.write("src/.gitignore", "*.made\n")
    assert await watching.burst() == {0: ["src/.gitignore"]}
    watching.write("src/x.gen")
    watching.write("src/x.made")
    watching.write("src/a.ts", "22")
    assert await watching.burst() == {0: ["src/a.ts"]}


async def test_what_one_service_ignores_is_reported_to_another(watching, nursery):
    own = {1: WatchSettings(ignore=("*.gen",))}
    await watching.start(nursery, [(0, "src", None), (1, "src", None)], own=own)
    watching.write("src/x.gen")
    assert await watching.burst() == {0: ["src/x.gen"]}
    watching.write("src/a.ts", "22")
    reports = [await watching.burst()]
    if len(reports[0]) == 1:  # Their bursts end apart, and may be told apart.
        reports.append(await watching.burst())
    assert {k: v for report in reports for k, v in report.items()} == {
        0: ["src/a.ts"],
        1: ["src/a.ts"],
    }


@pytest.mark.parametrize("poll", [False, True])
async def test_one_that_waits_longer_holds_no_other_up(watching, nursery, poll):
    quick, endless = WatchSettings(poll=poll), WatchSettings(quiet=3600.0, longest=7200.0)
    rules = [(0, "src", None), (1, "src", None)]
    await watching.start(nursery, rules, quick, own={1: endless})
    for path in ("src/a.ts", "src/b.ts", "src/x/new.ts"):
        watching.write(path, "22")
        assert await watching.burst() == {0: [path]}


@pytest.mark.parametrize("poll", [False, True])
async def test_each_service_is_told_of_everything_in_its_time(watching, nursery, poll):
    quick, slow = WatchSettings(poll=poll), WatchSettings(quiet=0.3, poll=poll)
    rules = [(0, "src", None), (1, "src", None)]
    await watching.start(nursery, rules, quick, own={1: slow})
    for path in ("src/a.ts", "src/x/new.ts", "src/x/new.ts"):
        watching.write(path, str(time.monotonic_ns()))
        told = [await watching.burst(), await watching.burst()]
        assert told == [{0: [path]}, {1: [path]}]


# -- from the beginning to the end --------------------------------------------------------------


async def test_what_was_written_since_the_services_started_is_reported(watching, nursery):
    os.utime(watching.project / "src/b.ts", (1, 1))
    await watching.start(nursery, [(0, "src", None)], since=time.time() - 3600)
    assert await watching.burst() == {0: ["src/a.ts"]}


async def test_what_was_there_before_is_not_reported(src):
    src.write("src/new.ts")
    assert await src.burst() == {0: ["src/new.ts"]}


@pytest.mark.parametrize("poll", [False, True])
async def test_a_cancellation_does_not_wait_for_the_watcher(watching, poll):
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            await watching.start(nursery, [(0, "src", None)], WatchSettings(poll=poll))
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()


# -- without the kernel's events ----------------------------------------------------------------


async def test_polling_finds_the_same(watching, nursery):
    await watching.start(nursery, [(0, "src", None)], WatchSettings(poll=True))
    watching.write("src/service.log")
    watching.write("src/x/y/new.ts")
    assert await watching.all_of("src/x/y/new.ts") == {"src/x/y/new.ts"}
    watching.write("src/a.ts", "22")
    assert await watching.burst() == {0: ["src/a.ts"]}
    shutil.rmtree(watching.project / "src")
    await watching.all_of("src/a.ts", "src/b.ts")
    watching.write("src/a.ts", "22")
    assert await watching.all_of("src/a.ts")
    assert watching.notices == []


async def test_a_network_file_system_is_polled_and_that_is_said(watching, nursery, monkeypatch):
    monkeypatch.setattr(watch_module, "mounts", lambda: {"/": "nfs4"})
    await watching.start(nursery, [(0, "src", None)])
    assert watching.notices == [
        "watching by comparing file times: nfs4 does not tell of all changes"
    ]
    watching.write("src/a.ts", "22")
    assert await watching.burst() == {0: ["src/a.ts"]}


@contextmanager
def one_descriptor_left():
    """Leave this process one more file to open: enough to look around, too few for a watcher."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    held = []
    try:
        with suppress(OSError):
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        os.close(held.pop())
        yield
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_without_a_watcher_file_times_are_compared_and_that_is_said(watching, nursery):
    with one_descriptor_left():
        await watching.start(nursery, [(0, "src", None)])
    (notice,) = watching.notices
    assert "fs.inotify.max_user_instances" in notice
    watching.write("src/a.ts", "22")
    assert await watching.burst() == {0: ["src/a.ts"]}


def not_utf8(watching, name):
    """Make the real watcher fail: it cannot report such a name."""
    with open(os.fsencode(watching.project) + b"/src/" + name, "wb"):
        pass


async def test_a_watcher_that_fails_is_replaced_and_nothing_is_lost(src):
    not_utf8(src, b"\xff.ts")
    src.write("src/a.ts", "22")
    shown = "src/\N{REPLACEMENT CHARACTER}.ts"
    assert await src.all_of("src/a.ts", shown) == {"src/a.ts", shown}
    src.write("src/b.ts", "22")
    assert await src.burst() == {0: ["src/b.ts"]}
    assert src.notices == []


async def test_a_watcher_that_keeps_failing_is_given_up(watching, nursery, monkeypatch):
    monkeypatch.setattr(watch_events, "FAILURE_WINDOW", math.inf)
    await watching.start(nursery, [(0, "src", None)])
    for n in range(watch_events.MOST_FAILURES):
        not_utf8(watching, b"\xff%d.ts" % n)
        await watching.burst()
    (notice,) = watching.notices
    assert notice.startswith("watching by comparing file times: file events keep failing")
    watching.write("src/a.ts", "22")
    assert await watching.burst() == {0: ["src/a.ts"]}


async def test_a_folder_whose_name_is_not_utf8_is_watched_by_its_times(watching, nursery):
    folder = os.fsencode(watching.project) + b"/src/\xff"
    os.mkdir(folder)
    await watching.start(nursery, [(0, "src", None)])
    assert watching.notices == ["watching by comparing file times: a folder's name is not UTF-8"]
    not_utf8(watching, b"\xff/x.ts")
    assert await watching.burst() == {0: ["src/\N{REPLACEMENT CHARACTER}/x.ts"]}


def test_the_limit_of_watches_is_explained_with_the_biggest_folders():
    places = [(f"/p/{part}/{n}", (1, n)) for part in ("web", "docs") for n in range(len(part))]
    reason = why_not(OSError('OS file watch limit reached. about ["/p/web"]'), places, "/p")
    assert "fs.inotify.max_user_watches" in reason
    assert "docs (4), web (3)" in reason
    assert "--watch-ignore" in reason


def test_another_reason_is_passed_on():
    assert why_not(RuntimeError("no such thing"), [], "/p") == "no such thing"
