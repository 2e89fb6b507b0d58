"""What is watched, what counts, and what is found to have changed: on real files."""

from __future__ import annotations

import os

import pytest

from devrun.model import WatchRule, WatchSettings
from devrun.sources.watch_bursts import EVERYWHERE, MANY_EVENTS, Hints
from devrun.sources.watch_ignore import IGNORED_FOLDERS
from devrun.sources.watch_tree import Watched, WatchTree, biggest


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def make(project):
    """Make files and folders (which end in a slash), with what they say."""

    def make(*paths, text="x"):
        for path in paths:
            where = project / path
            (where if path.endswith("/") else where.parent).mkdir(parents=True, exist_ok=True)
            if not path.endswith("/"):
                where.write_text(text)

    return make


@pytest.fixture
def tree(project):
    """Watch ``ROOT`` or ``ROOT:PATTERN``, each for a service of its own, and look once."""

    def tree(*rules, ignore=(), own=(), of=None):
        split = [rule.partition(":") for rule in rules]
        watched = [
            Watched(
                n,
                WatchRule(os.path.normpath(project / root), pattern or None, root),
                (of or {}).get(n, WatchSettings(ignore=tuple(ignore))),
            )
            for n, (root, _, pattern) in enumerate(split)
        ]
        made = WatchTree(watched, str(project), [str(project / path) for path in own])
        made.scan()
        return made

    return tree


def folders(tree, project):
    return sorted(os.path.relpath(path, project) for path, _ in tree.places)


def found(tree):
    """The files of the first service that changed since the last look."""
    return tree.by_service(tree.scan()).get(0, [])


def counted(tree, project, *paths):
    """Which of these paths count, if the kernel says that they have changed."""
    hints = tree.hints([os.path.normpath(project / path) for path in paths])
    return sorted(os.path.relpath(path, project) for _, path in hints.files)


# -- which folders are watched ------------------------------------------------------------------


def test_folders_are_pruned_before_they_are_watched(make, tree, project):
    make("src/app/a.ts", "src/lib/", ".git/objects/", "docs/")
    make(*(f"node_modules/package{n}/lib/x.js" for n in range(300)))
    assert folders(tree("."), project) == [".", "docs", "src", "src/app", "src/lib"]


@pytest.mark.parametrize("name", sorted(IGNORED_FOLDERS))
def test_every_usual_suspect_is_pruned_but_watched_if_a_rule_names_it(make, tree, project, name):
    make(f"src/{name}/inside/x.ts")
    assert folders(tree("src"), project) == [".", "src"]
    assert f"src/{name}/inside" in folders(tree(f"src/{name}"), project)


@pytest.mark.parametrize("marker", ["pyvenv.cfg", "CACHEDIR.TAG"])
def test_environments_and_caches_are_known_by_what_is_in_them(make, tree, project, marker):
    make(f"env/{marker}", "env/lib/x.py", "src/x.py")
    assert folders(tree("."), project) == [".", "src"]
    assert "env/lib" in folders(tree("env"), project)


def test_gitignore_prunes_folders(make, tree, project):
    make(".git/", "a/out/x", "a/deep/gen/x", "b/gen/x")
    make(".gitignore", text="out/\n")
    make("a/.gitignore", text="gen\n")
    assert folders(tree("."), project) == [".", "a", "a/deep", "b", "b/gen"]


def test_the_users_patterns_prune_and_take_back(make, tree, project):
    make("dist/x.js", "gen/x.js", "src/tests/x.js", "src/x.js")
    make(".gitignore", text="gen\n")
    made = tree(".", ignore=["!dist", "!gen", "src/tests/"])
    assert folders(made, project) == [".", "dist", "gen", "src"]


def test_links_to_folders_are_not_entered_but_for_a_root(make, tree, project, tmp_path):
    make("src/x.ts")
    (tmp_path / "elsewhere" / "sub").mkdir(parents=True)
    (project / "src" / "loop").symlink_to(project)
    (project / "linked").symlink_to(tmp_path / "elsewhere")
    assert folders(tree("src"), project) == [".", "src"]
    assert folders(tree("linked"), project) == [".", "../elsewhere", "../elsewhere/sub"]


