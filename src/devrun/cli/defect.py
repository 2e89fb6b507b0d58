"""A defect of devrun's own: one line for the user, the details in a file that can be sent."""

from __future__ import annotations

import errno
import os

from devrun.errors import ExitCode
from devrun.output.complaint import complain

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from types import TracebackType

EXHAUSTED = {
    errno.EMFILE: "too many open files; raise the limit (ulimit -n), or run less at a time",
    errno.ENFILE: "too many open files in the whole system",
    errno.EAGAIN: "no more processes; raise the limit (ulimit -u), or run less at a time",
    errno.ENOMEM: "no more memory",
}
"""What the system may run out of, by the error number of fork(2), open(2) and their like."""


def report_defect(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """End the process; to be used as ``sys.excepthook``.

    The guardian ends what is running. The file is readable by its owner alone. That the system has
    nothing left to give is no defect.
    """
    lacking = _lacking(error)
    if lacking is not None:
        complain(lacking)
        os._exit(ExitCode.SYSTEM)
    import platform
    import tempfile
    import traceback

    from devrun import __version__

    descriptor, path = tempfile.mkstemp(prefix="devrun-defect-", suffix=".txt")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(
            f"devrun {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        )
        traceback.print_exception(kind, error, trace, file=file)
    complain(f"a defect of devrun itself ({kind.__name__}); please report it with {path}")
    os._exit(ExitCode.INTERNAL)


def _lacking(error: BaseException) -> str | None:
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(_lacking, error.exceptions)), None)
    return EXHAUSTED.get(error.errno or 0) if isinstance(error, OSError) else None
