"""Finding descendants, telling whose they are, and signalling the right process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from devrun.process import tree
from devrun.process.group import Asking, Ownership, owned
from devrun.process.mark import MARK, mark_for


@pytest.fixture
def family():
    """Start a shell with a child in the group, and one in a session of its own."""
    script = "sleep 100 & setsid sh -c 'echo ready; exec sleep 100' & wait"
    value = mark_for(7, 1, None)[1]
    shell = subprocess.Popen(
        ["sh", "-c", script],
        stdout=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, MARK: value},
    )
    shell.stdout.readline()
    yield shell
    for process in tree.descendants(shell.pid):
        tree.send(process, signal.SIGKILL)
    shell.kill()
    shell.wait()
    shell.stdout.close()


def test_descendants_are_found_with_what_tells_them_apart(family):
    found = tree.descendants(family.pid)
    assert len(found) == 2
    assert {process.parent for process in found} == {family.pid}
    assert sorted(process.session == family.pid for process in found) == [False, True]
    assert tree.look_up(family.pid).parent == os.getpid()
    assert "sleep 100" in tree.command_line(found[0].pid)


def test_what_belongs_to_an_instance_is_found_by_session_or_mark(family):
    everything = {family.pid, *(process.pid for process in tree.descendants(family.pid))}
    by_session = owned(Ownership(frozenset({family.pid}), b"nothing"))
    by_mark = owned(Ownership(frozenset(), mark_for(7, 1, None)[0].encode()))
    assert {p.pid for p in by_session} == {p.pid for p in by_mark} == everything
    assert owned(Ownership(frozenset(), b"other")) == []


def test_the_marks_of_outer_runs_are_kept():
    own, value = mark_for(3, 1, "1:2")
    assert value == f"1:2/{own}"


def test_a_signal_reaches_that_process_and_no_other(family):
    grandchild = tree.descendants(family.pid)[0]
    reused = tree.Process(grandchild.pid, 1, 1, 1, grandchild.start + 1, "S")
    assert not tree.send(reused, signal.SIGKILL), "the number belongs to another process now"
    assert tree.look_up(grandchild.pid) is not None
    assert tree.send(grandchild, signal.SIGKILL)


def test_zombies_are_no_descendants_and_are_reaped():
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert child.pid not in {process.pid for process in tree.descendants(os.getpid())}
    tree.reap_orphans({child.pid})
    assert tree.look_up(child.pid).is_zombie, "a managed child is left to whoever waits for it"
    assert child.wait() == 0


def test_a_group_is_asked_once_and_only_if_it_has_an_orphan(family):
    me = os.getpid()
    inner = tree.Process(111_111_111, family.pid, 111_111_111, 1, 1.0, "S")
    asking = Asking()
    assert asking.ask([inner], signal.SIGCONT) == (), "its parent lives"
    orphan = tree.Process(family.pid, me, family.pid, family.pid, 1.0, "S")
    [(pid, command)] = asking.ask([orphan], signal.SIGCONT)
    assert pid == orphan.pid
    assert command
    assert asking.ask([orphan], signal.SIGCONT) == ()
