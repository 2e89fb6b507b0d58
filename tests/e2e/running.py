"""devrun as a user starts it, in a pipe or in a terminal of its own, for end-to-end tests.

Nothing here sleeps: tests wait for text, for the end of a process, or for a condition that is
looked at until a time limit that only a failing test reaches.
"""

from __future__ import annotations

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
PATIENCE = 30.0
"""Seconds after which something that should have happened has failed to."""

MARK = "RUN_MARK"

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
    ) -> None:
        self._changed = threading.Condition()
        self._output = bytearray()
        self._leader: int | None = None
        command = ["-m", "devrun", *arguments]
        if terminal is not None:
            self._start_in_terminal(command, cwd, env, terminal)
        else:
            self.process = subprocess.Popen(
                [sys.executable, *command],
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
        if source is not None:
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
        """Wait until every text has appeared."""
        limit = time.monotonic() + PATIENCE
        with self._changed:
            for text in texts:
                while text.encode() not in self._output:
                    left = limit - time.monotonic()
                    if left <= 0 or (not self._changed.wait(left)):
                        shown = self._output.decode(errors="replace")
                        raise AssertionError(f"never said {text!r}; said:\n{shown}")
                    if self._reader and not self._reader.is_alive():
                        break
        return self

    def count(self, text: str) -> int:
        return self.output.count(text.encode())

    # -- doing ------------------------------------------------------------------------------

    def signal(self, number: int) -> Run:
        """Send a signal to devrun: to the process that was started."""
        self.process.send_signal(number)
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
        if self._reader is not None and self._leader is None:
            self._reader.join(PATIENCE)
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
            self._reader.join(5)
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
        try:
            state = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[0]
            command = Path(f"/proc/{name}/cmdline").read_bytes()
            environment = Path(f"/proc/{name}/environ").read_bytes()
        except OSError:
            continue
        if state not in "ZX" and mark.encode() in environment + command:
            found[int(name)] = command.replace(b"\0", b" ").decode(errors="replace")
    return found


def no_survivors(mark: str) -> None:
    """Fail if a process with the mark is left; end it, so that it harms no other test."""
    try:
        until(lambda: not marked(mark), "the end of every process")
    except AssertionError:
        left = marked(mark)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        raise AssertionError(f"left behind: {left}") from None