def test_a_missing_root_is_awaited_in_the_nearest_folder(make, tree, project):
    make("a/")
    made = tree("a/b/c")
    assert folders(made, project) == [".", "a"]
    assert made.missing == {str(project / "a/b/c")}


def test_a_root_outside_the_project_takes_no_folder_of_the_project(make, tree, project, tmp_path):
    (tmp_path / "other" / "src").mkdir(parents=True)
    assert folders(tree("../other/src"), project) == ["../other/src"]


def test_a_folder_that_may_not_be_read_is_left_out(make, tree, project, monkeypatch):
    make("src/secret/", "src/x.ts")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("secret"):
            raise PermissionError(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert folders(tree("src"), project) == [".", "src"]


def test_the_biggest_parts_are_named_in_order(make, tree, project):
    make("web/a/", "web/b/", "web/c/", "docs/a/", "lib/")
    assert biggest(tree(".").places, str(project)) == [("web", 4), ("docs", 2), ("lib", 1)]


# -- which files count --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "inside"),
    [
        ("*.ts", ["a.ts", "sub/b.ts", "sub/deep/c.ts"]),
        ("/*.ts", ["a.ts"]),
        ("**/*.ts", ["a.ts", "sub/b.ts", "sub/deep/c.ts"]),
        ("sub/*.ts", ["sub/b.ts"]),
        ("sub/**", ["sub/b.ts", "sub/deep/c.ts"]),
        ("/*", ["a.ts", "d.js", "sub/b.ts", "sub/deep/c.ts"]),
    ],
)
def test_patterns_are_gitignores(make, tree, project, pattern, inside):
    paths = ("src/a.ts", "src/d.js", "src/sub/b.ts", "src/sub/deep/c.ts")
    make(*paths)
    made = tree(f"src:{pattern}")
    assert counted(made, project, *paths) == [f"src/{path}" for path in inside]


def test_only_the_services_concerned(make, tree, project):
    make("web/a.ts", "api/a.py", "shared/x.ts", "shared/x.py")
    made = tree("web", "api", ".:*.ts")
    make("web/a.ts", "api/a.py", "shared/x.ts", "shared/x.py", text="other")
    assert made.by_service(made.scan()) == {
        0: ["web/a.ts"],
        1: ["api/a.py"],
        2: ["shared/x.ts", "web/a.ts"],
    }


@pytest.mark.parametrize(
    "name",
    [
        *("x.pyc", "x.log", "x.log.gz", ".x.swp", ".x.swo", ".x.swpx", "x~", ".#x", "#x#"),
        *("4913", ".DS_Store", "x.tmp", "x___jb_tmp___", "x___jb_old___", "x-go-tmp-umask"),
    ],
)
def test_editors_and_systems_own_files_do_not_count_unless_named(make, tree, project, name):
    make(f"src/{name}", "src/x.py")
    assert counted(tree("src"), project, f"src/{name}", "src/x.py") == ["src/x.py"]
    assert counted(tree(f"src/{name}"), project, f"src/{name}") == [f"src/{name}"]


def test_gitignore_with_nesting_and_negation(make, tree, project):
    make(".git/", "a.gen", "keep.gen", "sub/b.gen", "sub/c.txt", "sub/again.gen")
    make(".gitignore", text="*.gen\n!keep.gen\n# comment\n\n!\n")
    make("sub/.gitignore", text="c.txt\n!again.gen\n")
    paths = ("a.gen", "keep.gen", "sub/b.gen", "sub/c.txt", "sub/again.gen")
    assert counted(tree("."), project, *paths) == ["keep.gen", "sub/again.gen"]


def test_gitignore_holds_from_the_repositorys_root_and_not_from_above(
    make, tree, project, tmp_path
):
    (tmp_path / ".gitignore").write_text("*.js\n")
    make("apps/web/a.js", "apps/web/b.ts", "apps/web/c.gen", ".git/")
    make(".gitignore", text="*.ts\n")
    make("apps/.gitignore", text="*.gen\n")
    paths = ("apps/web/a.js", "apps/web/b.ts", "apps/web/c.gen")
    assert counted(tree("apps/web"), project, *paths) == ["apps/web/a.js"]


