"""``examples/compose`` as it stands, with podman-compose under docker's name."""

from __future__ import annotations

import os
import shutil
import signal
import textwrap
from pathlib import Path

import pytest
from container_engine import root_file_system
from running import MARK, no_survivors

EXAMPLES = Path(__file__).parents[2] / "examples"

PROGRAMS = {
    "docker": 'test "$1" = compose && shift && exec podman-compose "$@"',
    "postgres": """
        trap 'echo received fast shutdown request; exit 0' INT
        trap 'echo received smart shutdown request; exit 0' TERM
        touch /tmp/ready
        echo database system is ready to accept connections
        while :; do sleep 1000 & wait; done
        """,
    "pg_isready": "test -e /tmp/ready",
    "psql": 'echo "psql: $4"',
}
"""What stands for programs that the example takes from elsewhere."""


def write_program(folder: Path, name: str) -> None:
    path = folder / name
    path.write_text("#!/bin/sh\n" + textwrap.dedent(PROGRAMS[name]))
    path.chmod(0o755)


@pytest.fixture
def example(engine, tmp_path, mark) -> Path:
    """Copy the example, with what a bare machine needs to run it in a file of its own."""
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    folder = tmp_path / "examples" / "compose"
    (folder / "compose.override.yaml").write_text(
        "services:\n"
        "  postgres:\n"
        "    network_mode: host\n"
        "    privileged: true\n"
        "    command: [postgres]\n"
        f"    environment: {{{MARK}: {mark}}}\n"
    )
    (tmp_path / "bin").mkdir()
    write_program(tmp_path / "bin", "docker")
    tree = root_file_system(tmp_path / "root")
    for name in ("postgres", "pg_isready", "psql"):
        write_program(tree / "bin", name)
    engine.import_image(tree, "localhost/postgres:17")
    return folder


def test_the_example_runs_and_takes_its_container_down(
    devrun, example, engine, mark, tmp_path, free_port
):
    path = f"{tmp_path / 'bin'}:{engine.env['PATH']}:{os.defpath}"
    run = devrun(cwd=example, env_added={"PATH": path, "PORT": str(free_port)})
    run.wait_for("database system is ready", "psql: CREATE TABLE", "GET\x1b[0m /")
    assert run.text.index("database system is ready") < run.text.index("psql: CREATE TABLE")
    assert run.text.index("psql: CREATE TABLE") < run.text.index("listening on")
    assert run.signal(signal.SIGINT).wait() == -signal.SIGINT
    assert run.count("shutdown request") == run.count("received smart shutdown request") == 1
    assert engine.containers(mark) == []
    no_survivors(mark)
