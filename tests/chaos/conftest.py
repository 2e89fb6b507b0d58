"""The seed of the chaos, and a folder with a project that it is made in."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from running import MARK

COMMANDS = "DEVRUN_CHAOS_COMMANDS"
SEED = "DEVRUN_CHAOS_SEED"


@pytest.fixture
def seed(record_property):
    """Return what everything is drawn from; pytest shows what a failing test has printed."""
    seed = int(os.environ.get(SEED) or random.randrange(1_000_000))
    record_property("seed", seed)
    print(f"{SEED}={seed} repeats this")
    return seed


@pytest.fixture
def commands():
    """Return how many commands there are to be."""
    return int(os.environ.get(COMMANDS) or 100)


class Place:
    """A project's folder, where devrun's commands are run."""

    def __init__(self, folder: Path, mark: str) -> None:
        self.folder = folder
        # A socket's path has room for little more.
        self.runtime = Path(tempfile.mkdtemp(prefix="devrun-t-", dir="/tmp"))
        kept = {name: value for name, value in os.environ.items() if not _is_devruns(name)}
        self.env = kept | {
            MARK: mark,
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "XDG_RUNTIME_DIR": str(self.runtime),
            "TMPDIR": str(self.runtime),
            "XDG_STATE_HOME": str(folder / "state"),
        }

    def start(self, *words: str, stdout: int | None = None) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", "devrun", *words],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if stdout is None else stdout,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def do(self, *words: str, code: int = 0) -> str:
        """Run a command to its end; return what it said."""
        process = self.start(*words)
        said = process.communicate(timeout=90)[0].decode()
        assert process.returncode == code, said
        return said


def _is_devruns(name: str) -> bool:
    return name.startswith("DEVRUN_") or name in ("NO_COLOR", "FORCE_COLOR", "PORT", "TERM")


@pytest.fixture
def place(tmp_path, mark):
    found = Place(tmp_path, mark)
    yield found
    shutil.rmtree(found.runtime)
