"""What an export does to the folder that it writes into: it touches its own files and no other."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from exporting import daemon, export
from running import marked, until

from devrun.export.formats import FORMATS


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "Procfile").write_text("web: sleep 60\nworker: sleep 60\nrelease: true\n")
    (folder / ".env").write_text("A=secret\n")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("style", FORMATS)
class TestOtherFolders:
    def test_exports_in_folders_below_stay(self, style, project):
        for name in ("prod", "staging", "app-web-1", "app-x-1/log"):
            export(project, style, f"out/{name}")
        before = contents(project / "out")
        done = export(project, style, "out")
        after = contents(project / "out")
        assert "removed" not in done.stdout
        assert {path: after.get(path) for path in before} == before

    def test_an_empty_name_is_no_folder(self, style, project):
        done = export(project, style, "", code=2)
        assert done.stderr == (
            'devrun: export: the folder is ""; write . for this one, or - for stdout\n'
        )
        assert sorted(contents(project)) == [".env", "Procfile"]

    def test_what_is_over_is_removed(self, style, project):
        (project / "kept").write_text("mine")
        export(project, style, ".", "--include-secrets", "--public", "A", "-m", "web=2")
        (project / "Procfile").write_text("other: sleep 60\n")
        (project / ".env").unlink()
        export(project, style, ".")
        others = {path for path in contents(project) if path not in ("kept", "Procfile")}
        export(project, style, "fresh")
        assert others == {path.removeprefix("fresh/") for path in contents(project / "fresh")}
        assert (project / "kept").exists()


class TestInTheWay:
    def test_a_foreign_file_stays_whatever_the_template_has(self, project):
        (project / "compose.yaml").write_text("mine\n")
        (project / "mine").mkdir()
        for template in ("hello\n", "# {{ mark }}\n"):
            (project / "mine/compose.yaml.j2").write_text(template)
            done = export(project, "compose", ".", "-t", "mine", code=2)
            assert "compose.yaml: is there already, and no export has made it" in done.stderr
        assert (project / "compose.yaml").read_text() == "mine\n"

    def test_a_template_without_the_mark_is_for_stdout_only(self, project):
        (project / "mine").mkdir()
        (project / "mine/compose.yaml.j2").write_text("hello\n")
        done = export(project, "compose", "out", "-t", "mine", code=2)
        assert "compose.yaml: its template has no {{ mark }} in the first three" in done.stderr
        assert not (project / "out").exists()
        assert "hello" in export(project, "compose", "-", "-t", "mine").stdout

    def test_a_file_that_can_hold_no_mark_is_foreign_without_its_program(self, project):
        (project / "out/app-web-1").mkdir(parents=True)
        (project / "out/app-web-1/timeout-kill").write_text("5\n")
        done = export(project, "s6", "out", code=2)
        assert "out/app-web-1/timeout-kill: is there already" in done.stderr
        assert list(contents(project / "out")) == ["app-web-1/timeout-kill"]

    def test_a_file_where_a_folder_should_be(self, project):
        (project / "out").mkdir()
        (project / "out/app-worker-1").write_text("mine\n")
        done = export(project, "runit", "out", code=2)
        assert "out/app-worker-1: is there already, and no export has made it" in done.stderr
        assert list(contents(project / "out")) == ["app-worker-1"]

    def test_links_are_neither_replaced_nor_followed(self, project):
        export(project, "compose", "prod")
        (project / "compose.yaml").symlink_to("prod/compose.yaml")
        done = export(project, "compose", ".", code=2)
        assert "compose.yaml: is there already, and no export has made it" in done.stderr
        export(project, "s6", "live", "-m", "web=2")
        (project / "linked").mkdir()
        (project / "linked/app-web-2").symlink_to("../live/app-web-2")
        export(project, "s6", "linked")
        assert (project / "live/app-web-2/run").exists()


class TestScalingDown:
    @pytest.mark.parametrize(
        ("style", "holds"), [("s6", "event, log, supervise"), ("runit", "log, supervise")]
    )
    def test_a_folder_that_was_in_use_is_named_and_can_be_removed(
        self, style, holds, project, mark
    ):
        export(project, style, "out", "-m", "web=2")
        second = project / "out/app-web-2"
        with daemon(style, project / "out", mark):
            until((second / "log/main/current").exists, "the log of the second")
            assert "app-web-2" in supervised(mark)
            note = f"out/app-web-2: has no program any more, and still holds {holds}; take the"
            assert note in export(project, style, "out").stderr
            subprocess.run(["rm", "-r", str(second)], check=True)
            if style == "s6":
                subprocess.run(["s6-svscanctl", "-an", str(project / "out")], check=True)
            until(lambda: "app-web-2" not in supervised(mark), "the end of the second")
            assert {"app-web-1", "app-worker-1"} <= supervised(mark)

    def test_nothing_is_said_of_folders_that_are_gone(self, project):
        export(project, "s6", "out", "-m", "web=2")
        done = export(project, "s6", "out")
        assert "no program any more" not in done.stderr
        assert not (project / "out/app-web-2").exists()
        assert (project / "out/app-web-1/run").exists()


def supervised(mark: str) -> set[str]:
    """Return the names of the folders that a supervisor looks after."""
    commands = [command.split() for command in marked(mark).values()]
    return {words[1] for words in commands if words[:1] in (["s6-supervise"], ["runsv"])}