def test_a_root_that_git_ignores_is_watched_without_gitignore(make, tree, project):
    make(".git/", "gen/sub/x.ts", "gen/y.js")
    make(".gitignore", text="gen/\n*.js\n")
    made = tree("gen")
    assert counted(made, project, "gen/sub/x.ts", "gen/y.js") == ["gen/sub/x.ts", "gen/y.js"]


def test_a_file_that_a_rule_names_wins_over_gitignore_but_not_over_the_user(make, tree, project):
    make(".git/", ".env")
    make(".gitignore", text=".env\n")
    assert counted(tree(".env"), project, ".env") == [".env"]
    assert counted(tree(".env", ignore=[".env"]), project, ".env") == []


def test_own_files_never_count(make, tree, project):
    make("logs/web.txt", "src/own.txt", "src/x.txt")
    made = tree(".", own=["logs", "src/own.txt"])
    paths = ("logs/web.txt", "src/own.txt", "src/x.txt")
    assert counted(made, project, *paths) == ["src/x.txt"]
    assert "logs" not in folders(made, project)
    assert counted(tree("src/own.txt", own=["src/own.txt"]), project, "src/own.txt") == []


# -- what has changed ---------------------------------------------------------------------------


def test_writing_adding_and_removing_are_changes(make, tree, project):
    make("src/a", "src/b", "src/c")
    made = tree("src")
    make("src/a", "src/sub/new", text="longer")
    (project / "src/b").unlink()
    assert found(made) == ["src/a", "src/b", "src/sub/new"]
    assert found(made) == []


def test_reading_and_changing_the_mode_are_none_touching_is_one(make, tree, project):
    make("src/a")
    path = project / "src/a"
    os.utime(path, (1, 1_000_000.5))
    made = tree("src")
    path.read_text()
    path.chmod(0o600)
    os.utime(path, (2, 1_000_000.5))
    assert found(made) == []
    os.utime(path, (2, 2_000_000.5))
    assert found(made) == ["src/a"]


def test_a_file_of_the_same_size_and_time_is_another_after_a_rename(make, tree, project):
    make("src/a", "new")
    for path in ("src/a", "new"):
        os.utime(project / path, (1, 1))
    made = tree("src")
    (project / "new").rename(project / "src/a")
    assert found(made) == ["src/a"]


def test_a_second_write_within_a_coarse_clock_is_believed(make, tree, project, monkeypatch):
    make("src/a")
    path = project / "src/a"
    seconds = int(path.stat().st_mtime)
    os.utime(path, (seconds, seconds))
    made = tree("src")
    hints = made.hints([str(path)])
    assert made.look(hints.files)
    os.utime(path, (seconds - 60, seconds - 60))
    assert made.look(hints.files)
    assert not made.look(hints.files)


def test_a_file_that_is_left_out_from_now_on_has_not_changed(make, tree, project):
    make("src/a.gen", "src/b.ts")
    made = tree("src")
    make("src/.gitignore", text="*.gen\n")
    assert found(made) == ["src/.gitignore"]


def test_a_link_to_a_file_is_followed_to_its_folder(make, tree, project, tmp_path):
    (tmp_path / "shared").mkdir()
    target = tmp_path / "shared" / "config.json"
    target.write_text("1")
    make("src/")
    (project / "src" / "config.json").symlink_to(target)
    made = tree("src")
    assert "../shared" in folders(made, project)
    assert counted(made, project, "../shared/config.json") == ["src/config.json"]
    target.write_text("22")
    assert found(made) == ["src/config.json"]


def test_a_link_that_leads_elsewhere_is_looked_into(make, tree, project, tmp_path):
    for n in ("1", "2"):
        (tmp_path / n).mkdir()
        (tmp_path / n / "f").write_text(n)
    make("src/")
    (project / "src" / "f").symlink_to(tmp_path / "1" / "f")
    made = tree("src")
    (project / "src" / "f").unlink()
    (project / "src" / "f").symlink_to(tmp_path / "2" / "f")
    assert made.hints([str(project / "src/f")]).everywhere
    assert found(made) == ["src/f"]
    assert "../2" in folders(made, project)


