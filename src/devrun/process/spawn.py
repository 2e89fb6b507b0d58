"""Start a process: one synchronous function, usable before and after the event loop exists.

``subprocess.Popen`` called in the main thread, because trio's own spawn goes through a worker
thread and needs a running loop, and the first generation starts before trio is imported.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from enum import Enum

from devrun.errors import ExitCode, SpawnError
from devrun.process.command import SHELL, find_program

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from devrun.policies import ProcessLimits
    from devrun.process.channels import Channels
    from devrun.process.held_sockets import Held

PIPE_SIZE = 256 * 1024
"""Bytes a child may be ahead of devrun; the default of 64 KiB makes it wait more often."""


class Stdio(Enum):
    """What a process gets as its standard streams."""

    PIPE = "pipe"
    """stdin is empty; stdout and stderr are one pipe, so that their order is kept."""
    SPLIT = "split"
    """The same with a pipe of its own for stderr; between the two the order is lost."""
    PTY = "pty"
    """All three are a pseudo-terminal, which is also the controlling terminal."""
    INHERIT = "inherit"
    """devrun's own."""


class Input(Enum):
    """What devrun writes to a process's stdin."""

    NOTHING = "nothing"
    """Its stdin is empty, or devrun's own for INHERIT."""
    LINES = "lines"
    """Whoever typed them has seen them: a pty does not echo them."""
    KEYS = "keys"
    """A pty echoes them, as long as the program wants that."""


@dataclass(slots=True)
class Child:
    """A started process, not yet reaped.

    Attributes:
        output: Descriptor to read its output from, non-blocking, or None if it has devrun's own.
        errors: The same for its stderr, if that has a pipe of its own.
        input: Descriptor to write its input to, non-blocking, or None if it has none or devrun's
            own. With a pty it is the same as ``output``.
        terminal: The process's side of its pty, held open so that what it wrote last is not lost
            when it ends (macOS discards it); None without a pty.
        returns: Its line feeds come as CR LF, as usual at a terminal.
        channels: Other ways to talk with it, if it has any.
        started_at: ``time.monotonic()`` when it was started.
        ended_at: The same when it had ended, if ``note_ends`` noticed that.
    """

    popen: subprocess.Popen[bytes]
    output: int | None
    terminal: int | None = None
    input: int | None = None
    errors: int | None = None
    returns: bool = False
    channels: Channels | None = None
    started_at: float = field(default_factory=time.monotonic)
    ended_at: float | None = None

    @property
    def pid(self) -> int:
        """Process id; on POSIX also the id of its process group and session."""
        return self.popen.pid


@dataclass(frozen=True, slots=True)
class Inherits:
    """What a process gets besides its streams, folder and environment.

    Attributes:
        sockets: Listening sockets.
        limits: Niceness and resource limits.
        descriptors: Others, under the numbers that they have in devrun.
    """

    sockets: Held | None = None
    limits: ProcessLimits | None = None
    descriptors: tuple[int, ...] = ()


_NOTHING = Inherits()


def spawn(
    argv: Sequence[str],
    *,
    cwd: str,
    env: Mapping[str, str],
    stdio: Stdio,
    size: tuple[int, int] = (24, 80),
    takes: Input = Input.NOTHING,
    inherits: Inherits = _NOTHING,
) -> Child:
    """Start a program as the leader of a session of its own.

    Args:
        argv: A program, by path or by name, and its arguments.
        size: Rows and columns of the pty, if there is one.

    Raises:
        SpawnError: It cannot be started; the message says why in one line.
    """
    if not os.path.isdir(cwd):
        raise SpawnError(f'no such folder: "{cwd}"', ExitCode.NOT_FOUND)
    path = find_program(argv[0], cwd=cwd, env=env)
    program = _with(inherits, _Program(argv, path, cwd, env))
    try:
        if stdio is Stdio.PTY and sys.platform != "win32":
            child = _spawn_on_pty(program, size, echo=takes is Input.KEYS)
            child.input = None if takes is Input.NOTHING else child.output
            child.returns = takes is Input.KEYS
        elif takes is not Input.NOTHING:
            child = _spawn_with_input(program, stdio)
        else:
            child = _spawn(program, stdio, subprocess.DEVNULL)
    except OSError as error:  # No descriptor, no pty or no process was to be had.
        raise _spawn_error(error, argv[0]) from error
    if inherits.limits is not None:
        from devrun.process.limits import impose

        try:
            impose(child.popen, inherits.limits)
        except SpawnError:
            for descriptor in {child.output, child.errors, child.input, child.terminal}:
                if descriptor is not None:
                    os.close(descriptor)
            raise
    return child


