"""The numbers of the signals that devrun deals with, on every platform.

Windows has none of the others; there the numbers are ones that never arrive.
"""

from __future__ import annotations

import signal
import sys

if sys.platform == "win32":
    KILL: int = signal.SIGTERM
    STOP, CONTINUE, SUSPEND, CHILD, RESIZE, SIGPIPE = -1, -2, -3, -4, -5, 13
else:
    KILL = signal.SIGKILL
    STOP: int = signal.SIGSTOP
    CONTINUE: int = signal.SIGCONT
    SUSPEND: int = signal.SIGTSTP
    CHILD: int = signal.SIGCHLD
    RESIZE: int = signal.SIGWINCH
    SIGPIPE: int = signal.SIGPIPE