def test_a_name_that_is_not_utf8_can_be_shown(make, tree, project):
    make("src/")
    made = tree("src")
    with open(os.fsencode(project) + b"/src/\xff", "wb"):
        pass
    assert found(made) == ["src/\N{REPLACEMENT CHARACTER}"]


def test_what_was_written_since_a_time(make, tree, project):
    make("src/old", "src/new")
    for name, seconds in (("old", 1000), ("new", 2000)):
        os.utime(project / "src" / name, (seconds, seconds))
    made = tree("src")
    assert made.by_service(made.written_since(2000 * 10**9)) == {0: ["src/new"]}


# -- what events mean ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "everywhere"),
    [
        ("src/a.ts", False),
        ("src/new.ts", False),
        ("src/gone", False),
        ("src/x.log", False),
        ("elsewhere.txt", False),
        ("elsewhere", False),
        ("src/node_modules", False),
        ("src/sub", True),
        ("src/fresh", True),
        ("src", True),
        (".", True),
        (".gitignore", True),
        ("src/sub/.gitignore", True),
        ("src/sub/pyvenv.cfg", True),
    ],
)
def test_an_event_about_folders_makes_everything_be_looked_at(
    make, tree, project, event, everywhere
):
    make("src/a.ts", "src/sub/b.ts")
    made = tree("src")
    make("src/fresh/", "src/node_modules/", "elsewhere/")
    path = os.path.normpath(project / event)
    assert made.hints([path]).everywhere is everywhere


def test_a_save_of_a_single_file_is_no_event_about_folders(make, tree, project):
    make("a.toml", "b.toml")
    made = tree("a.toml")
    assert counted(made, project, "a.toml", "b.toml") == ["a.toml"]
    assert not made.hints([str(project / "a.toml")]).everywhere


def test_what_does_not_count_leaves_no_trace(make, tree, project):
    make("src/a.ts", "src/readme.md")
    made = tree("src:*.ts")
    assert not made.hints([str(project / "src/readme.md"), str(project / "src/x.log")])


def test_many_events_make_everything_be_looked_at(make, tree, project):
    make("src/a.ts")
    made = tree("src")
    half = [str(project / f"src/{n}.log") for n in range(MANY_EVENTS // 2)]
    one = made.hints(half)
    assert not one.everywhere
    assert (one | made.hints(half)).everywhere
    assert made.hints(half * 2).everywhere


def test_hints_add_up():
    one, two = Hints(frozenset({(0, "a")}), events=1), Hints(frozenset({(0, "b")}), events=2)
    assert one | two == Hints(frozenset({(0, "a"), (0, "b")}), events=3)
    assert (one | EVERYWHERE).everywhere
    assert not Hints(events=7)


# -- services that want something else ----------------------------------------------------------


def test_what_one_service_ignores_counts_for_another(make, tree, project):
    make("src/a.ts", "src/gen/b.ts")
    made = tree("src", "src", ".", of={1: WatchSettings(("gen/", "a.*"))})
    make("src/a.ts", "src/gen/b.ts", text="other")
    both = ["src/a.ts", "src/gen/b.ts"]
    assert made.by_service(made.scan()) == {0: both, 2: both}
    make("src/c.ts")
    assert made.by_service(made.scan()) == {n: ["src/c.ts"] for n in range(3)}


def test_a_folder_that_only_some_ignore_is_watched_for_the_others(make, tree, project):
    make("src/gen/b.ts")
    leaving_out = {n: WatchSettings(("gen/",)) for n in range(2)}
    assert folders(tree("src", "src", of=leaving_out), project) == [".", "src"]
    assert "src/gen" in folders(tree("src", "src", of={0: WatchSettings(("gen/",))}), project)


def test_services_that_want_the_same_share_what_is_looked_at(make, tree):
    make("src/a.ts")
    own = WatchSettings(("gen/",), quiet=2.0)
    made = tree("src", "src:*.ts", "src", "src", of={2: own, 3: own})
    assert len(made.paces) == 2
    assert [pace.quiet for pace in made.paces] == [0.05, 2.0]
