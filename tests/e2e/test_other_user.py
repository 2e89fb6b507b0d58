"""Another user of the machine: what a run says, and what it has written, is none of his business.

He can enter every folder above the run's own ones here, as it is in /tmp, in a home folder that is
open, or for the folder of a project that several people work in.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from api import Api, can_be_asked, sockets_in
from background import Background
from running import MARK, until

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else, too")

SOMEBODY = 65534
"""The uid of "nobody", which owns nothing; it need not be in passwd(5)."""

SECRET = "hush-hush"
PROJECT = f"""
[services.web]
command = "echo {SECRET}; exec sleep 120"
ready = {{ log = "hush" }}
"""

_TRY = """
import errno, json, os, socket, sys
os.setgroups([])
os.setgid({uid}); os.setuid({uid})
def attempt(what, path):
    if what == "connect":
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(30)
        client.connect(path)
        try:
            client.sendall(b"GET /v1/project HTTP/1.1\\r\\nhost: devrun\\r\\n\\r\\n")
            return client.recv(1000).decode()
        except (BrokenPipeError, ConnectionResetError):
            return ""
    if what == "list":
        return os.listdir(path)
    if what == "make":
        os.mkdir(path)
        return "made"
    return open(path).read()
found = []
for what, path in json.loads(sys.argv[1]):
    try:
        found.append(attempt(what, path))
    except OSError as error:
        found.append(errno.errorcode[error.errno])
print(json.dumps(found))
"""


def as_somebody(*attempts: tuple[str, Path]) -> list:
    """Return what comes of attempts by another user: what he is told, or the error's name."""
    asked = json.dumps([(what, str(path)) for what, path in attempts])
    done = subprocess.run(
        [sys.executable, "-c", _TRY.format(uid=SOMEBODY), asked],
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture
def project(devrun):
    """Have a project in a folder that everybody can look into."""
    folder = Path(tempfile.mkdtemp(prefix="devrun-t-", dir="/tmp"))
    folder.chmod(0o755)
    found = Background(devrun, folder)
    found.runtime.chmod(0o755)
    found.state.mkdir(mode=0o755)
    found.write(PROJECT)
    yield found
    found.close()
    shutil.rmtree(folder)


@pytest.fixture
def running(project):
    """Have it run in the background."""
    project.do("up", "-d")
    return project


def test_he_can_neither_connect_to_a_run_nor_see_it(running):
    [path] = sockets_in(running.runtime)
    run = path.parent
    assert as_somebody(
        ("connect", path),
        ("read", run / "project"),
        ("list", run),
        ("list", run.parent),
        ("list", run.parent.parent),
    ) == ["EACCES", "EACCES", "EACCES", "EACCES", [f"devrun-{os.getuid()}"]]


def test_he_cannot_read_what_a_detached_run_has_written(running):
    place = running.place
    log = place / "logs" / "web.log"
    assert SECRET in log.read_text()
    files = [place / "devrun.log", log]
    assert as_somebody(
        ("list", running.state),
        ("list", place),
        ("list", place / "logs"),
        *(("read", file) for file in files),
    ) == [["devrun"], "EACCES", "EACCES", "EACCES", "EACCES"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_he_is_not_answered_even_where_the_folders_have_been_opened(running):
    [path] = sockets_in(running.runtime)
    for folder in (path.parent.parent, path.parent):
        folder.chmod(0o755)
    assert as_somebody(("connect", path)) == ["EACCES"]
    path.chmod(0o666)
    assert as_somebody(("connect", path), ("read", path.parent / "project")) == ["", "EACCES"]
    assert Api(path).get("/v1/project")["services"] == ["web"]
    path.parent.parent.chmod(0o700)


def test_a_place_for_runs_that_is_his_is_not_taken(project, devrun):
    """Without XDG_RUNTIME_DIR the place is in a folder in which everybody may make something."""
    temporary = project.runtime
    temporary.chmod(0o1777)
    squatted = temporary / f"devrun-{os.getuid()}"
    assert as_somebody(("make", squatted)) == ["made"]
    run = devrun(
        cwd=project.folder, env_added={"XDG_RUNTIME_DIR": "", "TMPDIR": str(temporary)}
    ).wait_for("ready after")
    assert as_somebody(("list", squatted)) == [[]]
    run.signal(signal.SIGTERM)
    assert run.wait() == -signal.SIGTERM


@pytest.fixture
def somebodys(project, mark):
    """Have somebody else run it: with his uid, and the right to read the Python that runs it."""
    runtime = project.runtime
    for folder in (project.folder, runtime, project.state):
        os.chown(folder, SOMEBODY, SOMEBODY)
    own = ["--reuid", str(SOMEBODY), "--regid", str(SOMEBODY), "--clear-groups"]
    more = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]
    run = subprocess.Popen(
        ["setpriv", *own, *more, sys.executable, "-m", "devrun"],
        cwd=project.folder,
        env=os.environ | project.env | {MARK: mark, "HOME": str(project.folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until(lambda: [*filter(can_be_asked, sockets_in(runtime))], "the run's listening")
        yield sockets_in(runtime)[0]
    finally:
        run.terminate()
        assert run.wait() == -signal.SIGTERM


def test_root_is_answered_by_everybodys_run(somebodys):
    assert somebodys.stat().st_uid == SOMEBODY
    assert Api(somebodys).get("/v1/project")["services"] == ["web"]
    [own] = as_somebody(("connect", somebodys))
    assert own.startswith("HTTP/1.1 200")
