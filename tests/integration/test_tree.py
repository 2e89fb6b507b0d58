"""Finding descendants, telling whose they are, and signalling the right process."""

from __future__ import annotations

import os
import re
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


@pytest.fixture
def of_another_user():
    """Start a process of another user, which this one may signal all the same."""
    command = ["setpriv", "--reuid=65534", "--clear-groups", "sh", "-c", "echo up; exec sleep 100"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


ASK = """
import sys
from devrun.process import tree
process = tree.look_up(int(sys.argv[1]))
print(tree.is_out_of_reach(process), tree.described(process))
"""


def test_what_may_not_be_signalled_is_out_of_reach(of_another_user):
    pid = of_another_user.pid
    assert not tree.is_out_of_reach(tree.look_up(pid))
    words = rf"pid {pid} \(.*sleep 100\), state [RSD]"
    assert re.fullmatch(words, tree.described(tree.look_up(pid)))
    may_not = ["setpriv", "--bounding-set=-kill", "--inh-caps=-kill"]
    asked = subprocess.run(
        [*may_not, sys.executable, "-c", ASK, str(pid)], capture_output=True, text=True, check=True
    )
    assert re.fullmatch(f"True {words}, which devrun may not signal\n", asked.stdout)


def test_what_is_gone_is_not_out_of_reach(of_another_user):
    process = tree.look_up(of_another_user.pid)
    other = tree.Process(process.pid, 1, 1, 1, process.start + 1, "S")
    assert not tree.is_out_of_reach(other), "the number belongs to another process now"
    of_another_user.kill()
    of_another_user.wait()
    assert not tree.is_out_of_reach(process)
    assert tree.described(process).startswith(f"pid {process.pid} (no command line), state ")
