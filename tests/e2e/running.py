"""devrun as a user starts it, in a pipe or in a terminal of its own, for end-to-end tests.

Nothing here sleeps: tests wait for text, for the end of a process, or for a condition that is
looked at until a time limit that only a failing test reaches.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pyte

PROGRAMS = Path(__file__).parent / "programs"
BETWEEN_PRESSES = 0.1
"""Seconds; within 50 ms devrun takes a second SIGINT for the first."""
PATIENCE = 30.0
"""Seconds after which something that should have happened has failed to."""

DYING_PATIENCE = 5.0
"""Seconds that a process which has been killed may take to vanish."""

MARK = "RUN_MARK"

LAST_WORDS = 3.0
"""Seconds in which what was written to a terminal has to have been read, after the end."""

_TAKE_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def program(name: str, *arguments: object) -> str:
    """Return a shell command line that runs one of the test programs."""
    return " ".join([sys.executable, str(PROGRAMS / f"{name}.py"), *map(str, arguments)])


def until(condition: Callable[[], object], what: str) -> None:
    """Look until the condition holds."""
    limit = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > limit:
            raise AssertionError(f"{what}: has not happened within {PATIENCE:g} s")
        select.select([], [], [], 0.01)


class Run:
    """One devrun."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path,
        env: dict[str, str],
        terminal: tuple[int, int] | None = None,
        stdout: int | None = None,
        before: Sequence[str] = (),
    ) -> None:
        self._changed = threading.Condition()
        self._output = bytearray()
        self._ended = False
        self._leader: int | None = None
        command = ["-m", "devrun", *arguments]
        if terminal is not None:
            self._start_in_terminal(command, cwd, env, terminal)
        else:
            self.process = subprocess.Popen(
                [*before, sys.executable, *command],
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if stdout is None else stdout,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._closing, self._close = os.pipe()
        self._reader: threading.Thread | None = None
        source = self._leader if self._leader is not None else self._pipe()
        if source is None:
            self._ended = True
        else:
            self._reader = threading.Thread(target=self._read, args=(source,), daemon=True)
            self._reader.start()

    def _pipe(self) -> int | None:
        return self.process.stdout.fileno() if self.process.stdout is not None else None

    def _start_in_terminal(self, command, cwd, env, size) -> None:
        leader, terminal = os.openpty()
        self._leader = leader
        self.screen = pyte.Screen(size[1], size[0])
        self._stream = pyte.ByteStream(self.screen)
        termios.tcsetwinsize(terminal, size)
        self.process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, *command],
            cwd=cwd,
            env=env | {"TERM": "xterm-256color"},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
        )
        os.close(terminal)

    def _read(self, source: int) -> None:
        while True:
            try:
                ready, _, _ = select.select([source, self._closing], [], [])
                chunk = os.read(source, 65536) if source in ready else b""
            except OSError:
                chunk = b""
            with self._changed:
                self._output += chunk
                if chunk and self._leader is not None:
                    self._stream.feed(chunk)
                self._ended = not chunk
                self._changed.notify_all()
            if not chunk:
                return

    # -- looking ----------------------------------------------------------------------------

    @property
    def output(self) -> bytes:
        """Everything written so far."""
        with self._changed:
            return bytes(self._output)

    @property
    def text(self) -> str:
        return self.output.decode(errors="replace")

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    def display(self) -> list[str]:
        """Return the terminal's screen, line by line, without the empty end."""
        with self._changed:
            lines = [line.rstrip() for line in self.screen.display]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def wait_for(self, *texts: str) -> Run:
        """Wait until every text has appeared; fail as soon as none can appear any more."""
        limit = time.monotonic() + PATIENCE
        with self._changed:
            for text in texts:
                while text.encode() not in self._output:
                    left = limit - time.monotonic()
                    if self._ended or left <= 0 or not self._changed.wait(left):
                        shown = self._output.decode(errors="replace")
                        raise AssertionError(f"never said {text!r}; said:\n{shown}")
        return self

    def count(self, text: str) -> int:
        return self.output.count(text.encode())

    @property
    def terminal(self) -> int:
        """Descriptor of the terminal's other side."""
        return self._leader

    # -- doing ------------------------------------------------------------------------------

    def signal(self, number: int) -> Run:
        """Send a signal to devrun: to the process that was started."""
        self.process.send_signal(number)
        return self

    def at_leisure(self) -> Run:
        """Let as much time pass as a person needs to press a key twice."""
        pressed = time.monotonic()
        until(lambda: time.monotonic() > pressed + BETWEEN_PRESSES, "the passing of time")
        return self

    def type(self, keys: bytes) -> Run:
        os.write(self._leader, keys)
        return self

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._leader, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def worker(self) -> int:
        """Return the pid of devrun proper; the process that was started guards it."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children")
        until(lambda: children.read_text().split(), "the worker's start")
        return int(children.read_text().split()[0])

    def wait(self) -> int:
        """Wait for devrun's end; return its exit code, or minus the signal that ended it."""
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"devrun does not end; it said:\n{self.text}") from None
        if self._reader is not None:
            # A terminal's end comes when nobody has it open any more; some tests leave somebody.
            self._reader.join(PATIENCE if self._leader is None else LAST_WORDS)
        return code

    def hang_up(self) -> None:
        """Close the terminal, as closing its window does."""
        os.write(self._close, b"x")
        self._reader.join(PATIENCE)
        os.close(self._leader)
        self._leader = None

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self._reader is not None:
            os.write(self._close, b"x")
            self._reader.join(PATIENCE)
        for descriptor in (self._leader, self._closing, self._close):
            if descriptor is not None:
                os.close(descriptor)
        if self.process.stdout is not None:
            self.process.stdout.close()


