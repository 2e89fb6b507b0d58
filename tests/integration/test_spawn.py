"""Starting real processes: streams, sessions, signal state, errors."""

from __future__ import annotations

import os
import select
import signal
import sys

import pytest

from devrun.errors import SpawnError
from devrun.process.command import argv_for
from devrun.process.spawn import Stdio, resize, spawn

ENV = dict(os.environ)


def read_all(child) -> bytes:
    """Read what a process writes until it has ended."""
    data = b""
    ended = os.pidfd_open(child.pid)
    try:
        while True:
            select.select([child.output, ended], [], [], 20)
            try:
                piece = os.read(child.output, 65536)
            except BlockingIOError:
                if child.popen.poll() is not None:
                    return data
                continue
            if not piece:
                return data
            data += piece
    finally:
        os.close(ended)


@pytest.fixture
def start(tmp_path):
    children = []

    def begin(command, stdio=Stdio.PIPE, env=ENV, **options):
        child = spawn(argv_for(command), cwd=str(tmp_path), env=env, stdio=stdio, **options)
        children.append(child)
        return child

    yield begin
    for child in children:
        child.popen.kill()
        child.popen.wait()
        for descriptor in (child.output, child.terminal):
            if descriptor is not None:
                os.close(descriptor)


def python(code: str) -> str:
    return f"{sys.executable} -c '{code}'"


@pytest.mark.parametrize("stdio", [Stdio.PIPE, Stdio.PTY])
def test_a_process_leads_a_session_of_its_own(start, stdio):
    child = start(python("import os; print(os.getpid(), os.getsid(0), os.getpgrp())"), stdio)
    numbers = read_all(child).split()
    assert [int(number) for number in numbers] == [child.pid] * 3


@pytest.mark.parametrize("stdio", [Stdio.PIPE, Stdio.PTY])
def test_bytes_come_as_they_were_written(start, stdio):
    child = start(r"printf 'a\nb\r\n\tc\000\377'", stdio)
    assert read_all(child) == b"a\nb\r\n\tc\0\xff"


@pytest.mark.parametrize("stdio", [Stdio.PIPE, Stdio.PTY])
def test_signals_are_neither_blocked_nor_ignored(start, stdio):
    # Lines of proc(5): SigBlk, SigIgn; Python itself ignores SIGPIPE and SIGXFSZ.
    child = start("grep -E '^Sig(Blk|Ign)' /proc/self/status", stdio)
    # Signals 32 and 33 are the C library's own: beneath make they are ignored from the start, as
    # glibc's posix_spawn leaves them so.
    own = 1 << 31 | 1 << 32
    masks = [int(line.split()[1], 16) & ~own for line in read_all(child).splitlines()]
    assert masks == [0, 0]


def test_no_descriptor_is_inherited(start, tmp_path):
    with open(tmp_path / "open", "w") as kept:
        os.set_inheritable(kept.fileno(), True)
        child = start("ls /proc/self/fd")
        # 0, 1, 2 and the one by which ls reads the folder.
        assert read_all(child).split() == [b"0", b"1", b"2", b"3"]


def test_a_terminal_has_the_size_that_was_asked_for(start):
    child = start("stty size; cat", Stdio.PTY, size=(33, 77))
    select.select([child.output], [], [], 20)
    assert os.read(child.output, 100) == b"33 77\n"
    resize(child, (20, 50))
    assert os.get_terminal_size(child.output) == os.terminal_size((50, 20))


def test_a_terminal_is_the_controlling_one(start):
    child = start("echo through the terminal > /dev/tty", Stdio.PTY)
    assert read_all(child) == b"through the terminal\n"


@pytest.mark.parametrize("stdio", [Stdio.PIPE, Stdio.PTY])
def test_an_interpreter_that_is_missing_is_said(start, tmp_path, stdio):
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    if stdio is Stdio.PTY:
        child = start("./script", stdio)
        read_all(child)
        assert child.popen.wait(20) in (126, 127)
    else:
        with pytest.raises(SpawnError, match="the interpreter that its first line names"):
            start("./script", stdio)


def test_a_folder_that_is_missing_is_said():
    with pytest.raises(SpawnError, match='no such folder: "/no/where"') as caught:
        spawn(["true"], cwd="/no/where", env=ENV, stdio=Stdio.PIPE)
    assert caught.value.exit_code == 127


def test_a_nul_is_said(start):
    with pytest.raises(SpawnError, match="null byte"):
        start("echo hi", env=ENV | {"A": "x\0y"})


def test_all_exit_codes_arrive(start):
    for code in (0, 1, 2, 127, 128, 255):
        assert start(f"exit {code}").popen.wait(20) == code
    assert start("kill -KILL $$").popen.wait(20) == -signal.SIGKILL