def _with(inherits: Inherits, program: _Program) -> _Program:
    """Return the program behind what gives it sockets and limits."""
    if inherits == _NOTHING:
        return program
    if inherits.sockets is None and inherits.limits is None:
        return replace(program, descriptors=inherits.descriptors)
    # What stands between looks for no program, so it gets the path; relative to the folder.
    path = os.path.join(program.cwd, program.path)
    argv = [path, *program.argv[1:]]
    descriptors = inherits.descriptors
    if inherits.sockets is not None:
        argv, numbers = inherits.sockets.wrapped(argv)
        descriptors += numbers
    if inherits.limits is not None:
        from devrun.process.limits import wrapped

        argv = wrapped(argv, inherits.limits)
    return replace(program, argv=argv, path=argv[0], descriptors=descriptors)


if sys.platform == "linux":

    def note_ends(children: Iterable[Child]) -> None:
        """Note the time for children that have ended, and leave them to be reaped.

        For SIGCHLD while nobody waits for them yet, because trio is still being imported.
        """
        now = time.monotonic()
        for child in children:
            if child.ended_at is None:
                options = os.WEXITED | os.WNOHANG | os.WNOWAIT
                if os.waitid(os.P_PID, child.pid, options) is not None:
                    child.ended_at = now

else:

    def note_ends(children: Iterable[Child]) -> None:
        """Do nothing: Python has no ``waitid`` there, and waiting for them would reap them."""


def close_input(child: Child) -> None:
    """End the child's stdin: by closing the pipe, or with the terminal's end-of-file character."""
    descriptor, child.input = child.input, None
    if descriptor is None:
        return
    if descriptor != child.output:
        if "trio" in sys.modules:  # The first generation starts before it is imported.
            sys.modules["trio"].lowlevel.notify_closing(descriptor)
        os.close(descriptor)
        return
    with suppress(OSError):  # Gone, or full of what nobody has read.
        os.write(descriptor, b"\x04")


@dataclass(frozen=True, slots=True)
class _Program:
    """What is executed: the argument vector, the program's path, its folder and environment."""

    argv: Sequence[str]
    path: str
    cwd: str
    env: Mapping[str, str]
    descriptors: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Streams:
    stdin: int | None = None
    output: int | None = None
    errors: int | None = None


def _spawn_with_input(program: _Program, stdio: Stdio) -> Child:
    reader, writer = os.pipe()
    with ExitStack() as on_failure:
        on_failure.callback(os.close, writer)
        try:
            child = _spawn(program, stdio, reader)
        finally:
            os.close(reader)
        on_failure.pop_all()
    if sys.platform != "win32":
        os.set_blocking(writer, False)
    child.input = writer
    return child


def _spawn(program: _Program, stdio: Stdio, stdin: int) -> Child:
    """Start a program on a pipe, or with devrun's own stdout and stderr."""
    if stdio is Stdio.INHERIT:
        own = None if stdin == subprocess.DEVNULL else stdin
        return Child(_popen(program, _Streams(own)), None)
    with ExitStack() as on_failure, ExitStack() as theirs:
        reader, writer = _pipe(on_failure, theirs)
        errors = None
        if stdio is Stdio.SPLIT:
            errors, errors_writer = _pipe(on_failure, theirs)
            popen = _popen(program, _Streams(stdin, writer, errors_writer))
        else:
            popen = _popen(program, _Streams(stdin, writer, writer))
        on_failure.pop_all()
    return Child(popen, reader, errors=errors)