def marked(mark: str) -> dict[int, str]:
    """Return pid and command line of every living process that carries the mark.

    In its environment, or in its command line for programs that clear their environment.
    """
    found: dict[int, str] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        command = _of_process(int(name), "cmdline")
        if mark.encode() not in command + _of_process(int(name), "environ"):
            continue
        if _flags(int(name)) is not None:
            found[int(name)] = command.replace(b"\0", b" ").decode(errors="replace").strip()
    return found


def no_survivors(mark: str, *, grace: float = 0.0) -> None:
    """Fail if a process with the mark is left; end it, so that it harms no other test.

    ``grace`` is how many seconds processes may take that a test itself is ending.

    A devrun that still lives (its guardian has been killed) is waited for, and so is what has been
    killed and is on its way out. Anything else is a survivor at once: that it might end by itself
    a moment later is no excuse.
    """
    limit = time.monotonic() + PATIENCE
    while any(map(_is_devrun, marked(mark))) and time.monotonic() < limit:
        select.select([], [], [], 0.01)
    limit = time.monotonic() + DYING_PATIENCE
    indulgence = time.monotonic() + grace
    while (left := marked(mark)) and time.monotonic() < limit:
        if time.monotonic() >= indulgence and not all(map(_is_dying, left)):
            break
        select.select([], [], [], 0.01)
    if left:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        raise AssertionError(f"left behind: {left}")


def _of_process(pid: int, name: str) -> bytes:
    """Return a file of /proc; nothing where the process is gone or the file not readable."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def _flags(pid: int) -> int | None:
    """Return the kernel's flags of a process, or None if it has ended (field 9 of proc(5) stat)."""
    fields = _of_process(pid, "stat").rpartition(b")")[2].split()
    return None if not fields or fields[0] in (b"Z", b"X") else int(fields[6])


def _is_devrun(pid: int) -> bool:
    words = _of_process(pid, "cmdline").split(b"\0")
    return b"-m\0devrun" in b"\0".join(words[:4]) or any(w.endswith(b"/devrun") for w in words[:2])


def _is_dying(pid: int) -> bool:
    """Tell whether SIGKILL is on its way to a process, or its end has begun (PF_EXITING)."""
    flags = _flags(pid)
    if flags is None or flags & 0x4:
        return True
    pending = [
        int(line.split()[1], 16)
        for line in _of_process(pid, "status").splitlines()
        if line.startswith((b"SigPnd:", b"ShdPnd:"))
    ]
    return any(mask >> (signal.SIGKILL - 1) & 1 for mask in pending)
