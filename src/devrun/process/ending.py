"""How devrun itself ends: with a code, or by the signal that ended the run."""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from typing import NoReturn


def die_of(number: int) -> NoReturn:
    """End this process by signal ``number``, as if it had never been caught.

    A shell that sees a child die of SIGINT stops its script; one that sees exit code 130 may not
    (https://www.cons.org/cracauer/sigint.html). PID 1 cannot be killed by its own signal
    (``pid_namespaces(7)``): there the exit code is 128 + the number.
    """
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        os.kill(os.getpid(), number)
    os._exit(128 + number)
