"""An engine that runs real containers, and devrun in a folder with a compose file."""

from __future__ import annotations

import os
import socket
import tempfile
import textwrap
import uuid
from pathlib import Path

import pytest
from container_engine import (
    IMAGE,
    Engine,
    MissingError,
    RefusedError,
    make_engine,
    remove_engine,
)
from refusal import MachineRefuses
from running import MARK, Run, no_survivors


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Let a skip stand where the machine, and not what is installed on it, is the reason."""
    report = yield
    if call.excinfo is not None and isinstance(call.excinfo.value, MachineRefuses):
        report.outcome = "skipped"
        report.longrepr = (str(item.path), 0, f"Skipped: {call.excinfo.value}")
    return report


@pytest.fixture(scope="session")
def decided():
    """Find out once what this machine can do.

    The engine's folder is none of pytest's, which cannot remove what is mounted.
    """
    folder = Path(tempfile.mkdtemp(prefix="devrun-engine-"))
    try:
        yield _engine_or_reason(folder)
    finally:
        remove_engine(folder)


def _engine_or_reason(folder: Path) -> Engine | MissingError | RefusedError:
    try:
        return make_engine(folder)
    except (MissingError, RefusedError) as reason:
        return reason


@pytest.fixture(scope="session")
def engine(decided) -> Engine:
    """Return the engine; where there is none, the test is skipped and says why."""
    if isinstance(decided, RefusedError):
        raise MachineRefuses(str(decided))
    if isinstance(decided, MissingError):
        pytest.skip(str(decided))
    return decided


@pytest.fixture
def mark(engine):
    """Give a test the mark of its processes and containers; afterwards none of them may live."""
    mark = f"m{uuid.uuid4().hex}"
    yield mark
    no_survivors(mark, grace=5)
    if left := engine.containers(mark):
        engine.podman("rm", "--force", "--time", "0", *left)


@pytest.fixture
def devrun(tmp_path, engine, mark):
    """Start devrun; what it and its containers start carries the mark."""
    runs: list[Run] = []
    env = {name: value for name, value in os.environ.items() if not name.startswith("DEVRUN_")}
    env |= {MARK: mark, "HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "COMPOSE_PROJECT_NAME": mark}
    env |= engine.env

    def start(*arguments, cwd=tmp_path, env_added=None, terminal=None):
        words = [str(argument) for argument in arguments]
        run = Run(words, cwd=cwd, env=env | (env_added or {}), terminal=terminal)
        runs.append(run)
        return run

    yield start
    for run in runs:
        run.close()


@pytest.fixture
def free_port() -> int:
    """Return a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def project(tmp_path, mark):
    """Write a compose file whose one container runs a shell script, and a devrun.toml.

    The folder is ``/host`` in the container.
    """

    def write(script: str, toml: str, *, grace: str = "20s") -> Path:
        (tmp_path / "script.sh").write_text(textwrap.dedent(script))
        (tmp_path / "compose.yaml").write_text(
            textwrap.dedent(
                f"""
                services:
                  db:
                    image: {IMAGE}
                    command: ["sh", "/host/script.sh"]
                    environment: {{{MARK}: {mark}}}
                    network_mode: host
                    privileged: true
                    stop_grace_period: {grace}
                    volumes: ["{tmp_path}:/host"]
                """
            )
        )
        (tmp_path / "devrun.toml").write_text(textwrap.dedent(toml))
        return tmp_path

    return write
