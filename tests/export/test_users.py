"""Services of another user: they log, they get their secrets, and nobody else does.

The user has to be another one than whoever runs the tests, which only root can do.
"""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from pathlib import Path

import pytest
from exporting import DAEMONS, daemon, export
from running import until

OTHER = "nobody"
PROCFILE = """\
web: echo "$(id -un) has ${#API_KEY} $NASTY"; exec sleep 60
direct: sh -c 'echo "$(id -un) has ${#API_KEY} $NASTY"; exec sleep 60'
"""
SECRET = "se-cr-et"
NASTY = """a "b" 'c' $d `e` % ; # \\ é"""
DOTENV = f"""API_KEY={SECRET}\nNASTY='{NASTY.replace("'", chr(92) + "'")}'\nPATH=/bin:/nowhere\n"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a service as another")


@pytest.fixture
def project():
    """A project that another user may enter; pytest's own folders are for their owner alone."""
    folder = Path(tempfile.mkdtemp(prefix="project-"))
    folder.chmod(0o755)
    (folder / "Procfile").write_text(PROCFILE)
    yield folder
    shutil.rmtree(folder)


def logs(folder: Path) -> list[str]:
    """Return what the log of each process has, without time stamps."""
    found = [*folder.rglob("current"), *folder.rglob("*-stdout---*"), *folder.rglob("*-1.log")]
    return [path.read_text() for path in found]


@as_root
@pytest.mark.parametrize("kept_in", ["the folder", "another one"])
@pytest.mark.parametrize("style", DAEMONS)
def test_another_users_services_log_and_get_their_secrets(style, kept_in, project, mark):
    (project / ".env").write_text(DOTENV)
    more = ["-l", str(project / "logs")] if kept_in == "another one" else []
    (project / "logs").mkdir()
    export(project, style, "deploy", "-u", OTHER, "--include-secrets", *more)
    expected = f"{OTHER} has {len(SECRET)} {NASTY}\n"
    with daemon(style, project / "deploy", mark):
        until(lambda: sum(expected in log for log in logs(project)) == 2, "the lines of both")
    holding = [
        path
        for path in (project / "deploy").rglob("*")
        if path.is_file() and SECRET.encode() in path.read_bytes()
    ]
    assert len(holding) == 1
    assert {path.stat().st_mode & 0o777 for path in holding} == {0o600}


@as_root
@pytest.mark.parametrize("style", ["runit", "s6"])
def test_what_root_has_logged_before_is_no_hindrance(style, project, mark):
    export(project, style, "deploy")
    with daemon(style, project / "deploy", mark):
        until(lambda: sum("root has 0" in log for log in logs(project)) == 2, "root's lines")
    export(project, style, "deploy", "-u", OTHER)
    with daemon(style, project / "deploy", mark):
        expected = f"{OTHER} has 0"
        until(lambda: sum(expected in log for log in logs(project)) == 2, "the other's lines")
    for path in (project / "deploy").rglob("current"):
        assert path.stat().st_uid == pwd.getpwnam(OTHER).pw_uid


@pytest.mark.parametrize("style", ["runit", "s6", "launchd"])
def test_a_users_number_is_refused_where_it_is_not_understood(style, project):
    done = export(project, style, "deploy", "-u", "1000", code=2)
    assert done.stderr == f"devrun: --user 1000: {style} takes the name of a user, not the number\n"
    assert not (project / "deploy").exists()
