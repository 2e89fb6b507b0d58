"""Projects in the background, for end-to-end tests: started, looked at, and ended at last."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from api import Api, close_all, sockets_in
from running import PATIENCE, until


class Background:
    """A project's folder, and devrun's commands in it."""

    def __init__(self, devrun, folder: Path) -> None:
        self.folder = folder
        # A socket's path has room for little more.
        self.runtime = Path(tempfile.mkdtemp(prefix="devrun-t-", dir="/tmp"))
        self.state = folder / "state"
        self.env = {
            "XDG_RUNTIME_DIR": str(self.runtime),
            "TMPDIR": str(self.runtime),
            "XDG_STATE_HOME": str(self.state),
        }
        self._devrun = devrun

    def begin(self, *words, terminal=None, cwd=None, env=None):
        """Start a command, and leave it to itself."""
        added = self.env | (env or {})
        return self._devrun(*words, cwd=cwd or self.folder, terminal=terminal, env_added=added)

    def do(self, *words, code=0, **more) -> str:
        """Run a command to its end; return what it said."""
        run = self.begin(*words, **more)
        found = run.wait()
        assert found == code, run.text
        return run.text

    def within(self, words, *command, env) -> str:
        """Run a command by another program; return what it said when nobody can say more."""
        whole = [*words, sys.executable, "-m", "devrun", *command]
        own = {**os.environ, "HOME": str(self.folder), **self.env, **env}
        found = subprocess.run(
            whole, cwd=self.folder, env=own, capture_output=True, timeout=PATIENCE, check=True
        )
        return found.stdout.decode()

    def write(self, text: str, name: str = "devrun.toml") -> None:
        (self.folder / name).write_text(text)

    # -- what there is -----------------------------------------------------------------------

    def announced(self) -> list[dict]:
        """Return what runs say of themselves."""
        found = []
        for path in self.runtime.glob("devrun*/run.*/project"):
            with contextlib.suppress(FileNotFoundError):  # It has just ended.
                found.append(json.loads(path.read_bytes()))
        return found

    def pid(self) -> int:
        """Return the pid of the only run."""
        [run] = self.announced()
        return run["pid"]

    def instances(self) -> dict[str, dict]:
        """Return what ``ps`` shows, by label."""
        said = json.loads(self.do("ps", "--json"))
        return {each["name"]: each for run in said["runs"] for each in run["instances"]}

    def pids(self) -> dict[str, int]:
        return {name: each["pid"] for name, each in self.instances().items()}

    @property
    def socket(self) -> Path:
        """Where the only run listens."""
        [found] = sockets_in(self.runtime)
        return found

    def api(self) -> Api:
        """Return what asks the only run, without devrun's own client."""
        return Api(self.socket)

    @property
    def place(self) -> Path:
        """The folder for what outlives a run."""
        [found] = (self.state / "devrun").iterdir()
        return found

    def log(self, label: str) -> str:
        """Return what a service has written."""
        return (self.place / "logs" / f"{label}.log").read_text()

    @property
    def own_log(self) -> str:
        return (self.place / "devrun.log").read_text()

    def close(self) -> None:
        """End whatever runs, by force if need be."""
        close_all()
        for run in self.announced():
            with contextlib.suppress(ProcessLookupError):
                os.kill(run["pid"], signal.SIGTERM)
        until(lambda: not any(is_there(run["pid"]) for run in self.announced()), "the end")
        shutil.rmtree(self.runtime)


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
