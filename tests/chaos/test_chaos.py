"""Eight clients at once do to a run whatever comes to their minds; nothing is lost or left.

``DEVRUN_CHAOS_COMMANDS=500 pytest tests/chaos`` is the long form, and ``DEVRUN_CHAOS_SEED`` repeats
what a failing test has printed.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from api import Api, can_be_asked, sockets_in
from chaos_claims import below, inconsistencies, parent
from chaos_clients import CLIENTS, LONGEST_ANSWER, Clients, Command, drawn
from chaos_project import arrived, none_lost, write_project, written
from running import no_survivors, until

pytestmark = [
    pytest.mark.timeout(int(os.environ.get("DEVRUN_CHAOS_COMMANDS") or 100) + 200),
    pytest.mark.skipif(not shutil.which("node"), reason="one of the services is Node's"),
]

LAST_LINES = 300
"""Lines at the end that ``logs`` is asked for when all is over."""

CRASH = 3
"""The exit code of the service that crashes all the time: it may just have done so."""

SUMMARY = b"--> Failed:"
"""Behind it the last lines of what has failed are shown again."""

ROUNDS = 3
"""Runs of which devrun itself is killed."""


def only_socket(runtime: Path) -> Path:
    """Return where the only run listens, once it does."""
    until(lambda: [*filter(can_be_asked, sockets_in(runtime))], "the run's listening")
    [path] = sockets_in(runtime)
    return path


def worker_of(path: Path) -> int:
    return json.loads((path.parent / "project").read_bytes())["pid"]


def own_processes(worker: int) -> dict[str, int]:
    """Return the pids of devrun's processes, by what they are."""
    guardian = parent(worker)
    [heir] = [pid for pid in below(guardian) if parent(pid) == guardian and pid != worker]
    return {"worker": worker, "guardian": guardian, "heir": heir}


@contextlib.contextmanager
def ended(*processes: subprocess.Popen):
    """Leave nothing that a failing test has started."""
    try:
        yield
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
            process.wait()


def test_whatever_clients_do_nothing_hangs_is_lost_or_left(place, mark, seed, commands, tmp_path):
    tallies = write_project(tmp_path)
    output, followed = tmp_path / "output", tmp_path / "followed"
    with open(output, "wb") as sink, open(followed, "wb") as followed_sink:
        run = place.start(stdout=sink.fileno())
        with ended(run):
            path = only_socket(place.runtime)
            follower = place.start(
                "logs", "-f", "--lines", "all", "--json", stdout=followed_sink.fileno()
            )
            with ended(follower):
                _chaos(place, path, seed, commands)
                _all_is_well(path)
                said = place.do("logs", "--lines", str(LAST_LINES), "--json")
                assert len(said.splitlines()) == LAST_LINES
                place.do("down")
                assert follower.wait(LONGEST_ANSWER) == 0
            assert run.wait(LONGEST_ANSWER) in (0, CRASH), output.read_text()[-5000:]
    no_survivors(mark)
    assert written(tallies)
    text, *_ = output.read_bytes().partition(SUMMARY)
    none_lost(written(tallies), "output", text)
    none_lost(written(tallies), "logs -f", _lines_of(followed.read_bytes()))
    assert set(arrived(_lines_of(said.encode()))) <= set(arrived(text))
    assert b"Traceback" not in text
    assert b"defect" not in text


def _lines_of(followed: bytes) -> bytes:
    """Return the lines that a follower has been told of; none may be missing."""
    objects = [json.loads(line) for line in followed.splitlines()]
    others = [each for each in objects if "line" not in each]
    assert not others, others
    return "\n".join(each["line"] for each in objects).encode()


def _chaos(place, path: Path, seed: int, commands: int) -> None:
    own = own_processes(worker_of(path))
    _run(
        Clients(path, folder=place.folder, env=place.env, own=own),
        [drawn(f"{seed}:{n}", commands // CLIENTS) for n in range(CLIENTS)],
    )
    found: list[str] = []

    def is_consistent() -> bool:
        found[:] = inconsistencies(path, own["worker"])
        return not found

    try:
        until(is_consistent, "that ps says what /proc says")
    except AssertionError as error:
        raise AssertionError("\n".join(found)) from error


def _run(clients: Clients, commands: Sequence[Sequence[Command]]) -> None:
    try:
        clients.run(commands)
    finally:
        print(clients.record)


def _all_is_well(path: Path) -> None:
    """Have everything start anew, as if nothing had happened."""
    api = Api(path, LONGEST_ANSWER)
    status, said = api.ask("POST", "/v1/restart")
    if status != 200:
        bad = {r["name"] for r in said["results"] if r["outcome"] in ("failed", "skipped")}
        assert bad == {"crashes"}, said
    states: dict[str, str] = {}

    def is_up() -> bool:
        instances = api.get("/v1/instances")["instances"]
        states.update({i["name"]: i["state"] for i in instances if i["name"] != "crashes"})
        return set(states.values()) <= {"running", "ready"}

    try:
        until(is_up, "that everything runs")
    except AssertionError as error:
        raise AssertionError(f"{states}") from error
    finally:
        api.close()


WAYS = (("worker",), ("guardian",), ("heir",), ("heir", "guardian"))


def test_whichever_devrun_is_killed_nothing_is_left_and_the_next_run_works(
    place, mark, seed, commands, tmp_path
):
    source = random.Random(seed)
    tallies = write_project(tmp_path)
    excused: set[bytes] = set()
    each = max(2, commands // CLIENTS // ROUNDS)
    for number in range(ROUNDS):
        plan = [drawn(f"{seed}:{number}:{n}", each) for n in range(CLIENTS)]
        way = source.choice(WAYS)
        plan[0].insert(source.randrange(each), Command(("kill devrun", *way), "SIGKILL", 0, 0))
        place.do("up", "-d")
        path = only_socket(place.runtime)
        own = own_processes(worker_of(path))
        _run(Clients(path, folder=place.folder, env=place.env, own=own, may_go=True), plan)
        if way == ("heir",):
            place.do("down")
        no_survivors(mark)
        assert place.do("ps", code=1).startswith("devrun: no devrun runs in ")
        excused |= lost_with_it(place.folder / "state", written(tallies) - excused, way)


def lost_with_it(state: Path, expected: set[bytes], way: Sequence[str]) -> set[bytes]:
    """Return the lines that a killed worker had read and not written; nobody else loses any."""
    logs = [file.read_bytes() for file in state.glob("devrun/*/logs/*.log*")]
    lost = expected - set(arrived(*logs)) if "worker" in way else set[bytes]()
    none_lost(expected - lost, f"after SIGKILL to {way}", *logs)
    return lost
