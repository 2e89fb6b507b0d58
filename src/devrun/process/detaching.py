"""A process of its own session, which no terminal's end reaches; and the pipe back (POSIX)."""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from types import FrameType

    import trio

if sys.platform == "win32":
    CAN_DETACH = False

    def fork() -> int:
        """There is none."""
        raise NotImplementedError

    def exit_code_of(child: int) -> int:
        """There is none."""
        raise NotImplementedError(child)

    def ignore_hangups() -> None:
        """There are none."""

    def pipe_stream(descriptor: int) -> trio.abc.SendStream:
        """There is none."""
        raise NotImplementedError(descriptor)

else:
    CAN_DETACH = True

    def fork() -> int:
        """Return the pid of a copy of this process; in the copy, which leads a session, 0."""
        child = os.fork()
        if not child:
            os.setsid()
        return child

    def exit_code_of(child: int) -> int:
        """Wait for a child; return its exit code, or 128 + the signal that ended it."""
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        return 128 - code if code < 0 else code

    def ignore_hangups() -> None:
        """Do nothing at SIGHUP; executed programs do not inherit that, as they would SIG_IGN.

        To be called behind whatever else has a say in signals.
        """
        signal.signal(signal.SIGHUP, _disregard)

    def pipe_stream(descriptor: int) -> trio.abc.SendStream:
        """Return what writes to a pipe within the event loop, and owns it."""
        import trio

        return trio.lowlevel.FdStream(descriptor)


def _disregard(_number: int, _frame: FrameType | None) -> None:
    """The terminal that has hung up is another's."""