def _pipe(on_failure: ExitStack, theirs: ExitStack) -> tuple[int, int]:
    """Return a pipe for output: our end, non-blocking, and the process's."""
    reader, writer = os.pipe()
    on_failure.callback(os.close, reader)
    theirs.callback(os.close, writer)
    _enlarge(writer)
    if sys.platform != "win32":
        os.set_blocking(reader, False)
    return reader, writer


def _enlarge(pipe: int) -> None:
    if sys.platform == "linux":
        import fcntl

        try:
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        except OSError:
            return  # Over the user's quota of pipe pages (pipe(7)): the default serves too.


def _popen(program: _Program, streams: _Streams) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            program.argv,
            executable=program.path,
            cwd=program.cwd,
            env=program.env,
            stdin=streams.stdin,
            stdout=streams.output,
            stderr=streams.errors,
            start_new_session=True,
            pass_fds=program.descriptors,
        )
    except OSError as error:
        if error.errno == errno.ENOEXEC and program.path != SHELL:
            # A script without a #! line: shells run it themselves (POSIX XCU 2.9.1.1).
            argv = [SHELL, program.path, *program.argv[1:]]
            return _popen(replace(program, argv=argv, path=SHELL), streams)
        raise
    except ValueError as error:  # A NUL byte in an argument or a variable.
        raise SpawnError(f"cannot start: {error}", ExitCode.NOT_EXECUTABLE) from error


def _spawn_error(error: OSError, name: str) -> SpawnError:
    missing = error.errno in (errno.ENOENT, errno.ENOTDIR)
    code = ExitCode.NOT_FOUND if missing else ExitCode.NOT_EXECUTABLE
    reason = (error.strerror or str(error)).lower()
    if missing:
        reason += " (the program, or the interpreter that its first line names)"
    return SpawnError(f'cannot start "{name}": {reason}', code)


if sys.platform != "win32":
    # A session's first terminal becomes its controlling terminal when the leader opens it by name
    # (tty(4)). Popen can only hand over open descriptors, so a shell opens it and then becomes the
    # program; a preexec_fn would do too, but forbids vfork and is unsafe beside threads.
    _TAKE_TERMINAL = 'exec 0<>"$0" 1>&0 2>&0; exec "$@"'

    def _spawn_on_pty(program: _Program, size: tuple[int, int], *, echo: bool) -> Child:
        leader, terminal = os.openpty()
        with ExitStack() as on_failure:
            on_failure.callback(os.close, leader)
            on_failure.callback(os.close, terminal)
            _prepare(terminal, size, echo=echo)
            name = os.ttyname(terminal)
            wrapped = [SHELL, "-c", _TAKE_TERMINAL, name, program.path, *program.argv[1:]]
            popen = _popen(
                replace(program, argv=wrapped, path=SHELL), _Streams(terminal, terminal, terminal)
            )
            on_failure.pop_all()
        os.set_blocking(leader, False)
        return Child(popen, leader, terminal)

    def _prepare(terminal: int, size: tuple[int, int], *, echo: bool) -> None:
        """Set the size, and have bytes come through as the program wrote them (no LF to CR LF).

        But where keys are typed it is as every terminal is: programs switch that on and off, and
        only the kernel knows which line feed came when.
        """
        import termios

        attributes = termios.tcgetattr(terminal)
        if not echo:
            attributes[1] &= ~termios.OPOST
            attributes[3] &= ~termios.ECHO
        termios.tcsetattr(terminal, termios.TCSANOW, attributes)
        termios.tcsetwinsize(terminal, size)


def resize(child: Child, size: tuple[int, int]) -> None:
    """Tell a process on a pty that its terminal has another size (SIGWINCH follows from that)."""
    if sys.platform != "win32" and child.terminal is not None:
        import termios

        termios.tcsetwinsize(child.terminal, size)
